"""The engine on real ledgers and caches: each question once, money, failures, stopping, several at work at once."""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.judge.cache import VerdictCache
from alpaca_eval_suite.judge.engine import judge_pairs
from alpaca_eval_suite.judge.judged import Judged, Progress
from alpaca_eval_suite.judge.pairs import Pair
from alpaca_eval_suite.judge.running import RunningRate
from alpaca_eval_suite.judge.spec import load_judge
from alpaca_eval_suite.judge.work import Judge
from alpaca_eval_suite.models.endpoint import Price
from alpaca_eval_suite.models.endpoint_errors import BlockedError, LostAnswerError
from alpaca_eval_suite.models.ledger import Ledger
from alpaca_eval_suite.models.request import TooLongError
from alpaca_eval_suite.stats.sequential import drawn_order, sequential
from alpaca_eval_suite.stats.units import Units
from alpaca_eval_suite.types import Comparison, Instruction, Preference

DOLLAR = Price(input=1_000.0, output=1_000.0)  # a tenth of a cent a token
MIXED = [("long enough", "short"), ("no", "longer"), ("same", "size"), ("a b c", "d")]


@pytest.fixture(scope="module")
def scripted() -> ModuleType:
    import importlib.util

    spec = importlib.util.spec_from_file_location("scripted", Path(__file__).parent / "scripted.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


Run = Callable[..., Judged]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """run(pairs, *judges, ledger="a", **options): one whole run, on a ledger and a cache in this folder."""
    cache = VerdictCache(tmp_path / "cache.sqlite3")

    def judge(pairs: list[Pair], *judges: Judge, ledger: str = "a", cached: bool = False, **options: Any) -> Judged:
        with Ledger.open(tmp_path / ledger, {"of": "test"}) as book:
            return asyncio.run(judge_pairs(pairs, judges, ledger=book, cache=cache if cached else None, **options))

    yield judge
    cache.close()


def wins(judged: Judged) -> list[float | None]:
    return [one.win for one in judged.preferences]


def test_every_pair_in_both_orders_in_the_order_of_the_pairs(run: Run, scripted: Any) -> None:
    asker = scripted.ScriptedAsker()
    judged = run(scripted.pairs_of(MIXED), scripted.judge_of(asker))
    assert [(one.id, one.order) for one in judged.preferences] == [
        (f"p{n}", order) for n in range(4) for order in ("model_first", "baseline_first")
    ]
    assert wins(judged) == [1, 1, 0, 0, 0.5, 0.5, 1, 1]
    assert len(asker.asked) == 8
    assert asker.most_open <= asker.concurrency
    first = judged.preferences[0]
    assert (first.model, first.baseline, first.judge) == ("mine", "theirs", "letter@endpoint/scripted")
    assert (first.len_model, first.len_baseline, first.reason) == (11, 5, "The longer one.")
    assert judged.stopped == ""
    assert judged.failed == judged.n_missing == 0


@pytest.mark.parametrize("orders", ["single", "balanced"])
def test_one_order_asks_once(run: Run, scripted: Any, orders: Any) -> None:
    asker = scripted.ScriptedAsker()
    judged = run(scripted.pairs_of(MIXED), scripted.judge_of(asker), orders=orders)
    assert len(asker.asked) == len(judged.preferences) == 4
    shown = [one.order for one in judged.preferences]
    assert shown.count("model_first") == (4 if orders == "single" else 2)
    assert wins(judged) == [1, 0, 0.5, 1]


def test_a_judge_brings_its_own_orders(run: Run, scripted: Any) -> None:
    judged = run(scripted.pairs_of(MIXED), scripted.judge_of(scripted.ScriptedAsker(), orders="single"))
    assert len(judged.preferences) == 4


def test_what_the_ledger_holds_is_not_asked_again(run: Run, scripted: Any) -> None:
    pairs = scripted.pairs_of(MIXED)
    first = run(pairs, scripted.judge_of(scripted.ScriptedAsker()))
    asker = scripted.ScriptedAsker()
    again = run(pairs, scripted.judge_of(asker))
    assert asker.asked == []
    assert list(again.preferences) == list(first.preferences)
    assert again.tallies["letter@endpoint/scripted"].kept == 8


def test_what_the_cache_holds_is_put_into_the_ledger(run: Run, scripted: Any, tmp_path: Path) -> None:
    pairs = scripted.pairs_of(MIXED)
    first = run(pairs, scripted.judge_of(scripted.ScriptedAsker()), cached=True)
    asker = scripted.ScriptedAsker()
    judge = scripted.judge_of(asker, price=DOLLAR)
    second = run(pairs, judge, ledger="b", cached=True)
    (tmp_path / "cache.sqlite3").unlink()
    third = run(pairs, scripted.judge_of(asker), ledger="b")
    assert asker.asked == []
    assert list(first.preferences) == list(second.preferences) == list(third.preferences)
    assert second.tallies[judge.name].cached == 8
    assert second.spent == 0
    assert second.tallies[judge.name].cost == pytest.approx(8 * 0.11)


def test_the_same_question_is_asked_once(run: Run, scripted: Any) -> None:
    twin = Comparison(Instruction("twin", "Do number 0."), "one", "three")
    pairs = [*scripted.pairs_of([("one", "three"), ("same", "same")]), Pair(twin, "mine", "theirs")]
    asker = scripted.ScriptedAsker()
    judged = run(pairs, scripted.judge_of(asker))
    assert len(asker.asked) == 3  # one pair in two orders, and one whose orders look alike
    assert wins(judged) == [0, 0, 0.5, 0.5, 0, 0]


@pytest.mark.parametrize(
    "said",
    [
        "I like both answers very much.",
        '{"reasoning": "the first one is b',
        "I'm sorry, but I can't help with that.",
        "La première réponse est meilleure.",
        "",
    ],
)
def test_a_reply_without_a_verdict_fails_is_kept_and_asked_again_only_on_request(
    run: Run, scripted: Any, said: str, tmp_path: Path
) -> None:
    def mostly(label: str, a: str, b: str) -> str:
        return said if a == "long enough" else scripted.longer(label, a, b)

    pairs = scripted.pairs_of(MIXED)
    judge = scripted.judge_of(scripted.ScriptedAsker(mostly), price=DOLLAR)
    judged = run(pairs, judge, cached=True)
    assert wins(judged) == [None, 1, 0, 0, 0.5, 0.5, 1, 1]
    assert judged.preferences[0].reason
    assert judged.spent == pytest.approx(8 * 0.11)  # it was paid for
    asker = scripted.ScriptedAsker()
    again = run(pairs, scripted.judge_of(asker, price=DOLLAR), cached=True)
    assert asker.asked == []
    assert list(again.preferences) == list(judged.preferences)
    elsewhere = run(pairs, scripted.judge_of(asker, price=DOLLAR), ledger="b", cached=True)
    assert len(asker.asked) == 1  # a failure is never cached
    assert elsewhere.failed == 0
    asker.asked.clear()
    mended = run(pairs, scripted.judge_of(asker, price=DOLLAR), retry_failed=True)
    assert len(asker.asked) == 1
    assert wins(mended) == [1, 1, 0, 0, 0.5, 0.5, 1, 1]
    assert wins(run(pairs, scripted.judge_of(asker))) == wins(mended)
    assert mended.spent == pytest.approx(9 * 0.11)


def test_the_first_twenty_failures_end_it_with_an_example(run: Run, scripted: Any, tmp_path: Path) -> None:
    pairs = scripted.pairs_of([(f"output {n}", "x") for n in range(100)])
    asker = scripted.ScriptedAsker(lambda *_: "Both are fine, I would say.")
    with pytest.raises(SuiteError, match=r"each of its first 2\d verdicts failed") as problem:
        run(pairs, scripted.judge_of(asker))
    assert "Both are fine, I would say." in str(problem.value)
    assert "judge reparse" in str(problem.value)
    assert 20 <= len(asker.asked) < 20 + asker.concurrency
    asked = len(asker.asked)
    with pytest.raises(SuiteError, match="verdicts failed"):
        run(pairs, scripted.judge_of(asker))
    assert len(asker.asked) == asked  # known from the ledger, before anything is asked
    with Ledger.open(tmp_path / "a", {"of": "test"}) as ledger:
        assert len(ledger.values) == asked


@pytest.mark.parametrize("kind", [TooLongError, BlockedError])
def test_a_pair_that_has_no_answer_fails_alone(run: Run, scripted: Any, kind: type[SuiteError]) -> None:
    def mostly(label: str, a: str, b: str) -> Any:
        return kind("the prompt is refused") if "long enough" in (a, b) else scripted.longer(label, a, b)

    pairs = scripted.pairs_of(MIXED)
    judged = run(pairs, scripted.judge_of(scripted.ScriptedAsker(mostly), price=DOLLAR))
    assert wins(judged) == [None, None, 0, 0, 0.5, 0.5, 1, 1]
    assert judged.preferences[0].reason == "the prompt is refused"
    assert judged.spent == pytest.approx(6 * 0.11)
    asker = scripted.ScriptedAsker()
    assert wins(run(pairs, scripted.judge_of(asker))) == wins(judged)
    assert asker.asked == []


def test_both_answers_are_cut_alike_where_the_judge_says_so(run: Run, scripted: Any) -> None:
    def small(label: str, a: str, b: str) -> Any:
        return TooLongError("too long") if len(a) + len(b) > 3000 else scripted.longer(label, a, b)

    pairs = scripted.pairs_of([("long " * 1000, "short")])
    judge = scripted.judge_of(scripted.ScriptedAsker(small), too_long="cut")
    judged = run(pairs, judge, cached=True)
    assert wins(judged) == [1, 1]
    assert judged.preferences[0].reason.startswith("[both answers cut to ")
    again = scripted.ScriptedAsker(small)
    assert list(run(pairs, scripted.judge_of(again, too_long="cut"), ledger="b", cached=True).preferences) == list(
        judged.preferences
    )


def test_the_cap_is_never_passed_and_more_money_has_the_rest(run: Run, scripted: Any, tmp_path: Path) -> None:
    pairs = scripted.pairs_of([(f"output {n}", "x") for n in range(40)])
    asker = scripted.ScriptedAsker(concurrency=8)
    judge = scripted.judge_of(asker, price=DOLLAR)
    judged = run(pairs, judge, cap=10.0)
    assert judged.stopped == "budget"
    assert judged.spent <= 10
    # Of the last question only the worst cost has to fit, which is some twenty times what it costs.
    assert judged.spent > 5
    assert judged.spent == pytest.approx(0.11 * len(asker.asked))
    assert judged.n_missing == 80 - len(judged.preferences)
    assert len(judged.missing_requests(0)) == 80 - len(asker.asked)
    whole = {one.id for one in judged.preferences}
    assert len(judged.preferences) == 2 * len(whole)
    asker.asked.clear()
    rest = run(pairs, judge, cap=20.0)
    assert rest.stopped == ""
    assert len(rest.preferences) == 80
    assert rest.spent == pytest.approx(80 * 0.11)


def test_a_judge_who_cannot_be_asked_ends_it_at_once(run: Run, scripted: Any) -> None:
    asker = scripted.ScriptedAsker(lambda *_: SuiteError("refused the key", where="endpoint scripted"))
    with pytest.raises(SuiteError, match="refused the key"):
        run(scripted.pairs_of(MIXED), scripted.judge_of(asker))
    assert len(asker.asked) <= asker.concurrency


def test_a_question_that_failed_on_the_way_is_null_and_asked_again(run: Run, scripted: Any) -> None:
    def mostly(label: str, a: str, b: str) -> Any:
        return SuiteError("failed 6 times (500: bug)") if (a, b) == ("a b c", "d") else scripted.longer(label, a, b)

    pairs = scripted.pairs_of([*MIXED, *[(f"{n}", "word") for n in range(10)]])
    # One at a time, in the drawn order, in which p3 is not the first.
    assert drawn_order([pair.id for pair in pairs], 0)[0] != "p3"
    judged = run(pairs, scripted.judge_of(scripted.ScriptedAsker(mostly, concurrency=1), price=DOLLAR))
    assert wins(judged)[6:8] == [None, 1]
    assert "failed 6 times" in judged.preferences[6].reason
    assert (judged.no_answer, judged.failed) == (1, 1)
    assert judged.spent == pytest.approx(27 * 0.11)
    asker = scripted.ScriptedAsker()
    assert run(pairs, scripted.judge_of(asker)).failed == 0
    assert len(asker.asked) == 1


def test_a_service_that_goes_away_ends_it(run: Run, scripted: Any) -> None:
    asker = scripted.ScriptedAsker(concurrency=1)

    def three_times(label: str, a: str, b: str) -> Any:
        return scripted.longer(label, a, b) if len(asker.asked) <= 3 else SuiteError("could not be reached")

    asker.say = three_times
    with pytest.raises(SuiteError, match="could not be reached"):
        run(scripted.pairs_of([(f"output {n}", "x") for n in range(50)]), scripted.judge_of(asker))
    assert len(asker.asked) == 3 + 20


def test_lost_answers_count_at_their_worst(run: Run, scripted: Any) -> None:
    def mostly(label: str, a: str, b: str) -> Any:
        return LostAnswerError("hung up") if (a, b) == ("a b c", "d") else scripted.longer(label, a, b)

    pairs = scripted.pairs_of([*MIXED, *[(f"{n}", "word") for n in range(10)]])
    judge = scripted.judge_of(scripted.ScriptedAsker(mostly, concurrency=1), price=DOLLAR)
    judged = run(pairs, judge)
    worst = max(call.worst for call in judged.work.calls.values())
    assert judged.failed == 1
    assert 27 * 0.11 < judged.spent <= 27 * 0.11 + worst


def test_an_attempt_in_doubt_is_charged_before_the_next_one(run: Run, scripted: Any) -> None:
    asker = scripted.ScriptedAsker()
    asker.doubts = 1
    judged = run(scripted.pairs_of([("one", "three")]), scripted.judge_of(asker, price=DOLLAR))
    worst = [call.worst for call in judged.work.calls.values()]
    assert judged.spent == pytest.approx(worst[0] + 2 * 0.11)


def test_money_that_comes_back_is_waited_for(run: Run, scripted: Any) -> None:
    pairs = scripted.pairs_of([("one", "three")])
    probe = run(pairs, scripted.judge_of(scripted.ScriptedAsker(), price=DOLLAR), ledger="probe")
    [worst, _] = [call.worst for call in probe.work.calls.values()]
    asker = scripted.ScriptedAsker()
    asker.delay, asker.doubts = 0.02, 1
    # One was lost and one is open: there is no money for a third until the open one has cost little.
    judged = run(pairs, scripted.judge_of(asker, price=DOLLAR), cap=2.5 * worst)
    assert judged.stopped == ""
    assert len(asker.asked) == 3
    assert judged.spent == pytest.approx(worst + 2 * 0.11)


def test_doubt_never_passes_the_cap(run: Run, scripted: Any) -> None:
    asker = scripted.ScriptedAsker()
    asker.doubts = 100
    judged = run(scripted.pairs_of([("one", "three")]), scripted.judge_of(asker, price=DOLLAR), cap=12.0)
    assert judged.stopped == "budget"
    assert judged.spent <= 12


def test_stops_when_decided_on_the_completed_prefix(run: Run, scripted: Any) -> None:
    pairs = scripted.pairs_of([(f"output {n} is long", "x") for n in range(400)])
    asker = scripted.ScriptedAsker(concurrency=4)
    asker.delay = 0.004
    judged = run(pairs, scripted.judge_of(asker), stop_when_decided=True, seed=3)
    assert judged.stopped == "decided"
    assert judged.sequence is not None
    prefix = set(drawn_order([pair.id for pair in pairs], 3)[: judged.sequence.decided_at])
    assert {one.id for one in judged.preferences} == prefix
    assert judged.sequence.decision == "model"
    assert len(asker.asked) < 800
    # What else was answered is kept, and changes nothing.
    again = run(pairs, scripted.judge_of(scripted.ScriptedAsker()), stop_when_decided=True, seed=3)
    assert list(again.preferences) == list(judged.preferences)


def test_several_at_work_on_one_ledger_ask_each_question_once(scripted: Any, tmp_path: Path) -> None:
    pairs = scripted.pairs_of([(f"output {n}", "x" * (n % 17)) for n in range(60)])
    askers = [scripted.ScriptedAsker() for _ in range(3)]
    for asker in askers:
        asker.delay = 0.003

    async def one(asker: Any) -> Judged:
        with Ledger.open(tmp_path / "shared", {"of": "test"}) as ledger:
            return await judge_pairs(pairs, [scripted.judge_of(asker)], ledger=ledger)

    async def all_of_them() -> list[Judged]:
        return await asyncio.gather(*map(one, askers))

    found = asyncio.run(all_of_them())
    asked = [prompt for asker in askers for prompt in asker.asked]
    assert len(asked) == len(set(asked)) == 120
    assert sum(bool(asker.asked) for asker in askers) > 1
    assert list(found[0].preferences) == list(found[1].preferences) == list(found[2].preferences)


def test_cancelled_it_keeps_all_answers(scripted: Any, tmp_path: Path, run: Run) -> None:
    pairs = scripted.pairs_of([(f"output {n}", "x") for n in range(100)])
    asker = scripted.ScriptedAsker()
    asker.delay = 0.01

    async def interrupted() -> None:
        with Ledger.open(tmp_path / "a", {"of": "test"}) as ledger:
            task = asyncio.create_task(judge_pairs(pairs, [scripted.judge_of(asker)], ledger=ledger))
            await asyncio.sleep(0.1)
            task.cancel()
            await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(interrupted())
    begun = len(asker.asked)
    assert 0 < begun < 200
    rest = scripted.ScriptedAsker()
    assert len(run(pairs, scripted.judge_of(rest)).preferences) == 200
    assert 200 - begun <= len(rest.asked) <= 200 - begun + asker.concurrency


def test_a_panel_asks_all_its_judges(run: Run, scripted: Any) -> None:
    def always_a(label: str, a: str, b: str) -> str:
        return f"VERDICT-{label}: A"

    judges = [
        scripted.judge_of(scripted.ScriptedAsker(name="endpoint/one"), name="one"),
        scripted.judge_of(scripted.ScriptedAsker(always_a, name="endpoint/two"), name="two"),
    ]
    judged = run(scripted.pairs_of(MIXED[:2]), *judges)
    assert [(one.id, one.judge, one.win) for one in judged.preferences] == [
        ("p0", "one", 1), ("p0", "one", 1), ("p0", "two", 1), ("p0", "two", 0),
        ("p1", "one", 0), ("p1", "one", 0), ("p1", "two", 1), ("p1", "two", 0),
    ]  # fmt: skip
    assert judged.hashes["one"] != judged.hashes["two"]


def test_programs_of_ours_need_no_ledger_entry(run: Run, scripted: Any, tmp_path: Path) -> None:
    spec = load_judge("builtin:longer")
    judged = run(scripted.pairs_of([("one two", "one"), ("a", "b c"), ("a", "b")]), Judge(spec))  # type: ignore[arg-type]
    assert wins(judged) == [1, 0, 0.5]
    assert {one.order for one in judged.preferences} == {"single"}


def test_checks_need_items_with_checks(run: Run, scripted: Any) -> None:
    with pytest.raises(UsageError, match="id p0: builtin:checks needs items with checks"):
        run(scripted.pairs_of(MIXED), Judge(load_judge("builtin:checks")))  # type: ignore[arg-type]


def test_who_watches_is_told(run: Run, scripted: Any) -> None:
    told: list[Progress] = []
    asker = scripted.ScriptedAsker()
    asker.delay = 0.05
    run(scripted.pairs_of([(f"output {n}", "x") for n in range(40)]), scripted.judge_of(asker), watch=told.append)
    assert (told[-1].done, told[-1].total, told[-1].failed) == (80, 80, 0)
    assert len(told) > 2
    look = told[-1].sequence
    assert look is not None
    assert look.n_total == 40


def test_an_error_of_who_watches_ends_the_run(run: Run, scripted: Any) -> None:
    def full(progress: Progress) -> None:
        raise OSError(28, "No space left on device")

    asker = scripted.ScriptedAsker()
    asker.delay = 0.05
    with pytest.raises(OSError, match="No space left"):
        run(scripted.pairs_of([(f"output {n}", "x") for n in range(200)]), scripted.judge_of(asker), watch=full)


@given(
    wins=st.lists(st.sampled_from([0.0, 0.5, 1.0, None]), min_size=1, max_size=12),
    arrival=st.randoms(use_true_random=False),
)
def test_the_running_rate_does_not_depend_on_who_is_first(wins: list[float | None], arrival: Any) -> None:
    ids = [f"p{n}" for n in range(len(wins))]
    verdicts = [Preference(id_, win, order=order) for id_, win in zip(ids, wins, strict=True)
                for order in ("model_first", "baseline_first")]  # fmt: skip
    order = drawn_order(ids, 7)
    running = RunningRate(order, [one.id for one in verdicts], seed=7)
    arrival.shuffle(verdicts)
    seen: list[str] = []
    for one in verdicts:
        running.add(one)
        seen.append(one.id)
        complete = [id_ for id_ in order if seen.count(id_) == 2]
        assert running.prefix == next((n for n, id_ in enumerate(order) if id_ not in complete), len(order))
    values = np.array([np.nan if win is None else win for win in wins])
    assert running.sequence(running.values()).looks == sequential(Units(tuple(ids), values), ids=ids, seed=7).looks or (
        ids != sorted(ids)
    )


def test_ledgers_hold_all_that_reading_again_needs(run: Run, scripted: Any, tmp_path: Path) -> None:
    run(scripted.pairs_of(MIXED[:1]), scripted.judge_of(scripted.ScriptedAsker()))
    with Ledger.open(tmp_path / "a", {"of": "test"}) as ledger:
        values = [json.loads(json.dumps(value)) for value in ledger.values.values()]
    assert {line["order"] for value in values for line in value["lines"]} == {"model_first", "baseline_first"}
    assert all(value["label"] in value["reply"]["text"] for value in values)
