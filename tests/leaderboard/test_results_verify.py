"""The committed results say what their raw files say. Runs of version 2 have one each."""

import json
from pathlib import Path
from typing import Any

import pytest

from alpaca_eval_suite.leaderboard.verify import verify_entry

RESULTS = Path(__file__).parents[2] / "results"
ENTRIES = sorted(RESULTS.glob("*.json"))


def test_there_are_entries() -> None:
    assert ENTRIES


@pytest.mark.parametrize("path", ENTRIES, ids=[path.name for path in ENTRIES])
def test_a_committed_entry_is_what_its_raw_files_say(path: Path) -> None:
    check = verify_entry(path)
    assert (check.problem, check.first_difference) == (None, None)
    stored: dict[str, Any] = json.loads(path.read_text("utf-8"))
    lacking = [
        f"{run.run}: {'; '.join(run.unchecked)}"
        for run, of in zip(check.runs, stored["runs"], strict=True)
        if of["schema_version"] >= 2 and not run.checked
    ]
    assert lacking == []
    if stored["schema_version"] >= 2:
        assert check.checked, "an entry of version 2 has a checksum"
    if unchecked := [run.run for run in check.runs if not run.checked]:
        pytest.skip(f"could not be checked, as an older version made them: {', '.join(unchecked)}")


def test_no_raw_file_lies_there_that_no_entry_names() -> None:
    named = {
        run["raw"]["file"] for path in ENTRIES for run in json.loads(path.read_text("utf-8"))["runs"] if run.get("raw")
    }
    assert {f"raw/{path.name}" for path in RESULTS.glob("raw/*")} == named
