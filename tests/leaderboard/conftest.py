"""Run records made by hand, so that every figure in the tests is known."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from alpaca_eval_suite.leaderboard.record import RunRecord

FINGERPRINT = "a1b2c3d4" + "0" * 56

RunFactory = Callable[..., RunRecord]


def rate(value: float, low: float, high: float, n: int = 60, n_failed: int = 0, method: str = "bca") -> dict[str, Any]:
    ci = {"low": low, "high": high, "level": 0.95, "method": method}
    return {"value": value, "ci": ci, "n": n, "n_failed": n_failed}


PREFERENCE: dict[str, Any] = {
    "run": "alpaca_user_oriented_mini:judge=builtin",
    "date": "2026-01-31T12:00:00+00:00",
    "scenario": {
        "name": "user_oriented_mini",
        "sha256": "11" * 32,
        "metric": "preference",
        "licence": "Apache-2.0",
        "n_items": 60,
    },
    "model": {
        "name": "SmolLM2-135M-Instruct",
        "deployment": "alpaca/SmolLM2-135M-Instruct",
        "fingerprint": FINGERPRINT,
        "dtype": "float32",
        "device": "cpu",
        "batch_size": "16",
    },
    "prompt": {"format": "chat", "sha256": "22" * 32},
    "decoding": {"max_tokens": 512, "temperature": 0.0},
    "baseline": {"name": "gemma3-270m", "sha256": "33" * 32},
    "judge": {
        "name": "builtin:checks",
        "template_sha256": None,
        "orders": "both",
        "seed": 0,
        "calibrated": True,
        "agreement": "agrees with readers in 71.0 % [62.1, 78.9] of 120 pairs",
        "has_information": True,
    },
    "rates": {
        "win_rate": rate(0.5212, 0.45, 0.593, 58, 2),
        "order_consistency": rate(1.0, 0.94, 1.0, 58, 2, "clopper-pearson"),
        "first_shown": rate(0.5, 0.5, 0.5, 58, 2),
        "checks_passed": rate(0.613, 0.55, 0.67, 60, 0, "betting (fall-back: 3 values)"),
    },
    "numbers": {"mean_length": 312.4, "mean_length_baseline": 287.0},
}

SHORT_ANSWER: dict[str, Any] = PREFERENCE | {
    "run": "alpaca_capitals",
    "scenario": {
        "name": "capitals",
        "sha256": "44" * 32,
        "metric": "short_answer",
        "licence": "CC0-1.0",
        "n_items": 197,
    },
    "baseline": None,
    "judge": None,
    "rates": {
        "exact": rate(0.6, 0.53, 0.666, 197, 0, "wilson"),
        "trap": rate(0.05, 0.027, 0.09, 197, 0, "wilson"),
        "wrong": rate(0.3, 0.24, 0.367, 197, 0, "wilson"),
        "abstained": rate(0.05, 0.027, 0.09, 197, 0, "wilson"),
        "refused": rate(0.0, 0.0, 0.019, 197, 0, "wilson"),
    },
    "numbers": {"mean_length": 24.0},
}


def changed(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `changes`; an object is changed key by key: `model={"name": "x"}` keeps the rest."""
    merged = dict(base)
    for key, value in changes.items():
        old = merged.get(key)
        merged[key] = {**old, **value} if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


@pytest.fixture
def make_run() -> RunFactory:
    """A preference run; keyword arguments change it."""

    def make(**changes: Any) -> RunRecord:
        return RunRecord.model_validate(changed(PREFERENCE, changes))

    return make


@pytest.fixture
def make_short_answer_run() -> RunFactory:
    """A run of the capitals probe; keyword arguments change it."""

    def make(**changes: Any) -> RunRecord:
        return RunRecord.model_validate(changed(SHORT_ANSWER, changes))

    return make
