"""The append-only record of everything paid for: nothing is asked twice, nothing is spent beyond the cap.

    with Ledger.open(folder, {"judge": judge_hash}) as ledger:
        for key in ledger.claim([Claim(key, worst_cost) for key in wanted], cap=5.0, limit=64):
            ledger.sent(key)
            ...  # ask
            ledger.record(key, {"text": "A"}, cost=0.0003)

Any number of processes may work on one folder, killed and started again at will. Each appends to a segment of its
own and reads the others'; nothing is locked.

**Why no key is held twice.** A process appends its claim and only then reads what the others wrote; it keeps the
claim if it sees no other living one for the key. Of two who claim the same key one appended last, and read after
that: it saw the other's claim, so did not keep its own, unless the other had withdrawn. (The lower segment's name
decides only who withdraws at once and who waits for that. To let it win outright would be wrong: the higher one may
have kept the claim before the lower one wrote its own.)

**Why the cap holds.** In the same way: a claim is kept if everything spent and reserved, as read after it was
written, is within the cap, and a reservation can only turn into an equal or smaller expense. Of all claims kept, the
last one written saw all others. It needs worst costs that are true upper bounds.

Both need disks on which a file that is opened shows what was flushed to it before, from any machine (local disks,
NFS). A process that another machine may have taken for dead, because it stood still for over a minute, gives up its
claims and makes them anew before it sends anything.
"""

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alpaca_eval_suite.errors import PartialError, SuiteError
from alpaca_eval_suite.models.ledger_account import parts, usd
from alpaca_eval_suite.models.ledger_writing import LedgerWriting

_RETRIES = (0.004, 0.008, 0.016, 0.032, 0.064)
_WAITS = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032)


class BudgetExhausted(PartialError):
    """There is no money left, under the cap, for one more request like this."""


class ClaimLost(SuiteError):
    """While this process stood still, the key went to another one, or the money for it did. Do not ask."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A key to be worked on, and the most in USD that one request for it can cost."""

    key: str
    worst_cost: float


