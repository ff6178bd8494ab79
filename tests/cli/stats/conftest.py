"""Files of verdicts, written into the current folder."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from alpaca_eval_suite.cli.main import main

Write = Callable[..., str]
"""write(name, wins, **keys): the verdicts of one model, a line an id and order; the file's name comes back."""

Run = Callable[..., Any]
"""run(*arguments): the JSON that `alpaca-suite stats` prints with --json; any exit code but 0 fails the test."""


@pytest.fixture
def write_verdicts(in_folder: Path) -> Write:
    def write(
        name: str, wins: Sequence[float | None], orders: Sequence[str] = ("single",), start: int = 0, **keys: Any
    ) -> str:
        path = in_folder / f"{name}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = [
            {"id": f"{start + n:04}", "win": win, "order": order, **keys}
            for n, win in enumerate(wins)
            for order in orders
        ]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return f"{name}.jsonl"

    return write


@pytest.fixture
def run_json(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str) -> Any:
        assert main(["stats", *arguments, "--json"]) == 0, capsys.readouterr().err
        return json.loads(capsys.readouterr().out)

    return run
