"""Columns that come from the board: rank, length control, probes, cost, guards; and names with hashes."""

from collections.abc import Callable
from pathlib import Path

from alpaca_eval_suite.leaderboard.board import board_of
from alpaca_eval_suite.leaderboard.columns import Table, tables_of
from alpaca_eval_suite.leaderboard.record import RunRecord
from alpaca_eval_suite.leaderboard.table import to_markdown, to_rich

from .judged import Results, items_of, won

RunFactory = Callable[..., RunRecord]


def cells(table: Table, header: str) -> list[str]:
    (column,) = [column for column in table.columns if column.header == header]
    return list(column.cells)


def test_what_the_board_knows_beside_the_rate(
    tmp_path: Path, make_run: RunFactory, make_short_answer_run: RunFactory
) -> None:
    results = Results(tmp_path, make_run)
    capitals = make_short_answer_run()
    results.put(capitals)
    results.put(make_run(model={"name": "unkept", "fingerprint": "0" * 64}))
    results.add("good", items_of(won(0.8)), cost_usd=1.234, self_judged="same family")
    results.add("bad", items_of(won(0.3)), cost_usd=0.004)
    results.put(
        make_run(rates={"win_rate": {"value": 0.1, "ci": None, "n": 9}}, guards=["constant_output", "empty_output"])
    )
    table = tables_of(board_of(results.entries(), tmp_path))[0]
    assert [cell.split(" (")[0] for cell in cells(table, "Model")] == [
        "good",
        "unkept",
        "bad",
        "SmolLM2-135M-Instruct",
    ]
    assert cells(table, "Rank") == ["1 [1, 1]", "–", "2 [2, 2]", "–"]
    assert [cell.split(" [")[0] for cell in cells(table, "Length-controlled %")][1::2] == ["–", "–"]
    assert cells(table, "Hallucination (capitals: the trap) %") == ["–"] * 3 + ["5.0 [2.7, 9.0] (n 197, failed 0)"]
    assert cells(table, "Guards") == ["–", "–", "–", "constant_output, empty_output"]
    assert cells(table, "Self-judged") == ["same family", "–", "–", "–"]
    assert cells(table, "Cost, USD") == ["1.23", "–", "0.004", "–"]
    assert "No rank (rows 2, 4): its raw verdicts are not kept." in table.notes


def test_one_name_for_two_baselines_or_judges_stands_with_a_hash(tmp_path: Path, make_run: RunFactory) -> None:
    results = Results(tmp_path, make_run)
    results.put(make_run(model={"name": "a"}))
    results.put(make_run(model={"name": "b"}, baseline={"sha256": "8" * 64}))
    results.put(make_run(model={"name": "c"}, judge={"hash": "7" * 64}))
    (table,) = tables_of(board_of(results.entries(), tmp_path))
    baselines = dict(zip([cell[0] for cell in cells(table, "Model")], cells(table, "Baseline"), strict=True))
    assert baselines["b"] == "gemma3-270m (outputs 88888888)"
    judges = dict(zip([cell[0] for cell in cells(table, "Model")], cells(table, "Judge"), strict=True))
    assert judges["c"].startswith("builtin:checks (judge 77777777) (agrees")
    assert judges["a"].startswith("builtin:checks (agrees")
    assert len(table.groups) == 3


def test_many_rows_stand_in_lines_with_the_columns_that_fit(tmp_path: Path, make_run: RunFactory) -> None:
    from rich.console import Console

    results = Results(tmp_path, make_run)
    for k in range(6):
        results.add(f"model-{k}", items_of(won(0.1 + k / 8, seed=k)))
    boards = board_of(results.entries(), tmp_path)
    console = Console(width=80, force_terminal=False)
    with console.capture() as captured:
        console.print(to_rich(boards, width=80))
    shown = captured.get()
    assert max(len(line.rstrip()) for line in shown.splitlines()) <= 80
    assert all(f"model-{k}" in shown for k in range(6))
    assert "Rank" in shown
    assert "Not shown for want of width:" in shown
    assert "Mean length" in to_markdown(boards)
