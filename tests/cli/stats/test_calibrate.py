"""`alpaca-suite stats sample` and `calibrate`: from a draw to a corrected rate, and every refusal."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alpaca_eval_suite.cli.main import main

N = 300


@pytest.fixture
def truth() -> np.ndarray:
    return (np.random.default_rng(0).random(N) < 0.4).astype(float)


@pytest.fixture
def judged(in_folder: Path, truth: np.ndarray) -> str:
    right = np.random.default_rng(1).random(N) < 0.8
    write("j.jsonl", {str(n): float(truth[n]) if right[n] else 1.0 for n in range(N)}, model="m", baseline="b")
    return "j.jsonl"


def write(path: str, wins: dict[str, float | None], **more: Any) -> None:
    Path(path).write_text("".join(json.dumps({"id": id_, "win": win} | more) + "\n" for id_, win in wins.items()))


def label(ids: list[str], truth: np.ndarray, **more: Any) -> None:
    pair = {"model": "m", "baseline": "b", "judge": "human:eva"}
    write("h.jsonl", {id_: float(truth[int(id_)]) for id_ in ids}, **(pair | more))


def calibrate(*more: str) -> int:
    return main(["stats", "calibrate", "--verdicts", "j.jsonl", "--votes", "h.jsonl", *more])


def draw(capsys: pytest.CaptureFixture[str], n: int = 80) -> list[str]:
    assert main(["stats", "sample", "j.jsonl", "--n", str(n), "--seed", "1", "--json"]) == 0
    ids: list[str] = json.loads(capsys.readouterr().out)["ids"]
    return ids


def test_from_the_draw_to_the_rate(judged: str, truth: np.ndarray, capsys: pytest.CaptureFixture[str]) -> None:
    label(draw(capsys), truth)
    assert calibrate("--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["n_judged"], found["n_labelled"], found["assumed_random"]) == (N, 80, False)
    assert found["naive"]["win_rate"] > truth.mean() + 0.05
    for name in ("ppi", "rogan_gladen"):
        assert found[name]["ci"]["low"] < truth.mean() < found[name]["ci"]["high"]
    assert isinstance(found["judge_accuracy"], float)
    assert found["labels_saved"] >= 0
    assert calibrate() == 0
    text = capsys.readouterr().out
    assert text.startswith("300 ids judged (0 failed, counted 0.5), 80 of them labelled\n")
    assert "  Rogan–Gladen: " in text


def test_the_ids_are_printed_in_the_order_drawn(judged: str, capsys: pytest.CaptureFixture[str]) -> None:
    ids = draw(capsys, 5)
    assert main(["stats", "sample", judged, "--n", "5", "--seed", "1"]) == 0
    out = capsys.readouterr()
    assert out.out.splitlines() == ids
    assert "recorded in j.sample.json" in out.err


def test_without_a_record_only_when_assumed(judged: str, truth: np.ndarray, capsys: pytest.CaptureFixture[str]) -> None:
    label([str(n) for n in range(80)], truth)
    assert calibrate() == 1
    assert "no sample is recorded here" in capsys.readouterr().err
    assert calibrate("--assume-random", "--json") == 0
    assert json.loads(capsys.readouterr().out)["assumed_random"] is True


def test_labels_outside_the_sample(judged: str, truth: np.ndarray, capsys: pytest.CaptureFixture[str]) -> None:
    ids = draw(capsys)
    outside = next(str(n) for n in range(N) if str(n) not in ids)
    label([*ids, outside], truth)
    assert calibrate() == 1
    assert f"labelled ids outside the sample: {outside}" in capsys.readouterr().err


def test_labels_without_verdicts(judged: str, capsys: pytest.CaptureFixture[str]) -> None:
    write("h.jsonl", {f"x{n:02}": 1.0 for n in range(12)}, judge="human:eva")
    assert calibrate("--assume-random") == 1
    error = capsys.readouterr().err
    assert "labelled ids that were not judged: x00, x01" in error
    assert "x09 and 2 more" in error


def test_another_seed_after_the_draw(judged: str, capsys: pytest.CaptureFixture[str]) -> None:
    draw(capsys)
    assert main(["stats", "sample", judged, "--n", "80", "--seed", "2"]) == 2
    assert "holds another sample already (80 ids, seed 1)" in capsys.readouterr().err


def test_votes_on_the_pair_the_other_way_round(
    judged: str, truth: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    label([str(n) for n in range(80)], truth, model="b", baseline="m")
    assert calibrate("--assume-random") == 1
    assert "votes on b against m, but the judge compared m with b" in capsys.readouterr().err


def test_a_file_of_people_alone_is_no_judge(judged: str, truth: np.ndarray, capsys: pytest.CaptureFixture[str]) -> None:
    label([str(n) for n in range(80)], truth)
    assert main(["stats", "sample", "h.jsonl", "--n", "10", "--seed", "1"]) == 1
    assert "holds no verdict by a judge" in capsys.readouterr().err
