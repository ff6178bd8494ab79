"""`alpaca-suite stats win-rate`: figures by hand, both forms of output, and files that hold nothing."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from alpaca_eval_suite.cli.main import main

# A judge who is the same in both orders: 40 wins, 10 ties, 50 losses over 100 ids. Rate (40 + 5) / 100.
OUTCOMES = [1.0] * 40 + [0.5] * 10 + [0.0] * 50


def lines(wins: Iterable[float | None], orders: tuple[str, ...] = ("model_first", "baseline_first")) -> list[Any]:
    pair = {"model": "m", "baseline": "b", "judge": "j", "scenario": "s"}
    return [
        pair | {"id": f"{n:03}", "win": win, "order": order, "slices": {"app": "mail" if n < 50 else "code"}}
        for n, win in enumerate(wins)
        for order in orders
    ]


@pytest.fixture
def write(in_folder: Path) -> Any:
    def write_lines(rows: list[Any]) -> str:
        (in_folder / "p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        return "p.jsonl"

    return write_lines


def test_figures_in_json(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stats", "win-rate", write(lines([*OUTCOMES, None])), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["win_rate"] == 0.45
    assert (report["wins"], report["ties"], report["losses"]) == (40, 10, 50)
    assert (report["n"], report["n_failed"]) == (100, 1)
    assert report["ci"]["method"] == "bca"
    assert report["ci"]["low"] < 0.45 < report["ci"]["high"]
    assert report["worst_case"]["low"] < report["ci"]["low"]
    assert report["judges"] == ["j"]
    assert report["information"]["informative"] is True
    assert report["information"]["order_consistency"]["value"] == 1.0


def test_text_holds_interval_n_and_failures(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(lines([*OUTCOMES, None]))
    assert main(["stats", "win-rate", file]) == 0
    text = capsys.readouterr().out
    assert main(["stats", "win-rate", file, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    low, high = (f"{100 * report['ci'][end]:.1f}" for end in ("low", "high"))
    assert text.splitlines()[:4] == [
        "m against b in s",
        "  judge: j (not calibrated)",
        f"  win rate: 45.0 [{low}, {high}] % (n 100, failed 1; 95 % bca)",
        "  wins 40, ties 10, losses 50",
    ]
    assert "  with every failed unit lost, or won: [" in text


def test_by_a_slice(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(lines(OUTCOMES))
    assert main(["stats", "win-rate", file, "--by", "app", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    # The first 50 ids are 40 wins and 10 ties; the others are lost.
    assert report["by"]["app"]["mail"]["win_rate"] == 0.9
    assert report["by"]["app"]["code"]["win_rate"] == 0.0
    assert report["by"]["app"]["code"]["ci"]["method"].startswith("wilson (fall-back")
    assert main(["stats", "win-rate", file, "--by", "app"]) == 0
    assert "\n  by app:\n    code: 0.0 [0.0, 7.1] % (n 50, failed 0; 95 % wilson" in capsys.readouterr().out


def test_an_unknown_slice(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stats", "win-rate", write(lines(OUTCOMES)), "--by", "colour"]) == 2
    assert capsys.readouterr().err == "error: no verdict has a slice 'colour'\n  Slices there are: app.\n"


def test_a_judge_who_always_takes_the_first(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    first = [row | {"win": 1.0 if row["order"] == "model_first" else 0.0} for row in lines(OUTCOMES)]
    file = write(first)
    assert main(["stats", "win-rate", file, "--by", "app"]) == 0
    text = capsys.readouterr().out
    assert "win rate: no information (n 100, failed 0); the raw figures are printed with --json" in text
    assert "code: no information (n 50, failed 0)" in text
    assert "50.0 [" not in text
    assert main(["stats", "win-rate", file, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["win_rate"], report["information"]["informative"]) == (0.5, False)


def test_several_pairs_are_told_apart(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    other = [row | {"model": "other", "win": 1.0} for row in lines(OUTCOMES)]
    assert main(["stats", "win-rate", write(lines(OUTCOMES) + other), "--json"]) == 0
    reports = json.loads(capsys.readouterr().out)["pairs"]
    assert [(report["model"], report["win_rate"]) for report in reports] == [("m", 0.45), ("other", 1.0)]


def test_one_order_that_failed(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    rows = lines(OUTCOMES)
    rows[0]["win"] = None
    file = write(rows)
    for incomplete, n in (("drop", 99), ("keep", 100)):
        assert main(["stats", "win-rate", file, "--incomplete", incomplete, "--json"]) == 0
        report = json.loads(capsys.readouterr().out)
        assert (report["n"], report["n_failed"]) == (n, 100 - n)


@pytest.mark.parametrize("method", ["bca", "percentile", "t", "tango", "betting"])
def test_the_interval_asked_for(write: Any, capsys: pytest.CaptureFixture[str], method: str) -> None:
    assert main(["stats", "win-rate", write(lines(OUTCOMES)), "--method", method, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["ci"]["method"] == method
    assert report["ci"]["low"] < 0.45 < report["ci"]["high"]


def test_an_interval_that_the_units_do_not_allow(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stats", "win-rate", write(lines(OUTCOMES)), "--method", "wilson"]) == 2
    assert "error: method 'wilson': Wilson's interval needs units that are won or lost" in capsys.readouterr().err


def test_nothing_but_failures(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stats", "win-rate", write(lines([None, None], orders=("single",)))]) == 0
    assert "  win rate: – (n 0, failed 2; every unit failed)\n" in capsys.readouterr().out


def test_id_and_win_are_enough(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stats", "win-rate", write([{"id": "1", "win": 1}, {"id": "2", "win": 0}])]) == 0
    text = capsys.readouterr().out
    assert text.startswith("model against baseline\n  judge: judge (not calibrated)\n  win rate: 50.0 [")


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        ("", 1, "error: p.jsonl: holds no verdicts"),
        ('{"id": "1", "win": 1}\n{"id": "1", "wi', 1, "error: p.jsonl:2: is not valid JSON"),
        ('{"id": "1", "win": 1}\n{"id": "1", "win": 1}\n', 1, "error: p.jsonl:2: the verdict ("),
        ('{"id": "1", "win": 2}\n', 1, "error: p.jsonl:1: key 'win': must lie in [0, 1]"),
    ],
)
def test_files_that_are_wrong(
    in_folder: Path, capsys: pytest.CaptureFixture[str], content: str, code: int, message: str
) -> None:
    (in_folder / "p.jsonl").write_text(content)
    assert main(["stats", "win-rate", "p.jsonl"]) == code
    printed = capsys.readouterr()
    assert message in printed.err
    assert printed.out == ""


def test_a_file_that_is_not_there(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stats", "win-rate", "nowhere.jsonl"]) == 1
    assert "error: nowhere.jsonl: cannot be read (No such file or directory)" in capsys.readouterr().err


def test_names_cannot_write_control_codes(write: Any, capsys: pytest.CaptureFixture[str]) -> None:
    evil = [row | {"model": "m\x1b[2J", "judge": "j\nwin rate: 100"} for row in lines(OUTCOMES)]
    assert main(["stats", "win-rate", write(evil)]) == 0
    text = capsys.readouterr().out
    assert "\x1b" not in text
    assert "\nwin rate" not in text
