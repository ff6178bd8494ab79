"""Two entries with one planted cause each: its part carries the difference, and the parts add up to the whole."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.files import write_json
from alpaca_eval_suite.leaderboard.difference import Choice, Explanation, explain
from alpaca_eval_suite.leaderboard.difference.split import ENOUGH, Part
from alpaca_eval_suite.leaderboard.difference.text import to_text
from alpaca_eval_suite.leaderboard.difference.texts import State, example
from alpaca_eval_suite.leaderboard.raw import OutcomeRecord, RawItem, Verdict, raw_record, write_raw
from alpaca_eval_suite.leaderboard.record import RateRecord, RunRecord
from alpaca_eval_suite.prompts import instruction_id
from alpaca_eval_suite.stats.units import units
from alpaca_eval_suite.stats.win_rate import win_interval
from alpaca_eval_suite.types import Order, Rate

from .made import put_into

RunFactory = Callable[..., RunRecord]

BOTH: tuple[Order, ...] = ("model_first", "baseline_first")
N = 400
JUDGE = {"name": "letter@endpoint/judge", "hash": "5" * 64, "template_sha256": "6" * 64, "served_id": "judge-1"}


class World:
    """Pairs and a judge: what it says of a pair in an order is drawn once, so that the same pair gets it again.

    Each pair has a chance to be won; `bias` is how much more often the output shown first wins.
    """

    def __init__(self, seed: int = 0, n: int = N, bias: float = 0.0) -> None:
        self.rng = np.random.default_rng(seed)
        self.ids = [f"i{number:04}" for number in range(n)]
        self.bias = bias
        self.said: dict[tuple[str, ...], float] = {}

    def verdict(self, id_: str, output: str, baseline: str, judge: str, order: Order, chance: float) -> float:
        key = (id_, output, baseline, judge, order)
        if key not in self.said:
            lean = self.bias if order == "model_first" else -self.bias
            self.said[key] = float(self.rng.random() < chance + lean)
        return self.said[key]

    def item(
        self,
        id_: str,
        *,
        output: str = "the output",
        baseline: str = "the baseline",
        prompt: str = "the prompt",
        judge: str = "judge",
        orders: tuple[Order, ...] = BOTH,
        chance: float = 0.5,
        **changes: Any,
    ) -> RawItem:
        verdicts = tuple(
            Verdict(judge=judge, order=order, win=self.verdict(id_, output, baseline, judge, order, chance))
            for order in orders
        )
        texts = {"prompt": prompt, "output": output, "baseline_output": baseline, "instruction": f"Do {id_}."}
        return RawItem(**{"id": id_, **texts, "verdicts": verdicts, **changes})

    def items(self, changed: Callable[[int], Mapping[str, Any]] = lambda number: {}) -> list[RawItem]:
        return [self.item(id_, **changed(number)) for number, id_ in enumerate(self.ids)]


@pytest.fixture
def entry(make_run: RunFactory, tmp_path: Path) -> Callable[..., Path]:
    """Writes an entry of a preference run with its raw file; its win rate is that of the items."""

    def make(name: str, items: list[RawItem], **changes: Any) -> Path:
        run = make_run(**{"judge": JUDGE, **changes})
        found = units(preference for item in items for preference in item.preferences(run))
        interval = win_interval(found.valid, method="t", resamples=0, level=0.95, rng=np.random.default_rng(0))
        rate = RateRecord.of(Rate(float(found.valid.mean()), interval, found.n, found.n_failed))
        folder = tmp_path / name
        write_raw(folder / "raw" / "items.jsonl", items)
        raw = raw_record("raw/items.jsonl", items)
        return write_entry(folder / "entry.json", run.model_copy(update={"rates": {"win_rate": rate}, "raw": raw}))

    return make


def write_entry(path: Path, *runs: RunRecord) -> Path:
    """Write an entry of these runs of one model."""
    identity = {"name": runs[0].model.name, "fingerprint": runs[0].model.fingerprint}
    write_json(path, {"schema_version": 2, **identity, "runs": [run.model_dump(mode="json") for run in runs]})
    return path


def part(found: Explanation, *causes: str) -> Part:
    return next(of for of in found.parts if of.causes == causes)


def near(of: Part, truth: float) -> None:
    """The truth lies within about three standard errors: of 20 intervals at 95 % one misses it (see the coverage)."""
    assert of.interval is not None
    assert abs(of.value - truth) < 1.55 * (of.interval.high - of.interval.low) / 2


def check(found: Explanation, cause: str, truth: float) -> None:
    """The parts add up; that of the cause is near the truth and not 0, all others are 0."""
    assert sum(of.value for of in found.parts) == pytest.approx(found.difference, abs=1e-12)
    carrying = part(found, cause)
    assert carrying.interval is not None
    near(carrying, truth)
    assert not carrying.interval.low <= 0 <= carrying.interval.high
    for of in found.parts:
        if of is not carrying:
            assert of.value == pytest.approx(0, abs=1e-9), of


def test_nothing_planted(make_run: RunFactory, tmp_path: Path) -> None:
    world = World()
    built = [put_into(tmp_path / name, make_run(judge=JUDGE), world.items()) for name in ("a", "b")]
    found = explain(*built)
    assert found.difference == 0
    assert all(of.value == 0 for of in found.parts)
    assert (found.noise.p_value, found.noise.within) == (1.0, True)
    assert found.unknown == ()
    assert found.verdicts is not None
    assert found.verdicts.flips == {}
    assert found.texts["outputs"].as_json() == {"same": N, "different": 0, "unknown": 0, "examples": []}


def test_other_outputs(entry: Callable[..., Path]) -> None:
    world = World(1)
    theirs = entry("b", world.items(lambda i: {"chance": 0.4}))
    better = world.items(lambda i: {"output": "a better one", "chance": 0.8} if i % 2 else {})
    found = explain(entry("a", better, decoding={"temperature": 0.7}), theirs)
    check(found, "outputs", 0.5 * 0.4)
    assert part(found, "outputs").n_ids == N // 2
    assert found.texts["outputs"].count(State.SAME) == N // 2
    assert found.noise.within is False
    assert found.noise.test.startswith("paired: studentised sign-flip")
    assert "decoding.temperature" in {of.key for of in found.recorded if of.state is State.DIFFERENT}


def test_another_prompt_moves_only_what_it_changed(entry: Callable[..., Path]) -> None:
    """Every prompt differs by a line end at its end; a quarter of the outputs became worse by it."""
    world = World(2)
    theirs = entry("b", world.items(lambda i: {"chance": 0.7}))
    worse = world.items(
        lambda i: {"prompt": "the prompt\n", **({"output": "a worse one", "chance": 0.1} if i % 4 == 0 else {})}
    )
    found = explain(entry("a", worse), theirs)
    check(found, "prompt", -0.25 * 0.6)
    texts = found.texts["prompt"]
    assert texts.count(State.DIFFERENT) == N
    first = texts.examples[0]
    assert (first.at, first.mine, first.published) == (10, "the prompt\n", "the prompt")
    assert r"mine      'the prompt\n'" in to_text(found)


def test_other_baseline_outputs(entry: Callable[..., Path]) -> None:
    world = World(3)
    theirs = entry("b", world.items())
    mine = world.items(lambda i: {"baseline": "a bad one", "chance": 0.9} if i % 2 else {})
    found = explain(entry("a", mine, baseline={"sha256": "9" * 64}), theirs)
    check(found, "baseline", 0.5 * 0.4)


def test_another_judge(entry: Callable[..., Path]) -> None:
    world = World(4)
    theirs = entry("b", world.items(lambda i: {"chance": 0.4}))
    mine = world.items(lambda i: {"judge": "other", "chance": 0.65})
    found = explain(entry("a", mine, judge={**JUDGE, "name": "other", "hash": "7" * 64}), theirs)
    check(found, "judge", 0.25)
    assert found.verdicts is not None
    # Two judges who draw on their own, each of two orders: how often both are on the same side of a tie.
    sides = [(p * p, 2 * p * (1 - p), (1 - p) ** 2) for p in (0.65, 0.4)]
    expected = sum(a * b for a, b in zip(*sides, strict=True))
    interval = found.verdicts.agreement.interval
    assert interval is not None
    assert interval.low < expected < interval.high
    assert sum(found.verdicts.flips.values()) == N - round((found.verdicts.agreement.estimate or 0) * N)


def test_a_served_model_that_changed_is_another_judge(entry: Callable[..., Path]) -> None:
    world = World(5)
    theirs = entry("b", world.items())
    again = World(6)
    found = explain(entry("a", again.items(lambda i: {"chance": 0.7}), judge={**JUDGE, "served_id": "judge-2"}), theirs)
    check(found, "judge", 0.2)


def test_judge_and_outputs_are_told_apart_where_some_outputs_are_the_same(entry: Callable[..., Path]) -> None:
    """The other judge gives .2 more on all pairs, and the half with other outputs .3 more besides."""
    world = World(7, n=1600)
    theirs = entry("b", world.items(lambda i: {"chance": 0.3}))
    mine = world.items(
        lambda i: {"judge": "other", "chance": 0.5} | ({"output": "a better one", "chance": 0.8} if i % 2 else {})
    )
    found = explain(entry("a", mine, judge={**JUDGE, "name": "other", "hash": "7" * 64}), theirs)
    for cause, truth in (("judge", 0.2), ("outputs", 0.5 * 0.3)):
        near(part(found, cause), truth)
    assert sum(of.value for of in found.parts) == pytest.approx(found.difference, abs=1e-12)
    assert any("measured where the pairs are the same" in sentence for sentence in found.unknown)


def test_judge_and_outputs_that_all_differ_cannot_be_told_apart(entry: Callable[..., Path]) -> None:
    world = World(8)
    theirs = entry("b", world.items())
    few = ENOUGH - 1  # so many outputs are the same
    mine = world.items(lambda i: {"judge": "other", "output": "the output" if i < few else "another", "chance": 0.8})
    found = explain(entry("a", mine, judge={**JUDGE, "hash": "7" * 64}), theirs)
    check_bundle = part(found, "outputs", "judge")
    assert check_bundle.value == pytest.approx(found.difference)
    assert (
        "outputs, decoding + judge cannot be told apart: they differ, or may differ, on the same ids." in found.unknown
    )


def test_a_published_entry_without_outputs(entry: Callable[..., Path]) -> None:
    world = World(9)
    bare = {"output": None, "baseline_output": None, "prompt": None}
    theirs = [item.model_copy(update=bare) for item in world.items()]
    unknown = {"format": "unknown", "sha256": ""}
    theirs_entry = entry("b", theirs, prompt=unknown, judge={**JUDGE, "hash": None, "template_sha256": None})
    mine = entry("a", world.items(lambda i: {"output": "another", "chance": 0.7}))
    found = explain(mine, theirs_entry)
    assert part(found, "prompt_or_outputs", "judge").value == pytest.approx(found.difference)
    said = " ".join(found.unknown)
    assert f"The outputs of {N} of {N} shared ids are not known (the published entry has none)" in said
    assert "there prompt and decoding cannot be told apart" in said
    assert "Whether the judge is the same is not known" in said
    assert "outputs, prompt or decoding + judge cannot be told apart" in said
    text = to_text(found)
    assert (
        "no part in it: tie rule, failures, items that only one has, orders, position bias, baseline's outputs" in text
    )


def test_lengths_tell_that_outputs_differ_but_not_that_they_are_the_same(entry: Callable[..., Path]) -> None:
    world = World(10)
    lengths = {"output": None, "len_model": 10}
    theirs = [item.model_copy(update=lengths) for item in world.items()]
    mine = world.items(lambda i: {"output": "x" * (10 if i % 2 else 11)})
    found = explain(entry("a", mine), entry("b", theirs))
    texts = found.texts["outputs"]
    assert (texts.count(State.DIFFERENT), texts.count(State.UNKNOWN)) == (N // 2, N // 2)


@pytest.mark.parametrize("one_order_in", ["mine", "published"])
def test_one_order_against_both(entry: Callable[..., Path], one_order_in: str) -> None:
    """A judge that likes the first place gives .2 more to a model that it always sees first."""
    world = World(11, bias=0.2)
    both = entry("both", world.items())
    one = entry("one", world.items(lambda i: {"orders": ("model_first",)}), judge={**JUDGE, "orders": "single"})
    found = explain(one, both) if one_order_in == "mine" else explain(both, one)
    check(found, "orders", 0.2 if one_order_in == "mine" else -0.2)
    name = "published" if one_order_in == "mine" else "mine"
    shown = found.first_shown[name]
    assert shown is not None
    assert shown.interval is not None
    assert shown.interval.low < 0.7 < shown.interval.high


def test_orders_without_one_in_common_stay_with_the_judge(entry: Callable[..., Path]) -> None:
    world = World(12, bias=0.2)
    a = entry("a", world.items(lambda i: {"orders": ("model_first",)}))
    b = entry("b", world.items(lambda i: {"orders": ("single",)}))
    found = explain(a, b)
    assert part(found, "other_orders").value == pytest.approx(found.difference)
    assert any("orders that have none in common" in sentence for sentence in found.unknown)


def test_items_that_only_one_has(entry: Callable[..., Path]) -> None:
    """Mine lacks the hard half, of which a tenth is won; the other half is won nine times in ten."""
    world = World(13)
    theirs = world.items(lambda i: {"chance": 0.9 if i % 2 else 0.1})
    found = explain(entry("a", theirs[1::2]), entry("b", theirs))
    check(found, "items", 0.4)
    assert found.n_ids == {"mine": N // 2, "published": N, "shared": N // 2, "counted_in_both": N // 2}
    assert "paired where both have the id" in found.noise.test


def test_entries_without_a_shared_id_are_two_samples(entry: Callable[..., Path]) -> None:
    world = World(14)
    items = world.items(lambda i: {"chance": 0.8 if i % 2 else 0.3})
    found = explain(entry("a", items[1::2]), entry("b", items[::2]))
    whole = found.parts[-1]
    assert whole.causes[-1] == "noise"
    assert whole.value == pytest.approx(found.difference)
    near(whole, 0.5)
    assert "two samples" in found.noise.test
    assert "Only 0 ids are counted in both" in " ".join(found.unknown)


def test_ids_of_another_scheme_are_joined_by_the_instruction(entry: Callable[..., Path]) -> None:
    world = World(15)
    items = world.items()
    hashed = [item.model_copy(update={"id": instruction_id(item.instruction or "")}) for item in items[::-1]]
    found = explain(entry("a", items), entry("b", hashed))
    assert found.n_ids["shared"] == N
    assert found.difference == 0
    assert all(of.value == 0 for of in found.parts)


@pytest.mark.parametrize(
    ("ties", "truth"),
    [("lost", 0.25), ("left_out", 0.0)],
)
def test_another_tie_rule(entry: Callable[..., Path], ties: str, truth: float) -> None:
    """Half of the pairs tie; the published rate counts a tie as a loss, or leaves it out."""
    world = World(16)

    def of(number: int) -> Mapping[str, Any]:
        tie = Verdict(judge="judge", win=0.5)
        return {"verdicts": (tie,)} if number % 2 else {"chance": 0.3, "orders": ("single",)}

    items = world.items(of)
    mine, theirs = entry("a", items), entry("b", items)
    values = units(p for item in items for p in item.preferences(load_run(theirs))).values
    published = float((values == 1).mean()) if ties == "lost" else float((values[values != 0.5] == 1).mean())
    rewrite(theirs, lambda run: run["rates"]["win_rate"].update(value=published))
    found = explain(mine, theirs)
    assert found.published.rule.ties == ties
    carrying = part(found, "ties")
    assert carrying.value == pytest.approx(found.difference, abs=1e-12)
    assert carrying.n_ids == N // 2
    assert carrying.interval is not None
    if ties == "lost":
        near(carrying, truth)
    assert [of.value for of in found.parts if of is not carrying] == pytest.approx([0] * (len(found.parts) - 1))


def test_failures_counted_as_lost(entry: Callable[..., Path]) -> None:
    world = World(17)
    failed = tuple(Verdict(judge="judge", order=order, win=None, reason="no letter") for order in BOTH)
    items = world.items(lambda i: {"verdicts": failed} if i % 5 == 0 else {"chance": 0.6})
    mine, theirs = entry("a", items), entry("b", items)
    value = load_run(mine).rates["win_rate"].value
    assert value is not None
    rewrite(theirs, lambda run: run["rates"]["win_rate"].update(value=value * 0.8))
    found = explain(mine, theirs)
    assert found.published.rule.failures == "lost"
    check(found, "failures", 0.6 * 0.2)


def test_failures_that_leave_out_the_hard_ids(entry: Callable[..., Path]) -> None:
    """Mine fails on the quarter that would have been lost."""
    world = World(18)
    failed = tuple(Verdict(judge="judge", order=order, win=None, reason="no letter") for order in BOTH)
    theirs = world.items(lambda i: {"chance": 0.02 if i % 4 == 0 else 0.6})
    mine = [item.model_copy(update={"verdicts": failed}) if i % 4 == 0 else item for i, item in enumerate(theirs)]
    found = explain(entry("a", mine), entry("b", theirs))
    check(found, "failures", 0.6 - (0.25 * 0.02 + 0.75 * 0.6))


def test_the_same_judge_that_says_something_else_is_noise(entry: Callable[..., Path]) -> None:
    a, b = (entry(name, World(seed, n=200).items()) for name, seed in (("a", 19), ("b", 20)))
    found = explain(a, b)
    noise = part(found, "noise")
    assert noise.value == found.difference != 0
    assert noise.interval is not None
    assert noise.interval.low < 0 < noise.interval.high
    assert found.noise.within is True
    assert found.noise.minimum_detectable_difference is not None
    assert abs(found.difference) < found.noise.minimum_detectable_difference


def test_a_record_that_does_not_follow_from_its_raw_verdicts(entry: Callable[..., Path]) -> None:
    world = World(21)
    mine, theirs = entry("a", world.items()), entry("b", world.items())
    rewrite(theirs, lambda run: run["rates"]["win_rate"].update(value=0.9))
    found = explain(mine, theirs)
    assert part(found, "record").value == pytest.approx(found.difference)
    assert "does not follow from its raw verdicts by any rule" in " ".join(found.unknown)


def test_a_published_table_row(entry: Callable[..., Path]) -> None:
    """No raw verdicts, but counts that tell the rule: ties left out. What it does to mine is all that is told."""
    world = World(22)

    def of(number: int) -> Mapping[str, Any]:
        tie = Verdict(judge="judge", win=0.5)
        return {"verdicts": (tie,)} if number % 4 == 0 else {"chance": 0.8, "orders": ("single",)}

    mine = entry("a", world.items(of))
    theirs = entry("b", world.items(of))
    counts = {"n": 300, "n_failed": 0, "wins": 210, "losses": 90, "ties": 100, "win_rate": 0.7, "se": 0.026}
    ci = {"low": 0.65, "high": 0.75, "level": 0.95, "method": "published normal"}
    rate = {"value": 0.7, "ci": ci, "n": 400, "n_failed": 0}
    rewrite(theirs, lambda run: run.update(raw=None, win_rate=counts, rates={"win_rate": rate}))
    found = explain(mine, theirs)
    assert sum(of.value for of in found.parts) == pytest.approx(found.difference, abs=1e-12)
    assert found.published.rule.ties == "left_out"
    ties = part(found, "ties")
    assert ties.value < -0.03
    assert ties.interval is not None
    assert "no raw verdicts" in found.unknown[0]
    assert "from the recorded standard errors" in found.noise.test


def test_entries_without_raw_verdicts_have_their_records_compared(make_run: RunFactory, tmp_path: Path) -> None:
    mine = write_entry(tmp_path / "a.json", make_run())
    theirs = write_entry(tmp_path / "b.json", make_run(decoding={"max_tokens": 64}))
    found = explain(mine, theirs)
    assert [of.key for of in found.recorded if of.state is State.DIFFERENT] == ["decoding.max_tokens"]
    assert len(found.parts) == 1
    assert found.noise.within is True
    text = to_text(found)
    assert "decoding.max_tokens: 512 | 64" in text
    assert "holds no raw verdicts" in text
    json.dumps(found.as_json(), allow_nan=False)


def test_a_probe_is_split_as_well(make_short_answer_run: RunFactory, tmp_path: Path) -> None:
    """Without a judge, all that differs is what was answered."""

    def item(number: int, right: bool) -> RawItem:
        outcome = OutcomeRecord(label="exact" if right else "wrong")
        return RawItem(id=f"c{number}", output="right" if right else "wrong", outcome=outcome, prompt="?")

    mine = put_into(tmp_path / "a", make_short_answer_run(), [item(i, i % 2 == 0) for i in range(100)])
    theirs = put_into(tmp_path / "b", make_short_answer_run(), [item(i, i % 4 == 0) for i in range(100)])
    found = explain(mine, theirs)
    assert part(found, "outputs").value == pytest.approx(0.25) == found.difference
    assert found.verdicts is not None
    assert found.verdicts.flips == {}


def test_a_raw_file_that_was_changed_or_lost_is_said(entry: Callable[..., Path]) -> None:
    world = World(23)
    mine, theirs = entry("a", world.items()), entry("b", world.items())
    raw = next((theirs.parent / "raw").iterdir())
    raw.write_text(raw.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert "was changed after it was written" in explain(mine, theirs).unknown[0]
    raw.unlink()
    assert "cannot be read" in explain(mine, theirs).unknown[0]


def test_which_runs_are_meant(entry: Callable[..., Path], make_run: RunFactory, tmp_path: Path) -> None:
    world = World(24, n=30)
    runs = [make_run(judge={**JUDGE, "name": name, "hash": number * 64}) for name, number in (("a", "7"), ("b", "8"))]
    mine = write_entry(tmp_path / "mine.json", *runs)
    theirs = entry("b", world.items(), judge={**JUDGE, "name": "third", "hash": "9" * 64})
    with pytest.raises(UsageError, match="2 pairs of runs have as much in common") as raised:
        explain(mine, theirs)
    listed = (raised.value.next_step or "").split("The first has: ")[1]
    assert "judged by a" in listed
    key = listed.split(" ")[0]
    for choice in (Choice(judge="a"), Choice(run=key)):
        assert explain(mine, theirs, choice).mine.run == runs[0]
    with pytest.raises(UsageError, match="no entry has a judge 'fourth'"):
        explain(mine, theirs, Choice(judge="fourth"))
    with pytest.raises(UsageError, match="no run has the key"):
        explain(mine, theirs, Choice(published_run="x"))


def test_what_is_no_entry(entry: Callable[..., Path], tmp_path: Path) -> None:
    path = tmp_path / "half.json"
    path.write_text('{"schema_version": 2, "name"', encoding="utf-8")
    with pytest.raises(SuiteError, match="Invalid JSON"):
        explain(path, path)


def test_two_kinds_of_rates(entry: Callable[..., Path], make_short_answer_run: RunFactory, tmp_path: Path) -> None:
    items = [RawItem(id="c", outcome=OutcomeRecord(label="exact"))]
    other = put_into(tmp_path / "b", make_short_answer_run(), items)
    with pytest.raises(UsageError, match="no two runs with the same kind of rate"):
        explain(entry("a", World(n=20).items()), other)


def test_text_is_safe_to_print(entry: Callable[..., Path]) -> None:
    world = World(25, n=40)
    mine = entry("a", world.items(lambda i: {"prompt": "a\u202eb\x1b[31m", "output": "x"}))
    text = to_text(explain(mine, entry("b", world.items())))
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_where_two_texts_part() -> None:
    assert example("i", "abc", "abd").at == 2
    assert example("i", "ab", "abc").at == 2
    assert example("i", "x" * 100 + "a", "x" * 100 + "b").mine == "x" * 30 + "a"
    example("i", "half \ud83d", "whole \U0001f600")  # half a surrogate pair has no UTF-8


def load_run(path: Path) -> RunRecord:
    return RunRecord.model_validate(json.loads(path.read_text(encoding="utf-8"))["runs"][0])


def rewrite(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the run in an entry's file."""
    entry = json.loads(path.read_text(encoding="utf-8"))
    change(entry["runs"][0])
    write_json(path, entry)
