"""The bridge between two judges: conversions against known truths, coverage by simulation, ranks, slices."""

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.judge.bridge import ModelUnits, bridge, converted_rate
from alpaca_eval_suite.judge.bridge_line import Converted, Line, fit_line
from alpaca_eval_suite.judge.bridge_rates import Rates, rank_agreement, resampled_rates
from alpaca_eval_suite.stats.calibrate import calibrate
from alpaca_eval_suite.stats.totals import Estimate
from alpaca_eval_suite.stats.units import Units

FloatArray = npt.NDArray[np.float64]

PAIRWISE = Path(__file__).parents[3] / "shared" / "data" / "alpaca_eval" / "pairwise"


def of(values: FloatArray) -> Units:
    return Units(tuple(f"{n:04}" for n in range(len(values))), values.astype(np.float64))


def share(logit: float) -> float:
    return float(1 / (1 + np.exp(-logit)))


def verdicts(old: FloatArray, new: FloatArray, n: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """(ids, models) of 0 and 1 with these rates; both judges see the same outputs, so their verdicts go together."""
    from scipy.special import ndtri

    shared = 0.4 * rng.normal(size=(n, 1)) + 0.6 * rng.normal(size=(n, len(old)))
    noise = np.sqrt(1 - 0.52) * rng.normal(size=(2, n, len(old)))
    first, second = (
        (shared + part < ndtri(rates)).astype(float) for part, rates in zip(noise, (old, new), strict=True)
    )
    return first, second


def two_judges(rng: np.random.Generator, n: int, old: float, new: float) -> tuple[FloatArray, FloatArray]:
    by_old, by_new = verdicts(np.array([old]), np.array([new]), n, rng)
    return by_old[:, 0], by_new[:, 0]


def test_what_old_would_have_given() -> None:
    """NEW is 15 points more generous; on all 800 ids it says .6, and OLD would have said .45."""
    by_old, by_new = two_judges(np.random.default_rng(0), 800, 0.45, 0.6)
    [model] = bridge([ModelUnits("m", "b", of(by_old[:200]), of(by_new))], resamples=1000).models
    [found] = model.converted
    assert (found.of, found.n, model.n) == ("old", 800, 200)
    assert found.judged.value == by_new.mean()
    assert found.estimate.value == pytest.approx(0.45, abs=0.05)
    assert found.estimate.ci is not None
    assert found.estimate.ci.low < 0.45 < found.estimate.ci.high < 0.58
    assert 0 < found.tuning < 1
    # It is the calibration in which OLD plays the part of the people.
    assert found.estimate == calibrate(of(by_new), of(by_old[:200]), resamples=10).ppi


def test_the_other_way_round() -> None:
    by_old, by_new = two_judges(np.random.default_rng(1), 500, 0.5, 0.3)
    [model] = bridge([ModelUnits("m", "b", of(by_old), of(by_new[:150]))], resamples=500).models
    assert [one.of for one in model.converted] == ["new"]
    assert model.converted[0].estimate.value == pytest.approx(0.3, abs=0.08)


def test_nothing_to_convert_where_both_judged_all() -> None:
    by_old, by_new = two_judges(np.random.default_rng(2), 100, 0.5, 0.6)
    assert bridge([ModelUnits("m", "b", of(by_old), of(by_new))], resamples=200).models[0].converted == ()


def test_failures_are_counted_and_left_out_of_the_anchor() -> None:
    by_old, by_new = two_judges(np.random.default_rng(3), 300, 0.5, 0.6)
    by_old[:4], by_new[2:10] = np.nan, np.nan
    [model] = bridge([ModelUnits("m", "b", of(by_old[:100]), of(by_new))], resamples=200).models
    assert (model.n, model.n_failed) == (90, 10)
    assert model.converted[0].n_failed == 8  # NEW's, which count a half there


@pytest.mark.parametrize(
    ("n", "n_all", "old", "new"), [(100, 805, 0.5, 0.6), pytest.param(200, 805, 0.35, 0.25, marks=pytest.mark.slow)]
)
def test_coverage_of_the_difference_estimator(n: int, n_all: int, old: float, new: float) -> None:
    """Nominal .95 in 1,000 draws (a standard error of the simulation is .007)."""
    rng = np.random.default_rng(4)
    covered = 0
    first, second = verdicts(np.full(1000, old), np.full(1000, new), n_all, rng)
    for draw in range(1000):
        found = converted_rate("old", of(second[:, draw]), of(first[:n, draw]), resamples=10, level=0.95, rng=rng)
        assert found.estimate.ci is not None
        covered += found.estimate.ci.low <= old <= found.estimate.ci.high
    assert 0.93 <= covered / 1000 <= 0.97


def test_agreement_kappa_and_confusion() -> None:
    old = np.array([1.0, 1.0, 0.0, 0.5, 0.0, 1.0, 0.7, 0.2])
    new = np.array([1.0, 0.0, 0.0, 0.5, 0.0, 0.5, 0.9, 0.6])
    found = bridge([ModelUnits("m", "b", of(old), of(new))], resamples=500)
    assert found.agreement.value == 5 / 8
    shares = [[cell.value for cell in row] for row in found.confusion]
    assert shares == [[2 / 8, 1 / 8, 1 / 8], [0, 1 / 8, 0], [1 / 8, 0, 2 / 8]]
    expected = (4 * 3 + 1 * 2 + 3 * 3) / 64
    assert found.kappa.value == pytest.approx((5 / 8 - expected) / (1 - expected))


def test_models_of_an_id_are_resampled_together() -> None:
    """Two models that are judged alike are no more than one: the interval must not shrink."""
    by_old, by_new = two_judges(np.random.default_rng(5), 200, 0.5, 0.62)
    one = bridge([ModelUnits("m", "b", of(by_old), of(by_new))], resamples=4000, rng=1)
    twice = bridge([ModelUnits(name, "b", of(by_old), of(by_new)) for name in "mn"], resamples=4000, rng=1)
    assert one.difference.ci is not None
    assert twice.difference.ci is not None
    assert twice.difference.ci.low == pytest.approx(one.difference.ci.low, abs=0.006)
    assert twice.difference.ci.high == pytest.approx(one.difference.ci.high, abs=0.006)
    assert (twice.n_ids, twice.n_units) == (200, 400)


def test_differences_by_slice_with_holm() -> None:
    rng = np.random.default_rng(6)
    by_old, by_new = two_judges(rng, 300, 0.5, 0.5)
    by_new[:60] = 1.0  # NEW likes everything about the first sixty
    units = ModelUnits("m", "b", of(by_old), of(by_new))
    slices = {f"{n:04}": {"app": "mail" if n < 60 else f"app {n % 4}", "all": "yes"} for n in range(300)}
    slices["0299"] = {"rare": "once"}
    found = {(one.key, one.value): one for one in bridge([units], slices, resamples=500).slices}
    mail = found["app", "mail"]
    assert mail.difference.value == pytest.approx(1 - by_old[:60].mean())
    assert mail.p_holm < 0.001
    assert all(found["app", f"app {n}"].p_holm > 0.05 for n in range(4))
    assert mail.p_value * len(found) == pytest.approx(mail.p_holm)
    assert ("rare", "once") not in found


def test_without_a_verdict_of_both() -> None:
    values = np.array([1.0, np.nan])
    with pytest.raises(SuiteError, match="m against b: no id has a verdict of both judges"):
        bridge([ModelUnits("m", "b", of(values), of(values[::-1]))])


def line_of(rates: Rates) -> Line:
    line = fit_line(rates)
    assert isinstance(line, Line)
    return line


def test_the_line_finds_the_truth() -> None:
    x = np.linspace(-1.5, 1.5, 8)
    old, new = 1 / (1 + np.exp(-x)), 1 / (1 + np.exp(0.3 - 0.8 * x))
    rates = resampled_rates(*verdicts(old, new, 800, np.random.default_rng(7)), 1000, np.random.default_rng(8))
    line = line_of(rates)
    assert line.slope.ci is not None
    assert line.slope.ci.low < 0.8 < line.slope.ci.high
    found = line.convert(0.52)
    truth = share(-0.3 + 0.8 * np.log(0.52 / 0.48))
    assert found.value == pytest.approx(truth, abs=0.03)
    assert found.ci is not None
    assert found.ci.low < truth < found.ci.high
    assert found.ci_another_model.low < found.ci.low < found.ci.high < found.ci_another_model.high
    assert not found.extrapolated
    assert line.convert(0.95).extrapolated


def test_the_line_leads_back() -> None:
    """OLD to NEW to OLD is where it began, which least squares would not give."""
    rng = np.random.default_rng(9)
    old, new = verdicts(np.linspace(0.2, 0.7, 6), np.linspace(0.3, 0.6, 6), 100, rng)
    there = line_of(resampled_rates(old, new, 50, rng))
    back = line_of(resampled_rates(new, old, 50, rng))
    for rate in (0.1, 0.52, 0.9):
        assert back.convert(there.convert(rate).value).value == pytest.approx(rate)


@given(st.integers(0, 10_000))
def test_judges_who_agree_leave_rates_as_they_are(seed: int) -> None:
    rng = np.random.default_rng(seed)
    old = (rng.random((40, 5)) < np.linspace(0.1, 0.9, 5)).astype(float)
    line = fit_line(resampled_rates(old, old, 20, rng))
    if isinstance(line, Line):
        assert line.convert(0.52).value == pytest.approx(0.52)


def test_coverage_of_the_line() -> None:
    """Models fixed, ids resampled: nominal .95 in 200 draws (a standard error of .015)."""
    rng = np.random.default_rng(10)
    x = np.linspace(-1.2, 1.2, 8)
    old, new = 1 / (1 + np.exp(-x)), 1 / (1 + np.exp(0.2 - 0.8 * x))
    covered = another = 0
    for _ in range(200):
        found = line_of(resampled_rates(*verdicts(old, new, 150, rng), 200, rng)).convert(0.5)
        assert found.ci is not None
        covered += found.ci.low <= share(-0.2) <= found.ci.high
        another += found.ci_another_model.low <= share(-0.2) <= found.ci_another_model.high
    assert 0.9 <= covered / 200 <= 0.99
    assert another / 200 >= 0.95


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ((0.2, 0.4, 0.6, 0.8), (0.2, 0.4, 0.6, 0.8), "4 models, a line needs 5"),
        ((0.1, 0.3, 0.5, 0.7, 0.9), (0.9, 0.7, 0.5, 0.3, 0.1), "the judges' win rates do not rise together"),
    ],
)
def test_no_line(old: tuple[float, ...], new: tuple[float, ...], reason: str) -> None:
    rates = resampled_rates(*verdicts(np.array(old), np.array(new), 200, np.random.default_rng(11)), 50,
                            np.random.default_rng(12))  # fmt: skip
    assert fit_line(rates) == reason


