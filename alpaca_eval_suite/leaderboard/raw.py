"""The raw file of a run: one line an item, with everything that a person needs to check what became of it.

The run's numbers follow from these lines alone (recompute.py).
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.files import read_rows, sha256_text, write_atomic
from alpaca_eval_suite.leaderboard.figures import Judged
from alpaca_eval_suite.leaderboard.record import RawRecord, RunRecord, first_problem
from alpaca_eval_suite.models.thinking import split_thought
from alpaca_eval_suite.types import Order, Preference

VOTES = "votes"
"""The source of a run whose verdicts are people's."""

_MEND = "The file is written with its entry: build again from the run, or restore both."


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Verdict(_Line):
    """One verdict of one judge; `win` is None where it failed, and `reason` then says how."""

    judge: str
    order: Order = "single"
    seed: int = 0
    win: float | None = Field(ge=0, le=1)
    reason: str = ""


class Vote(_Line):
    """One person's verdict, `judge` as `human:NAME`, with what else was noted down."""

    judge: str
    order: Order = "single"
    seed: int = 0
    win: float | None = Field(ge=0, le=1)
    tags: tuple[str, ...] = ()
    seconds: float | None = None


class RuleRecord(_Line):
    """What a probe's rule says of an answer that a judge labelled in its place."""

    label: str
    reason: str = ""


class OutcomeRecord(_Line):
    """How a probe, or a judge in its place, read the answer; `label` is None where the judge failed.

    `rule` is there where a judge took the rule's place; `score` is the rule's always.
    """

    label: str | None
    reason: str = ""
    score: float | None = None
    rule: RuleRecord | None = None


class ChecksRecord(_Line):
    """The checks written with the item: how many of them the answer passes, and what the others say."""

    passed: int = Field(ge=0)
    total: int = Field(ge=1)
    failed: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _no_more_than_all(self) -> Self:
        if self.passed > self.total:
            raise ValueError(f"{self.passed} of {self.total} checks passed")
        return self


class RawItem(_Line):
    """One item: what was asked, what was answered, and what became of it. All but the `id` may be missing.

    `prompt` is what was sent, a text or a list of messages. `output` and `baseline_output` are what was judged.
    `len_model` and `len_baseline` are given in characters where these texts are not. `key` holds what the counting
    needs to know of the item: its kind, and in the probe of pairs whose pair and side it is. `cut_off`: the answer
    ended at its limit of tokens, `cut_off_thinking`: within its thought; None where nobody said so, or there is none.
    """

    id: str = Field(min_length=1)
    instruction: str | None = None
    input: str | None = None
    prompt: str | tuple[dict[str, Any], ...] | None = None
    output: str | None = None
    baseline_output: str | None = None
    len_model: int | None = Field(default=None, ge=0)
    len_baseline: int | None = Field(default=None, ge=0)
    slices: dict[str, str] = Field(default_factory=dict)
    key: dict[str, Any] = Field(default_factory=dict)
    verdicts: tuple[Verdict, ...] = ()
    outcome: OutcomeRecord | None = None
    checks: ChecksRecord | None = None
    people: tuple[Vote, ...] = ()
    cut_off: bool | None = None
    cut_off_thinking: bool | None = None

    @model_validator(mode="before")
    @classmethod
    def _null_is_missing(cls, value: Any) -> Any:
        return {key: of for key, of in value.items() if of is not None} if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _each_verdict_once(self) -> Self:
        for given in (self.verdicts, self.people):
            keys = [(one.judge, one.order, one.seed) for one in given]
            if len(set(keys)) < len(keys):
                twice = next(key for key in keys if keys.count(key) > 1)
                raise ValueError(f"the verdict of {twice} stands twice")
        return self

    def answer(self, thinking: str = "strip") -> str | None:
        """The model's answer without its thought, which with `keep` stands in the output."""
        return _answer(self.output, thinking)

    def length(self, thinking: str = "strip") -> int | None:
        """Characters of the model's answer."""
        answer = _answer(self.output, thinking)
        return self.len_model if answer is None else len(answer)

    def baseline_length(self, thinking: str = "strip") -> int | None:
        """Characters of the baseline's answer."""
        answer = _answer(self.baseline_output, thinking)
        return self.len_baseline if answer is None else len(answer)

    def preferences(self, run: RunRecord) -> list[Preference]:
        """The verdicts that the win rate of `run` counts, as lines of preferences.jsonl: people's in a run of votes."""
        given: tuple[Verdict | Vote, ...] = self.people if run.source == VOTES else self.verdicts
        thinking = run.decoding.thinking
        return [
            Preference(
                id=self.id,
                win=one.win,
                model=run.model.name,
                baseline=run.baseline.name if run.baseline else "",
                judge=one.judge,
                scenario=run.scenario.name,
                order=one.order,
                seed=one.seed,
                len_model=self.length(thinking),
                len_baseline=self.baseline_length(thinking),
                slices=self.slices,
                reason=one.reason if isinstance(one, Verdict) else "",
            )
            for one in given
        ]

    def judged(self, run: RunRecord) -> Judged:
        """The item as the figures of `run` count it."""
        answer = self.answer(run.decoding.thinking)
        return Judged(
            id=self.id,
            slices=self.slices,
            length=self.length(run.decoding.thinking),
            baseline_length=self.baseline_length(run.decoding.thinking),
            empty=None if answer is None else not answer.strip(),
            cut_off=self.cut_off,
            cut_off_thinking=self.cut_off_thinking,
            checks_passed=self.checks.passed / self.checks.total if self.checks else None,
            outcome=self.outcome.label if self.outcome else None,
            rule=self.outcome.rule.label if self.outcome and self.outcome.rule else None,
            preferences=tuple(self.preferences(run)),
            kind=self.key.get("kind"),
        )


