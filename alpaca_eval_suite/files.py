"""Reading and writing files safely: atomic writes, JSON Lines with the line named in every error."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from alpaca_eval_suite.errors import SuiteError


def write_atomic(path: Path, text: str) -> None:
    """Write `text` to `path` through a temporary file beside it: readers see the old file or the new one.

    Raises SuiteError when the disk is full or the folder cannot be written; the old file is then untouched.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as error:
        raise SuiteError(
            f"cannot be written ({error.strerror or error})",
            where=str(path),
            next_step="Free some space or choose another folder, then run the same command again.",
        ) from error
    finally:
        if temporary is not None:
            with suppress(OSError):
                os.unlink(temporary)


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
    if text.lstrip().startswith("["):
        try:
            values = json.loads(text)
        except ValueError as error:
            raise SuiteError(f"is not valid JSON ({error})", where=str(path)) from error
        rows = [(f"{path}[{index}]", value) for index, value in enumerate(values)]
    else:
        rows = [(f"{path}:{n}", line) for n, line in enumerate(text.split("\n"), 1) if line.strip()]
    for where, value in rows:
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError as error:
                raise SuiteError(
                    f"is not valid JSON ({error})",
                    where=where,
                    next_step="Each line must be one JSON object; a half-written last line can be deleted.",
                ) from error
        if not isinstance(value, dict):
            raise SuiteError("is not a JSON object", where=where)
        yield where, value


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of the file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sha256_text(text: str) -> str:
    """Hex SHA-256 of the text in UTF-8."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
