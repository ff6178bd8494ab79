"""The canary: its pairs, drift against a judge's own wavering, and runs against a real server that changes its mind."""

import asyncio
import json
import os
import random
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.judge.askers import EndpointAsker, price_for
from alpaca_eval_suite.judge.canary import (
    append_history,
    canaries_folder,
    canary_pairs,
    canary_work,
    history_file,
    read_history,
    run_canary,
)
from alpaca_eval_suite.judge.canary_drift import ALPHA, LEAST_RUNS, CanaryRun, Drift, drift
from alpaca_eval_suite.judge.schema import JudgeSpec
from alpaca_eval_suite.judge.spec import load_judge
from alpaca_eval_suite.judge.work import Judge
from alpaca_eval_suite.models.endpoint import Endpoint
from alpaca_eval_suite.models.ledger import Ledger

_LABEL = re.compile(r"<answer-A-(\w+)>")
KEYS = [f"pair{n}:{order}" for n in range(12) for order in ("model_first", "baseline_first")]
PRICE = {"input": 1.0, "output": 2.0}
Answers = Callable[[str], str]


def run_of(values: list[float | None], date: str = "2026-01-01", **more: Any) -> CanaryRun:
    return CanaryRun(date, dict(zip(KEYS, values, strict=False)), **more)


def letters(*flipped: int) -> list[float | None]:
    """Verdicts in both orders of twelve pairs, with some flipped."""
    return [float(number % 2 == 0) if number not in flipped else float(number % 2 == 1) for number in range(24)]


def test_the_pairs_are_twelve_and_of_several_kinds() -> None:
    path = Path(__file__).parents[2] / "run_specs" / "judges" / "canary.jsonl"
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert len(rows) == len(canary_pairs()) == len({pair.id for pair in canary_pairs()}) == 12
    assert len({row["language"] for row in rows}) >= 5
    assert len({row["kind"] for row in rows}) >= 8
    assert sum(row["difficulty"] == 5 for row in rows) >= 4  # close calls move first
    assert min(row["difficulty"] for row in rows) == 1
    assert all(row["output_1"].strip() != row["output_2"].strip() for row in rows)


def test_the_first_run_has_nothing_to_compare_with() -> None:
    found = drift([], run_of([*letters()[:23], None]))
    assert (found.n_questions, found.n_failed, found.n_earlier, found.changed) == (24, 1, 0, None)
    assert found.message() == ("canary: the first run of this judge; 24 questions kept to compare with, 1 failed")


def test_flips_without_a_verdict_while_the_wavering_is_not_known() -> None:
    history = [run_of(letters(), f"2026-01-0{day}") for day in (1, 2, 3)]
    found = drift(history, run_of(letters(0, 3, 6), "2026-02-01"))
    assert found.changed is None
    assert found.since_last is not None
    assert (found.since_last.date, found.since_last.flips, found.since_last.n) == ("2026-01-03", 3, 24)
    assert found.since_last.mean_change == pytest.approx(3 / 24)
    assert found.message() == (
        "canary: 3 of 24 questions answered otherwise than on 2026-01-03; 3 of 24 otherwise than on 2026-01-01; "
        "3 earlier runs, 4 are needed to tell change from wavering"
    )


def test_a_steady_judge_who_changes() -> None:
    history = [run_of(letters(), f"2026-01-0{day}") for day in range(1, 5)]
    one = drift(history, run_of(letters(0), "2026-02-01"))
    assert one.p_value == pytest.approx(1 / 5, abs=0.02)
    assert one.changed is False
    four = drift(history, run_of(letters(0, 3, 6, 10), "2026-02-01"))
    assert four.p_value == pytest.approx(1 / 5**4, abs=0.001)
    assert four.changed is True
    assert four.message().endswith(f"that is more than it wavers (0 % between two earlier runs), p {four.p_value:.4f}")
    assert drift(history, run_of(letters(), "2026-02-01")).p_value == 1.0


def test_a_wavering_judge_who_goes_on_wavering() -> None:
    generator = random.Random(1)

    def wavering(date: str) -> CanaryRun:
        return run_of([*letters()[:16], *(float(generator.random() < 0.5) for _ in range(8))], date)

    history = [wavering(f"2026-01-{day:02}") for day in range(1, 11)]
    false_alarms = sum(bool(drift(history, wavering("2026-02-01"), draws=2000).changed) for _ in range(200))
    assert false_alarms <= 6  # 2 expected
    found = drift(history, run_of([1 - value if value is not None else None for value in letters()], "2026-02-01"))
    assert found.changed
    assert found.wavering == pytest.approx(4 / 24, abs=0.06)


def test_continuous_verdicts_that_slide_without_a_flip() -> None:
    generator = random.Random(2)

    def sliding(by: float, date: str) -> CanaryRun:
        return run_of([0.7 + by + generator.uniform(-0.02, 0.02) for _ in range(24)], date)

    history = [sliding(0.0, f"2026-01-{day:02}") for day in range(1, 7)]
    found = drift(history, sliding(0.1, "2026-02-01"))
    assert found.since_last is not None
    assert found.since_last.flips == 0
    assert found.since_last.first_shift == pytest.approx(0.1, abs=0.02)
    assert found.since_last.p_value is not None
    assert found.since_last.p_value < 0.001
    assert found.changed


