"""What is known of every instance of a run, as scripts that the page loads on demand.

A page on a disk may load scripts beside it, and nothing else: so each file calls the page with one JSON text. What all
runs of a board have in common (instructions, the baseline's outputs) stands once, in a file of the board's own.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isnan
from typing import Any

from alpaca_eval_suite.judge.combined import combined_units
from alpaca_eval_suite.leaderboard.page.html import without_halves
from alpaca_eval_suite.leaderboard.raw import RawItem
from alpaca_eval_suite.leaderboard.record import RunRecord

_SHARED = ("instruction", "input", "baseline_output", "slices")
_SHOWN = (*_SHARED, "prompt", "output", "verdicts", "outcome", "checks", "people")

Item = Mapping[str, Any]


@dataclass(frozen=True)
class DetailFile:
    """A file of details: its name, the script that it holds, and what the page must know to trust it."""

    name: str
    script: str
    sha256: str
    characters: int

    def as_json(self) -> dict[str, Any]:
        """What the page keeps of it; `characters` as JavaScript counts them."""
        return {"file": self.name, "sha256": self.sha256, "characters": self.characters}


def detail_file(stem: str, value: object) -> DetailFile:
    """`value` as a file whose name is the stem and the first 8 digits of its hash: never one name for two contents."""
    text = without_halves(json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")))
    digest = hashlib.sha256(text.encode("utf-8")).hexdigest()
    name = f"{stem}-{digest[:8]}.js"
    script = f"alpacaDetails({json.dumps(name)},{json.dumps(text, ensure_ascii=False)})\n"
    return DetailFile(name, script, digest, len(text.encode("utf-16-le")) // 2)


def items_of(run: RunRecord, items: Iterable[RawItem], shared: dict[str, Item]) -> list[Item]:
    """The items as the page shows them, each without what `shared` says of it; that grows by the ids it lacks.

    `value` is the unit's value where the run counts verdicts: 1 the model won, 0 it lost, None it failed.
    """
    items = list(items)
    value_of = _values(run, items)
    found: list[Item] = []
    for item in items:
        shown = item.model_dump(mode="json", include=set(_SHOWN), exclude_defaults=True)
        common = shared.setdefault(item.id, {key: shown[key] for key in _SHARED if key in shown})
        own = {key: of for key, of in shown.items() if key not in _SHARED or common.get(key) != of}
        # What others say of the id and this run does not must not be taken for this run's.
        absent = {key: None for key in common if key not in shown}
        value = {"value": value_of[item.id]} if item.id in value_of else {}
        found.append({"id": item.id, **own, **absent, **value})
    return found


def _values(run: RunRecord, items: Iterable[RawItem]) -> dict[str, float | None]:
    counted = combined_units([given for item in items for given in item.preferences(run)], run.combine)
    return {id_: None if isnan(value) else float(value) for id_, value in zip(counted.ids, counted.values, strict=True)}
