"""`alpaca-suite leaderboard export`: tables and plots as files."""

import re
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from alpaca_eval_suite.cli.leaderboard.shared import FOLDER, choosing_options, chosen_boards, sort_option, written
from alpaca_eval_suite.errors import SuiteError, UsageError

if TYPE_CHECKING:
    from alpaca_eval_suite.leaderboard.board import Board
    from alpaca_eval_suite.leaderboard.plot_style import Form

_ENDINGS = {"markdown": "md", "csv": "csv", "json": "json", "latex": "tex"}
_PLOTS = ("forest", "length", "ranks")
_COVERAGE = "coverage"
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("export")
@choosing_options
@sort_option
@click.option(
    "--format", "forms", type=click.Choice([*_ENDINGS, "svg", "png"]), multiple=True, required=True,
    help="May be given more than once.",
)  # fmt: skip
@click.option(
    "--plot", "plots", type=click.Choice([*_PLOTS, _COVERAGE]), multiple=True, help="Only this plot, of svg and png."
)
@click.option(
    "--coverage", type=_FILE, default=Path("docs", "coverage.md"), show_default=True,
    help="What --plot coverage is drawn from: the tables of benchmarks/coverage.py.",
)  # fmt: skip
@click.option("--out", type=FOLDER, default=Path("export"), show_default=True, help="Where the files go.")
@click.option("--force", is_flag=True, help="Write over files that are there.")
def export_command(
    results: Path,
    scenario: str | None,
    app: str | None,
    judge: str | None,
    baseline: str | None,
    sort: str | None,
    forms: tuple[str, ...],
    plots: tuple[str, ...],
    coverage: Path,
    out: Path,
    force: bool,
) -> None:
    """Write tables (one file a format) and plots (one file a plot and comparison) into a folder.

    Plots: forest (rates with their intervals), length (rate against mean length), ranks (rank sets), and, where it is
    named, coverage (how often the intervals hold the truth). The same entries give the same bytes.

    \b
    Example:
      alpaca-suite leaderboard export --format latex --format svg --scenario user_oriented --out paper
    """
    pictures: list[Form] = [form for form in ("svg", "png") if form in forms]
    if plots and not pictures:
        raise UsageError("--plot is for --format svg and --format png", next_step="Add one of the two.")
    files: dict[str, bytes] = {}
    if set(plots) != {_COVERAGE} or len(pictures) < len(set(forms)):
        boards = chosen_boards(results, scenario=scenario, app=app, judge=judge, baseline=baseline, sort=sort)
        files |= _tables(boards, forms)
        files |= _plots(boards, pictures, [name for name in plots if name != _COVERAGE] if plots else _PLOTS)
    if _COVERAGE in plots:
        files |= _coverage(coverage, pictures)
    _write(out, files, force)


def _tables(boards: "Sequence[Board]", forms: Sequence[str]) -> dict[str, bytes]:
    return {
        f"leaderboard.{ending}": written(boards, form).encode("utf-8", "backslashreplace")
        for form, ending in _ENDINGS.items()
        if form in forms
    }


def _plots(boards: "Sequence[Board]", forms: "Sequence[Form]", wanted: Sequence[str]) -> dict[str, bytes]:
    from alpaca_eval_suite.leaderboard.plots import PLOTS, plots_of

    if not forms:
        return {}
    names = _names(boards)
    found = {
        f"{plot}-{name}.{form}": PLOTS[plot](board, form)
        for name, board in names.items()
        for plot in plots_of(board)
        if plot in wanted
        for form in forms
    }
    if not found and wanted:
        raise SuiteError(
            f"there is nothing to plot for {', '.join(wanted)}",
            next_step="Ranks need two rows or more with raw verdicts, lengths a rate. To see what there is: "
            "alpaca-suite leaderboard show.",
        )
    return found


def _names(boards: "Sequence[Board]") -> "Mapping[str, Board]":
    """A safe name for each board: its title in letters and digits, numbered where two are alike."""
    found: dict[str, Board] = {}
    for board in boards:
        stem = re.sub(r"[^A-Za-z0-9._]+", "-", board.title).strip("-._")[:100] or "board"
        name, number = stem, 2
        while name in found:
            name, number = f"{stem}-{number}", number + 1
        found[name] = board
    return found


def _coverage(path: Path, forms: "Sequence[Form]") -> dict[str, bytes]:
    from alpaca_eval_suite.leaderboard.plot_coverage import coverage, read_coverage

    sections = read_coverage(path)
    return {f"{_COVERAGE}.{form}": coverage(sections, form) for form in forms}


def _write(out: Path, files: Mapping[str, bytes], force: bool) -> None:
    there = [name for name in files if (out / name).exists()]
    if there and not force:
        raise SuiteError(
            f"{', '.join(there)} {'is' if len(there) == 1 else 'are'} there already",
            where=str(out),
            next_step="Give --force to write over them, or another --out. Nothing was written.",
        )
    out.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        temporary = out / f".{name}.{secrets.token_hex(8)}"
        try:
            temporary.write_bytes(content)
            temporary.replace(out / name)
        finally:
            temporary.unlink(missing_ok=True)
        click.echo(f"wrote {out / name}")
