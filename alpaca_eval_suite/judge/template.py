"""A judge's template: text with {placeholders} and optional parts, checked once, filled without running anything.

A part stands between the lines `[[reference]]` and `[[/reference]]` (or rubric, or input), and is kept only where the
item has one.
"""

import re
from collections.abc import Mapping

from alpaca_eval_suite.prompts import fill

PLACEHOLDERS = ("label", "request", "instruction", "input", "answer_a", "answer_b", "reference", "rubric")
PARTS = ("reference", "rubric", "input")
# What an item may lack, and what an empty place would then misstate.
_ONLY_IN_PARTS = ("reference", "rubric")

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_PART = re.compile(r"^\[\[(\w+)\]\]\n(.*?)^\[\[/\1\]\](?:\n|\Z)", re.MULTILINE | re.DOTALL)
_PART_LINE = re.compile(r"^\[\[/?(\w+)\]\]$", re.MULTILINE)


def check_template(template: str, verdict: str) -> None:
    """Raise ValueError, naming the slip, for a template that cannot be filled or whose verdict could not be read.

    `verdict` must stand in it: what the judge's verdict begins with, such as "VERDICT-{label}".
    """
    known = f"the placeholders are {', '.join(f'{{{name}}}' for name in PLACEHOLDERS)}"
    names = _PLACEHOLDER.findall(template)
    for name in names:
        if name not in PLACEHOLDERS:
            raise ValueError(f"template: {{{name}}} is no placeholder; {known}")
    for name in ("label", "answer_a", "answer_b"):
        if name not in names:
            raise ValueError(f"template: {{{name}}} is missing; {known}")
    if verdict not in template:
        raise ValueError(f"template: does not ask for a verdict that begins with {verdict}")
    _check_parts(template)


def _check_parts(template: str) -> None:
    outside = _PART.sub("", template)
    for name in _PART_LINE.findall(template):
        if name not in PARTS:
            raise ValueError(f"template: [[{name}]] is no optional part; the parts are {', '.join(PARTS)}")
    inner = "".join(match[2] for match in _PART.finditer(template))
    if unmatched := _PART_LINE.search(outside) or _PART_LINE.search(inner):
        raise ValueError(
            f"template: {unmatched[0]} has no partner; a part lies between [[{unmatched[1]}]] and [[/{unmatched[1]}]], "
            "each a line of its own, and no part in another"
        )
    for name in _PLACEHOLDER.findall(outside):
        if name in _ONLY_IN_PARTS:
            raise ValueError(
                f"template: {{{name}}} stands outside of an optional part, and not every item has one; put it between "
                f"the lines [[{name}]] and [[/{name}]]"
            )


def fill_template(template: str, values: Mapping[str, str]) -> str:
    """`template` with its values, in one pass: braces and marks in a value stay as they are.

    A part whose value is "" is left out.
    """
    return fill(_PART.sub(lambda part: part[2] if values[part[1]] else "", template), **values)
