"""The JSON schemas of an entry and of a line of a raw file, as they stand in docs/schema.

`python -m alpaca_eval_suite.leaderboard.schema docs/schema` writes them anew.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from alpaca_eval_suite.files import write_json
from alpaca_eval_suite.leaderboard.entry import Entry
from alpaca_eval_suite.leaderboard.raw import RawItem
from alpaca_eval_suite.leaderboard.record import RunRecord

_MODELS: dict[str, tuple[type[BaseModel], str]] = {
    "entry.json": (Entry, "A leaderboard entry: results/NAME-FINGERPRINT.json"),
    "run.json": (RunRecord, "The record of a run: alpaca_run.json, and each of an entry's runs"),
    "raw_line.json": (RawItem, "One line of a raw file: results/raw/*.jsonl, alpaca_raw.jsonl"),
}


def schemas() -> dict[str, dict[str, Any]]:
    """Each schema by the name of its file."""
    return {
        name: {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            **model.model_json_schema(mode="serialization" if model is Entry else "validation"),
            "title": title,
        }
        for name, (model, title) in _MODELS.items()
    }


def main(args: Sequence[str]) -> None:
    """Write the schemas into the folder that is named."""
    (folder,) = args
    for name, schema in schemas().items():
        write_json(Path(folder) / name, schema)


if __name__ == "__main__":
    main(sys.argv[1:])