def _answer(text: str | None, thinking: str) -> str | None:
    return split_thought(text).answer if text is not None and thinking == "keep" else text


def raw_text(items: Iterable[RawItem]) -> str:
    """The lines of the raw file; what is missing or empty is left out, so that the same items give the same bytes.

    Raises ValueError for an id that stands twice.
    """
    seen: set[str] = set()
    lines = []
    for item in items:
        if item.id in seen:
            raise ValueError(f"the id {item.id!r} stands twice among the raw items")
        seen.add(item.id)
        lines.append(json.dumps(item.model_dump(exclude_defaults=True), ensure_ascii=False, allow_nan=False) + "\n")
    # Half of a surrogate pair has no UTF-8 form; its JSON escape is the same string.
    return "".join(lines).encode("utf-8", "backslashreplace").decode("utf-8")


def write_raw(path: Path, items: Iterable[RawItem]) -> None:
    """Write the items as JSON Lines, atomically. Raises SuiteError when the file cannot be written."""
    write_atomic(path, raw_text(items))


def raw_record(file: str, items: Iterable[RawItem]) -> RawRecord:
    """What a run's record says of its raw file `file` that holds `items`."""
    text = raw_text(items)
    return RawRecord(file=file, sha256=sha256_text(text), n_lines=text.count("\n"))


def read_raw(path: Path) -> list[RawItem]:
    """The items in `path`. Raises SuiteError naming the line and the key that is wrong, or an id that stands twice."""
    items: list[RawItem] = []
    seen: dict[str, str] = {}
    for where, row in read_rows(path):
        item = _item(where, row)
        if (first := seen.setdefault(item.id, where)) != where:
            raise SuiteError(f"the id {item.id!r} stands twice, first at {first}", where=where, next_step=_MEND)
        items.append(item)
    return items


def _item(where: str, row: Mapping[str, Any]) -> RawItem:
    try:
        return RawItem.model_validate(row)
    except ValidationError as error:
        what = f"is not a line of a raw file ({first_problem(error)})"
        raise SuiteError(what, where=where, next_step=_MEND) from error


def ids_hash(ids: Iterable[str]) -> str:
    """What stands for the data's hash where only the ids are known: SHA-256 of the sorted ids, one a line.

    Where items have no ids of their own, an id is a hash of the instruction (prompts.instruction_id).
    """
    return sha256_text("\n".join(sorted(ids)))
