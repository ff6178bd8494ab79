"""Plots of a board for papers and slides: rates with their intervals, rates against lengths, ranks.

A plot of a board is made from what the board holds, and from nothing else.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from alpaca_eval_suite.leaderboard.board import Board, BoardRow
from alpaca_eval_suite.leaderboard.cells import plain, rate_text, shortened
from alpaca_eval_suite.leaderboard.columns import label, rank_text
from alpaca_eval_suite.leaderboard.plot_labels import Bar, Point, place_labels
from alpaca_eval_suite.leaderboard.plot_style import BAND, BLUE, GREY, INK, VERMILLION, Form, drawn, framed, room_for
from alpaca_eval_suite.leaderboard.record import RateRecord
from alpaca_eval_suite.leaderboard.rows import WIN_RATE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ROW = 0.23  # inches
_AXES = 3.6
_DOT = 4.5
_MOST = 100  # rows of one figure: more are no picture but a table


def forest(board: Board, form: Form) -> bytes:
    """Each row's rate with its interval, and its length-controlled rate where there is one, in the board's order.

    For a board that `plots_of` has it for. Raises MissingExtraError where matplotlib is not installed.
    """
    return drawn(lambda: _forest(board), form)


def length(board: Board, form: Form) -> bytes:
    """Each row's rate, with its interval, against the mean length of its outputs. See `forest`."""
    return drawn(lambda: _length(board), form)


def ranks(board: Board, form: Form) -> bytes:
    """Each row's rank with the ranks that the data allow. See `forest`."""
    return drawn(lambda: _ranks(board), form)


PLOTS: Mapping[str, Callable[[Board, Form], bytes]] = {"forest": forest, "length": length, "ranks": ranks}


def plots_of(board: Board) -> list[str]:
    """The names of the plots that the board has something for."""
    has = {
        "forest": bool(_rated(board)),
        "length": any(row.mean_length is not None for row in _rated(board)),
        "ranks": any(row.rank for row in board.rows),
    }
    return [name for name in PLOTS if has[name]]


def _rated(board: Board) -> list[BoardRow]:
    return [row for row in board.rows if row.rate is not None and row.rate.value is not None]


def _forest(board: Board) -> "Figure":
    rated = _rated(board)
    rows = rated[:_MOST]
    names, texts = [row.model for row in rows], [rate_text(row.rate) for row in rows]
    controlled = any(row.length_controlled for row in rows)
    step, shift = (1.7 * _ROW, 0.17) if controlled else (_ROW, 0.0)
    size = (_AXES, step * (len(rows) + 0.4))
    small_print = [*_small_print(board, rows), *_cut(rows, rated)]
    if controlled:
        small_print.append(f"Length-controlled: {board.length_control}.")
    left, right = room_for(names), room_for(texts)
    figure, axes = framed(size, board.title, small_print, left=left, right=right, legend=controlled)
    _name_rows(axes, names)
    for place, row in enumerate(rows):
        _across(axes, row.rate, place - shift, BLUE, "o")
        _beside(axes, rate_text(row.rate), place - shift, INK)
        if row.length_controlled:
            _across(axes, row.length_controlled, place + shift, VERMILLION, "D")
            _beside(axes, rate_text(row.length_controlled), place + shift, VERMILLION)
    _half(axes.axvline, board)
    axes.set_xlabel(f"{label(board.kind.headline)} %")
    if controlled:
        axes.plot([], [], "o-", color=BLUE, markersize=_DOT, label=label(board.kind.headline).lower())
        axes.plot([], [], "D-", color=VERMILLION, mfc="white", markersize=_DOT, label="length-controlled")
        axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, borderaxespad=0.1, fontsize=8)
    return figure


def _length(board: Board) -> "Figure":
    rows = [row for row in _rated(board) if row.mean_length is not None]
    figure, axes = framed((5.8, 4.0), board.title, _small_print(board, rows), left=0.65, right=0.3)
    points: list[Point] = []
    bars: list[Bar] = []
    for row in rows:
        assert row.rate is not None
        x, y = float(row.mean_length or 0), 100 * float(row.rate.value or 0)
        if row.rate.ci:
            bars.append((x, 100 * row.rate.ci.low, 100 * row.rate.ci.high))
            axes.plot([x, x], bars[-1][1:], color=BLUE, lw=0.9, alpha=0.45)
        axes.plot(x, y, "o", color=BLUE, markersize=_DOT)
        points.append(((x, y), row.model.partition(" (")[0]))
    _half(axes.axhline, board)
    axes.margins(x=0.08, y=0.08)
    bars += _baseline_length(axes, board, rows)
    axes.set_xlabel("Mean length of the outputs, characters")
    axes.set_ylabel(f"{label(board.kind.headline)} %")
    place_labels(axes, points, bars)
    return figure