def test_without_a_line_a_rate_moves_by_the_mean_difference() -> None:
    by_old, by_new = two_judges(np.random.default_rng(13), 400, 0.5, 0.6)
    found = bridge([ModelUnits("m", "b", of(by_old), of(by_new))], resamples=500)
    moved = found.convert(0.4)
    assert isinstance(moved, Estimate)
    assert found.difference.value is not None
    assert found.difference.ci is not None
    assert moved.ci is not None
    assert moved.value == pytest.approx(0.4 + found.difference.value)
    assert (moved.ci.low, moved.ci.high) == (0.4 + found.difference.ci.low, 0.4 + found.difference.ci.high)
    assert moved.reason == "1 model, a line needs 5"
    assert isinstance(found.convert(0.99), Estimate)
    assert found.convert(0.99).value == 1.0


def test_ranks_of_clear_and_of_close_models() -> None:
    rng = np.random.default_rng(14)
    clear = np.array([0.1, 0.4, 0.6, 0.9])
    found = rank_agreement(resampled_rates(*verdicts(clear, clear, 800, rng), 500, rng))
    assert (found.tau.value, found.n_pairs, found.n_sure, found.n_opposite) == (1.0, 6, 6, 0)
    assert found.tau.ci is not None
    assert (found.tau.ci.low, found.tau.ci.high) == (1.0, 1.0)
    close = np.full(4, 0.5)
    found = rank_agreement(resampled_rates(*verdicts(close, close, 100, rng), 500, rng))
    assert found.tau.ci is not None
    assert (found.tau.ci.low, found.tau.ci.high) == (-1.0, 1.0)
    swapped = rank_agreement(resampled_rates(*verdicts(clear, clear[[1, 0, 2, 3]], 800, rng), 500, rng))
    assert (swapped.n_sure, swapped.n_opposite) == (6, 1)
    assert swapped.tau.value == pytest.approx(4 / 6)


