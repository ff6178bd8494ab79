import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alpaca_eval_suite.models.checkpoint import Checkpoint
from alpaca_eval_suite.models.local import LocalModel
from alpaca_eval_suite.models.request import Generation, GenerationRequest

Tiny = Callable[..., Path]
END = 4  # <|end|> of the tiny tokenizer


def load(folder: Path, **options: Any) -> LocalModel:
    return LocalModel.load(Checkpoint.open(folder), device="cpu", **options)


def one(model: LocalModel, request: GenerationRequest) -> Generation:
    return model.generate([request])[0]


def biased(folder: Path, values: dict[int, float]) -> None:
    """Make the model's logits the given ones whatever the text is: zero weights, a head with a bias."""
    import json

    import torch
    from safetensors.torch import load_file, save_file

    tensors = {name: torch.zeros_like(value) for name, value in load_file(folder / "model.safetensors").items()}
    bias = torch.full((261,), -50.0)
    for token, value in values.items():
        bias[token] = value
    # A final norm of zero weight and bias 1 gives the head an input of ones: its first column is the logits.
    tensors["transformer.ln_f.bias"][:] = 0
    tensors["transformer.ln_f.bias"][0] = 1
    head = torch.zeros(261, 32)
    head[:, 0] = bias
    tensors["lm_head.weight"] = head
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "tie_word_embeddings": False}))


@pytest.fixture
def dice(tiny: Tiny) -> tuple[LocalModel, dict[str, float]]:
    """A model that says a, b, c, d with probabilities .5, .25, .15, .1 at every place."""
    folder = tiny(architecture="gpt2")
    model = load(folder)
    shares = {"a": 0.5, "b": 0.25, "c": 0.15, "d": 0.1}
    biased(folder, {model.encode(word, add_special=False)[0]: math.log(p) for word, p in shares.items()})
    return load(folder), shares


def test_greedy_takes_the_likeliest(dice: tuple[LocalModel, dict[str, float]]) -> None:
    answer = one(dice[0], GenerationRequest("x", 4))
    assert answer.text == "aaaa"
    assert [token.logprob for token in answer.tokens] == pytest.approx([math.log(0.5)] * 4, abs=1e-5)


def shares_of(text: str) -> dict[str, float]:
    return {word: text.count(word) / len(text) for word in sorted(set(text))}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"temperature": 1.0}, {"a": 0.5, "b": 0.25, "c": 0.15, "d": 0.1}),
        # p ** 2 renormalised: .25, .0625, .0225, .01 over .345
        ({"temperature": 0.5}, {"a": 0.7246, "b": 0.1812, "c": 0.0652, "d": 0.0290}),
        ({"temperature": 1.0, "top_k": 2}, {"a": 2 / 3, "b": 1 / 3}),
        ({"temperature": 1.0, "top_p": 0.7}, {"a": 2 / 3, "b": 1 / 3}),
        ({"temperature": 1.0, "top_p": 0.8}, {"a": 5 / 9, "b": 2.5 / 9, "c": 1.5 / 9}),
        ({"temperature": 1.0, "top_p": 0.01}, {"a": 1.0}),
    ],
    ids=str,
)
def test_sampling_follows_the_distribution(
    dice: tuple[LocalModel, dict[str, float]], options: dict[str, Any], expected: dict[str, float]
) -> None:
    requests = [GenerationRequest("x", 200, seed=seed, **options) for seed in range(16)]
    text = "".join(answer.text for answer in dice[0].generate(requests))
    assert len(text) == 3200
    found = shares_of(text)
    assert found.keys() == expected.keys()
    # 3,200 draws: four standard errors are at most .036
    assert found == pytest.approx(expected, abs=0.036)


def test_logprobs_are_the_models_whatever_the_temperature(dice: tuple[LocalModel, dict[str, float]]) -> None:
    model, shares = dice
    answer = one(model, GenerationRequest("x", 40, temperature=2.0, top_k=3, seed=1))
    assert [token.logprob for token in answer.tokens] == pytest.approx(
        [math.log(shares[token.text]) for token in answer.tokens], abs=1e-5
    )


