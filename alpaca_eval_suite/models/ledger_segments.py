"""The files of a ledger: each process appends to one of its own, and follows those of all others.

No file has two writers and nothing is locked, so that disks with weak locks do.
"""

import os
import re
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from time import monotonic
from typing import Any

from alpaca_eval_suite.errors import Report, SuiteError
from alpaca_eval_suite.models.ledger_lines import VERSION, DamagedLineError, decode, encode
from alpaca_eval_suite.models.liveness import DEAD_SECONDS, STILL_SECONDS, Fate, Owner, fate_of, this_process

_PATTERN = re.compile(r"segment-[\w.+-]+\.jsonl")
_VOID = b"\x18\n"
"""Ends a line that was cut short. No whole line holds the sign; after a whole line it is an empty one."""
_BUFFER = 1 << 18
_HOLE_SECONDS = 15.0
"""What was written is flushed every few seconds; zeros that stay for longer are damage."""

Take = Callable[[dict[str, Any], bytes], None]
"""Given what a line says, and the line."""


def segments_in(folder: Path) -> list[str]:
    """Names of the segments in the folder, the oldest first. Raises SuiteError when it cannot be read."""
    try:
        return sorted(name for name in os.listdir(folder) if _PATTERN.fullmatch(name))
    except OSError as error:
        raise _unreadable(folder, error) from error


class SegmentWriter:
    """This process's own segment. Not safe for threads. `stood_still`: set when the process was silent for long."""

    def __init__(self, folder: Path, about: str) -> None:
        """Begin a new segment in the folder; `about` is the hash of what the ledger is of. Raises SuiteError."""
        self.owner = this_process()
        now = time.time()
        stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime(now)) + f".{int(now * 1000) % 1000:03d}"
        host = re.sub(r"[^A-Za-z0-9]+", "-", socket.gethostname())[:24]
        self.name = f"segment-{stamp}-{host}-{self.owner.pid}-{secrets.token_hex(4)}.jsonl"
        self.path = folder / self.name
        self.stood_still = False
        self._cut = self._unsynced = False
        self._written = self._safe = _now()
        try:
            # Unbuffered: each line is one write, and there at once for every reader.
            self._file = open(self.path, "xb", buffering=0, opener=_append)  # noqa: SIM115
        except OSError as error:
            raise self._unwritable(error) from error
        first = {"do": "open", "version": VERSION, "about": about, "time": stamp, **asdict(self.owner)}
        self.append(encode(first), sync=True)
        with suppress(OSError):  # not every system can; the entry is then safe a little later
            _sync_folder(folder)

    @property
    def closed(self) -> bool:
        """Whether nothing more can be written."""
        return self._file.closed

    @property
    def idle(self) -> float:
        """Seconds since the last line."""
        return _since(self._written)

    def append(self, line: bytes, *, sync: bool = False) -> None:
        """Write the whole line; raises SuiteError when the disk is full, and the line then counts for nothing."""
        try:
            if self._cut:
                self._file.write(_VOID)
            self._cut = True
            start = 0
            while start < len(line):  # once, but for a signal or a disk just getting full
                start += self._file.write(line[start:] if start else line) or 0
            self._cut = False
        except OSError as error:
            raise self._unwritable(error) from error
        self._written, self._unsynced = _now(), True
        if _since(self._safe) > STILL_SECONDS:
            self.stood_still = True
        if sync:
            self.sync()

    def sync(self) -> None:
        """Make what was written survive a power cut, and seen from other machines. Raises SuiteError."""
        if not self._unsynced:
            return
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._unwritable(error) from error
        self._safe, self._unsynced = self._written, False
        if _since(self._safe) > STILL_SECONDS:
            self.stood_still = True

    def close(self) -> None:
        """Close the file as it is."""
        self._file.close()

    def _unwritable(self, error: OSError) -> SuiteError:
        return SuiteError(
            f"cannot be written ({error.strerror or error})",
            where=str(self.path),
            next_step="Nothing recorded before is lost. Free some space, or mend the disk, then run the same again.",
        )


