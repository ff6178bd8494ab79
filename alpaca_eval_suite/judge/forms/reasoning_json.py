"""Reasons, then the verdict, in one JSON object: {"reasoning": "...", "verdict_<label>": "A"}."""

import json
import re
from typing import Any, cast

from alpaca_eval_suite.judge.contracts import Reply, Ruling
from alpaca_eval_suite.judge.forms.letter import CHOICES, FIRST
from alpaca_eval_suite.judge.reply import VerdictError, after_thoughts, differing, shortened
from alpaca_eval_suite.judge.schema import JudgeSpec

_REASONING = "reasoning"
_FENCE = re.compile(r"\n?[ \t]*(?:```|~~~)[ \t]*\Z")
_OBJECT = re.compile(r"^[ \t]*(?=\{)", re.MULTILINE)
_TRIED = 100  # beginnings of objects in one reply; each may be read to the reply's end


def schema(spec: JudgeSpec, label: str) -> dict[str, Any]:
    """The JSON Schema of a reply: the reasons come first, so that they are made before the verdict."""
    choices = [choice for choice in CHOICES if spec.ties or choice != "TIE"]
    verdict = _key(spec, label)
    return {
        "type": "object",
        "properties": {_REASONING: {"type": "string"}, verdict: {"type": "string", "enum": choices}},
        "required": [_REASONING, verdict],
        "additionalProperties": False,
    }


def read(spec: JudgeSpec, reply: Reply, label: str) -> Ruling:
    """From the object that ends the reply, fences of Markdown or not.

    Raises VerdictError when none does, when it lacks the labelled key or holds it twice, and where the reply holds
    another verdict under that key.
    """
    key = _key(spec, label)
    start, pairs = _last_object(_FENCE.sub("", reply.text.rstrip()))
    answer = after_thoughts(reply.text, verdict_at=start)
    given = [value for name, value in pairs if name == key]
    if len(given) != 1:
        raise VerdictError(f"the JSON object at the end holds {key!r} {len(given)} times, not once")
    choice = given[0].strip().upper() if isinstance(given[0], str) else None
    if choice not in CHOICES:
        raise VerdictError(f"the verdict in the JSON object is no A, B or TIE: {str(given[0])[:80]!r}")
    # In an object before the last one, or quoted in the reasons.
    others = re.findall(rf'{re.escape(key)}\\*"\s*:\s*\\*"\s*(A|B|TIE)\b', answer, re.IGNORECASE)
    if any(other.upper() != choice for other in others):
        raise differing()
    reasons = [value for name, value in pairs if name == _REASONING and isinstance(value, str)]
    return Ruling(FIRST[choice], shortened(reasons[0] if reasons else ""))


def _key(spec: JudgeSpec, label: str) -> str:
    return spec.verdict.replace("{label}", label)


def _last_object(text: str) -> tuple[int, list[tuple[str, Any]]]:
    """The longest JSON object that begins a line and ends `text`: where it begins, its names and values."""
    # Pairs, not a dict, so that a key that stands twice is seen. Control characters in strings are let pass: judges
    # write line ends there.
    decoder = json.JSONDecoder(object_pairs_hook=list, strict=False)
    for start in [match.end() for match in _OBJECT.finditer(text)][-_TRIED:]:
        try:
            value, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        if not text[end:].strip():
            return start, cast(list[tuple[str, Any]], value)
    raise VerdictError(f"no JSON object ends the reply: {text[-80:]!r}")
