"""Plots: the same board the same bytes, what is written in them, and names that are no markup."""

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import pytest

from alpaca_eval_suite.errors import MissingExtraError, SuiteError
from alpaca_eval_suite.leaderboard.board import Board, board_of
from alpaca_eval_suite.leaderboard.plot_coverage import coverage, read_coverage
from alpaca_eval_suite.leaderboard.plots import PLOTS, plots_of
from alpaca_eval_suite.leaderboard.record import RunRecord

from .judged import Results, items_of, won

RunFactory = Callable[..., RunRecord]

COVERAGE = """# Coverage

Made by simulation.

## Win rate

The first is ours.

| n | rate | ties | win rate | default | ± 1.96 SE |
| ---: | ---: | ---: | ---: | ---: | ---: |
| 50 | 0.05 | 0.0 | 0.05 | **0.931** | 0.919 |
| 252 | 0.3 | 0.1 | 0.32 | 0.949 | 0.333 |

## Rank sets, all at once

| models | rank sets | percentiles of ranks |
| ---: | ---: | ---: |
| 8 tied | 0.960 | 0.018 |
"""


@pytest.fixture(autouse=True)
def _with_matplotlib() -> None:
    pytest.importorskip("matplotlib")


def board_with(folder: Path, make_run: RunFactory, names: tuple[str, ...] = ("good", "bad", "middling")) -> Board:
    results = Results(folder, make_run)
    for k, name in enumerate(names):
        results.add(name, items_of(won(0.8 - k / 4, seed=k), [80 + 40 * k + i % 9 for i in range(120)]))
    (board,) = board_of(results.entries(), folder)
    return board


def texts_of(svg: bytes) -> list[str]:
    root = ElementTree.fromstring(svg)
    return ["".join(node.itertext()).strip() for node in root.iter("{http://www.w3.org/2000/svg}text")]


@pytest.mark.parametrize("name", PLOTS)
def test_the_same_board_gives_the_same_bytes(tmp_path: Path, make_run: RunFactory, name: str) -> None:
    board = board_with(tmp_path, make_run)
    first, second = PLOTS[name](board, "svg"), PLOTS[name](board, "svg")
    assert first == second
    assert b"<dc:date>" not in first
    png = PLOTS[name](board, "png")
    assert png == PLOTS[name](board, "png")
    assert png.startswith(b"\x89PNG")
    assert b"matplotlib" not in png.lower()


def test_what_the_forest_says(tmp_path: Path, make_run: RunFactory) -> None:
    board = board_with(tmp_path, make_run)
    texts = texts_of(PLOTS["forest"](board, "svg"))
    good = board.rows[0]
    assert good.rate is not None
    assert good.rate.ci is not None
    low, high = 100 * good.rate.ci.low, 100 * good.rate.ci.high
    assert f"80.0 [{low:.1f}, {high:.1f}]" in texts
    assert "user_oriented_mini, against gemma3-270m, judged by builtin:checks" in texts
    assert any(text.startswith("good (") for text in texts)
    small_print = " ".join(texts)
    assert "Judge: builtin:checks (agrees with readers in 71.0 % [62.1, 78.9] of 120 pairs)." in small_print
    assert "n 120, failed 0; intervals at 95 %: bca." in small_print
    assert "length-controlled" in texts


def test_what_the_ranks_and_lengths_say(tmp_path: Path, make_run: RunFactory) -> None:
    board = board_with(tmp_path, make_run)
    ranks = texts_of(PLOTS["ranks"](board, "svg"))
    assert {"1 [1, 1]", "2 [2, 2]", "3 [3, 3]"} <= set(ranks)
    assert "simultaneous 95 % rank sets" in " ".join(ranks)
    lengths = texts_of(PLOTS["length"](board, "svg"))
    assert {"good", "middling", "bad", "gemma3-270m", "Mean length of the outputs, characters"} <= set(lengths)


