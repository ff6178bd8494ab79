"""The rows of a length-control fit, and the prediction at equal lengths with its refits on resampled ids."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from alpaca_eval_suite.stats.length_data import Auxiliary
from alpaca_eval_suite.stats.logistic import fit_logistic, sigmoid

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Design:
    """What is fitted: `rows` (n + m, k) with outcomes `target` and `weights`; the model's own n rows come first.

    The columns are the constant, tanh of the length difference over its sd, and, where there is one, the
    difficulty. `id_of_row` numbers the model's ids, so that resampling takes an id with its auxiliary rows; -1 is
    a row of no id of the model. `at_equal_lengths` (n, k) are the model's own rows with the length term at 0.
    """

    rows: FloatArray
    target: FloatArray
    weights: FloatArray
    id_of_row: npt.NDArray[np.int64]
    at_equal_lengths: FloatArray


@dataclass(frozen=True)
class Penalty:
    """ridge/2·‖β‖² + lasso·‖β‖₁ on the coefficients."""

    ridge: float = 0.0
    lasso: float = 0.0


def make_design(
    ids: tuple[str, ...],
    wins: FloatArray,
    length: FloatArray,
    difficulty: FloatArray | None,
    auxiliary: Auxiliary | None,
) -> Design:
    """The design of a model whose ids differ by `length` standard deviations from the baseline's outputs.

    Without `difficulty` (one an id, else None) that term is left out, in auxiliary rows too.
    """
    n = len(ids)
    columns = [np.ones(n), np.tanh(length)] + ([] if difficulty is None else [difficulty])
    own = np.column_stack(columns)
    at_equal_lengths = own.copy()
    at_equal_lengths[:, 1] = 0.0
    numbers = np.arange(n, dtype=np.int64)
    if auxiliary is None:
        return Design(own, wins, np.ones(n), numbers, at_equal_lengths)
    columns = [auxiliary.own.astype(np.float64), np.tanh(auxiliary.length)]
    if difficulty is not None:
        columns.append(auxiliary.difficulty)
    position = dict(zip(ids, range(n), strict=True))
    others = np.array([position.get(id_, -1) for id_ in auxiliary.ids], dtype=np.int64)
    return Design(
        np.concatenate([own, np.column_stack(columns)]),
        np.concatenate([wins, auxiliary.wins]),
        np.concatenate([np.ones(n), auxiliary.weights]),
        np.concatenate([numbers, others]),
        at_equal_lengths,
    )


def fit(design: Design, penalty: Penalty) -> FloatArray:
    """The coefficients (k)."""
    weights = design.weights[None, :]
    found = fit_logistic(design.rows, design.target, weights, ridge=penalty.ridge, lasso=penalty.lasso)
    coefficients: FloatArray = found[0]
    return coefficients


def equal_length_rate(design: Design, coefficients: FloatArray) -> float:
    """The mean over the model's ids of the prediction with the length term at 0."""
    return float(sigmoid(design.at_equal_lengths @ coefficients).mean())


def resampled_rates(
    design: Design, coefficients: FloatArray, penalty: Penalty, refits: int, rng: np.random.Generator
) -> FloatArray:
    """`equal_length_rate` of each of `refits` samples of ids drawn with replacement, refitted from `coefficients`.

    Everything of an id is drawn together, its auxiliary rows included; lengths stay in the sd of the whole data.
    """
    n = len(design.at_equal_lengths)
    drawn = rng.multinomial(n, np.full(n, 1 / n), size=refits).astype(np.float64)
    times = np.where(design.id_of_row >= 0, drawn[:, design.id_of_row], 1.0)
    fits = fit_logistic(
        design.rows,
        design.target,
        times * design.weights,
        ridge=penalty.ridge,
        lasso=penalty.lasso,
        start=coefficients,
    )
    predicted = sigmoid(fits @ design.at_equal_lengths.T)
    rates: FloatArray = (drawn * predicted).sum(axis=1) / n
    return rates
