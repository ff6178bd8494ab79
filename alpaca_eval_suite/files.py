"""Reading and writing files safely: atomic writes, JSON Lines with the line named in every error."""

import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from alpaca_eval_suite.errors import SuiteError


def write_atomic(path: Path, text: str) -> None:
    """Write `text` to `path` through a temporary file beside it: readers see the old file or the new one.

    The bytes are UTF-8 with the line ends of `text` on every system; half of a surrogate pair, which UTF-8
    cannot hold, is written as its escape (in JSON the same string). Raises SuiteError when the disk is full
    or the folder cannot be written; the old file is then untouched.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("x", encoding="utf-8", errors="backslashreplace", newline="") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise SuiteError(
            f"cannot be written ({error.strerror or error})",
            where=str(path),
            next_step="Free some space or choose another folder, then run the same command again.",
        ) from error
    finally:
        with suppress(OSError):  # after success it is gone already
            temporary.unlink()


def write_json(path: Path, value: object) -> None:
    """`write_atomic` of `value` as indented JSON; a NaN is an error, never written."""
    write_atomic(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_text(path: Path) -> str:
    """The file's text. Raises SuiteError when it is missing, unreadable or not UTF-8."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise SuiteError(
            f"cannot be read ({error.strerror or error})", where=str(path), next_step="Check the path."
        ) from error
    except UnicodeDecodeError as error:
        raise SuiteError(
            f"is not UTF-8 text (byte {error.start})",
            where=str(path),
            next_step="Save it as UTF-8; a compressed file must be unpacked first.",
        ) from error


def read_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """(where, object) for each object of a JSON Lines file, or of a JSON file that holds one list.

    `where` is "file:line" (or "file[index]"), to be named in errors. Raises SuiteError on bad JSON,
    and on a row that is not an object.
    """
    text = read_text(path)
    values = _list_values if text.lstrip().startswith("[") else _line_values
    for where, value in values(path, text):
        if not isinstance(value, dict):
            raise SuiteError("is not a JSON object", where=where)
        yield where, value


def _list_values(path: Path, text: str) -> Iterator[tuple[str, Any]]:
    next_step = "A file that begins with [ must be one JSON list; else write one object a line."
    for index, value in enumerate(_parse(text, str(path), next_step)):
        yield f"{path}[{index}]", value


def _line_values(path: Path, text: str) -> Iterator[tuple[str, Any]]:
    next_step = "Each line must be one JSON object; a half-written last line can be deleted."
    # Not splitlines(): that would cut at line separators inside JSON strings.
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            where = f"{path}:{number}"
            yield where, _parse(line, where, next_step)


def _parse(text: str, where: str, next_step: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SuiteError(f"is not valid JSON ({error})", where=where, next_step=next_step) from error


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of the file's bytes. Raises SuiteError when it cannot be read."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise SuiteError(
            f"cannot be read ({error.strerror or error})", where=str(path), next_step="Check the file."
        ) from error


def sha256_text(text: str) -> str:
    """Hex SHA-256 of the text in UTF-8."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
