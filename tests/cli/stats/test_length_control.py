"""`alpaca-suite stats length-control`: the contract of its JSON, its text, and bad input."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alpaca_eval_suite.cli.main import main


def write_model(path: Path, seed: int, n: int = 60, **more: Any) -> str:
    rng = np.random.default_rng(seed)
    lines = [
        {"id": str(k), "win": float(rng.random() < 0.4), "len_model": int(rng.integers(50, 900)), "len_baseline": 300}
        for k in range(n)
    ]
    path.write_text("".join(json.dumps(line | more) + "\n" for line in lines))
    return path.name


def run(capsys: pytest.CaptureFixture[str], *args: str) -> dict[str, Any]:
    assert main(["stats", "length-control", *args, "--json"]) == 0
    models: dict[str, Any] = json.loads(capsys.readouterr().out)["models"]
    return models


def test_json_keys_and_names(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [write_model(in_folder / f"m{k}.jsonl", k) for k in range(2)]
    found = run(capsys, *files)
    assert list(found) == ["m0", "m1"]
    assert {"n", "win_rate", "lc_win_rate", "se", "ci", "reason"} <= set(found["m0"])
    assert set(found["m0"]["ci"]) == {"low", "high", "level", "method"}
    assert found["m0"]["difficulty"] == "left out"


def test_difficulties_are_estimated_from_five_models(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = run(capsys, *[write_model(in_folder / f"m{k}.jsonl", k) for k in range(5)])
    assert {model["difficulty"] for model in found.values()} == {"estimated"}


def test_text_says_what_was_left_out(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_model(in_folder / "m.jsonl", 0)
    write_model(in_folder / "w.jsonl", 0, win=1.0)
    assert main(["stats", "length-control", "m.jsonl", "w.jsonl"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("m: ")
    assert "(raw " in lines[0]
    assert lines[1] == "w: – (raw 100.0 %; n 60, failed 0; all 60 units are won: the fit has no finite solution)"
    assert lines[2] == "instruction difficulties left out: not given, and fewer than 5 models; no auxiliary rows"


def test_difficulties_without_these_ids(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_model(in_folder / "m.jsonl", 0)
    (in_folder / "d.csv").write_text("id,instruction_difficulty\n0,1\n")
    assert main(["stats", "length-control", "m.jsonl", "--difficulty", "d.csv"]) == 1
    error = capsys.readouterr().err
    assert "no difficulty for 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 49 more" in error
    assert "joined on id" in error


def test_a_compressed_csv(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_model(in_folder / "m.jsonl", 0)
    (in_folder / "d.csv").write_bytes(gzip.compress(b"id,instruction_difficulty\n"))
    assert main(["stats", "length-control", "m.jsonl", "--difficulty", "d.csv"]) == 1
    assert "d.csv: is not UTF-8 text" in capsys.readouterr().err


def test_two_files_of_one_name_are_told_apart(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in ("one", "two"):
        (in_folder / folder).mkdir()
        write_model(in_folder / folder / "m.jsonl", 0)
    assert list(run(capsys, "one/m.jsonl", "two/m.jsonl")) == ["one/m", "two/m"]


def test_a_judge_who_always_takes_the_first(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        {"id": str(n), "win": win, "order": order, "len_model": 50 + n, "len_baseline": 70}
        for n in range(40)
        for order, win in (("model_first", 1.0), ("baseline_first", 0.0))
    ]
    (in_folder / "m.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert run(capsys, "m.jsonl")["m"]["informative"] is False
    assert main(["stats", "length-control", "m.jsonl"]) == 0
    assert capsys.readouterr().out.startswith("m: no information (n 40, failed 0)")


def test_no_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stats", "length-control"]) == 2
    assert "Missing argument 'FILES...'" in capsys.readouterr().err
