"""LoRA adapters: real ones, made with peft on tiny base models."""

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.models.checkpoint import Checkpoint
from alpaca_eval_suite.models.fingerprint import fingerprint
from alpaca_eval_suite.models.local import LocalModel
from alpaca_eval_suite.models.request import GenerationRequest, Message

Tiny = Callable[..., Path]
PROMPTS = ("Name a colour.", "The quick brown fox", "a")


@pytest.fixture(autouse=True)
def own_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ALPACA_BASE_MODEL", raising=False)
    monkeypatch.setenv("ALPACA_CACHE_DIR", str(tmp_path / "cache"))


def save_lora(base: Path, folder: Path, *, seed: int = 0, scale: float = 0.3, **config: Any) -> Path:
    """An adapter of `base` with random lora_B of this scale (0: as peft makes it, before any training)."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    options = {"r": 4, "lora_alpha": 8, "target_modules": ["q_proj", "v_proj"], "task_type": "CAUSAL_LM", **config}
    torch.manual_seed(seed)
    wrapped = get_peft_model(AutoModelForCausalLM.from_pretrained(base), LoraConfig(**options))
    for name, parameter in wrapped.named_parameters():
        if "lora_B" in name:
            parameter.data.normal_(0, scale) if scale else parameter.data.zero_()
    wrapped.save_pretrained(folder)
    return folder


@pytest.fixture
def base(tiny: Tiny) -> Path:
    return tiny("base")


@pytest.fixture
def adapter(base: Path, tmp_path: Path) -> Path:
    return save_lora(base, tmp_path / "adapter")


def edit(folder: Path, **values: object) -> None:
    path = folder / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def load(folder: Path, **options: Any) -> LocalModel:
    return LocalModel.load(Checkpoint.open(folder), device="cpu", **options)


def answers(folder: Path) -> list[str]:
    return [answer.text for answer in load(folder).generate([GenerationRequest(text, 12) for text in PROMPTS])]


@pytest.mark.parametrize("config", [{}, {"use_dora": True}, {"modules_to_save": ["lm_head"]}], ids=str)
def test_it_answers_as_peft_merges_it(base: Path, tmp_path: Path, config: dict[str, Any]) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    adapter = save_lora(base, tmp_path / "adapter", **config)
    whole = shutil.copytree(base, tmp_path / "merged")
    merged = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), adapter).merge_and_unload()
    merged.save_pretrained(whole)
    assert answers(adapter) == answers(whole)
    assert answers(adapter) != answers(base)


def test_what_is_known_of_an_adapter(base: Path, adapter: Path) -> None:
    checkpoint = Checkpoint.open(adapter)
    assert (checkpoint.name, checkpoint.folder) == ("adapter", adapter.resolve())
    assert (checkpoint.model_folder, checkpoint.tokenizer_folder) == (base.resolve(), base.resolve())
    assert checkpoint.weights == (base.resolve() / "model.safetensors",)
    assert checkpoint.dtype == "float32"


# Identity


def test_the_fingerprint_is_of_base_and_adapter(base: Path, adapter: Path, tmp_path: Path) -> None:
    first = Checkpoint.open(adapter).fingerprint
    assert len(first) == 64
    assert first != fingerprint(base)
    other = save_lora(base, tmp_path / "other", seed=1)
    assert Checkpoint.open(other).fingerprint != first
    edit(adapter, lora_alpha=16)
    assert Checkpoint.open(adapter).fingerprint != first


def test_a_base_trained_further_makes_another_model(base: Path, adapter: Path, tiny: Tiny) -> None:
    first = Checkpoint.open(adapter).fingerprint
    tiny("base", seed=1)
    assert Checkpoint.open(adapter).fingerprint != first


def test_the_place_of_either_plays_no_part(
    base: Path, adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Checkpoint.open(adapter).fingerprint
    moved = shutil.move(adapter, tmp_path / "elsewhere")
    monkeypatch.setenv("ALPACA_BASE_MODEL", str(shutil.move(base, tmp_path / "moved-base")))
    assert Checkpoint.open(moved).fingerprint == first
    edit(moved, base_model_name_or_path="somebody/base", revision="main")
    assert Checkpoint.open(moved).fingerprint == first


def test_a_tokenizer_of_its_own_is_taken_and_counts(adapter: Path, base: Path) -> None:
    first = Checkpoint.open(adapter).fingerprint
    for path in base.glob("*token*"):
        shutil.copy(path, adapter)
    (adapter / "chat_template.jinja").write_text("Q: {{ messages[0]['content'] }} A:")
    checkpoint = Checkpoint.open(adapter)
    assert checkpoint.fingerprint != first
    assert load(adapter).tokenizer.render([Message("user", "Hi")]) == "Q: Hi A:"


# The base


def test_a_base_that_is_not_here_names_the_variable(adapter: Path, monkeypatch: pytest.MonkeyPatch, base: Path) -> None:
    edit(adapter, base_model_name_or_path="somebody/base")
    with pytest.raises(SuiteError, match="its base model 'somebody/base' is no folder here") as caught:
        Checkpoint.open(adapter)
    assert "$ALPACA_BASE_MODEL" in str(caught.value.next_step)
    monkeypatch.setenv("ALPACA_BASE_MODEL", "/no/where")
    with pytest.raises(SuiteError, match=r"neither is '/no/where' \(\$ALPACA_BASE_MODEL\)"):
        Checkpoint.open(adapter)
    monkeypatch.setenv("ALPACA_BASE_MODEL", str(base))
    assert Checkpoint.open(adapter).model_folder == base.resolve()


def test_the_base_that_the_adapter_names_goes_before_the_variable(
    adapter: Path, base: Path, tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALPACA_BASE_MODEL", str(tiny("other")))
    assert Checkpoint.open(adapter).model_folder == base.resolve()


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"hidden_size": 64}, "size mismatch"),
        ({"num_hidden_layers": 3}, "only in the base"),
        ({"num_hidden_layers": 1}, "not in the base"),
        ({"architecture": "gpt2"}, "not found in the base model"),
    ],
    ids=str,
)
def test_an_adapter_for_another_base_is_refused(
    adapter: Path, tiny: Tiny, monkeypatch: pytest.MonkeyPatch, other: dict[str, Any], said: str
) -> None:
    monkeypatch.setenv("ALPACA_BASE_MODEL", str(tiny("other", **other)))
    edit(adapter, base_model_name_or_path="")
    with pytest.raises(SuiteError, match="so it is one for another base model") as caught:
        load(adapter)
    assert said in caught.value.what
    assert caught.value.where == str(adapter)
    assert "ALPACA_BASE_MODEL" in str(caught.value.next_step)


def test_a_base_of_the_same_shape_is_told_by_its_recorded_fingerprint(base: Path, adapter: Path, tiny: Tiny) -> None:
    first = Checkpoint.open(adapter).fingerprint
    edit(adapter, base_fingerprint=fingerprint(base)[:12])
    assert Checkpoint.open(adapter).fingerprint == first
    assert len(answers(adapter)) == 3
    tiny("base", seed=1)
    with pytest.raises(SuiteError, match="is an adapter for another base: it was trained on") as caught:
        Checkpoint.open(adapter)
    assert fingerprint(base)[:12] in caught.value.what


# Adapters that are none


def test_an_adapter_that_changes_no_logits_is_an_error(base: Path, tmp_path: Path) -> None:
    untrained = save_lora(base, tmp_path / "untrained", scale=0)
    with pytest.raises(SuiteError, match="the adapter changes no logits of its base model in float32") as caught:
        load(untrained)
    assert "lora_B is zero" in str(caught.value.next_step)


def test_pickled_adapters_are_refused_and_not_opened(adapter: Path, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple:
            return (Path.touch, (tmp_path / "executed",))

    (adapter / "adapter_model.safetensors").unlink()
    (adapter / "adapter_model.bin").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(SuiteError, match="pickled weights are refused") as caught:
        Checkpoint.open(adapter)
    assert str(caught.value.where).endswith("adapter_model.bin")
    assert not (tmp_path / "executed").exists()


def test_an_adapter_without_weights(adapter: Path) -> None:
    (adapter / "adapter_model.safetensors").unlink()
    with pytest.raises(SuiteError, match=r"adapter_model\.safetensors: is missing"):
        Checkpoint.open(adapter)


def test_truncated_weights(adapter: Path) -> None:
    path = adapter / "adapter_model.safetensors"
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(SuiteError, match="bytes, its header says"):
        Checkpoint.open(adapter)


@pytest.mark.parametrize("config", [{"peft_type": "PREFIX_TUNING"}, {"megatron_config": {"a": 1}}], ids=str)
def test_other_kinds_of_adapters_are_refused(adapter: Path, config: dict[str, Any]) -> None:
    edit(adapter, **config)
    with pytest.raises(SuiteError, match="is no plain LoRA adapter") as caught:
        Checkpoint.open(adapter)
    assert "merge_and_unload" in str(caught.value.next_step)


def test_an_adapter_beside_a_whole_model_is_never_silently_ignored(base: Path, adapter: Path) -> None:
    shutil.copy(adapter / "adapter_config.json", base)
    with pytest.raises(SuiteError, match="an adapter lies in the folder of a whole model") as caught:
        Checkpoint.open(base)
    assert "a folder of their own" in str(caught.value.next_step)
