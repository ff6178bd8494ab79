"""Panels: the mean, the strict majority of all, and the agreement of judges."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpaca_eval_suite.judge.panel import NO_MAJORITY, majority, mean, panel_agreement


def by_judge(*values: float | None) -> dict[str, float | None]:
    return {f"judge {number}": value for number, value in enumerate(values)}


@pytest.mark.parametrize(
    ("values", "win"),
    [
        ((1.0, 0.75, 0.0), 1.0),
        ((0.0, 0.25, 1.0), 0.0),
        ((0.5, 0.5, 1.0), 0.5),
        ((1.0, 1.0, None), 1.0),
        ((0.75,), 1.0),
        ((0.5 + 1e-12, 0.5, 0.0), 0.5),
        # Two of four are no majority of four, and a failed judge counts among all.
        ((1.0, 1.0, 0.0, 0.0), None),
        ((1.0, 1.0, 0.5, 0.0), None),
        ((1.0, None, None), None),
        ((1.0, 1.0, None, None), None),
        ((1.0, 0.0, 0.5), None),
        ((None, None, None), None),
        ((), None),
    ],
)
def test_majority(values: tuple[float | None, ...], win: float | None) -> None:
    assert majority(by_judge(*values)) == (win, "" if win is not None else NO_MAJORITY)


SHARE = st.none() | st.floats(0, 1)


@given(st.lists(SHARE, max_size=7))
def test_a_majority_changes_sides_with_its_judges(values: list[float | None]) -> None:
    win, reason = majority(by_judge(*values))
    mirrored, again = majority(by_judge(*(None if value is None else 1 - value for value in values)))
    assert reason == again
    assert mirrored == (None if win is None else 1 - win)


def test_mean() -> None:
    assert mean(by_judge(1.0, 0.5, None)) == (0.75, "")
    assert mean(by_judge(None, None)) == (None, "all judges failed")


def test_agreement_of_judges() -> None:
    rng = np.random.default_rng(0)
    truth = {f"u{number:03}": float(rng.random() < 0.5) for number in range(200)}
    copy = {unit: value * 0.8 + 0.1 for unit, value in truth.items()}
    coin: dict[str, float | None] = {unit: float(rng.random() < 0.5) for unit in truth}
    coin |= {"u000": None, "u001": None}
    found = panel_agreement({"truth": truth, "copy": copy, "coin": coin})
    assert found.n == 200
    assert list(found.pairs) == [("coin", "copy"), ("coin", "truth"), ("copy", "truth")]
    same = found.pairs[("copy", "truth")]
    assert (same.estimate, same.n) == (1.0, 200)
    chance = found.pairs[("coin", "truth")]
    assert chance.n == 198
    assert chance.interval is not None
    assert chance.interval.low < 0.5 < chance.interval.high
    alpha = found.krippendorff_alpha
    assert alpha.value is not None
    assert 0.2 < alpha.value < 0.5
    assert alpha.ci is not None
    assert alpha.ci.low < alpha.value < alpha.ci.high
    assert found.as_json()["pairs"][2]["judges"] == ["copy", "truth"]


def test_alpha_is_that_of_the_reference_implementation() -> None:
    krippendorff = pytest.importorskip("krippendorff")
    rng = np.random.default_rng(1)
    sides = rng.choice([0.0, 0.5, 1.0, np.nan], size=(3, 60), p=[0.4, 0.1, 0.4, 0.1])
    values = {
        f"j{row}": {str(unit): None if np.isnan(value) else float(value) for unit, value in enumerate(sides[row])}
        for row in range(3)
    }
    expected = krippendorff.alpha(reliability_data=sides, level_of_measurement="nominal")
    assert panel_agreement(values, resamples=100).krippendorff_alpha.value == pytest.approx(expected)


def test_judges_without_a_unit_in_common() -> None:
    found = panel_agreement({"a": {"x": 1.0}, "b": {"y": 1.0}})
    assert found.n == 0
    assert found.pairs[("a", "b")].estimate is None
    assert found.krippendorff_alpha.value is None
    assert panel_agreement({}).pairs == {}
