"""The prompt that a checkpoint was trained with, where its folder says so (training_prompt.json)."""

import re
from dataclasses import dataclass
from pathlib import Path

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.models.weights import read_json
from alpaca_eval_suite.prompts import PROMPT_FORMATS

FILE = "training_prompt.json"


@dataclass(frozen=True)
class TrainingPrompt:
    """`format`: alpaca or chat. `sha256`: what `prompts.prompt_hash` gives for the prompt in training."""

    format: str
    sha256: str


def read_training_prompt(folder: Path) -> TrainingPrompt | None:
    """What the folder says of the prompt in training, None where it says nothing.

    Raises SuiteError on a file of another form: a check that silently does not take place is worse than none.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    values = read_json(path)
    form, digest = values.get("format"), values.get("sha256")
    if form not in PROMPT_FORMATS or not isinstance(digest, str) or not re.fullmatch("[0-9a-f]{64}", digest):
        raise SuiteError(
            f'must hold "format" ({" or ".join(PROMPT_FORMATS)}) and "sha256" (64 hex digits)',
            where=str(path),
            next_step="docs/checkpoints.md shows the file; delete it where the prompt in training is not known.",
        )
    return TrainingPrompt(form, digest)
