"""What a label is worth by what readers said: the credits that a judge, a reader or a control is counted by.

A pair's credit for a label is 1 when it is the one that most readers gave, 1/k when it is one of k equally frequent,
else 0. With two readers that is the mean of agreeing with each.
"""

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from alpaca_eval_suite.judge.labelled import LabelledPair
from alpaca_eval_suite.stats.kappa import label_counts
from alpaca_eval_suite.stats.ratings import Ratings

FloatArray = npt.NDArray[np.float64]

_WORD = re.compile(r"\w+")


def longer_wins(first: str, second: str) -> int:
    """The label of one who takes the output with more words: 1, 2, or 0 where both have as many."""
    words, others = (len(_WORD.findall(text)) for text in (first, second))
    return 0 if words == others else 1 if words > others else 2


def credits_of(counts: FloatArray) -> FloatArray:
    """What each label is worth in each pair (pairs, 3), from how many readers gave it (pairs, 3); 0 without any."""
    modes = (counts == counts.max(axis=1, keepdims=True)) & (counts > 0)
    shares: FloatArray = modes / np.maximum(modes.sum(axis=1, keepdims=True), 1)
    return shares


def credit_of(credits: FloatArray, label: FloatArray) -> FloatArray:
    """The credit of a label for each pair, 0 for none."""
    known = ~np.isnan(label)
    place = np.where(known, label, 0).astype(np.int64)
    return np.where(known, credits[np.arange(len(label)), place], 0.0)


def leave_one_out(labels: FloatArray) -> FloatArray:
    """The mean credit of a pair's readers, each by the labels of the others; NaN with one reader only."""
    of_readers = []
    for reader in range(labels.shape[1]):
        others = label_counts(np.delete(labels, reader, axis=1))
        credit = credit_of(credits_of(others), labels[:, reader])
        of_readers.append(np.where(np.isnan(labels[:, reader]) | (others.sum(axis=1) == 0), np.nan, credit))
    table = np.column_stack(of_readers)
    known = ~np.isnan(table)
    means: FloatArray = np.full(len(table), np.nan)
    np.divide(np.nansum(table, axis=1), known.sum(axis=1), out=means, where=known.any(axis=1))
    return means


def reader_labels(pairs: Sequence[LabelledPair]) -> FloatArray:
    """Readers' labels (pairs, readers); `pairs` are sorted by id, as ratings are."""
    return Ratings.of({pair.id: pair.labels for pair in pairs}, {}).labels
