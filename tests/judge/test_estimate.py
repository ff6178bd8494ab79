"""What judging will take: counts, bounds that hold, money by hand, and how it is said."""

import doctest
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpaca_eval_suite.judge import estimate as module
from alpaca_eval_suite.judge.estimate import duration, estimate, in_all, usd
from alpaca_eval_suite.models.endpoint import Price
from alpaca_eval_suite.models.prices import worst_cost
from alpaca_eval_suite.models.request import GenerationRequest, Message

PRICE = Price(input=2.0, output=8.0, as_of="2026-01-31")
REQUESTS = [GenerationRequest((Message("user", "x" * 4000),), 400)] * 1000


def test_tokens_and_money_by_hand() -> None:
    found = estimate(REQUESTS, answered=610, price=PRICE)
    # A quarter of "user", a line end and 4,000 letters, rounded up, and 4 marks; a quarter of 400 tokens.
    assert (found.prompt_tokens, found.answer_tokens) == (1_006_000, 100_000)
    assert found.cost == pytest.approx(1.006 * 2 + 0.1 * 8)
    assert found.answer_tokens_at_most == 400_000
    assert found.cost_at_most == pytest.approx(sum(worst_cost(PRICE, request) for request in REQUESTS))
    assert (found.answered, found.calls, found.seconds) == (610, 1000, None)


def test_the_batch_api_takes_its_discount_off() -> None:
    full, batch = (estimate(REQUESTS, price=PRICE, batch=batch) for batch in (False, True))
    assert full.cost is not None
    assert full.cost_at_most is not None
    assert (batch.cost, batch.cost_at_most) == (pytest.approx(full.cost / 2), pytest.approx(full.cost_at_most / 2))


def test_answers_that_were_seen_replace_the_guess() -> None:
    assert estimate(REQUESTS, answer_tokens=37.5).answer_tokens == 37_500
    assert estimate(REQUESTS, answer_tokens=9999).answer_tokens == 400_000  # no more than it may
    thinking = [GenerationRequest("x", 400, thinking_tokens=1600)]
    assert (estimate(thinking).answer_tokens, estimate(thinking).answer_tokens_at_most) == (500, 2000)


def test_time_by_the_card() -> None:
    assert estimate(REQUESTS, seconds_per_1000=90.0).seconds == 90.0
    assert estimate(REQUESTS[:500], seconds_per_1000=90.0).lines()[-1] == "time: about 45 s"


@given(st.lists(st.tuples(st.text(), st.integers(1, 5000), st.integers(0, 5000)), max_size=20))
def test_what_is_expected_is_never_above_the_bound(given: list[tuple[str, int, int]]) -> None:
    requests = [GenerationRequest(text, tokens, thinking_tokens=thought) for text, tokens, thought in given]
    found = estimate(requests, price=PRICE, answered=3)
    assert found.cost is not None
    assert found.cost_at_most is not None
    assert 0 <= found.prompt_tokens <= found.prompt_tokens_at_most
    assert 0 <= found.answer_tokens <= found.answer_tokens_at_most + 1  # rounded
    assert 0 <= found.cost <= found.cost_at_most + 1e-5
    assert in_all([found]) == found


def test_what_is_said() -> None:
    assert estimate(REQUESTS, answered=610, price=PRICE, seconds_per_1000=150).lines() == [
        "1,610 questions: 610 answered already, 1,000 to be asked",
        "tokens: about 1,006,000 in and 100,000 out, at most 4,277,000 in and 400,000 out",
        "cost: about $2.81, at most $11.75 (prices of 2026-01-31)",
        "time: about 2 min",
    ]
    assert estimate(REQUESTS).lines()[2] == "cost: not known, because no price is"
    assert estimate(REQUESTS, price=Price(input=0.0, output=0.0)).lines()[2] == "cost: nothing"
    assert estimate([], answered=1610, price=PRICE).lines() == [
        "1,610 questions: 1,610 answered already, nothing to be asked or paid"
    ]


def test_json() -> None:
    found = estimate(REQUESTS, answered=610, price=PRICE).as_json()
    assert json.loads(json.dumps(found)) == {
        "questions": 1610,
        "answered": 610,
        "calls": 1000,
        "prompt_tokens": {"expected": 1_006_000, "at_most": 4_277_000},
        "answer_tokens": {"expected": 100_000, "at_most": 400_000},
        "cost_usd": {"expected": pytest.approx(2.812), "at_most": pytest.approx(11.754)},
        "prices_of": "2026-01-31",
        "seconds": None,
    }
    assert estimate([]).as_json()["cost_usd"] is None


def test_a_panel_is_the_sum_of_its_judges() -> None:
    one = estimate(REQUESTS, price=PRICE, seconds_per_1000=60)
    other = estimate(REQUESTS[:10], answered=990, price=Price(input=1.0, output=1.0), seconds_per_1000=600)
    both = in_all([one, other])
    assert (both.calls, both.answered, both.seconds, both.prices_of) == (1010, 990, 66.0, "2026-01-31")
    assert one.cost is not None
    assert other.cost is not None
    assert both.cost == pytest.approx(one.cost + other.cost)
    unknown = in_all([one, estimate(REQUESTS)])
    assert (unknown.cost, unknown.cost_at_most, unknown.seconds) == (None, None, None)
    assert unknown.prompt_tokens == 2 * one.prompt_tokens


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0.0, "$0"), (0.00009, "under $0.0001"), (0.0001, "$0.0001"), (0.99999, "$1.0000"), (12.345, "$12.35")],
)
def test_money(amount: float, text: str) -> None:
    assert usd(amount) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "120 min"), (7200, "2 h"), (200_000, "2 days")],
)
def test_times(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_the_examples_in_the_docstrings() -> None:
    assert doctest.testmod(module).failed == 0
