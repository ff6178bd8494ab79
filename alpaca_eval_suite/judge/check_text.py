"""Text as the deterministic checks see it: one normal form, words, sentences, list items.

Everything here is linear in the text's length (outputs of 100 KB are met) and raises on no text at all.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable

_STRAIGHT = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u02bc\u00b4", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
        # Hyphens, figure and en dashes, the minus sign; the em dash stays: it never joins numbers or words.
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2212", "-"),
        **dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff"),
    }
)
# NFKC would glue "1½" into "11/2" and "m²" into "m2": a space first keeps the two numbers apart.
_GLUED = re.compile(r"(?<=\w)(?=[¼-¾⅐-⅞²³¹⁰-⁹])")
# Putting combining marks in order takes quadratic time: runs of them are cut at the length that Unicode calls
# stream-safe (UAX #15, 30), which no language reaches. The pattern finds runs of marks and the like, quickly.
_MARK_RUN = re.compile(r"[^\w\s\x00-\x7f]{31,}")
_MOST_MARKS = 30
_MARKS = str.maketrans("", "", "*_`#~")
_WORD = re.compile(r"\w+(?:['-]\w+)*")
# Writing systems that put no spaces between words: there a "whole word" cannot be told by its neighbours.
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")


def normalise(text: str) -> str:
    """`text` after NFKC, with straight quotes and hyphens, casefolded, runs of white space as one space."""
    text = _GLUED.sub(" ", _MARK_RUN.sub(_stream_safe, text)).translate(_STRAIGHT)
    text = unicodedata.normalize("NFKC", text).replace("\u2044", "/").translate(_STRAIGHT)
    return " ".join(unicodedata.normalize("NFKC", text.casefold()).split())


def _stream_safe(run: re.Match[str]) -> str:
    kept, marks = [], 0
    for character in run[0]:
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks <= _MOST_MARKS:
            kept.append(character)
    return "".join(kept)


def words(text: str) -> list[str]:
    """The words of `text`, normalised: runs of letters and digits, inner apostrophes and hyphens kept."""
    return _WORD.findall(normalise(text))


def without_marks(text: str) -> str:
    """`text` without Markdown's marks of emphasis, code and headings: "**two** words" becomes "two words"."""
    return text.translate(_MARKS)


def find_alias(haystack: str, alias: str, begin: int = 0) -> int:
    """Where, from `begin` on, `alias` stands in `haystack` as whole words, or -1; both are normalised.

    Whole words: not inside a run of letters and digits. An alias that ends in `*` matches the beginning of a
    word ("cancel*" finds "cancelled").
    """
    stem = alias.endswith("*") and len(alias) > 1
    needle = alias[:-1] if stem else alias
    start = haystack.find(needle, begin) if needle else -1
    while start >= 0:
        end = start + len(needle)
        left_free = start == 0 or not _joined(haystack[start - 1], needle[0])
        if left_free and (stem or end == len(haystack) or not _joined(needle[-1], haystack[end])):
            return start
        start = haystack.find(needle, start + 1)
    return -1


def without_alias(haystack: str, alias: str) -> str:
    """`haystack` with a NUL in place of `alias`, wherever `find_alias` finds it; `alias` is no stem."""
    kept, begin = [], 0
    while (where := find_alias(haystack, alias, begin)) >= 0:
        kept.append(haystack[begin:where])
        begin = where + len(alias)
    return "\0".join([*kept, haystack[begin:]])


def _joined(left: str, right: str) -> bool:
    return left.isalnum() and right.isalnum() and not (_UNSPACED.match(left) or _UNSPACED.match(right))


def first_found(haystack: str, aliases: Iterable[str]) -> str | None:
    """The first of `aliases` (as written) that stands in the normalised `haystack`, or None."""
    return next((alias for alias in aliases if find_alias(haystack, normalise(alias)) >= 0), None)


# --- sizes ---------------------------------------------------------------------------------------------

