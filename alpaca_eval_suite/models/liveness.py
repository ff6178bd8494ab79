"""Is the process that wrote this still alive? Certain on the same machine, by silence from another one.

Clocks of two machines are never compared: who watches measures the silence by its own clock.
"""

import os
import socket
import sys
import uuid
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path

BEAT_SECONDS = 20.0
"""A process that holds something shows that it lives at least so often."""
DEAD_SECONDS = 120.0
"""After so much silence a process on another machine counts as dead."""
STILL_SECONDS = 60.0
"""A process that stood still for so long must find out whether others took it for dead."""

_STATE, _STARTED = 0, 19
"""Places in /proc/PID/stat behind the command's name, which may itself hold spaces and brackets."""


class Fate(Enum):
    """What can be known about a process from here."""

    ALIVE = "alive"
    DEAD = "dead"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Owner:
    """A process, told apart from a later one with the same number; `started` is "" where the system does not say."""

    machine: str
    pid: int
    started: str


def this_process() -> Owner:
    """The process that runs this."""
    pid = os.getpid()
    stat = _stat(pid)
    return Owner(machine(), pid, stat[_STARTED] if stat else "")


def fate_of(owner: Owner) -> Fate:
    """ALIVE or DEAD where that is certain, UNKNOWN for a process of another machine, container or user."""
    if owner.machine != machine() or sys.platform == "win32":  # on Windows os.kill(pid, 0) would end the process
        return Fate.UNKNOWN
    stat = _stat(owner.pid)
    if stat is not None:
        same = stat[_STARTED] == owner.started and stat[_STATE] not in "ZX"
        return Fate.ALIVE if same else Fate.DEAD
    try:
        os.kill(owner.pid, 0)
    except ProcessLookupError:
        return Fate.DEAD
    except OSError:
        return Fate.UNKNOWN  # hidden from us: silence must tell
    return Fate.UNKNOWN  # the number is in use, by whom is not known


@cache
def machine() -> str:
    """What two processes must have in common to see each other's numbers: host, this boot of it, namespace."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        boot = f"{uuid.getnode():x}"
    try:
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:
        namespace = ""
    return f"{socket.gethostname()} {boot} {namespace}".strip()


def _stat(pid: int) -> list[str] | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()
