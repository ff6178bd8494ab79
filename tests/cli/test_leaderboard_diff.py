"""`alpaca-suite leaderboard diff`: what is printed, and the exit codes."""

import json
from pathlib import Path
from typing import Any

import pytest

from alpaca_eval_suite.cli.main import main
from alpaca_eval_suite.files import write_json
from alpaca_eval_suite.leaderboard.raw import RawItem, Verdict, raw_record, write_raw

RUN: dict[str, Any] = {
    "schema_version": 2,
    "run": "alpaca_user_oriented:judge=j",
    "date": "2026-01-31T12:00:00+00:00",
    "scenario": {"name": "user_oriented", "sha256": "1" * 64, "metric": "preference", "licence": "-", "n_items": 40},
    "model": {"name": "m", "deployment": "alpaca/m", "fingerprint": "a1b2c3d4" + "0" * 56},
    "prompt": {"format": "alpaca", "sha256": "2" * 64},
    "decoding": {"max_tokens": 64, "temperature": 0.0},
    "baseline": {"name": "b", "sha256": "3" * 64},
    "judge": {
        "name": "j",
        "hash": "4" * 64,
        "template_sha256": None,
        "orders": "single",
        "seed": 0,
        "calibrated": False,
        "agreement": "not calibrated",
    },
}


def write_entry(path: Path, won: list[bool], output: str) -> Path:
    items = [
        RawItem(
            id=f"i{number:02}",
            prompt="the prompt",
            output=output if number < 20 else "the same",
            baseline_output="b",
            verdicts=(Verdict(judge="j", order="model_first", win=float(of)),),
        )
        for number, of in enumerate(won)
    ]
    file = f"raw/{path.stem}.jsonl"
    write_raw(path.parent / file, items)
    rate = {"value": sum(won) / len(won), "ci": None, "n": len(won), "n_failed": 0}
    run = {**RUN, "rates": {"win_rate": rate}, "raw": raw_record(file, items).model_dump()}
    identity = {"name": "m", "fingerprint": RUN["model"]["fingerprint"]}
    write_json(path, {"schema_version": 2, **identity, "runs": [run]})
    return path


@pytest.fixture
def two(tmp_path: Path) -> list[str]:
    """Entries whose first 20 outputs differ: mine wins 18 of them, the other 6, and both 10 of the others."""
    rest = [number % 2 == 0 for number in range(20)]
    mine = write_entry(tmp_path / "mine.json", [number < 18 for number in range(20)] + rest, "another")
    published = write_entry(tmp_path / "published.json", [number < 6 for number in range(20)] + rest, "the output")
    return [str(mine), str(published)]


def test_the_parts_are_printed(two: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["leaderboard", "diff", *two]) == 0
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert lines[0].startswith("mine       70.0 [no interval], n 40, failed 0  m (a1b2c3d4): user_oriented, against b")
    assert lines[2].startswith("difference +30.0 [")
    assert "more than noise: p 0.00" in lines[3]
    outputs = next(line for line in lines if line.startswith("outputs, decoding"))
    assert outputs.split()[2] == "+30.0"
    assert outputs.split()[-2:] == ["20", "40.0"]
    assert "outputs: 20 the same, 20 different of 40" in lines
    assert "verdicts on the same pairs: 100.0 % [83.9, 100.0] of 20 agree; mine to published: none" in lines
    assert "not known" not in out


def test_json(two: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["leaderboard", "diff", *two, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["difference"] == pytest.approx(0.3)
    assert sum(part["value"] for part in found["parts"]) == pytest.approx(0.3)
    outputs = next(part for part in found["parts"] if part["causes"] == ["outputs"])
    assert outputs["ci"].keys() == {"low", "high", "level", "method"}
    assert found["noise"]["within_noise"] is False
    assert found["mine"]["counting"] == {"ties": "half", "failures": "left_out"}
    assert found["unknown"] == []


def test_mistakes_in_the_call(two: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["leaderboard", "diff", two[0], "nowhere.json"]) == 1
    assert capsys.readouterr().err.startswith("error: nowhere.json: cannot be read (No such file")
    assert main(["leaderboard", "diff", *two, "--judge", "jj"]) == 2
    assert "no entry has a judge 'jj'\n  Did you mean 'j'?" in capsys.readouterr().err
    Path(two[1]).write_text("{", encoding="utf-8")
    assert main(["leaderboard", "diff", *two]) == 1
    assert "published.json: is not a" in capsys.readouterr().err
