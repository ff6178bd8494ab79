"""What a judge is worth on labelled pairs: its verdicts against readers' labels, controls that do not read, biases.

An accuracy is a mean of credits (judge/credits.py). A judge's label is the side of 0.5 on which the mean of its orders
lies: letters that contradict each other over the orders come to a tie, and one failed order fails the pair. Every
mean weighs each pair alike, and every interval resamples items (instructions) with all their pairs.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import ConfigDict

from alpaca_eval_suite.judge.credits import credit_of, credits_of, leave_one_out, longer_wins, reader_labels
from alpaca_eval_suite.judge.labelled import LabelledPair
from alpaca_eval_suite.stats.agreement import majorities
from alpaca_eval_suite.stats.clustered import mean_by_item
from alpaca_eval_suite.stats.kappa import cohen, cohen_features, label_counts, pair_agreement
from alpaca_eval_suite.stats.totals import Estimate, Statistic, of_totals
from alpaca_eval_suite.stats.units import TIE, units
from alpaca_eval_suite.types import Preference

FloatArray = npt.NDArray[np.float64]

FLOOR = ("coin", "always_first", "longer_wins")
"""The controls that a judge must be above to hold information."""

_DIFFERENCE = (-1.0, 1.0)


@dataclass(frozen=True)
class SliceMeasures:
    """`accuracy_all` and `ceiling` as in `Measures`, over the pairs of one slice."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    accuracy_all: Estimate
    ceiling: Estimate


@dataclass(frozen=True)
class Measures:
    """A judge on `n_pairs` labelled pairs of `n_items` items, of which it failed on `n_failed`.

    - `accuracy_all`: mean credit, failures counted wrong; `accuracy_valid`: over valid verdicts;
      `on_decided`: like `accuracy_all`, over the pairs in which every reader prefers one output.
    - `kappa`: Cohen's, with the most frequent label, over valid verdicts and pairs that have a single such label.
    - `ceiling`: the mean credit of a reader by the other readers' labels; `readers_agree`: the share of pairs of
      readers that agree.
    - `controls`: the accuracy of a coin (which never says tie), always the first, always a tie, and "longer wins"
      (more words, a tie where equally many); `above`: accuracy_all minus each control's, pair by pair.
    - `order_consistency`: the share of pairs judged in both orders with both verdicts on the same side;
      `first_shown`: how often the output shown first wins, 0.5 being no bias; both None without two orders.
    - `longer_with_judge`, `longer_with_readers`: how often the output with more words wins, a tie being half a win,
      over the pairs of unequal length with a verdict.
    - `length_bias`: how far the judge prefers the longer output where most readers prefer the shorter, minus how far
      it prefers the shorter where they prefer the longer: 0 for readers themselves and for a coin, 1 for "longer wins".
    - `judge_ties`, `reader_ties`: the shares of ties among valid verdicts, and among readers' labels.
    - `slices`: key, value, measures.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    n_pairs: int
    n_items: int
    n_failed: int
    accuracy_all: Estimate
    accuracy_valid: Estimate
    on_decided: Estimate
    kappa: Estimate
    ceiling: Estimate
    readers_agree: Estimate
    controls: Mapping[str, Estimate]
    above: Mapping[str, Estimate]
    order_consistency: Estimate
    first_shown: Estimate
    longer_with_judge: Estimate
    longer_with_readers: Estimate
    length_bias: Estimate
    judge_ties: Estimate
    reader_ties: Estimate
    slices: Mapping[str, Mapping[str, SliceMeasures]]

    @property
    def has_information(self) -> bool:
        """Whether the judge is above a coin, always the first and "longer wins": each difference's whole interval."""
        intervals = [self.above[name].ci for name in FLOOR]
        return all(ci is not None and ci.low > 0 for ci in intervals)


def measure(
    pairs: Sequence[LabelledPair], verdicts: Iterable[Preference], *, resamples: int = 10_000, seed: int = 0
) -> Measures:
    """`verdicts` (model: the first output, baseline: the second) measured on `pairs`; ids join them.

    A pair without a verdict counts as a failure. Raises ValueError without pairs.
    """
    if not pairs:
        raise ValueError("there are no pairs to measure on")
    verdicts = list(verdicts)
    pairs = sorted(pairs, key=lambda pair: pair.id)
    items = [pair.item for pair in pairs]
    counts = label_counts(reader_labels(pairs))
    credits = credits_of(counts)
    wins = wins_of(pairs, verdicts)
    label = labels_of(wins)

    def mean(values: FloatArray, span: tuple[float, float] = (0.0, 1.0)) -> Estimate:
        return mean_by_item(values, items, span=span, resamples=resamples, rng=seed)

    majority = majorities(counts)
    failed = np.isnan(label)
    right = credit_of(credits, label)
    ceiling = leave_one_out(reader_labels(pairs))
    longer = np.array([longer_wins(pair.output_1, pair.output_2) for pair in pairs], dtype=np.float64)
    controls = {
        "coin": (credits[:, 1] + credits[:, 2]) / 2,
        "always_first": credits[:, 1],
        "always_tie": credits[:, 0],
        "longer_wins": credit_of(credits, longer),
    }
    by_judge, by_readers = _longer_shares(longer, wins, counts)
    first, second = _orders(pairs, verdicts)
    both = ~np.isnan(first + second)
    return Measures(
        n_pairs=len(pairs),
        n_items=len(set(items)),
        n_failed=int(failed.sum()),
        accuracy_all=mean(right),
        accuracy_valid=mean(np.where(failed, np.nan, right)),
        on_decided=mean(np.where(counts[:, 0] > 0, np.nan, right)),
        kappa=_kappa(label, majority, items, resamples, seed),
        ceiling=mean(ceiling),
        readers_agree=mean(pair_agreement(counts)),
        controls={name: mean(values) for name, values in controls.items()},
        above={name: mean(right - values, _DIFFERENCE) for name, values in controls.items()},
        order_consistency=mean(np.where(both, np.sign(first - TIE) == np.sign(second - TIE), np.nan)),
        first_shown=mean((first + 1 - second) / 2),
        longer_with_judge=mean(by_judge),
        longer_with_readers=mean(by_readers),
        length_bias=_length_bias(by_judge, longer, majority, items, resamples, seed),
        judge_ties=mean(np.where(failed, np.nan, label == 0)),
        reader_ties=mean(counts[:, 0] / counts.sum(axis=1)),
        slices=_slices(pairs, right, ceiling, resamples, seed),
    )


