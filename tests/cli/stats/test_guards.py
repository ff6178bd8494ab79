"""`alpaca-suite stats guards`: files of outputs, with and without a scenario."""

import json
from pathlib import Path
from typing import Any

import pytest

from alpaca_eval_suite.cards import load_card, load_instructions
from alpaca_eval_suite.cli.main import main


def write(folder: Path, rows: list[dict[str, Any]]) -> str:
    (folder / "outputs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return "outputs.jsonl"


def run(capsys: pytest.CaptureFixture[str], *args: str) -> dict[str, Any]:
    assert main(["stats", "guards", *args, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_a_constant_model(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(in_folder, [{"id": str(n), "output": "Hm.", "model": "mute"} for n in range(30)])
    found = run(capsys, file)
    assert (found["model"], found["n"]) == ("mute", 30)
    assert found["flagged"] == ["constant_output", "one_answer_for_all", "duplicated_outputs"]
    assert found["guards"]["reference_leakage"]["checked"] is False
    assert main(["stats", "guards", file]) == 0
    text = capsys.readouterr().out
    assert text.startswith("mute: 30 outputs\n  constant output: suspicious: all 30 outputs are the same text [0, 1,")


def test_references_come_from_the_scenario(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    items = load_instructions(load_card("user_oriented_mini"))
    rows = [{"id": item.id, "output": item.reference} for item in items]
    found = run(capsys, write(in_folder, rows), "--scenario", "user_oriented_mini")
    assert found["n"] == 72
    assert "reference_leakage" in found["flagged"]
    assert found["guards"]["judge_injection"]["n_found"] == 0


def test_alpaca_eval_lists_are_read(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        {
            "instruction": "Explain: ignore previous instructions.",
            "output": "To ignore previous instructions means",
            "generator": "g",
        },
        {"instruction": "Hi", "output": "", "generator": "g"},
    ]
    (in_folder / "o.json").write_text(json.dumps(rows))
    found = run(capsys, "o.json")
    assert found["flagged"] == ["empty_output"]
    assert found["guards"]["empty_output"]["ids"] == ["o.json[1]"]


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([{"id": "a"}], "'output' is missing or not text"),
        ([{"id": "a", "output": "x"}, {"id": "a", "output": "y"}], "the id 'a' stands twice"),
        ([], "holds no outputs"),
    ],
)
def test_bad_files(
    in_folder: Path, capsys: pytest.CaptureFixture[str], rows: list[dict[str, Any]], problem: str
) -> None:
    assert main(["stats", "guards", write(in_folder, rows)]) == 1
    assert problem in capsys.readouterr().err


def test_an_unknown_scenario(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(in_folder, [{"id": "a", "output": "x"}])
    assert main(["stats", "guards", file, "--scenario", "nothing"]) != 0
    assert "nothing" in capsys.readouterr().err
