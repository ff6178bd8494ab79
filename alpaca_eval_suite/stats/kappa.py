"""Chance-corrected agreement from counts: Cohen, Fleiss and Krippendorff (nominal), each from sums over items.

Each `..._features` makes one row an item, each statistic takes the rows' sum (..., K); it is NaN where undefined.

>>> labels = np.array([[1.0, 1.0], [1.0, 2.0], [2.0, 2.0], [2.0, 2.0]])
>>> round(float(cohen(cohen_features(labels[:, 0], labels[:, 1]).sum(axis=0))), 3)
0.5
"""

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

_LABELS = np.array([0.0, 1.0, 2.0])


def label_counts(labels: FloatArray) -> FloatArray:
    """How many raters gave each label: (items, 3) from (items, raters), NaN being no label."""
    counts: FloatArray = (labels[:, :, None] == _LABELS).sum(axis=1).astype(np.float64)
    return counts


def pair_agreement(counts: FloatArray) -> FloatArray:
    """The share of an item's pairs of raters that agree, NaN with fewer than two raters."""
    raters = counts.sum(axis=1)
    pairs = raters * (raters - 1)
    shares = np.full(len(counts), np.nan)
    np.divide((counts * (counts - 1)).sum(axis=1), pairs, out=shares, where=pairs > 0)
    return shares


def cohen_features(first: FloatArray, second: FloatArray) -> FloatArray:
    """One-hot cells of the 3×3 table of two raters' labels, both given."""
    rows = first[:, None] == _LABELS
    columns = second[:, None] == _LABELS
    cells: FloatArray = (rows[:, :, None] & columns[:, None, :]).reshape(len(first), 9).astype(np.float64)
    return cells


def cohen(totals: FloatArray) -> FloatArray:
    """Cohen (1960), "A coefficient of agreement for nominal scales", from the cells of the table."""
    table = totals.reshape(*totals.shape[:-1], 3, 3)
    n = table.sum(axis=(-2, -1))
    observed = np.trace(table, axis1=-2, axis2=-1) / n
    expected = (table.sum(axis=-1) * table.sum(axis=-2)).sum(axis=-1) / n**2
    return _corrected(observed, expected)


def fleiss_features(counts: FloatArray) -> FloatArray:
    """The item's pairwise agreement, 1, and the labels' counts; every item has the same number of raters."""
    return np.column_stack([pair_agreement(counts), np.ones(len(counts)), counts])


def fleiss(totals: FloatArray) -> FloatArray:
    """Fleiss (1971), "Measuring nominal scale agreement among many raters"."""
    observed = totals[..., 0] / totals[..., 1]
    shares = totals[..., 2:] / totals[..., 2:].sum(axis=-1, keepdims=True)
    return _corrected(observed, (shares**2).sum(axis=-1))


def krippendorff_features(counts: FloatArray) -> FloatArray:
    """The item's matching pairs in the coincidence matrix, and the labels' counts; at least two raters an item."""
    raters = counts.sum(axis=1)
    return np.column_stack([(counts * (counts - 1)).sum(axis=1) / (raters - 1), counts])


def krippendorff(totals: FloatArray) -> FloatArray:
    """Krippendorff (2011), "Computing Krippendorff's alpha-reliability", nominal data, missing labels allowed."""
    n = totals[..., 1:].sum(axis=-1)
    observed = n - totals[..., 0]
    expected = (n**2 - (totals[..., 1:] ** 2).sum(axis=-1)) / (n - 1)
    alpha: FloatArray = 1 - np.divide(observed, expected, out=np.full_like(n, np.nan), where=expected > 1e-12)
    return alpha


def _corrected(observed: FloatArray, expected: FloatArray) -> FloatArray:
    """(observed - expected) / (1 - expected), NaN where chance alone agrees always."""
    room = np.asarray(1 - expected)
    corrected: FloatArray = np.divide(observed - expected, room, out=np.full_like(room, np.nan), where=room > 1e-12)
    return corrected