def _baseline_length(axes: "Axes", board: Board, rows: Sequence[BoardRow]) -> list[Bar]:
    """A line at the mean length of the baseline's outputs, where all rows were compared with the same; it comes back
    as a bar that no name may cross."""
    lengths = {round(row.mean_length_baseline) for row in rows if row.mean_length_baseline is not None}
    if len(lengths) != 1 or board.baseline is None:
        return []
    (found,) = lengths
    axes.axvline(found, color=VERMILLION, lw=0.9, ls=":", zorder=1)
    name = shortened(plain(board.baseline))
    axes.annotate(
        name,
        (found, 1.0),
        (3, 0),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        color=VERMILLION,
        fontsize=7.5,
        va="top",
    )
    return [(found, *axes.get_ylim())]


def _ranks(board: Board) -> "Figure":
    from matplotlib.ticker import MaxNLocator

    ranked = sorted((row for row in board.rows if row.rank), key=lambda row: row.rank.rank if row.rank else 0)
    rows = ranked[:_MOST]
    names, texts = [row.model for row in rows], [rank_text(row) for row in rows]
    small_print = [*_small_print(board, rows), *_cut(rows, ranked), f"Rank 1 is the best; bars: {board.ranked}."]
    size = (_AXES, _ROW * (len(rows) + 0.4))
    figure, axes = framed(size, board.title, small_print, left=room_for(names), right=room_for(texts))
    _name_rows(axes, names)
    for place, row in enumerate(rows):
        assert row.rank is not None
        axes.barh(place, row.rank.high - row.rank.low + 0.7, 0.55, row.rank.low - 0.35, color="#9cc4de", zorder=2)
        axes.plot(row.rank.rank, place, "o", color=INK, markersize=_DOT, zorder=3)
        _beside(axes, rank_text(row), place, INK)
    axes.set_xlim(0.4, max(row.rank.high for row in rows if row.rank) + 0.6)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))
    axes.set_xlabel(f"Rank by {label(board.kind.headline).lower()}")
    return figure


def _beside(axes: "Axes", text: str, place: float, color: str) -> None:
    """The figures of a row, right of the axes."""
    axes.annotate(
        text,
        (1.02, place),
        xycoords=("axes fraction", "data"),
        va="center",
        fontsize=8,
        color=color,
        annotation_clip=False,
    )


def _name_rows(axes: "Axes", names: Sequence[str]) -> None:
    """One row a name, from the top; every other one on a band, so that the eye keeps to its line."""
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.spines["left"].set_visible(False)
    for place in range(0, len(names), 2):
        axes.axhspan(place - 0.5, place + 0.5, color=BAND, alpha=0.5, lw=0, zorder=0)


def _across(axes: "Axes", rate: RateRecord | None, place: float, color: str, marker: str) -> None:
    if rate is None or rate.value is None:
        return
    if rate.ci:
        axes.plot([100 * rate.ci.low, 100 * rate.ci.high], [place] * 2, color=color, lw=1.4, solid_capstyle="butt")
    inside = color if marker == "o" else "white"
    axes.plot(100 * rate.value, place, marker, color=color, mfc=inside, markersize=_DOT)


def _half(line: Callable[..., object], board: Board) -> None:
    """The line at which the model is as good as the baseline."""
    if board.kind.headline == WIN_RATE:
        line(50, color=GREY, lw=0.9, ls="--", zorder=1)


def _cut(shown: Sequence[BoardRow], rows: Sequence[BoardRow]) -> list[str]:
    return [f"The first {len(shown)} of {len(rows):,} rows."] if len(shown) < len(rows) else []


def _small_print(board: Board, rows: Sequence[BoardRow]) -> list[str]:
    """What must stand beside the numbers: the judge's worth, n and failures, how intervals were made."""
    rates = [row.rate for row in rows if row.rate is not None]
    judge = [f"Judge: {plain(board.judge)} ({board.judge_sentence})."] if board.judge else []
    methods = sorted({plain(rate.ci.method).partition(" (")[0] for rate in rates if rate.ci})
    levels = sorted({f"{100 * rate.ci.level:g} %" for rate in rates if rate.ci})
    counts = _range([rate.n for rate in rates]), _range([rate.n_failed for rate in rates])
    intervals = f"; intervals at {', '.join(levels)}: {', '.join(methods)}" if methods else ""
    return [*judge, f"n {counts[0]}, failed {counts[1]}{intervals}."]


def _range(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return f"{low}" if low == high else f"{low} to {high}"
