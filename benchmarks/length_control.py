"""Length control with 1,000 refits of one model on 805 ids, against the same refits one by one with scikit-learn.

    OMP_NUM_THREADS=1 python benchmarks/length_control.py

Prints the median time of each (scikit-learn's for a twentieth of the refits, times twenty), their ratio, and the
standard errors that both come to. Without and with 1,610 auxiliary rows, as AlpacaEval has them.
"""

import sys
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
from sklearn.linear_model import LogisticRegression

sys.path.insert(0, str(Path(__file__).parents[1]))

from alpaca_eval_suite.stats.length_control import RIDGE, length_control, standardised
from alpaca_eval_suite.stats.length_data import Auxiliary, LengthData
from alpaca_eval_suite.stats.length_design import Design, make_design
from alpaca_eval_suite.stats.logistic import sigmoid

IDS, REFITS, REPEATS, TARGET_SECONDS = 805, 1000, 5, 3.0
THEIR_REFITS = REFITS // 20


def simulated() -> tuple[LengthData, dict[str, float], Auxiliary]:
    rng = np.random.default_rng(0)
    ids = tuple(str(number) for number in range(IDS))
    gamma = rng.normal(0, 1.5, IDS)
    difference = rng.normal(-200, 600, IDS)
    wins = np.clip(sigmoid(-1.5 + np.tanh(difference / 600) + 0.6 * gamma) + rng.normal(0, 0.2, IDS), 0, 1)
    twice = np.concatenate([gamma, gamma])
    length = np.concatenate([rng.normal(1, 1, IDS), rng.normal(-1, 1, IDS)])
    chances = sigmoid(np.tanh(length) + 0.2 * twice)
    auxiliary = Auxiliary(ids + ids, chances, length, twice, np.zeros(2 * IDS, dtype=bool), 2)
    return LengthData(ids, wins, difference), dict(zip(ids, gamma.tolist(), strict=True)), auxiliary


def seconds_of_ours(data: LengthData, difficulty: dict[str, float], auxiliary: Auxiliary | None) -> tuple[float, float]:
    """The median time, and the standard error."""
    times = []
    for _ in range(REPEATS):
        start = perf_counter()
        found = length_control(data, difficulty=difficulty, auxiliary=auxiliary, refits=REFITS)
        times.append(perf_counter() - start)
    return median(times), found.se or 0.0


def seconds_of_theirs(design: Design) -> tuple[float, float]:
    """The time of all refits, from a part of them, and the standard error. A fraction y is a row of each class."""
    rng = np.random.default_rng(0)
    rows, classes = np.concatenate([design.rows, design.rows]), np.repeat([1, 0], len(design.target))
    shares = np.concatenate([design.target, 1 - design.target])
    rates = []
    start = perf_counter()
    for _ in range(THEIR_REFITS):
        times = rng.multinomial(IDS, np.full(IDS, 1 / IDS))
        weights = np.tile(times[design.id_of_row] * design.weights, 2) * shares
        model = LogisticRegression(C=1 / RIDGE, fit_intercept=False).fit(rows, classes, sample_weight=weights)
        rates.append(float(times @ model.predict_proba(design.at_equal_lengths)[:, 1]) / IDS)
    return (perf_counter() - start) * REFITS / THEIR_REFITS, float(np.std(rates, ddof=1))


def main() -> None:
    data, difficulty, auxiliary = simulated()
    gamma = np.array(list(difficulty.values()))
    print(f"{IDS} ids, {REFITS:,} refits, median of {REPEATS}; target {TARGET_SECONDS:g} s")
    for name, more in (("without auxiliary rows", None), ("with 1,610 auxiliary rows", auxiliary)):
        ours, se = seconds_of_ours(data, difficulty, more)
        design = make_design(data.ids, data.wins, standardised(data.difference), gamma, more)
        theirs, their_se = seconds_of_theirs(design)
        print(
            f"{name:>26}: ours {ours:6.3f} s (standard error {100 * se:.3f} points), "
            f"scikit-learn {theirs:6.2f} s ({100 * their_se:.3f}), ratio {theirs / ours:5.1f}"
        )


if __name__ == "__main__":
    main()
