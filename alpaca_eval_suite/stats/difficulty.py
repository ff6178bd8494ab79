"""Instruction difficulties estimated from several models against one baseline."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from alpaca_eval_suite.stats.length_data import LengthData
from alpaca_eval_suite.stats.logistic import sigmoid

FloatArray = npt.NDArray[np.float64]

ENOUGH_MODELS = 5
"""With fewer models a difficulty would be little more than one model's own result."""

_PRIOR = 1.0  # ridge on a difficulty: a normal prior with a standard deviation of one logit
_RIDGE = 0.01  # on a model's constant and length term, as in its own fit
_ROUNDS = 500
_TOLERANCE = 1e-6


def estimate_difficulty(models: Sequence[LengthData]) -> dict[str, float]:
    """The difficulty γ of each id that any of `models` has, in logits, with mean 0.

    The joint regression of Dubois et al. (2024), section 3: logit P = a_m + b_m·tanh(length) + γ_id, the factor
    of γ at 1 for all models, fitted to fractional wins by alternating Newton steps for the models and for the
    ids. A difficulty above 0 is an instruction on which the models do better against the baseline than
    elsewhere. Raises ValueError for fewer than five models.
    """
    if len(models) < ENOUGH_MODELS:
        raise ValueError(f"difficulties need at least {ENOUGH_MODELS} models, not {len(models)}")
    ids = sorted({id_ for model in models for id_ in model.ids})
    number = {id_: index for index, id_ in enumerate(ids)}
    wins = np.full((len(models), len(ids)), np.nan)
    length = np.zeros_like(wins)
    for row, model in enumerate(models):
        places = [number[id_] for id_ in model.ids]
        wins[row, places] = model.wins
        sd = model.difference.std(ddof=1) if len(model.ids) > 1 else 0.0
        length[row, places] = np.tanh(model.difference / sd) if sd > 0 else 0.0
    present = ~np.isnan(wins)
    gamma = _alternate(np.where(present, wins, 0.0), length, present)
    gamma -= gamma.mean()
    return dict(zip(ids, gamma.tolist(), strict=True))


def _alternate(wins: FloatArray, length: FloatArray, present: npt.NDArray[np.bool_]) -> FloatArray:
    constant, slope = np.zeros((2, len(wins)))
    gamma = np.zeros(wins.shape[1])
    for _ in range(_ROUNDS):
        chances = _chances(constant, slope, length, gamma)
        error = np.where(present, wins - chances, 0.0)
        curvature = np.where(present, chances * (1 - chances), 0.0)
        # Two unknowns a model: the 2×2 Newton step by Cramer's rule.
        to_constant = error.sum(axis=1) - _RIDGE * constant
        to_slope = (error * length).sum(axis=1) - _RIDGE * slope
        h11 = curvature.sum(axis=1) + _RIDGE
        h12 = (curvature * length).sum(axis=1)
        h22 = (curvature * length**2).sum(axis=1) + _RIDGE
        determinant = h11 * h22 - h12**2
        constant = constant + _bounded((h22 * to_constant - h12 * to_slope) / determinant)
        slope = slope + _bounded((h11 * to_slope - h12 * to_constant) / determinant)
        chances = _chances(constant, slope, length, gamma)
        error = np.where(present, wins - chances, 0.0)
        curvature = np.where(present, chances * (1 - chances), 0.0)
        step = _bounded((error.sum(axis=0) - _PRIOR * gamma) / (curvature.sum(axis=0) + _PRIOR))
        gamma = gamma + step
        if np.abs(step).max() < _TOLERANCE:
            break
    return gamma


def _chances(constant: FloatArray, slope: FloatArray, length: FloatArray, gamma: FloatArray) -> FloatArray:
    return sigmoid(constant[:, None] + slope[:, None] * length + gamma)


def _bounded(step: FloatArray) -> FloatArray:
    """No step longer than one logit: far from the solution Newton's steps overshoot."""
    return np.clip(step, -1.0, 1.0)
