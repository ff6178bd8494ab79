"""CSV: golden file, fractions with their interval and method, and no formula from a name."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest

from alpaca_eval_suite.leaderboard.board import Board, board_of
from alpaca_eval_suite.leaderboard.entry import merge
from alpaca_eval_suite.leaderboard.record import RunRecord
from alpaca_eval_suite.leaderboard.sheet import to_csv

RunFactory = Callable[..., RunRecord]


def boards_of(*runs: RunRecord) -> list[Board]:
    return board_of(merge([], runs, lambda message: pytest.fail(message)), Path("nowhere"))


def parsed(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


PARTS = ("", "_low", "_high", "_level", "_method", "_n", "_failed")


def test_golden_csv(make_run: RunFactory) -> None:
    run = make_run(judge={"agreement": "71.0 % [62.1, 78.9] of 120"})
    run = run.model_copy(update={"rates": {name: run.rates[name] for name in ("win_rate", "checks_passed")}})
    header, line = to_csv(boards_of(run)).splitlines()
    beside = ["length_controlled", "hallucination_trap", "hallucination_wrong"]
    beside += ["misinformation", "stereotypes", "toxicity"]
    assert header == (
        "model,fingerprint,served_id,deployment,scenario,slice,metric,scenario_sha256,n_items,baseline,"
        "baseline_sha256,judge,judge_hash,judge_template_sha256,judge_orders,judge_seed,rank,rank_low,rank_high,"
        "guards,self_judged,cost_usd,prompt,prompt_sha256,prompt_mismatch,thinking,"
        "thinking_tokens,max_tokens,temperature,dtype,device,batch_size,source,date,run,"
        + ",".join(name + part for name in ("win_rate", "checks_passed", *beside) for part in PARTS)
        + ",mean_length,mean_length_baseline"
    )
    assert line == (
        f"SmolLM2-135M-Instruct,a1b2c3d4{'0' * 56},,alpaca/SmolLM2-135M-Instruct,user_oriented_mini,,"
        f'preference,{"11" * 32},60,gemma3-270m,{"33" * 32},"builtin:checks (71.0 % [62.1, 78.9] of 120)",'
        ",,both,0,,,,,,,chat,"
        f"{'22' * 32},,strip,0,512,0.0,float32,cpu,16,helm,2026-01-31T12:00:00+00:00,"
        "alpaca_user_oriented_mini:judge=builtin,"
        "0.5212,0.45,0.593,0.95,bca,58,2,0.613,0.55,0.67,0.95,betting (fall-back: 3 values),60,0,"
        f"{',' * 7 * len(beside)}312.4,287.0"
    )


def test_each_column_stands_once(make_run: RunFactory, make_short_answer_run: RunFactory) -> None:
    refused = {"refused": {"value": 0.5, "ci": None, "n": 4}}
    other = make_short_answer_run(scenario={"name": "toxicity", "metric": "toxicity"}, rates=refused)
    header = to_csv(boards_of(make_run(), make_short_answer_run(), other)).splitlines()[0].split(",")
    assert sorted(header) == sorted(set(header))


def test_both_kinds_of_scenario_stand_in_one_file(make_run: RunFactory, make_short_answer_run: RunFactory) -> None:
    preference, short_answer = parsed(to_csv(boards_of(make_run(), make_short_answer_run())))
    assert preference["win_rate"] == "0.5212"
    assert preference["exact"] == preference["exact_n"] == ""
    assert short_answer["exact"] == "0.6"
    assert short_answer["refused_high"] == "0.019"
    assert short_answer["win_rate"] == short_answer["judge"] == ""


def test_no_information_gives_no_number(make_run: RunFactory) -> None:
    (row,) = parsed(to_csv(boards_of(make_run(judge={"has_information": False}))))
    assert row["win_rate"] == "no information"
    assert row["win_rate_low"] == row["win_rate_high"] == ""
    assert (row["win_rate_n"], row["win_rate_failed"]) == ("58", "2")
    assert row["order_consistency"] == "1.0"


def test_a_rate_without_interval_keeps_n_and_failures(make_run: RunFactory) -> None:
    (row,) = parsed(
        to_csv(boards_of(make_run(rates={"win_rate": {"value": None, "ci": None, "n": 0, "n_failed": 60}})))
    )
    assert [row[f"win_rate{part}"] for part in ("", "_low", "_n", "_failed")] == ["", "", "0", "60"]


def test_an_unknown_rate_comes_after_the_known(make_run: RunFactory) -> None:
    (row,) = parsed(to_csv(boards_of(make_run(rates={"=novel": {"value": 0.25, "ci": None, "n": 4}}))))
    assert row["'=novel"] == "0.25"
    assert list(row).index("'=novel") > list(row).index("checks_passed")


@pytest.mark.parametrize("name", ["=cmd|'/c calc'!A0", "+1", "-1", "@SUM(1)", "\t=1", 'a,"b"\n=c'])
def test_no_name_becomes_a_formula(make_run: RunFactory, name: str) -> None:
    run = make_run(
        model={"name": name, "fingerprint": None, "served_id": name, "deployment": name, "dtype": name},
        scenario={"name": name},
        baseline={"name": name},
        judge={"name": name, "orders": name, "agreement": name},
        run=name,
    )
    (row,) = csv.reader(io.StringIO(to_csv(boards_of(run)).split("\n", 1)[1]))
    assert not [cell for cell in row if cell.lstrip().startswith(("=", "+", "-", "@"))]


def test_no_entries_make_a_header_alone() -> None:
    assert to_csv([]).strip() == ""
