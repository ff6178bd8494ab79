"""`alpaca-suite leaderboard`: what is printed where, and the exit codes."""

import json
from pathlib import Path

import pytest

from alpaca_eval_suite.cli.main import main

ENTRY = Path("results") / "SmolLM2-135M-Instruct-a1b2c3d4.json"


def test_build_then_show(with_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["leaderboard", "build"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"wrote {ENTRY}",
        f"wrote {Path('results') / 'leaderboard.md'}",
        f"wrote {Path('results') / 'leaderboard.csv'}",
        "To see the table: alpaca-suite leaderboard show",
    ]
    assert main(["leaderboard", "show"]) == 0
    shown = capsys.readouterr().out
    assert "SmolLM2-135M-Instruct (a1b2c3d4)" in shown
    assert "60.0 [53.0, 66.6]" in shown


def test_build_with_its_options(with_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (with_run / "benchmark_output").rename(with_run / "elsewhere")
    args = ["leaderboard", "build", "--runs", "elsewhere", "--suite", "s1", "--out", "board"]
    assert main(args) == 0
    assert capsys.readouterr().out.endswith("alpaca-suite leaderboard show --results board\n")
    assert (with_run / "board" / ENTRY.name).is_file()


def test_build_says_in_json_what_was_done(with_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    half = Path("benchmark_output") / "runs" / "s1" / "alpaca_half"
    (with_run / half).mkdir()
    assert main(["leaderboard", "build", "--json"]) == 0
    printed = capsys.readouterr()
    warning = f"{half} is left out: it is not finished (alpaca_run.json is missing)"
    assert json.loads(printed.out) == {
        "written": [
            str(ENTRY),
            str(Path("results", "leaderboard.md")),
            str(Path("results", "leaderboard.csv")),
        ],
        "warnings": [warning],
    }
    assert printed.err == f"warning: {warning}\n"


def test_show_in_each_form(with_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["leaderboard", "build"])
    capsys.readouterr()
    assert main(["leaderboard", "show", "--format", "markdown"]) == 0
    markdown = capsys.readouterr().out
    assert (with_run / "results" / "leaderboard.md").read_text().endswith(markdown)
    assert "| 60.0 [53.0, 66.6] | 197 | 0 |" in markdown
    assert main(["leaderboard", "show", "--format", "csv"]) == 0
    assert capsys.readouterr().out == (with_run / "results" / "leaderboard.csv").read_text()
    assert main(["leaderboard", "show", "--format", "json"]) == 0
    (board,) = json.loads(capsys.readouterr().out)
    (row,) = board["rows"]
    assert board["scenario"]["name"] == "capitals"
    assert row["rates"] == json.loads((with_run / ENTRY).read_text())["runs"][0]["rates"]
    assert main(["leaderboard", "show", "--format", "latex"]) == 0
    assert "60.0 [53.0, 66.6] & 197 & 0" in capsys.readouterr().out


def test_show_of_an_unknown_scenario(with_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["leaderboard", "build"])
    capsys.readouterr()
    assert main(["leaderboard", "show", "--scenario", "capital", "--format", "json"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == (
        "error: no entry has a scenario 'capital'\n  Did you mean 'capitals'? There are: capitals.\n"
    )


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["build"], 1, "there is no such folder\n  Run one first: alpaca-suite quickstart"),
        (["show"], 1, "error: results: holds no entries\n  Make them first: alpaca-suite leaderboard build."),
        (["show", "--format", "xml"], 2, "'xml' is not one of"),
    ],
)
def test_nothing_there_yet(
    in_folder: Path, capsys: pytest.CaptureFixture[str], args: list[str], code: int, message: str
) -> None:
    assert main(["leaderboard", *args]) == code
    assert message in capsys.readouterr().err
    assert list(in_folder.iterdir()) == []


def test_an_unknown_suite(with_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["leaderboard", "build", "--suite", "s12"]) == 2
    assert "there is no suite 's12'\n  Did you mean 's1'? There are: s1." in capsys.readouterr().err


def test_a_truncated_entry_is_named_and_kept(with_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["leaderboard", "build"])
    capsys.readouterr()
    half = (with_run / ENTRY).read_bytes()[:100]
    (with_run / ENTRY).write_bytes(half)
    for command in ("build", "show"):
        assert main(["leaderboard", command]) == 1
        message = capsys.readouterr().err
        assert message.startswith(f"error: {ENTRY}: is not a leaderboard entry of version 2 (Invalid JSON")
        assert "Restore the file, or move it to another folder and build again" in message
    assert (with_run / ENTRY).read_bytes() == half
