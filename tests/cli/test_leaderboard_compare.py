"""`alpaca-suite leaderboard compare`: what is printed, and what cannot be compared."""

import json
from pathlib import Path
from typing import Any

import pytest

from alpaca_eval_suite.cli.main import main
from alpaca_eval_suite.leaderboard.record import RunRecord
from alpaca_eval_suite.stats.compare import compare_all
from alpaca_eval_suite.stats.units import units

from ..leaderboard.conftest import PREFERENCE, changed
from ..leaderboard.judged import Results, items_of, won

SHARES = {"first": 0.8, "second": 0.5, "third": 0.45}
ITEMS = {name: items_of(won(share, 252, seed)) for seed, (name, share) in enumerate(SHARES.items())}


def make(**changes: Any) -> RunRecord:
    return RunRecord.model_validate(changed(PREFERENCE, changes))


@pytest.fixture
def results(in_folder: Path) -> Results:
    """The folder `results`, not yet written, with three models on the same items."""
    (in_folder / "results").mkdir()
    found = Results(in_folder / "results", make)
    for name, items in ITEMS.items():
        found.add(name, items)
    return found


def test_two_models(results: Results, capsys: pytest.CaptureFixture[str]) -> None:
    results.write()
    assert main(["leaderboard", "compare", "first", "second"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [
        "user_oriented_mini, against gemma3-270m, judged by builtin:checks",
        "difference of win rate in points [95 % interval]",
    ]
    assert lines[2].startswith("  first - second: 30.2 [")
    assert "holds (n 252, dropped 0; bca)" in lines[2]
    assert lines[3:] == ["1 of 1 hold at 5 %"]


def test_the_figures_are_those_of_the_statistics(results: Results, capsys: pytest.CaptureFixture[str]) -> None:
    record = make()
    results.write()
    assert main(["leaderboard", "compare", *SHARES, "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    expected = compare_all(
        {name: units([p for item in items for p in item.preferences(record)]) for name, items in ITEMS.items()}
    )
    assert found["models"] == list(SHARES)
    assert found["comparisons"] == json.loads(json.dumps([pair.as_json() for pair in expected]))


def test_three_models_make_a_matrix(results: Results, capsys: pytest.CaptureFixture[str]) -> None:
    results.write()
    assert main(["leaderboard", "compare", *SHARES]) == 0
    out = capsys.readouterr().out
    rows = {line.split()[1]: line.split()[2:] for line in out.splitlines() if line.strip()[:2] in ("1 ", "2 ", "3 ")}
    assert rows["first"] == ["+30.2*", "+34.9*"]
    assert rows["second"] == ["-30.2*", "+4.8"]
    assert rows["third"] == ["-34.9*", "-4.8"]
    assert "p adjusted for 3 pairs (Holm)" in out
    assert "2 of 3 hold at 5 %, all pairs together" in out


def test_only_the_items_of_an_app(results: Results, capsys: pytest.CaptureFixture[str]) -> None:
    results.write()
    assert main(["leaderboard", "compare", "first", "second", "--app", "Maps"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("user_oriented_mini (app Maps), against")
    assert "n 84, dropped 0" in out


def test_a_model_is_found_by_the_name_that_the_table_shows(
    results: Results, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = f"first ({results.entries()[0].identity.short})"
    results.write()
    assert main(["leaderboard", "compare", shown, "second"]) == 0
    assert f"{shown} - second" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("names", "code", "message"),
    [
        (["first"], 2, "two different models or more are needed"),
        (["first", "first"], 2, "two different models or more are needed\n  Name each model once."),
        (["first", "secnd"], 2, "no entry has a model 'secnd'\n  Did you mean 'second'? There are: "),
    ],
)
def test_names_that_do_not_do(
    results: Results, capsys: pytest.CaptureFixture[str], names: list[str], code: int, message: str
) -> None:
    results.write()
    assert main(["leaderboard", "compare", *names]) == code
    assert message in capsys.readouterr().err


def test_models_on_different_data_cannot_be_compared(results: Results, capsys: pytest.CaptureFixture[str]) -> None:
    results.add("elsewhere", ITEMS["first"], scenario={"sha256": "9" * 64})
    results.write()
    assert main(["leaderboard", "compare", "first", "elsewhere"]) == 1
    error = capsys.readouterr().err
    assert "they have no scenario with the same data, baseline and judge in common" in error
    title = "user_oriented_mini, against gemma3-270m, judged by builtin:checks"
    assert f"first: {title} (data 11111111); elsewhere: {title} (data 99999999)." in error


def test_a_name_that_stands_twice_is_answered_with_keys(results: Results, capsys: pytest.CaptureFixture[str]) -> None:
    results.add("first", ITEMS["second"], prompt={"format": "alpaca", "sha256": "4" * 64})
    results.write()
    assert main(["leaderboard", "compare", "first", "second"]) == 2
    error = capsys.readouterr().err
    assert "first stands 2 times" in error
    key = error.split("Name one of: ")[1].split(" ")[0]
    assert main(["leaderboard", "compare", key, "second"]) == 0


def test_without_raw_verdicts_nothing_is_compared(results: Results, capsys: pytest.CaptureFixture[str]) -> None:
    results.put(make(model={"name": "unkept", "fingerprint": "1" * 64}))
    results.write()
    assert main(["leaderboard", "compare", "first", "unkept"]) == 1
    error = capsys.readouterr().err
    assert "unkept cannot be compared: its raw verdicts are not kept" in error
    assert "build again from runs that hold them" in error


def test_ids_that_only_one_has(results: Results, capsys: pytest.CaptureFixture[str]) -> None:
    results.add("short", ITEMS["first"][:100])
    results.write()
    assert main(["leaderboard", "compare", "first", "short"]) == 1
    error = capsys.readouterr().err
    assert "152 of the ids stand only in first" in error
    assert "--on shared" in error
    assert main(["leaderboard", "compare", "second", "short", "--on", "shared"]) == 0
    assert "n 100, dropped 152" in capsys.readouterr().out


def test_an_empty_folder(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["leaderboard", "compare", "a", "b"]) == 1
    assert "results: holds no entries" in capsys.readouterr().err
