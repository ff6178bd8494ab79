"""One sample of an inspect_ai log: what was asked, answered and scored, as far as the log says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.leaderboard.importers.shared import bad, number, object_at, text, text_or_none, whole

_ATTACHMENT = "attachment://"
_LETTERS = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}  # correct, partly, incorrect, no answer
_WORDS = {"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}
_CUT_OFF = {"stop": False, "max_tokens": True, "model_length": True}


@dataclass(frozen=True)
class Score:
    """What one scorer said: `value` is None where it is no number, `raw` the value as it stands in the log."""

    value: float | None
    raw: Any
    explanation: str
    metadata: Mapping[str, Any]


@dataclass(frozen=True)
class Sample:
    """A sample in one epoch. `scores` are by the scorer's name, of a score with several values NAME.KEY each."""

    where: str
    id: str
    epoch: int
    instruction: str
    target: str
    messages: tuple[dict[str, Any], ...]
    output: str | None
    served_id: str | None
    cut_off: bool | None
    failed: bool
    metadata: Mapping[str, Any]
    scores: Mapping[str, Score] = field(default_factory=dict)


def read_sample(sample: Mapping[str, Any], where: str) -> Sample:
    """The sample. Raises SuiteError naming the place and the key that is wrong."""
    identifier, epoch = sample.get("id"), whole(sample.get("epoch", 1))
    if isinstance(identifier, bool) or not isinstance(identifier, str | int) or identifier == "":
        raise bad("id", "must be a text or a whole number", where)
    if epoch is None:
        raise bad("epoch", "must be a whole number", where)
    attached = object_at(sample, "attachments", where)
    output = object_at(sample, "output", where)
    choices = output.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    failed = sample.get("error") is not None
    answered = bool(choice) and not failed
    completion = output.get("completion")
    if completion is None:
        completion = object_at(choice, "message", where).get("content")
    target = sample.get("target")
    return Sample(
        where=where,
        id=text(identifier),
        epoch=epoch,
        instruction=_asked(sample.get("input"), attached),
        target=text("\n".join(map(str, target)) if isinstance(target, list) else target or ""),
        messages=_prompt(sample.get("messages"), attached),
        output=_content(completion, attached) if answered else None,
        served_id=text_or_none(output.get("model")),
        cut_off=_CUT_OFF.get(str(choice.get("stop_reason"))),
        failed=failed,
        metadata=object_at(sample, "metadata", where),
        scores=_scores(sample, where),
    )


def _scores(sample: Mapping[str, Any], where: str) -> dict[str, Score]:
    given = object_at(sample, "scores", where)
    if not given and isinstance(sample.get("score"), dict):  # one score, as early versions had it
        given = {"score": sample["score"]}
    found: dict[str, Score] = {}
    for name, score in given.items():
        if not isinstance(score, dict) or "value" not in score:
            raise SuiteError(f"the score {name!r} has no value", where=where)
        said = text_or_none(score.get("explanation")) or ""
        metadata = object_at(score, "metadata", where)
        values = score["value"] if isinstance(score["value"], dict) else {"": score["value"]}
        for key, value in values.items():
            found[text(f"{name}.{key}" if key else name)] = Score(value_of(value), value, said, metadata)
    return found


def value_of(value: Any) -> float | None:
    """A score's value as inspect_ai counts it: C 1, P 0.5, I and N 0, yes and true 1, numbers as they are.

    None for anything else, which inspect_ai counts as 0 with a warning.
    """
    if isinstance(value, str):
        if value in _LETTERS:
            return _LETTERS[value]
        if value.lower() in _WORDS:
            return _WORDS[value.lower()]
        try:
            return number(float(value))
        except ValueError:
            return None
    return number(value)


def _asked(given: Any, attached: Mapping[str, Any]) -> str:
    """The question: the input, or the last message of the user in it."""
    if not isinstance(given, list):
        return _content(given, attached)
    own = [message for message in given if isinstance(message, dict) and message.get("role") == "user"]
    return _content(own[-1].get("content"), attached) if own else ""


def _prompt(messages: Any, attached: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    """The conversation up to the last answer."""
    if not isinstance(messages, list):
        return ()
    known = [message for message in messages if isinstance(message, dict)]
    last = max((i for i, message in enumerate(known) if message.get("role") == "assistant"), default=len(known))
    return tuple(
        {"role": text(message.get("role", "")), "content": _content(message.get("content"), attached)}
        for message in known[:last]
    )


def _content(content: Any, attached: Mapping[str, Any]) -> str:
    """The text of a content, with [image] and the like for parts that are none; thoughts are left out."""
    if isinstance(content, str):
        if content.startswith(_ATTACHMENT):
            return text(attached.get(content.removeprefix(_ATTACHMENT), content))
        return text(content)
    if not isinstance(content, Sequence):
        return ""
    parts = []
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        if kind == "text":
            parts.append(_content(part.get("text"), attached))
        elif kind != "reasoning":
            parts.append(f"[{text(kind or 'part')}]")
    return "\n".join(parts)
