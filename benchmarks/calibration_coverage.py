"""How often the intervals of a calibrated win rate hold the truth, by simulation; beside them those of the judge alone.

    OMP_NUM_THREADS=1 python benchmarks/calibration_coverage.py [--draws 10000]

Prints a table in Markdown: one row a cell of judged ids, labelled ids and win rate. The judge is right in 8 of 10
ids and else says the opposite. Nominal level .95.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from alpaca_eval_suite.stats.calibrate import calibrate
from alpaca_eval_suite.stats.totals import Estimate
from alpaca_eval_suite.stats.units import Units

RIGHT = 0.8
RESAMPLES = 300
CELLS = [(ids, labelled, rate) for ids in (252, 805) for labelled in (50, 100, 200) for rate in (0.05, 0.3, 0.5)]
COLUMNS = ("ppi", "rogan_gladen", "people", "naive")


def cell(ids: int, labelled: int, rate: float, draws: int) -> str:
    rng = np.random.default_rng(0)
    names = tuple(f"{number:04}" for number in range(ids))
    covered = dict.fromkeys(COLUMNS, 0)
    given = dict.fromkeys(COLUMNS, 0)
    saved = []
    for _ in range(draws):
        truth = (rng.random(ids) < rate).astype(np.float64)
        judge = np.where(rng.random(ids) < RIGHT, truth, 1 - truth)
        found = calibrate(Units(names, judge), Units(names[:labelled], truth[:labelled]), resamples=RESAMPLES, rng=rng)
        saved.append(found.labels_saved)
        for column in COLUMNS:
            estimate: Estimate = getattr(found, column)
            if estimate.ci is not None:
                given[column] += 1
                covered[column] += estimate.ci.low <= rate <= estimate.ci.high
    shares = [f"{covered[column] / given[column]:.3f}" for column in COLUMNS]
    refused = 1 - given["rogan_gladen"] / draws
    return f"| {ids} | {labelled} | {rate} | {' | '.join(shares)} | {refused:.0%} | {np.median(saved):.0f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=10_000)
    draws = parser.parse_args().draws
    print("| judged | labelled | rate | PPI++ | Rogan–Gladen | labels alone | judge alone | refused | labels saved |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for ids, labelled, rate in CELLS:
        print(cell(ids, labelled, rate, draws), flush=True)


if __name__ == "__main__":
    main()
