"""The record of one run: every rate with its interval, and everything needed to repeat it (alpaca_run.json)."""

from pathlib import Path, PurePosixPath
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.files import read_text, write_json
from alpaca_eval_suite.leaderboard.migrate import SCHEMA_VERSION, from_json, migrated_run
from alpaca_eval_suite.types import Rate

RUN_FILE = "alpaca_run.json"
PREFERENCES_FILE = "preferences.jsonl"
RAW_FILE = "alpaca_raw.jsonl"

Source = Literal["helm", "judge_run", "votes", "alpaca_eval", "inspect_ai", "lm_eval"]
"""What a run was made from."""


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

    `hash` is over everything that changes a verdict (question, decoding, model), None where it is not known;
    `served_id` as a server reports it (several, where it changed within the run).
    """

    name: str
    hash: str | None = None
    served_id: str | None = None
    template_sha256: str | None
    orders: str
    seed: int
    calibrated: bool
    agreement: str
    has_information: bool | None = None


class PanelRecord(_Record):
    """Several judges of the same pairs, and how their values are put together (judge.combined).

    `agreement`: how often any two of them take the same side (judge.panel), None where nobody compared twice.
    """

    combine: Literal["mean", "majority"]
    judges: tuple[JudgeRecord, ...]
    agreement: dict[str, Any] | None = None


class RawRecord(_Record):
    """The file of raw answers and verdicts that the run's numbers follow from (raw.py).

    `file` is relative to the folder that the record's own file lies in, and never leaves it.
    """

    file: str
    sha256: str
    n_lines: int

    @field_validator("file")
    @classmethod
    def _stays_inside(cls, file: str) -> str:
        parts = PurePosixPath(file).parts
        if not parts or file.startswith("/") or "\\" in file or ":" in file or ".." in parts:
            raise ValueError(f"{file!r} is not a file below the folder of the entry")
        return file


class RunRecord(_Record):
    """One model on one scenario. `differences` are between groups of items, and may be below 0.

    `judge` stands for all of them where a `panel` judged. `seed` is that of the resamples behind the intervals.
    `stopped_early`: judging ended as soon as the model was seen to be better or worse, so that the win rate's
    interval is the confidence sequence's, and no other holds. `cost_usd`: what judging cost, None where that is not
    known. `self_judged` says how the judge is related to one of the two, None where it is not. `guards`: what is
    suspicious in the outputs (stats.guards). `length_controlled`: see stats.length_control.
    `notes`: what a reader of the numbers must know of how they came about, one sentence each.
    """

    schema_version: Literal[2] = SCHEMA_VERSION
    source: Source = "helm"
    run: str
    date: str
    scenario: ScenarioRecord
    model: ModelRecord
    prompt: PromptRecord
    decoding: DecodingRecord
    baseline: BaselineRecord | None = None
    judge: JudgeRecord | None = None
    panel: PanelRecord | None = None
    seed: int = 0
    stopped_early: bool = False
    rates: dict[str, RateRecord]
    differences: dict[str, RateRecord] = Field(default_factory=dict)
    numbers: dict[str, float] = Field(default_factory=dict)
    win_rate: dict[str, Any] | None = None
    length_controlled: dict[str, Any] | None = None
    slices: dict[str, dict[str, dict[str, RateRecord]]] = Field(default_factory=dict)
    guards: tuple[str, ...] = ()
    self_judged: str | None = None
    cost_usd: float | None = None
    raw: RawRecord | None = None
    versions: dict[str, str] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def combine(self) -> Literal["mean", "majority"]:
        """How the values of several judges become one."""
        return self.panel.combine if self.panel else "mean"


def write_record(folder: Path, record: RunRecord) -> None:
    """Write the record into a run's folder, atomically."""
    write_json(folder / RUN_FILE, record.model_dump(mode="json"))


def read_record(folder: Path) -> RunRecord:
    """The record of the run in `folder`, migrated where an older version wrote it.

    Raises SuiteError when it is missing, of a newer version, or not of this form.
    """
    path = folder / RUN_FILE
    try:
        return RunRecord.model_validate(migrated_run(from_json(read_text(path)), path))
    except ValueError as error:
        raise SuiteError(
            f"is not a run record of version {SCHEMA_VERSION} ({first_problem(error)})",
            where=str(path),
            next_step="Run the evaluation again with this version; answers come from the cache.",
        ) from error


def first_problem(error: ValueError) -> str:
    """The first key that is wrong, and how, in a few words."""
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    return f"{key}: {message}" if key else message