class Tail:
    """Another process's segment, read as it grows.

    `alive`: its process may still go on. `final`: it certainly does not, and all of the file was read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.owner: Owner | None = None
        self.about: str | None = None
        self.final = self.alive = self._ended = False
        self._offset = self._lines = self._size = 0
        self._grown = monotonic()
        self._hole: float | None = None

    def read(self, take: Take, report: Report) -> None:
        """Give each new line to `take`, which may raise as Book.apply does; damaged lines go to `report`.

        A last line that is not whole yet is left for the next time. Raises SuiteError when the file is gone.
        """
        self._read(take, report)
        fate = Fate.DEAD if self._ended else fate_of(self.owner) if self.owner else Fate.UNKNOWN
        if fate is Fate.DEAD:
            self._read(take, report, complete=True)  # what it wrote between our reading and its death
            self.final = True
        silence = monotonic() - self._grown
        self.alive = fate is Fate.ALIVE or (fate is Fate.UNKNOWN and silence <= DEAD_SECONDS)

    def _read(self, take: Take, report: Report, *, complete: bool = False) -> None:
        for line in self._new_lines():
            try:
                event = {"do": "void"} if line.endswith(_VOID) else decode(line)
                if event["do"] == "open":
                    self._open(event)
                take(event, line)
                self._ended |= event["do"] == "end"
            except (DamagedLineError, KeyError, TypeError, AttributeError, ValueError) as error:
                if b"\0" in line and not complete and self._may_be_filled():
                    return
                report(
                    SuiteError(
                        f"this line is damaged and counts for nothing ({error})",
                        where=f"{self.path}:{self._lines + 1}",
                        next_step="Its result is asked for again. If there are many, look after the disk.",
                    )
                )
            self._hole = None
            self._offset += len(line)
            self._lines += 1

    def _may_be_filled(self) -> bool:
        """Over a network a later part of a file may be seen before an earlier one, which is zeros until it comes."""
        self._hole = monotonic() if self._hole is None else self._hole
        return monotonic() - self._hole <= _HOLE_SECONDS

    def _new_lines(self) -> Iterator[bytes]:
        try:
            # Opened anew each time: that is when a network disk shows what others wrote.
            with self.path.open("rb", buffering=_BUFFER if self._offset == 0 else 1 << 13) as stream:
                size = os.fstat(stream.fileno()).st_size
                if size != self._size:
                    self._size, self._grown = size, monotonic()
                if size <= self._offset:
                    return
                stream.seek(self._offset)
                for line in stream:
                    if not line.endswith(b"\n"):
                        return
                    yield line
        except OSError as error:
            raise _unreadable(self.path, error) from error

    def _open(self, event: dict[str, Any]) -> None:
        if event["version"] > VERSION:
            raise SuiteError(
                "was written by a newer version of this program",
                where=str(self.path),
                next_step="Update it: pip install --upgrade alpaca-eval-suite",
            )
        self.owner = Owner(event["machine"], event["pid"], event["started"])
        self.about = event["about"]


def _append(path: str, flags: int) -> int:
    return os.open(path, (flags & ~os.O_TRUNC) | os.O_APPEND | getattr(os, "O_CLOEXEC", 0), 0o666)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _now() -> tuple[float, float]:
    return monotonic(), time.time()


def _since(moment: tuple[float, float]) -> float:
    # While a machine sleeps its monotonic clock may stand, and the other one may be set: the larger is the safe one.
    return max(monotonic() - moment[0], time.time() - moment[1])


def _unreadable(path: Path, error: OSError) -> SuiteError:
    return SuiteError(
        f"cannot be read ({error.strerror or error})",
        where=str(path),
        next_step="A ledger must stay in its place while it is in use. Check the folder, then run the same again.",
    )
