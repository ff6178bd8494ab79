"""The contracts: what crosses a boundary between two packages, one type a thing, nothing but data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Order = Literal["model_first", "baseline_first", "single"]
"""Which of the two outputs the judge saw first; `single`: the judge saw the pair once, its order unknown."""

ORDERS: tuple[str, ...] = get_args(Order)


@dataclass(frozen=True)
class Turn:
    """What one side said in a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class Instruction:
    """One item of a scenario, under an `id` that is unique in it.

    `slices`: what results can be broken down by (app, category). `reference`: an answer known to be good, or
    None. `key`: what the scenario's metric needs to know of the right answer (checks, aliases, traps).
    `earlier`: what was said before, where the item is a conversation; `instruction` is then its last turn.
    """

    id: str
    instruction: str
    input: str = ""
    reference: str | None = None
    slices: Mapping[str, str] = field(default_factory=dict)
    key: Mapping[str, Any] = field(default_factory=dict)
    earlier: tuple[Turn, ...] = ()


@dataclass(frozen=True)
class Completion:
    """What `model` answered to the instruction `id`."""

    id: str
    output: str
    model: str


@dataclass(frozen=True)
class Comparison:
    """Two answers to one instruction, to be compared by a judge."""

    instruction: Instruction
    output: str
    baseline_output: str


@dataclass(frozen=True, slots=True)
class Preference:
    """A verdict: one pair shown once to one judge, one line of preferences.jsonl.

    `win` in [0, 1]: 1 the model's output is preferred, 0 the baseline's, 0.5 a tie, None the judge failed
    (`reason` then says how). `len_model` and `len_baseline` are in characters.
    """

    id: str
    win: float | None
    model: str = "model"
    baseline: str = "baseline"
    judge: str = "judge"
    scenario: str = ""
    order: Order = "single"
    seed: int = 0
    len_model: int | None = None
    len_baseline: int | None = None
    slices: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""

    @property
    def full_key(self) -> tuple[str, str, str, str, str, str, int]:
        """What may stand once in a set of verdicts."""
        return (self.scenario, self.id, self.model, self.baseline, self.judge, self.order, self.seed)


@dataclass(frozen=True)
class Interval:
    """A two-sided interval at confidence `level`; `method` names how it was made, fall-backs included."""

    low: float
    high: float
    level: float
    method: str

    def as_json(self) -> dict[str, Any]:
        """The public form: {"low", "high", "level", "method"}."""
        return {"low": self.low, "high": self.high, "level": self.level, "method": self.method}


@dataclass(frozen=True)
class Rate:
    """A share in [0, 1] that never travels without its interval, `n` and failures.

    `estimate` and `interval` are None when nothing could be counted (n = 0).
    """

    estimate: float | None
    interval: Interval | None
    n: int
    n_failed: int = 0

    def as_json(self) -> dict[str, Any]:
        """{"value", "ci", "n", "n_failed"}."""
        ci = self.interval.as_json() if self.interval else None
        return {"value": self.estimate, "ci": ci, "n": self.n, "n_failed": self.n_failed}
