"""Tables: golden Markdown, what stands beside a rate, and what marks rows that cannot be compared."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.leaderboard.board import Board, board_of
from alpaca_eval_suite.leaderboard.columns import Table, tables_of
from alpaca_eval_suite.leaderboard.entry import Entry, merge, write_entries
from alpaca_eval_suite.leaderboard.record import RunRecord
from alpaca_eval_suite.leaderboard.table import WIDE, load, show, to_markdown, to_rich

RunFactory = Callable[..., RunRecord]


def entries_of(*runs: RunRecord) -> list[Entry]:
    return merge([], runs, lambda message: pytest.fail(message))


def boards_of(*runs: RunRecord) -> list[Board]:
    """The boards of runs without raw files."""
    return board_of(entries_of(*runs), Path("nowhere"))


def named(name: str, **more: Any) -> dict[str, Any]:
    """The model `name`, with a fingerprint of its own."""
    return {"name": name, "fingerprint": name.encode().hex().ljust(64, "0"), **more}


def win(value: float, n: int = 58, n_failed: int = 2) -> dict[str, Any]:
    ci = {"low": value - 0.05, "high": value + 0.05, "level": 0.95, "method": "bca"}
    return {"win_rate": {"value": value, "ci": ci, "n": n, "n_failed": n_failed}}


def cells(table: Table, header: str) -> list[str]:
    (column,) = [column for column in table.columns if column.header == header]
    return list(column.cells)


def rendered(boards: list[Board], width: int) -> str:
    console = Console(width=width, force_terminal=False)
    with console.capture() as captured:
        console.print(to_rich(boards, width=width))
    return captured.get()


PREFERENCE_HEADER = (
    "| Row | Model | Scenario | Baseline | Judge | Prompt | Win rate % | n | Failed | Order consistency % "
    "| First shown wins % | Checks passed % | Mean length |\n"
    "| ---: | --- | --- | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
)


def test_golden_markdown(make_run: RunFactory, make_short_answer_run: RunFactory) -> None:
    markdown = to_markdown(boards_of(make_short_answer_run(model=named("b")), make_run()))
    assert markdown == (
        "## Preference: each output is compared with a baseline's\n\n"
        + PREFERENCE_HEADER
        + "| 1 | SmolLM2-135M-Instruct (a1b2c3d4) | user_oriented_mini | gemma3-270m "
        r"| builtin:checks (agrees with readers in 71.0 % \[62.1, 78.9\] of 120 pairs) | chat "
        "| 52.1 [45.0, 59.3] | 58 | 2 | 100.0 [94.0, 100.0] | 50.0 [50.0, 50.0] "
        "| 61.3 [55.0, 67.0] (n 60, failed 0) | 312 (baseline 287) |\n\n"
        "- Intervals are at 95 % unless a cell says otherwise. Methods: win rate, first shown: bca; "
        "order consistency: clopper-pearson; checks passed: betting (fall-back).\n\n"
        "## Short answers: each output is read for one fact\n\n"
        "| Row | Model | Scenario | Prompt | Exact % | n | Failed | Trap % | Wrong % | Abstained % "
        "| Refused % | Mean length |\n"
        "| ---: | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
        "| 1 | b (62000000) | capitals | chat | 60.0 [53.0, 66.6] | 197 | 0 "
        "| 5.0 [2.7, 9.0] | 30.0 [24.0, 36.7] | 5.0 [2.7, 9.0] | 0.0 [0.0, 1.9] | 24 |\n\n"
        "- Intervals are at 95 % unless a cell says otherwise. Methods: exact, trap, wrong, abstained, "
        "refused: wilson.\n"
    )


def test_no_entries_make_no_table() -> None:
    assert to_markdown([]) == ""


def test_rows_stand_best_first_within_what_can_be_compared(make_run: RunFactory) -> None:
    (table,) = tables_of(
        boards_of(
            make_run(model=named("low"), rates=win(0.2)),
            make_run(model=named("high"), rates=win(0.8)),
            make_run(model=named("middle"), rates=win(0.5)),
            make_run(model=named("top"), rates=win(0.9), scenario={"name": "user_oriented"}),
            make_run(model=named("unjudged"), judge=None),
        )
    )
    assert [cell.split()[0] for cell in cells(table, "Model")] == ["top", "high", "middle", "low", "unjudged"]
    assert cells(table, "Scenario")[0] == "user_oriented"
    assert cells(table, "Row") == ["1", "2", "3", "4", "5"]


def test_short_answers_are_sorted_by_exact(make_short_answer_run: RunFactory) -> None:
    worse = {"exact": {"value": 0.1, "ci": None, "n": 197, "n_failed": 0}}
    (table,) = tables_of(
        boards_of(make_short_answer_run(model=named("a"), rates=worse), make_short_answer_run(model=named("b")))
    )
    assert [cell.split()[0] for cell in cells(table, "Model")] == ["b", "a"]
    assert cells(table, "Exact %") == ["60.0 [53.0, 66.6]", "10.0 [no interval]"]


@pytest.mark.parametrize(
    ("judge", "expected"),
    [
        ({"calibrated": True, "agreement": "71.0 % of 120"}, "builtin:checks (71.0 % of 120)"),
        ({"calibrated": True, "agreement": " "}, "builtin:checks (not calibrated)"),
        ({"calibrated": False, "agreement": ""}, "builtin:checks (not calibrated)"),
        ({"calibrated": False, "agreement": "no labels"}, "builtin:checks (not calibrated; no labels)"),
        ({"calibrated": False, "agreement": "not calibrated: new"}, "builtin:checks (not calibrated: new)"),
    ],
)
def test_a_judge_stands_with_its_agreement(make_run: RunFactory, judge: dict[str, object], expected: str) -> None:
    (table,) = tables_of(boards_of(make_run(judge=judge)))
    assert cells(table, "Judge") == [expected]


def test_what_a_judge_without_information_said_is_not_printed(make_run: RunFactory) -> None:
    # Its raw rate is the highest, and must not show even in the order of the rows.
    blind = make_run(model=named("blind"), rates=win(0.987), judge={"has_information": False})
    boards = boards_of(blind, make_run(model=named("seen"), rates=win(0.3)))
    (table,) = tables_of(boards)
    assert cells(table, "Win rate %") == ["30.0 [25.0, 35.0]", "no information"]
    assert cells(table, "n") == ["58", "58"]
    markdown = to_markdown(boards)
    assert "98.7" not in markdown
    assert "No information (row 2): neither its agreement with itself over the two orders" in markdown
    assert "98.7" not in rendered(boards, 80)
    assert "98.7" not in rendered(boards, WIDE)


def test_information_that_was_not_measured_withholds_nothing(make_run: RunFactory) -> None:
    (table,) = tables_of(boards_of(make_run(judge={"has_information": None}, rates=win(0.3))))
    assert cells(table, "Win rate %") == ["30.0 [25.0, 35.0]"]


def test_a_run_without_judge_has_no_win_rate(make_run: RunFactory) -> None:
    run = make_run(judge=None)
    run = run.model_copy(update={"rates": {"checks_passed": run.rates["checks_passed"]}})
    (table,) = tables_of(boards_of(run))
    assert cells(table, "Win rate %") == ["not judged"]
    assert cells(table, "Checks passed %") == ["61.3 [55.0, 67.0] (n 60, failed 0)"]
    assert "Order consistency %" not in [column.header for column in table.columns]


def test_a_rate_that_was_never_counted_keeps_its_n_and_failures(make_run: RunFactory) -> None:
    nothing = {"win_rate": {"value": None, "ci": None, "n": 0, "n_failed": 60}}
    (table,) = tables_of(boards_of(make_run(rates=nothing)))
    assert (cells(table, "Win rate %"), cells(table, "n"), cells(table, "Failed")) == (["–"], ["0"], ["60"])


def test_different_data_is_marked_in_the_rows_and_in_a_note(make_run: RunFactory) -> None:
    (table,) = tables_of(
        boards_of(
            make_run(model=named("a"), rates=win(0.2)),
            make_run(model=named("b"), rates=win(0.8), scenario={"sha256": "99" * 32}),
            make_run(model=named("c"), rates=win(0.5)),
        )
    )
    assert [cell.split()[0] for cell in cells(table, "Model")] == ["c", "a", "b"]
    assert cells(table, "Scenario") == [
        "user_oriented_mini (data 11111111)",
        "user_oriented_mini (data 11111111)",
        "user_oriented_mini (data 99999999)",
    ]
    assert table.notes[0] == (
        "Scenario user_oriented_mini: rows on different data cannot be compared: "
        "11111111 (rows 1, 2); 99999999 (row 3)."
    )


def test_one_hash_needs_no_mark(make_run: RunFactory) -> None:
    (table,) = tables_of(boards_of(make_run(model=named("a")), make_run(model=named("b"))))
    assert cells(table, "Scenario") == ["user_oriented_mini"] * 2
    assert not any("data" in note for note in table.notes)


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        (
            {"scenario": {"n_items": 5}},
            "user_oriented_mini: the number of items differs: 60 (row 1); 5 (row 2).",
        ),
        (
            {"decoding": {"max_tokens": 9, "stop": ["\n"]}},
            "user_oriented_mini: the decoding differs: max_tokens 512, temperature 0, stop none (row 1); "
            "max_tokens 9, temperature 0, stop '\\n' (row 2).",
        ),
        (
            {"decoding": {"thinking": "keep", "thinking_tokens": 256}},
            "user_oriented_mini: the decoding differs: max_tokens 512, temperature 0, stop none (row 1); "
            "max_tokens 512, temperature 0, stop none, thoughts kept, thinking tokens 256 (row 2).",
        ),
        (
            {"prompt": {"sha256": "88" * 32}},
            "user_oriented_mini: the chat prompt differs: 22222222 (row 1); 88888888 (row 2).",
        ),
        (
            {"baseline": {"sha256": None}},
            "user_oriented_mini, gemma3-270m: the file of the baseline's outputs differs: 33333333 (row 1); "
            "made on the fly (row 2).",
        ),
        (
            {"judge": {"template_sha256": "77" * 32}},
            "user_oriented_mini, builtin:checks: the judge's question differs: none (row 1); 77777777 (row 2).",
        ),
        (
            {"judge": {"orders": "single"}},
            "user_oriented_mini, builtin:checks: the order shown to the judge differs: both (row 1); single (row 2).",
        ),
        (
            {"judge": {"seed": 3}},
            "user_oriented_mini, builtin:checks: the judge's seed differs: 0 (row 1); 3 (row 2).",
        ),
        (
            {"judge": {"served_id": "gpt-4o-2024-08-06"}},
            "user_oriented_mini, builtin:checks: the model that the judge's server names differs: none (row 1); "
            "gpt-4o-2024-08-06 (row 2).",
        ),
    ],
)
def test_settings_that_differ_are_named(make_run: RunFactory, changes: dict[str, object], note: str) -> None:
    other = make_run(model=named("b"), rates=win(0.1), **changes)
    (table,) = tables_of(boards_of(make_run(model=named("a"), rates=win(0.9)), other))
    assert note in table.notes


def test_what_records_note_is_said_once_for_all_their_rows(make_run: RunFactory) -> None:
    moved, refused = "endpoint/judge: the name moved on.", "endpoint/judge: the temperature is refused."
    runs = [
        make_run(model=named("a"), rates=win(0.9), notes=[moved]),
        make_run(model=named("b"), rates=win(0.5)),
        make_run(model=named("c"), rates=win(0.1), notes=[moved, refused]),
    ]
    (table,) = tables_of(boards_of(*runs))
    assert f"Rows 1, 3: {moved}" in table.notes
    assert f"Row 3: {refused}" in table.notes
    assert sum("moved on" in note for note in table.notes) == 1


def test_empty_and_cut_off_outputs_are_told(make_run: RunFactory) -> None:
    ci = {"low": 0.05, "high": 0.2, "level": 0.95, "method": "wilson"}
    spoiled = {
        "empty": {"value": 0.1, "ci": ci, "n": 60},
        "cut_off": {"value": 0.0, "ci": ci, "n": 60},
    }
    (table,) = tables_of(boards_of(make_run(rates=spoiled)))
    assert "Row 1: 10.0 [5.0, 20.0] % of the outputs are empty (n 60, failed 0)." in table.notes
    assert not any("cut off" in note for note in table.notes)


def test_a_metric_of_a_later_version_is_shown_by_its_names(make_run: RunFactory) -> None:
    (table,) = tables_of(boards_of(make_run(scenario={"metric": "novel"})))
    assert table.title == "novel"
    assert cells(table, "Checks passed %") == ["61.3 [55.0, 67.0]"]
    assert cells(table, "Win rate %") == ["52.1 [45.0, 59.3] (n 58, failed 2)"]


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "a|b|c", "../../x", "=cmd", "[bold]x[/bold]", "x\n| y"])
def test_hostile_names_stay_text_in_markdown(make_run: RunFactory, name: str) -> None:
    run = make_run(
        model=named(name),
        scenario={"name": name},
        baseline={"name": name},
        judge={"name": name, "agreement": name},
    )
    lines = to_markdown(boards_of(run)).splitlines()
    assert "<" not in "".join(lines)
    row = next(line for line in lines if line.startswith("| 1 |"))
    assert row.replace("\\|", "").count("|") == PREFERENCE_HEADER.splitlines()[0].count("|")
    assert len([line for line in lines if line.startswith("|")]) == 3


def test_the_terminal_takes_markup_as_text(make_run: RunFactory) -> None:
    run = make_run(model=named("[red]x[/red]\x1b[2J"), baseline={"name": "[link=http://evil]y[/link]"})
    shown = rendered(boards_of(run), 80)
    assert "[red]x[/red]" in shown
    assert "\x1b" not in shown
    assert "Baseline: [link=http://evil]y[/link]" in shown


def test_a_terminal_of_80_columns_shows_all_of_a_row(make_run: RunFactory) -> None:
    shown = rendered(boards_of(make_run()), 80)
    assert max(len(line.rstrip()) for line in shown.splitlines()) <= 80
    for expected in (
        "Judge: builtin:checks (agrees with readers in 71.0 % [62.1, 78.9] of 120 pairs)",
        "Model                SmolLM2-135M-Instruct (a1b2c3d4)",
        "Win rate %           52.1 [45.0, 59.3]",
        "n                    58",
        "Failed               2",
        "Checks passed %      61.3 [55.0, 67.0] (n 60, failed 0)",
    ):
        assert expected in shown


def test_a_wide_terminal_shows_all_columns_uncut(make_run: RunFactory, make_short_answer_run: RunFactory) -> None:
    name = "a-very-long-model-name/" * 5
    shown = rendered(boards_of(make_run(model=named(name)), make_short_answer_run(model=named(name))), WIDE)
    assert max(len(line.rstrip()) for line in shown.splitlines()) <= WIDE
    for expected in (
        "52.1",
        "[45.0, 59.3]",
        "[94.0, 100.0]",
        "(n 60, failed 0)",
        "(baseline 287)",
        "[0.0, 1.9]",
        "24",
    ):
        assert expected in shown


def test_what_is_compared_stands_under_one_heading(make_run: RunFactory) -> None:
    runs = [make_run(model=named(name)) for name in "abc"]
    shown = rendered(boards_of(*runs), WIDE)
    assert shown.count("Judge: builtin:checks") == 1
    both = rendered(boards_of(*runs, make_run(model=named("d"), judge={"name": "other"})), WIDE)
    assert both.count("Judge: ") == 2


def test_one_scenario_alone(make_run: RunFactory, make_short_answer_run: RunFactory, tmp_path: Path) -> None:
    only_preference = make_run(model=named("other"))
    write_entries(tmp_path, entries_of(make_run(), make_short_answer_run(), only_preference), {})
    assert len(load(tmp_path)) == 2
    console = Console(width=80, force_terminal=False)
    with console.capture() as captured:
        show(tmp_path, console, "capitals")
    assert "Scenario: capitals" in captured.get()
    assert "user_oriented_mini" not in captured.get()


def test_what_cannot_be_loaded(make_run: RunFactory, tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"holds no entries\n  Make them first: alpaca-suite leaderboard build"):
        load(tmp_path / "nowhere")
    write_entries(tmp_path, entries_of(make_run()), {})


def test_another_prompt_than_in_training_is_flagged_at_every_number(make_run: RunFactory) -> None:
    trained = {"trained_with": {"format": "alpaca", "sha256": "55" * 32}, "mismatch": True}
    runs = [make_run(model=named("a"), rates=win(0.5)), make_run(model=named("b"), rates=win(0.4), prompt=trained)]
    (table,) = tables_of(boards_of(*runs))
    numbers = [column for column in table.columns if column.is_number and column.header != "Row"]
    assert len(numbers) >= 6
    for column in numbers:
        assert not column.cells[0].endswith("†")
        assert column.cells[1].endswith(" †")
    assert cells(table, "Win rate %")[1] == "40.0 [35.0, 45.0] †"
    assert cells(table, "Row") == ["1", "2"]
    assert table.notes[0] == (
        "† Asked with another prompt than in training, so that these numbers may be the prompt's more than the "
        "model's: trained with alpaca 55555555, asked with chat 22222222 (row 2)."
    )
    assert "40.0 [35.0, 45.0] †" in to_markdown(boards_of(*runs))


def test_the_prompt_of_the_training_alone_flags_nothing(make_run: RunFactory) -> None:
    same = {"trained_with": {"format": "chat", "sha256": "22" * 32}, "mismatch": False}
    assert "†" not in to_markdown(boards_of(make_run(prompt=same)))


def test_answers_cut_off_while_thinking_are_told(make_run: RunFactory) -> None:
    ci = {"low": 0.05, "high": 0.2, "level": 0.95, "method": "wilson"}
    (table,) = tables_of(boards_of(make_run(rates={"cut_off_thinking": {"value": 0.1, "ci": ci, "n": 60}})))
    assert (
        "Row 1: 10.0 [5.0, 20.0] % of the outputs were cut off while thinking, and hold no answer (n 60, failed 0)."
        in table.notes
    )
