"""Units: what is averaged over what, and what a failure does."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.stats.units import Units, units
from alpaca_eval_suite.types import Preference

BOTH = ("model_first", "baseline_first")


def both_orders(id_: str, first: float | None, second: float | None, **more: object) -> list[Preference]:
    wins = (first, second)
    return [Preference(id_, win, order=order, **more) for win, order in zip(wins, BOTH, strict=True)]  # type: ignore[arg-type]


def test_orders_are_averaged() -> None:
    found = units([*both_orders("b", 1, 0), *both_orders("a", 1, 1), *both_orders("c", 0.5, 0)])
    assert found.ids == ("a", "b", "c")
    assert found.values.tolist() == [1.0, 0.5, 0.25]
    assert (found.wins, found.losses, found.ties, found.n, found.n_failed) == (1, 1, 1, 3, 0)


def test_a_failed_order_makes_the_pair_null_unless_kept() -> None:
    verdicts = [*both_orders("a", 1, None), *both_orders("b", None, None)]
    dropped, kept = units(verdicts), units(verdicts, incomplete="keep")
    assert np.isnan(dropped.values).all()
    assert (dropped.n, dropped.n_failed) == (0, 2)
    assert kept.valid.tolist() == [1.0]
    assert (kept.n, kept.n_failed) == (1, 1)


def test_an_order_that_was_never_asked_is_no_failure() -> None:
    assert units([Preference("a", 1.0, order="model_first")]).values.tolist() == [1.0]


def test_seeds_then_judges() -> None:
    # Judge j: seeds 1 and 0 → 0.5; judge k: 1. Mean of the judges .75, not the mean of the verdicts 2/3.
    verdicts = [
        *both_orders("a", 1, 1, judge="j", seed=0),
        *both_orders("a", 0, 0, judge="j", seed=1),
        *both_orders("a", 1, 1, judge="k"),
    ]
    assert units(verdicts).values.tolist() == [0.75]


def test_a_failed_seed_or_judge_leaves_the_rest() -> None:
    verdicts = [
        *both_orders("a", 1, 1, judge="j", seed=0),
        *both_orders("a", None, 0, judge="j", seed=1),
        *both_orders("a", None, None, judge="k"),
    ]
    assert units(verdicts).values.tolist() == [1.0]


def test_rounding_makes_no_loss_of_a_tie() -> None:
    third = 1 / 3
    verdicts = [Preference("a", win, seed=seed) for seed, win in enumerate([third, third, third, 1.0])]
    assert sum(p.win or 0 for p in verdicts) / 4 == pytest.approx(0.5)
    assert units(verdicts).ties == 1


def test_several_pairs_are_refused_by_name() -> None:
    with pytest.raises(SuiteError, match="m against base; n against base"):
        units([Preference("a", 1, model="m", baseline="base"), Preference("a", 1, model="n", baseline="base")])


def test_one_id_of_two_scenarios_is_refused() -> None:
    with pytest.raises(SuiteError, match="'a' stands in two scenarios"):
        units([Preference("a", 1, scenario="s"), Preference("a", 1, scenario="t")])


def test_nothing_gives_no_units() -> None:
    found = units([])
    assert (found.n, found.n_failed, found.wins, found.losses, found.ties) == (0, 0, 0, 0, 0)


VERDICTS = st.lists(
    st.builds(
        Preference,
        id=st.sampled_from("abcd"),
        win=st.none() | st.sampled_from([0.0, 0.5, 1.0]) | st.floats(0, 1),
        judge=st.sampled_from("jk"),
        order=st.sampled_from(BOTH),
        seed=st.integers(0, 2),
    ),
    max_size=20,
    unique_by=lambda p: p.full_key,
)


def mirrored(p: Preference) -> Preference:
    order = {"model_first": "baseline_first", "baseline_first": "model_first"}[p.order]
    return Preference(p.id, None if p.win is None else 1 - p.win, judge=p.judge, order=order, seed=p.seed)  # type: ignore[arg-type]


@given(verdicts=VERDICTS, seed=st.integers(0, 100))
def test_the_order_of_the_lines_does_not_matter(verdicts: list[Preference], seed: int) -> None:
    shuffled = random.Random(seed).sample(verdicts, len(verdicts))
    left, right = units(verdicts), units(shuffled)
    assert left.ids == right.ids
    np.testing.assert_array_equal(left.values, right.values)


@given(verdicts=VERDICTS)
def test_every_id_is_counted_once_and_values_are_shares(verdicts: list[Preference]) -> None:
    found = units(verdicts)
    assert found.ids == tuple(sorted({p.id for p in verdicts}))
    assert found.n + found.n_failed == len(found.ids)
    assert found.wins + found.losses + found.ties == found.n
    assert ((found.valid >= 0) & (found.valid <= 1)).all()
    assert units(verdicts, incomplete="keep").n >= found.n


@given(verdicts=VERDICTS)
def test_swapping_model_and_baseline_mirrors_the_units(verdicts: list[Preference]) -> None:
    found, swapped = units(verdicts), units(map(mirrored, verdicts))
    np.testing.assert_allclose(swapped.values, 1 - found.values, atol=1e-12)
    # A tie is decided with a tolerance, so a value within rounding of it is the only one that may move.
    clear = np.abs(found.valid - 0.5) > 1e-8
    if clear.all() or (found.valid[~clear] == 0.5).all():
        assert (swapped.wins, swapped.losses, swapped.ties) == (found.losses, found.wins, found.ties)


def test_units_hold_nan_for_the_failed() -> None:
    found = Units(("a", "b"), np.array([np.nan, 1.0]))
    assert (found.n, found.n_failed, found.valid.tolist()) == (1, 1, [1.0])
