"""The canary: twelve pairs that a hosted judge is asked about at every run, so that a silent change does not stay one.

What it says is kept by the judge's hash in $ALPACA_CANARIES, else in the state folder of the account, one line a run.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.files import read_rows, sha256_of, sha256_text
from alpaca_eval_suite.judge.answers import Answer
from alpaca_eval_suite.judge.asking import Run
from alpaca_eval_suite.judge.canary_drift import CanaryRun, Drift, drift
from alpaca_eval_suite.judge.contracts import Asker, InDoubt, Reply, Ruling
from alpaca_eval_suite.judge.judged import Judged
from alpaca_eval_suite.judge.pairs import Pair
from alpaca_eval_suite.judge.work import Call, Judge, Work, plan_work
from alpaca_eval_suite.models.ledger import Ledger
from alpaca_eval_suite.models.request import GenerationRequest
from alpaca_eval_suite.resources import resource_dir
from alpaca_eval_suite.types import Comparison, Instruction

CANARIES_VARIABLE = "ALPACA_CANARIES"

_APP = "alpaca-eval-suite"
_FIRST, _SECOND = "output_1", "output_2"
_RUN_DIGITS = 16


def canary_pairs() -> list[Pair]:
    """The pairs, as they are shipped."""
    return [
        Pair(
            Comparison(
                Instruction(str(row["id"]), str(row["instruction"]), input=str(row.get("input", ""))),
                str(row["output_1"]),
                str(row["output_2"]),
            ),
            _FIRST,
            _SECOND,
        )
        for _, row in read_rows(_file())
    ]


def canary_work(judge: Judge) -> Work:
    """The questions: each pair in both orders, in the same words every time."""
    return plan_work(canary_pairs(), [judge], orders="both", seed=0)


async def run_canary(
    judge: Judge,
    *,
    ledger: Ledger,
    cap: float | None = None,
    concurrency: int | None = None,
    occasion: str | None = None,
    folder: Path | None = None,
) -> Drift | None:
    """Ask the judge about the pairs in both orders, keep what it says, compare it with the earlier runs.

    Every question is asked anew on another `occasion` (None: today); the verdict cache plays no part. What it costs
    counts in `ledger` and stays under `cap`, as that of the run it belongs to; the answers there have no lines of
    preferences.jsonl. `folder`: where the history is (None: `canaries_folder`). None for a program of ours, and where
    the money ends before all is asked. Raises SuiteError where the judge cannot be asked at all, as `judge_pairs`
    does, and where the history cannot be read or written.
    """
    if judge.asker is None:
        return None
    now = datetime.now(UTC)
    occasion = occasion or now.date().isoformat()
    history = read_history(judge.hash, folder)
    again = Judge(judge.spec, _Anew(judge.asker, occasion), judge.price)
    run = _CanaryRun(canary_work(again), ledger, None, cap=cap, concurrency=concurrency, combine="mean",
                     stop_when_decided=False, watch=None)  # fmt: skip
    run.take_what_is_known(retry_failed=False)
    await run.ask_the_rest(batch=False)
    judged = run.judged()
    if judged.stopped or judged.n_missing:
        return None
    found = _run_of(judged, ledger, now.isoformat(timespec="seconds"))
    name = sha256_text(f"{ledger.folder.resolve()}\0{occasion}")[:_RUN_DIGITS]
    earlier = [one for key, one in history.items() if key != name]
    if name not in history:
        append_history(judge, name, found, folder)
    return replace(drift(earlier, found), cost=judged.tallies[again.name].cost)


def canaries_folder() -> Path:
    """$ALPACA_CANARIES, else "canaries" in the state folder of the account."""
    if own := os.environ.get(CANARIES_VARIABLE):
        return Path(own).expanduser()
    from platformdirs import user_state_path

    return user_state_path(_APP, appauthor=False) / "canaries"


def history_file(judge_hash: str, folder: Path | None = None) -> Path:
    """The judge's file."""
    return (folder or canaries_folder()) / f"{judge_hash}.jsonl"


