"""A run of `judge run` before anything is asked: its files, whose ledger it is, who judges, what it will take."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alpaca_eval_suite.errors import UsageError
from alpaca_eval_suite.files import sha256_of, write_atomic
from alpaca_eval_suite.judge.asker_kinds import Notice
from alpaca_eval_suite.judge.askers import EndpointAsker, asker_of, price_for
from alpaca_eval_suite.judge.cache import VerdictCache
from alpaca_eval_suite.judge.card import card_of
from alpaca_eval_suite.judge.combined import Combine
from alpaca_eval_suite.judge.estimate import Estimate, estimate
from alpaca_eval_suite.judge.pairs import Pairs
from alpaca_eval_suite.judge.spec import JudgeSpec, PanelSpec, load_judge, load_members, no_model
from alpaca_eval_suite.judge.work import Judge, Work
from alpaca_eval_suite.models.ledger_reading import ABOUT, LedgerReading
from alpaca_eval_suite.models.prices import require_price
from alpaca_eval_suite.offline import is_loopback
from alpaca_eval_suite.stats.verdicts import preference_to_json
from alpaca_eval_suite.types import Preference

JUDGE = "judge "
"""Before a judge's name, in what a ledger says it is of."""

_FORMAT = 1  # of what stands in the ledger


@dataclass(frozen=True)
class RunFiles:
    """What a run reads and writes; the ledger and the record lie beside `out`."""

    model_outputs: Path
    baseline_outputs: Path
    out: Path

    @property
    def ledger(self) -> Path:
        """preferences.jsonl has its ledger in preferences.jsonl.ledger."""
        return self.out.with_name(f"{self.out.name}.ledger")

    @property
    def record(self) -> Path:
        """preferences.jsonl has its record in preferences.run.json."""
        return self.out.with_name(f"{self.out.stem}.run.json")

    def check(self) -> None:
        """Raise UsageError for an `out` that is a file of something else."""
        if self.out.is_dir():
            raise UsageError("is a folder", where=str(self.out), next_step="Name a file: --out preferences.jsonl.")
        if self.out.exists() and not (self.ledger / ABOUT).exists():
            raise UsageError(
                "is there already, without the ledger of a run beside it",
                where=str(self.out),
                next_step="Give --out another name, or move that file away.",
            )


@dataclass(frozen=True)
class Judges:
    """Who judges, and how several are put together. `panel` names the panel that they were named by."""

    judges: tuple[Judge, ...]
    combine: Combine
    panel: str | None = None


def load_judges(names: Sequence[str], *, combine: Combine | None, notice: Notice) -> Judges:
    """The judges that were named, members of a panel one by one.

    Raises UsageError for an unknown name or model, a form without a model, a judge that is named twice.
    """
    specs: list[JudgeSpec] = []
    panels: list[PanelSpec] = []
    for name in names:
        found = load_judge(name)
        if isinstance(found, PanelSpec):
            panels.append(found)
            specs += load_members(found)
        elif found.model is None:
            raise no_model(name)
        else:
            specs.append(found)
    listed = [spec.name for spec in specs]
    if twice := sorted({name for name in listed if listed.count(name) > 1}):
        raise UsageError(f"the judge {', '.join(twice)} is named twice", next_step="Name each judge once.")
    askers = {spec.model: asker_of(str(spec.model), notice=notice) for spec in specs if not spec.is_builtin}
    judges = tuple(Judge(spec, askers.get(spec.model), price_for(askers.get(spec.model))) for spec in specs)
    return Judges(judges, combine or (panels[0].combine if panels else "mean"), panels[0].name if panels else None)


def require_prices(judges: Sequence[Judge]) -> None:
    """Raise UsageError for a judge whose cost cannot be limited because nobody knows its price."""
    for judge in judges:
        if judge.price is None and isinstance(judge.asker, EndpointAsker):
            require_price(judge.asker.endpoint)
        if judge.price is None:
            raise UsageError(
                "no price is known for it, so its cost cannot be limited",
                where=f"judge {judge.name}",
                next_step="Leave --max-cost out, or describe the model with a price in endpoints.yaml.",
            )


def about(files: RunFiles, pairs: Pairs, judges: Sequence[Judge]) -> dict[str, Any]:
    """What the run's ledger is of: the same for every process that shares it."""
    return {
        "format": _FORMAT,
        "model": pairs.model,
        "model_outputs_sha256": sha256_of(files.model_outputs),
        "baseline": pairs.baseline,
        "baseline_outputs_sha256": sha256_of(files.baseline_outputs),
        **{f"{JUDGE}{judge.name}": {"hash": judge.hash, "identity": dict(judge.identity)} for judge in judges},
    }


def estimate_run(files: RunFiles, work: Work, cache: VerdictCache | None, *, batch: bool) -> dict[str, Estimate]:
    """What is still to be asked of each judge, and what that will take, by the judge's name."""
    known = cache.known(work.calls) if cache else set()
    if (files.ledger / ABOUT).exists():
        known |= work.calls.keys() & LedgerReading(files.ledger).values.keys()
    found = {}
    for place, judge in enumerate(work.judges):
        calls = {key: call for key, call in work.calls.items() if call.judge == place}
        requests = [work.question(call.tasks[0]).request for key, call in calls.items() if key not in known]
        card = card_of(judge.hash)
        found[judge.name] = estimate(
            requests,
            answered=len(calls) - len(requests),
            price=judge.price,
            batch=batch,
            seconds_per_1000=card.cost.seconds_per_1000 if card and card.cost and not batch else None,
        )
    return found


def is_hosted(judge: Judge) -> bool:
    """Whether the judge's model is on another machine, where it may change in silence."""
    return isinstance(judge.asker, EndpointAsker) and not is_loopback(judge.asker.endpoint.host)


def write_verdicts(path: Path, preferences: Iterable[Preference], hashes: Mapping[str, str]) -> None:
    """Write preferences.jsonl, atomically, with each judge's hash. The same verdicts give the same bytes."""
    lines = [
        json.dumps(
            {**preference_to_json(preference), "judge_hash": hashes[preference.judge]},
            ensure_ascii=False,
            allow_nan=False,
        )
        for preference in preferences
    ]
    write_atomic(path, "".join(f"{line}\n" for line in lines))


def model_names(judges: Sequence[Judge]) -> Mapping[str, str]:
    """What each judge's model calls itself, by the judge's name: an endpoint's model, a folder, a deployment."""
    return {
        judge.name: judge.asker.endpoint.model if isinstance(judge.asker, EndpointAsker) else str(judge.spec.model)
        for judge in judges
    }
