"""AlpacaEval's annotations: each pair with its two outputs and the judge's preference, as raw items of a run."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import fsum
from pathlib import Path
from typing import Any

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.files import read_rows
from alpaca_eval_suite.judge.reply import shortened
from alpaca_eval_suite.leaderboard.importers.shared import bad, name_of, number, text, text_or_none, whole
from alpaca_eval_suite.leaderboard.outside import NOT_KNOWN
from alpaca_eval_suite.leaderboard.raw import RawItem, Verdict
from alpaca_eval_suite.prompts import instruction_id
from alpaca_eval_suite.stats.verdicts import alpaca_eval_win

Ids = frozenset[str]


@dataclass
class Annotations:
    """What one judge said of one model against one baseline, `items` in the order of the file `path`."""

    path: Path
    model: str
    baseline: str
    judge: str
    items: list[RawItem] = field(default_factory=list)
    prices: list[float | None] = field(default_factory=list)

    @property
    def ids(self) -> Ids:
        """The ids of the instructions."""
        return frozenset(item.id for item in self.items)

    @property
    def cost_usd(self) -> float | None:
        """What the judge cost, None unless every line says so."""
        known = [price for price in self.prices if price is not None]
        return fsum(known) if known and len(known) == len(self.prices) else None


def read_annotations(path: Path) -> list[Annotations]:
    """The annotations in a file, one for each model, baseline and judge that its rows name (usually one).

    A judge that no row names is called as the file's folder. Raises SuiteError naming the row and the key that is
    wrong, and for an instruction that stands twice.
    """
    found: dict[tuple[str, str, str], Annotations] = {}
    seen: dict[tuple[str, str, str, str], str] = {}
    for where, row in read_rows(path):
        names = (
            name_of(row, "generator_2", where, "model"),
            name_of(row, "generator_1", where, "baseline"),
            name_of(row, "annotator", where, path.absolute().parent.name or NOT_KNOWN),
        )
        item = _item(row, names[2], where)
        if (first := seen.setdefault((*names, item.id), where)) != where:
            raise SuiteError(
                f"the instruction of {item.id} stands twice, first at {first}",
                where=where,
                next_step="Keep one of the two rows.",
            )
        of_names = found.setdefault(names, Annotations(path, *names))
        of_names.items.append(item)
        of_names.prices.append(number(row.get("price_per_example")))
    if not found:
        raise SuiteError("holds no annotations", where=str(path))
    return list(found.values())


def read_instructions(path: Path) -> dict[int, RawItem]:
    """The instructions of the reference form by their index: JSON Lines of `index`, `instruction`, `dataset`.

    Raises SuiteError for an index or an instruction that stands twice.
    """
    found: dict[int, RawItem] = {}
    ids: set[str] = set()
    for where, row in read_rows(path):
        index = whole(row.get("index"))
        if index is None or index in found:
            raise bad("index", "must be a whole number that stands once", where)
        item = _asked(row, where)
        if item.id in ids:
            raise SuiteError("the instruction stands twice", where=where)
        ids.add(item.id)
        found[index] = item
    return found


def read_verdicts(path: Path, instructions: Mapping[int, RawItem], baseline: str) -> Annotations:
    """The reference form, JUDGE/MODEL.jsonl: lines of `index`, `preference`, `len_model`, `len_baseline`.

    Raises SuiteError naming the line: an index that `instructions` does not have or that stands twice, and what
    else is wrong.
    """
    found = Annotations(path, text(path.stem), baseline, text(path.parent.name))
    seen: dict[int, str] = {}
    for where, row in read_rows(path):
        index = whole(row.get("index"))
        if index is None or index not in instructions:
            raise bad("index", f"{row.get('index')!r} is not in the file of instructions", where)
        if (first := seen.setdefault(index, where)) != where:
            raise SuiteError(f"the index {index} stands twice, first at {first}", where=where)
        lengths = {key: whole(row.get(key)) for key in ("len_model", "len_baseline")}
        verdict = _verdict(row, found.judge, where)
        found.items.append(instructions[index].model_copy(update={**lengths, "verdicts": verdict}))
    if not found.items:
        raise SuiteError("holds no verdicts", where=str(path))
    return found


def ids_of_outputs(path: Path) -> Ids:
    """The ids of the instructions in a model_outputs.json; empty where it cannot be read: it only tells a set."""
    try:
        return frozenset(instruction_id(text(row["instruction"])) for _, row in read_rows(path) if "instruction" in row)
    except SuiteError:
        return frozenset()


def _item(row: Mapping[str, Any], judge: str, where: str) -> RawItem:
    return _asked(row, where).model_copy(
        update={
            "output": _needed(row, "output_2", where),
            "baseline_output": _needed(row, "output_1", where),
            "verdicts": _verdict(row, judge, where),
        }
    )


def _asked(row: Mapping[str, Any], where: str) -> RawItem:
    instruction = _needed(row, "instruction", where)
    dataset = row.get("dataset")
    slices = {"dataset": sys.intern(text(dataset))} if isinstance(dataset, str) and dataset else {}
    return RawItem(id=instruction_id(instruction), instruction=instruction, slices=slices)


def _needed(row: Mapping[str, Any], key: str, where: str) -> str:
    value = row.get(key)
    if not isinstance(value, str):
        raise bad(key, "is missing or no text", where)
    return text(value)


def _verdict(row: Mapping[str, Any], judge: str, where: str) -> tuple[Verdict, ...]:
    if "preference" not in row:
        raise bad("preference", "is missing (null says that the judge failed)", where)
    given = row["preference"]
    # json.loads reads a NaN, which older versions of AlpacaEval wrote for a judge that failed.
    if isinstance(given, float) and given != given:
        given = None
    if given is not None and (isinstance(given, bool) or number(given) is None):
        raise bad("preference", f"must be a number or null, not {str(given)[:40]!r}", where)
    try:
        win = alpaca_eval_win(given)
    except ValueError as error:
        raise bad("preference", str(error), where) from None
    said = text_or_none(row.get("raw_completion")) or ""
    reason = shortened(said) if win is not None else "the annotation file holds no preference"
    return (Verdict(judge=judge, win=win, reason=reason),)
