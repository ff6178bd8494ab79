"""The published JSON schemas are those of the models that read and write the files."""

import json
from pathlib import Path

from alpaca_eval_suite.leaderboard.schema import main, schemas

PUBLISHED = Path(__file__).parents[2] / "docs" / "schema"


def test_the_published_schemas_are_current() -> None:
    found = {path.name: json.loads(path.read_text("utf-8")) for path in PUBLISHED.glob("*.json")}
    assert found == schemas(), "python -m alpaca_eval_suite.leaderboard.schema docs/schema"


def test_they_are_written_into_the_folder_that_is_named(tmp_path: Path) -> None:
    main([str(tmp_path)])
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        path.name: path.read_bytes() for path in PUBLISHED.glob("*.json")
    }
