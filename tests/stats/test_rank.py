"""Ratings against published values and a direct fit; separation, parts, and what is said of them."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.stats import Match, Ranking, Units, rank, win_rate
from alpaca_eval_suite.stats.rank import ELO

NAN = float("nan")
TEAMS = ("Baltimore", "Cleveland", "Boston", "New York", "Toronto", "Detroit", "Milwaukee")
# The American League of 1987, wins of the row's team over the column's: Agresti (2013), Categorical Data
# Analysis, table 11.10.
WINS = [
    [0, 7, 1, 3, 1, 4, 2],
    [6, 0, 6, 6, 5, 4, 4],
    [12, 7, 0, 7, 6, 2, 6],
    [10, 7, 6, 0, 6, 8, 6],
    [12, 8, 7, 7, 0, 6, 4],
    [9, 9, 11, 5, 7, 0, 6],
    [11, 9, 7, 7, 9, 7, 0],
]


def match(model: str, baseline: str, values: list[float] | np.ndarray, start: int = 0) -> Match:
    ids = tuple(f"{start + i:04}" for i in range(len(values)))
    return Match(model, baseline, Units(ids, np.array(values, dtype=np.float64)))


def league() -> list[Match]:
    return [
        match(TEAMS[i], TEAMS[j], [1.0] * WINS[i][j] + [0.0] * WINS[j][i])
        for j, i in combinations(range(len(TEAMS)), 2)
    ]


def ratings(ranking: Ranking) -> dict[str, float]:
    return {rating.name: rating.rating for rating in ranking.ratings}


def star(n: int = 300, rates: tuple[float, ...] = (0.3, 0.5, 0.7), seed: int = 0) -> list[Match]:
    rng = np.random.default_rng(seed)
    return [
        match(f"m{k}", "base", rng.choice([0.0, 0.5, 1.0], n, p=[(1 - p) * 0.9, 0.1, p * 0.9]))
        for k, p in enumerate(rates)
    ]


def round_robin(n: int = 60, seed: int = 1) -> list[Match]:
    rng = np.random.default_rng(seed)
    theta = [0.0, 0.4, -0.5, 1.0]
    return [
        match(f"m{i}", f"m{j}", rng.beta(2, 2, n) * 0.4 + 0.6 * (rng.random(n) < 1 / (1 + np.exp(theta[j] - theta[i]))))
        for j, i in combinations(range(4), 2)
    ]


def test_published_ratings() -> None:
    """Agresti (2013), section 11.6.1: Milwaukee 1.58 to Cleveland .68 above Baltimore."""
    ranking = rank(league(), resamples=50)
    assert ranking.anchor == "Baltimore"
    assert [rating.name for rating in ranking.ratings] == list(reversed(TEAMS))
    published = {"Milwaukee": 1.58, "Detroit": 1.44, "Toronto": 1.29, "New York": 1.25, "Boston": 1.11}
    assert ratings(ranking) == pytest.approx({**published, "Cleveland": 0.68, "Baltimore": 0.0}, abs=0.006)


def test_fractions_equal_a_direct_fit() -> None:
    matches = round_robin()

    def loss(theta: np.ndarray) -> float:
        full = dict(zip(("m0", "m1", "m2", "m3"), np.concatenate([[0.0], theta]), strict=True))
        return float(
            sum(
                (np.logaddexp(0, -d) * m.units.values + np.logaddexp(0, d) * (1 - m.units.values)).sum()
                for m in matches
                for d in [full[m.model] - full[m.baseline]]
            )
        )

    direct = minimize(loss, np.zeros(3), method="BFGS", options={"gtol": 1e-9})
    found = ratings(rank(matches, resamples=50))
    assert found["m0"] == 0.0
    assert [found[name] for name in ("m1", "m2", "m3")] == pytest.approx(direct.x, abs=1e-6)


def test_davidson_equals_a_direct_fit() -> None:
    rng = np.random.default_rng(4)
    matches = [
        match(f"m{i}", f"m{j}", rng.choice([0.0, 0.5, 1.0], 40, p=[0.3, 0.25, 0.45]))
        for j, i in combinations(range(4), 2)
    ]

    def loss(parameters: np.ndarray) -> float:
        full = dict(zip(("m0", "m1", "m2", "m3"), np.concatenate([[0.0], parameters[:3]]), strict=True))
        total = 0.0
        for m in matches:
            d = full[m.model] - full[m.baseline]
            weights = {1.0: np.exp(d / 2), 0.5: np.exp(parameters[3]), 0.0: np.exp(-d / 2)}
            total -= sum(np.log(weights[v] / sum(weights.values())) for v in m.units.values)
        return float(total)

    direct = minimize(loss, np.zeros(4), method="BFGS", options={"gtol": 1e-8})
    ranking = rank(matches, davidson=True, resamples=50)
    assert [ratings(ranking)[name] for name in ("m1", "m2", "m3")] == pytest.approx(direct.x[:3], abs=1e-5)
    assert ranking.tie_parameter == pytest.approx(np.exp(direct.x[3]), abs=1e-5)
    assert ranking.method == "davidson"


def test_with_one_baseline_a_rating_is_the_logit_of_the_win_rate() -> None:
    matches = star(800)
    ranking = rank(matches)
    for m in matches:
        found, rating = win_rate(m.units), next(r for r in ranking.ratings if r.name == m.model)
        assert found.win_rate is not None
        assert found.ci is not None
        assert rating.rating == pytest.approx(np.log(found.win_rate / (1 - found.win_rate)))
        ends = [np.log(end / (1 - end)) for end in (found.ci.low, found.ci.high)]
        assert [rating.ci.low, rating.ci.high] == pytest.approx(ends, abs=0.02)
        assert rating.ci.method == "bca"


def test_elo_is_400_points_to_a_factor_of_ten() -> None:
    (best, base) = rank([match("m", "base", [1.0] * 200 + [0.0] * 20)], resamples=50).ratings
    assert best.elo == pytest.approx(400.0)
    assert best.as_json()["elo_ci"]["low"] == pytest.approx(ELO * best.ci.low)
    assert (base.rating, base.ci.low, base.ci.high, base.rank) == (0.0, 0.0, 0.0, 2)


def test_both_directions_of_a_pair_are_one() -> None:
    values = np.random.default_rng(2).random(80)
    turned = rank([match("b", "a", values), match("a", "b", 1 - values, start=80)], resamples=50)
    once = rank([match("b", "a", np.concatenate([values, values]))], resamples=50)
    assert ratings(turned) == pytest.approx(ratings(once))


def test_jeffreys_prior_for_a_model_that_wins_all() -> None:
    """With one baseline the prior is half a win and half a loss more: log((n + ½)/½)."""
    matches = [*star(), match("best", "base", [1.0] * 300)]
    ranking = rank(matches)
    best = ranking.ratings[0]
    assert best.name == "best"
    assert best.rating == pytest.approx(np.log(300.5 / 0.5))
    half = 1.959964 * np.sqrt(1 / (300 * (300.5 / 301) * (0.5 / 301)))
    assert (best.ci.low, best.ci.high) == pytest.approx((best.rating - half, best.rating + half), rel=1e-5)
    assert best.ci.method.startswith("wald (fall-back: 300 wins and 0 losses")
    assert ranking.method == "bradley-terry, jeffreys prior"
    assert ranking.notes == (
        "separated data (every unit won: best over base): the ratings are finite by Jeffreys' prior alone",
    )
    assert (best.rank_low, best.rank_high) == (1, 1)


@pytest.mark.parametrize("davidson", [False, True])
def test_jeffreys_prior_equals_a_direct_fit(davidson: bool) -> None:
    """Firth's penalised likelihood, maximised without derivatives, on three models of which one won all."""
    wins = {("b", "a"): (4, 2, 3), ("c", "a"): (6, 0, 0), ("c", "b"): (5, 0, 0)}
    matches = [match(i, j, [1.0] * w + [0.5] * t + [0.0] * x) for (i, j), (w, t, x) in wins.items()]
    names = ("a", "b", "c")

    def penalised(parameters: np.ndarray) -> float:
        theta = dict(zip(names, [0.0, parameters[0], parameters[1]], strict=True))
        size, log_likelihood = 3 if davidson else 2, 0.0
        information = np.zeros((size, size))
        for (i, j), counts in wins.items():
            d = theta[i] - theta[j]
            if davidson:
                weights = np.exp([d / 2, parameters[2], -d / 2])
                design = np.array([[0.5, 0.0], [0.0, 1.0], [-0.5, 0.0]])
                counted = np.array(counts, dtype=np.float64)
            else:
                weights, design = np.exp([d / 2, -d / 2]), np.array([[0.5], [-0.5]])
                counted = np.array([counts[0] + counts[1] / 2, counts[2] + counts[1] / 2])
            p = weights / weights.sum()
            log_likelihood += float(counted @ np.log(p))
            contrast = np.zeros((size, design.shape[1]))
            for name, sign in ((i, 1.0), (j, -1.0)):
                if name != "a":
                    contrast[names.index(name) - 1, 0] = sign
            if davidson:
                contrast[2, 1] = 1.0
            covariance = (design.T * p) @ design - np.outer(p @ design, p @ design)
            information += counted.sum() * contrast @ covariance @ contrast.T
        return -(log_likelihood + np.linalg.slogdet(information)[1] / 2)

    options = {"xatol": 1e-9, "fatol": 1e-12, "maxiter": 20_000, "maxfev": 20_000}
    direct = minimize(penalised, np.zeros(3 if davidson else 2), method="Nelder-Mead", options=options)
    ranking = rank(matches, davidson=davidson, resamples=200)
    found = ratings(ranking)
    assert [found["b"], found["c"]] == pytest.approx(direct.x[:2], abs=1e-5)
    assert ranking.method.endswith("jeffreys prior")


