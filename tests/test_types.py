"""The contracts can be copied, compared and written as JSON."""

import copy
import dataclasses
import json
import pickle

import pytest

from alpaca_eval_suite.types import ORDERS, Instruction, Interval, Preference, Rate


@pytest.mark.parametrize("value", [Instruction("1", "Say hello."), Preference("1", 1.0)])
def test_defaults_can_be_copied_pickled_and_written(value: Instruction | Preference) -> None:
    assert copy.deepcopy(value) == value
    assert pickle.loads(pickle.dumps(value)) == value
    assert json.loads(json.dumps(dataclasses.asdict(value)))["slices"] == {}


def test_nothing_can_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Preference("1", 1.0).win = 0.0  # type: ignore[misc]


def test_full_key_is_what_statistics_say() -> None:
    verdict = Preference("7", None, "m", "b", "j", "s", "model_first", 3, reason="timed out")
    assert verdict.full_key == ("s", "7", "m", "b", "j", "model_first", 3)
    assert ORDERS == ("model_first", "baseline_first", "single")


def test_public_form_of_a_rate() -> None:
    rate = Rate(0.5, Interval(0.4, 0.6, 0.95, "BCa"), 252, 3)
    assert rate.as_json() == {
        "value": 0.5,
        "ci": {"low": 0.4, "high": 0.6, "level": 0.95, "method": "BCa"},
        "n": 252,
        "n_failed": 3,
    }
    assert Rate(None, None, 0, 4).as_json() == {"value": None, "ci": None, "n": 0, "n_failed": 4}