_SENTENCE_GAP = re.compile(r"(?<=[.!?…])[\"')\]*_”’»]*\s+|(?<=[。！？])")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\[\"'])(?:mr|mrs|ms|dr|prof|st|vs|etc|e\.g|i\.e|no|nr|approx|dept|inc|jr|sr|p\.m|a\.m|[a-z]|\d+)\.$",
    re.IGNORECASE,
)
_LAST_CHARACTERS = 12  # enough to hold the longest abbreviation above


def sentences(text: str) -> int:
    """How many sentences: a sentence ends at . ! ? … before white space, and at the end of a line.

    A full stop after a common abbreviation, a lone letter or a number ("1.") ends none.
    """
    count = 0
    for line in text.splitlines():
        carried = ""
        for piece in _SENTENCE_GAP.split(line):
            carried += piece
            if not _ABBREVIATION.search(carried[-_LAST_CHARACTERS:]):
                count += _WORD.search(carried) is not None
                carried = ""
        count += _WORD.search(carried) is not None
    return count


def lines(text: str) -> int:
    """How many lines that are not blank."""
    return sum(1 for line in text.splitlines() if line.strip())


def paragraphs(text: str) -> int:
    """How many blocks of lines, parted by blank lines."""
    blank = [not line.strip() for line in text.splitlines()]
    return sum(1 for before, now in zip([True, *blank], blank, strict=False) if before and not now)


SIZES: dict[str, Callable[[str], int]] = {
    "words": lambda text: len(words(text)),
    "sentences": sentences,
    "lines": lines,
    "characters": lambda text: len(text.strip()),
    "paragraphs": paragraphs,
}
"""Unit of length to the function that counts it in a text."""

# --- items of lists ------------------------------------------------------------------------------------

# "1.", "2)", "**3.**", "## 4.", "**Day 5**:", "Étape 6 :"; not "At 10:30".
_NUMBERED = re.compile(r"[\s>#*_]*(?:[^\W\d_]{1,12} )?\d{1,3}[*_]* ?[.):](?=[\s*_]|$)")
_BULLET = re.compile(r"\s*[-*+•–—·▪◦‣●☐✓✔][ \t]+\S")
_HASHTAG = re.compile(r"(?<![\w#&/])#(\w+)")
_QUESTION = re.compile(r"\?+(?=[\s\"')\]*_”’»!]|$)|？+")


def _top_level(matching: list[str]) -> int:
    # Only the least indented lines count, so that the sub-points of a point are not items of the list.
    indents = [len(line) - len(line.lstrip()) for line in matching]
    return indents.count(min(indents)) if indents else 0


def numbered(text: str) -> int:
    """How many lines begin with a number ("1.", "2)", "Day 3:"), sub-lists aside."""
    return _top_level([line for line in text.splitlines() if _NUMBERED.match(line)])


def bullets(text: str) -> int:
    """How many lines begin with a bullet (-, *, • and the like), sub-lists aside."""
    return _top_level([line for line in text.splitlines() if _BULLET.match(line)])


def list_items(text: str) -> int:
    """How many items a list has, however it is set: numbered, bulleted, one a line, or in a row with commas.

    A first line that ends in a colon introduces the list and is no item of it.
    """
    if (count := numbered(text)) >= 2:
        return count
    if count := bullets(text):
        return count
    plain = [line.strip() for line in text.splitlines() if line.strip()]
    if len(plain) > 1:
        return len(plain) - plain[0].endswith(":")
    row = plain[0].rpartition(":")[2] if plain else ""
    parts = row.split(";") if ";" in row else re.split(r",|\band\b", row)
    return sum(1 for part in parts if part.strip(" ."))


def hashtags(text: str) -> int:
    """How many different hashtags."""
    return len({tag.casefold() for tag in _HASHTAG.findall(text) if not tag.isdigit()})


def questions(text: str) -> int:
    """How many question marks that end a question (those inside a web address do not)."""
    return len(_QUESTION.findall(text))


def shorten(text: str, limit: int = 40) -> str:
    """`text` on one line, cut to `limit` characters, for the sentence that explains a verdict."""
    text = " ".join(text[: 4 * limit].split())
    return text if len(text) <= limit else text[: limit - 1] + "…"