def test_the_sign_flip_test_is_mcnemars_for_letters() -> None:
    found = drift([run_of([0.0] * 24)], run_of([1.0] * 5 + [0.0] * 19))
    assert found.since_last is not None
    assert found.since_last.p_value == 2 * 0.5**5


def test_another_served_model_is_said() -> None:
    before = run_of(letters(), served_ids=("judge-2025",), system_fingerprints=("fp_1", "fp_2"))
    now = run_of(letters(), "2026-02-01", served_ids=("judge-2026",), system_fingerprints=("fp_2", "fp_3"))
    found = drift([before], now)
    assert found.served == (("judge-2025",), ("judge-2026",))
    assert found.fingerprints is None  # one of them is still there
    assert "the server names another model (judge-2025 before, now judge-2026)" in found.message()


VALUE = st.none() | st.sampled_from([0.0, 0.5, 1.0]) | st.floats(0, 1)
RUN = st.lists(VALUE, min_size=24, max_size=24)


@settings(max_examples=40, deadline=None)
@given(st.lists(RUN, max_size=7), RUN)
def test_drift_of_anything(history: list[list[float | None]], now: list[float | None]) -> None:
    runs = [run_of(values, f"2026-01-{day:02}") for day, values in enumerate(history, start=1)]
    found = drift(runs, run_of(now, "2026-02-01"), draws=200)
    json.dumps(found.as_json(), allow_nan=False)
    assert "\n" not in found.message()
    assert found.changed is None or len(runs) >= LEAST_RUNS
    if found.changed:
        assert found.p_value is not None
        assert found.p_value <= ALPHA
    for change in (found.since_first, found.since_last):
        if change is not None:
            assert 0 <= change.flips <= change.n <= 24


@given(RUN, st.integers(1, 7))
def test_the_same_again_is_no_change(values: list[float | None], n: int) -> None:
    found = drift([run_of(values)] * n, run_of(values))
    assert not found.changed
    assert found.since_last is not None
    assert (found.since_last.flips, found.since_last.mean_change or 0.0) == (0, 0.0)