@pytest.mark.parametrize("name", ["$\\frac{1}{0}$", "<script>alert(1)</script>", "a&b]]>", "\x1b[2Jx", "模型"])
def test_hostile_names_are_text(tmp_path: Path, make_run: RunFactory, name: str) -> None:
    board = board_with(tmp_path, make_run, (name, "other"))
    for plot in plots_of(board):
        svg = PLOTS[plot](board, "svg")
        assert b"<script" not in svg
        shown = "".join(texts_of(svg))
        assert re.sub(r"\x1b", " ", name).strip() in shown or plot == "length"
        assert PLOTS[plot](board, "png")


def test_colours_hold_in_greyscale(tmp_path: Path, make_run: RunFactory) -> None:
    """What a colour tells apart, a marker does too: the two series of the forest have different ones."""
    svg = PLOTS["forest"](board_with(tmp_path, make_run), "svg").decode()
    assert {"#0072b2", "#d55e00"} <= set(re.findall(r"#[0-9a-f]{6}", svg))
    markers = re.findall(r'<path id="(m[0-9a-f]+)" d="([^"]+)"', svg)
    assert len({shape for _, shape in markers}) >= 2


def test_a_board_without_rates_or_ranks_has_no_such_plot(tmp_path: Path, make_run: RunFactory) -> None:
    results = Results(tmp_path, make_run)
    results.put(make_run(judge=None).model_copy(update={"rates": {}}))
    (unjudged,) = board_of(results.entries(), tmp_path)
    assert plots_of(unjudged) == []
    results = Results(tmp_path, make_run)
    results.put(make_run())
    (alone,) = board_of(results.entries(), tmp_path)
    assert plots_of(alone) == ["forest", "length"]
    results = Results(tmp_path, make_run)
    results.put(make_run(judge={"has_information": False}))
    (blind,) = board_of(results.entries(), tmp_path)
    assert plots_of(blind) == []


def test_more_rows_than_a_picture_holds_are_cut_and_said(tmp_path: Path, make_run: RunFactory) -> None:
    results = Results(tmp_path, make_run)
    for k in range(103):
        results.put(make_run(model={"name": f"m{k}", "fingerprint": f"{k:064x}"}))
    (board,) = board_of(results.entries(), tmp_path)
    texts = texts_of(PLOTS["forest"](board, "svg"))
    assert "The first 100 of 103 rows." in texts


def test_coverage_is_drawn_from_the_benchmarks_tables(tmp_path: Path) -> None:
    path = tmp_path / "coverage.md"
    path.write_text(COVERAGE)
    win_rate, ranks = read_coverage(path)
    assert win_rate.methods == ("default", "± 1.96 SE")
    assert win_rate.cells == (
        "n 50, rate 0.05, ties 0.0, win rate 0.05",
        "n 252, rate 0.3, ties 0.1, win rate 0.32",
    )
    assert win_rate.covered == ((0.931, 0.919), (0.949, 0.333))
    assert (ranks.title, ranks.cells, ranks.covered) == ("Rank sets, all at once", ("8 tied",), ((0.96, 0.018),))
    svg = coverage([win_rate, ranks], "svg")
    assert svg == coverage([win_rate, ranks], "svg")
    # What lies outside the axes stands with its figure.
    assert {"0.33", "0.02", "default", "8 tied"} <= set(texts_of(svg))


def test_the_table_in_the_docs_can_be_drawn() -> None:
    path = Path(__file__).parents[2] / "docs" / "coverage.md"
    sections = read_coverage(path)
    assert len(sections) == 4
    assert all(0 <= value <= 1 for section in sections for row in section.covered for value in row)
    assert all(len(row) == len(section.methods) for section in sections for row in section.covered)


@pytest.mark.parametrize(
    ("text", "message"),
    [("# Nothing\n", "holds no table of coverage"), (COVERAGE.replace("0.919", "much"), "holds a figure that is none")],
)
def test_what_is_no_coverage_table(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "coverage.md"
    path.write_text(text)
    with pytest.raises(SuiteError, match=message):
        read_coverage(path)


def test_without_matplotlib_the_line_to_type_is_said(
    tmp_path: Path, make_run: RunFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = board_with(tmp_path, make_run)
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'alpaca-eval-suite\[plots\]'"):
        PLOTS["forest"](board, "svg")
