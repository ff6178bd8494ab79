"""Loops and copies of the prompt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpaca_eval_suite.judge.check_repetition import copied_share, is_echo, repetition_in

PROSE = (
    "The old mill stands where the river bends. In spring the water is high and the wheel turns day and "
    "night, while in August children cross the bed on stepping stones. My aunt bought it from a baker who had"
    " to move to the coast. She keeps bees, repairs clocks and lends books to all who bring them back."
)


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("I am sorry. " * 30, "phrase"),
        ("very " * 60, "phrase"),
        (f"{PROSE} {PROSE}", "repeat earlier"),
        ("Thank you for your patience today.\nBye\n" * 3, "line"),
        ("a" * 30, "times on end"),
        ("Hm" + "!" * 500, "times on end"),
        ("漢" * 100, "times on end"),
        (" ".join("abcdefghijklmnopqrst"[(7 * i * i + i // 9) % 20] for i in range(100)), "different ones"),
    ],
)
def test_loops_are_found(text: str, sign: str) -> None:
    problem = repetition_in(text)
    assert problem is not None
    assert sign in problem


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ok",
        PROSE,
        "no no no no no",
        "| a | b |\n| --- | --- |\n| 1 | 2 |\n| 1 | 2 |\n| 1 | 2 |",
        "-" * 200,
        "Name: ____________________________________________",
        "Row, row, row your boat\nGently down the stream\nMerrily, merrily, merrily, merrily",
        "def f(a):\n    if a:\n        return 1\n    return 0\n\ndef g(b):\n    return 2",
        "Day 1: Breakfast at the hotel\nDay 2: Breakfast at the hotel\nDay 3: Breakfast at the hotel",
    ],
)
def test_honest_texts_are_no_loops(text: str) -> None:
    assert repetition_in(text) is None


def test_a_hundred_kilobytes_of_one_line() -> None:
    assert repetition_in("ab " * 33_000) is not None


@given(st.text())
def test_repetition_raises_on_no_text(text: str) -> None:
    problem = repetition_in(text)
    assert problem is None or problem.endswith(".")


@pytest.mark.parametrize(
    ("output", "share"),
    [
        ("", 0.0),
        (PROSE, 1.0),
        ("Sum it up.", 1.0),
        ("sum it up", 1.0),
        ("The mill", 0.0),
        ("A woman lives in a former mill, where she looks after bees and clocks and lends out books.", 0.0),
    ],
)
def test_copied_share(output: str, share: float) -> None:
    assert copied_share(output, instruction="Sum it up.", input=PROSE) == share


def test_half_a_copy_is_an_echo() -> None:
    half = "The old mill stands where the river bends. In spring the water is high"
    share = copied_share(f"{half} and that is that.", instruction="", input=PROSE)
    assert share == 8 / 11  # 18 words make 11 runs of eight; those up to "is high and" stand in the text
    assert is_echo(share)
    assert not is_echo(0.5)


def test_copying_ignores_case_quotes_and_width() -> None:
    assert copied_share("IT’S A FINE DAY", instruction="It's a fine day", input="") == 1.0


@given(st.text(), st.text(), st.text())
def test_copied_share_is_a_share(output: str, instruction: str, input: str) -> None:
    assert 0.0 <= copied_share(output, instruction=instruction, input=input) <= 1.0
