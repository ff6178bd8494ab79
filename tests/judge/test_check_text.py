"""Text as the checks see it: normal form, whole words, sizes, items of lists."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpaca_eval_suite.judge import check_text
from alpaca_eval_suite.judge.check_text import (
    bullets,
    find_alias,
    first_found,
    hashtags,
    lines,
    list_items,
    normalise,
    numbered,
    paragraphs,
    questions,
    sentences,
    shorten,
    without_alias,
    without_marks,
    words,
)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("", ""),
        (" \n\t ", ""),
        ("It’s  “fine” –\n really", 'it\'s "fine" - really'),
        ("STRASSE Straße", "strasse strasse"),
        ("ca\u0301fe caf\u00e9", "c\u00e1fe caf\u00e9"),
        ("ze\u200bro wi\u00addth \ufeffmark", "zero width mark"),
        ("1½ cups, 20 m²", "1 1/2 cups, 20 m 2"),
        ("ＦＵＬＬ　ｗｉｄｔｈ", "full width"),
        ("שָׁלוֹם עולם", normalise("שָׁלוֹם עולם")),
        ("a — b", "a — b"),
    ],
)
def test_normalise(raw: str, expected: str) -> None:
    assert normalise(raw) == expected


@given(st.text())
def test_normalise_is_stable(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


def test_a_long_run_of_combining_marks_is_cut_and_takes_no_time() -> None:
    start = time.perf_counter()
    stacked = normalise("a" + "\u0315\u0300" * 50_000)
    assert len(stacked) <= 31
    assert time.perf_counter() - start < 2
    few = "a" + "\u0315\u0300" * 15
    assert len(normalise(few)) == 30  # one of the thirty marks goes into "à"


def test_long_runs_of_symbols_are_kept() -> None:
    assert normalise("★" * 50) == "★" * 50


@pytest.mark.parametrize(
    ("haystack", "alias", "where"),
    [
        ("a cat sat", "cat", 2),
        ("concatenate", "cat", -1),
        ("cat2", "cat", -1),
        ("cancelled", "cancel*", 0),
        ("uncancelled", "cancel*", -1),
        ("uncancel cancel", "cancel", 9),
        ("costs $12.", "$12", 6),
        ("us$12", "$12", 2),
        ("東京都", "京", 1),
        ("", "cat", -1),
        ("cat", "", -1),
        ("2 * 3", "*", 2),
        ("well-known fact", "known", 5),
    ],
)
def test_find_alias_takes_whole_words(haystack: str, alias: str, where: int) -> None:
    assert find_alias(haystack, alias) == where


def test_find_alias_from_a_place_on() -> None:
    assert find_alias("yes or yes", "yes", 1) == 7
    assert find_alias("oh-yesyes", "yes", 3) == -1


def test_without_alias_blanks_every_whole_occurrence() -> None:
    assert without_alias("spam, not spam, spammer", "spam") == "\0, not \0, spammer"
    assert without_alias("ham", "spam") == "ham"


def test_first_found_gives_the_alias_as_written() -> None:
    assert first_found("it is the usa", ["United States", "USA"]) == "USA"
    assert first_found("it is france", ["United States", "USA"]) is None


def test_words_keep_inner_marks() -> None:
    assert words("Don't re-use «L’été», 3.5!") == ["don't", "re-use", "l'été", "3", "5"]


def test_without_marks() -> None:
    assert without_marks("## **Two** `words`") == " Two words"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("...", 0),
        ("One. Two! Three?", 3),
        ("Mr. Hill met Dr. Oak at 5 p.m. in St. Ives.", 1),
        ("It cost 3.50. Then 4.", 2),
        ("1. First point", 1),
        ("No full stop\nNor here", 2),
        ('She said "Stop." He did.', 2),
        ("Wait… what?!", 2),
        ("今日は。元気？", 2),
    ],
)
def test_sentences(text: str, count: int) -> None:
    assert sentences(text) == count


def test_lines_and_paragraphs() -> None:
    text = "a\nb\n\n \n\nc\r\nd\n"
    assert (lines(text), paragraphs(text)) == (4, 2)
    assert (lines(""), paragraphs("\n\n")) == (0, 0)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("1. a\n2. b\n3) c", 3),
        ("**1.** a\n**2.** b", 2),
        ("Day 1: a\nDay 2: b", 2),
        ("**Day 1**: a\n**Day 2**: b", 2),
        ("### Step 1:\nx\n### Step 2:\ny", 2),
        ("1. a\n   1. sub\n   2. sub\n2. b", 2),
        ("At 10:30 we meet", 0),
        ("2025 was good", 0),
        ("", 0),
    ],
)
def test_numbered(text: str, count: int) -> None:
    assert numbered(text) == count


@pytest.mark.parametrize(
    ("text", "count"),
    [("- a\n- b", 2), ("* a\n  * sub\n• b", 2), ("-a\n--- \n**bold**", 0), ("✓ done\n☐ open", 2)],
)
def test_bullets(text: str, count: int) -> None:
    assert bullets(text) == count


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("1. a, b\n2. c", 2),
        ("- a\n- b\n- c", 3),
        ("Here they are:\nred\nblue", 2),
        ("Colours: red, green and blue.", 3),
        ("red; green; blue, dark", 3),
        ("red", 1),
        ("", 0),
    ],
)
def test_list_items(text: str, count: int) -> None:
    assert list_items(text) == count


def test_hashtags_are_counted_once_and_numbers_are_none() -> None:
    assert hashtags("#Tea #tea #cake #1 no#tag a/#b &#39; # Heading") == 2


def test_questions_leave_out_web_addresses() -> None:
    assert questions("Who? See https://x.org/?q=1 now. What?! なに？") == 3


def test_shorten() -> None:
    assert shorten("a  b\nc") == "a b c"
    assert shorten("x" * 100, 10) == "x" * 9 + "…"


@given(st.text())
def test_raises_on_no_text(text: str) -> None:
    counts = [count(text) for count in check_text.SIZES.values()]
    counts += [numbered(text), bullets(text), list_items(text), hashtags(text), questions(text)]
    assert all(count >= 0 for count in counts)
    assert len(shorten(text)) <= 40
