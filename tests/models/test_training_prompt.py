import json
from collections.abc import Callable
from pathlib import Path

import pytest

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.models.checkpoint import Checkpoint
from alpaca_eval_suite.models.training_prompt import TrainingPrompt
from alpaca_eval_suite.prompts import prompt_hash

Tiny = Callable[..., Path]


def test_a_folder_that_says_nothing(tiny: Tiny) -> None:
    assert Checkpoint.open(tiny()).training_prompt is None


def test_what_the_folder_says_is_known_and_no_part_of_the_fingerprint(tiny: Tiny) -> None:
    folder = tiny()
    before = Checkpoint.open(folder).fingerprint
    (folder / "training_prompt.json").write_text(json.dumps({"format": "alpaca", "sha256": prompt_hash("alpaca")}))
    checkpoint = Checkpoint.open(folder)
    assert checkpoint.training_prompt == TrainingPrompt("alpaca", prompt_hash("alpaca"))
    assert checkpoint.fingerprint == before


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "{}", '{"format": "alpaca"}', '{"format": "x", "sha256": "' + "0" * 64 + '"}',
     '{"format": "chat", "sha256": "0"}', '{"format": "chat", "sha256": 5}'],
)  # fmt: skip
def test_a_file_of_another_form_is_refused(tiny: Tiny, text: str) -> None:
    folder = tiny()
    (folder / "training_prompt.json").write_text(text)
    with pytest.raises(SuiteError) as caught:
        Checkpoint.open(folder)
    assert str(caught.value.where).endswith("training_prompt.json")
