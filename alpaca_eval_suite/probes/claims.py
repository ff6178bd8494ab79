"""Which known claims a sentence states, denies or only mentions.

A claim is given by an alias: words that stand for it ("landlocked"), a beginning of words with `*` ("hyperactiv*"),
or parts in this order within one sentence, joined by an ellipsis ("seal* … lay").
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from alpaca_eval_suite.judge.check_text import find_alias
from alpaca_eval_suite.probes import claim_phrases as phrases
from alpaca_eval_suite.probes.names import fold
from alpaca_eval_suite.probes.phrases import ABSTAINED

Stance = Literal["stated", "denied", "mentioned"]
"""`mentioned`: reported as others' belief, doubted, or asked; neither stated nor denied."""

_GAP = 90  # characters between two parts of an alias
_LEFT, _REACH = 160, 60  # characters before a claim that are read, and that a "not" reaches
_MOST_MENTIONS = 8  # of one alias in one sentence
_SPELT_OUT = (
    (re.compile(r"\bcan(?:'t|not)\b"), "can not"),
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"n't\b"), " not"),
    (re.compile(r"\b(it|that|there|he|she|this|what|here)'s\b"), r"\1 is"),
    (re.compile(r"\b(they|we|you)'re\b"), r"\1 are"),
)


@dataclass(frozen=True)
class Claim:
    """An alias made ready: `text` as its owner wrote it, its `parts` as they are searched for."""

    text: str
    parts: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """`claim` stands at [start, end) of the sentence, which does with it what `stance` says."""

    claim: Claim
    stance: Stance
    start: int
    end: int


def plain(text: str) -> str:
    """`text` as claims are searched in it: folded as names are, with contractions spelt out; lines are kept."""
    folded = fold(text).text
    for pattern, full in _SPELT_OUT:
        folded = pattern.sub(full, folded)
    return folded


def claim(alias: str) -> Claim:
    """`alias` ready to be searched for; its `parts` are empty where it holds no letter or digit."""
    parts = []
    for part in alias.split("…"):
        words = " ".join(plain(part.replace("*", "\0")).split()).replace("\0", "*")
        if any(character.isalnum() for character in words):
            parts.append(words)
    return Claim(alias, tuple(parts))


def find_claims(sentence: str, claims: Sequence[Claim]) -> list[Found]:
    """What the plain `sentence` does with each of `claims`, at every place where it holds one."""
    return [
        Found(item, _stance(sentence, start, end, gaps), start, end)
        for item in claims
        for start, end, gaps in _places(sentence, item.parts)
    ]


def uncovered(found: list[Found], others: list[Found]) -> list[Found]:
    """`found` without those that are stated as a part of a longer one among `others`, stated as well.

    "Closest to the Sun in January" states no "closest to the Sun".
    """
    return [item for item in found if not any(_covers(other, item) for other in others)]


def _covers(other: Found, item: Found) -> bool:
    both_stated = item.stance == other.stance == "stated"
    longer = other.end - other.start > item.end - item.start
    return both_stated and longer and other.start <= item.start and item.end <= other.end


def _places(sentence: str, parts: tuple[str, ...]) -> Iterator[tuple[int, int, str]]:
    """Where `parts` stand one after the other: start, end, and what lies between them."""
    begin = 0
    for _ in range(_MOST_MENTIONS if parts else 0):
        places: list[tuple[int, int]] = []
        for part in parts:
            place = _find_words(sentence, part, places[-1][1] if places else begin)
            if place is None or (places and place[0] > places[-1][1] + _GAP):
                return
            places.append(place)
        gaps = " ".join(sentence[left[1] : right[0]] for left, right in pairwise(places))
        yield places[0][0], places[-1][1], gaps
        begin = places[-1][1]


def _find_words(sentence: str, part: str, begin: int) -> tuple[int, int] | None:
    """Where the words of `part`, each whole or a beginning with `*`, stand side by side from `begin` on."""
    if "*" not in part[:-1]:
        start = find_alias(sentence, part, begin)
        return (start, start + len(part.rstrip("*"))) if start >= 0 else None
    pattern = re.escape(part).replace(r"\*", r"\w*")
    match = re.compile(rf"(?<!\w){pattern}(?!\w)").search(sentence, begin)
    return match.span() if match else None


def _stance(sentence: str, start: int, end: int, gaps: str) -> Stance:
    left, right = sentence[max(0, start - _LEFT) : start], sentence[end : end + _LEFT]
    if phrases.BEFORE_WRONG.search(left) or phrases.AFTER_WRONG.search(right):
        return "denied"
    if sentence.rstrip().endswith("?") or _doubted(left, right):
        return "mentioned"
    if _denies(phrases.CLAUSE.split(left[-_REACH:])[-1]) or _denies(gaps):
        return "denied"
    return "mentioned" if phrases.REPORTED.search(left) else "stated"


def _denies(text: str) -> bool:
    return phrases.NOT.search(phrases.NOT_MEANT.sub(" ", text)) is not None


def _doubted(left: str, right: str) -> bool:
    return any(
        pattern.search(left) or pattern.search(right) for pattern in (phrases.NO_EVIDENCE, phrases.DOUBT, ABSTAINED)
    )
