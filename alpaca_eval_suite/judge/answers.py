"""An answer to a question as it is kept in a ledger, and what it is read as."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from alpaca_eval_suite.judge.contracts import Reply, Ruling, win_of
from alpaca_eval_suite.judge.forms import read_reply
from alpaca_eval_suite.judge.reply import VerdictError
from alpaca_eval_suite.judge.schema import JudgeSpec
from alpaca_eval_suite.stats.verdicts import preference_to_json
from alpaca_eval_suite.types import Order, Preference


class Outcome(NamedTuple):
    """What a task came to: the model's win, None where the judge failed; `reason` then says how."""

    win: float | None
    reason: str


@dataclass(frozen=True)
class Answer:
    """What came of one call: a reply, or the reason why there can be none (`refused`: too long, blocked).

    `label` and `kept` are the question's, `cost` is in USD. `lines` are the lines of preferences.jsonl that it is
    for, without their win and reason: with them replies can be read again from the ledger alone.
    """

    label: str
    reply: Reply | None = None
    refused: str = ""
    kept: int | None = None
    cost: float = 0.0
    lines: Sequence[Mapping[str, Any]] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "label": self.label,
            "reply": None if self.reply is None else self.reply.as_json(),
            "refused": self.refused,
            "kept": self.kept,
            "cost": self.cost,
            "lines": list(self.lines),
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> "Answer":
        """The reverse of `as_json`. Raises KeyError or TypeError for something else."""
        reply = raw["reply"]
        return cls(**{**raw, "reply": None if reply is None else Reply.from_json(reply)})

    def ruling(self, spec: JudgeSpec) -> Ruling:
        """What the judge said. Raises VerdictError where that cannot be read, or nothing was said."""
        if self.reply is None:
            raise VerdictError(self.refused)
        return read_reply(spec, self.reply, self.label)

    def read(self, spec: JudgeSpec) -> Ruling | str:
        """What the judge said, or why that is no verdict."""
        try:
            return self.ruling(spec)
        except VerdictError as error:
            return str(error)

    def outcome(self, reading: Ruling | str, order: Order) -> Outcome:
        """The verdict on the pair in that order, from what was read."""
        if isinstance(reading, str):
            return Outcome(None, reading)
        reason = reading.reason
        if self.kept is not None:
            reason = f"[both answers cut to {self.kept} characters] {reason}".strip()
        return Outcome(win_of(reading, order), reason)


def line_of(preference: Preference, place: int) -> dict[str, Any]:
    """A line for `Answer.lines`; `place` is the task's among all, so that files keep their order."""
    line = preference_to_json(preference)
    del line["win"], line["reason"]
    return {"place": place, **line}