def test_a_link_that_is_swept_bounds_nothing_behind_it() -> None:
    """b and c are well known to each other, but all that links them to a is six wins of b."""
    matches = [match("b", "a", [1.0] * 6), match("c", "b", [1.0] * 60 + [0.0] * 60)]
    ranking = rank(matches)
    of = {rating.name: rating for rating in ranking.ratings}
    assert of["c"].ci.method == "wald (fall-back: nothing but wins, or nothing but losses, between it and the anchor)"
    assert of["c"].ci.high - of["c"].ci.low > 3


def test_all_ties() -> None:
    (one, other) = rank([match("m", "base", [0.5] * 50)]).ratings
    assert (one.rating, other.rating) == (0.0, 0.0)
    assert one.rank == other.rank == 1
    assert (one.rank_low, one.rank_high) == (1, 2)
    m = one if one.name == "m" else other
    assert m.ci.method == "wald (fall-back: 0 wins and 0 losses, BCa needs 15 of each)"
    assert m.ci.high == pytest.approx(1.959964 * 2 / np.sqrt(50), rel=1e-5)


def test_one_unit() -> None:
    best = rank([match("m", "base", [1.0])]).ratings[0]
    # Jeffreys: (1 + ½) over ½.
    assert best.rating == pytest.approx(np.log(3))
    assert best.ci.low < 0 < best.ci.high
    assert (best.rank_low, best.rank_high) == (1, 2)


