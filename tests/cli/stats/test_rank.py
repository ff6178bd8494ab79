"""`alpaca-suite stats rank`: the contract's keys, whose name a model goes by, and what cannot be ranked."""

from collections.abc import Callable
from math import log
from typing import Any

import pytest

from alpaca_eval_suite.cli.main import main

Write = Callable[..., str]
Run = Callable[..., Any]


def wins(n: int, of: int = 100) -> list[float]:
    return [1.0] * n + [0.0] * (of - n)


def test_contract(write_verdicts: Write, run_json: Run) -> None:
    found = run_json("rank", write_verdicts("good", wins(80)), write_verdicts("poor", wins(25)))
    assert found["anchor"] == "baseline"
    assert list(found["models"]) == ["good", "baseline", "poor"]
    good = found["models"]["good"]
    assert good["rating"] == pytest.approx(log(80 / 20))
    assert good["elo"] == pytest.approx(400 / log(10) * log(4))
    assert good["ci"]["low"] < good["rating"] < good["ci"]["high"]
    assert (good["rank"], good["rank_low"], good["rank_high"]) == (1, 1, 1)
    assert found["models"]["baseline"]["rating"] == 0.0
    assert found["models"]["poor"]["rank"] == 3


def test_a_round_robin_goes_by_the_names_in_the_verdicts(write_verdicts: Write, run_json: Run) -> None:
    files = [
        write_verdicts("1", wins(60), model="b", baseline="a"),
        write_verdicts("2", wins(70), model="c", baseline="a"),
        write_verdicts("3", wins(65), model="c", baseline="b"),
    ]
    found = run_json("rank", *files)
    # b is in one file as a model, and goes by its name; so it does as a baseline.
    assert (found["anchor"], set(found["models"])) == ("a", {"a", "1", "c"})
    assert found["models"]["1"]["n"] == 200


def test_two_models_of_one_name_go_by_their_files(write_verdicts: Write, run_json: Run) -> None:
    files = [write_verdicts("step-1", wins(30), model="m"), write_verdicts("step-2", wins(60), model="m")]
    assert list(run_json("rank", *files)["models"]) == ["step-2", "baseline", "step-1"]


def test_the_table(write_verdicts: Write, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stats", "rank", write_verdicts("good", wins(80)), write_verdicts("all", wins(100))]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == ("bradley-terry, jeffreys prior, 100 ids; Elo over baseline [95 % interval], rank [set]")
    assert lines[1].startswith("  all: 921 [")
    assert "rank 1 [1, 1] (n 100, failed 0; wald (fall-back: 100 wins and 0 losses, BCa needs 15 of each))" in lines[1]
    assert "baseline: 0 [0, 0], rank 3 [3, 3]" in lines[3]
    assert lines[-1].startswith("note: separated data (every unit won: all over baseline)")


def test_davidson(write_verdicts: Write, run_json: Run, capsys: pytest.CaptureFixture[str]) -> None:
    found = run_json("rank", write_verdicts("m", [*wins(60), *[0.5] * 40]), "--davidson")
    assert found["method"] == "davidson"
    assert found["models"]["m"]["rating"] == pytest.approx(log(60 / 40))
    # ν = ties over the root of wins times losses.
    assert found["tie_parameter"] == pytest.approx(40 / (60 * 40) ** 0.5)
    assert main(["stats", "rank", write_verdicts("f", [0.3, 0.6]), "--davidson"]) == 2
    assert "f against baseline holds fractions of a win" in capsys.readouterr().err


def test_parts(write_verdicts: Write, capsys: pytest.CaptureFixture[str]) -> None:
    files = [write_verdicts("a", wins(50), baseline="x"), write_verdicts("b", wins(50), model="n", baseline="y")]
    assert main(["stats", "rank", *files]) == 1
    assert capsys.readouterr().err.startswith(
        "error: the models fall into 2 parts that were never compared with each other: x, a; b, y\n"
    )


def test_nothing_but_failures(write_verdicts: Write, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stats", "rank", write_verdicts("a", [None, None])]) == 1
    assert "error: a against baseline has no unit with a value" in capsys.readouterr().err
