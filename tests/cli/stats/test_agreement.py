"""`alpaca-suite stats agreement`: the contract of its JSON, its text, and bad input."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from alpaca_eval_suite.cli.main import main


def votes() -> list[dict[str, Any]]:
    rows = []
    for n in range(60):
        truth = float(n % 2)
        rows += [
            {"id": str(n), "win": truth, "judge": "human:eva"},
            {"id": str(n), "win": truth if n % 10 else 1 - truth, "judge": "human:tom"},
            {"id": str(n), "win": None if n == 5 else truth if n % 6 else 1 - truth, "judge": "gpt"},
        ]
    return rows


def write(folder: Path, rows: list[dict[str, Any]]) -> str:
    (folder / "votes.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return "votes.jsonl"


def test_json_keys(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stats", "agreement", write(in_folder, votes()), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["n_items"], found["n_raters"]) == (60, 2)
    assert found["percent_agreement"]["value"] == 0.9
    assert set(found["percent_agreement"]["ci"]) == {"low", "high", "level", "method"}
    assert found["cohen_kappa"]["value"] == pytest.approx(0.8, abs=0.005)
    assert found["fleiss_kappa"]["ci"]["low"] < found["fleiss_kappa"]["value"]
    assert set(found["raters"]) == {"eva", "tom"}
    # Six items are split, one to one; the judge fails in one of the other 54 and is wrong in 8.
    assert found["n_no_majority"] == 6
    judge = found["judges"]["gpt"]
    assert (judge["n"], judge["n_failed"]) == (54, 1)
    assert judge["accuracy_all"] == pytest.approx(45 / 54)
    assert judge["accuracy_valid"] == pytest.approx(45 / 53)
    assert judge["ci"]["cohen_kappa"]["method"] == "bca"


def test_text(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stats", "agreement", write(in_folder, votes())]) == 0
    text = capsys.readouterr().out
    assert text.startswith(
        "60 items, 2 raters, 95 % intervals over items (2 raters: this is about them, not about people at large)\n"
    )
    assert "  percent agreement: 90.0 [" in text
    assert "  judge gpt (n 54, failed 1)" in text
    assert "who does not read reaches: always first" in text


def test_no_people(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stats", "agreement", write(in_folder, [{"id": "a", "win": 1.0, "judge": "gpt"}])]) == 1
    assert "holds no label by a person" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"<html></html>", gzip.compress(b"{}"), b"id,win\na,1\n", b""])
def test_files_that_are_not_what_they_say(in_folder: Path, capsys: pytest.CaptureFixture[str], content: bytes) -> None:
    (in_folder / "f.jsonl").write_bytes(content)
    assert main(["stats", "agreement", "f.jsonl"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: f.jsonl")
    assert "Traceback" not in error
