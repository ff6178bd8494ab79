"""The page as files: index.html, and beside it details/ with a script for each run."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.files import read_text, sha256_of, write_atomic
from alpaca_eval_suite.leaderboard.board import Board, BoardRow
from alpaca_eval_suite.leaderboard.choice import APP
from alpaca_eval_suite.leaderboard.measured import Measured, measure
from alpaca_eval_suite.leaderboard.page.details import DetailFile, Item, detail_file, items_of
from alpaca_eval_suite.leaderboard.page.head_to_head import head_to_head
from alpaca_eval_suite.leaderboard.page.html import page_html
from alpaca_eval_suite.leaderboard.page.library import library
from alpaca_eval_suite.leaderboard.page.payload import Pairs, Sources, board_key, payload_of
from alpaca_eval_suite.leaderboard.raw import RawItem, read_raw

PAGE = "index.html"
DETAILS = "details"

_OURS = '<meta name="generator" content="alpaca-eval-suite leaderboard page">'
_DETAIL_NAME = re.compile(r"(shared-[0-9a-f]{8}|[0-9a-f]{8}-[0-9a-f]{8})-[0-9a-f]{8}\.js")
_PAIRED = 100  # rows that are compared with each other: the best of a longer board


@dataclass(frozen=True)
class Built:
    """What was written, and what of the raw files could not be shown (one sentence each)."""

    page: Path
    details: tuple[Path, ...]
    problems: tuple[str, ...]


def build_page(boards: Sequence[Board], results: Path, out: Path, *, force: bool = False) -> Built:
    """Write the page of `boards` into the folder `out`; raw files are read from the folder `results`.

    Details come first and have names of their own content, so that a page never meets another page's details; those
    that no page needs any longer are taken away last. Raises SuiteError where `out` holds a page that is not ours
    (unless `force`) or cannot be written, MissingExtraError without the plot library.
    """
    page, folder = out / PAGE, out / DETAILS
    if not force and page.exists() and _OURS not in read_text(page):
        raise SuiteError(
            "is not a page of this leaderboard",
            where=str(page),
            next_step="Choose another folder with --out, or give --force to replace it.",
        )
    plots = library()
    problems: list[str] = []
    written: set[str] = set()
    parts = []
    for board in boards:
        shared: dict[str, Item] = {}
        rows: dict[str, DetailFile] = {}
        for row, items in _raw_items(board, results, problems):
            rows[row.key] = _write(
                folder, detail_file(row.key, {"items": items_of(row.row.run, items, shared)}), written
            )
        common = _write(folder, detail_file(f"shared-{board_key(board)}", shared), written) if shared else None
        sources = Sources(common.as_json() if common else None, {key: file.as_json() for key, file in rows.items()})
        parts.append((board, _pairs(board, results), sources))
    write_atomic(page, page_html(payload_of(parts), plots))
    _take_away(folder, written)
    return Built(page, tuple(folder / name for name in sorted(written)), tuple(problems))


def _raw_items(board: Board, results: Path, problems: list[str]) -> Iterator[tuple[BoardRow, list[RawItem]]]:
    """The items of each row that has a raw file; one that is missing or another is a problem, and passed over."""
    for row in board.rows:
        raw = row.row.run.raw
        if raw is None:
            continue
        path = results / raw.file
        try:
            items = read_raw(path)
            if sha256_of(path) != raw.sha256:
                raise SuiteError("is not the file that the entry was made from (its SHA-256 differs)", where=str(path))
        except SuiteError as problem:
            problems.append(f"{row.model} has no instances on the page: {str(problem).splitlines()[0]}")
            continue
        if board.of_slice is not None:
            items = [item for item in items if item.slices.get(APP) == board.of_slice[1]]
        yield row, items


def _write(folder: Path, file: DetailFile, written: set[str]) -> DetailFile:
    path = folder / file.name
    if not path.exists() or path.stat().st_size != len(file.script.encode("utf-8")):
        write_atomic(path, file.script)
    written.add(file.name)
    return file


def _take_away(folder: Path, needed: set[str]) -> None:
    """Remove the details of earlier pages; files with other names are not ours."""
    for path in folder.glob("*.js"):
        if path.name not in needed and _DETAIL_NAME.fullmatch(path.name):
            with suppress(OSError):  # one that cannot be removed does no harm
                path.unlink()


def _pairs(board: Board, results: Path) -> Pairs:
    """The best rows against each other, as far as their raw files give their rates."""
    app = board.of_slice[1] if board.of_slice else None
    measured = [(row.key, measure(row.row, results, app)) for row in board.rows[:_PAIRED]]
    known = [(key, of.units) for key, of in measured if isinstance(of, Measured) and of.units.n]
    if len(known) < 2:
        reasons = {of for _, of in measured if isinstance(of, str)}
        return Pairs(reason=f"There are no two models to compare: {'; '.join(sorted(reasons)) or 'only one is here'}.")
    return Pairs(tuple(key for key, _ in known), head_to_head([units for _, units in known]))
