"""Files of a checkpoint or adapter, looked at without loading anything: JSON objects and safetensors headers."""

import json
import struct
from pathlib import Path
from typing import Any

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.files import read_text

_LFS_POINTER = b"version https://git-lfs"


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in the file. Raises SuiteError when it is unreadable or holds anything else."""
    try:
        value = json.loads(read_text(path))
    except ValueError as error:
        raise SuiteError(
            f"is not valid JSON ({error})", where=str(path), next_step="Copy the file again from its source."
        ) from error
    if not isinstance(value, dict):
        raise SuiteError("is not a JSON object", where=str(path), next_step="Copy the file again from its source.")
    return value


def pickled(path: Path) -> SuiteError:
    """The error for weights that are only there as a pickle."""
    return SuiteError(
        "pickled weights are refused: unpickling can run any code",
        where=str(path),
        next_step="On a machine where you trust the file, load the model with transformers (an adapter with peft) and "
        "call save_pretrained(folder), which writes safetensors.",
    )


def check_safetensors(path: Path) -> None:
    """The header must be readable and the data as long as the header says. Raises SuiteError where it is not."""
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


def stored_dtype(path: Path) -> str:
    """The type of most of the weights: "bfloat16", "float16", "float32", or the file's own name for it."""
    header = _safetensors_header(path)
    sizes: dict[str, int] = {}
    for tensor in (header[1] if header else {}).values():
        start, end = tensor["data_offsets"]
        sizes[tensor["dtype"]] = sizes.get(tensor["dtype"], 0) + end - start
    stored = max(sizes, key=lambda dtype: sizes[dtype], default="F32")
    return {"BF16": "bfloat16", "F16": "float16", "F32": "float32"}.get(stored, stored)


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
