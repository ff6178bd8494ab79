"""Results of other programs, written by hand as those write them."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from alpaca_eval_suite.leaderboard.importers.shared import Imported

HOSTILE = "<script>alert(1)</script>\u202e\u200b | =HYPERLINK(1) \ud800 \x00 \x1b[31m"
"""HTML, an override of the direction, a space without width, a formula, half a surrogate pair, a terminal's code."""

Write = Callable[..., Path]


def annotation(number: int, preference: Any, **keys: Any) -> dict[str, Any]:
    """A row of annotations.json; keyword arguments change it."""
    return {
        "instruction": f"Name colour number {number}.",
        "output_1": "red",
        "generator_1": "painter",
        "dataset": "even" if number % 2 == 0 else "odd",
        "output_2": "blue" * (number + 1),
        "generator_2": "my-model",
        "annotator": "alpaca_eval_gpt4",
        "preference": preference,
        "price_per_example": 0.01,
    } | keys


@pytest.fixture
def write_annotations(tmp_path: Path) -> Write:
    """write_annotations(rows, path under tmp_path): an annotations.json."""

    def write(rows: Sequence[dict[str, Any]], path: str = "results/my-model/alpaca_eval_gpt4/annotations.json") -> Path:
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(rows, indent=2))
        return file

    return write


def sample(number: int, value: Any = "C", epoch: int = 1, **keys: Any) -> dict[str, Any]:
    """A sample of an inspect_ai log with one score, `match`; keyword arguments change it."""
    return {
        "id": f"q{number}",
        "epoch": epoch,
        "input": f"What is {number} + {number}?",
        "target": str(2 * number),
        "messages": [
            {"role": "system", "content": "Be short."},
            {"role": "user", "content": f"What is {number} + {number}?"},
            {"role": "assistant", "content": "4"},
        ],
        "output": {
            "model": "gpt-9-2031-01-01",
            "choices": [{"message": {"role": "assistant", "content": "4"}, "stop_reason": "stop"}],
            "completion": "4",
        },
        "scores": {"match": {"value": value, "explanation": "as expected"}},
        "metadata": {"topic": "even" if number % 2 == 0 else "odd"},
    } | keys


def log(samples: Sequence[dict[str, Any]], **keys: Any) -> dict[str, Any]:
    """An inspect_ai log; keyword arguments change it, those of `eval` key by key."""
    of_eval = {
        "created": "2026-01-31T12:00:00+00:00",
        "task": "sums",
        "dataset": {"name": "sums", "samples": len(samples), "sample_ids": None},
        "model": "openai/gpt-9",
        "model_generate_config": {"temperature": 0.7},
        "config": {"epochs": max((one.get("epoch", 1) for one in samples), default=1)},
        "packages": {"inspect_ai": "0.3.285"},
        "scorers": [{"name": "match", "options": {}}],
    } | keys.pop("eval", {})
    return {
        "version": 2,
        "status": "success",
        "eval": of_eval,
        "plan": {"steps": [{"solver": "generate"}], "config": {"max_tokens": 64, "stop_seqs": ["END"]}},
        "samples": list(samples),
    } | keys


@pytest.fixture
def write_log(tmp_path: Path) -> Write:
    """write_log(samples, **keys of the log): a log in the JSON form."""

    def write(samples: Sequence[dict[str, Any]], **keys: Any) -> Path:
        file = tmp_path / "2026-01-31T12-00-00_sums.json"
        file.write_text(json.dumps(log(samples, **keys)))
        return file

    return write


def document(number: int, value: Any = 1.0, **keys: Any) -> dict[str, Any]:
    """A row of a samples_*.jsonl with the metric `acc`; keyword arguments change it."""
    return {
        "doc_id": number,
        "doc": {"question": f"What is {number} + {number}?"},
        "target": str(2 * number),
        "arguments": {
            "gen_args_0": {"arg_0": f"Q: {number} + {number}\nA:", "arg_1": {"until": ["\n"], "max_gen_toks": 8}}
        },
        "resps": [["4"]],
        "filtered_resps": ["4"],
        "filter": "none",
        "metrics": ["acc"],
        "doc_hash": f"{number:064x}",
        "prompt_hash": "bb" * 32,
        "target_hash": "cc" * 32,
        "acc": value,
    } | keys


DATE = "2026-01-31T12-00-00.000001"


@pytest.fixture
def write_samples(tmp_path: Path) -> Write:
    """write_samples(rows, results): samples_sums_DATE.jsonl and, where given, results_DATE.json beside it."""

    def write(rows: Sequence[dict[str, Any]], results: dict[str, Any] | None = None) -> Path:
        folder = tmp_path / "my__model"
        folder.mkdir(exist_ok=True)
        file = folder / f"samples_sums_{DATE}.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        if results is not None:
            (folder / f"results_{DATE}.json").write_text(json.dumps(results))
        return file

    return write


def only(imported: Iterator[Imported]) -> Imported:
    """The one run that there is."""
    found = list(imported)
    assert len(found) == 1
    return found[0]
