"""What passes between the parts of judging: a question, a reply, a ruling, and whoever is asked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Protocol

from alpaca_eval_suite.models.request import GenerationRequest, Token
from alpaca_eval_suite.types import Order


@dataclass(frozen=True)
class Question:
    """One pair in one order, as a judge is asked about it; `label` is what its verdict must carry.

    `kept`: how many characters of each answer are shown at most, where they were too long for the judge; None where
    both are whole.
    """

    request: GenerationRequest
    label: str
    kept: int | None = None


@dataclass(frozen=True)
class Reply:
    """What a judge said, as it is kept: everything that reading it again needs, and where it came from.

    `tokens` are there where log-probabilities were asked for and given. `prompt_tokens` and `completion_tokens`
    are None where nobody counted. `fallbacks`: what a server refused, and what was done instead.
    """

    text: str
    finish_reason: str = "stop"
    tokens: tuple[Token, ...] = ()
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    served_id: str | None = None
    system_fingerprint: str | None = None
    fallbacks: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain values, for a ledger or a cache."""
        # By hand: `asdict` copies deeply, and takes as long as the request that it is for.
        tokens = [{"text": token.text, "logprob": token.logprob, "top": dict(token.top)} for token in self.tokens]
        return {**{one.name: getattr(self, one.name) for one in fields(self)}, "tokens": tokens}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> "Reply":
        """The reverse of `as_json`. Raises KeyError or TypeError for something else."""
        tokens = tuple(Token(token["text"], token["logprob"], token["top"]) for token in raw["tokens"])
        return cls(**{**raw, "tokens": tokens, "fallbacks": tuple(raw["fallbacks"])})


@dataclass(frozen=True)
class Ruling:
    """A reply that was read: how far the output shown first is preferred (1 wholly, 0.5 a tie), and the words."""

    first: float
    reason: str = ""


def win_of(ruling: Ruling, order: Order) -> float:
    """The model's win. Its output was shown second in `baseline_first` only."""
    return 1 - ruling.first if order == "baseline_first" else ruling.first


InDoubt = Callable[[], None]
"""Called before a question is sent again that may have been answered and charged for; what it raises goes on."""


class Asker(Protocol):
    """Whoever answers a judge's questions: an endpoint, a local checkpoint, a deployment of HELM's.

    `identity` holds what changes an answer beside the request (address and model, or fingerprint): plain JSON.
    `name` is for people. `concurrency` is how many questions may be open at once.
    """

    # Properties, so that an attribute of a narrower type, and one that cannot be set, will do.
    @property
    def name(self) -> str: ...

    @property
    def identity(self) -> Mapping[str, Any]: ...

    @property
    def concurrency(self) -> int: ...

    async def ask(self, request: GenerationRequest, *, in_doubt: InDoubt | None = None) -> Reply:
        """The reply. Raises TooLongError or BlockedError where only this question has no answer, SuiteError else."""

    async def close(self) -> None:
        """Give back connections."""