@pytest.mark.parametrize("n", [60, 300])
def test_coverage_of_the_ranks(n: int) -> None:
    """Judges who rank alike in truth: tau 1 must be inside, which resampled values of tau never reach."""
    rng = np.random.default_rng(15)
    rates = np.linspace(0.2, 0.8, 10)
    for _ in range(50):
        found = rank_agreement(resampled_rates(*verdicts(rates, rates, n, rng), 100, rng)).tau
        assert found.value is not None
        assert found.ci is not None
        assert found.ci.low <= found.value <= found.ci.high == 1.0


def test_no_ranks() -> None:
    one = resampled_rates(np.ones((5, 1)), np.ones((5, 1)), 10, np.random.default_rng(0))
    assert rank_agreement(one).tau.reason == "one model has no ranks"
    flat = resampled_rates(np.ones((5, 3)), np.ones((5, 3)), 10, np.random.default_rng(0))
    assert rank_agreement(flat).tau.reason == "a judge gives all models the same rate"


def test_the_public_form_is_json() -> None:
    rng = np.random.default_rng(16)
    old, new = verdicts(np.linspace(0.2, 0.8, 5), np.linspace(0.3, 0.7, 5), 120, rng)
    models = [ModelUnits(f"m{k}", "b", of(old[:60, k]), of(new[:, k])) for k in range(5)]
    found = bridge(models, resamples=300)
    raw = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert len(raw["line"]["table"]) == 19
    assert raw["models"][0]["converted"][0]["of"] == "old"
    assert raw["confusion"].keys() == {"win", "tie", "loss"}
    assert isinstance(found.convert(0.5), Converted)


