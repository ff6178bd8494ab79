"""A checkpoint folder: checked before anything heavy is loaded, and identified by its content."""

import json
import struct
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.files import read_text
from alpaca_eval_suite.models.fingerprint import TOKENIZER_FILES, fingerprint_of, weight_files

_PICKLED = ("pytorch_model.bin", "pytorch_model.bin.index.json", "adapter_model.bin", "consolidated.00.pth")
# A tokenizer is one of these, or vocab.json with merges.txt; the other tokenizer files only add to it.
_WHOLE_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "spiece.model", "tekken.json", "vocab.txt")
_LFS_POINTER = b"version https://git-lfs"


@dataclass(frozen=True)
class Checkpoint:
    """A folder in Hugging Face's layout that can be loaded: safetensors weights, config, tokenizer, no code.

    `weights` are the safetensors files that will be read, `dtype` is the type they are stored in.
    """

    folder: Path
    config: dict[str, Any]
    weights: tuple[Path, ...]
    dtype: str

    @classmethod
    def open(cls, folder: Path | str) -> "Checkpoint":
        """Check the folder in milliseconds. Raises SuiteError, naming the file and what to do about it."""
        folder = Path(folder).expanduser()
        if not folder.is_dir():
            raise SuiteError(
                "is not a folder" if folder.exists() else "does not exist",
                where=str(folder),
                next_step="Give the folder that holds config.json, the safetensors files and the tokenizer.",
            )
        folder = folder.resolve()
        config = _read_config(folder)
        weights = _check_weights(folder)
        _check_tokenizer(folder)
        for name in ("config.json", "tokenizer_config.json"):
            _refuse_code(folder / name)
        return cls(folder, config, weights, _stored_dtype(weights[0]))

    @property
    def name(self) -> str:
        """The folder's own name: for people to read, never an identity."""
        return self.folder.name

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (64 hex digits) of everything that changes the answers; see `fingerprint`."""
        return fingerprint_of(self.folder)


def _read_config(folder: Path) -> dict[str, Any]:
    path = folder / "config.json"
    if not path.is_file():
        next_step = "Give the folder that holds config.json, the safetensors files and the tokenizer."
        if (folder / "adapter_config.json").is_file():
            next_step = (
                "This is an adapter without its base model: load both with peft, call merge_and_unload(), "
                "and save_pretrained() the result."
            )
        raise SuiteError("is missing", where=str(path), next_step=next_step)
    config = _read_json(path)
    if not isinstance(config.get("model_type"), str):
        raise SuiteError(
            'names no "model_type"', where=str(path), next_step="Take config.json from the base model again."
        )
    if (folder / "adapter_config.json").is_file():
        raise SuiteError(
            "an adapter lies in the folder, and would be ignored or applied depending on what is installed",
            where=str(folder / "adapter_config.json"),
            next_step="Merge it with peft's merge_and_unload() and save_pretrained() to a new folder, or move it away.",
        )
    return config


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(read_text(path))
    except ValueError as error:
        raise SuiteError(
            f"is not valid JSON ({error})", where=str(path), next_step="Copy the file again from its source."
        ) from error
    if not isinstance(value, dict):
        raise SuiteError("is not a JSON object", where=str(path), next_step="Copy the file again from its source.")
    return value


def _check_weights(folder: Path) -> tuple[Path, ...]:
    weights = weight_files(folder)
    if not weights:
        pickled = next((name for name in _PICKLED if (folder / name).exists()), None)
        if pickled is not None:
            raise SuiteError(
                "pickled weights are refused: unpickling can run any code",
                where=str(folder / pickled),
                next_step="On a machine where you trust the file, load the model with transformers and call "
                "save_pretrained(folder), which writes safetensors.",
            )
        raise SuiteError(
            "holds no model.safetensors and no model.safetensors.index.json",
            where=str(folder),
            next_step="Copy the weights into the folder; transformers saves them as safetensors.",
        )
    for path in weights:
        _check_safetensors(path)
    return weights


def _check_safetensors(path: Path) -> None:
    """The header must be readable and the data as long as the header says."""
    if not path.is_file():
        raise SuiteError(
            "is named in model.safetensors.index.json but missing",
            where=str(path),
            next_step="Copy this shard into the folder.",
        )
    size = path.stat().st_size
    again = "The file is incomplete: copy it again from its source (compare the sizes)."
    with path.open("rb") as stream:
        start = stream.read(len(_LFS_POINTER))
    if start == _LFS_POINTER:
        raise SuiteError(
            "is a Git LFS pointer, not the weights",
            where=str(path),
            next_step="Type `git lfs pull` in the folder it was cloned into.",
        )
    header = _safetensors_header(path)
    if header is None:
        raise SuiteError("is not a readable safetensors file", where=str(path), next_step=again)
    length, tensors = header
    ends = [tensor["data_offsets"][1] for tensor in tensors.values()]
    expected = 8 + length + max(ends, default=0)
    if not ends or size != expected:
        raise SuiteError(f"has {size:,} bytes, its header says {expected:,}", where=str(path), next_step=again)


def _safetensors_header(path: Path) -> tuple[int, dict[str, Any]] | None:
    """Length of the header in bytes, and its tensors; None where it cannot be read."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        head = stream.read(8)
        length = struct.unpack("<Q", head)[0] if len(head) == 8 else size
        if 8 + length > size:
            return None
        try:
            header = json.loads(stream.read(length))
        except ValueError:
            return None
    if not isinstance(header, dict):
        return None
    tensors = {name: value for name, value in header.items() if name != "__metadata__"}
    well_formed = all(isinstance(v, dict) and {"dtype", "data_offsets"} <= v.keys() for v in tensors.values())
    return (length, tensors) if well_formed else None


def _stored_dtype(path: Path) -> str:
    """The type of most of the weights: "bfloat16", "float16", "float32", or the file's own name for it."""
    header = _safetensors_header(path)
    sizes: dict[str, int] = {}
    for tensor in (header[1] if header else {}).values():
        start, end = tensor["data_offsets"]
        sizes[tensor["dtype"]] = sizes.get(tensor["dtype"], 0) + end - start
    stored = max(sizes, key=lambda dtype: sizes[dtype], default="F32")
    return {"BF16": "bfloat16", "F16": "float16", "F32": "float32"}.get(stored, stored)


def _check_tokenizer(folder: Path) -> None:
    found = {name for name in TOKENIZER_FILES if (folder / name).is_file()}
    whole = found & {*_WHOLE_TOKENIZERS} or {"vocab.json", "merges.txt"} <= found or any(folder.glob("*.tiktoken"))
    if not whole:
        raise SuiteError(
            "holds no tokenizer (tokenizer.json, tokenizer.model, or vocab.json with merges.txt)",
            where=str(folder),
            next_step="Copy the tokenizer's files from the base model, or save it with save_pretrained().",
        )


def _refuse_code(path: Path) -> None:
    if path.is_file() and "auto_map" in _read_json(path):
        raise SuiteError(
            'asks for code of its own ("auto_map"), which is never run',
            where=str(path),
            next_step='If transformers knows this model type itself, delete the "auto_map" entry; otherwise '
            "serve the model with a server of its own and evaluate that endpoint.",
        )
