"""Pairs of outputs that people labelled: what a judge is measured on. Read from our own form and from PandaLM's.

Labels and recorded verdicts are read by stats/ratings.py; here they get their texts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.files import read_rows, sha256_of, sha256_text
from alpaca_eval_suite.judge.check_language import language_of
from alpaca_eval_suite.stats.ratings import Ratings, read_ratings
from alpaca_eval_suite.stats.sample import draw_sample
from alpaca_eval_suite.types import Comparison, Instruction, Preference

LANGUAGE = "language"
"""The slice that `with_language` adds."""

_FEW_LETTERS = 20  # with fewer, a guess at the language is weak
_WIN = {1: 1.0, 2: 0.0, 0: 0.5}
_PANDALM_READERS = "3 people (PandaLM's annotators)"
_PANDALM_SOURCE = "PandaLM's test set (WeOpenML/PandaLM, Apache-2.0)"


@dataclass(frozen=True)
class LabelledPair:
    """Two outputs to one instruction, and what each reader said of them: 1 the first is better, 2 the second, 0 none.

    `instruction.id` is the pair's own id; `item` is the same for all pairs on one instruction, which intervals keep
    together. `judges`: verdicts that came with the data, None where a judge failed.
    """

    instruction: Instruction
    item: str
    output_1: str
    output_2: str
    labels: Mapping[str, int] = field(default_factory=dict)
    judges: Mapping[str, int | None] = field(default_factory=dict)
    slices: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The pair's id."""
        return self.instruction.id

    @property
    def comparison(self) -> Comparison:
        """What a judge is asked: the first output stands as the model's, the second as the baseline's."""
        return Comparison(self.instruction, self.output_1, self.output_2)


@dataclass(frozen=True)
class LabelledData:
    """A file of labelled pairs: its name and hash, who labelled it, where it comes from."""

    name: str
    sha256: str
    readers: str
    source: str
    pairs: tuple[LabelledPair, ...]


def read_labelled(path: Path, items: Mapping[str, Instruction] | None = None) -> LabelledData:
    """The labelled pairs of a file, sorted by id; pairs without any label are passed over.

    JSON Lines {"id", "instruction", "input", "output_1", "output_2", "labels": {reader: 1|2|0}}, optionally
    "judges" {name: 1|2|0|null}, "slices" {key: value} and "item"; or PandaLM's test set. With `items` (a scenario's,
    by id) "item" names one of them, and its instruction, checks and slices are taken. Raises SuiteError naming the
    row for one that is not of this form, UsageError for an item that `items` lack.
    """
    ratings = read_ratings(path)
    rows = {str(row.get("id")): (where, row) for where, row in read_rows(path)}
    _, first = next(iter(rows.values()))
    if "labels" not in first and "annotator1" not in first:
        raise SuiteError(
            "holds verdicts, not pairs of outputs",
            where=str(path),
            next_step='Give pairs: {"id", "instruction", "output_1", "output_2", "labels": {reader: 1|2|0}} a line.',
        )
    pandalm = "labels" not in first
    of_item = _texts_of_pandalm if pandalm else _texts
    pairs = []
    for number, id_ in enumerate(ratings.items):
        where, row = rows[id_]
        pairs.append(replace(of_item(id_, where, row, items or {}), **_said(ratings, number)))
    readers = _PANDALM_READERS if pandalm else f"{len(ratings.raters)} ({', '.join(ratings.raters)})"
    source = _PANDALM_SOURCE if pandalm else ""
    return LabelledData(path.name, sha256_of(path), readers, source, tuple(pairs))


def sample(pairs: Sequence[LabelledPair], limit: int | None, seed: int) -> list[LabelledPair]:
    """`limit` pairs drawn at random (all where there are no more); more with the same seed add to them."""
    if limit is None or limit >= len(pairs):
        return list(pairs)
    drawn = set(draw_sample([pair.id for pair in pairs], n=limit, seed=seed).ids)
    return [pair for pair in pairs if pair.id in drawn]


