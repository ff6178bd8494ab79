"""What an answer can be read as: JSON, CSV, YAML, Python, HTML, a Markdown table, an e-mail.

Nothing is ever executed.
"""

import ast
import csv
import json
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from alpaca_eval_suite.judge.check_text import normalise, without_marks, words

Format = Literal["json", "csv", "yaml", "python", "html", "markdown_table", "email"]

# Python's and YAML's parsers take their time on malicious texts; no answer to an everyday task is this long.
_LONGEST = 50_000


@dataclass(frozen=True)
class Reading:
    """One way an answer was read: the names it holds (normalised) and, for tables, the number of columns."""

    keys: frozenset[str]
    columns: int | None = None


def readings(kind: Format, text: str) -> Iterator[Reading]:
    """Every way in which `text`, or a part of it, can be read as `kind`; none where it cannot.

    Parts: each fenced block, then the whole, then what stands unfenced among prose. `keys` are the names of
    JSON's and YAML's top-level object (of all objects, in a list of objects), the header of a table or CSV,
    what Python code defines, the tags of HTML, and the headers ("Subject") of an e-mail.
    """
    for part in [*_fenced_blocks(text), text]:
        yield from _READERS[kind](part.strip())


def _fenced_blocks(text: str) -> list[str]:
    blocks: list[list[str]] = []
    fence = ""
    for line in text.splitlines():
        mark = line.lstrip()[:3]
        if fence and mark == fence:
            fence = ""
        elif fence:
            blocks[-1].append(line)
        elif mark in ("```", "~~~"):
            fence = mark
            blocks.append([])
    return ["\n".join(block) for block in blocks]


# --- JSON and YAML -------------------------------------------------------------------------------------


def _read_json(text: str) -> Iterator[Reading]:
    # Where brackets come first they are the answer; else the first of each kind among the prose. Not any
    # bracket: the sound inner part of a broken object must not pass for the whole.
    first = {0} if text[:1] in ("{", "[") else {text.find("{"), text.find("[")} - {-1}
    for start in sorted(first):
        try:
            value, _ = json.JSONDecoder().raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        yield from _read_value(value)


def _read_yaml(text: str) -> Iterator[Reading]:
    import yaml

    if len(text) > _LONGEST:
        return
    try:
        # BaseLoader makes text of every scalar: nothing is converted, no object is built.
        value = yaml.load(text, Loader=yaml.BaseLoader)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError):
        return
    yield from _read_value(value)


def _read_value(value: object) -> Iterator[Reading]:
    if isinstance(value, dict):
        yield Reading(frozenset(normalise(str(key)) for key in value))
    elif isinstance(value, list) and value:
        objects = [frozenset(normalise(str(key)) for key in row) for row in value if isinstance(row, dict)]
        yield Reading(frozenset.intersection(*objects) if len(objects) == len(value) else frozenset())


# --- tables --------------------------------------------------------------------------------------------


def _read_csv(text: str) -> Iterator[Reading]:
    lines = text.splitlines()
    blocks = ["\n".join(group) for has_comma, group in groupby(lines, lambda line: "," in line) if has_comma]
    for block in [text, *blocks]:
        try:
            rows = [row for row in _csv_rows(block) if row]
        except csv.Error:
            continue
        if len(rows) > 1 and len(rows[0]) > 1 and all(len(row) == len(rows[0]) for row in rows):
            yield Reading(frozenset(normalise(name) for name in rows[0]), len(rows[0]))


def _csv_rows(text: str) -> Iterator[list[str]]:
    return csv.reader(text.splitlines(keepends=True), strict=True, skipinitialspace=True)


_RULE = re.compile(r"\|?(?: *:?-+:? *\|)+(?: *:?-+:? *)?")


def markdown_tables(text: str) -> list[list[list[str]]]:
    """The Markdown tables of `text`: each a list of rows of cells, the header first, the rule left out.

    A table is a header row, a rule of the same number of cells, and at least one row.
    """
    tables = []
    for has_bar, group in groupby(text.splitlines(), lambda line: "|" in line):
        rows = [line.strip() for line in group] if has_bar else []
        if len(rows) > 2 and _RULE.fullmatch(rows[1]) and len(_cells(rows[0])) == len(_cells(rows[1])):
            tables.append([_cells(row) for row in (rows[0], *rows[2:])])
    return tables


def _cells(row: str) -> list[str]:
    inner = row.removeprefix("|").removesuffix("|").replace("\\|", "\0")
    return [cell.strip(" *`").replace("\0", "|") for cell in inner.split("|")]


def table_rows(text: str) -> int:
    """How many rows the longest Markdown table has, its header aside."""
    return max((len(table) - 1 for table in markdown_tables(text)), default=0)


def _read_markdown_table(text: str) -> Iterator[Reading]:
    for table in markdown_tables(text):
        if all(len(row) == len(table[0]) for row in table):
            yield Reading(frozenset(normalise(name) for name in table[0]), len(table[0]))


# --- code ----------------------------------------------------------------------------------------------

_CODE_START = re.compile(r"(?:def |class |import |from \w+ import |@\w|async def |\w+ ?= ?\S|print\()")
_TAILS_TRIED = 10


def _read_python(text: str) -> Iterator[Reading]:
    for source in [text, *_unfenced_code(text)]:
        if (tree := _python_tree(source)) is None:
            continue
        if any(_does_something(node) for node in tree.body):
            yield Reading(frozenset(normalise(name) for name in _defined_names(tree)))


