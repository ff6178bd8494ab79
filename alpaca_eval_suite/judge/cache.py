"""The verdict cache: what judges said to whole questions, so that the same question is not paid for again.

An SQLite file that several processes and threads may use at once. It is a convenience: whatever is wrong with it,
judging goes on without it (what protects money is the ledger of a run). Looking into it and pruning it do raise.
"""

import hashlib
import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeVar

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.judge.cache_file import WAIT_S, open_file, patiently, primary_code, transaction
from alpaca_eval_suite.judge.contracts import Reply, Ruling
from alpaca_eval_suite.judge.labelling import Labelled
from alpaca_eval_suite.judge.reply import sendable
from alpaca_eval_suite.models.request import GenerationRequest, Message
from alpaca_eval_suite.resources import cache_dir

PAUSE_S = 60.0
"""How long a cache that failed is left alone before it is tried again."""

_VARIABLE = "ALPACA_VERDICT_CACHE"
_PAGE = 500
_T = TypeVar("_T")
_AMONG = "key IN (SELECT value FROM json_each(?))"
_DAMAGED = (
    "It is only a cache, and every run has its own ledger: delete it when no run uses it, "
    f"or name another file in ${_VARIABLE}."
)
_NEXT_STEPS = {
    sqlite3.SQLITE_BUSY: f"Another process has held it for {WAIT_S:g} s; try again later.",
    sqlite3.SQLITE_CANTOPEN: f"Check its folder, or name another file in ${_VARIABLE}.",
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_FULL: "Free some space.",
    sqlite3.SQLITE_IOERR: f"Check the disk, or name a file on another one in ${_VARIABLE}.",
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_READONLY: f"Check its permissions, or name another file in ${_VARIABLE}.",
}


@dataclass(frozen=True)
class Entry:
    """A reply to keep, and whose it is. `cost` is in USD, None where no price is known.

    `ruling` is what the reply was read as. It is not stored; it is asked for because nothing else than a reply that
    was readable may be kept: a failure is never cached.
    """

    reply: Reply
    ruling: Ruling | Labelled
    judge: str
    judge_hash: str
    cost: float | None = None
    date: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True)
class JudgeEntries:
    """The entries of one judge: `paid` is what they cost, `saved` what asking again would have cost (USD)."""

    judge: str
    judge_hash: str
    entries: int
    paid: float
    hits: int
    saved: float


@dataclass(frozen=True)
class CacheStats:
    """What a cache holds. `bytes` on disk; `oldest` and `newest` are dates in ISO form, None in an empty one."""

    path: str
    bytes: int
    oldest: str | None
    newest: str | None
    judges: tuple[JudgeEntries, ...]

    @property
    def entries(self) -> int:
        """How many there are."""
        return sum(judge.entries for judge in self.judges)

    @property
    def saved(self) -> float:
        """USD that asking again would have cost, as far as prices are known."""
        return sum(judge.saved for judge in self.judges)

    def as_json(self) -> dict[str, Any]:
        """The public form."""
        return {**asdict(self), "entries": self.entries, "saved": self.saved}


def default_path() -> Path:
    """$ALPACA_VERDICT_CACHE, else verdicts.sqlite3 in the per-user cache."""
    named = os.environ.get(_VARIABLE)
    return Path(named).expanduser() if named else cache_dir() / "verdicts.sqlite3"


def call_key(identity: Mapping[str, Any], request: GenerationRequest) -> str:
    """What names a question: hex SHA-256 of the judge model's `identity` (plain JSON) and the whole request.

    Every field of a request counts, those to come too. The keys of `identity` may stand in any order; those of a
    JSON schema may not, because a model fills its fields in in the schema's order.
    """
    whole = {one.name: getattr(request, one.name) for one in fields(request)}
    whole |= {"temperature": float(request.temperature), "top_p": float(request.top_p)}  # 0 and 0.0 are one
    of_model = json.dumps(identity, sort_keys=True, default=_plain, allow_nan=False)
    of_request = json.dumps([[name, whole[name]] for name in sorted(whole)], default=_plain, allow_nan=False)
    return hashlib.sha256(f"{of_model}\n{of_request}".encode("ascii")).hexdigest()


