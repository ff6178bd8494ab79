"""What the lines of a ledger add up to: results, failures, what is held, what is spent. No files here."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from alpaca_eval_suite.models.ledger_lines import decode

_PARTS = 10**12


def parts(usd: float) -> int:
    """Money as a whole number of 1e-12 USD, so that sums do not depend on their order. Raises ValueError."""
    if not math.isfinite(usd) or usd < 0:
        raise ValueError(f"{usd} is no cost")
    return round(usd * _PARTS)


def usd(amount: int) -> float:
    """The reverse of `parts`."""
    return amount / _PARTS


@dataclass
class Account:
    """One process's part.

    `claimed` and `sent`: worst cost of each key before, and after, its request left. `answered`: keys whose request
    was answered to another process (a batch outlives who sent it). `alive` is set by who watches the process.
    """

    claimed: dict[str, int] = field(default_factory=dict)
    sent: dict[str, int] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)
    notes: list[tuple[str, Any]] = field(default_factory=list)
    settled: int = 0
    alive: bool = True

    @property
    def spent(self) -> int:
        """What was paid. A dead process's requests without answer may have been charged: they count in full."""
        return self.settled + (0 if self.alive else sum(self.sent.values()))

    @property
    def reserved(self) -> int:
        """What may have to be paid yet. What a dead process claimed and never sent costs nothing."""
        return sum(self.claimed.values()) + sum(self.sent.values()) if self.alive else 0

    def holds(self, key: str) -> bool:
        """Whether nobody else may work on the key."""
        return self.alive and (key in self.claimed or key in self.sent)


class Book:
    """All accounts, by segment, and the results. Lines may come in any order of segments, in order within one."""

    def __init__(self) -> None:
        self.accounts: defaultdict[str, Account] = defaultdict(Account)
        self.values = Results()
        self.reasons: dict[str, str] = {}

    @property
    def spent(self) -> int:
        """By everybody."""
        return sum(account.spent for account in self.accounts.values())

    @property
    def reserved(self) -> int:
        """By everybody. With `spent` it is what a cap limits."""
        return sum(account.reserved for account in self.accounts.values())

    def holders(self, key: str) -> list[str]:
        """The segments of living processes that hold the key."""
        return [name for name, account in self.accounts.items() if account.holds(key)]

    def loser_of(self, key: str) -> str | None:
        """The dead process's segment that has sent a request for the key and no answer."""
        return next(
            (name for name, account in self.accounts.items() if not account.alive and key in account.sent), None
        )

    def apply(self, segment: str, event: Mapping[str, Any], line: bytes) -> None:
        """Take in one line. Raises KeyError, TypeError, AttributeError or ValueError if it is malformed."""
        account = self.accounts[segment]
        match event["do"]:
            case "claim":
                account.claimed |= {key: parts(cost) for key, cost in event["keys"].items()}
            case "sent":
                cost = parts(event["cost"])
                account.claimed.pop(event["key"], None)
                if event["key"] not in account.answered:
                    account.sent[event["key"]] = cost
            case "doubt":  # one request may have been charged, and another like it leaves
                cost = parts(event["cost"])
                account.claimed.pop(event["key"], None)
                account.sent[event["key"]] = cost
                account.settled += cost
            case "release":
                for key in event["keys"]:
                    account.claimed.pop(key, None)
                    account.sent.pop(key, None)
            case "fail":
                self.reasons[event["key"]] = str(event["reason"])
                account.claimed.pop(event["key"], None)
                account.sent.pop(event["key"], None)
            case "result":
                self._result(segment, account, event, line)
            case "note":
                account.notes.append((event["kind"], event["data"]))

    def _result(self, segment: str, account: Account, event: Mapping[str, Any], line: bytes) -> None:
        key, paid = event["key"], parts(event["cost"]) if event["paid"] else 0
        if not isinstance(event["value"], dict):
            raise TypeError("a value must be an object")
        loser = event.get("sent_by")
        if loser is not None:
            if key in self.accounts[loser].answered:
                paid = 0  # two processes fetched the same batch
            self.accounts[loser].answered.add(key)
            self.accounts[loser].sent.pop(key, None)
        account.settled += paid
        account.claimed.pop(key, None)
        account.sent.pop(key, None)
        self.values.put(key, segment, line)


class Results(Mapping[str, dict[str, Any]]):
    """The last good value of each key. Kept as the lines they came in, which takes a fraction of the memory."""

    def __init__(self) -> None:
        self._lines: dict[str, bytes] = {}
        self._segments: dict[str, str] = {}

    def put(self, key: str, segment: str, line: bytes) -> None:
        """Of two segments' results the later-named one stays, in whatever order they are read."""
        if segment >= self._segments.get(key, ""):
            self._lines[key], self._segments[key] = line, segment

    def __getitem__(self, key: str) -> dict[str, Any]:
        value: dict[str, Any] = decode(self._lines[key])["value"]
        return value

    def __contains__(self, key: object) -> bool:
        return key in self._lines

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._lines))  # others may add to it meanwhile

    def __len__(self) -> int:
        return len(self._lines)
