"""Numbers in running text: "1,250.50", "$12", "30%", "2 1/2", "-4", "twenty-one"."""

import re
from itertools import pairwise

# Digits with inner points, commas and apostrophes; what they mean is decided in `_readings`.
_TOKEN = re.compile(r"\d+(?:[.,']\d+)*")
_SPACED = re.compile(r"(?<![\d.,])\d{1,3}(?: \d{3})+(?:[.,]\d+)?(?!\d)")
_FRACTION = re.compile(r"(?<![\d/.,])(?:(\d{1,4}) )?(\d{1,4}) ?/ ?(\d{1,4})(?![\d/])")
_CELL_BEFORE = re.compile(r"[^\s\d],")
_CELL_AFTER = re.compile(r",[^\s\d]")
_CURRENCY = "$€£¥₹"

_ONES = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_TEENS = ["ten", "eleven", "twelve", *(f"{stem}teen" for stem in ("thir", "four", "fif", "six"))]
_TEENS += [f"{stem}teen" for stem in ("seven", "eigh", "nine")]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_NAMES = {name: value for value, name in enumerate(["zero", *_ONES, *_TEENS])}
_NAMES |= {name: 10 * value for value, name in enumerate(_TENS, 2)}
_NAMED = re.compile(
    rf"(?<!\w)(?:({'|'.join(_TENS)})(?:[- ]({'|'.join(_ONES)}))?|(zero|{'|'.join(_ONES + _TEENS)}))(?!\w)"
)


def numbers_in(text: str) -> list[float]:
    """Every number that the normalised `text` can be read to hold; a token with two readings gives both.

    "1,250" is 1250 and (as on the continent) 1.25; "3/4" is 3, 4 and .75; "1,2,3" is 1, 2 and 3. In a row of
    CSV ("pen,2,150") each cell counts too. Digits after a letter ("A4") are no number. English names count
    from zero to ninety-nine, except "one", which is mostly a pronoun.
    """
    found: list[float] = []
    for match in _TOKEN.finditer(text):
        start = match.start()
        if start and text[start - 1].isalpha():
            continue
        sign = -1.0 if _is_negative(text, start) else 1.0
        if text[start - 1 : start] == "." and not text[max(start - 2, 0) : start - 1].isalnum():
            found.append(sign * float("0." + re.split("[.,']", match[0])[0]))  # ".5"
        values = _readings(match[0])
        if _is_in_row(text, start, match.end()):
            values |= _split_at_commas(match[0])
        found += [sign * value for value in values]
    for match in _SPACED.finditer(text):
        found.append(float(match[0].replace(" ", "").replace(",", ".")))
    for whole, above, below in _FRACTION.findall(text):
        if float(below):
            found.append(float(above) / float(below))
            found.append(float(whole or 0) + found[-1])
    for tens, unit, single in _NAMED.findall(text):
        if single != "one":
            found.append(float(_NAMES[single] if single else _NAMES[tens] + _NAMES.get(unit, 0)))
    return found


def _is_negative(text: str, start: int) -> bool:
    before = start - 1
    while before >= 0 and text[before] in _CURRENCY:
        before -= 1
    if before < 0 or text[before] != "-":
        return False
    # "5-10", "10%-15%" and "covid-19" hold no negative number.
    return before == 0 or not (text[before - 1].isalnum() or text[before - 1] in ")%")


def _is_in_row(text: str, start: int, end: int) -> bool:
    # "lamp,3,12.50": a comma that stands close between a number and a word parts the cells of a CSV row.
    before, after = text[max(start - 2, 0) : start], text[end : end + 2]
    return _CELL_BEFORE.fullmatch(before) is not None or _CELL_AFTER.fullmatch(after) is not None


def _split_at_commas(token: str) -> set[float]:
    return {value for cell in token.split(",") for value in _readings(cell)}


def _readings(token: str) -> set[float]:
    marks = re.findall("[.,']", token)
    groups = re.split("[.,']", token)
    if not marks:
        return {float(token)}
    readings = set()
    if len(set(marks)) == 1 and _are_thousands(groups):
        readings.add(float("".join(groups)))
    if marks[-1] != "'" and marks[-1] not in marks[:-1]:
        one_mark = all(left == right for left, right in pairwise(marks[:-1]))
        if len(marks) == 1 or (one_mark and _are_thousands(groups[:-1])):
            readings.add(float("".join(groups[:-1]) + "." + groups[-1]))
    if not readings and "," in marks:
        return _split_at_commas(token)
    return readings or {float(group) for group in groups}


def _are_thousands(groups: list[str]) -> bool:
    # The groups between may have two digits: 12,34,567 is how India writes it.
    inner = all(2 <= len(group) <= 3 for group in groups[1:-1])
    return 1 <= len(groups[0]) <= 3 and inner and len(groups[-1]) == 3
