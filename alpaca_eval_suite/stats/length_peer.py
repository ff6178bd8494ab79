"""Length control as AlpacaEval 0.6.6 computes it, for comparison with its published numbers only.

What differs from `length_control`: a lasso whose strength five-fold cross-validation chooses, instruction
difficulties joined by the row's position instead of its id, and the length of a failed row counted too.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from alpaca_eval_suite.stats.length_design import Design, Penalty
from alpaca_eval_suite.stats.logistic import fit_logistic

FloatArray = npt.NDArray[np.float64]

# The grid and the folds of scikit-learn's LogisticRegressionCV and GroupKFold, which AlpacaEval calls.
_STRENGTHS = np.logspace(-4, 4, 10)
_FOLDS = 5
_CLIP = 1e-15


@dataclass(frozen=True)
class _Scored:
    strength: float
    loss: float


def peer_penalty(design: Design) -> Penalty:
    """The lasso of the inverse strength C with the least log loss in cross-validation, the smallest C first.

    AlpacaEval's rows stand in the order auxiliary, own, without the failed ones (weight 0); fold f holds every
    fifth of them, from the end. Losses are weighted, then averaged over a fold's rows, then over folds.
    """
    n = len(design.at_equal_lengths)
    order = np.concatenate([np.arange(n, len(design.target)), np.arange(n)])
    order = order[design.weights[order] > 0]
    fold = np.full(len(design.target), -1)
    fold[order[::-1]] = np.arange(len(order)) % _FOLDS
    kept = fold[None, :] != np.arange(_FOLDS)[:, None]
    best = min((_Scored(c, _loss(design, fold, kept, c)) for c in _STRENGTHS.tolist()), key=lambda scored: scored.loss)
    return Penalty(lasso=1 / best.strength)


def _loss(design: Design, fold: npt.NDArray[np.int64], kept: npt.NDArray[np.bool_], strength: float) -> float:
    """The held-out loss at inverse strength C, summed over folds."""
    fits = fit_logistic(design.rows, design.target, kept * design.weights, lasso=1 / strength)
    losses = []
    for number, coefficients in enumerate(fits):
        held = fold == number
        chances = np.clip(1 / (1 + np.exp(-(design.rows[held] @ coefficients))), _CLIP, 1 - _CLIP)
        y = design.target[held]
        per_row = -(y * np.log(chances) + (1 - y) * np.log(1 - chances))
        losses.append(float((per_row * design.weights[held]).mean()))
    return sum(losses)
