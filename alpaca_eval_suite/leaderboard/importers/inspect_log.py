"""Opening a log of inspect_ai: its header, and its samples one by one, from the zip (.eval) or from the JSON form.

A log may come from anybody: sizes are limited, nothing is unpacked to disk, no name in it is a path here.
"""

import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile, ZipInfo

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.files import read_text

LOG_VERSIONS = (1, 2)

_HEADER = "header.json"
_SAMPLES = "samples/"
_ZSTANDARD = 93
_LOCAL_HEADER = struct.Struct("<26xHH")  # the lengths of the name and of the extra field
_LARGEST = 1 << 30  # bytes of one member: a log of texts stays far below

_WHOLE = "Copy the log again: a file that was cut off, or is still being written, cannot be read."
_CONVERT = "Or, where inspect_ai is installed, give what this makes: inspect log convert LOG --to json --output-dir X"


@dataclass(frozen=True)
class InspectLog:
    """A log: what stands in its header (`eval`, `plan`, `results`, `stats`, `status`), and its samples with their
    places, read as they are asked for."""

    path: Path
    header: dict[str, Any]
    samples: Iterator[tuple[str, dict[str, Any]]]


def open_log(path: Path) -> InspectLog:
    """The log in `path`. Raises SuiteError naming file and member: no log, cut off, of a newer version, unfinished."""
    try:
        with path.open("rb") as stream:
            is_zip = stream.read(2) == b"PK"
    except OSError as error:
        raise SuiteError(f"cannot be read ({error.strerror or error})", where=str(path)) from error
    if is_zip or path.suffix == ".eval":
        return _open_zip(path)
    log = _parsed(read_text(path), str(path))
    samples = log.pop("samples", None)
    if samples is None:
        samples = []
    if not isinstance(samples, list):
        raise SuiteError("key 'samples': must be a list", where=str(path))
    _check_header(log, str(path))
    return InspectLog(
        path, log, ((f"{path}[{i}]", _object(sample, f"{path}[{i}]")) for i, sample in enumerate(samples))
    )


def _open_zip(path: Path) -> InspectLog:
    try:
        with ZipFile(path) as archive:
            # A member that was written again stands twice; the last one counts.
            members = {info.filename: info for info in archive.infolist()}
            if _HEADER not in members:
                raise SuiteError(
                    f"is not finished: it has no {_HEADER}",
                    where=str(path),
                    next_step="Finish it with `inspect eval-retry`, or write what there is with `inspect log recover`.",
                )
            header = _parsed(_member(archive, path, members[_HEADER]), f"{path}:{_HEADER}")
    except (BadZipFile, OSError, EOFError) as error:
        raise SuiteError(f"is not a whole zip file ({error})", where=str(path), next_step=_WHOLE) from error
    _check_header(header, f"{path}:{_HEADER}")
    names = sorted(name for name in members if name.startswith(_SAMPLES) and name.endswith(".json"))
    return InspectLog(path, header, _samples(path, [members[name] for name in names]))


def _samples(path: Path, members: list[ZipInfo]) -> Iterator[tuple[str, dict[str, Any]]]:
    with ZipFile(path) as archive:
        for info in members:
            where = f"{path}:{info.filename}"
            yield where, _parsed(_member(archive, path, info), where)


def _member(archive: ZipFile, path: Path, info: ZipInfo) -> str:
    where = f"{path}:{info.filename}"
    if info.file_size > _LARGEST:
        raise SuiteError(f"is larger than {_LARGEST >> 20} MiB", where=where)
    if info.flag_bits & 1:
        raise SuiteError("is encrypted", where=where, next_step="Unpack it with its password first.")
    try:
        content = archive.read(info)
    except NotImplementedError as error:
        if info.compress_type != _ZSTANDARD:
            raise SuiteError(f"cannot be unpacked ({error})", where=where, next_step=_CONVERT) from error
        content = _unpacked(path, info, where)
    except (BadZipFile, zlib.error, EOFError, OSError) as error:
        raise SuiteError(f"is damaged ({error})", where=where, next_step=_WHOLE) from error
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SuiteError(f"is not UTF-8 text (byte {error.start})", where=where) from error


def _unpacked(path: Path, info: ZipInfo, where: str) -> bytes:
    """A member compressed by Zstandard, as inspect_ai writes them today; Python before 3.14 cannot."""
    try:
        import zstandard
    except ImportError:
        raise SuiteError(
            "is compressed by Zstandard, which this Python cannot unpack",
            where=where,
            next_step=f"Type: pip install zstandard. {_CONVERT}",
        ) from None
    try:
        with path.open("rb") as stream:
            stream.seek(info.header_offset)
            name, extra = _LOCAL_HEADER.unpack(stream.read(_LOCAL_HEADER.size))
            stream.seek(name + extra, 1)
            packed = stream.read(info.compress_size)
        reader = zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True)
        content = bytes(reader.read(info.file_size + 1))
    except (zstandard.ZstdError, struct.error, OSError) as error:
        raise SuiteError(f"is damaged ({error})", where=where, next_step=_WHOLE) from error
    if len(content) != info.file_size or zlib.crc32(content) != info.CRC:
        raise SuiteError("is damaged (its length or its checksum is wrong)", where=where, next_step=_WHOLE)
    return content


def _parsed(content: str, where: str) -> dict[str, Any]:
    try:
        return _object(json.loads(content), where)
    except (ValueError, RecursionError) as error:
        raise SuiteError(f"is not valid JSON ({error})", where=where, next_step=_WHOLE) from error


def _object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise SuiteError("is not a JSON object", where=where)
    return value


def _check_header(header: dict[str, Any], where: str) -> None:
    if not isinstance(header.get("eval"), dict):
        raise SuiteError("is not a log of inspect_ai: the key 'eval' is missing", where=where)
    version = header.get("version", 1)
    if version not in LOG_VERSIONS:
        raise SuiteError(
            f"is a log of version {version!r}; this program reads versions {' and '.join(map(str, LOG_VERSIONS))}",
            where=where,
            next_step="Update: pip install -U alpaca-eval-suite.",
        )
    if header.get("status") == "started":
        raise SuiteError(
            "is not finished: its status is 'started'", where=where, next_step="Finish it with `inspect eval-retry`."
        )