@pytest.fixture
def judge(server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Judge:
    """A judge behind the test's server."""
    monkeypatch.setenv("ALPACA_CANARIES", str(tmp_path / "canaries"))
    monkeypatch.delenv("ALPACA_OFFLINE", raising=False)
    return judge_at(server.base_url)


def judge_at(base_url: str, **keys: Any) -> Judge:
    asker = EndpointAsker(Endpoint(name="judge", base_url=base_url, model="judge-1", **keys))
    spec = load_judge("letter@endpoint/judge")
    assert isinstance(spec, JudgeSpec)
    return Judge(spec, asker, price_for(asker))


def says(server: Any, fake_openai: Any, letter: Answers, **payload: Any) -> None:
    """From now on the server's verdict on a question is what `letter` makes of it."""

    def answer(seen: Any) -> Any:
        prompt = seen.body["messages"][-1]["content"]
        found = _LABEL.search(prompt)
        assert found is not None
        return fake_openai.chat(f"VERDICT-{found[1]}: {letter(prompt)}", **payload)

    server.answer = answer


def ask(judge: Judge, folder: Path, cap: float | None = None, **options: Any) -> Drift | None:
    async def run() -> Drift | None:
        try:
            return await run_canary(judge, ledger=ledger, cap=cap, **options)
        finally:
            assert judge.asker is not None
            await judge.asker.close()

    with Ledger.open(folder, {"judge": judge.hash}) as ledger:
        return asyncio.run(run())


def steady(prompt: str) -> str:
    """The same every time, whatever the order: the answer that comes first in the alphabet."""
    first, second = (re.search(rf"<answer-{side}-\w+>\n(.*?)\n</answer", prompt, re.DOTALL) for side in "AB")
    assert first is not None
    assert second is not None
    return "A" if first[1] < second[1] else "B"


def test_a_server_that_changes_its_mind(judge: Judge, server: Any, fake_openai: Any, tmp_path: Path) -> None:
    says(server, fake_openai, steady, model="judge-1-old", system_fingerprint="fp_1")
    for day in range(5):
        found = ask(judge_at(server.base_url), tmp_path / f"ledger{day}", occasion=f"day {day}")
        assert found is not None
        assert found.n_earlier == day
        assert found.n_failed == 0
    assert len(server.seen) == 5 * 24
    assert found.changed is False
    assert found.since_last is not None
    assert found.since_last.flips == 0
    says(server, fake_openai, lambda _: "A", model="judge-1-new", system_fingerprint="fp_2")
    found = ask(judge_at(server.base_url), tmp_path / "ledger9", occasion="day 9")
    assert found is not None
    assert found.changed
    assert found.since_last is not None
    assert found.since_last.flips == 12  # one of the two orders of each pair
    assert found.served == (("judge-1-old",), ("judge-1-new",))
    assert found.fingerprints == (("fp_1",), ("fp_2",))
    assert "THE JUDGE HAS CHANGED" in found.message()
    kept = read_history(judge.hash)
    assert len(kept) == 6
    assert [run.served_ids for run in kept.values()] == [("judge-1-old",)] * 5 + [("judge-1-new",)]


def test_one_occasion_in_one_ledger_is_one_run(judge: Judge, server: Any, fake_openai: Any, tmp_path: Path) -> None:
    """A run that goes on after a kill, or in another process, asks nothing twice and is in the history once."""
    says(server, fake_openai, steady)
    first, again = (ask(judge_at(server.base_url), tmp_path / "ledger", occasion="today") for _ in range(2))
    assert first is not None
    assert again is not None
    assert replace(again, date=first.date) == first  # a second may have passed
    assert len(server.seen) == 24
    assert len(read_history(judge.hash)) == 1
    ask(judge_at(server.base_url), tmp_path / "ledger", occasion="tomorrow")
    assert len(server.seen) == 48
    assert len(read_history(judge.hash)) == 2


def test_the_answers_are_no_verdicts_of_the_run(judge: Judge, server: Any, fake_openai: Any, tmp_path: Path) -> None:
    says(server, fake_openai, steady)
    ask(judge, tmp_path / "ledger")
    with Ledger.open(tmp_path / "ledger", {"judge": judge.hash}) as ledger:
        assert len(ledger.values) == 24
        assert all(value["lines"] == [] for value in ledger.values.values())


def test_the_cost_counts_and_stays_under_the_cap(server: Any, fake_openai: Any, judge: Judge, tmp_path: Path) -> None:
    says(server, fake_openai, steady)
    priced = judge_at(server.base_url, price=PRICE)
    found = ask(priced, tmp_path / "ledger", cap=1.0)
    assert found is not None
    assert found.cost == pytest.approx(24 * (5 * 1.0 + 2 * 2.0) / 1e6)
    with Ledger.open(tmp_path / "ledger", {"judge": priced.hash}) as ledger:
        assert ledger.spent == pytest.approx(found.cost)
    before = len(server.seen)
    assert ask(judge_at(server.base_url, price=PRICE), tmp_path / "small", cap=0.002) is None
    assert len(server.seen) - before < 24
    assert len(read_history(priced.hash)) == 1


def test_a_verdict_that_cannot_be_read_is_null(judge: Judge, server: Any, fake_openai: Any, tmp_path: Path) -> None:
    says(server, fake_openai, lambda prompt: "maybe" if "Canberra" in prompt else steady(prompt))
    found = ask(judge, tmp_path / "ledger")
    assert found is not None
    assert found.n_failed == 2
    [kept] = read_history(judge.hash).values()
    assert sorted(key for key, value in kept.values.items() if value is None) == [
        "capital:baseline_first",
        "capital:model_first",
    ]


def test_a_judge_that_cannot_be_asked(judge: Judge, server: Any, fake_openai: Any, tmp_path: Path) -> None:
    server.answer = lambda seen: fake_openai.error(401, "no such key")
    with pytest.raises(SuiteError, match="key"):
        ask(judge, tmp_path / "ledger")
    assert read_history(judge.hash) == {}


def test_the_questions_are_the_same_every_time(judge: Judge) -> None:
    first, again = (canary_work(judge) for _ in range(2))
    assert list(first.calls) == list(again.calls)
    assert len(first.calls) == 24


def test_a_line_that_was_cut_off_is_passed_over(judge: Judge) -> None:
    append_history(judge, "one", run_of(letters(), "2026-01-01"))
    path = history_file(judge.hash)
    whole = path.read_bytes()
    path.write_bytes(whole + whole[: len(whole) // 2])
    append_history(judge, "two", run_of(letters(), "2026-01-02"))
    assert list(read_history(judge.hash)) == ["one", "two"]


def test_runs_on_other_pairs_are_left_out(judge: Judge) -> None:
    append_history(judge, "one", run_of(letters()))
    path = history_file(judge.hash)
    row = json.loads(path.read_text().strip())
    path.write_text(json.dumps({**row, "pairs_sha256": "0" * 64, "run": "old"}) + "\n")
    assert read_history(judge.hash) == {}
    path.write_text(json.dumps({**row, "values": {"a": "much"}}) + "\n")
    with pytest.raises(SuiteError, match="is no run of a canary"):
        read_history(judge.hash)


def test_a_folder_that_cannot_be_written(judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SuiteError, match="--no-canary"):
        append_history(judge, "one", run_of(letters()), tmp_path / "file" / "below")


def test_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALPACA_CANARIES", os.path.join("~", "birds"))
    assert canaries_folder() == Path.home() / "birds"
    monkeypatch.delenv("ALPACA_CANARIES")
    assert canaries_folder().name == "canaries"
