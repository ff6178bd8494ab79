import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.models.checkpoint import Checkpoint
from alpaca_eval_suite.models.local import LocalModel
from alpaca_eval_suite.models.request import Generation, GenerationRequest, Message

Tiny = Callable[..., Path]

QUESTIONS = (
    *("What is the capital of Tanzania?", "Say hello.", "Name three fruits.", "Why is the sky blue?"),
    "Write a polite e-mail to my landlord: the heating in the kitchen has been broken since Monday, I work "
    "from home on Tuesdays and Thursdays, and somebody could come on either of these days after ten o'clock.",
    *("List the days of the week.", "Translate 'thank you' to French.", "What is 7 times 8?"),
    "Summarise in one sentence: The cat sat on the mat. The dog came in. The cat left through the window.",
    *("Give me a title for a story about a lighthouse.", "Is water wet?", "Count to ten.", "Define entropy."),
    *("Who wrote Hamlet?", "Explain photosynthesis to a child of six in simple words.", "Rhyme with 'moon'."),
)


def load(folder: Path, **options: Any) -> LocalModel:
    return LocalModel.load(Checkpoint.open(folder), device="cpu", **options)


def ask(question: str, max_tokens: int = 12, **options: Any) -> GenerationRequest:
    return GenerationRequest((Message("user", question),), max_tokens, **options)


def one(model: LocalModel, request: GenerationRequest) -> Generation:
    return model.generate([request])[0]


def plain_network(folder: Path) -> Any:
    """The checkpoint as transformers loads it, in float32."""
    import torch
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


def raw_logprobs(network: Any, ids: list[int]) -> Any:
    """log_softmax of the logits of one plain forward pass: [token, word]."""
    import torch

    with torch.no_grad():
        return network(torch.tensor([ids])).logits[0].log_softmax(-1)


def assert_same(first: Generation, second: Generation) -> None:
    """Equal token for token, with log-probabilities within float32's reach."""
    assert (first.text, first.finish_reason, first.stop_string) == (
        second.text,
        second.finish_reason,
        second.stop_string,
    )
    assert [token.text for token in first.tokens] == [token.text for token in second.tokens]
    assert [token.logprob for token in first.tokens] == pytest.approx(
        [token.logprob for token in second.tokens], abs=1e-4
    )


# The embedded model


def test_the_capital_of_tanzania(instruct_model: LocalModel) -> None:
    answer = one(instruct_model, ask("What is the capital of Tanzania?", 20))
    assert answer.text == "The capital of Tanzania is Dodoma."
    assert answer.finish_reason == "eos"
    assert answer.tokens[-1].text == ""
    assert "".join(token.text for token in answer.tokens) == answer.text
    assert answer.logprob == pytest.approx(sum(token.logprob for token in answer.tokens))


def test_sixteen_prompts_together_equal_each_alone(instruct_model: LocalModel) -> None:
    requests = [ask(question, 4 + 2 * (index % 5)) for index, question in enumerate(QUESTIONS)]
    together = instruct_model.generate(requests)
    assert len(requests) == instruct_model.batch_size == 16
    for request, answer in zip(requests, together, strict=True):
        assert_same(answer, one(instruct_model, request))


def test_logprobs_equal_a_plain_forward_pass(instruct_model: LocalModel, instruct: Path) -> None:
    requests = [ask(QUESTIONS[4], 10), ask(QUESTIONS[1], 10), ask(QUESTIONS[8], 10)]
    answers = instruct_model.generate(requests)
    network = plain_network(instruct)
    for request, answer in zip(requests, answers, strict=True):
        prompt = list(instruct_model.tokenizer.encode_prompt(request.prompt).ids)
        # The model's own arg max, token by token, gives the ids that the answer must consist of.
        ids = list(prompt)
        for token in answer.tokens:
            scores = raw_logprobs(network, ids)[-1]
            assert token.logprob == pytest.approx(float(scores.max()), abs=1e-4)
            ids.append(int(scores.argmax()))
        assert instruct_model.decode(ids[len(prompt) :]).removesuffix("<|im_end|>") == answer.text


def test_a_stop_string_across_tokens_ends_the_text_before_it(instruct_model: LocalModel) -> None:
    whole = one(instruct_model, ask("What is the capital of Tanzania?", 20))
    # "Dodoma" is several tokens: the stop begins inside one and ends inside another.
    answer = one(instruct_model, ask("What is the capital of Tanzania?", 20, stop=("nowhere", "odom")))
    assert answer.text == "The capital of Tanzania is D"
    assert (answer.finish_reason, answer.stop_string) == ("stop", "odom")
    assert "".join(token.text for token in answer.tokens) == answer.text
    assert len(answer.tokens) < len(whole.tokens)