def test_failed_units_are_counted() -> None:
    rated = {
        r.name: r for r in rank([match("m", "base", [1.0, 0.0, NAN]), match("k", "base", [1.0, 0.0, 1.0])]).ratings
    }
    assert (rated["m"].n, rated["m"].n_failed, rated["base"].n, rated["base"].n_failed) == (2, 1, 5, 1)


def test_parts_are_named() -> None:
    with pytest.raises(SuiteError) as caught:
        rank([match("a", "b", [1.0, 0.0]), match("c", "d", [1.0, 0.0])])
    assert caught.value.what == "the models fall into 2 parts that were never compared with each other: b, a; c, d"


def test_a_thread_that_breaks_in_resamples() -> None:
    """One of 41 ids links the parts: it is missing from a third of the resamples."""
    matches = [match("b", "a", [1.0, 0.0] * 20), match("c", "a", [1.0], start=40)]
    with pytest.raises(SuiteError, match="too few ids hold the models together"):
        rank(matches, resamples=200)


def test_what_cannot_be_ranked() -> None:
    with pytest.raises(SuiteError, match="nothing to rank"):
        rank([])
    with pytest.raises(UsageError, match="'m' is compared with itself"):
        rank([match("m", "m", [1.0])])
    with pytest.raises(SuiteError, match="m against base has no unit with a value"):
        rank([match("m", "base", [NAN, NAN])])
    with pytest.raises(UsageError, match="holds fractions of a win"):
        rank([match("m", "base", [0.3, 1.0])], davidson=True)


def test_without_ties_davidson_is_bradley_terry_but_for_the_prior() -> None:
    matches = [match("m", "base", [1.0] * 200 + [0.0] * 100)]
    ranking = rank(matches, davidson=True, resamples=50)
    assert ranking.method == "davidson, jeffreys prior"
    assert ranking.ratings[0].rating == pytest.approx(np.log(2), abs=0.01)
    assert 0 < (ranking.tie_parameter or NAN) < 0.01


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_ratings_do_not_depend_on_the_order_of_matches(seed: int) -> None:
    matches = round_robin(20, seed)
    shuffled = [matches[0], *np.random.default_rng(seed).permutation(np.array(matches[1:], dtype=object))]
    assert ratings(rank(shuffled, resamples=20)) == pytest.approx(ratings(rank(matches, resamples=20)), abs=1e-7)


def test_the_same_ids_are_drawn_for_all() -> None:
    """A model and its twin move together: their difference is known exactly, and neither is above the other."""
    matches = star(300, (0.3, 0.7))
    twin = Match("twin", "base", matches[1].units)
    of = {rating.name: rating for rating in rank([*matches, twin]).ratings}
    assert of["twin"].rank == of["m1"].rank == 1
    assert (of["twin"].rank_low, of["twin"].rank_high) == (of["m1"].rank_low, of["m1"].rank_high) == (1, 2)


def test_a_hundred_models_are_few_seconds() -> None:
    from time import process_time

    matches = star(805, tuple(np.linspace(0.1, 0.9, 99)))
    start = process_time()
    ranking = rank(matches)
    assert process_time() - start < 15
    assert len(ranking.ratings) == 100
    assert all(rating.rank_low <= rating.rank <= rating.rank_high for rating in ranking.ratings)
