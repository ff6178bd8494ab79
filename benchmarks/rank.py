"""`rank` of 100 models on 805 instructions, with intervals and rank sets; against refits by scipy.optimize.

    OMP_NUM_THREADS=1 python benchmarks/rank.py

Two fields: all against one baseline (99 pairs), and all against all (4,950 pairs, 80 instructions each). Prints
seconds of CPU for all of it, and for one refit, ours beside scipy.optimize.minimize (L-BFGS-B with the gradient)
on the same resamples. The exit code is 1 where the first field takes longer than 15 seconds.
"""

import sys
from itertools import combinations
from pathlib import Path
from time import process_time

import numpy as np
from scipy.optimize import minimize

sys.path.insert(0, str(Path(__file__).parents[1]))

from alpaca_eval_suite.stats import Match, Ranking, Units, rank

MODELS, UNITS, FEWER_UNITS, RESAMPLES, REFITS = 100, 805, 80, 2_000, 20
TARGET_SECONDS = 15


def field(pairs: list[tuple[int, int]], units: int) -> list[Match]:
    rng = np.random.default_rng(0)
    theta = rng.normal(0, 0.7, MODELS)
    ids = tuple(f"{i:04}" for i in range(units))
    matches = []
    for i, j in pairs:
        p = 1 / (1 + np.exp(theta[j] - theta[i]))
        matches.append(
            Match(f"m{i}", f"m{j}", Units(ids, rng.choice([0, 0.5, 1], units, p=[0.9 - 0.9 * p, 0.1, 0.9 * p])))
        )
    return matches


def ours(matches: list[Match]) -> tuple[float, Ranking]:
    start = process_time()
    found = rank(matches, resamples=RESAMPLES)
    return process_time() - start, found


def theirs(pairs: list[tuple[int, int]], matches: list[Match]) -> float:
    """Seconds a refit, by scipy on sums a pair: what a loop over resamples would cost."""
    first, second = np.array(pairs).T
    values = np.array([match.units.values for match in matches])
    rng = np.random.default_rng(1)
    start = process_time()
    for _ in range(REFITS):
        weights = rng.multinomial(values.shape[1], np.full(values.shape[1], 1 / values.shape[1]))
        won, n = values @ weights, float(weights.sum())

        def loss(free: np.ndarray, won: np.ndarray = won, n: float = n) -> tuple[float, np.ndarray]:
            theta = np.concatenate([[0.0], free])
            d = theta[first] - theta[second]
            residual = n / (1 + np.exp(-d)) - won
            gradient = np.bincount(first, residual, MODELS) - np.bincount(second, residual, MODELS)
            return float(won @ np.logaddexp(0, -d) + (n - won) @ np.logaddexp(0, d)), gradient[1:]

        minimize(loss, np.zeros(MODELS - 1), jac=True, method="L-BFGS-B")
    return (process_time() - start) / REFITS


def main() -> int:
    fields = {
        "one baseline": ([(i, 0) for i in range(1, MODELS)], UNITS),
        "all against all": ([(i, j) for j, i in combinations(range(MODELS), 2)], FEWER_UNITS),
    }
    slow = False
    for name, (pairs, units) in fields.items():
        matches = field(pairs, units)
        seconds, found = ours(matches)
        a_refit = theirs(pairs, matches)
        widest = max(rating.rank_high - rating.rank_low for rating in found.ratings)
        print(
            f"{name}: {MODELS} models, {len(pairs)} pairs, {units} ids, {RESAMPLES} resamples: {seconds:.1f} s in all "
            f"({1000 * seconds / RESAMPLES:.2f} ms a refit; scipy.optimize {1000 * a_refit:.1f} ms, "
            f"{RESAMPLES * a_refit / seconds:.0f} times as long); widest rank set {widest + 1} ranks"
        )
        slow = slow or (name == "one baseline" and seconds > TARGET_SECONDS)
    return int(slow)


if __name__ == "__main__":
    sys.exit(main())
