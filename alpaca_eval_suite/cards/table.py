"""A user's CSV, JSON Lines or JSON as rows of named cells, with every slip in the file named."""

import codecs
import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alpaca_eval_suite.errors import Report, SuiteError, UsageError, stop
from alpaca_eval_suite.files import parse_rows

_DELIMITERS = ",;\t"
_LONGEST = 16 << 20  # characters of one cell; the csv module stops at 131,072 unless told
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True)
class Table:
    """The columns of a file in their order, and its rows, each with where it stands ("file:line")."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, Mapping[str, Any]], ...]


def read_table(path: Path, encoding: str | None = None, report: Report = stop) -> Table:
    """The table in `path`: CSV (commas; or semicolons or tabs, where the header has no comma) or JSON by its ending.

    `encoding` None: UTF-8, with or without a byte order mark. Raises SuiteError for a file that cannot be read or
    decoded, UsageError for an unknown ending or encoding. Reported: a header with two columns of one name or one
    without a name, a row with too many or too few cells, bad JSON, no rows.
    """
    text = _decoded(path, encoding)
    kind = path.suffix.lower()
    if kind in (".csv", ".tsv"):
        columns, rows = _csv(path, text, report)
    elif kind in (".jsonl", ".json", ".ndjson"):
        rows = list(parse_rows(str(path), text, report))
        columns = list(dict.fromkeys(name for _, row in rows for name in row))
    else:
        raise UsageError(
            f"the ending {kind!r} says nothing of the form", where=str(path),
            next_step="Name the file .csv, .tsv, .jsonl or .json.",
        )  # fmt: skip
    if not rows:
        report(SuiteError("holds no rows", where=str(path), next_step="A scenario needs at least one item."))
    return Table(tuple(columns), tuple(rows))


def _decoded(path: Path, encoding: str | None) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise SuiteError(
            f"cannot be read ({error.strerror or error})", where=str(path), next_step="Check the path."
        ) from error
    try:
        # The mark of UTF-8 is dropped whatever the encoding is called: it would become part of the first name.
        return raw.decode("utf-8-sig" if encoding is None else codecs.lookup(encoding).name).removeprefix("\ufeff")
    except LookupError as error:
        raise UsageError(
            f"no encoding is named {encoding!r}", next_step="Such names are utf-8, latin-1, cp1252 or utf-16."
        ) from error
    except UnicodeDecodeError as error:
        byte = raw[error.start : error.start + 1].hex().upper()
        line = raw.count(b"\n", 0, error.start) + 1
        if encoding is None:
            guess = "utf-16" if raw.startswith(_UTF16_MARKS) else "latin-1"
            next_step = (
                f"If it is {guess}, add --encoding {guess}; or convert it: "
                f"iconv -f {guess.replace('latin-1', 'latin1')} -t utf-8 {path.name} > utf8-{path.name}"
            )
        else:
            next_step = "Name the right one with --encoding, or save the file as UTF-8."
        raise SuiteError(
            f"is not {encoding or 'UTF-8'} text: byte 0x{byte} at position {error.start}, line {line}",
            where=str(path),
            next_step=next_step,
        ) from error


def _csv(path: Path, text: str, report: Report) -> tuple[list[str], list[tuple[str, dict[str, Any]]]]:
    """Header and rows. A blank line is no row; a cell may hold line ends, so rows are named by their last line."""
    before = csv.field_size_limit(_LONGEST)
    try:
        lines = _csv_lines(path, text)
        header = next(lines, (0, []))[1]
        names = [name.strip() for name in header]
        _check_header(path, names)
        rows = []
        for number, cells in lines:
            where = f"{path}:{number}"
            if len(cells) == len(names):
                rows.append((where, dict(zip(names, cells, strict=True))))
            else:
                report(
                    SuiteError(
                        f"has {len(cells)} cells, the header has {len(names)}",
                        where=where,
                        next_step="A cell that holds the delimiter must be in double quotes.",
                    )
                )
        return names, rows
    finally:
        csv.field_size_limit(before)


def _csv_lines(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    first = text.lstrip("\r\n").split("\n", 1)[0]
    delimiter = next((sign for sign in _DELIMITERS if sign in first), ",")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            if cells:
                yield reader.line_num, cells
    except csv.Error as error:
        raise SuiteError(
            f"is not CSV ({error})",
            where=f"{path}:{reader.line_num}",
            next_step="Look for a double quote that is not closed; inside a quoted cell it is written twice.",
        ) from error


def _check_header(path: Path, names: list[str]) -> None:
    """A header that is wrong makes every row wrong, so this is raised, not reported."""
    twice = sorted({name for name in names if names.count(name) > 1 and name})
    if twice:
        raise SuiteError(
            f"two columns are named {', '.join(map(repr, twice))}",
            where=f"{path}:1",
            next_step="Give each column a name of its own.",
        )
    if "" in names:
        raise SuiteError(
            f"column {names.index('') + 1} has no name", where=f"{path}:1",
            next_step="The first line must name every column.",
        )  # fmt: skip
