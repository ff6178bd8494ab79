"""A ledger's folder, read: what all processes together have got, failed, spent and hold."""

import json
from collections.abc import Mapping
from pathlib import Path
from threading import RLock
from typing import Any

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.files import read_text, sha256_text
from alpaca_eval_suite.models.ledger_account import Book, usd
from alpaca_eval_suite.models.ledger_segments import Tail, segments_in

ABOUT = "about.json"
_LONGEST = 60


class LedgerReading:
    """What stands in a ledger, as of the last `refresh`; nothing is written. Safe for threads.

    `about`: what the ledger is of. `damaged`: the lines that count for nothing because they are damaged, each with
    its file and number.
    """

    def __init__(self, folder: Path) -> None:
        """Raises SuiteError when the folder holds no ledger, or one that cannot be read."""
        self.folder = folder
        self.about = read_about(folder)
        self.damaged: list[SuiteError] = []
        self._digest = digest_of(self.about)
        self._book = Book()
        self._tails: dict[str, Tail] = {}
        self._lock = RLock()
        self.refresh()

    @property
    def values(self) -> Mapping[str, dict[str, Any]]:
        """The last good value of each key, decoded each time it is looked up; keys are only ever added."""
        return self._book.values

    @property
    def failures(self) -> dict[str, str]:
        """Why the last attempt failed, of each key that has no value."""
        with self._lock:
            return {key: why for key, why in self._book.reasons.items() if key not in self._book.values}

    @property
    def spent(self) -> float:
        """USD paid, and what may have been charged for requests whose answer was lost, by everybody."""
        with self._lock:
            return usd(self._book.spent)

    @property
    def reserved(self) -> float:
        """USD that requests of living processes, on the way or about to leave, may cost yet."""
        with self._lock:
            return usd(self._book.reserved)

    @property
    def lost(self) -> dict[str, float]:
        """Keys without value whose request left a process that is dead, with what it may have cost (in `spent`)."""
        with self._lock:
            return {
                key: usd(cost)
                for account in self._book.accounts.values()
                if not account.alive
                for key, cost in account.sent.items()
                if key not in self._book.values
            }

    def notes(self, kind: str) -> list[Any]:
        """What was noted under `kind`, the oldest process's first."""
        with self._lock:
            accounts = [account for _, account in sorted(self._book.accounts.items())]
            return [data for account in accounts for noted, data in account.notes if noted == kind]

    def others_alive(self) -> int:
        """How many other processes may be at work on this ledger."""
        with self._lock:
            return sum(self._book.accounts[name].alive for name, tail in self._tails.items() if tail.owner)

    def refresh(self) -> None:
        """Take in what others wrote since. Raises SuiteError when a segment is gone or belongs to another ledger."""
        with self._lock:
            for name in segments_in(self.folder):
                if name not in self._tails and not self._is_own(name):
                    self._tails[name] = Tail(self.folder / name)
            for name, tail in self._tails.items():
                if not tail.final:
                    self._follow(name, tail)

    def _is_own(self, name: str) -> bool:
        return False

    def _follow(self, name: str, tail: Tail) -> None:
        tail.read(lambda event, line: self._book.apply(name, event, line), self.damaged.append)
        if tail.about not in (None, self._digest):
            raise SuiteError(
                "this segment belongs to another ledger than the folder's about.json says",
                where=str(tail.path),
                next_step="Two runs of different kinds began at once in one folder: give each its own.",
            )
        self._book.accounts[name].alive = tail.alive


def read_about(folder: Path) -> dict[str, Any]:
    """What the ledger in the folder is of. Raises SuiteError when there is none."""
    path = folder / ABOUT
    if not path.exists():
        raise SuiteError("is no ledger (it has no about.json)", where=str(folder), next_step="Check the folder's name.")
    try:
        about = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise SuiteError(f"is damaged ({error})", where=str(path), next_step="Start a new ledger elsewhere.") from error
    if not isinstance(about, dict):
        raise SuiteError("is no JSON object", where=str(path), next_step="Start a new ledger elsewhere.")
    return about


def digest_of(about: Mapping[str, Any]) -> str:
    """The same for the same content, whatever the order of its keys."""
    return sha256_text(json.dumps(about, sort_keys=True))


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """For a person: each key whose value is not the same in both, with the two values."""
    pairs = {key: (_text(old, key), _text(new, key)) for key in sorted({*old, *new})}
    return [f"{key} was {_short(was)}, is {_short(now)}" for key, (was, now) in pairs.items() if was != now]


def _text(about: Mapping[str, Any], key: str) -> str:
    return json.dumps(about[key], ensure_ascii=False, sort_keys=True) if key in about else "not given"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
