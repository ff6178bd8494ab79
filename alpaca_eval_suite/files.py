"""Reading and writing files safely: atomic writes, JSON Lines with the line named in every error."""

import hashlib
import json
import os
import re
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any

from alpaca_eval_suite.errors import Report, SuiteError, stop

_NO_SPACE = re.compile(r"[^ \t\n\r]")


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
        raise _unreadable(path, error) from error
    except UnicodeDecodeError as error:
        raise _not_utf8(path, error.start) from error


def _unreadable(path: Path, error: OSError) -> SuiteError:
    return SuiteError(f"cannot be read ({error.strerror or error})", where=str(path), next_step="Check the path.")


def _not_utf8(path: Path, byte: int) -> SuiteError:
    return SuiteError(
        f"is not UTF-8 text (byte {byte})",
        where=str(path),
        next_step="Save it as UTF-8; a compressed file must be unpacked first.",
    )


def read_rows(path: Path, report: Report = stop) -> Iterator[tuple[str, dict[str, Any]]]:
    """`parse_rows` of a file in UTF-8. Raises SuiteError when it cannot be read.

    JSON Lines are read line by line, and a list value by value, so that a file may be larger than memory (a list
    that is one single line is held as a whole).
    """
    return _rows(str(path), _lines(path), report)


def parse_rows(name: str, text: str, report: Report = stop) -> Iterator[tuple[str, dict[str, Any]]]:
    """(where, object) for each object of JSON Lines, or of a JSON text that holds one list.

    `where` is "name:line" (or "name[index]"), to be named in errors. Bad JSON, and a row that is not an object,
    are reported and passed over.
    """
    # Not splitlines(): that would cut at line separators inside JSON strings.
    return _rows(name, iter(text.split("\n")), report)


def _lines(path: Path) -> Iterator[str]:
    """The lines of a file in UTF-8, each read when it is asked for."""
    start = 0
    try:
        with path.open("rb") as stream:
            for line in stream:
                encoding = "utf-8-sig" if start == 0 else "utf-8"
                yield line.removesuffix(b"\n").decode(encoding)
                start += len(line)
    except OSError as error:
        raise _unreadable(path, error) from error
    except UnicodeDecodeError as error:
        raise _not_utf8(path, start + error.start) from error


def _rows(name: str, lines: Iterator[str], report: Report) -> Iterator[tuple[str, dict[str, Any]]]:
    blank = 0
    first = ""
    for first in lines:
        if first.strip():
            break
        blank += 1
    if first.lstrip().startswith("["):
        values = _list_values(name, chain([first], lines), report)
    else:
        values = _line_values(name, enumerate(chain([first], lines), blank + 1), report)
    for where, value in values:
        if isinstance(value, dict):
            yield where, value
        else:
            report(SuiteError("is not a JSON object", where=where))


def _list_values(name: str, lines: Iterator[str], report: Report) -> Iterator[tuple[str, Any]]:
    try:
        for index, value in enumerate(_ListReader(lines)):
            yield f"{name}[{index}]", value
    except (ValueError, RecursionError) as error:
        next_step = "A file that begins with [ must be one JSON list; else write one object a line."
        report(SuiteError(f"is not valid JSON ({error})", where=name, next_step=next_step))


class _ListReader:
    """The values of one JSON list, each given when it is whole; no value spans a line but by its structure.

    Raises ValueError where the text is not one list.
    """

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._text = ""
        self._place = 0

    def __iter__(self) -> Iterator[Any]:
        decode = json.JSONDecoder().raw_decode
        self._expect("[")
        sign = self._peek()
        while sign != "]":
            yield self._value(decode)
            sign = self._peek()
            if sign != "]":
                self._expect(",")
        self._expect("]")
        if self._peek():
            raise ValueError("there is more after the list")

    def _value(self, decode: Callable[[str, int], tuple[Any, int]]) -> Any:
        self._peek()
        while True:
            try:
                value, self._place = decode(self._text, self._place)
            except ValueError:
                # Twice as much each time: a value of many lines is not tried anew with every line.
                if not self._read(max(1, len(self._text) - self._place)):
                    raise
            else:
                return value

    def _expect(self, sign: str) -> None:
        found = self._peek()
        if found != sign:
            raise ValueError(f"{sign!r} is missing before {found!r}" if found else f"{sign!r} is missing at the end")
        self._place += 1

    def _peek(self) -> str:
        """The next sign that is no white space, "" at the end."""
        while True:
            found = _NO_SPACE.search(self._text, self._place)
            if found is not None:
                self._place = found.start()
                return found[0]
            self._place = len(self._text)
            if not self._read(1):
                return ""

    def _read(self, characters: int) -> bool:
        """Put at least so many more characters behind what is not read yet; False when there are none."""
        parts = [self._text[self._place :]]
        length = 0
        for line in self._lines:
            parts += [line, "\n"]
            length += len(line) + 1
            if length >= characters:
                break
        self._text, self._place = "".join(parts), 0
        return length > 0


def _line_values(name: str, numbered: Iterable[tuple[int, str]], report: Report) -> Iterator[tuple[str, Any]]:
    next_step = "Each line must be one JSON object; a half-written last line can be deleted."
    for number, line in numbered:
        if not line.strip():
            continue
        where = f"{name}:{number}"
        try:
            value = _parse(line, where, next_step)
        except SuiteError as problem:
            report(problem)
        else:
            yield where, value


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