def wins_of(pairs: Sequence[LabelledPair], verdicts: Sequence[Preference]) -> FloatArray:
    """How far the judge prefers each pair's first output, over its orders and seeds; NaN where it failed."""
    found = units(verdicts) if verdicts else None
    by_id = dict(zip(found.ids, found.values.tolist(), strict=True)) if found else {}
    return np.array([by_id.get(pair.id, np.nan) for pair in pairs], dtype=np.float64)


def labels_of(wins: FloatArray) -> FloatArray:
    """1 above 0.5, 2 below, 0 at it, NaN of NaN."""
    return np.where(np.isnan(wins), np.nan, np.where(wins == TIE, 0.0, np.where(wins > TIE, 1.0, 2.0)))


def _kappa(label: FloatArray, majority: FloatArray, items: Sequence[str], resamples: int, seed: int) -> Estimate:
    known = ~np.isnan(label + majority)
    cells = cohen_features(label[known], majority[known])
    return _of_items(cells, cohen, np.asarray(items)[known], resamples, seed)


def _of_items(
    features: FloatArray, statistic: Statistic, items: npt.NDArray[np.str_], resamples: int, seed: int
) -> Estimate:
    """`statistic` of the sums of `features`, a row a pair, with its BCa interval over items."""
    numbers = np.unique(items, return_inverse=True)[1]
    of_items = np.zeros((int(numbers.max(initial=-1)) + 1, features.shape[1]))
    np.add.at(of_items, numbers, features)
    found = of_totals(of_items, statistic, resamples=resamples, rng=np.random.default_rng(seed))
    return replace(found, n=len(features))


def _length_bias(
    by_judge: FloatArray,
    longer: FloatArray,
    majority: FloatArray,
    items: Sequence[str],
    resamples: int,
    seed: int,
) -> Estimate:
    known = ~np.isnan(by_judge + majority) & (majority != 0)
    against = (majority != longer)[known].astype(np.float64)
    share = by_judge[known]
    features = np.column_stack([against * share, against, (1 - against) * (1 - share), 1 - against])
    return _of_items(features, _error_difference, np.asarray(items)[known], resamples, seed)


def _error_difference(totals: FloatArray) -> FloatArray:
    with np.errstate(invalid="ignore"):
        difference: FloatArray = totals[..., 0] / totals[..., 1] - totals[..., 2] / totals[..., 3]
    return difference


def _longer_shares(longer: FloatArray, wins: FloatArray, counts: FloatArray) -> tuple[FloatArray, FloatArray]:
    """How far the longer output is preferred by the judge and by the readers; NaN where neither is longer, or the
    judge failed."""
    first = (counts[:, 1] + counts[:, 0] / 2) / counts.sum(axis=1)
    by_readers = np.where(longer == 1, first, 1 - first)
    by_judge = np.where(longer == 1, wins, 1 - wins)
    left_out = (longer == 0) | np.isnan(wins)
    return np.where(left_out, np.nan, by_judge), np.where(left_out, np.nan, by_readers)


def _orders(pairs: Sequence[LabelledPair], verdicts: Sequence[Preference]) -> tuple[FloatArray, FloatArray]:
    """The first output's win when it was shown first, and when it was shown second; NaN where not asked or failed."""
    wins = {(p.id, p.order): p.win for p in verdicts if p.win is not None}
    columns = [[wins.get((pair.id, order), np.nan) for pair in pairs] for order in ("model_first", "baseline_first")]
    return np.array(columns[0], dtype=np.float64), np.array(columns[1], dtype=np.float64)


def _slices(
    pairs: Sequence[LabelledPair], right: FloatArray, ceiling: FloatArray, resamples: int, seed: int
) -> dict[str, dict[str, SliceMeasures]]:
    found: dict[str, dict[str, SliceMeasures]] = {}
    for key, value in sorted({slice_ for pair in pairs for slice_ in pair.slices.items()}):
        here = [number for number, pair in enumerate(pairs) if pair.slices.get(key) == value]
        items = [pairs[number].item for number in here]
        found.setdefault(key, {})[value] = SliceMeasures(
            *(mean_by_item(values[here], items, resamples=resamples, rng=seed) for values in (right, ceiling))
        )
    return found
