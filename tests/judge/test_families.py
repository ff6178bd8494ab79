"""Whose model is it: names to families, and judges of themselves and their relatives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpaca_eval_suite.judge.families import families_of, self_judged

NAMES = {
    "gpt": "gpt-4o-2024-08-06 openai/gpt-4 gpt-4.1-mini gpt4_1106_preview gpt-3.5-turbo-0301 gpt35_turbo_instruct "
    "gpt4o gpt-35-turbo text_davinci_003 chatgpt-4o-latest o1 o1-preview openai/o4-mini-2025-04-16 gpt-5 gpt-oss-20b",
    "llama": "Meta-Llama-3-8B-Instruct meta-llama/Llama-3.1-70B llama-2-7b-chat-hf llama3 alpaca-7b alpaca-7b_verbose "
    "vicuna-13b-v1.5 tulu-2-dpo-7b codellama-7b oasst-sft-llama-33b claude2-alpaca-13b gpt4-x-alpaca ~/runs/alpaca-7b/ "
    "recycled-wizardlm-7b-v2.0 nous-hermes-13b pandalm-7b",
    "claude": "claude claude-2.1_concise anthropic/claude-3-5-sonnet-20241022 claude-instant-1.2",
    "mistral": "Mistral-7B-Instruct-v0.2 mistralai/Mixtral-8x7B-Instruct-v0.1 zephyr-7b-beta OpenHermes-2.5-Mistral-7B",
    "qwen": "Qwen2.5-7B-Instruct qwen-max ollama/qwen2.5:7b FuseChat-Qwen-2.5-7B-Instruct qwq-32b",
    "gemma": "google/gemma-3-270m gemma-7b-it gemma3-270m",
    "smollm": "smollm2-135m-instruct HuggingFaceTB/SmolLM2-135M-Instruct",
    "gemini": "gemini-pro google/gemini-1.5-flash",
    "cohere": "cohere command-r-plus",
    "falcon": "falcon-40b-instruct openbuddy-falcon-40b-v9",
    "phi": "phi-2 microsoft/Phi-3-mini-4k-instruct",
    "yi": "Yi-34B-Chat",
    "gpt-j": "gpt-j-6b gpt4all-j",
    "gpt-2": "gpt2 gpt2-xl",
    "pythia": "pythia-12b-mix-sft",
}
UNKNOWN = (
    "NullModel checkpoint-100 /home/me/llama/step-100 alpaca//home/me/big-model builtin:checks longer tinyllama-1.1b "
    "open_llama_3b gpt4all foo1 stepo3 novel commander malaya turbo causallm-14b evo-7b model egpt-4 philosopher yoyi-3"
)


@pytest.mark.parametrize(
    ("name", "family"), [(name, family) for family, names in NAMES.items() for name in names.split()]
)
def test_names_of_known_families(name: str, family: str) -> None:
    assert families_of(name) == {family}
    assert families_of(name.upper()) == {family}


@pytest.mark.parametrize("name", UNKNOWN.split())
def test_names_that_say_nothing(name: str) -> None:
    assert families_of(name) == frozenset()


def test_a_model_of_two_families() -> None:
    assert families_of("DeepSeek-R1-Distill-Qwen-7B") == {"deepseek", "qwen"}
    assert self_judged("qwen-max", "DeepSeek-R1-Distill-Qwen-7B", "x") == "the judge is of the model's family (qwen)"


@pytest.mark.parametrize(
    ("judge", "model", "baseline", "said"),
    [
        ("gpt-4o", "alpaca-7b", "claude-2.1", None),
        ("gpt-4o-2024-08-06", "alpaca-7b", "text_davinci_003", "the judge is of the baseline's family (gpt)"),
        ("openai/gpt-4o", "gpt-4o", "alpaca-7b", "the judge is the model itself"),
        ("gpt4", "gpt-4-turbo", "gpt4", "the judge is of the model's family (gpt); the judge is the baseline itself"),
        ("~/checkpoint-100", "~/other/checkpoint-100", "gpt4", None),
        ("~/checkpoint-100", "~/checkpoint-100", "gpt4", "the judge is the model itself"),
        ("mine", "yours", "theirs", None),
        ("Mine", "mine", "theirs", "the judge is the model itself"),
        ("builtin:checks", "alpaca-7b", "text_davinci_003", None),
    ],
)
def test_self_judged(judge: str, model: str, baseline: str, said: str | None) -> None:
    assert self_judged(judge, model, baseline) == said


def test_fingerprints_go_before_names() -> None:
    prints = {"a/llama-3": "1" * 64, "b/llama-3": "2" * 64, "copy": "1" * 64}
    assert self_judged("a/llama-3", "copy", "x", fingerprints=prints) == "the judge is the model itself"
    assert (
        self_judged("a/llama-3", "b/llama-3", "x", fingerprints=prints) == "the judge is of the model's family (llama)"
    )


@given(st.text(), st.text(), st.text())
def test_unknown_names_match_only_themselves(judge: str, model: str, baseline: str) -> None:
    said = self_judged(f"m{judge}m", f"n{model}n", f"k{baseline}k")
    assert said is None or "family" in said
    assert self_judged(judge, judge, "another") is not None