class Ledger(LedgerWriting):
    """A ledger that this process works on; see the module.

    `exhausted`: at the last claim there was a key to take that no money is left for, whatever comes back.
    """

    def __init__(self, folder: Path, about: Mapping[str, Any]) -> None:
        """Use `Ledger.open`."""
        self.exhausted = False
        self._cap: float | None = None
        self._forfeited: dict[str, int] = {}
        super().__init__(folder, about)

    def claim(self, wanted: Sequence[Claim], cap: float | None, *, limit: int | None = None) -> list[str]:
        """Take the first keys (at most `limit`) that have no value, that nobody holds, and that fit under the cap.

        It ends at the first key that does not fit. Empty: all is done or held, or money is short for now (ask again
        when something comes back), or `exhausted`. Give a window of what is left, not all of it: each is looked at.
        """
        for pause in (*_RETRIES, None):
            with self._own():
                self._cap = cap
                self._check_disk()
                self._wake()
                self.refresh()
                chosen = self._fitting(wanted, cap, limit)
                if not chosen:
                    return []
                self._put("claim", {"keys": {claim.key: claim.worst_cost for claim in chosen}}, sync=True)
            kept = self._confirm([claim.key for claim in chosen], cap)
            if kept or pause is None:
                return kept
            time.sleep(random.uniform(0, pause))  # others wanted the same at the same moment
        raise AssertionError  # the last pause is None

    def sent(self, key: str) -> None:
        """The request for a claimed key leaves now: from here on it may be charged. Raises ClaimLost: do not send."""
        with self._own():
            if key in self._account.sent:
                return
            self._wake()
            if key in self._forfeited:
                cost = self._forfeited.pop(key)
                if not self.claim([Claim(key, usd(cost))], self._cap):
                    raise ClaimLost("was taken over while this process stood still", where=f"key {key}")
            cost = self._account.claimed[key]
            self._put("sent", {"key": key, "cost": usd(cost)})
            if self._writer.stood_still:  # the disk hung just now, and others may have taken us for dead
                self._release([key])
                self._forfeited[key] = cost
                self.sent(key)

    def record(self, key: str, value: Mapping[str, Any], cost: float, *, paid: bool = True) -> None:
        """A result (plain JSON). `paid=False`: it cost that much once, but not now (it comes from a cache).

        Without a claim it settles the request of a dead process, if one is open (a batch outlives who sent it), so
        that the true cost takes the place of the worst one.
        """
        parts(cost)  # raises before anything is written
        with self._own():
            own = key in self._account.sent or key in self._account.claimed
            sender = None if own or not paid else self._book.loser_of(key)
            settles = {"sent_by": sender} if sender else {}
            self._put("result", {"key": key, "cost": cost, "paid": paid, **settles, "value": dict(value)})

    def doubt(self, key: str) -> None:
        """The answer to a request was lost, it may have been charged, and the same is to be sent once more.

        The worst cost counts as spent, and is reserved anew. Raises BudgetExhausted where that does not fit under
        the cap, and ClaimLost; the request must not be sent then, and the key is free again.
        """
        with self._own():
            self._wake()
            cost = self._account.sent[key]
            self._put("doubt", {"key": key, "cost": usd(cost)}, sync=True)
            self.refresh()
            taken = key in self._book.values or len(self._book.holders(key)) > 1
            short = self._over(self._cap)
            if taken or short:
                self._release([key])
            if taken:
                raise ClaimLost("was taken over while this process stood still", where=f"key {key}")
            if short:
                raise BudgetExhausted(
                    f"an answer was lost, and asking again could cost more than the cap of ${self._cap} allows",
                    where=f"key {key}",
                    next_step="Run the same again with a higher --max-cost.",
                )

    def release(self, keys: Sequence[str]) -> None:
        """Give back claims whose requests were not sent; others are left as they are."""
        with self._own():
            for key in keys:
                self._forfeited.pop(key, None)
            self._release([key for key in keys if key in self._account.claimed])

    def fail(self, key: str, reason: str) -> None:
        """An attempt ended in an error and cost nothing. The key may be claimed again."""
        with self._own():
            self._put("fail", {"key": key, "reason": reason})

    def note(self, kind: str, data: Any) -> None:
        """Keep something else (plain JSON), such as a batch's id; safe on the disk when this returns."""
        with self._own():
            self._put("note", {"kind": kind, "data": data}, sync=True)

    def _fitting(self, wanted: Sequence[Claim], cap: float | None, limit: int | None) -> list[Claim]:
        """The first that are free and fit, as far as is known now."""
        self.exhausted = False
        spent, reserved = self._book.spent, self._book.reserved
        left = None if cap is None else parts(cap) - spent - reserved
        holding = [account for account in self._book.accounts.values() if account.alive]
        chosen: dict[str, Claim] = {}
        for claim in wanted:
            if limit is not None and len(chosen) >= limit:
                break
            key, cost = claim.key, parts(claim.worst_cost)
            if key in chosen or key in self._book.values or any(account.holds(key) for account in holding):
                continue
            if left is not None:
                if cost > left:
                    self.exhausted = not chosen and cost > left + reserved
                    break
                left -= cost
            chosen[key] = claim
        return list(chosen.values())

    def _confirm(self, keys: list[str], cap: float | None) -> list[str]:
        """Which of the keys just claimed are kept; the others are given back."""
        for pause in (*_WAITS, None):
            with self._own():
                self.refresh()
                rivals = {key: [name for name in self._book.holders(key) if name != self._name] for key in keys}
                yielded = [
                    key
                    for key, others in rivals.items()
                    if key in self._book.values
                    or any(name < self._name for name in others)
                    or (others and pause is None)  # who has not withdrawn by now had kept it before we came
                ]
                self._release(yielded)
                keys = [key for key in keys if key not in yielded]
                if not any(rivals[key] for key in keys):
                    while keys and self._over(cap):
                        self._release([keys.pop()])
                    return keys
            time.sleep(pause or 0)
        raise AssertionError  # the last pause is None

    def _release(self, keys: list[str]) -> None:
        if keys:
            self._put("release", {"keys": keys})

    def _over(self, cap: float | None) -> bool:
        return cap is not None and self._book.spent + self._book.reserved > parts(cap)

    def _wake(self) -> None:
        """After this process stood still: show that it lives, and give up claims others may have taken over."""
        if not self._writer.stood_still:
            return
        self._put("beat", sync=True)
        self._writer.stood_still = False
        self.refresh()
        here = self._writer.owner.machine
        if any(tail.owner is None or tail.owner.machine != here for tail in self._tails.values()):
            self._forfeited |= self._account.claimed
            self._release(list(self._account.claimed))
