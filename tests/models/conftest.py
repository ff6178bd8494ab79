"""Real and tiny checkpoints. The tiny ones have random weights and one token a byte."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alpaca_eval_suite.models.threads import let_threads_sleep

let_threads_sleep()

SPECIAL = ("<pad>", "<s>", "</s>", "<|turn|>", "<|end|>")
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}<|turn|>{{ message['role'] }}\n{{ message['content'] }}<|end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|turn|>assistant\n{% endif %}"
)


def save_tiny_tokenizer(folder: Path, *, bos: bool = True, eos: bool = False, template: str | None = None) -> None:
    """Byte-level, 5 special tokens. `bos`, `eos`: the post-processor puts them around every text."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {word: index for index, word in enumerate((*SPECIAL, *alphabet))}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.add_special_tokens(list(SPECIAL))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    if bos or eos:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=("<s> " if bos else "") + "$A" + (" </s>" if eos else ""),
            special_tokens=[("<s>", 1), ("</s>", 2)],
        )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        additional_special_tokens=["<|turn|>", "<|end|>"],
    )
    if template is not None:
        fast.chat_template = template
    fast.save_pretrained(folder)


TINY: dict[str, dict[str, Any]] = {
    "llama": {"num_key_value_heads": 2},
    "qwen2": {
        "num_key_value_heads": 2,
        "use_sliding_window": True,
        "sliding_window": 8,
        "max_window_layers": 1,
    },
    "mistral": {"num_key_value_heads": 2, "sliding_window": 8},
    "gemma3_text": {
        "num_key_value_heads": 2,
        "head_dim": 8,
        "sliding_window": 8,
        "layer_types": ["sliding_attention", "full_attention"],
    },
    "gpt2": {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 256},
    "gpt_neox": {},
    "bloom": {"n_layer": 2, "n_head": 4, "max_position_embeddings": None},
    "opt": {"ffn_dim": 64, "word_embed_proj_dim": 32},
    "qwen3_next": {
        "num_key_value_heads": 2,
        "head_dim": 8,
        "layer_types": ["linear_attention", "full_attention"],
        "linear_num_key_heads": 2,
        "linear_num_value_heads": 4,
        "linear_key_head_dim": 8,
        "linear_value_head_dim": 8,
        "num_experts": 2,
        "num_experts_per_tok": 1,
        "moe_intermediate_size": 16,
        "shared_expert_intermediate_size": 16,
    },
    "lfm2": {"num_key_value_heads": 2, "layer_types": ["conv", "full_attention"], "conv_L_cache": 3},
}


def save_tiny_model(
    folder: Path, architecture: str = "llama", *, seed: int = 0, context: int = 256, **config: Any
) -> None:
    """Random weights, wide enough apart that the arg max is never a near tie."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    options = {
        "vocab_size": 261,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": context,
        "initializer_range": 0.4,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 0,
        **TINY[architecture],
        **config,
    }
    torch.manual_seed(seed)
    AutoModelForCausalLM.from_config(AutoConfig.for_model(architecture, **options)).save_pretrained(folder)


@pytest.fixture(params=sorted(TINY))
def architecture(request: pytest.FixtureRequest) -> str:
    """Every kind of attention, position and state that is batched, and two that cannot be (lfm2, qwen3_next)."""
    return str(request.param)


@pytest.fixture
def tiny(tmp_path: Path) -> Callable[..., Path]:
    """Makes a tiny checkpoint in a folder of its own and returns the folder."""

    def make(
        name: str = "tiny",
        architecture: str = "llama",
        *,
        bos: bool = True,
        eos: bool = False,
        template: str | None = CHAT_TEMPLATE,
        **config: Any,
    ) -> Path:
        folder = tmp_path / name
        save_tiny_model(folder, architecture, **config)
        save_tiny_tokenizer(folder, bos=bos, eos=eos, template=template)
        return folder

    return make


@pytest.fixture(scope="session")
def instruct() -> Path:
    """SmolLM2-135M-Instruct as a checkpoint folder."""
    from alpaca_eval_suite.models.embedded import ensure_embedded_model

    return ensure_embedded_model("smollm2-135m-instruct")


@pytest.fixture(scope="session")
def instruct_model(instruct: Path) -> Any:
    """The same, loaded in float32 for the CPU."""
    from alpaca_eval_suite.models.checkpoint import Checkpoint
    from alpaca_eval_suite.models.local import LocalModel

    return LocalModel.load(Checkpoint.open(instruct), dtype="float32", device="cpu")
