"""Penalised logistic regression of fractional outcomes, many weightings of the same rows in one go.

>>> design = np.column_stack([np.ones(4), [-1.0, 0.0, 1.0, 2.0]])
>>> fits = fit_logistic(design, np.array([0.1, 0.5, 0.4, 0.9]), np.ones((2, 4)), ridge=0.01)
>>> fits.shape
(2, 2)
"""

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

_MAX_PASSES = 200
_TOLERANCE = 1e-8  # of a coefficient
_SWEEPS = 25  # of coordinate descent in a Newton step with a lasso; three coefficients need few
# Weightings a block: its arrays stay in the processor's cache.
_BLOCK_CELLS = 60_000


def fit_logistic(
    design: FloatArray,
    target: FloatArray,
    weights: FloatArray,
    *,
    ridge: float = 0.0,
    lasso: float = 0.0,
    start: FloatArray | None = None,
) -> FloatArray:
    """The coefficients (B, k) of B weightings (B, n) of the rows `design` (n, k) with outcomes in [0, 1] (n).

    Each minimises Σ w·(log(1 + e^η) − y·η) + ridge/2·‖β‖² + lasso·‖β‖₁ with η = x·β: the likelihood of
    Papke and Wooldridge (1996), "Econometric methods for fractional response variables". Newton's method with
    step halving; with a lasso each step solves the quadratic model by coordinate descent (Friedman, Hastie and
    Tibshirani 2010). `start` (k) is where all begin: the fit on the whole data is a warm start for its
    resamples. A penalty above 0 makes the minimum finite and unique, separable data included. Raises ValueError
    without one.
    """
    if ridge <= 0 and lasso <= 0:
        raise ValueError("the fit needs a penalty above 0: without one it has no finite minimum on separable data")
    k = design.shape[1]
    first = np.zeros(k) if start is None else start
    # The products that make up the Hessian, one column a pair of coefficients.
    pairs = np.triu_indices(k)
    products = design[:, pairs[0]] * design[:, pairs[1]]
    rows = max(1, _BLOCK_CELLS // len(target))
    blocks = [
        _fit_block(design, target, weights[at : at + rows], products, ridge, lasso, first)
        for at in range(0, len(weights), rows)
    ]
    return np.concatenate(blocks)


def sigmoid(x: FloatArray) -> FloatArray:
    """1 / (1 + e^-x), without overflow."""
    small = np.exp(-np.abs(x))
    chances: FloatArray = np.where(x >= 0, 1.0, small) / (1.0 + small)
    return chances


def _fit_block(
    design: FloatArray,
    target: FloatArray,
    weights: FloatArray,
    products: FloatArray,
    ridge: float,
    lasso: float,
    first: FloatArray,
) -> FloatArray:
    count, k = len(weights), design.shape[1]
    found = np.tile(first, (count, 1))
    linear = (weights * target) @ design
    # `at` are the accepted coefficients of those still under way, `step` what is tried next from there.
    open_ = np.arange(count)
    at, step = found.copy(), np.zeros((count, k))
    best = np.full(count, np.inf)
    w = weights
    for _ in range(_MAX_PASSES):
        tried = at + step
        eta = tried @ design.T
        small = np.exp(-np.abs(eta))
        chances = np.where(eta >= 0, 1.0, small) / (1.0 + small)
        loss = (w * (np.maximum(eta, 0.0) + np.log1p(small))).sum(axis=1) - (linear[open_] * tried).sum(axis=1)
        value = loss + ridge / 2 * (tried**2).sum(axis=1) + lasso * np.abs(tried).sum(axis=1)
        worse = value > best + 1e-12 * np.abs(best)
        # Worse: half of the step is tried next. Better: go there, and take a new step.
        at = np.where(worse[:, None], at, tried)
        best = np.where(worse, best, value)
        gradient: FloatArray = (w * chances) @ design - linear[open_] + ridge * tried
        hessian = _symmetric((w * chances * (1.0 - chances)) @ products, k) + ridge * np.eye(k)
        newton = _lasso_step(tried, gradient, hessian, lasso) if lasso else _newton_step(gradient, hessian)
        step = np.where(worse[:, None], step / 2, newton)
        found[open_] = at
        going = np.abs(step).max(axis=1) > _TOLERANCE
        if not going.any():
            break
        open_, at, step, best, w = open_[going], at[going], step[going], best[going], w[going]
    return found


def _symmetric(upper: FloatArray, k: int) -> FloatArray:
    """(B, k, k) matrices from their upper triangles (B, k(k+1)/2)."""
    full = np.empty((len(upper), k, k))
    rows, columns = np.triu_indices(k)
    full[:, rows, columns] = upper
    full[:, columns, rows] = upper
    return full


def _newton_step(gradient: FloatArray, hessian: FloatArray) -> FloatArray:
    step: FloatArray = np.linalg.solve(hessian, -gradient[:, :, None])[:, :, 0].astype(np.float64)
    return step


def _lasso_step(at: FloatArray, gradient: FloatArray, hessian: FloatArray, lasso: float) -> FloatArray:
    """The step that minimises the quadratic model at `at` plus the lasso, by coordinate descent."""
    step = np.zeros_like(at)
    curvature = np.maximum(np.einsum("bii->bi", hessian), 1e-12)
    for _ in range(_SWEEPS):
        for j in range(at.shape[1]):
            slope = gradient[:, j] + (hessian[:, j] * step).sum(axis=1)
            wanted = at[:, j] + step[:, j] - slope / curvature[:, j]
            shrunk = np.sign(wanted) * np.maximum(np.abs(wanted) - lasso / curvature[:, j], 0.0)
            step[:, j] = shrunk - at[:, j]
    return step
