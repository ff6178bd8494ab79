"""`alpaca-suite leaderboard export`: which files are written, and that none is written over."""

import json
from pathlib import Path
from typing import Any

import pytest

from alpaca_eval_suite.cli.main import main
from alpaca_eval_suite.leaderboard.record import RunRecord

from ..leaderboard.conftest import PREFERENCE, changed
from ..leaderboard.judged import Results, items_of, won

COVERAGE = "## Win rate\n\n| n | default |\n| ---: | ---: |\n| 50 | 0.94 |\n"


def make(**changes: Any) -> RunRecord:
    return RunRecord.model_validate(changed(PREFERENCE, changes))


@pytest.fixture
def folder(in_folder: Path) -> Path:
    """The current folder, with two models in `results`."""
    (in_folder / "results").mkdir()
    results = Results(in_folder / "results", make)
    for name, share in (("good", 0.8), ("bad", 0.4)):
        results.add(name, items_of(won(share)))
    results.write()
    return in_folder


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_every_table(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    args = [word for form in ("markdown", "csv", "json", "latex") for word in ("--format", form)]
    assert main(["leaderboard", "export", *args, "--out", "paper"]) == 0
    assert names_in(folder / "paper") == ["leaderboard.csv", "leaderboard.json", "leaderboard.md", "leaderboard.tex"]
    assert capsys.readouterr().out.splitlines()[0] == f"wrote {Path('paper', 'leaderboard.md')}"
    for form, ending in (("markdown", "md"), ("csv", "csv"), ("json", "json"), ("latex", "tex")):
        main(["leaderboard", "show", "--format", form])
        assert capsys.readouterr().out.encode() == (folder / "paper" / f"leaderboard.{ending}").read_bytes()


def test_every_plot(folder: Path) -> None:
    pytest.importorskip("matplotlib")
    assert main(["leaderboard", "export", "--format", "svg", "--format", "png"]) == 0
    stem = "user_oriented_mini-against-gemma3-270m-judged-by-builtin-checks"
    assert names_in(folder / "export") == sorted(
        f"{plot}-{stem}.{form}" for plot in ("forest", "length", "ranks") for form in ("svg", "png")
    )


def test_one_plot_and_the_coverage(folder: Path) -> None:
    pytest.importorskip("matplotlib")
    (folder / "docs").mkdir()
    (folder / "docs" / "coverage.md").write_text(COVERAGE)
    args = ["leaderboard", "export", "--format", "svg", "--plot", "ranks", "--plot", "coverage"]
    assert main(args) == 0
    assert [name.split("-")[0] for name in names_in(folder / "export")] == ["coverage.svg", "ranks"]


def test_the_coverage_needs_no_entries(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    args = ["leaderboard", "export", "--format", "svg", "--plot", "coverage"]
    assert main(args) == 1
    assert f"{Path('docs', 'coverage.md')}: cannot be read" in capsys.readouterr().err
    (in_folder / "c.md").write_text(COVERAGE)
    assert main([*args, "--coverage", "c.md"]) == 0
    assert names_in(in_folder / "export") == ["coverage.svg"]


def test_nothing_is_written_over_without_force(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "export").mkdir()
    kept = folder / "export" / "leaderboard.csv"
    kept.write_text("mine")
    args = ["leaderboard", "export", "--format", "csv", "--format", "json"]
    assert main(args) == 1
    assert "leaderboard.csv is there already\n  Give --force to write over them" in capsys.readouterr().err
    assert (kept.read_text(), names_in(folder / "export")) == ("mine", ["leaderboard.csv"])
    assert main([*args, "--force"]) == 0
    assert kept.read_text().startswith("model,")


def test_filters_hold_for_files_too(folder: Path) -> None:
    assert main(["leaderboard", "export", "--format", "json", "--app", "Code", "--sort", "length_controlled"]) == 0
    (board,) = json.loads((folder / "export" / "leaderboard.json").read_text())
    assert board["slice"] == {"name": "app", "value": "Code"}
    assert board["sorted_by"] == "length_controlled"


def test_a_title_is_never_a_path(in_folder: Path) -> None:
    pytest.importorskip("matplotlib")
    (in_folder / "results").mkdir()
    results = Results(in_folder / "results", make)
    for name in ("../../etc/x", "..\\..\\y"):
        results.put(make(baseline={"name": name}))
    results.write()
    assert main(["leaderboard", "export", "--format", "svg", "--plot", "forest"]) == 0
    files = names_in(in_folder / "export")
    assert len(files) == 2
    assert all(name.startswith("forest-user_oriented_mini-against-") for name in files)
    assert names_in(in_folder) == ["export", "results"]


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        ([], 2, "Missing option '--format'"),
        (["--format", "csv", "--plot", "forest"], 2, "--plot is for --format svg and --format png"),
        (["--format", "csv", "--scenario", "capitals"], 2, "no entry has a scenario 'capitals'"),
        (["--format", "pdf"], 2, "'pdf' is not one of"),
    ],
)
def test_calls_that_do_not_do(
    folder: Path, capsys: pytest.CaptureFixture[str], args: list[str], code: int, message: str
) -> None:
    assert main(["leaderboard", "export", *args]) == code
    assert message in capsys.readouterr().err
    assert not (folder / "export").exists()


def test_ranks_of_a_row_alone(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (in_folder / "results").mkdir()
    results = Results(in_folder / "results", make)
    results.put(make())
    results.write()
    assert main(["leaderboard", "export", "--format", "svg", "--plot", "ranks"]) == 1
    assert "there is nothing to plot for ranks" in capsys.readouterr().err
