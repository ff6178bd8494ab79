"""Perturbed pairs: the same every time, right by construction, and what judges who do not read make of them."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpaca_eval_suite.judge.credits import longer_wins
from alpaca_eval_suite.judge.labelled import LabelledPair
from alpaca_eval_suite.judge.perturb import KINDS, PerturbedPair, Robustness, perturbed, robustness
from alpaca_eval_suite.types import Instruction, Preference

WIN = {1: 1.0, 2: 0.0, 0: 0.5}


def pair(number: int, item: int | None = None, labels: tuple[int, ...] = (1, 1)) -> LabelledPair:
    readers = {f"reader_{n}": label for n, label in enumerate(labels)}
    item = number if item is None else item
    instruction = Instruction(f"p{number:03}", f"Say the number {item}.", "In words.")
    return LabelledPair(instruction, f"i{item}", f"good {number}", f"bad {number}", labels=readers)


PAIRS = [pair(number) for number in range(40)]


def judged(made: list[PerturbedPair], label: Callable[[PerturbedPair], int | None]) -> dict[str, Robustness]:
    verdicts = [Preference(one.pair.id, None if (said := label(one)) is None else WIN[said]) for one in made]
    return robustness(made, verdicts)


def right_answer(one: PerturbedPair) -> str:
    return one.pair.output_2 if one.right == 2 else one.pair.output_1


def other_answer(one: PerturbedPair) -> str:
    return one.pair.output_1 if one.right == 2 else one.pair.output_2


def test_what_each_kind_is() -> None:
    made = perturbed(PAIRS, 10, 0)
    assert len(made) == 40
    for one in made:
        number = one.pair.id[1:4]
        assert one.pair.id == f"p{number}~{one.kind}"
        assert right_answer(one) == f"good {int(number)}"
        other = other_answer(one)
        if one.kind == "padding":
            assert other.startswith(f"good {int(number)}\n\n")
            assert len(other) > 300
        elif one.kind == "echo":
            assert other == f"Say the number {int(number)}.\n\nIn words."
        elif one.kind == "off_topic":
            assert other.startswith("good ")
            assert other != right_answer(one)
        else:
            assert other == right_answer(one)
        assert one.right == 0 if one.kind == "identical" else one.right in (1, 2)
    assert {one.right for one in made if one.kind == "echo"} == {1, 2}


@given(st.integers(1, 60), st.integers(0, 3))
def test_the_same_every_time_and_one_an_item(n: int, seed: int) -> None:
    pairs = [pair(number, item=number // 2) for number in range(40)]
    made = perturbed(pairs, n, seed)
    assert made == perturbed(pairs[::-1], n, seed)
    assert len(made) == 4 * min(n, 20)
    assert len({one.pair.item for one in made}) == min(n, 20)
    assert len({one.pair.id for one in made}) == len(made)


def test_another_seed_draws_other_pairs() -> None:
    drawn = [{one.pair.item for one in perturbed(PAIRS, 10, seed)} for seed in (0, 1)]
    assert drawn[0] != drawn[1]


def test_the_answer_that_readers_prefer_is_taken() -> None:
    (one,) = (made for made in perturbed([pair(3, labels=(2, 2, 1))], 1, 0) if made.kind == "identical")
    assert one.pair.output_1 == "bad 3"


def test_one_item_has_nothing_off_topic_and_an_empty_answer_is_no_answer() -> None:
    assert [made.kind for made in perturbed([pair(1)], 5, 0)] == ["padding", "echo", "identical"]
    empty = LabelledPair(Instruction("p", "x"), "i", " ", "b", labels={"r": 1})
    assert perturbed([empty], 5, 0) == []


def test_shares() -> None:
    made = perturbed(PAIRS, 40, 0)
    perfect = judged(made, lambda one: one.right)
    assert {kind: of.right.value for kind, of in perfect.items()} == dict.fromkeys(KINDS, 1.0)
    assert (perfect["identical"].tied.value, perfect["padding"].tied.value) == (1.0, 0.0)
    lover_of_length = judged(made, lambda one: longer_wins(one.pair.output_1, one.pair.output_2))
    assert lover_of_length["padding"].wrong.value == 1.0
    assert lover_of_length["identical"].right.value == 1.0
    first = judged(made, lambda _: 1)
    assert first["identical"].wrong.value == 1.0
    assert first["echo"].right.value == pytest.approx(0.5, abs=0.25)
    assert all(of.right.ci is not None for of in first.values())


def test_failures_are_not_right() -> None:
    made = perturbed(PAIRS, 10, 0)
    found = judged(made, lambda one: None if one.pair.id < "p020" else one.right)["echo"]
    assert found.n == 10
    assert found.n_failed > 0
    assert found.right.value == pytest.approx(1 - found.n_failed / 10)
    assert found.wrong.value == 0.0
