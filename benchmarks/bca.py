"""Our BCa interval against scipy.stats.bootstrap on the same 805 units, 10,000 resamples, one core.

    OMP_NUM_THREADS=1 python benchmarks/bca.py

Prints the median time of each over several repeats, their ratio, and the two intervals.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import scipy.stats

sys.path.insert(0, str(Path(__file__).parents[1]))

from alpaca_eval_suite.stats import bca

UNITS, RESAMPLES, REPEATS = 805, 10_000, 9
TARGET_SECONDS = {"win/tie/loss": 0.03, "fractions": 0.1}


def samples() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "win/tie/loss": rng.choice([0.0, 0.5, 1.0], UNITS, p=[0.65, 0.05, 0.3]),
        "fractions": rng.beta(0.3, 0.6, UNITS),
    }


def scipy_bca(values: np.ndarray) -> tuple[float, float]:
    # Its default draws all resamples at once; a batch of 100 was the fastest of those tried.
    interval = scipy.stats.bootstrap(
        (values,), np.mean, n_resamples=RESAMPLES, method="BCa", batch=100, rng=np.random.default_rng(1)
    ).confidence_interval
    return float(interval.low), float(interval.high)


def our_bca(values: np.ndarray) -> tuple[float, float]:
    interval = bca(values, resamples=RESAMPLES, rng=np.random.default_rng(1))
    return interval.low, interval.high


def seconds(call: Callable[[np.ndarray], tuple[float, float]], values: np.ndarray) -> float:
    call(values)  # once unmeasured: imports and caches
    times = []
    for _ in range(REPEATS):
        start = perf_counter()
        call(values)
        times.append(perf_counter() - start)
    return median(times)


def main() -> None:
    print(f"{UNITS} units, {RESAMPLES:,} resamples, median of {REPEATS}; scipy {scipy.__version__}")
    for name, values in samples().items():
        ours, theirs = seconds(our_bca, values), seconds(scipy_bca, values)
        (low, high), (their_low, their_high) = our_bca(values), scipy_bca(values)
        print(
            f"{name:>12}: ours {ours * 1000:6.1f} ms (target {TARGET_SECONDS[name] * 1000:.0f}), "
            f"scipy {theirs * 1000:6.1f} ms, ratio {theirs / ours:5.1f}; "
            f"ours [{low:.4f}, {high:.4f}], scipy [{their_low:.4f}, {their_high:.4f}]"
        )


if __name__ == "__main__":
    main()
