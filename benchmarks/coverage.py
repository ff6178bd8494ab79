"""How often intervals hold the truth, by simulation, the naive methods beside; writes docs/coverage.md.

    OMP_NUM_THREADS=1 python benchmarks/coverage.py [--draws 10000] [--resamples 4000] [--out docs/coverage.md]

About four minutes on one core. An interval of wins, ties and losses depends on their counts alone, so that each
triple of counts is computed once, however often it is drawn. Fewer resamples than the package's 10,000 are used: they
blur the ends a little, which can only lower the coverage. The exit code is 1 where a headline method misses
[.935, .975] at n >= 252, or an anytime or simultaneous method lies below .935.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from scipy.stats import t as student

sys.path.insert(0, str(Path(__file__).parents[1]))

from alpaca_eval_suite.files import write_atomic
from alpaca_eval_suite.stats import Match, Units, rank
from alpaca_eval_suite.stats.bootstrap import percentile
from alpaca_eval_suite.stats.calibrate import calibrate
from alpaca_eval_suite.stats.sequential import log_capital
from alpaca_eval_suite.stats.win_rate import win_interval

LOWEST, HIGHEST = 0.935, 0.975
SIZES, RATES, TIES = (50, 252, 805), (0.05, 0.3, 0.5), (0.0, 0.1, 0.3)
OUTCOMES = np.array([1.0, 0.5, 0.0])


@dataclass(frozen=True)
class Row:
    """A line of a table: the cell's settings, then shares of draws that held the truth, the headline's first."""

    settings: tuple[str, ...]
    covered: tuple[float, ...]
    kept: bool


def shares(rate: float, ties: float) -> np.ndarray:
    """P(win), P(tie), P(loss), `rate` being the share of wins among what is decided."""
    return np.array([(1 - ties) * rate, ties, (1 - ties) * (1 - rate)])


def wald(values: np.ndarray) -> tuple[float, float]:
    half = 1.959964 * values.std(ddof=1) / np.sqrt(len(values))
    return values.mean() - half, values.mean() + half


def win_rates(draws: int, resamples: int) -> Iterator[Row]:
    rng = np.random.default_rng(0)
    for n, rate, ties in product(SIZES, RATES, TIES):
        p = shares(rate, ties)
        truth = float(p @ OUTCOMES)
        triples, times = np.unique(rng.multinomial(n, p, size=draws), axis=0, return_counts=True)
        held = np.zeros(3)
        for triple, count in zip(triples, times, strict=True):
            values = np.repeat(OUTCOMES, triple)
            ours = win_interval(values, method="auto", resamples=resamples, level=0.95, rng=rng)
            ends = [(ours.low, ours.high), wald(values)]
            if len(np.unique(values)) > 1:
                naive = percentile(values, resamples=resamples, rng=rng)
                ends.append((naive.low, naive.high))
            else:  # the bootstrap of equal values is a point
                ends.append((values[0], values[0]))
            held += [count * (low - 1e-12 <= truth <= high + 1e-12) for low, high in ends]
        covered = tuple(float(share) for share in held / draws)
        kept = n < 252 or LOWEST <= covered[0] <= HIGHEST
        yield Row((str(n), f"{rate}", f"{ties}", f"{truth:.4g}"), covered, kept)


def calibrated(draws: int, resamples: int) -> Iterator[Row]:
    """A judge who is right in 80 % of what people decide, but likes the model: 85 % of its wins, 70 % of its losses."""
    rng = np.random.default_rng(1)
    for n_judged, n_labelled in product((252, 805), (50, 100, 200)):
        ids = tuple(f"{i:04}" for i in range(n_judged))
        truth, held = 0.4, np.zeros(4)
        for _ in range(draws):
            people = (rng.random(n_judged) < truth).astype(np.float64)
            judge = np.where(people == 1, rng.random(n_judged) < 0.85, rng.random(n_judged) < 0.3).astype(np.float64)
            which = np.sort(rng.permutation(n_judged)[:n_labelled])
            labels = Units(tuple(ids[i] for i in which), people[which])
            found = calibrate(Units(ids, judge), labels, resamples=resamples, rng=rng)
            for i, estimate in enumerate((found.ppi, found.rogan_gladen, found.people, found.naive)):
                held[i] += estimate.ci is not None and estimate.ci.low <= truth <= estimate.ci.high
        covered = tuple(float(share) for share in held / draws)
        yield Row((str(n_judged), str(n_labelled)), covered, LOWEST <= covered[0] <= HIGHEST)


def sequences(draws: int) -> Iterator[Row]:
    rng = np.random.default_rng(2)
    for n, rate, ties in product((252, 805), RATES, (0.0, 0.3)):
        population = np.repeat(OUTCOMES, np.round(n * shares(rate, ties)).astype(int))
        mean, held = population.mean(), np.zeros(2)
        looks = np.arange(10, len(population))
        quantiles = student.ppf(0.975, looks - 1)
        for _ in range(draws):
            x = rng.permutation(population)
            below = log_capital(x, len(x), np.array([mean]), 0.025)[:-1].max()
            above = log_capital(1 - x, len(x), np.array([1 - mean]), 0.025)[:-1].max()
            held[0] += max(below, above) < np.log(40)
            means, squares = np.cumsum(x)[looks - 1] / looks, np.cumsum(x**2)[looks - 1] / looks
            half = quantiles * np.sqrt(np.maximum(squares - means**2, 0) / (looks - 1))
            held[1] += (np.abs(means - mean) <= half).all()
        covered = tuple(float(share) for share in held / draws)
        yield Row((str(len(population)), f"{rate}", f"{ties}"), covered, covered[0] >= LOWEST)


def rank_sets(draws: int, resamples: int) -> Iterator[Row]:
    """8 models against one baseline on 252 ids; all sets at once."""
    rng = np.random.default_rng(3)
    fields = {"8 tied": np.zeros(8), "pairs, 0.2 apart": np.repeat([0.0, 0.2, 0.4, 0.6], 2)}
    for name, theta in fields.items():
        p = 1 / (1 + np.exp(-theta))
        best = np.array([1 + (theta > t).sum() for t in theta])
        worst = np.array([len(theta) - (theta < t).sum() for t in theta])
        ids, held = tuple(f"{i:03}" for i in range(252)), np.zeros(2)
        for _ in range(draws):
            # What is hard for one model is hard for all: half of the ids are decided for all at once.
            common, own = rng.random((252, 1)), rng.random((252, 8))
            values = (np.where(rng.random((252, 1)) < 0.5, common, own) < p).astype(np.float64)
            matches = [Match(f"m{k}", "base", Units(ids, values[:, k])) for k in range(8)]
            found = {rating.name: rating for rating in rank(matches, resamples=resamples, rng=rng).ratings}
            # The baseline is one of those ranked, at 0 with the lowest.
            low, high = (
                np.array([getattr(found[f"m{k}"], end) for k in range(8)]) for end in ("rank_low", "rank_high")
            )
            below = int((theta > 0).sum())
            held[0] += bool((low <= best).all() and (high >= worst + 1 - (theta > 0)).all()) and (
                found["base"].rank_low <= 1 + below and found["base"].rank_high == 9
            )
            held[1] += _percentiles_hold(values, best, worst, resamples, rng)
        covered = tuple(float(share) for share in held / draws)
        yield Row((name,), covered, covered[0] >= LOWEST)


def _percentiles_hold(
    values: np.ndarray, best: np.ndarray, worst: np.ndarray, resamples: int, rng: np.random.Generator
) -> bool:
    """Whether the percentiles of ranks in resamples hold the ranks of the 8 models among themselves."""
    weights = rng.multinomial(len(values), np.full(len(values), 1 / len(values)), size=resamples)
    order = (-(weights @ values)).argsort(axis=1, kind="stable").argsort(axis=1, kind="stable") + 1
    low, high = np.quantile(order, [0.025, 0.975], axis=0, method="inverted_cdf")
    return bool((low <= best).all() and (high >= worst).all())


def table(head: tuple[str, ...], rows: list[Row]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + " ---: |" * len(head)]
    for row in rows:
        first = f"{row.covered[0]:.3f}" if row.kept else f"**{row.covered[0]:.3f}**"
        lines.append("| " + " | ".join((*row.settings, first, *(f"{share:.3f}" for share in row.covered[1:]))) + " |")
    return "\n".join(lines)


def page(parts: dict[str, str], draws: int, resamples: int) -> str:
    return (
        "# Coverage: how often the intervals hold the truth\n\n"
        f"Made by `benchmarks/coverage.py` with {draws:,} simulated draws a cell (where a section says otherwise, that "
        f"many) and {resamples:,} resamples. Nominal is .950; with 10,000 draws a figure is good to ± .004. The first "
        "figure of a line is this package's default, the others are what is done elsewhere. A default outside "
        f"[{LOWEST}, {HIGHEST}] at n ≥ 252 is in bold.\n\n"
        + "\n\n".join(f"## {title}\n\n{text}" for title, text in parts.items())
        + "\n"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=10_000)
    parser.add_argument("--resamples", type=int, default=4_000)
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "docs" / "coverage.md")
    options = parser.parse_args()
    draws, fewer = options.draws, max(1, options.draws // 5)
    sections: dict[str, tuple[str, tuple[str, ...], Callable[[], Iterator[Row]]]] = {
        "Win rate": (
            "`rate` is the share of wins among decided units, `ties` the share of ties. Default: BCa with its "
            "fall-backs. Beside it: the estimate ± 1.96 standard errors, and the percentile bootstrap.",
            ("n", "rate", "ties", "win rate", "default", "± 1.96 SE", "percentile"),
            lambda: win_rates(draws, options.resamples),
        ),
        "Calibrated win rate": (
            f"People prefer the model in 40 %; the judge says so in 85 % of these and in 30 % of the others. N ids "
            f"judged, n of them labelled; {fewer:,} draws a cell. Default: PPI++. Beside it: Rogan–Gladen, the labels "
            "alone, and the judge uncorrected.",
            ("N", "n", "PPI++", "Rogan–Gladen", "labels alone", "judge alone"),
            lambda: calibrated(fewer, 300),
        ),
        "Sequential, at every look": (
            "The share of orders in which the mean of all N is inside at every look. Beside it: a t interval at every "
            "look from the 10th on.",
            ("N", "rate", "ties", "sequence", "t at every look"),
            lambda: sequences(draws),
        ),
        "Rank sets, all at once": (
            f"8 models and their baseline, which is as good as the lowest, on 252 ids of which half are decided for "
            f"all at once; {fewer // 4:,} draws, 500 resamples. Beside it: percentiles of the ranks in resamples.",
            ("models", "rank sets", "percentiles of ranks"),
            lambda: rank_sets(fewer // 4, 500),
        ),
    }
    parts, kept = {}, True
    for title, (about, head, make) in sections.items():
        rows = list(make())
        kept = kept and all(row.kept for row in rows)
        parts[title] = f"{about}\n\n{table(head, rows)}"
        print(f"{title}\n{table(head, rows)}\n", flush=True)
    write_atomic(options.out, page(parts, draws, options.resamples))
    return int(not kept)


if __name__ == "__main__":
    sys.exit(main())