def test_eos_stays_a_stop_beside_stop_strings(instruct_model: LocalModel) -> None:
    answer = one(instruct_model, ask("What is the capital of Tanzania?", 40, stop=("\n",)))
    assert answer.text == "The capital of Tanzania is Dodoma."
    assert (answer.finish_reason, answer.stop_string) == ("eos", None)


def test_a_special_token_can_be_a_stop_string(instruct_model: LocalModel) -> None:
    answer = one(instruct_model, ask("What is the capital of Tanzania?", 20, stop=("<|im_end|>",)))
    assert answer.text == "The capital of Tanzania is Dodoma."
    assert (answer.finish_reason, answer.stop_string) == ("stop", "<|im_end|>")


def test_the_first_of_several_stops_counts_not_the_first_named(instruct_model: LocalModel) -> None:
    answer = one(instruct_model, ask("What is the capital of Tanzania?", 20, stop=("Dodoma", "is", "Tanz")))
    assert (answer.text, answer.stop_string) == ("The capital of ", "Tanz")


def test_max_tokens_is_exact(instruct_model: LocalModel) -> None:
    answer = one(instruct_model, ask("Count to one hundred.", 5))
    assert len(answer.tokens) == 5
    assert (answer.finish_reason, answer.stop_string) == ("length", None)


def test_plain_text_is_continued_not_answered(instruct_model: LocalModel) -> None:
    answer = one(instruct_model, GenerationRequest("Monday, Tuesday,", 2))
    assert answer.text == " Wednesday,"
    assert answer.prompt_tokens == len(instruct_model.encode("Monday, Tuesday,"))


def test_bfloat16_runs_on_a_cpu(instruct: Path) -> None:
    model = load(instruct, dtype="bfloat16")
    assert model.dtype == "bfloat16"
    assert one(model, ask("What is the capital of Tanzania?", 20)).text == "The capital of Tanzania is Dodoma."


# Tiny models: every kind of attention, and what real models do rarely


PROMPTS = ("a", "The quick brown fox jumps over the lazy dog", "xyz", "Hello, world", "éàü🤷", "0123456789")


def test_every_architecture_is_the_same_in_a_batch_and_alone(tiny: Tiny, architecture: str) -> None:
    model = load(tiny(architecture=architecture), batch_size=3)
    assert model.batch_size == (1 if architecture in ("lfm2", "qwen3_next") else 3)
    requests = [GenerationRequest(text, 5 + 9 * index) for index, text in enumerate(PROMPTS)]
    for request, answer in zip(requests, model.generate(requests), strict=True):
        assert_same(answer, one(model, request))


def test_every_architecture_scores_as_transformers_does(tiny: Tiny, architecture: str) -> None:
    folder = tiny(architecture=architecture)
    model = load(folder)
    network = plain_network(folder)
    requests = [GenerationRequest(text, 6, echo_prompt=True) for text in PROMPTS]
    for request, answer in zip(requests, model.generate(requests), strict=True):
        assert isinstance(request.prompt, str)
        plain = one(model, replace(request, echo_prompt=False))
        assert answer.text == request.prompt + plain.text
        prompt = model.encode(request.prompt)
        expected = raw_logprobs(network, prompt)
        assert answer.tokens[0].logprob == 0.0
        for place in range(1, len(prompt)):
            assert answer.tokens[place].logprob == pytest.approx(float(expected[place - 1, prompt[place]]), abs=1e-4)
        assert answer.tokens[len(prompt)].logprob == pytest.approx(float(expected[-1].max()), abs=1e-4)
        assert [token.logprob for token in answer.tokens[len(prompt) :]] == pytest.approx(
            [token.logprob for token in plain.tokens], abs=1e-4
        )


def test_scoring_a_text_alone(tiny: Tiny) -> None:
    model = load(tiny())
    answer = one(model, GenerationRequest("Hello", 0, echo_prompt=True, top_logprobs=2))
    assert answer.text == "Hello"
    assert [token.text for token in answer.tokens] == ["", "H", "e", "l", "l", "o"]
    assert answer.finish_reason == "length"
    assert (answer.tokens[0].logprob, answer.tokens[0].top) == (0.0, {})
    # Two tokens that are halves of characters have one text, of which the likelier one stands.
    assert all(1 <= len(token.top) <= 2 for token in answer.tokens[1:])


