"""What a judge is worth: figures by hand, controls measured as judges, PandaLM's published figures."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import mean

import numpy as np
import pytest

from alpaca_eval_suite.judge.credits import credits_of, longer_wins
from alpaca_eval_suite.judge.labelled import LabelledPair, read_labelled, recorded_verdicts
from alpaca_eval_suite.judge.measure import FLOOR, Measures, measure
from alpaca_eval_suite.types import Instruction, Order, Preference

PANDALM = Path(__file__).parents[3] / "shared" / "data" / "human" / "pandalm_999.jsonl"
WIN = {1: 1.0, 2: 0.0, 0: 0.5}


def pair(
    id_: str, labels: Sequence[int], outputs: tuple[str, str] = ("one", "two"), item: str = "", **slices: str
) -> LabelledPair:
    readers = {f"reader_{n}": label for n, label in enumerate(labels)}
    return LabelledPair(Instruction(id_, "Say a number."), item or id_, *outputs, labels=readers, slices=slices)


def ruled(pairs: Iterable[LabelledPair], label: Callable[[LabelledPair], int | None]) -> list[Preference]:
    """The same label in both orders."""
    return [
        Preference(one.id, None if (said := label(one)) is None else WIN[said], order=order)
        for one in pairs
        for order in ("model_first", "baseline_first")
    ]


def measured(pairs: Sequence[LabelledPair], label: Callable[[LabelledPair], int | None]) -> Measures:
    return measure(pairs, ruled(pairs, label), resamples=500)


def mixed(n: int) -> list[LabelledPair]:
    """Three readers who mostly agree on 1, 2, 1, 2, ...; the longer output is the right one in two of three."""
    long, short = "a b c d", "a b"
    found = []
    for number in range(n):
        right = 1 + number % 2
        outputs = (long, short) if (right == 1) == (number % 3 < 2) else (short, long)
        other = 0 if number % 5 == 0 else right
        found.append(pair(f"{number:03}", (right, right, other), outputs, app="odd" if number % 2 else "even"))
    return found


def test_credits() -> None:
    counts = np.array([[0, 2, 1], [1, 1, 1], [0, 1, 1], [3, 0, 0], [0, 0, 0]], dtype=float)
    third = 1 / 3
    assert credits_of(counts).tolist() == [
        [0, 1, 0],
        [third, third, third],
        [0, 0.5, 0.5],
        [1, 0, 0],
        [0, 0, 0],
    ]


@pytest.mark.parametrize(
    ("first", "second", "label"),
    [("a b", "c", 1), ("a", "b-c d", 2), ("long-word", "a b", 0), ("", "", 0), ("", "a", 2)],
)
def test_longer_counts_words(first: str, second: str, label: int) -> None:
    assert longer_wins(first, second) == label


def test_failures_are_wrong_in_one_accuracy_and_left_out_of_the_other() -> None:
    pairs = [pair("a", (1, 1, 2)), pair("b", (2, 2, 2)), pair("c", (0, 0, 0)), pair("d", (1, 1, 1))]
    found = measured(pairs, lambda one: {"a": 1, "b": 1, "c": 0, "d": None}[one.id])
    assert (found.accuracy_all.value, found.accuracy_valid.value) == (0.5, pytest.approx(2 / 3))
    assert (found.n_pairs, found.n_items, found.n_failed) == (4, 4, 1)
    assert (found.on_decided.value, found.on_decided.n) == (pytest.approx(1 / 3), 3)
    assert found.judge_ties.value == pytest.approx(1 / 3)
    assert found.reader_ties.value == pytest.approx(1 / 4)
    # Of "a", two readers have the credit 1/2 by the other two (1 and 2), the third none.
    assert found.ceiling.value == pytest.approx(mean([mean([0.5, 0.5, 0]), 1, 1, 1]))
    assert found.readers_agree.value == pytest.approx(mean([1 / 3, 1, 1, 1]))


def test_a_pair_without_a_verdict_has_failed() -> None:
    pairs = [pair("a", (1, 1, 1)), pair("b", (2, 2, 2))]
    found = measure(pairs, [Preference("a", 1.0), Preference("elsewhere", 1.0)], resamples=200)
    assert (found.n_failed, found.accuracy_all.value) == (1, 0.5)
    assert measure(pairs, [], resamples=200).n_failed == 2


def test_with_two_readers_an_accuracy_is_the_mean_agreement() -> None:
    pairs = [pair("a", (1, 1)), pair("b", (1, 2)), pair("c", (0, 1)), pair("d", (0, 0))]
    said = {"a": 1, "b": 2, "c": 2, "d": 1}
    found = measured(pairs, lambda one: said[one.id])
    by_hand = mean(mean(float(said[one.id] == label) for label in one.labels.values()) for one in pairs)
    assert found.accuracy_all.value == by_hand
    assert found.ceiling.value == found.readers_agree.value == 0.5


def test_orders_that_contradict_each_other_are_a_tie() -> None:
    pairs = mixed(60)
    always_first: dict[Order, float] = {"model_first": 1.0, "baseline_first": 0.0}
    verdicts = [Preference(one.id, win, order=order) for one in pairs for order, win in always_first.items()]
    found = measure(pairs, verdicts, resamples=500)
    assert found.judge_ties.value == 1.0
    assert (found.order_consistency.value, found.first_shown.value) == (0.0, 1.0)
    assert found.accuracy_all.value == found.controls["always_tie"].value == 0.0
    assert not found.has_information


def test_one_failed_order_fails_the_pair() -> None:
    verdicts = [Preference("a", 1.0, order="model_first"), Preference("a", None, order="baseline_first")]
    found = measure([pair("a", (1, 1, 1))], verdicts, resamples=200)
    assert (found.n_failed, found.order_consistency.n) == (1, 0)


def test_fractions_are_read_by_the_side_they_are_on() -> None:
    verdicts = [Preference("a", 0.9, order="model_first"), Preference("a", 0.3, order="baseline_first")]
    found = measure([pair("a", (1, 1, 1))], verdicts, resamples=200)
    assert (found.accuracy_all.value, found.order_consistency.value) == (1.0, 0.0)
    assert found.first_shown.value == pytest.approx(0.8)


def test_one_order_only_says_nothing_of_orders() -> None:
    found = measure(mixed(20), [Preference(one.id, 1.0) for one in mixed(20)], resamples=200)
    assert (found.order_consistency.value, found.first_shown.value) == (None, None)


def test_controls_are_what_they_say() -> None:
    pairs = [*mixed(60), pair("tie", (0, 0, 0))]
    judges: dict[str, Callable[[LabelledPair], int]] = {
        "always_first": lambda _: 1,
        "always_tie": lambda _: 0,
        "longer_wins": lambda one: longer_wins(one.output_1, one.output_2),
    }
    for name, judge in judges.items():
        found = measured(pairs, judge)
        assert found.accuracy_all.value == pytest.approx(found.controls[name].value)
        assert found.above[name].value == pytest.approx(0.0)
        assert not found.has_information
    assert found.controls["coin"].value == pytest.approx(30 / 61)


def test_a_judge_who_is_always_right_is_above_every_control() -> None:
    found = measured(mixed(60), lambda one: one.labels["reader_0"])
    assert found.accuracy_all.value == 1.0
    assert found.has_information
    assert all((ci := found.above[name].ci) is not None and ci.low > 0 for name in FLOOR)
    assert found.kappa.value == 1.0


def test_length_bias() -> None:
    pairs = mixed(90)
    by_length = measured(pairs, lambda one: longer_wins(one.output_1, one.output_2))
    by_readers = measured(pairs, lambda one: one.labels["reader_0"])
    assert by_length.length_bias.value == 1.0
    assert by_length.longer_with_judge.value == 1.0
    assert by_readers.length_bias.value == 0.0  # they like the longer one, and that is no bias
    assert by_readers.longer_with_judge.value == pytest.approx(2 / 3)
    # Wrong in half of the pairs, whichever output is longer: noise is no bias either.
    noisy = measured(pairs, lambda one: 0)
    assert noisy.length_bias.value == pytest.approx(0.0)
    shorter = measured(pairs, lambda one: 3 - longer_wins(one.output_1, one.output_2))
    assert shorter.length_bias.value == -1.0


def test_length_bias_of_nothing() -> None:
    same = [pair("a", (1, 1, 1)), pair("b", (2, 2, 2))]
    found = measured(same, lambda _: 1)
    assert (found.length_bias.value, found.longer_with_judge.value) == (None, None)
    assert found.length_bias.reason


def test_slices() -> None:
    found = measured(mixed(60), lambda _: 2)
    assert {value: of.accuracy_all.value for value, of in found.slices["app"].items()} == {"even": 0.0, "odd": 1.0}
    assert found.slices["app"]["odd"].accuracy_all.n == 30
    assert found.slices["app"]["odd"].ceiling.value == pytest.approx(mean([1.0] * 24 + [1 / 3] * 6), abs=1e-9)


def test_the_order_of_pairs_and_verdicts_does_not_matter() -> None:
    pairs = mixed(40)
    verdicts = ruled(pairs, lambda one: one.labels["reader_2"])
    assert measure(pairs, verdicts, resamples=300) == measure(pairs[::-1], verdicts[::-1], resamples=300)


def test_items_are_resampled_with_all_their_pairs() -> None:
    def said(number: int) -> list[LabelledPair]:
        return [pair(f"{n:03}-{k}", (1 + n % 2,) * 3, item=f"{n:03}") for n in range(60) for k in range(number)]

    def width(pairs: Sequence[LabelledPair]) -> float:
        interval = measured(pairs, lambda _: 1).accuracy_all.ci
        assert interval is not None
        return interval.high - interval.low

    assert width(said(8)) == pytest.approx(width(said(1)), rel=0.15)


def test_a_judge_that_failed_always() -> None:
    found = measured(mixed(20), lambda _: None)
    assert (found.n_failed, found.accuracy_all.value, found.accuracy_valid.value) == (20, 0.0, None)
    assert (found.kappa.value, found.length_bias.value, found.judge_ties.value) == (None, None, None)
    assert not found.has_information


def test_no_pairs() -> None:
    with pytest.raises(ValueError, match="no pairs"):
        measure([], [])


@pytest.mark.data
@pytest.mark.skipif(not PANDALM.exists(), reason="the reference data is not beside the checkout")
@pytest.mark.parametrize(
    ("judge", "right", "failed"), [("gpt35_turbo", 697, 25), ("pandalm_7b", 667, 0), ("longer", 621, 0)]
)
def test_published_judges(judge: str, right: int, failed: int) -> None:
    pairs = read_labelled(PANDALM).pairs
    if judge == "longer":
        verdicts = [Preference(one.id, WIN[longer_wins(one.output_1, one.output_2)]) for one in pairs]
    else:
        verdicts = recorded_verdicts(pairs, judge)
    found = measure(pairs, verdicts, resamples=1000)
    assert found.accuracy_all.value == pytest.approx(right / 999)
    assert found.accuracy_valid.value == pytest.approx(right / (999 - failed))
    assert found.ceiling.value == pytest.approx(0.920, abs=5e-4)
    assert found.readers_agree.value == pytest.approx(0.920, abs=5e-4)
    assert found.controls["longer_wins"].value == pytest.approx(0.622, abs=5e-4)
