"""Cells: how rates are spelled, and that no text gets through as markup, formula or control code."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpaca_eval_suite.leaderboard.cells import csv_cell, markdown_cell, percent, plain, rate_text, shortened
from alpaca_eval_suite.leaderboard.record import IntervalRecord, RateRecord


def rate(value: float | None, ends: tuple[float, float] | None, level: float = 0.95) -> RateRecord:
    ci = IntervalRecord(low=ends[0], high=ends[1], level=level, method="bca") if ends else None
    return RateRecord(value=value, ci=ci, n=60)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (rate(0.521, (0.45, 0.593)), "52.1 [45.0, 59.3]"),
        (rate(0.0, (0.0, 0.0602)), "0.0 [0.0, 6.0]"),
        (rate(1.0, (0.9398, 1.0)), "100.0 [94.0, 100.0]"),
        (rate(0.5, (0.4, 0.6), 0.9), "50.0 [40.0, 60.0] at 90 %"),
        (rate(0.5, None), "50.0 [no interval]"),
        (rate(None, None), "–"),
        (None, "–"),
    ],
)
def test_rates_in_percent(found: RateRecord | None, expected: str) -> None:
    assert rate_text(found) == expected


def test_percent_has_one_decimal() -> None:
    assert percent(0.12345) == "12.3"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SmolLM2-135M_v1.0", "SmolLM2-135M_v1.0"),
        ("a|b", r"a\|b"),
        ("a\nb\r\n| c", r"a b \| c"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("&lt;", "&amp;lt;"),
        ("[x](javascript:alert(1))", r"\[x\](javascript:alert(1))"),
        ("![x](http://evil)", r"!\[x\](http://evil)"),
        ("**bold** _it_ ~~no~~ `code`", r"\*\*bold\*\* \_it\_ \~\~no\~\~ \`code\`"),
        ("trailing\\", "trailing\\\\"),
        ("\\|", r"\\\|"),
    ],
)
def test_markdown_shows_text_as_it_is(text: str, expected: str) -> None:
    assert markdown_cell(text) == expected


@given(st.text())
def test_a_markdown_cell_never_ends_early(text: str) -> None:
    cell = markdown_cell(text)
    assert "\n" not in cell
    assert "<" not in cell
    without_escapes = cell.replace("\\\\", "")
    assert without_escapes.count("|") == without_escapes.count("\\|")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("=cmd|'/c calc'!A0", "'=cmd|'/c calc'!A0"),
        ("+1", "'+1"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1+1", "'=1+1"),
        ("\r\n =1+1", "'=1+1"),
        ("＝1+1", "'＝1+1"),
        ("a=b", "a=b"),
    ],
)
def test_no_csv_cell_is_a_formula(text: str, expected: str) -> None:
    assert csv_cell(text) == expected


@given(st.text())
def test_no_text_starts_a_formula(text: str) -> None:
    assert not csv_cell(text).lstrip().startswith(("=", "+", "-", "@"))


def test_control_codes_are_taken_out() -> None:
    # An ANSI escape that clears the screen, a change of writing direction, a line separator.
    assert plain("a\x1b[2Jb\u202ec\u2028d") == "a [2Jb c d"


def test_long_text_keeps_both_ends() -> None:
    short = shortened("/home/someone/" + "x" * 200 + "/checkpoint-300")
    assert len(short) == 60
    assert short.startswith("/home/someone/xxxxxx…")
    assert short.endswith("/checkpoint-300")
    assert shortened("y" * 60) == "y" * 60