def _unfenced_code(text: str) -> Iterator[str]:
    # Prose, then code, then prose: start at the first line of code and drop paragraphs from the end.
    lines = text.splitlines()
    start = next((index for index, line in enumerate(lines) if _CODE_START.match(line)), None)
    if start is None:
        return
    code = lines[start:]
    for _ in range(_TAILS_TRIED):
        yield "\n".join(code)
        while code and code[-1].strip():
            code.pop()
        while code and not code[-1].strip():
            code.pop()
        if not code:
            return


def _python_tree(source: str) -> ast.Module | None:
    if len(source) > _LONGEST:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a "\d" in somebody's string is not our concern
        try:
            return ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def _does_something(node: ast.stmt) -> bool:
    # "Yes", "42", "a, b" and "Note: nothing" are valid Python and no code.
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Call | ast.Lambda | ast.ListComp)
    return not (isinstance(node, ast.AnnAssign) and node.value is None)


def _defined_names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)((?:[\s/][^<>]*)?)>")
_VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"})
_MAY_STAY_OPEN = frozenset(
    {"p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "option", "body", "html", "head"}
)


def _read_html(text: str) -> Iterator[Reading]:
    seen: set[str] = set()
    still_open: list[str] = []
    for closing, name, rest in _TAG.findall(_without_comments(text)):
        tag = name.lower()
        if not closing:
            seen.add(tag)
            if tag not in _VOID and not rest.endswith("/"):
                still_open.append(tag)
            continue
        while still_open and still_open[-1] != tag and still_open[-1] in _MAY_STAY_OPEN:
            still_open.pop()
        if not still_open or still_open.pop() != tag:
            return
    if seen and all(tag in _MAY_STAY_OPEN for tag in still_open):
        yield Reading(frozenset(seen))


def _without_comments(text: str) -> str:
    kept, *commented = text.split("<!--")
    return kept + "".join(part.partition("-->")[2] for part in commented)


# --- e-mail --------------------------------------------------------------------------------------------

_HEADER = re.compile(r"(subject|to|from|cc|bcc|date|betreff|asunto|objet|oggetto|assunto)\s*:", re.IGNORECASE)
_GREETING = re.compile(
    r"(?:dear|hi|hello|hey|good (?:morning|afternoon|evening|day)|greetings|to whom it may concern"
    r"|hallo|liebe[rs]?|sehr geehrte[rs]?|guten (?:tag|morgen|abend)|bonjour|bonsoir|chère?s?|chers?|madame"
    r"|monsieur|salut|hola|buen[oa]s (?:días|tardes)|querid[oa]s?|estimad[oa]s?|ciao|gentile|buongiorno"
    r"|car[oaie]|olá|prezad[oa]s?)\b"
)
_SIGN_OFF = re.compile(
    r"(?:kind|best|warm|many|with|all the|yours|sincerely|regards|thanks?|cheers|love|warmly|respectfully"
    r"|cordially|see you|talk soon|take care|mit|viele|liebe|beste|herzliche?|freundliche|gr(?:u|ü)(?:ß|ss)e?"
    r"|cordialement|bien|amicalement|merci|bises|à bientôt|saludos|un|atentamente|gracias|cordial|abrazos?"
    r"|cordiali|distinti|grazie|saluti|um|abraços?|atenciosamente|obrigad[oa])\b"
)
# The sign-off stands in the last lines: the phrase, a name, perhaps a title and a telephone number.
_CLOSING_LINES = 5
_NAME_WORDS = 4
_SIGN_OFF_WORDS = 6
_SHORTEST_BODY = 5  # words, greeting included and sign-off not


def _read_email(text: str) -> Iterator[Reading]:
    lines = [plain for line in text.splitlines() if (plain := normalise(without_marks(line).strip("> \t")))]
    headers = {match[1] for line in lines if (match := _HEADER.match(line))}
    greeting = next((index for index, line in enumerate(lines) if _greets(line)), None)
    if greeting is None:
        return
    last_lines = range(max(greeting + 1, len(lines) - _CLOSING_LINES), len(lines))
    closings = [index for index in last_lines if _signs_off(lines[index])]
    if last_lines and _is_name(lines[-1]):
        closings.append(len(lines) - 1)
    # In a short e-mail "Thanks for your letter!" stands among the last lines too: the last closing counts.
    body = [line for line in lines[greeting : closings[-1]] if not _signs_off(line)] if closings else []
    if len(words(" ".join(body))) > _SHORTEST_BODY:
        yield Reading(frozenset(headers))


def _greets(line: str) -> bool:
    return _GREETING.match(line) is not None or (line.endswith(",") and len(line.split()) < _NAME_WORDS)


def _signs_off(line: str) -> bool:
    return _SIGN_OFF.match(line) is not None and len(line.split()) <= _SIGN_OFF_WORDS


def _is_name(line: str) -> bool:
    return len(line.split()) <= _NAME_WORDS and line[-1] not in ".!?:;,"


_READERS: dict[Format, Callable[[str], Iterator[Reading]]] = {
    "json": _read_json,
    "csv": _read_csv,
    "yaml": _read_yaml,
    "python": _read_python,
    "html": _read_html,
    "markdown_table": _read_markdown_table,
    "email": _read_email,
}
