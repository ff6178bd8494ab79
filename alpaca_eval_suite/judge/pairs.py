"""Pairs for a judge from two files of outputs and nothing else: joined on id, never on position."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from alpaca_eval_suite.cards.outputs import OutputsFile, read_outputs
from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.files import read_rows
from alpaca_eval_suite.prompts import chat_message, instruction_id
from alpaca_eval_suite.types import Comparison, Instruction

Ids = Literal["same", "both"]
"""`same`: both files must hold the same ids. `both`: only ids that both hold are taken."""

Rubric = str | list[str]
"""What an answer is judged by, in one text or point by point."""

_T = TypeVar("_T")
_ID_DIGITS = 16
_NAMED = 10
_BEGINNING = 50


@dataclass(frozen=True)
class Pair:
    """Two answers to one instruction, and whose they are."""

    comparison: Comparison
    model: str
    baseline: str
    scenario: str = ""

    @property
    def id(self) -> str:
        """The instruction's id."""
        return self.comparison.instruction.id


@dataclass(frozen=True)
class Pairs:
    """The pairs of two files, in the order of the model's. `left_out`: how many ids only one of the files has."""

    pairs: tuple[Pair, ...]
    model: str
    baseline: str
    left_out: int = 0

    @property
    def identical(self) -> tuple[str, ...]:
        """The ids whose two outputs are the same text: a judge can only say "tie" to them."""
        return tuple(one.id for one in self.pairs if one.comparison.output == one.comparison.baseline_output)

    @property
    def empty(self) -> tuple[int, int]:
        """How many outputs of the model, and of the baseline, hold nothing. They are judged like others."""
        both = [(one.comparison.output, one.comparison.baseline_output) for one in self.pairs]
        return sum(not ours.strip() for ours, _ in both), sum(not theirs.strip() for _, theirs in both)

    def notes(self) -> list[str]:
        """What a person should know of these pairs, a line each."""
        counted = {
            f"ids that only one of the files has were left out: {self.left_out}": self.left_out,
            f"empty outputs of {self.model}, which are judged as they are: {self.empty[0]}": self.empty[0],
            f"empty outputs of {self.baseline}, which are judged as they are: {self.empty[1]}": self.empty[1],
            f"pairs of identical outputs: {len(self.identical)}": len(self.identical),
        }
        return [note for note, number in counted.items() if number]


def read_pairs(
    model_outputs: Path,
    baseline_outputs: Path,
    *,
    model_name: str | None = None,
    baseline_name: str | None = None,
    ids: Ids = "same",
) -> Pairs:
    """The pairs of two files: our JSON Lines, or AlpacaEval's lists (instruction, output, generator, dataset).

    Joined on the rows' ids where every row of both files has one, else on instruction and input (white space at the
    ends aside; the id is then `instruction_id` of the baseline's text, the same for every model). `reference`,
    `rubric` (in the instruction's `key`), `slices` and `dataset` (a slice) are taken from either file. Names are
    those given, else the rows', else the files'.

    Raises SuiteError naming the row or the first ten ids: no instruction, no output, an id that stands twice or in
    one file only, texts that differ under one id. UsageError where both files are one model's.
    """
    model, baseline = read_outputs(model_outputs, model_name), read_outputs(baseline_outputs, baseline_name)
    if model.model == baseline.model:
        raise UsageError(
            f"both files hold outputs of {model.model!r}",
            where=f"{model_outputs} and {baseline_outputs}",
            next_step="Name them: --model-name and --baseline-name.",
        )
    ours, theirs = _rows(model), _rows(baseline)
    by_id = all(row.id is not None for row in (*ours, *theirs))
    mine, other = _by_key(ours, by_id), _by_key(theirs, by_id)
    both = [key for key in mine if key in other]
    left_out = len(mine) + len(other) - 2 * len(both)
    if left_out and (ids == "same" or not both):
        raise _different_ids(model, baseline, mine, other)
    pairs = tuple(_pair(mine[key], other[key], by_id, model.model, baseline.model) for key in both)
    return Pairs(pairs, model.model, baseline.model, left_out)


@dataclass(frozen=True)
class _Row:
    """One row of a file as it was read; `request` is None where it has no instruction."""

    where: str
    id: str | None
    instruction: str | None
    input: str
    output: str
    reference: str | None
    rubric: Rubric | None
    slices: Mapping[str, str]

    @property
    def request(self) -> str | None:
        if self.instruction is None:
            return None
        return chat_message(self.instruction.strip(), self.input.strip()).strip()

    @property
    def label(self) -> str:
        """For messages: the id, else the beginning of the request."""
        return self.id if self.id is not None else repr((self.request or "")[:_BEGINNING])


