"""A place for made-up scenarios, and one that is ready to be spoilt."""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

MakeScenario = Callable[..., Path]

CARD: dict[str, Any] = {
    "name": "trial",
    "title": "Trial",
    "description": "Two questions.",
    "source": "written for this test",
    "licence": "CC0-1.0",
    "metric": "preference",
    "data": {"file": "data.jsonl"},
}
ROWS: list[dict[str, Any]] = [
    {"id": "q1", "instruction": "Name a colour.", "input": ""},
    {"id": "q2", "instruction": "Translate.", "input": "Guten Tag"},
]


@pytest.fixture(autouse=True)
def clean_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes outside its own folder."""
    monkeypatch.setenv("ALPACA_SCENARIOS", str(tmp_path / "scenarios"))
    monkeypatch.setenv("ALPACA_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("ALPACA_DATA_DIR", raising=False)
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture
def scenario(tmp_path: Path) -> MakeScenario:
    """scenario(rows, **keys of the card): writes the folder `name` and gives its path."""

    def make(rows: Iterable[Mapping[str, Any]] = ROWS, root: str = "scenarios", folder: str = "", **keys: Any) -> Path:
        card = {key: value for key, value in (CARD | keys).items() if value is not None}
        place = tmp_path / root / (folder or card["name"])
        os.makedirs(place)
        (place / "card.yaml").write_text(yaml.safe_dump(card), "utf-8")
        (place / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
        return place

    return make