def test_a_seed_fixes_the_sample_whatever_is_generated_beside_it(tiny: Tiny) -> None:
    model = load(tiny(), batch_size=4)
    request = GenerationRequest("Once upon", 30, temperature=1.0, seed=7)
    alone = one(model, request)
    beside = [
        GenerationRequest(text, 9, temperature=0.8, seed=index)
        for index, text in enumerate(("a", "xyz", "a longer prompt than that"))
    ]
    assert model.generate([*beside, request, *beside])[len(beside)].text == alone.text
    assert one(model, replace(request, seed=8)).text != alone.text


def test_without_a_seed_samples_differ(tiny: Tiny) -> None:
    model = load(tiny())
    answers = model.generate([GenerationRequest("Once", 30, temperature=1.5)] * 2)
    assert answers[0].text != answers[1].text


def saying(tiny: Tiny, ids: list[int], prompt: str = "x") -> LocalModel:
    """A model whose likeliest tokens after `prompt` are `ids`, by position embeddings alone."""
    import json

    import torch
    from safetensors.torch import load_file, save_file

    folder = tiny(architecture="gpt2")
    tensors = {name: torch.zeros_like(value) for name, value in load_file(folder / "model.safetensors").items()}
    # Position p is the p-th axis, so that the head can name a token for each place; a prompt has a BOS in front.
    tensors["transformer.wpe.weight"][:32] = torch.eye(32)
    tensors["transformer.ln_f.weight"][:] = 1
    head = torch.zeros(261, 32)
    for place, token in enumerate(ids):
        head[token, place + len(prompt)] = 5.0
    tensors["lm_head.weight"] = head
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "tie_word_embeddings": False}))
    return load(folder)


def test_the_end_of_turn_token_ends_an_answer_though_no_configuration_names_it(tiny: Tiny) -> None:
    words = load(tiny("words")).encode("ab", add_special=False)
    answer = one(saying(tiny, [*words, END, words[0]]), GenerationRequest("x", 8))
    assert (answer.text, answer.finish_reason) == ("ab", "eos")
    assert [token.text for token in answer.tokens] == ["a", "b", ""]


def test_other_special_tokens_have_no_text_and_end_nothing(tiny: Tiny) -> None:
    words = load(tiny("words")).encode("abc", add_special=False)
    answer = one(saying(tiny, [words[0], 3, words[1], END]), GenerationRequest("x", 8))
    assert [token.text for token in answer.tokens] == ["a", "", "b", ""]
    assert answer.text == "ab"


def test_a_character_cut_by_max_tokens_is_shown_as_such(tiny: Tiny) -> None:
    words = load(tiny("words")).encode("a🤷", add_special=False)
    answer = one(saying(tiny, [*words, END]), GenerationRequest("x", 3))
    assert (answer.text, answer.finish_reason) == ("a\ufffd", "length")
    assert [token.text for token in answer.tokens] == ["a", "", "\ufffd"]


def test_a_stop_of_several_bytes_is_found(tiny: Tiny) -> None:
    words = load(tiny("words")).encode("né🤷b", add_special=False)
    answer = one(saying(tiny, [*words, END]), GenerationRequest("x", 20, stop=("é🤷",)))
    assert (answer.text, answer.stop_string) == ("n", "é🤷")
    assert [token.text for token in answer.tokens] == ["n"]


def test_a_stop_at_the_very_start_leaves_nothing(tiny: Tiny) -> None:
    words = load(tiny("words")).encode("ab", add_special=False)
    answer = one(saying(tiny, words), GenerationRequest("x", 8, stop=("a",)))
    assert (answer.text, answer.tokens, answer.finish_reason, answer.logprob) == ("", (), "stop", 0)


