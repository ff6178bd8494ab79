import pytest

from alpaca_eval_suite.errors import UsageError
from alpaca_eval_suite.models.request import GenerationRequest, Message


def test_defaults_are_greedy_without_stops() -> None:
    request = GenerationRequest("Hello", max_tokens=5)
    assert (request.temperature, request.top_p, request.top_k, request.stop) == (0.0, 1.0, None, ())
    assert (request.seed, request.echo_prompt, request.top_logprobs) == (None, False, 0)
    assert request.thinking_tokens == 0


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": -1, "echo_prompt": True}, "max_tokens"),
        ({"temperature": -0.1}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"temperature": float("inf")}, "temperature"),
        ({"top_p": 0.0}, "top_p"),
        ({"top_p": 1.01}, "top_p"),
        ({"top_k": 0}, "top_k"),
        ({"stop": ("x", "")}, "stop string"),
        ({"top_logprobs": -1}, "top_logprobs"),
        ({"thinking_tokens": -1}, "thinking_tokens"),
        ({"prompt": ()}, "no messages"),
    ],
)
def test_a_value_out_of_range_is_named(options: dict, named: str) -> None:
    with pytest.raises(UsageError, match=named):
        GenerationRequest(**{"prompt": "Hello", "max_tokens": 5, **options})


def test_scoring_a_text_takes_no_new_tokens() -> None:
    assert GenerationRequest("Hello", max_tokens=0, echo_prompt=True).max_tokens == 0


def test_messages_are_a_prompt() -> None:
    assert GenerationRequest((Message("user", "Hi"),), max_tokens=1).prompt == (Message("user", "Hi"),)
