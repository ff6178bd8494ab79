"""`alpaca-suite stats compare`: the contract's keys, the table, and calls and files that are wrong."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alpaca_eval_suite.cli.main import main

A = [1.0] * 60 + [0.0] * 40
B = [1.0] * 30 + [0.0] * 70


def test_contract(write_verdicts: Callable[..., str], run_json: Callable[..., Any]) -> None:
    found = run_json("compare", write_verdicts("a", A), write_verdicts("b", B))
    assert (found["a"], found["b"], found["n_shared"], found["n_dropped"]) == ("a", "b", 100, 0)
    assert found["difference"] == pytest.approx(0.3)
    assert set(found["ci"]) == {"low", "high", "level", "method"}
    assert found["ci"]["low"] < 0.3 < found["ci"]["high"]
    # None of 10,000 sign patterns is as extreme as 30 of 30.
    assert found["p_value"] == found["p_holm"] == 1 / 10_001
    assert found["test"].startswith("studentised sign-flip permutation")
    assert found["mcnemar_mid_p"] == pytest.approx(2**-30)
    assert found["holds"] is True


def test_all_pairs(write_verdicts: Callable[..., str], run_json: Callable[..., Any]) -> None:
    files = [write_verdicts(name, wins) for name, wins in {"a": A, "b": B, "c": list(B)}.items()]
    found = run_json("compare", *files)
    assert found["family"] == "holm"
    assert [(pair["a"], pair["b"], pair["holds"]) for pair in found["comparisons"]] == [
        ("a", "b", True),
        ("a", "c", True),
        ("b", "c", False),
    ]
    assert found["comparisons"][0]["p_holm"] == pytest.approx(3 / 10_001)


def test_the_table(write_verdicts: Callable[..., str], capsys: pytest.CaptureFixture[str]) -> None:
    files = [write_verdicts(name, wins) for name, wins in {"a": A, "b": B, "c": list(B)}.items()]
    assert main(["stats", "compare", *files]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "difference in points [95 % interval], p by sign-flip permutation, adjusted for 3 pairs (Holm)"
    assert lines[1].startswith("  a - b: 30.0 [")
    assert ", p 0.0003, holds (n 100, dropped 0; " in lines[1]
    assert "p 1, does not hold (n 100" in lines[3]
    assert lines[4] == "2 of 3 hold at 5 %, all pairs together"


def test_an_id_in_only_one_file(
    write_verdicts: Callable[..., str], run_json: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = write_verdicts("a", A), write_verdicts("b", B[:98])
    assert main(["stats", "compare", a, b]) == 1
    assert capsys.readouterr().err == (
        "error: 2 of the ids stand only in a: '0098', '0099'\n"
        "  Give --on shared to compare on the ids that both have; the others are dropped and counted.\n"
    )
    found = run_json("compare", a, b, "--on", "shared")
    assert (found["n_shared"], found["n_dropped"]) == (98, 2)


def test_runs_are_told_apart_by_their_folders(write_verdicts: Callable[..., str], run_json: Callable[..., Any]) -> None:
    files = [write_verdicts(f"{run}/preferences", wins) for run, wins in {"step-1": A, "step-2": B}.items()]
    found = run_json("compare", *files)
    assert (found["a"], found["b"]) == ("step-1/preferences", "step-2/preferences")


def test_incomplete_pairs(write_verdicts: Callable[..., str], run_json: Callable[..., Any], in_folder: Path) -> None:
    orders = ("model_first", "baseline_first")
    a, b = write_verdicts("a", A, orders), write_verdicts("b", B, orders)
    lines = (in_folder / a).read_text().splitlines(keepends=True)
    (in_folder / a).write_text("".join([lines[0].replace("1.0", "null"), *lines[1:]]))
    assert run_json("compare", a, b)["n_shared"] == 99
    assert run_json("compare", a, b, "--incomplete", "keep")["n_shared"] == 100


def test_a_judge_without_information(
    write_verdicts: Callable[..., str],
    run_json: Callable[..., Any],
    capsys: pytest.CaptureFixture[str],
    in_folder: Path,
) -> None:
    a = write_verdicts("a", A, ("model_first", "baseline_first"))
    first, second = (
        write_verdicts("1", [1.0] * 100, ("model_first",)),
        write_verdicts("2", [0.0] * 100, ("baseline_first",)),
    )
    (in_folder / "blind.jsonl").write_text((in_folder / first).read_text() + (in_folder / second).read_text())
    assert main(["stats", "compare", a, "blind.jsonl"]) == 0
    text = capsys.readouterr().out
    assert "  a - blind: no information (n 100, dropped 0); the raw figures are printed with --json\n" in text
    assert "0 of 1 hold at 5 %\nblind: no information: the two orders agree in 0.0% of 100 pairs" in text
    assert list(run_json("compare", a, "blind.jsonl")["no_information"]) == ["blind"]


def test_other_baselines_are_noted(write_verdicts: Callable[..., str], run_json: Callable[..., Any]) -> None:
    found = run_json("compare", write_verdicts("a", A, baseline="x"), write_verdicts("b", B, baseline="y"))
    assert found["notes"] == ["the files differ in baseline (a: x; b: y)"]


def test_nothing_but_failures(write_verdicts: Callable[..., str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stats", "compare", write_verdicts("a", [None] * 3), write_verdicts("b", [1.0] * 3)]) == 0
    assert "  a - b: – (n 0, dropped 3; no id has a value in both)\n" in capsys.readouterr().out


def test_one_file(write_verdicts: Callable[..., str], capsys: pytest.CaptureFixture[str]) -> None:
    a = write_verdicts("a", A)
    assert main(["stats", "compare", a]) == 2
    assert "one file cannot be compared" in capsys.readouterr().err
    assert main(["stats", "compare", a, f"./{a}"]) == 2
    assert "error: a.jsonl is given twice" in capsys.readouterr().err


def test_a_file_of_two_models_is_named(
    write_verdicts: Callable[..., str], capsys: pytest.CaptureFixture[str], in_folder: Path
) -> None:
    a, b = write_verdicts("a", A, model="m"), write_verdicts("b", B, model="n")
    (in_folder / a).write_text((in_folder / a).read_text() + (in_folder / b).read_text())
    assert main(["stats", "compare", a, b]) == 1
    assert "error: a.jsonl: the verdicts are of 2 pairs of model and baseline" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"id,win\n1,1\n", "b.jsonl:1: is not valid JSON"),
        (b"<!doctype html>\n<html></html>\n", "b.jsonl:1: is not valid JSON"),
        (gzip.compress(b'{"id": "1", "win": 1}\n'), "b.jsonl: is not UTF-8 text (byte 1)"),
        (b'{"id": "1", "win": NaN}\n', "b.jsonl:1: key 'win': is NaN"),
        (b'{"id": "1", "win": -0.5}\n', "b.jsonl:1: key 'win': must lie in [0, 1]"),
        (b'{"id": "1", "win": 1}\n{"id": "1", "win": 0}\n', "b.jsonl:2: the verdict ("),
        (b"", "b.jsonl: holds no verdicts"),
    ],
)
@pytest.mark.parametrize("command", ["compare", "rank", "sequential", "position-bias", "power"])
def test_files_that_are_not_what_they_say(
    write_verdicts: Callable[..., str],
    capsys: pytest.CaptureFixture[str],
    in_folder: Path,
    command: str,
    content: bytes,
    message: str,
) -> None:
    (in_folder / "b.jsonl").write_bytes(content)
    files = ["b.jsonl"] if command in ("sequential", "position-bias") else [write_verdicts("a", A), "b.jsonl"]
    wanted = ["--difference", "0.1"] if command == "power" else []
    assert main(["stats", command, *files, *wanted]) == 1
    printed = capsys.readouterr()
    assert f"error: {message}" in printed.err
    assert len(printed.err.splitlines()) <= 2
    assert printed.out == ""
