"""What goes into a model and what comes out: one request, one generation, for every kind of model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from alpaca_eval_suite.errors import SuiteError, UsageError

FinishReason = Literal["stop", "eos", "length", "thinking"]
"""`stop`: a stop string appeared. `eos`: the model ended its answer. `length`: max_tokens was reached.
`thinking`: the tokens ran out before the thought ended, so there is no answer."""


class TooLongError(SuiteError):
    """The prompt does not fit into the model's context: this one request has no answer, others may."""


@dataclass(frozen=True)
class Message:
    """One turn of a chat. `role` is what the model's own template knows: system, user, assistant."""

    role: str
    content: str


@dataclass(frozen=True)
class GenerationRequest:
    """One prompt and how to continue it.

    `prompt`: a string is plain text and is tokenised as it is; messages go through the tokenizer's chat
    template. Which of the two a checkpoint was trained with is said by the caller, never inferred.
    `temperature` 0 is greedy: the arg max, nothing is sampled. `top_p` and `top_k` narrow what is sampled
    from (`top_k` None: all). `stop`: the text ends before the first of these. `seed` fixes the sample of
    this request whatever is generated beside it; None takes a fresh one. `echo_prompt` puts the prompt's
    tokens in front, which with `max_tokens` 0 scores a text. `top_logprobs`: so many of the likeliest
    tokens are given at each position. `thinking_tokens`: a thought (`<think>...</think>` at the start) may take so
    many tokens, its marks included, and `max_tokens` counts from its end on; 0: both share `max_tokens`. Stop
    strings end answers, not thoughts. `json_schema`: the answer should be JSON of this schema, to which only a remote
    server can hold its model; a local checkpoint answers as it likes.

    Raises UsageError on a value out of range.
    """

    prompt: str | tuple[Message, ...]
    max_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    echo_prompt: bool = False
    top_logprobs: int = 0
    thinking_tokens: int = 0
    json_schema: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        checks = {
            "max_tokens must be at least 1 (0 only with echo_prompt)": self.max_tokens >= (not self.echo_prompt),
            "temperature must be 0 or more": 0 <= self.temperature < float("inf"),
            "top_p must be above 0 and at most 1": 0 < self.top_p <= 1,
            "top_k must be at least 1": self.top_k is None or self.top_k >= 1,
            "a stop string must not be empty": all(self.stop),
            "top_logprobs must be 0 or more": self.top_logprobs >= 0,
            "thinking_tokens must be 0 or more": self.thinking_tokens >= 0,
            "the prompt has no messages": self.prompt != (),
        }
        for problem, fine in checks.items():
            if not fine:
                raise UsageError(problem, where="generation request")


@dataclass(frozen=True)
class Token:
    """One token: its text, its log-probability under the model (natural log; temperature and top_p play no
    part), and the likeliest tokens at its place. The very first token of an echoed prompt has nothing
    before it: its `logprob` is 0 and its `top` empty."""

    text: str
    logprob: float
    top: Mapping[str, float]


@dataclass(frozen=True)
class Generation:
    """A model's answer.

    `text` ends before the stop string and holds no end-of-sequence mark; with `echo_prompt` it starts with
    the prompt. `tokens` are those of `text`, and the end mark where there is one (text ""): the texts of
    the tokens joined are `text`. `logprob` is the sum over `tokens`. `stop_string` names the one that
    ended it. `thought_opened`: the prompt ends with `<think>`, so `text` begins inside a thought.
    """

    text: str
    tokens: tuple[Token, ...]
    logprob: float
    finish_reason: FinishReason
    stop_string: str | None
    prompt_tokens: int
    thought_opened: bool = False
