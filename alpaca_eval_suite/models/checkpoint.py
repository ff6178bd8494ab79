"""A checkpoint folder: checked before anything heavy is loaded, and identified by its content."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.models.adapter import CONFIG as ADAPTER_CONFIG
from alpaca_eval_suite.models.adapter import Adapter, is_adapter
from alpaca_eval_suite.models.fingerprint import TOKENIZER_FILES, fingerprint_of, tokenizer_digest, weight_files
from alpaca_eval_suite.models.training_prompt import TrainingPrompt, read_training_prompt
from alpaca_eval_suite.models.weights import check_safetensors, pickled, read_json, stored_dtype

_PICKLED = ("pytorch_model.bin", "pytorch_model.bin.index.json", "consolidated.00.pth")
# A tokenizer is one of these, or vocab.json with merges.txt; the other tokenizer files only add to it.
_WHOLE_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "spiece.model", "tekken.json", "vocab.txt")


@dataclass(frozen=True)
class Checkpoint:
    """A folder in Hugging Face's layout that can be loaded: safetensors weights, config, tokenizer, no code.

    `folder` is what the user named: a whole model, or a LoRA adapter (`adapter` is then there). `model_folder`
    and `tokenizer_folder` are where configuration and weights, and the tokenizer, lie: an adapter's base model,
    the adapter's own tokenizer where it has one. `weights` are the safetensors files of the model, `dtype` is the
    type they are stored in. `training_prompt` is None where the folder does not name one.
    """

    folder: Path
    model_folder: Path
    tokenizer_folder: Path
    config: dict[str, Any]
    weights: tuple[Path, ...]
    dtype: str
    adapter: Adapter | None = None
    training_prompt: TrainingPrompt | None = None

    @classmethod
    def open(cls, folder: Path | str) -> "Checkpoint":
        """Check the folder in milliseconds. Raises SuiteError, naming the file and what to do about it."""
        folder = _existing(Path(folder).expanduser())
        adapter = Adapter.open(folder) if is_adapter(folder) else None
        model_folder = adapter.base if adapter else folder
        config = _read_config(model_folder)
        weights = _check_weights(model_folder)
        tokenizer_folder = folder if adapter and _has_tokenizer(folder) else model_folder
        _check_tokenizer(tokenizer_folder)
        _refuse_code(model_folder / "config.json")
        _refuse_code(tokenizer_folder / "tokenizer_config.json")
        if adapter and adapter.base_fingerprint:
            adapter.check_base(fingerprint_of(adapter.base))
        return cls(
            folder,
            model_folder,
            tokenizer_folder,
            config,
            weights,
            stored_dtype(weights[0]),
            adapter,
            read_training_prompt(folder),
        )

    @property
    def name(self) -> str:
        """The folder's own name: for people to read, never an identity."""
        return self.folder.name

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (64 hex digits) of everything that changes the answers; see `fingerprint`.

        An adapter's is a hash over that of its base and its own content.
        """
        base = fingerprint_of(self.model_folder)
        if self.adapter is None:
            return base
        own = tokenizer_digest(self.folder) if self.tokenizer_folder == self.folder else ""
        return hashlib.sha256(f"{base}\n{self.adapter.digest(own)}\n".encode()).hexdigest()


def _existing(folder: Path) -> Path:
    if not folder.is_dir():
        raise SuiteError(
            "is not a folder" if folder.exists() else "does not exist",
            where=str(folder),
            next_step="Give the folder that holds config.json, the safetensors files and the tokenizer.",
        )
    return folder.resolve()


def _read_config(folder: Path) -> dict[str, Any]:
    path = folder / "config.json"
    if not path.is_file():
        raise SuiteError(
            "is missing",
            where=str(path),
            next_step="Give the folder that holds config.json, the safetensors files and the tokenizer.",
        )
    config = read_json(path)
    if not isinstance(config.get("model_type"), str):
        raise SuiteError(
            'names no "model_type"', where=str(path), next_step="Take config.json from the base model again."
        )
    if (folder / ADAPTER_CONFIG).is_file():
        raise SuiteError(
            "an adapter lies in the folder of a whole model, and would be ignored or applied depending on what is "
            "installed",
            where=str(folder / ADAPTER_CONFIG),
            next_step="Move the adapter's two files to a folder of their own and evaluate that; or, if it is merged "
            "already, delete them.",
        )
    return config


def _check_weights(folder: Path) -> tuple[Path, ...]:
    weights = weight_files(folder)
    if not weights:
        found = next((name for name in _PICKLED if (folder / name).exists()), None)
        if found is not None:
            raise pickled(folder / found)
        raise SuiteError(
            "holds no model.safetensors and no model.safetensors.index.json",
            where=str(folder),
            next_step="Copy the weights into the folder; transformers saves them as safetensors.",
        )
    for path in weights:
        if not path.is_file():
            raise SuiteError(
                "is named in model.safetensors.index.json but missing",
                where=str(path),
                next_step="Copy this shard into the folder.",
            )
        check_safetensors(path)
    return weights


def _has_tokenizer(folder: Path) -> bool:
    found = {name for name in TOKENIZER_FILES if (folder / name).is_file()}
    whole = found & {*_WHOLE_TOKENIZERS} or {"vocab.json", "merges.txt"} <= found or any(folder.glob("*.tiktoken"))
    return bool(whole)


def _check_tokenizer(folder: Path) -> None:
    if not _has_tokenizer(folder):
        raise SuiteError(
            "holds no tokenizer (tokenizer.json, tokenizer.model, or vocab.json with merges.txt)",
            where=str(folder),
            next_step="Copy the tokenizer's files from the base model, or save it with save_pretrained().",
        )


def _refuse_code(path: Path) -> None:
    if path.is_file() and "auto_map" in read_json(path):
        raise SuiteError(
            'asks for code of its own ("auto_map"), which is never run',
            where=str(path),
            next_step='If transformers knows this model type itself, delete the "auto_map" entry; otherwise '
            "serve the model with a server of its own and evaluate that endpoint.",
        )