def with_language(pairs: Sequence[LabelledPair]) -> list[LabelledPair]:
    """The pairs with the language of their instruction among their slices, where it is long enough to tell."""
    found: dict[str, str | None] = {}
    for pair in pairs:
        if pair.item not in found:
            text = f"{pair.instruction.instruction}\n{pair.instruction.input}"
            enough = sum(map(str.isalpha, text)) >= _FEW_LETTERS
            found[pair.item] = language_of(text) if enough else None
    return [
        replace(pair, slices={LANGUAGE: language, **pair.slices}) if (language := found[pair.item]) else pair
        for pair in pairs
    ]


def recorded_verdicts(pairs: Sequence[LabelledPair], judge: str) -> list[Preference]:
    """The verdicts of `judge` that came with the pairs, of an order that nobody wrote down.

    Raises UsageError when the data holds none of it.
    """
    names = sorted({name for pair in pairs for name in pair.judges})
    if judge not in names:
        raise UsageError(
            f"the pairs hold no verdicts of {judge!r}",
            next_step=f"There are: {', '.join(names)}." if names else 'The key "judges" is missing in every row.',
        )
    return [
        Preference(pair.id, None if label is None else _WIN[label], judge=judge)
        for pair in pairs
        for label in [pair.judges.get(judge)]
    ]


def _said(ratings: Ratings, number: int) -> dict[str, Any]:
    """What readers and judges said of an item of `ratings`; NaN is what a reader did not say, or a judge's failure."""
    row = zip(ratings.raters, ratings.labels[number].tolist(), strict=True)
    judges = {name: given[number].item() for name, given in ratings.judge_labels.items()}
    return {
        "labels": {rater: int(label) for rater, label in row if label == label},
        "judges": {name: int(label) if label == label else None for name, label in judges.items()},
    }


def _texts(id_: str, where: str, row: Mapping[str, Any], items: Mapping[str, Instruction]) -> LabelledPair:
    first, second = (_text(row, key, where) for key in ("output_1", "output_2"))
    slices = row.get("slices") or {}
    if not isinstance(slices, dict):
        raise SuiteError("key 'slices': must be an object", where=where)
    slices = {str(key): str(value) for key, value in slices.items()}
    name = row.get("item")
    if items:
        item = items.get(str(name))
        if item is None:
            raise UsageError(
                f"key 'item': {name!r} is no item of the scenario",
                where=where,
                next_step="Give each pair the id of its item, or leave --scenario out.",
            )
        return LabelledPair(replace(item, id=id_), item.id, first, second, slices={**item.slices, **slices})
    instruction, input_ = _text(row, "instruction", where), _text(row, "input", where, default="")
    item_id = str(name) if isinstance(name, str | int) else item_of(instruction, input_)
    return LabelledPair(Instruction(id_, instruction, input_, slices=slices), item_id, first, second, slices=slices)


def _texts_of_pandalm(id_: str, where: str, row: Mapping[str, Any], _: Mapping[str, Instruction]) -> LabelledPair:
    instruction, input_ = _text(row, "instruction", where), _text(row, "input", where, default="")
    # In the published file the answers "True" and "False" have become true and false.
    first, second = (
        str(value) if isinstance(value := row.get(key), bool) else _text(row, key, where)
        for key in ("response1", "response2")
    )
    slices = {"cmp_key": str(row["cmp_key"])} if row.get("cmp_key") else {}
    item = item_of(instruction, input_)
    return LabelledPair(Instruction(id_, instruction, input_), item, first, second, slices=slices)


def item_of(instruction: str, input_: str) -> str:
    """What pairs on the same instruction and input have in common."""
    return sha256_text(f"{instruction}\0{input_}")[:16]


def _text(row: Mapping[str, Any], key: str, where: str, default: str | None = None) -> str:
    value = row.get(key, default)
    if not isinstance(value, str):
        next_step = "Pairs on a scenario's items need --scenario NAME." if key == "instruction" else None
        raise SuiteError(f"key {key!r}: is missing or no text", where=where, next_step=next_step)
    return value
