"""A checkpoint's identity: a hash of the content that changes its answers, never its folder's name."""

import hashlib
import json
import time
from contextlib import suppress
from pathlib import Path

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.files import read_text, sha256_of, write_atomic
from alpaca_eval_suite.resources import cache_dir

TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "tokenizer.model",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "spiece.model",
    "tekken.json",
)
_TEMPLATES = ("chat_template.jinja", "chat_template.json", "additional_chat_templates/*.jinja")
_CONFIGS = ("config.json", "generation_config.json")
_INDEX = "model.safetensors.index.json"
_SHORT = 12
_CACHED_FROM = 1 << 20  # bytes; smaller files are hashed in less time than a cache look-up is worth
_SETTLED = 2 * 10**9  # nanoseconds


def fingerprint(folder: Path | str) -> str:
    """64 hex digits: SHA-256 over names and contents of weights, configuration, tokenizer and chat template.

    The folder's name and place, file times, model card, optimizer state and logs play no part. Hashes of
    large files are remembered (per path, size, time of change and inode), so that a second call is instant.
    Raises SuiteError when a file cannot be read.
    """
    return fingerprint_of(Path(folder).expanduser().resolve())


def short(full: str) -> str:
    """The first 12 digits, for names of runs and files."""
    return full[:_SHORT]


def fingerprint_of(folder: Path) -> str:
    """`fingerprint` of a resolved folder."""
    weights = weight_files(folder)
    # Which shard a tensor lies in changes nothing, but the index decides which shards are read.
    index = {folder / _INDEX} if len(weights) > 1 else set()
    return _digest(folder, {*_matching(folder, _CONFIGS), *_tokenizer_files(folder), *weights, *index})


def tokenizer_digest(folder: Path) -> str:
    """64 hex digits over the tokenizer's files and chat template alone, for a folder without a model."""
    return _digest(folder, _tokenizer_files(folder))


def _digest(folder: Path, files: set[Path]) -> str:
    total = hashlib.sha256()
    for path in sorted(files):
        # Both parts have a fixed end, so no two different folders give the same bytes.
        total.update(f"{path.relative_to(folder).as_posix()}\0{_file_hash(path)}\n".encode())
    return total.hexdigest()


def weight_files(folder: Path) -> tuple[Path, ...]:
    """The safetensors files that transformers loads: model.safetensors, else the shards of the index.

    Empty where there are neither. Shards are listed even when they are missing. Raises SuiteError on an
    index that is not readable or points out of the folder.
    """
    if (folder / "model.safetensors").exists():
        return (folder / "model.safetensors",)
    index = folder / _INDEX
    if not index.is_file():
        return ()
    try:
        names = sorted(set(json.loads(read_text(index))["weight_map"].values()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SuiteError(
            "is not a readable index of shards", where=str(index), next_step="Copy it again from its source."
        ) from error
    for name in names:
        if Path(name).name != name:
            raise SuiteError(
                f"names {name!r}, which is not a file of this folder",
                where=str(index),
                next_step="Put all shards beside the index and name them there without a path.",
            )
    return tuple(folder / name for name in names)


def _tokenizer_files(folder: Path) -> set[Path]:
    return _matching(folder, (*TOKENIZER_FILES, "*.tiktoken", *_TEMPLATES))


def _matching(folder: Path, patterns: tuple[str, ...]) -> set[Path]:
    return {path for pattern in patterns for path in folder.glob(pattern)}


def _file_hash(path: Path) -> str:
    try:
        stat = path.stat()
        if stat.st_size < _CACHED_FROM:
            return sha256_of(path)
        key = f"{path.resolve()}\0{stat.st_size}\0{stat.st_mtime_ns}\0{stat.st_ino}"
        remembered = cache_dir() / "hashes" / hashlib.sha256(key.encode()).hexdigest()
        with suppress(OSError):
            known = remembered.read_text("ascii").strip()
            if len(known) == 64:
                return known
        digest = sha256_of(path)
    except OSError as error:
        raise SuiteError(
            f"cannot be read ({error.strerror or error})", where=str(path), next_step="Check the file."
        ) from error
    # A file written a moment ago may change again within the same tick of the clock: not remembered yet.
    if time.time_ns() - stat.st_mtime_ns > _SETTLED:
        with suppress(SuiteError):  # a cache that cannot be written costs time, nothing else
            write_atomic(remembered, digest + "\n")
    return digest
