"""The rows of a samples_*.jsonl of lm-evaluation-harness: one a document and filter, with the metrics of each."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.files import read_rows, sha256_text
from alpaca_eval_suite.leaderboard.importers.scores import SCORES, score_name
from alpaca_eval_suite.leaderboard.importers.shared import bad, name_of, number, text, text_or_none, whole
from alpaca_eval_suite.leaderboard.raw import RawItem

NO_FILTER = "none"

_FIXED = frozenset(
    ["doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics"]
    + [f"{of}_hash" for of in ("doc", "prompt", "target")]
)
_QUESTIONS = ("question", "instruction", "query", "problem", "prompt")  # in the documents of most tasks


@dataclass
class Document:
    """One document: its texts, the hashes of it, and the values of its metrics by their names (METRIC,FILTER)."""

    id: str
    hashes: tuple[str, str, str]
    instruction: str | None
    prompt: Any
    settings: Mapping[str, Any]
    output: str | None
    values: dict[str, float] = field(default_factory=dict)

    def item(self) -> RawItem:
        """The raw item; a metric that is not there for this document is no failure."""
        scores = {score_name(shown(name)): [value] for name, value in self.values.items()}
        return RawItem(
            id=self.id, instruction=self.instruction, prompt=self.prompt, output=self.output, key={SCORES: scores}
        )


@dataclass(frozen=True)
class Samples:
    """The documents of one task in the file's order, and the metrics whose values are no numbers, by name."""

    documents: tuple[Document, ...]
    names: tuple[str, ...]
    without_numbers: tuple[str, ...]


def read_samples(path: Path) -> Samples:
    """The documents in `path`.

    Raises SuiteError naming the line: a row without doc_id, a document twice under one filter, a document whose
    hashes differ between its rows, and a file without rows or without metrics.
    """
    documents: dict[str, Document] = {}
    names: dict[str, None] = {}
    others: dict[str, None] = {}
    seen: dict[tuple[str, str], str] = {}
    for where, row in read_rows(path):
        document = _document(row, where)
        of_filter = name_of(row, "filter", where, NO_FILTER)
        if (first := seen.setdefault((document.id, of_filter), where)) != where:
            raise SuiteError(
                f"doc_id {document.id} with the filter {of_filter!r} stands twice, first at {first}",
                where=where,
                next_step="The harness appends to a file that is there already: cut it down to one run.",
            )
        known = documents.setdefault(document.id, document)
        if known.hashes != document.hashes:
            raise SuiteError(f"doc_id {document.id} is another document than before", where=where)
        for metric in _metrics(row, where):
            name = f"{metric},{of_filter}"
            value = number(row[metric])
            if value is None:
                others[name] = None
            else:
                known.values[name] = value
                names[name] = None
    if not documents:
        raise SuiteError("holds no samples", where=str(path))
    if not names:
        raise SuiteError(
            "holds no metric that is a number a document",
            where=str(path),
            next_step="Such a task has figures over all documents alone, which cannot be imported.",
        )
    return Samples(tuple(documents.values()), tuple(names), tuple(others))


def shown(name: str) -> str:
    """METRIC,FILTER without the filter where it is none."""
    return text(name.removesuffix(f",{NO_FILTER}"))


def _document(row: Mapping[str, Any], where: str) -> Document:
    id_ = whole(row.get("doc_id"))
    if id_ is None:
        raise bad("doc_id", "must be a whole number", where)
    doc = row.get("doc")
    arguments = _arguments(row.get("arguments"))
    prompt = arguments[0] if arguments else None
    settings = arguments[1] if len(arguments) > 1 and isinstance(arguments[1], dict) else {}
    asked = doc if isinstance(doc, dict) else {}
    hashes = (
        text_or_none(row.get("doc_hash")) or _hash(json.dumps(doc, indent=2, ensure_ascii=False)),
        text_or_none(row.get("prompt_hash")) or _hash(str(prompt)),
        text_or_none(row.get("target_hash")) or _hash(str(row.get("target"))),
    )
    return Document(
        id=str(id_),
        hashes=hashes,
        instruction=next((text(asked[key]) for key in _QUESTIONS if isinstance(asked.get(key), str)), None),
        prompt=_prompt(prompt),
        settings=settings,
        output=_output(row.get("resps")),
    )


def _metrics(row: Mapping[str, Any], where: str) -> list[str]:
    """The names of the row's metrics: listed, or, by older versions, all other keys."""
    listed = row.get("metrics")
    if listed is None:
        return [key for key in row if key not in _FIXED]
    if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
        raise bad("metrics", "must be a list of names", where)
    missing = [name for name in listed if name not in row]
    if missing:
        raise bad(missing[0][:40], "is listed under metrics and missing", where)
    return [name for name in listed if name not in _FIXED]


def _arguments(given: Any) -> list[Any]:
    """The arguments of the first request: {"gen_args_0": {"arg_0": …}}, of older versions a list of lists."""
    if isinstance(given, dict):
        first = given.get("gen_args_0")
        if isinstance(first, dict):
            return [first[key] for key in ("arg_0", "arg_1") if key in first]
    elif isinstance(given, list) and given:
        first = given[0]
        return list(first) if isinstance(first, list) else [first]
    return []


def _prompt(given: Any) -> str | tuple[dict[str, Any], ...] | None:
    if isinstance(given, list) and all(isinstance(message, dict) for message in given):
        return tuple(
            {"role": text(message.get("role", "")), "content": text(message.get("content", ""))} for message in given
        )
    return text_or_none(given)


def _output(given: Any) -> str | None:
    """The first answer as it was given; None where likelihoods were compared and nothing was answered."""
    while isinstance(given, Sequence) and not isinstance(given, str) and len(given) > 0:
        if len(given) == 2 and not isinstance(given[0], list) and str(given[1]) in ("True", "False"):
            return None  # a log-likelihood, and whether it was the greedy answer
        given = given[0]
    return text_or_none(given)


def _hash(content: str) -> str:
    return sha256_text(text(content))