def _plain(value: object) -> Any:
    if isinstance(value, Message):
        return {"role": value.role, "content": value.content}
    if isinstance(value, Mapping):  # a read-only one
        return dict(value)
    raise TypeError(f"{value!r} has no place in a key")


class VerdictCache:
    """The cache in the file `path` (None: `default_path()`), which the first entry makes.

    `notice` is told, once each, of what keeps the cache from working. `known`, `get_many` and `put_many` never
    raise for that; `stats`, `export` and `prune` raise SuiteError.
    """

    def __init__(self, path: Path | None = None, *, notice: Callable[[str], None] = lambda _: None) -> None:
        self.path = path or default_path()
        self._notice = notice
        self._said: set[str] = set()
        self._lock = threading.RLock()
        self._pauses = {"read": 0.0, "written": 0.0}
        # By process: a connection must not be used, nor closed, by a fork of the process that opened it.
        self._connections: dict[int, sqlite3.Connection] = {}

    def known(self, keys: Iterable[str]) -> set[str]:
        """Those of `keys` that have an answer here; for estimates, so it does not count as use."""
        query = f"SELECT key FROM verdict WHERE {_AMONG}"
        return {key for (key,) in self._look_up(query, keys)}

    def get_many(self, keys: Iterable[str]) -> dict[str, Reply]:
        """The replies that are here, by key."""
        found: dict[str, Reply] = {}
        for key, text in self._look_up(f"SELECT key, reply FROM verdict WHERE {_AMONG}", keys):
            if (reply := _reply(text)) is not None:
                found[key] = reply
        if found:
            counted = f"UPDATE verdict SET hits = hits + 1, saved = saved + coalesce(cost, 0) WHERE {_AMONG}"
            self._write(lambda connection: connection.execute(counted, [json.dumps(list(found))]))
        return found

    def put_many(self, entries: Mapping[str, Entry]) -> None:
        """Keep all of these in one step, under their `call_key`. What was under a key before is replaced."""
        statement = """INSERT INTO verdict (key, reply, judge, judge_hash, cost, date) VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT (key) DO UPDATE SET reply = excluded.reply, judge = excluded.judge,
            judge_hash = excluded.judge_hash, cost = excluded.cost, date = excluded.date"""
        rows = [
            (key, json.dumps(one.reply.as_json()), sendable(one.judge), one.judge_hash, one.cost, _stamp(one.date))
            for key, one in entries.items()
        ]
        if rows:
            self._write(lambda connection: connection.executemany(statement, rows))

    def stats(self) -> CacheStats:
        """What is in it. Raises SuiteError where it cannot be read."""
        by_judge = """SELECT judge, judge_hash, count(*), coalesce(sum(cost), 0.0), sum(hits), sum(saved)
            FROM verdict GROUP BY judge, judge_hash ORDER BY count(*) DESC, judge, judge_hash"""
        judges = self._query(by_judge)
        [(oldest, newest)] = self._query("SELECT min(date), max(date) FROM verdict") or [(None, None)]
        return CacheStats(str(self.path), self._bytes(), oldest, newest, tuple(JudgeEntries(*row) for row in judges))

    def export(self) -> Iterator[dict[str, Any]]:
        """Each entry as plain values, in the order of the keys; entries that come meanwhile may be among them.

        Raises SuiteError where it cannot be read.
        """
        names = ("key", "judge", "judge_hash", "cost", "date", "hits", "reply")
        last = ""
        while page := self._query(
            f"SELECT {', '.join(names)} FROM verdict WHERE key > ? ORDER BY key LIMIT {_PAGE}", [last]
        ):
            for row in page:
                if (reply := _reply(row[-1])) is not None:
                    yield {**dict(zip(names, row, strict=True)), "reply": reply.as_json()}
            last = page[-1][0]

    def prune(self, *, before: datetime | None = None, judge: str | None = None, dry_run: bool = False) -> int:
        """Take out the entries that are older than `before` and of `judge` (name or hash); how many they are.

        `dry_run` only counts. Raises UsageError where neither is given, SuiteError where it cannot be done.
        """
        if before is None and judge is None:
            raise UsageError("nothing says which entries", next_step="Give an age, a judge, or both.")
        wanted = "date < coalesce(?, '~') AND (? IS NULL OR judge = ? OR judge_hash = ?)"
        values = [None if before is None else _stamp(before), judge, judge, judge]
        if dry_run:
            rows = self._query(f"SELECT count(*) FROM verdict WHERE {wanted}", values)
            return int(rows[0][0]) if rows else 0
        if not self.path.exists():
            return 0

        def take_out(connection: sqlite3.Connection) -> int:
            with transaction(connection):
                return connection.execute(f"DELETE FROM verdict WHERE {wanted}", values).rowcount

        taken = self._do(take_out)
        if taken:
            self._shrink()
        return taken

    def close(self) -> None:
        """Close the file; it is opened again when it is needed."""
        with self._lock:
            if (connection := self._connections.pop(os.getpid(), None)) is not None:
                connection.close()

    def _look_up(self, query: str, keys: Iterable[str]) -> list[Any]:
        wanted = json.dumps(list(keys))
        return self._spared("read", lambda: self._query(query, [wanted]), [])

    def _write(self, action: Callable[[sqlite3.Connection], object]) -> None:
        def write(connection: sqlite3.Connection) -> None:
            with transaction(connection):
                action(connection)

        self._spared("written", lambda: self._do(write), None)

    def _spared(self, done: Literal["read", "written"], action: Callable[[], _T], otherwise: _T) -> _T:
        """What `action` returns; `otherwise`, and a word, where the cache does not work."""
        if time.monotonic() < self._pauses[done]:
            return otherwise
        try:
            return action()
        except SuiteError as problem:
            self._pauses[done] = time.monotonic() + PAUSE_S
            self._say(f"judging goes on without the verdict cache. {problem}".replace("\n  ", ". "))
            return otherwise

    def _query(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        """All rows; none where there is no file yet. Raises SuiteError."""
        if not self.path.exists():
            return []
        return self._do(lambda connection: connection.execute(query, values).fetchall())

    def _do(self, action: Callable[[sqlite3.Connection], _T]) -> _T:
        """What `action` returns, this thread alone on the connection. Raises SuiteError."""
        with self._lock:
            try:
                connection = self._connections.get(os.getpid())
                if connection is None:
                    connection = self._connections[os.getpid()] = open_file(self.path, self._say)
                return patiently(lambda: action(connection))
            except (sqlite3.Error, OSError) as error:
                with suppress(sqlite3.Error):
                    self.close()
                raise self._problem(error) from error

    def _problem(self, error: sqlite3.Error | OSError) -> SuiteError:
        code = primary_code(error) if isinstance(error, sqlite3.Error) else sqlite3.SQLITE_CANTOPEN
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
        return SuiteError(f"cannot be used ({reason})", where=str(self.path), next_step=_NEXT_STEPS.get(code))

    def _shrink(self) -> None:
        """Give the space of what was taken out back to the disk."""

        def shrink(connection: sqlite3.Connection) -> None:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

        try:
            self._do(shrink)
        except SuiteError as problem:  # others use it, or the disk has no room for the copy
            self._say(f"the space is not given back yet. {problem}".replace("\n  ", ". "))

    def _bytes(self) -> int:
        total = 0
        for ending in ("", "-wal"):
            with suppress(OSError):
                total += Path(f"{self.path}{ending}").stat().st_size
        return total

    def _say(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            self._notice(text)


def _reply(text: str) -> Reply | None:
    """The reply of an entry; a damaged entry has none."""
    try:
        return Reply.from_json(json.loads(text))
    except (ValueError, LookupError, TypeError, AttributeError):
        return None


def _stamp(date: datetime) -> str:
    """UTC to the second in ISO form: as texts they sort as they follow."""
    return date.astimezone(UTC).isoformat(timespec="seconds")
