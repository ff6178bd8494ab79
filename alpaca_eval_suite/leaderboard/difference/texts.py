"""What was asked and answered, byte for byte: where two runs have the same text, and where two texts part."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from alpaca_eval_suite.files import sha256_text
from alpaca_eval_suite.judge.reply import sendable
from alpaca_eval_suite.leaderboard.difference.sides import Side
from alpaca_eval_suite.leaderboard.raw import RawItem
from alpaca_eval_suite.leaderboard.record import RunRecord

_AROUND = 30  # characters before and behind the first difference
_EXAMPLES = 3


class State(Enum):
    """Whether something is the same in both runs."""

    SAME = "same"
    DIFFERENT = "different"
    UNKNOWN = "unknown"

    @classmethod
    def of(cls, a: object, b: object) -> "State":
        """Of two values, None being what is not known."""
        if a is None or b is None:
            return cls.UNKNOWN
        return cls.SAME if a == b else cls.DIFFERENT


@dataclass(frozen=True)
class Example:
    """Where two texts of one id part: at the character `at`, with what stands around it in both."""

    id: str
    at: int
    mine: str
    published: str
    lengths: tuple[int, int]
    hashes: tuple[str, str]

    def as_json(self) -> dict[str, Any]:
        """The public form."""
        return {
            "id": self.id,
            "at": self.at,
            "mine": self.mine,
            "published": self.published,
            "lengths": list(self.lengths),
            "sha256": list(self.hashes),
        }


@dataclass(frozen=True)
class Texts:
    """One kind of text in both runs: the state of each id, and the first examples of a difference."""

    states: Mapping[str, State]
    examples: tuple[Example, ...]

    def count(self, state: State) -> int:
        """How many ids are in this state."""
        return sum(of is state for of in self.states.values())

    def as_json(self) -> dict[str, Any]:
        """{"same", "different", "unknown", "examples"}."""
        counts = {state.value: self.count(state) for state in State}
        return {**counts, "examples": [example.as_json() for example in self.examples]}


def prompts(mine: Side, published: Side, ids: Iterable[str]) -> Texts:
    """The exact prompts; where they are not kept, what the records say of their form."""
    of_form = _form(mine.run, published.run)
    return _texts(mine, published, ids, lambda _, item: _prompt(item), lambda _: of_form)


def outputs(mine: Side, published: Side, ids: Iterable[str]) -> Texts:
    """The model's answers; where they are not kept, lengths can tell that two differ."""

    def by_length(id_: str) -> State:
        lengths = (_item(side, id_).length(side.run.decoding.thinking) for side in (mine, published))
        return _unless_equal(*lengths)

    return _texts(mine, published, ids, lambda side, item: item.answer(side.run.decoding.thinking), by_length)


def baseline_outputs(mine: Side, published: Side, ids: Iterable[str]) -> Texts:
    """The baseline's answers; where they are not kept, by the hash of their file, or by lengths."""
    a, b = mine.run.baseline, published.run.baseline
    same_file = a is not None and b is not None and a.sha256 is not None and a.sha256 == b.sha256
    no_baseline = a is None and b is None

    def otherwise(id_: str) -> State:
        if same_file or no_baseline:
            return State.SAME
        lengths = (_item(side, id_).baseline_length(side.run.decoding.thinking) for side in (mine, published))
        return _unless_equal(*lengths)

    return _texts(mine, published, ids, lambda _, item: item.baseline_output, otherwise)


def _item(side: Side, id_: str) -> RawItem:
    assert side.items is not None
    return side.items[id_]


def _texts(mine: Side, published: Side, ids: Iterable[str], text_of: Any, otherwise: Any) -> Texts:
    states: dict[str, State] = {}
    examples: list[Example] = []
    for id_ in ids:
        a, b = text_of(mine, _item(mine, id_)), text_of(published, _item(published, id_))
        state = State.of(a, b)
        if state is State.UNKNOWN:
            state = otherwise(id_)
        elif state is State.DIFFERENT and len(examples) < _EXAMPLES:
            examples.append(example(id_, a, b))
        states[id_] = state
    return Texts(states, tuple(examples))


def example(id_: str, a: str, b: str) -> Example:
    """Where two different texts part."""
    at = next((place for place, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    around = slice(max(0, at - _AROUND), at + _AROUND)
    return Example(
        id_, at, a[around], b[around], (len(a), len(b)), (sha256_text(sendable(a)), sha256_text(sendable(b)))
    )


def _unless_equal(a: int | None, b: int | None) -> State:
    """What two lengths tell of two texts: equal ones tell nothing."""
    return State.DIFFERENT if State.of(a, b) is State.DIFFERENT else State.UNKNOWN


def _prompt(item: RawItem) -> str | None:
    if item.prompt is None or isinstance(item.prompt, str):
        return item.prompt
    return json.dumps(item.prompt, ensure_ascii=False, sort_keys=True)


def _form(mine: RunRecord, published: RunRecord) -> State:
    """Whether the prompt's form is the same. A chat template is the model's own, so that it goes by the model."""
    a, b = mine.prompt, published.prompt
    if not a.sha256 or not b.sha256:
        return State.UNKNOWN
    if (a.format, a.sha256) != (b.format, b.sha256):
        return State.DIFFERENT
    if a.format != "chat":
        return State.of(mine.scenario.sha256, published.scenario.sha256)
    return State.of(mine.model.fingerprint, published.model.fingerprint)