def test_a_long_text_is_scored_in_pieces_as_in_one(
    tiny: Tiny, architecture: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alpaca_eval_suite.models import network

    model = load(tiny(architecture=architecture))
    request = GenerationRequest("A text of some length.", 3, echo_prompt=True)
    whole = one(model, request)
    monkeypatch.setattr(network, "_CHUNK", 4)
    assert_same(one(model, request), whole)


def test_top_logprobs_hold_the_chosen_token_first(tiny: Tiny) -> None:
    model = load(tiny())
    answer = one(model, GenerationRequest("abc", 4, top_logprobs=3))
    for token in answer.tokens:
        assert len(token.top) <= 3
        assert max(token.top.values()) == pytest.approx(token.logprob, abs=1e-5)
        assert sum(math.exp(value) for value in token.top.values()) <= 1 + 1e-6


# Limits and failures


def test_a_prompt_beyond_the_context_names_both_numbers(tiny: Tiny) -> None:
    model = load(tiny(context=64))
    with pytest.raises(SuiteError, match="the prompt has 101 tokens, and the model takes 64 with its answer"):
        one(model, GenerationRequest("x" * 100, 5))


def test_an_answer_ends_where_the_context_does(tiny: Tiny) -> None:
    model = load(tiny(context=64, seed=1), batch_size=2)
    request = GenerationRequest("x" * 59, 50)
    answer = one(model, request)
    assert answer.prompt_tokens + len(answer.tokens) == 64
    assert answer.finish_reason == "length"


def test_a_text_that_fills_the_context_can_be_scored(tiny: Tiny) -> None:
    model = load(tiny(context=64))
    assert len(one(model, GenerationRequest("x" * 63, 0, echo_prompt=True)).tokens) == 64
    with pytest.raises(SuiteError, match="the prompt has 65 tokens, and the model takes 64"):
        one(model, GenerationRequest("x" * 64, 0, echo_prompt=True))


def served(model: LocalModel, requests: list[GenerationRequest]) -> dict[Any, Generation | SuiteError]:
    waiting = list(enumerate(requests))
    outcomes: dict[Any, Generation | SuiteError] = {}
    model.serve(lambda room, _idle: [waiting.pop(0) for _ in range(min(room, len(waiting)))], outcomes.__setitem__)
    return outcomes


def test_a_failing_request_fails_none_of_its_batch_mates(tiny: Tiny) -> None:
    model = load(tiny(context=64, template=None), batch_size=4)
    good = [GenerationRequest(text, 5) for text in PROMPTS]
    outcomes = served(model, [good[0], GenerationRequest("x" * 100, 5), ask("Hi"), *good[1:]])
    assert {key for key, value in outcomes.items() if isinstance(value, SuiteError)} == {1, 2}
    for key, request in zip((0, 3, 4, 5, 6, 7), good, strict=True):
        answer = outcomes[key]
        assert isinstance(answer, Generation)
        assert_same(answer, one(model, request))


def test_logits_that_are_no_numbers_fail_their_row_and_spoil_no_other(tiny: Tiny) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    folder = tiny()
    tensors = load_file(folder / "model.safetensors")
    bad = load(folder).encode("Q", add_special=False)[0]
    tensors["model.embed_tokens.weight"][bad] = torch.nan
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    model = load(folder, batch_size=2)
    # The damaged row is the last one of its batch, so that the next and shorter one gets its place.
    requests = [GenerationRequest(text, 12) for text in ("abcdefgh", "abcdefgQ", "xy", "Q", "abc")]
    outcomes = served(model, requests)
    for key, request in enumerate(requests):
        outcome = outcomes[key]
        if "Q" in str(request.prompt):
            assert isinstance(outcome, SuiteError)
            assert "NaN" in outcome.what
        else:
            assert isinstance(outcome, Generation)
            assert_same(outcome, one(load(folder), request))


def test_rows_join_and_leave_a_running_batch(tiny: Tiny) -> None:
    """Requests that arrive one a step, prompts longer than what runs, and a cache that must grow and move."""
    model = load(tiny(context=900), batch_size=3)
    requests = [
        GenerationRequest("ab" * length, tokens, stop=("\x00",))
        for length, tokens in ((2, 150), (150, 20), (1, 3), (200, 200), (5, 1), (90, 120), (3, 40), (30, 300))
    ]
    waiting = list(enumerate(requests))
    outcomes: dict[Any, Any] = {}
    model.serve(lambda room, _idle: [waiting.pop(0)] if room and waiting else [], outcomes.__setitem__)
    for key, request in enumerate(requests):
        assert_same(outcomes[key], one(model, request))


def test_no_requests_no_answers(tiny: Tiny) -> None:
    assert load(tiny()).generate([]) == []
