"""Requirements as packages state them ("torch>=2.6; extra == 'helm'"), and whether a version meets them.

Enough of PEP 440 and 508 for the comparisons below; the library that does all of it is no part of the base install.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

_LINE = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(?:\[[^]]*\])?\s*\(?(?P<range>[^;)]*)\)?\s*(?:;\s*(?P<marker>.*))?")
_EXTRA = re.compile(r"extra\s*==\s*['\"]([^'\"]+)['\"]")
_CLAUSE = re.compile(r"\s*(~=|==|!=|<=|>=|<|>)\s*([0-9][^,\s*]*)(\.\*)?\s*")

_Numbers = tuple[int, ...]


@dataclass(frozen=True)
class Requirement:
    """A package, the versions that will do ("" for any), and the extra that it belongs to, if any.

    `conditional`: it is asked for only where a marker other than `extra` holds.
    """

    name: str
    versions: str
    extra: str | None = None
    conditional: bool = False

    def is_met_by(self, version: str) -> bool:
        """Whether `version` will do; a clause in a form that is not known is taken as met."""
        return all(_meets(version, clause) for clause in self.versions.split(",") if clause.strip())


def canonical(name: str) -> str:
    """A package's name as it is compared (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def parse(line: str) -> Requirement:
    """The requirement in one line of a package's metadata."""
    found = _LINE.match(line.strip())
    if found is None:
        raise ValueError(f"no requirement: {line!r}")
    marker = found["marker"] or ""
    extra = _EXTRA.search(marker)
    rest = _EXTRA.sub("", marker).replace("and", "").strip(" ()")
    return Requirement(
        canonical(found["name"]), found["range"].strip(), extra[1] if extra else None, conditional=bool(rest)
    )


def _numbers(version: str) -> _Numbers:
    """The release part: 2.13.0+cpu is (2, 13, 0); a pre-release counts as its release."""
    found = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


_ORDER: dict[str, Callable[[_Numbers, _Numbers], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
}


def _meets(version: str, clause: str) -> bool:
    found = _CLAUSE.fullmatch(clause)
    if found is None:
        return True
    sign, asked, any_below = found[1], _numbers(found[2]), bool(found[3])
    own = _numbers(version)
    if sign == "~=":
        return own >= asked and own[: len(asked) - 1] == asked[:-1]
    if any_below:
        return _ORDER[sign](own[: len(asked)], asked)
    length = max(len(own), len(asked))
    return _ORDER[sign](own + (0,) * (length - len(own)), asked + (0,) * (length - len(asked)))
