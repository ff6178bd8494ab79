"""The record of one run: every rate with its interval, and everything needed to repeat it (alpaca_run.json)."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.files import read_text, write_atomic
from alpaca_eval_suite.types import Rate

RUN_FILE = "alpaca_run.json"
PREFERENCES_FILE = "preferences.jsonl"
SCHEMA_VERSION = 1


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class IntervalRecord(_Record):
    """A confidence interval; see types.Interval."""

    low: float
    high: float
    level: float
    method: str


class RateRecord(_Record):
    """A share in [0, 1] with its interval; see types.Rate."""

    value: float | None
    ci: IntervalRecord | None
    n: int
    n_failed: int = 0

    @classmethod
    def of(cls, rate: Rate) -> "RateRecord":
        """The record of `rate`."""
        return cls.model_validate(rate.as_json())


class ScenarioRecord(_Record):
    """Which items: `sha256` is over the data and how it is read, `n_items` counts those of this run."""

    name: str
    sha256: str
    metric: str
    licence: str
    n_items: int


class ModelRecord(_Record):
    """Which model. `fingerprint` of a local checkpoint's content; `served_id` as a server reports it.

    `dtype`, `device` and `batch_size` are those in which the answers were made (several, where a run was
    continued elsewhere).
    """

    name: str
    deployment: str
    fingerprint: str | None = None
    served_id: str | None = None
    dtype: str | None = None
    device: str | None = None
    batch_size: str | None = None


class TrainedWithRecord(_Record):
    """The prompt that a checkpoint says it was trained with, in the form of PromptRecord."""

    format: str
    sha256: str


class PromptRecord(_Record):
    """`sha256` is over the prompt's form (alpaca) or says that the model's own template was used (chat); it is empty
    for outputs from a file (`format` unknown).

    `mismatch`: the checkpoint was trained with another one; where it does not say (`trained_with` is None), false.
    """

    format: str
    sha256: str
    trained_with: TrainedWithRecord | None = None
    mismatch: bool = False


class DecodingRecord(_Record):
    """How answers were generated. `max_tokens` are the answer's; a thought had `thinking_tokens` of its own before it
    (0: it shared them). `thinking`: whether it was taken out of the output. `max_tokens` and `temperature` are None
    for outputs from a file, of which that is not known."""

    max_tokens: int | None
    temperature: float | None
    stop: tuple[str, ...] = ()
    thinking: str = "strip"
    thinking_tokens: int = 0


class BaselineRecord(_Record):
    """Whose outputs the model was compared with; `sha256` of their file, or a local checkpoint's fingerprint.

    `served_id` as a server reports it, where the outputs were made on the fly.
    """

    name: str
    sha256: str | None = None
    served_id: str | None = None


class JudgeRecord(_Record):
    """Who compared. `template_sha256`: the question asked. `agreement`: measured against readers, or why not.

    `served_id` as a server reports it (several, where it changed within the run).
    """

    name: str
    served_id: str | None = None
    template_sha256: str | None
    orders: str
    seed: int
    calibrated: bool
    agreement: str
    has_information: bool | None = None


class RunRecord(_Record):
    """One model on one scenario. `differences` are between groups of items, and may be below 0.

    `notes`: what a reader of the numbers must know of how they came about, one sentence each.
    """

    schema_version: Literal[1] = 1
    run: str
    date: str
    scenario: ScenarioRecord
    model: ModelRecord
    prompt: PromptRecord
    decoding: DecodingRecord
    baseline: BaselineRecord | None = None
    judge: JudgeRecord | None = None
    rates: dict[str, RateRecord]
    differences: dict[str, RateRecord] = Field(default_factory=dict)
    numbers: dict[str, float] = Field(default_factory=dict)
    win_rate: dict[str, Any] | None = None
    slices: dict[str, dict[str, dict[str, RateRecord]]] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()


def write_record(folder: Path, record: RunRecord) -> None:
    """Write the record into a run's folder, atomically."""
    write_atomic(folder / RUN_FILE, record.model_dump_json(indent=2) + "\n")


def read_record(folder: Path) -> RunRecord:
    """The record of the run in `folder`. Raises SuiteError when it is missing or not of this form."""
    path = folder / RUN_FILE
    try:
        return RunRecord.model_validate_json(read_text(path))
    except ValidationError as error:
        first = error.errors()[0]
        raise SuiteError(
            f"is not a run record of version {SCHEMA_VERSION} ({'.'.join(map(str, first['loc']))}: {first['msg']})",
            where=str(path),
            next_step="Run the evaluation again with this version; answers come from the cache.",
        ) from error