def read_history(judge_hash: str, folder: Path | None = None) -> dict[str, CanaryRun]:
    """The judge's runs on the present pairs by name, oldest first; several processes of one run keep one.

    A line that is cut off, by a kill or a full disk, is passed over. Raises SuiteError for a file that cannot be read.
    """
    path = history_file(judge_hash, folder)
    if not path.exists():
        return {}
    pairs = sha256_of(_file())
    found: dict[str, CanaryRun] = {}
    problems: list[SuiteError] = []
    for where, row in read_rows(path, problems.append):
        try:
            if row["pairs_sha256"] == pairs:
                found.setdefault(str(row["run"]), _canary_run(row))
        except (KeyError, TypeError, ValueError) as error:
            raise SuiteError(
                f"is no run of a canary ({error!r})", where=where, next_step=f"Delete the line, or move {path} away."
            ) from error
    return dict(sorted(found.items(), key=lambda item: item[1].date))


def append_history(judge: Judge, name: str, run: CanaryRun, folder: Path | None = None) -> None:
    """Add a run to the judge's file, in one write. Raises SuiteError where that is not possible."""
    path = history_file(judge.hash, folder)
    row = {"run": name, "judge": judge.name, "pairs_sha256": sha256_of(_file()), **run.as_json()}
    # A line end first: the last line may have been cut off.
    line = f"\n{json.dumps(row, ensure_ascii=False, allow_nan=False)}\n".encode("utf-8", "backslashreplace")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(handle, line)
        finally:
            os.close(handle)
    except OSError as error:
        raise SuiteError(
            f"cannot be written ({error.strerror or error})",
            where=str(path),
            next_step=f"Name another folder: {CANARIES_VARIABLE}=FOLDER, or leave the canary out: --no-canary.",
        ) from error


class _Anew:
    """An asker whose answers of another occasion do not count as known."""

    def __init__(self, asker: Asker, occasion: str) -> None:
        self.name = asker.name
        self.identity: Mapping[str, Any] = {**asker.identity, "canary": occasion}
        self.concurrency = asker.concurrency
        self._asker = asker

    async def ask(self, request: GenerationRequest, *, in_doubt: InDoubt | None = None) -> Reply:
        """As the asker does."""
        return await self._asker.ask(request, in_doubt=in_doubt)

    async def close(self) -> None:
        """As the asker does."""
        await self._asker.close()


class _CanaryRun(Run):
    """Keeps answers without lines of preferences.jsonl: they are no verdicts of the run in whose ledger they stand."""

    def keep(self, call: Call, answer: Answer, readings: Sequence[Ruling | str] | None = None) -> None:
        self.ledger.record(call.ledger_key, answer.as_json(), answer.cost)
        self.settling.settle(call, answer, "asked", readings)


def _run_of(judged: Judged, ledger: Ledger, date: str) -> CanaryRun:
    values = {
        f"{one.id}:{one.order}": None if one.win is None else 1 - one.win if one.order == "baseline_first" else one.win
        for one in judged.preferences
    }
    kept = (ledger.values.get(call.ledger_key) for call in judged.work.calls.values())
    replies = [reply for value in kept if value is not None and (reply := Answer.from_json(value).reply) is not None]
    return CanaryRun(
        date=date,
        values=values,
        served_ids=_known(reply.served_id for reply in replies),
        system_fingerprints=_known(reply.system_fingerprint for reply in replies),
        fallbacks=tuple(sorted({text for reply in replies for text in reply.fallbacks})),
    )


def _known(names: Any) -> tuple[str, ...]:
    return tuple(sorted({name for name in names if name}))


def _canary_run(row: Mapping[str, Any]) -> CanaryRun:
    values = {str(key): None if value is None else float(value) for key, value in row["values"].items()}
    lists = {name: tuple(map(str, row[name])) for name in ("served_ids", "system_fingerprints", "fallbacks")}
    return CanaryRun(date=str(row["date"]), values=values, **lists)


def _file() -> Path:
    return resource_dir("run_specs") / "judges" / "canary.jsonl"
