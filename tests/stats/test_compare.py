"""Differences of two models: figures by hand, golden values, what is dropped, Holm's family."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import bootstrap

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.stats import Units, compare, compare_all, holm, mcnemar_mid_p

NAN = float("nan")


def made(values: Sequence[float], start: int = 0) -> Units:
    return Units(tuple(f"{start + i:04}" for i in range(len(values))), np.array(values, dtype=np.float64))


def two(n: int = 400, seed: int = 0) -> tuple[Units, Units]:
    rng = np.random.default_rng(seed)
    a = rng.choice([0.0, 0.5, 1.0], n, p=[0.3, 0.1, 0.6])
    return made(a), made(np.where(rng.random(n) < 0.5, a, rng.choice([0.0, 0.5, 1.0], n)))


def test_figures_by_hand() -> None:
    found = compare(made([1, 1, 1, 0, 0.5]), made([0, 1, 0.5, 0, 0.5]))
    # Differences 1, 0, .5, 0, 0: mean .3, variance (.49 + .09·3 + .04)/4 = .2.
    assert found.difference == pytest.approx(0.3)
    assert found.se == pytest.approx(np.sqrt(0.2 / 5))
    assert (found.n_shared, found.n_dropped) == (5, 0)
    # Of the four sign patterns two have |sum| 1.5.
    assert found.p_value == 0.5
    assert found.test == "studentised sign-flip permutation, two-sided, exact: 4 patterns"
    # 1.959964 + .841621 standard errors.
    assert found.minimum_detectable_difference == pytest.approx(2.801585 * 0.2, abs=1e-6)
    assert found.mcnemar_mid_p is None


def test_the_interval_is_bca_on_the_differences() -> None:
    a, b = two()
    found = compare(a, b)
    theirs = bootstrap((a.values - b.values,), np.mean, method="BCa", rng=np.random.default_rng(0)).confidence_interval
    assert found.ci is not None
    assert found.ci.method == "bca"
    assert (found.ci.low, found.ci.high) == pytest.approx((theirs.low, theirs.high), abs=0.003)


def test_turned_around_it_is_the_mirror_image() -> None:
    a, b = two()
    there, back = compare(a, b), compare(b, a)
    assert there.difference == pytest.approx(-(back.difference or NAN))
    assert there.ci is not None
    assert back.ci is not None
    assert (there.ci.low, there.ci.high) == pytest.approx((-back.ci.high, -back.ci.low), abs=0.004)


def test_a_model_does_not_differ_from_itself() -> None:
    a, _ = two()
    found = compare(a, a)
    assert (found.difference, found.p_value, found.minimum_detectable_difference) == (0.0, 1.0, None)
    assert found.ci is not None
    assert found.ci.low < 0 < found.ci.high
    assert found.ci.method.startswith("tango (fall-back: all 400 units are equal")
    assert found.reason.startswith("all differences are equal")


def test_rounding_makes_no_difference() -> None:
    third = 0.1 + 0.2
    found = compare(made([third] * 20), made([0.3] * 20))
    assert (found.difference, found.p_value) == (0.0, 1.0)


def test_failed_units_are_dropped_and_counted() -> None:
    found = compare(made([1, NAN, 0, 1]), made([0, 1, NAN, 1]))
    assert (found.n_shared, found.n_dropped, found.difference) == (2, 2, 0.5)


def test_an_id_in_only_one_is_named() -> None:
    with pytest.raises(SuiteError) as caught:
        compare(made([1, 0, 1]), made([1, 0], start=1), names=("old", "new"))
    assert caught.value.what == "1 of the ids stand only in old: '0000'"
    assert caught.value.next_step is not None
    assert "--on shared" in caught.value.next_step


def test_the_first_ten_are_named() -> None:
    with pytest.raises(SuiteError) as caught:
        compare(made([1] * 30), made([1] * 4, start=28), names=("old", "new"))
    ids = ", ".join(f"'{i:04}'" for i in range(10))
    assert caught.value.what == (
        f"28 of the ids stand only in old: {ids}, …; 2 of the ids stand only in new: '0030', '0031'"
    )


def test_on_shared_drops_and_counts_them() -> None:
    found = compare(made([1, 0, 1]), made([1, 1, 0], start=1), shared_only=True)
    # Shared: 0001 (0 against 1) and 0002 (1 against 1).
    assert (found.n_shared, found.n_dropped, found.difference) == (2, 2, -0.5)


@pytest.mark.parametrize("shared_only", [True, False])
def test_no_shared_id(shared_only: bool) -> None:
    with pytest.raises(SuiteError, match=r"share no id|stand only in"):
        compare(made([1, 0]), made([1, 0], start=5), shared_only=shared_only)


def test_no_shared_value() -> None:
    found = compare(made([NAN, 1]), made([1, NAN]))
    assert (found.n_shared, found.n_dropped, found.difference, found.ci, found.p_value) == (0, 2, None, None, None)
    assert found.reason == "no id has a value in both"


def test_one_id() -> None:
    found = compare(made([1]), made([0]))
    assert (found.difference, found.p_value, found.se) == (1.0, 1.0, None)
    assert found.reason == "one id has no standard error"


@pytest.mark.parametrize(
    ("only_a", "only_b", "p"),
    [
        # Fagerland, Lydersen and Laake (2013), table 4: airway hyper-responsiveness, 1 against 7.
        (1, 7, 0.0391),
        (7, 1, 0.0391),
        # Equal counts: 1 - P(X = 5)/2 with X of Bin(10, 1/2), which is 252/1024.
        (5, 5, 1 - 252 / 2048),
        (0, 0, 1.0),
        # 2 · (1/2)^6 - (1/2)^6.
        (6, 0, 1 / 64),
    ],
)
def test_mcnemar_mid_p(only_a: int, only_b: int, p: float) -> None:
    assert mcnemar_mid_p(only_a, only_b) == pytest.approx(p, abs=5e-5)


def test_mcnemar_stands_beside_where_all_is_won_or_lost() -> None:
    a, b = made([1.0] * 7 + [0.0] + [1.0] * 12 + [0.0]), made([0.0] * 7 + [1.0] + [1.0] * 12 + [0.0])
    assert compare(a, b).mcnemar_mid_p == pytest.approx(0.0391, abs=5e-5)
    # The exact conditional test, which the sign-flip test is for yes and no: 2 · 9/256.
    assert compare(a, b).p_value == pytest.approx(18 / 256)


def test_holm_by_hand() -> None:
    # R: p.adjust(c(.01, .04, .03, .005), "holm").
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_keeps_the_order_and_is_no_smaller(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    assert all(p <= q <= min(1.0, p * len(p_values)) + 1e-12 for p, q in zip(p_values, adjusted, strict=True))
    order = np.argsort(p_values, kind="stable")
    assert list(np.array(adjusted)[order]) == sorted(adjusted)


def test_holm_equals_statsmodels() -> None:
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    p_values = list(np.random.default_rng(5).beta(0.5, 3, 40))
    assert holm(p_values) == pytest.approx(list(multitest.multipletests(p_values, method="holm")[1]), abs=1e-12)


def test_all_pairs_are_one_family() -> None:
    a, b = two(seed=2)
    c = made(np.zeros(400))
    pairs = compare_all({"a": a, "b": b, "c": c})
    assert [(pair.a, pair.b) for pair in pairs] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert [pair.p_holm for pair in pairs] == holm([pair.difference.p_value or NAN for pair in pairs])
    assert [pair.holds for pair in pairs] == [(pair.p_holm or NAN) <= 0.05 for pair in pairs]
    assert pairs[1].holds
    assert pairs[1].difference == compare(a, c)


def test_a_pair_without_values_leaves_the_family() -> None:
    pairs = compare_all({"a": made([1, NAN]), "b": made([NAN, 1]), "c": made([1, 1])})
    assert [pair.p_holm for pair in pairs] == [None, 1.0, 1.0]
    assert not pairs[0].holds


def test_the_seed_decides() -> None:
    a, b = two()
    assert compare(a, b, rng=4) == compare(a, b, rng=4)
    assert compare(a, b, rng=4).ci != compare(a, b, rng=5).ci
