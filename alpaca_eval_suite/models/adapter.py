"""LoRA adapters (Hu et al. 2021): a folder of small matrices and the base model that they were trained on."""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alpaca_eval_suite.errors import MissingExtraError, SuiteError
from alpaca_eval_suite.files import sha256_of
from alpaca_eval_suite.models.weights import check_safetensors, pickled, read_json

CONFIG = "adapter_config.json"
_WEIGHTS = "adapter_model.safetensors"
_PICKLED = "adapter_model.bin"
_BASE_VARIABLE = "ALPACA_BASE_MODEL"
# Where the base lies and what it must be: both are settled before, and change no answer.
_NO_CONTENT = ("base_model_name_or_path", "revision", "base_fingerprint")


@dataclass(frozen=True)
class Adapter:
    """A LoRA adapter without code or pickles. `base` is the folder of its base model, which is there but unchecked;
    `base_fingerprint`: the first digits of what that must be, "" where the adapter does not say."""

    folder: Path
    config: dict[str, Any]
    base: Path
    base_fingerprint: str

    @classmethod
    def open(cls, folder: Path) -> "Adapter":
        """Check the folder in milliseconds. Raises SuiteError, naming the file and what to do about it."""
        config = read_json(folder / CONFIG)
        if config.get("peft_type") != "LORA" or config.get("megatron_config"):
            raise SuiteError(
                f"is no plain LoRA adapter (peft_type {config.get('peft_type')!r})",
                where=str(folder / CONFIG),
                next_step="Merge it into its base model with peft's merge_and_unload(), and save_pretrained() "
                "the result.",
            )
        if not (folder / _WEIGHTS).is_file():
            if (folder / _PICKLED).exists():
                raise pickled(folder / _PICKLED)
            raise SuiteError(
                "is missing", where=str(folder / _WEIGHTS), next_step="Copy the adapter's weights into the folder."
            )
        check_safetensors(folder / _WEIGHTS)
        return cls(folder, config, _base_of(folder, config), str(config.get("base_fingerprint") or ""))

    def digest(self, tokenizer: str) -> str:
        """SHA-256 over the adapter's configuration and weights, and `tokenizer`, the hash of one of its own."""
        config = {key: value for key, value in self.config.items() if key not in _NO_CONTENT}
        parts = [json.dumps(config, sort_keys=True), sha256_of(self.folder / _WEIGHTS), tokenizer]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def check_base(self, fingerprint: str) -> None:
        """Raises SuiteError where the adapter says that its base is another one than that of `fingerprint`."""
        if not fingerprint.startswith(self.base_fingerprint):
            raise SuiteError(
                f"is an adapter for another base: it was trained on {self.base_fingerprint[:12]}, and {self.base} "
                f"is {fingerprint[:12]}",
                where=str(self.folder),
                next_step=f"Name the folder of the right base model in ${_BASE_VARIABLE}.",
            )


def is_adapter(folder: Path) -> bool:
    """Whether the folder holds an adapter and no weights of a whole model."""
    whole = ("model.safetensors", "model.safetensors.index.json")
    return (folder / CONFIG).is_file() and not any((folder / name).exists() for name in whole)


def _base_of(folder: Path, config: dict[str, Any]) -> Path:
    named = config.get("base_model_name_or_path") or ""
    given = os.environ.get(_BASE_VARIABLE, "")
    for name in (named, given):
        if name and Path(name).expanduser().is_dir():
            return Path(name).expanduser().resolve()
    raise SuiteError(
        f"its base model {named!r} is no folder here"
        + (f", and neither is {given!r} (${_BASE_VARIABLE})" if given else ""),
        where=str(folder / CONFIG),
        next_step=f"Set ${_BASE_VARIABLE} to the folder of the base model: nothing is fetched.",
    )


def merged(module: Any, adapter: Adapter) -> Any:
    """The base model `module` with the adapter's weights added to its own.

    Raises SuiteError when the adapter does not fit the model, or changes none of its logits.
    """
    before = list(_probe_logits(module))
    try:
        wrapped = _wrapped(module, adapter)
        result = wrapped.merge_and_unload(safe_merge=True)
    except (ValueError, RuntimeError, KeyError, TypeError) as error:  # what peft raises where names or shapes differ
        raise _other_base(adapter, error) from error
    if all(bool((old == new).all()) for old, new in zip(before, _probe_logits(result), strict=True)):
        raise SuiteError(
            f"the adapter changes no logits of its base model in {str(module.dtype).removeprefix('torch.')} on any of "
            f"{len(before)} probe prompts",
            where=str(adapter.folder),
            next_step="It is untrained (all of lora_B is zero), or was saved before training: save it again. An effect "
            "too small for a 16-bit type shows with dtype float32. To score the base model, name its folder.",
        )
    return result


def _wrapped(module: Any, adapter: Adapter) -> Any:
    """peft's model with every weight of the adapter in its place."""
    try:
        import peft
    except ImportError as error:
        raise MissingExtraError("helm", "Loading a LoRA adapter") from error
    from safetensors.torch import load_file

    values = {key: value for key, value in adapter.config.items() if key not in _NO_CONTENT}
    base = {"base_model_name_or_path": module.name_or_path, "inference_mode": True}
    config = peft.LoraConfig.from_peft_type(**{**values, **base})
    wrapped = peft.get_peft_model(module, config)
    found = peft.set_peft_model_state_dict(wrapped, load_file(adapter.folder / _WEIGHTS))
    missing = [key for key in found.missing_keys if "lora_" in key or ".modules_to_save." in key]
    if missing or found.unexpected_keys:
        name = (missing or found.unexpected_keys)[0]
        raise ValueError(f"{name} is {'only in the base' if missing else 'not in the base'}")
    return wrapped.eval()


def _probe_logits(module: Any) -> Iterator[Any]:
    """Logits on four fixed prompts that run over the whole vocabulary, so that no tokenizer is needed."""
    import torch

    words = module.get_input_embeddings().weight.shape[0]
    for start in range(4):
        ids = torch.arange(start, words, max(1, words // 16), device=module.device)[None, :16]
        with torch.inference_mode():
            yield module(input_ids=ids).logits


def _other_base(adapter: Adapter, error: Exception) -> SuiteError:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    reason = lines[min(1, len(lines) - 1)] if lines[0].startswith("Error(s) in loading") else lines[0]
    return SuiteError(
        f"the adapter does not fit {adapter.base}, so it is one for another base model ({reason})",
        where=str(adapter.folder),
        next_step=f"Name the folder of the right base model in ${_BASE_VARIABLE}, or mend base_model_name_or_path in "
        f"{CONFIG}.",
    )
