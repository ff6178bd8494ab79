"""The penalised fit against scikit-learn and statsmodels, closed forms, and data that no unpenalised fit survives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpaca_eval_suite.stats.logistic import fit_logistic, sigmoid


def rows(seed: int = 0, n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    design = np.column_stack([np.ones(n), rng.normal(size=(n, 2))])
    return design, np.clip(sigmoid(design @ [-1.0, 0.8, 0.3]) + rng.normal(0, 0.2, n), 0, 1)


def test_a_constant_alone_is_the_logit_of_the_weighted_mean() -> None:
    target, weights = np.array([0.0, 0.5, 1.0, 1.0]), np.array([[1.0, 1.0, 1.0, 1.0], [4.0, 1.0, 1.0, 0.0]])
    found = fit_logistic(np.ones((4, 1)), target, weights, ridge=1e-9)
    assert sigmoid(found[:, 0]) == pytest.approx([2.5 / 4, 1.5 / 6], abs=1e-8)


@pytest.mark.parametrize(("penalty", "strength"), [("l1", 0.05), ("l1", 3.0), ("l2", 0.05), ("l2", 3.0)])
def test_it_is_what_scikit_learn_finds(penalty: str, strength: float) -> None:
    """A fraction y is a row of 1 with weight y and a row of 0 with weight 1 - y (scikit-learn wants classes)."""
    linear_model = pytest.importorskip("sklearn.linear_model")
    design, target = rows()
    model = linear_model.LogisticRegression(
        l1_ratio=1.0 if penalty == "l1" else 0.0,
        C=strength,
        solver="saga" if penalty == "l1" else "lbfgs",
        tol=1e-10,
        max_iter=20_000,
        fit_intercept=False,
    )
    classes = np.repeat([1, 0], len(target))
    model.fit(np.concatenate([design, design]), classes, sample_weight=np.concatenate([target, 1 - target]))
    ours = fit_logistic(
        design, target, np.ones((1, len(target))), **{"lasso" if penalty == "l1" else "ridge": 1 / strength}
    )
    assert ours[0] == pytest.approx(model.coef_[0], abs=2e-5)


def test_without_much_of_a_penalty_it_is_what_statsmodels_finds() -> None:
    api = pytest.importorskip("statsmodels.api")
    design, target = rows(1)
    theirs = api.GLM(target, design, family=api.families.Binomial()).fit().params
    assert fit_logistic(design, target, np.ones((1, 200)), ridge=1e-10)[0] == pytest.approx(theirs, abs=1e-7)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), ridge=st.sampled_from([0.01, 1.0]))
def test_the_gradient_is_zero_at_every_fit(seed: int, ridge: float) -> None:
    design, target = rows(seed, 40)
    weights = np.random.default_rng(seed).multinomial(40, np.full(40, 1 / 40), size=5).astype(float)
    found = fit_logistic(design, target, weights, ridge=ridge)
    gradient = (weights * (sigmoid(found @ design.T) - target)) @ design + ridge * found
    assert np.abs(gradient).max() < 1e-6


def test_a_lasso_leaves_no_better_point_nearby() -> None:
    design, target = rows(2)
    ones = np.ones((1, 200))

    def objective(beta: np.ndarray) -> float:
        eta = design @ beta
        return float((np.logaddexp(0, eta) - target * eta).sum() + 5 * np.abs(beta).sum())

    found = fit_logistic(design, target, ones, lasso=5.0)[0]
    rng = np.random.default_rng(0)
    assert all(objective(found + step) >= objective(found) for step in rng.normal(0, 1e-3, size=(200, 3)))


def test_a_strong_lasso_sets_coefficients_to_exactly_zero() -> None:
    design, target = rows(3)
    assert fit_logistic(design, target, np.ones((1, 200)), lasso=1e4)[0].tolist() == [0.0, 0.0, 0.0]


def test_separable_data_have_a_finite_fit_from_any_start() -> None:
    design = np.column_stack([np.ones(20), np.linspace(-1, 1, 20)])
    target = (design[:, 1] > 0).astype(float)
    for start in (np.zeros(2), np.array([30.0, -40.0])):
        found = fit_logistic(design, target, np.ones((1, 20)), ridge=0.01, start=start)[0]
        assert found == pytest.approx(fit_logistic(design, target, np.ones((1, 20)), ridge=0.01)[0], abs=1e-5)
        assert 1 < found[1] < 100


def test_a_fit_without_penalty_is_refused() -> None:
    with pytest.raises(ValueError, match="penalty"):
        fit_logistic(np.ones((2, 1)), np.ones(2), np.ones((1, 2)))
