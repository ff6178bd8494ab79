"""The plot of how often intervals hold the truth, from the tables that benchmarks/coverage.py writes."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.files import read_text
from alpaca_eval_suite.leaderboard.plot_style import BAND, BLUE, GREEN, GREY, ORANGE, VERMILLION, Form, drawn

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NOMINAL, LOWEST, HIGHEST = 0.95, 0.935, 0.975

_SETTINGS = ("N", "n", "rate", "ties", "win rate", "models")  # the columns that say which cell a line is of
_ROW = 0.17  # inches
_LOOKS = ((BLUE, "o"), (VERMILLION, "x"), (GREEN, "^"), (ORANGE, "s"))
_FLOOR = 0.85  # what covers less stands at the edge, its figure beside it


@dataclass(frozen=True)
class Section:
    """One table: `cells` name its lines, `covered[i]` holds what each of `methods`, ours first, covered there."""

    title: str
    methods: tuple[str, ...]
    cells: tuple[str, ...]
    covered: tuple[tuple[float, ...], ...]


def read_coverage(path: Path) -> list[Section]:
    """The tables of the file. Raises SuiteError when it cannot be read or holds none of that form."""
    sections = []
    for part in re.split(r"^## ", read_text(path), flags=re.MULTILINE)[1:]:
        lines = [line for line in part.splitlines() if line.startswith("|")]
        rows = [[cell.strip().strip("*") for cell in line.strip("|").split("|")] for line in lines]
        if len(rows) > 2:
            sections.append(_section(part.partition("\n")[0], rows[0], rows[2:], path))
    if not sections:
        raise SuiteError(
            "holds no table of coverage",
            where=str(path),
            next_step="It is made by benchmarks/coverage.py; a checkout has it as docs/coverage.md.",
        )
    return sections


def coverage(sections: list[Section], form: Form) -> bytes:
    """All tables in one figure: a line a cell, a marker a method. Raises MissingExtraError without matplotlib."""
    return drawn(lambda: _figure(sections), form)


def _section(title: str, head: list[str], rows: list[list[str]], path: Path) -> Section:
    n_settings = sum(name in _SETTINGS for name in head)
    try:
        covered = tuple(tuple(float(cell) for cell in row[n_settings:]) for row in rows)
    except ValueError as error:
        raise SuiteError(
            f"the table {title!r} holds a figure that is none ({error})",
            where=str(path),
            next_step="Make the file anew: python benchmarks/coverage.py.",
        ) from error
    cells = tuple(
        ", ".join(
            cell if name == "models" else f"{name} {cell}" for name, cell in zip(head, row[:n_settings], strict=False)
        )
        for row in rows
    )
    return Section(title, tuple(head[n_settings:]), cells, covered)


def _figure(sections: list[Section]) -> "Figure":
    from matplotlib.figure import Figure

    gap, left, width = 0.85, 2.75, 7.0
    heights = [_ROW * (len(section.cells) + 0.6) for section in sections]
    whole = sum(heights) + gap * len(sections) + 0.65
    figure = Figure(figsize=(width, whole))
    top = whole
    for section, height in zip(sections, heights, strict=True):
        top -= gap + height
        axes = figure.add_axes((left / width, (top + 0.35) / whole, (width - left - 0.3) / width, height / whole))
        _panel(axes, section)
    axes.set_xlabel("Share of draws in which the interval held the truth")
    small_print = (
        f"Line: nominal {NOMINAL}; band: {LOWEST} to {HIGHEST}. Less than {_FLOOR} stands at the edge, with its figure."
    )
    figure.text(0.1 / width, 0.08 / whole, small_print, fontsize=7.5, color=GREY)
    return figure


def _panel(axes: "Axes", section: Section) -> None:
    axes.axvspan(LOWEST, HIGHEST, color=BAND, lw=0, zorder=0)
    axes.axvline(NOMINAL, color=GREY, lw=0.9, zorder=1)
    for number, method in reversed(list(enumerate(section.methods))):
        color, marker = _LOOKS[number % len(_LOOKS)]
        found = [covered[number] for covered in section.covered]
        inside = color if number == 0 else "none"
        axes.plot(
            [max(value, _FLOOR) for value in found],
            range(len(found)),
            marker,
            color=color,
            mfc=inside,
            markersize=4.5,
            label=method,
            clip_on=False,
            zorder=4 - number * 0.1,
        )
        for place, value in enumerate(found):
            if value < _FLOOR:
                axes.annotate(
                    f"{value:.2f}",
                    (_FLOOR, place),
                    (5, 0),
                    textcoords="offset points",
                    color=color,
                    fontsize=6.5,
                    va="center",
                )
    axes.set_yticks(range(len(section.cells)), section.cells, fontsize=7)
    axes.tick_params(axis="y", length=0, pad=7)
    axes.set_ylim(len(section.cells) - 0.4, -0.6)
    axes.set_xlim(_FLOOR, 1.0)
    axes.set_title(section.title, loc="left", fontsize=10, fontweight="bold", pad=18)
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(
        handles[::-1],
        labels[::-1],
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=4,
        fontsize=7.5,
        borderaxespad=0.1,
        handletextpad=0.1,
    )