@pytest.mark.data
@pytest.mark.skipif(not PAIRWISE.is_dir(), reason="needs the reference data beside the checkout (../shared/data)")
def test_two_of_alpaca_evals_judges() -> None:
    """From 200 ids, drawn at random, what one says of all 805 follows from the other's verdicts on them."""

    def read(judge: str) -> Units:
        rows = map(json.loads, (PAIRWISE / judge / "claude-2.1.jsonl").read_text().splitlines())
        wins = {f"{row['index']:03}": np.nan if row["preference"] is None else row["preference"] - 1 for row in rows}
        return Units(tuple(sorted(wins)), np.array([wins[id_] for id_ in sorted(wins)]))

    old, new = read("alpaca_eval_cot_gpt4_turbo_fn"), read("weighted_alpaca_eval_gpt4_turbo")
    rng = np.random.default_rng(17)
    truth, inside = float(np.nanmean(old.values)), 0
    for _ in range(40):
        drawn = np.sort(rng.permutation(805)[:200])
        anchor = Units(tuple(old.ids[place] for place in drawn), old.values[drawn])
        found = converted_rate("old", new, anchor, resamples=50, level=0.95, rng=rng).estimate
        assert found.ci is not None
        inside += found.ci.low <= truth <= found.ci.high
    assert inside >= 37
