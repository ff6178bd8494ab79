"""Text folded for the search of names (case, accents, quotes, hyphens), and the names found in it."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from alpaca_eval_suite.judge.check_text import normalise, without_marks

Role = Literal["answer", "trap", "subject", "other"]
"""`answer` accepted, `trap` a known error, `subject` what is asked about, `other` any other name."""

# Letters that no Unicode decomposition takes apart, and the marks that stand for a glottal stop.
_LETTERS = str.maketrans(
    {"ø": "o", "đ": "d", "ł": "l", "ı": "i", "ə": "a", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th"}
    | dict.fromkeys("ʻʿʾ", "'")
)

_STAR_BULLET = re.compile(r"^[ \t]*[*+][ \t]+", re.MULTILINE)


@dataclass(frozen=True)
class Folded:
    """`text`: lower case, no accents, straight quotes, inner hyphens as spaces, single spaces, lines kept.

    `capitals`: the positions in it that were capital letters.
    """

    text: str
    capitals: frozenset[int]


@dataclass(frozen=True)
class Name:
    """A name to look for: `text` as its owner wrote it; `kind` says what sort of trap it is.

    `ambiguous`: an accepted answer that is the subject's own name too (Luxembourg).
    """

    text: str
    role: Role
    kind: str = ""
    ambiguous: bool = False


@dataclass(frozen=True)
class Mention:
    """`name` stands at [start, end) of a folded text."""

    start: int
    end: int
    name: Name


def fold(text: str) -> Folded:
    """`text` as names are compared in it; Markdown's marks are dropped."""
    source = unicodedata.normalize("NFC", without_marks(_STAR_BULLET.sub("- ", text)))
    pieces: list[str] = []
    capitals: set[int] = set()
    length = 0
    last = "\n"
    for index, char in enumerate(source):
        piece = _fold_char(char)
        if piece == "-" and source[index - 1 : index].isalnum() and source[index + 1 : index + 2].isalnum():
            piece = " "
        if piece == " " and last in " \n":
            continue
        if piece == "\n" and last == " ":
            length -= len(pieces.pop())
        if char.isupper():
            capitals.add(length)
        if piece:
            pieces.append(piece)
            length += len(piece)
            last = piece[-1]
    return Folded("".join(pieces), frozenset(capitals))


@cache
def _fold_char(char: str) -> str:
    if char in "\n\r\v\f\x85\u2028\u2029":
        return "\n"
    if char.isspace():
        return " "
    letters = unicodedata.normalize("NFD", normalise(char).translate(_LETTERS))
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).translate(_LETTERS)


def find_names(text: str, names: Sequence[Name]) -> list[Mention]:
    """Every whole-word mention of `names` in the folded `text`, in order; the longest name wins a place."""
    by_form: dict[str, Name] = {}
    for name in names:
        form = fold(name.text).text.strip()
        if form:
            by_form.setdefault(form, name)
    if not by_form:
        return []
    forms = "|".join(re.escape(form) for form in sorted(by_form, key=len, reverse=True))
    pattern = re.compile(rf"(?<![^\W_])(?:{forms})(?![^\W_])")
    return [Mention(found.start(), found.end(), by_form[found[0]]) for found in pattern.finditer(text)]
