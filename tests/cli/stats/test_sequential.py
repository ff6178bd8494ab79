"""`alpaca-suite stats sequential`, `position-bias` and `power`: the printed forms."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alpaca_eval_suite.cli.main import main

Write = Callable[..., str]
Run = Callable[..., Any]
WINS = [1.0] * 85 + [0.0] * 15
BOTH = ("model_first", "baseline_first")


def test_sequential_contract(write_verdicts: Write, run_json: Run) -> None:
    found = run_json("sequential", write_verdicts("a", WINS), "--seed", "2")
    assert [look["n"] for look in found["looks"]] == list(range(1, 101))
    assert set(found["looks"][0]) == {"n", "win_rate", "low", "high"}
    assert found["looks"][-1]["win_rate"] == found["looks"][-1]["low"] == pytest.approx(0.85)
    assert found["decision"] == "model"
    first = next(look["n"] for look in found["looks"] if look["low"] > 0.5)
    assert found["decided_at"] == first < 80
    assert found["seed"] == 2


def test_sequential_text(write_verdicts: Write, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stats", "sequential", write_verdicts("a", [0.5] * 20)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "95 % confidence sequence, ids in the order of seed 0"
    assert lines[-2:] == ["  after 20: 50.0 [50.0, 50.0] %", "undecided (20 of 20 ids, failed 0)"]
    assert main(["stats", "sequential", write_verdicts("b", WINS)]) == 0
    assert "the model is preferred: decided after " in capsys.readouterr().out


def test_sequential_of_a_run_in_part(
    write_verdicts: Write, run_json: Run, in_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (in_folder / "all.jsonl").write_text("".join(json.dumps({"id": f"{n:04}"}) + "\n" for n in range(200)))
    a = write_verdicts("a", [1.0] * 199)
    found = run_json("sequential", a, "--of", "all.jsonl")
    assert found["n_total"] == 200
    assert 0 < len(found["looks"]) < 200
    (in_folder / "all.jsonl").write_text('{"id": 3}\n')
    assert main(["stats", "sequential", a, "--of", "all.jsonl"]) == 1
    assert "error: all.jsonl:1: key 'id': must be a string" in capsys.readouterr().err


def test_position_bias(write_verdicts: Write, run_json: Run, capsys: pytest.CaptureFixture[str]) -> None:
    fair = write_verdicts("fair", WINS, BOTH, judge="j")
    (judge,) = run_json("position-bias", fair)["judges"].values()
    assert judge["first_shown"]["value"] == 0.5
    assert judge["order_consistency"]["value"] == 1.0
    assert judge["order_consistency"]["ci"]["method"] == "clopper-pearson"
    assert judge["informative"] is True
    assert main(["stats", "position-bias", fair]) == 0
    lines = capsys.readouterr().out.splitlines()
    # Tango's interval of 100 ties: ± z²/(100 + z²) for wins less losses, half of it for the rate.
    assert lines[0] == "j:"
    assert lines[1].startswith("  first shown wins: 50.0 [48.2, 51.8] % (n 100, failed 0; tango (fall-back: all 100")
    assert lines[2].startswith("  both orders agree: 100.0 [96.4, 100.0] % (n 100")


def test_position_bias_of_a_judge_who_does_not_look(
    write_verdicts: Write, run_json: Run, in_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = (in_folder / write_verdicts("1", [1.0] * 50, BOTH[:1])).read_text()
    second = (in_folder / write_verdicts("2", [0.0] * 50, BOTH[1:])).read_text()
    (in_folder / "blind.jsonl").write_text(first + second)
    judge = run_json("position-bias", "blind.jsonl")["judges"]["judge"]
    assert (judge["first_shown"]["value"], judge["order_consistency"]["value"]) == (1.0, 0.0)
    assert judge["informative"] is False
    assert main(["stats", "position-bias", "blind.jsonl"]) == 0
    assert "  no information: the two orders agree in 0.0% of 50 pairs" in capsys.readouterr().out
    assert main(["stats", "sequential", "blind.jsonl"]) == 0
    assert capsys.readouterr().out.startswith("no information: ")


def test_position_bias_of_one_order(write_verdicts: Write, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stats", "position-bias", write_verdicts("a", WINS)]) == 0
    assert "  both orders agree: – (n 0, failed 0)\n  no pair has a verdict in both orders\n" in capsys.readouterr().out


def test_power_of_a_file(write_verdicts: Write, run_json: Run) -> None:
    found = run_json("power", write_verdicts("a", [1.0, 0.0] * 50, BOTH), "--half-width", "0.05")
    one, both = found["plans"]
    assert (one["orders"], both["orders"]) == (1, 2)
    # A judge of one mind: the second order tells nothing more. sd² = 25/99; (1.96 · .5025/.05)² = 388.02.
    assert one["sd"] == pytest.approx(both["sd"], rel=0.01)
    assert (both["n"], both["verdicts"]) == (389, 778)
    assert found["wanted"] == {"half_width": 0.05}


def test_power_of_two_files(write_verdicts: Write, run_json: Run) -> None:
    a, b = write_verdicts("a", WINS), write_verdicts("b", [*WINS[10:], *[0.0] * 10])
    paired, unpaired = run_json("power", a, b, "--difference", "0.05")["plans"]
    assert paired["design"] == "two models, the same instructions"
    assert unpaired["design"] == "two models, separate instructions"
    assert paired["n"] < unpaired["n"]


def test_power_without_files(run_json: Run, capsys: pytest.CaptureFixture[str]) -> None:
    (plan,) = run_json("power", "--difference", "0.05")["plans"]
    assert (plan["sd"], plan["n"]) == (0.5, 785)
    plans = run_json("power", "--difference", "0.05", "--sd", "0.4", "--correlation", "0.5")["plans"]
    assert [round(plan["sd"], 4) for plan in plans] == [0.4, 0.4, 0.5657]
    assert main(["stats", "power", "--half-width", "0.05"]) == 0
    assert capsys.readouterr().out == (
        "for an interval of ± 5.0 points (95 %)\n"
        "  one model against the baseline, one order: 385 each (385 verdicts; sd 0.500)\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "what is wanted?"),
        (["--half-width", "0.1", "--difference", "0.1"], "what is wanted?"),
        (["a.jsonl", "--sd", "0.1", "--difference", "0.1"], "spread is either measured or given"),
        (["a.jsonl", "b.jsonl", "c.jsonl", "--difference", "0.1"], "3 files"),
        (["one.jsonl", "--difference", "0.1"], "fewer than two units have a value"),
        (["--half-width", "0"], "0"),
    ],
)
def test_power_usage(
    write_verdicts: Write, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    write_verdicts("a", WINS)
    write_verdicts("one", [1.0])
    assert main(["stats", "power", *arguments]) == 2
    assert message in capsys.readouterr().err
