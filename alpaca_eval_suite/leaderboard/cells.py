"""What stands in a cell: rates as people read them, and text made safe for Markdown, CSV and a terminal.

Names come from users and servers, so no text reaches a page or a spreadsheet as it is.
"""

import re
import unicodedata

from alpaca_eval_suite.leaderboard.record import RateRecord

EMPTY = "–"
FLAG = "†"
"""Stands at every number of a row whose model was asked with another prompt than it was trained with."""
USUAL_LEVEL = 0.95

_LONGEST = 60
# What turns text into markup in GitHub's Markdown, wherever in a line it stands.
_MARKUP = re.compile(r"[\\`*\[\]|~]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
# The full-width forms are formulas in spreadsheets set to East Asian languages.
_FORMULA = tuple("=+-@＝＋－＠")


def percent(share: float) -> str:
    """A share in percent, with one decimal.

    >>> percent(0.5212)
    '52.1'
    """
    return f"{100 * share:.1f}"


def rate_text(rate: RateRecord | None) -> str:
    """The rate in percent with its interval; a level other than 95 % is named.

    >>> rate_text(RateRecord(value=0.5212, ci=None, n=60))
    '52.1 [no interval]'
    """
    if rate is None or rate.value is None:
        return EMPTY
    if rate.ci is None:
        return f"{percent(rate.value)} [no interval]"
    text = f"{percent(rate.value)} [{percent(rate.ci.low)}, {percent(rate.ci.high)}]"
    return text if rate.ci.level == USUAL_LEVEL else f"{text} at {100 * rate.ci.level:g} %"


def plain(text: str) -> str:
    """`text` on one line, without control characters (line breaks, escapes, changes of direction)."""
    visible = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in text)
    return " ".join(visible.split())


def shortened(text: str) -> str:
    """`text`, its middle left out where it is too long for a cell: the end of a path tells most."""
    return text if len(text) <= _LONGEST else f"{text[:20]}…{text[21 - _LONGEST :]}"


def markdown_cell(text: str) -> str:
    """`text` so that Markdown shows it as it is: no markup, HTML, link or end of the cell.

    >>> markdown_cell("a|<b>")
    'a\\\\|&lt;b&gt;'
    """
    html_safe = plain(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKUP.sub(lambda match: "\\" + match[0], html_safe)


def csv_cell(text: str) -> str:
    """`text` so that a spreadsheet takes it as text: what would be a formula gets an apostrophe before it.

    >>> csv_cell("=cmd")
    "'=cmd"
    """
    line = plain(text)
    return f"'{line}" if line.startswith(_FORMULA) else line
