"""What judging will take, before anything is sent: calls, tokens, money, time.

>>> print(*estimate([GenerationRequest("Which is better?", 8)] * 10, answered=2).lines(), sep="\\n")
12 questions: 2 answered already, 10 to be asked
tokens: about 80 in and 20 out, at most 2,880 in and 80 out
cost: not known, because no price is
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from alpaca_eval_suite.models.endpoint import Price
from alpaca_eval_suite.models.prices import cost, expected_tokens, upper_tokens
from alpaca_eval_suite.models.request import GenerationRequest

ANSWER_SHARE = 0.25
"""How much of what it may say a judge is expected to say, where it has not been seen to answer: a guess."""

_UNITS = ((86_400, "days"), (3600, "h"), (60, "min"), (1, "s"))


@dataclass(frozen=True)
class Estimate:
    """What one judge, or a panel, will take.

    `..._at_most` are bounds that are not passed (models/prices.py). Costs are in USD, None where no price is known;
    `prices_of` is the day of the prices. `seconds` is None where nobody measured.
    """

    answered: int
    calls: int
    prompt_tokens: int
    prompt_tokens_at_most: int
    answer_tokens: int
    answer_tokens_at_most: int
    cost: float | None
    cost_at_most: float | None
    prices_of: str = ""
    seconds: float | None = None

    def as_json(self) -> dict[str, Any]:
        """The public form."""
        usd = None if self.cost is None else {"expected": self.cost, "at_most": self.cost_at_most}
        return {
            "questions": self.answered + self.calls,
            "answered": self.answered,
            "calls": self.calls,
            "prompt_tokens": {"expected": self.prompt_tokens, "at_most": self.prompt_tokens_at_most},
            "answer_tokens": {"expected": self.answer_tokens, "at_most": self.answer_tokens_at_most},
            "cost_usd": usd,
            "prices_of": self.prices_of or None,
            "seconds": self.seconds,
        }

    def lines(self) -> list[str]:
        """For a person, a line each: calls, tokens, cost, time."""
        questions = f"{self.answered + self.calls:,} questions: {self.answered:,} answered already"
        if not self.calls:
            return [f"{questions}, nothing to be asked or paid"]
        tokens = f"about {self.prompt_tokens:,} in and {self.answer_tokens:,} out"
        most = f"at most {self.prompt_tokens_at_most:,} in and {self.answer_tokens_at_most:,} out"
        found = [f"{questions}, {self.calls:,} to be asked", f"tokens: {tokens}, {most}", f"cost: {self._cost_text()}"]
        return found if self.seconds is None else [*found, f"time: about {duration(self.seconds)}"]

    def _cost_text(self) -> str:
        if self.cost is None or self.cost_at_most is None:
            return "not known, because no price is"
        if not self.cost_at_most:
            return "nothing"
        dated = f" (prices of {self.prices_of})" if self.prices_of else ""
        return f"about {usd(self.cost)}, at most {usd(self.cost_at_most)}{dated}"


def estimate(
    requests: Sequence[GenerationRequest],
    *,
    answered: int = 0,
    price: Price | None = None,
    batch: bool = False,
    answer_tokens: float | None = None,
    seconds_per_1000: float | None = None,
) -> Estimate:
    """What `requests`, those still to be sent to one judge, will take beside `answered` ones that are known already.

    `answer_tokens`: how many the judge has been seen to answer with, on average (None: `ANSWER_SHARE` of what it
    may). `seconds_per_1000`: what its card says, measured with as many requests open at once as here.
    """
    most = [request.max_tokens + request.thinking_tokens for request in requests]
    answers = sum(ANSWER_SHARE * one if answer_tokens is None else min(answer_tokens, one) for one in most)
    expected = (sum(map(expected_tokens, requests)), round(answers))
    at_most = (sum(map(upper_tokens, requests)), sum(most))
    return Estimate(
        answered=answered,
        calls=len(requests),
        prompt_tokens=expected[0],
        prompt_tokens_at_most=at_most[0],
        answer_tokens=expected[1],
        answer_tokens_at_most=at_most[1],
        cost=None if price is None else cost(price, *expected, batch=batch),
        cost_at_most=None if price is None else cost(price, *at_most, batch=batch),
        prices_of="" if price is None else price.as_of,
        seconds=None if seconds_per_1000 is None else len(requests) * seconds_per_1000 / 1000,
    )


def in_all(members: Sequence[Estimate]) -> Estimate:
    """What the judges of a panel take together, one after the other. What is not known of one is not known of all."""
    return Estimate(
        answered=sum(one.answered for one in members),
        calls=sum(one.calls for one in members),
        prompt_tokens=sum(one.prompt_tokens for one in members),
        prompt_tokens_at_most=sum(one.prompt_tokens_at_most for one in members),
        answer_tokens=sum(one.answer_tokens for one in members),
        answer_tokens_at_most=sum(one.answer_tokens_at_most for one in members),
        cost=_sum(one.cost for one in members),
        cost_at_most=_sum(one.cost_at_most for one in members),
        prices_of=", ".join(sorted({one.prices_of for one in members} - {""})),
        seconds=_sum(one.seconds for one in members),
    )


def usd(amount: float) -> str:
    """Money for a person: cents from a dollar on, hundredths of a cent below.

    >>> usd(1234.5), usd(0.0312), usd(0.00001), usd(0)
    ('$1,234.50', '$0.0312', 'under $0.0001', '$0')
    """
    if amount >= 1:
        return f"${amount:,.2f}"
    if 0 < amount < 0.0001:
        return "under $0.0001"
    return f"${amount:.4f}" if amount else "$0"


def duration(seconds: float) -> str:
    """Time for a person: in the largest unit that gives two or more, else in seconds.

    >>> duration(3.2), duration(150), duration(5000), duration(8000)
    ('3 s', '2 min', '83 min', '2 h')
    """
    size, unit = next((one for one in _UNITS if seconds >= 2 * one[0]), _UNITS[-1])
    return f"{seconds / size:.0f} {unit}"


def _sum(values: Iterable[float | None]) -> float | None:
    known: list[float] = []
    for value in values:
        if value is None:
            return None
        known.append(value)
    return sum(known)
