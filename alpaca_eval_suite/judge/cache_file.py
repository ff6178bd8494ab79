"""The SQLite file under the verdict cache: how it is opened, its schema, its journal, waiting for other processes."""

import random
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, TypeVar

from alpaca_eval_suite.errors import SuiteError

_T = TypeVar("_T")

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE verdict (
            key TEXT PRIMARY KEY,
            reply TEXT NOT NULL,
            judge TEXT NOT NULL,
            judge_hash TEXT NOT NULL,
            cost REAL,
            date TEXT NOT NULL,
            hits INTEGER NOT NULL DEFAULT 0,
            saved REAL NOT NULL DEFAULT 0
        )""",
    ),
)
"""Statements that bring a file from version 0 to 1, from 1 to 2, and so on; the file's version is its user_version."""

WAIT_S = 30.0
"""How long other processes may hold the file before its user gives up."""

_NETWORK = re.compile(r"(fuse\.)?(9p|afs|beegfs|ceph|cifs|glusterfs|gpfs|juicefs|lustre|nfs4?|smb3|smbfs|sshfs|wekafs)")
_NAP_S = 1.0  # SQLite waits without hearing Ctrl-C, so it waits for a second at a time
_SMALLEST = 512
_MOUNTS = Path("/proc/self/mounts")
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})


def open_file(path: Path, notice: Callable[[str], None]) -> sqlite3.Connection:
    """A connection to the file, made where it is missing, in the newest schema; one thread at a time may use it.

    The journal is WAL, so that readers never wait. Where that is not possible (network disks: its index is shared
    memory) it is DELETE, and `notice` is told. Raises sqlite3.Error, OSError, or SuiteError for another's file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_file() and 0 < path.stat().st_size < _SMALLEST:  # SQLite would take it for an empty database
        raise SuiteError("is not a database", where=str(path), next_step="Name another file for the cache.")
    connection = sqlite3.connect(path, timeout=min(_NAP_S, WAIT_S), isolation_level=None, check_same_thread=False)
    try:
        patiently(lambda: _migrate(connection, path))
        if patiently(lambda: _set_journal(connection, path)) == "delete":
            notice(f"{path}: this file system has no write-ahead log for SQLite; the cache works, but slower")
        # Safe against a kill; with WAL a power cut may lose the last verdicts, which the ledgers hold.
        connection.execute("PRAGMA synchronous = NORMAL")
    except BaseException:
        connection.close()
        raise
    return connection


def _mounts() -> str:
    try:
        return _MOUNTS.read_text("utf-8", "replace")
    except OSError:  # not Linux
        return ""


def on_network(path: Path, mounts: str) -> bool:
    """Whether `path` (absolute, no links) is on a disk that several machines share, by a text like /proc/mounts."""
    kind, deepest = "", -1
    for line in mounts.splitlines():
        _, point, here, *_ = line.split()
        folder = Path(point.replace("\\040", " "))
        # At one point the later mount hides the earlier one.
        if path.is_relative_to(folder) and len(folder.parts) >= deepest:
            kind, deepest = here, len(folder.parts)
    return _NETWORK.fullmatch(kind) is not None


def patiently(action: Callable[[], _T]) -> _T:
    """What `action` returns; tried again for WAIT_S while other processes hold the file. Raises sqlite3.Error."""
    deadline = time.monotonic() + WAIT_S
    while True:
        try:
            return action()
        except sqlite3.OperationalError as error:
            if primary_code(error) not in _BUSY or time.monotonic() > deadline:
                raise
        time.sleep(random.uniform(0.005, 0.05))


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of the body or nothing. The lock is taken at the start: no deadlock of two readers that turn writers."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):  # SQLite may have rolled back already (disk full)
            connection.execute("ROLLBACK")
        raise


def _set_journal(connection: sqlite3.Connection, path: Path) -> Literal["wal", "delete", "read-only"]:
    """The journal mode that the file is in from now on. A file that may not be written keeps the one it has."""
    wanted: Literal["wal", "delete"] = "delete" if on_network(path.resolve(), _mounts()) else "wal"
    if connection.execute("PRAGMA journal_mode").fetchone() != (wanted,):
        try:
            now = connection.execute(f"PRAGMA journal_mode = {wanted}").fetchone()
        except sqlite3.OperationalError as error:
            if primary_code(error) == sqlite3.SQLITE_READONLY:
                return "read-only"
            if primary_code(error) != sqlite3.SQLITE_IOERR:  # so fails a file system without shared memory
                raise
            now = connection.execute("PRAGMA journal_mode = delete").fetchone()
        return "wal" if now == ("wal",) else "delete"
    return wanted


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    if _version(connection, path) == len(MIGRATIONS):
        return
    with transaction(connection):
        version = _version(connection, path)  # another process may have been faster
        if version == 0 and connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
            what = "is an SQLite file of something else"
            raise SuiteError(what, where=str(path), next_step="Name another file for the cache.")
        for number in range(version, len(MIGRATIONS)):
            for statement in MIGRATIONS[number]:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number + 1}")


def _version(connection: sqlite3.Connection, path: Path) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        what = "was written by a newer version of alpaca-eval-suite"
        raise SuiteError(what, where=str(path), next_step="Upgrade, or name another file for the cache.")
    return int(version)


def primary_code(error: sqlite3.Error) -> int:
    """SQLite's primary code, which an extended one (BUSY_SNAPSHOT) carries in its low byte."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
