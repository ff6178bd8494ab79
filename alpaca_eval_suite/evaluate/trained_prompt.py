"""Whether a checkpoint is asked with the prompt that it says it was trained with."""

import sys
from functools import lru_cache

from alpaca_eval_suite.evaluate.local import PREFIX, open_checkpoint
from alpaca_eval_suite.leaderboard.record import PromptRecord, TrainedWithRecord
from alpaca_eval_suite.prompts import PromptFormat, prompt_hash


def prompt_record(deployment: str, prompt_format: PromptFormat) -> PromptRecord:
    """The prompt of a run, and how it compares with that of the training where the checkpoint names one."""
    asked = prompt_hash(prompt_format)
    trained = open_checkpoint(deployment).training_prompt if deployment.startswith(PREFIX) else None
    if trained is None:
        return PromptRecord(format=prompt_format, sha256=asked)
    return PromptRecord(
        format=prompt_format,
        sha256=asked,
        trained_with=TrainedWithRecord(format=trained.format, sha256=trained.sha256),
        mismatch=trained.sha256 != asked,
    )


def warning(deployment: str, prompt_format: PromptFormat) -> str | None:
    """What a person must know before the run where the prompts differ, else None."""
    record = prompt_record(deployment, prompt_format)
    if not record.mismatch or record.trained_with is None:
        return None
    trained = record.trained_with
    return (
        f"WARNING: {open_checkpoint(deployment).name} was trained with another prompt than this run's: "
        f"{trained.format} {trained.sha256[:8]}, and it is asked with {record.format} {record.sha256[:8]}. "
        "Every number of this run will be flagged. Give the prompt format it was trained with, if there is one."
    )


@lru_cache(maxsize=32)
def warn(deployment: str, prompt_format: PromptFormat) -> None:
    """Print the warning to stderr, once in a process."""
    if text := warning(deployment, prompt_format):
        print(text, file=sys.stderr, flush=True)
