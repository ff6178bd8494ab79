r"""Boards as LaTeX: one booktabs table a board, ready for \input.

The document needs \usepackage{booktabs}, and \usepackage{longtable} besides where a table has more rows than fit on
a page. Letters outside Latin scripts in names need xelatex or lualatex.
"""

from collections.abc import Iterable, Sequence

from alpaca_eval_suite.leaderboard.board import Board
from alpaca_eval_suite.leaderboard.cells import EMPTY
from alpaca_eval_suite.leaderboard.columns import Column, Table, tables_of

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "–": "--",
    "†": r"\textdagger{}",
    "…": r"\ldots{}",
}
_LONG = 40  # rows: what fits on a page


def to_latex(boards: Iterable[Board]) -> str:
    """One table a board: what its rows have in common in the caption; the notes of a kind of scenario, which number
    its rows, below the last of its tables."""
    parts = ["% needs booktabs, and longtable for tables of more than a page\n"]
    for table in tables_of(boards):
        parts += [_table(table, rows, with_notes=rows is table.groups[-1]) for rows in table.groups]
    return "\n".join(parts)


def escaped(text: str) -> str:
    r"""`text` so that LaTeX sets it as it is.

    >>> print(escaped(r"50 % of \x_1"))
    50 \% of \textbackslash{}x\_1
    """
    return "".join(_SPECIAL.get(char, char) for char in text)


def _table(table: Table, rows: range, *, with_notes: bool) -> str:
    columns = [column for column in table.columns if not column.of_group and _says_something(column, rows)]
    shared = [
        f"{column.header}: {column.cells[rows[0]]}"
        for column in table.columns
        if column.of_group and column.cells[rows[0]] != EMPTY
    ]
    caption = r"\caption{" + escaped("; ".join([table.title, *shared])) + "}"
    layout = "@{}" + "".join("r" if column.is_number else "l" for column in columns) + "@{}"
    head = _line([column.header for column in columns])
    body = [_line([column.cells[row] for column in columns]) for row in rows]
    notes = [rf"\par\footnotesize {escaped(note)}" for note in table.notes] if with_notes else []
    lines = (
        _on_pages(caption, layout, head, body, notes)
        if len(rows) > _LONG
        else _on_one(caption, layout, head, body, notes)
    )
    return "\n".join(lines) + "\n"


def _says_something(column: Column, rows: range) -> bool:
    return any(column.cells[row] != EMPTY for row in rows)


def _line(cells: Sequence[str]) -> str:
    # The first cell is a row's number: a line that began with "[" would be taken for an option of the line break.
    return " & ".join(map(escaped, cells)) + r" \\"


def _on_one(caption: str, layout: str, head: str, body: Sequence[str], notes: Sequence[str]) -> list[str]:
    return [
        r"\begin{table}",
        caption,
        r"\centering\footnotesize\setlength{\tabcolsep}{4pt}",
        rf"\begin{{tabular}}{{{layout}}}",
        r"\toprule",
        head,
        r"\midrule",
        *body,
        r"\bottomrule",
        r"\end{tabular}",
        *notes,
        r"\end{table}",
    ]


def _on_pages(caption: str, layout: str, head: str, body: Sequence[str], notes: Sequence[str]) -> list[str]:
    return [
        r"{\footnotesize\setlength{\tabcolsep}{4pt}",
        rf"\begin{{longtable}}{{{layout}}}",
        caption + r" \\",
        r"\toprule",
        head,
        r"\midrule",
        r"\endfirsthead",
        r"\toprule",
        head,
        r"\midrule",
        r"\endhead",
        r"\bottomrule",
        r"\endfoot",
        *body,
        r"\end{longtable}",
        *notes,
        "}",
    ]