def test_a_stop_in_the_prompt_stops_nothing(tiny: Tiny) -> None:
    words = load(tiny("words")).encode("ab", add_special=False)
    answer = one(saying(tiny, [*words, END]), GenerationRequest("x", 8, stop=("x",), echo_prompt=True))
    assert (answer.text, answer.finish_reason) == ("xab", "eos")


# Thoughts


def ids_of(tiny: Tiny, text: str) -> list[int]:
    """The tokens of the text, one a byte, and the end of the turn."""
    return [*load(tiny("words")).encode(text, add_special=False), END]


def test_max_tokens_counts_from_the_end_of_the_thought(tiny: Tiny) -> None:
    model = saying(tiny, ids_of(tiny, "<think>abc</think>defgh"))
    answer = one(model, GenerationRequest("x", 3, thinking_tokens=18))
    assert (answer.text, answer.finish_reason) == ("<think>abc</think>def", "length")
    assert one(model, GenerationRequest("x", 9, thinking_tokens=18)).finish_reason == "eos"


def test_a_thought_that_is_not_done_within_its_tokens_is_cut_off(tiny: Tiny) -> None:
    model = saying(tiny, ids_of(tiny, "<think>abc</think>de"))
    answer = one(model, GenerationRequest("x", 9, thinking_tokens=17))
    assert (answer.text, answer.finish_reason) == ("<think>abc</think", "thinking")


def test_without_a_budget_thought_and_answer_share_max_tokens(tiny: Tiny) -> None:
    model = saying(tiny, ids_of(tiny, "<think>abc</think>de"))
    assert one(model, GenerationRequest("x", 12)).finish_reason == "thinking"
    answer = one(model, GenerationRequest("x", 19))
    assert (answer.text, answer.finish_reason) == ("<think>abc</think>d", "length")


def test_a_budget_for_thoughts_is_not_the_answers(tiny: Tiny) -> None:
    answer = one(saying(tiny, ids_of(tiny, "abcdefgh")), GenerationRequest("x", 3, thinking_tokens=9))
    assert (answer.text, answer.finish_reason) == ("abc", "length")


def test_a_thought_that_the_prompt_opens(tiny: Tiny) -> None:
    prompt = "<think>"
    model = saying(tiny, ids_of(tiny, "a</think>bcd"), prompt)
    answer = one(model, GenerationRequest(prompt, 2, thinking_tokens=9))
    assert (answer.text, answer.finish_reason, answer.thought_opened) == ("a</think>bc", "length", True)
    assert one(model, GenerationRequest(prompt, 2, thinking_tokens=8)).finish_reason == "thinking"


@pytest.mark.parametrize("stop", ["b", "\n"])
def test_stop_strings_end_answers_not_thoughts(tiny: Tiny, stop: str) -> None:
    model = saying(tiny, ids_of(tiny, "<think>b\n</think>\na\nb"))
    answer = one(model, GenerationRequest("x", 25, stop=(stop,)))
    cut = {"b": "<think>b\n</think>\na\n", "\n": "<think>b\n</think>\na"}[stop]
    assert (answer.text, answer.finish_reason, answer.stop_string) == (cut, "stop", stop)


def test_an_end_within_a_thought_is_an_end(tiny: Tiny) -> None:
    answer = one(saying(tiny, ids_of(tiny, "<think>ab")), GenerationRequest("x", 25))
    assert (answer.text, answer.finish_reason) == ("<think>ab", "eos")


def test_the_context_bounds_thought_and_answer_together(tiny: Tiny) -> None:
    answer = one(load(tiny(context=64)), GenerationRequest("x" * 59, 20, thinking_tokens=20))
    assert answer.prompt_tokens + len(answer.tokens) == 64


def test_a_text_that_is_only_scored_gets_no_thought(tiny: Tiny) -> None:
    answer = one(load(tiny()), GenerationRequest("Hello", 0, echo_prompt=True, thinking_tokens=5))
    assert answer.text == "Hello"