def _rows(outputs: OutputsFile) -> list[_Row]:
    return [_row(where, row) for where, row in read_rows(outputs.path)]


def _row(where: str, row: Mapping[str, Any]) -> _Row:
    output = _text(where, row, "output")
    if output is None:
        next_step = 'Give the row its output ("" where the model said nothing), or take it out of both files.'
        raise SuiteError("'output' is missing or null", where=where, next_step=next_step)
    slices = _slices(where, row)
    if (dataset := _text(where, row, "dataset")) is not None:
        slices.setdefault("dataset", dataset)
    return _Row(
        where,
        _id(where, row),
        _text(where, row, "instruction"),
        _text(where, row, "input") or "",
        output,
        _text(where, row, "reference"),
        _rubric(where, row),
        slices,
    )


def _id(where: str, row: Mapping[str, Any]) -> str | None:
    value = row.get("id")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise SuiteError(f"'id' must be text or a whole number, not {value!r}", where=where)
    return str(value)


def _text(where: str, row: Mapping[str, Any], key: str) -> str | None:
    value = row.get(key)
    if value is None or isinstance(value, str):
        return value
    raise SuiteError(f"{key!r} is not text", where=where, next_step="Put it in quotes.")


def _rubric(where: str, row: Mapping[str, Any]) -> Rubric | None:
    value = row.get("rubric")
    if isinstance(value, list) and value and all(isinstance(point, str) for point in value):
        return value
    return _text(where, row, "rubric")


def _slices(where: str, row: Mapping[str, Any]) -> dict[str, str]:
    value = row.get("slices")
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(one, str | int | float) for one in value.values()):
        raise SuiteError("'slices' must be an object of texts or numbers", where=where)
    return {key: str(one) for key, one in value.items()}


def _by_key(rows: Sequence[_Row], by_id: bool) -> dict[str, _Row]:
    found: dict[str, _Row] = {}
    for row in rows:
        key = row.id if by_id else row.request
        if not key:
            next_step = "Without an id in every row of both files, outputs are joined on their instruction."
            raise SuiteError("has no id and no instruction", where=row.where, next_step=next_step)
        if key in found:
            what = f"the id {key!r}" if by_id else f"the instruction {row.label}, without an id of its own,"
            next_step = "Keep one output an id."
            raise SuiteError(f"{what} stands twice, first at {found[key].where}", where=row.where, next_step=next_step)
        found[key] = row
    return found


def _different_ids(
    model: OutputsFile, baseline: OutputsFile, mine: Mapping[str, _Row], other: Mapping[str, _Row]
) -> SuiteError:
    lines = []
    for outputs, here, there in ((model, mine, other), (baseline, other, mine)):
        if alone := [row.label for key, row in here.items() if key not in there]:
            more = f" and {len(alone) - _NAMED} more" if len(alone) > _NAMED else ""
            lines.append(f"only in {outputs.path} ({len(alone)}): {', '.join(alone[:_NAMED])}{more}")
    n_both = sum(key in other for key in mine)
    return SuiteError(
        "the two files hold different ids; " + "; ".join(lines),
        next_step=f"--ids both judges the {n_both} that both files have."
        if n_both
        else "They have none in common: were both made from the same instructions?",
    )


def _pair(ours: _Row, theirs: _Row, by_id: bool, model: str, baseline: str) -> Pair:
    def agreed(name: str, mine: _T | None, other: _T | None) -> _T | None:
        if mine is not None and other is not None and mine != other:
            next_step = "Rows of one id must be about the same item: mend the ids, or leave them out of both files."
            what = f"another {name} than at {theirs.where}, under the same id {ours.label}"
            raise SuiteError(what, where=ours.where, next_step=next_step)
        return other if mine is None else mine

    request = agreed("instruction", ours.request, theirs.request)
    if not request:
        raise SuiteError("has no instruction, nor has the other file's row of this id", where=ours.where)
    # The baseline's text, because it is the same for every model that is compared with it.
    text = theirs if theirs.request is not None else ours
    instruction = text.instruction or ""
    rubric = agreed("rubric", ours.rubric, theirs.rubric)
    item = Instruction(
        id=ours.id if by_id and ours.id is not None else instruction_id(instruction, text.input),
        instruction=instruction,
        input=text.input,
        reference=agreed("reference", ours.reference, theirs.reference),
        slices={**theirs.slices, **ours.slices},
        key={} if rubric is None else {"rubric": rubric},
    )
    return Pair(Comparison(item, ours.output, theirs.output), model, baseline)
