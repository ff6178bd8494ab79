"""Numbers in running text."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpaca_eval_suite.judge.check_numbers import numbers_in
from alpaca_eval_suite.judge.check_text import normalise


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,250.50", 1250.5),
        ("1.250,50", 1250.5),
        ("1'250.50", 1250.5),
        ("1 250,50 €", 1250.5),
        ("12,34,567", 1234567),
        ("1,250", 1250),
        ("1,250", 1.25),
        ("$12", 12),
        ("30%", 30),
        ("2 1/2 cups", 2.5),
        ("2½ cups", 2.5),
        ("3/4", 0.75),
        (".5 litres", 0.5),
        ("It is −4 °C.", -4),
        ("-$12", -12),
        ("1,2,3", 2),
        ("twenty-one", 21),
        ("twenty one", 21),
        ("Ninety", 90),
        ("zero", 0),
        ("about 7.", 7),
        ("x = 42)", 42),
        ("٣", 3),
        ("lamp,3,12.50,37.50", 37.5),
        ("lamp,3,12.50,37.50", 12.5),
        ("lamp,3,12.50,37.50", 3),
        ("rug,2,150,300", 300),
        ('"rug",2,"150"', 150),
        ("3,150,rug", 150),
    ],
)
def test_a_number_is_found(text: str, value: float) -> None:
    assert value in numbers_in(normalise(text))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("A4 paper", 4),
        ("5-10 minutes", -10),
        ("covid-19", -19),
        ("one of them", 1),
        ("1,250", 250),
        ("eleventh", 11),
        ("someone", 1),
        ("3.14", 3),
        ("1,250.50", 250.5),
        ("", 0),
    ],
)
def test_a_number_is_not_found(text: str, value: float) -> None:
    assert value not in numbers_in(normalise(text))


@pytest.mark.parametrize("text", ["9" * 100_000, "1," * 50_000, "1/" * 50_000, "1 000" * 20_000, "½" * 20_000])
def test_long_runs_of_digits_take_no_time(text: str) -> None:
    start = time.perf_counter()
    assert isinstance(numbers_in(normalise(text)), list)
    assert time.perf_counter() - start < 5


@given(st.integers(0, 10**9), st.sampled_from(["{:,}", "{}", "USD {:,}", "({:,})", "is {:,}."]))
def test_whole_numbers_are_found_however_they_are_set(value: int, form: str) -> None:
    assert value in numbers_in(normalise(form.format(value)))


@given(st.text() | st.text(alphabet="0123456789.,'/- $½"))
def test_raises_on_no_text(text: str) -> None:
    assert all(isinstance(value, float) for value in numbers_in(normalise(text)))
