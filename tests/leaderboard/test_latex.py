"""LaTeX: one booktabs table a board, and nothing in a name that LaTeX would run."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpaca_eval_suite.leaderboard.board import Board, board_of
from alpaca_eval_suite.leaderboard.entry import merge
from alpaca_eval_suite.leaderboard.latex import escaped, to_latex
from alpaca_eval_suite.leaderboard.record import RunRecord

RunFactory = Callable[..., RunRecord]


def boards_of(*runs: RunRecord) -> list[Board]:
    return board_of(merge([], runs, lambda message: pytest.fail(message)), Path("nowhere"))


def test_golden_table(make_short_answer_run: RunFactory) -> None:
    assert to_latex(boards_of(make_short_answer_run())) == (
        "% needs booktabs, and longtable for tables of more than a page\n\n"
        "\\begin{table}\n"
        "\\caption{Short answers: each output is read for one fact; Scenario: capitals}\n"
        "\\centering\\footnotesize\\setlength{\\tabcolsep}{4pt}\n"
        "\\begin{tabular}{@{}rllrrrrrrrr@{}}\n"
        "\\toprule\n"
        "Row & Model & Prompt & Exact \\% & n & Failed & Trap \\% & Wrong \\% & Abstained \\% & Refused \\% "
        "& Mean length \\\\\n"
        "\\midrule\n"
        "1 & SmolLM2-135M-Instruct (a1b2c3d4) & chat & 60.0 [53.0, 66.6] & 197 & 0 & 5.0 [2.7, 9.0] "
        "& 30.0 [24.0, 36.7] & 5.0 [2.7, 9.0] & 0.0 [0.0, 1.9] & 24 \\\\\n"
        "\\bottomrule\n"
        "\\end{tabular}\n"
        "\\par\\footnotesize Intervals are at 95 \\% unless a cell says otherwise. Methods: exact, trap, wrong, "
        "abstained, refused: wilson.\n"
        "\\end{table}\n"
    )


def test_notes_stand_below_the_last_table_of_a_kind(make_run: RunFactory) -> None:
    text = to_latex(boards_of(make_run(), make_run(judge={"name": "other"})))
    assert text.count("\\begin{table}") == text.count("\\end{table}") == 2
    assert text.count("Intervals are at 95") == 1
    assert text.index("Intervals are at 95") > text.rindex("\\end{tabular}")


def test_a_long_table_runs_over_pages(make_run: RunFactory) -> None:
    runs = [make_run(model={"name": f"m{k}", "fingerprint": f"{k:064x}"}) for k in range(41)]
    text = to_latex(boards_of(*runs))
    assert "\\begin{longtable}" in text
    assert "\\begin{table}" not in text
    assert text.count("\\begin{") == text.count("\\end{")


def test_a_hostile_name_stays_text(make_run: RunFactory) -> None:
    name = "\\input{/etc/passwd}$x$ & 50% #1 _a ^b ~c {d} \\\\[1cm]"
    text = to_latex(boards_of(make_run(model={"name": name}, baseline={"name": name})))
    assert "\\input" not in text
    for line in text.splitlines():
        if line.startswith("1 & "):
            assert len(re.findall(r"(?<!\\)&", line)) == len(
                re.findall(r"(?<!\\)&", text.split("\\toprule\n")[1].split("\n")[0])
            )


WORDS = "textbackslash|textasciitilde|textasciicircum|textless|textgreater|textbar|textquotedbl|textdagger|ldots"


@given(st.text())
def test_only_our_own_commands_are_left(text: str) -> None:
    ours = rf"\\({WORDS})\{{\}}|\\[&%$#_{{}}]"
    assert not re.search(r"[\\&%$#_{}~^<>|\"]", re.sub(ours, "", escaped(text)))
