"""Claims, answers, deaths and restarts in any order: no key is held twice, nothing goes over the cap."""

import itertools
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Barrier, Thread
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from alpaca_eval_suite.models.ledger import BudgetExhausted, Claim, Ledger
from alpaca_eval_suite.models.ledger_reading import LedgerReading
from alpaca_eval_suite.models.liveness import Fate, Owner

SEGMENTS = "alpaca_eval_suite.models.ledger_segments"
WORST = {f"k{number}": 0.1 * (1 + number % 3) for number in range(9)}
WANTED = [Claim(key, cost) for key, cost in WORST.items()]
CAP = 1.1


def nothing() -> None:
    pass


def around_next_line(ledger: Ledger, before: Callable[[], None], after: Callable[[], None] = nothing) -> None:
    """Do `before` between the ledger's look at the others and its next line, and `after` before it looks again."""
    writer, append = ledger._writer, ledger._writer.append

    def append_between(line: bytes, *, sync: bool = False) -> None:
        del writer.append  # type: ignore[method-assign]
        before()
        append(line, sync=sync)
        after()

    writer.append = append_between  # type: ignore[method-assign]


def meet(gate: Barrier) -> None:
    gate.wait(10)


class Rules(RuleBasedStateMachine):
    """Processes are ledgers in one process, each with an identity of its own that can be declared dead."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.folder = Path(self.stack.enter_context(TemporaryDirectory()))
        numbers = itertools.count(1)
        self.dead: set[int] = set()
        for name, value in {
            f"{SEGMENTS}.this_process": lambda: Owner("here", next(numbers), "1"),
            f"{SEGMENTS}.fate_of": lambda owner: Fate.DEAD if owner.pid in self.dead else Fate.ALIVE,
            f"{SEGMENTS}.os.fsync": lambda handle: None,
            "alpaca_eval_suite.models.ledger.time.sleep": lambda seconds: None,
        }.items():
            self.stack.enter_context(patch(name, value))
        self.ledgers: dict[int, Ledger] = {}
        self.born = 0
        self.charged: list[float] = []
        self.done: set[str] = set()

    def teardown(self) -> None:
        for ledger in self.ledgers.values():
            ledger.close()
        self.stack.close()

    @initialize()
    def begin(self) -> None:
        self.start()
        self.start()

    @precondition(lambda self: len(self.ledgers) < 4)
    @rule()
    def start(self) -> None:
        self.born += 1
        self.ledgers[self.born] = Ledger.open(self.folder, {"judge": "test"})

    def pick(self, data: st.DataObject) -> Ledger:
        return self.ledgers[data.draw(st.sampled_from(sorted(self.ledgers)))]

    def claimed(self) -> list[tuple[int, str]]:
        return [(number, key) for number, ledger in self.ledgers.items() for key in ledger._account.claimed]

    def sent(self) -> list[tuple[int, str]]:
        return [(number, key) for number, ledger in self.ledgers.items() for key in ledger._account.sent]

    def pick_key(self, data: st.DataObject, pairs: list[tuple[int, str]]) -> tuple[Ledger, str]:
        number, key = data.draw(st.sampled_from(pairs))
        return self.ledgers[number], key

    @precondition(lambda self: self.ledgers)
    @rule(data=st.data(), limit=st.integers(1, 5))
    def claim(self, data: st.DataObject, limit: int) -> None:
        self.pick(data).claim(data.draw(st.permutations(WANTED)), CAP, limit=limit)

    @precondition(lambda self: len(self.ledgers) > 1)
    @rule(data=st.data(), limit=st.integers(1, 5), other=st.integers(1, 5), settle=st.booleans())
    def claim_within_a_claim(self, data: st.DataObject, limit: int, other: int, settle: bool) -> None:
        first, second = (self.ledgers[number] for number in data.draw(st.permutations(sorted(self.ledgers)))[:2])

        wanted = data.draw(st.permutations(WANTED))

        def act() -> None:
            for key in second.claim(wanted, CAP, limit=other):
                if settle:
                    self.answer(second, key)

        around_next_line(first, act)
        before = set(first._account.claimed)
        kept = first.claim(WANTED, CAP, limit=limit)
        first._writer.__dict__.pop("append", None)  # nothing was appended
        assert set(kept) <= set(first._account.claimed) - before
        assert not set(kept) & self.done

    def answer(self, ledger: Ledger, key: str) -> None:
        self.send_one(ledger, key)
        self.charged.append(WORST[key] / 2)
        self.finish(ledger, key, WORST[key] / 2)

    def send_one(self, ledger: Ledger, key: str) -> None:
        assert key not in self.done, "asked although the answer is there"
        ledger.sent(key)

    def finish(self, ledger: Ledger, key: str, cost: float) -> None:
        ledger.record(key, {"key": key}, cost)
        self.done.add(key)

    @precondition(lambda self: self.claimed())
    @rule(data=st.data())
    def send(self, data: st.DataObject) -> None:
        self.send_one(*self.pick_key(data, self.claimed()))

    @precondition(lambda self: self.sent())
    @rule(data=st.data(), share=st.floats(0, 1))
    def record(self, data: st.DataObject, share: float) -> None:
        ledger, key = self.pick_key(data, self.sent())
        self.charged.append(share * WORST[key])
        self.finish(ledger, key, share * WORST[key])

    @precondition(lambda self: self.sent())
    @rule(data=st.data())
    def doubt(self, data: st.DataObject) -> None:
        ledger, key = self.pick_key(data, self.sent())
        self.charged.append(WORST[key])
        try:
            ledger.doubt(key)
        except BudgetExhausted:
            assert key not in ledger._account.sent
        else:
            assert key in ledger._account.sent

    @precondition(lambda self: self.sent())
    @rule(data=st.data())
    def fail(self, data: st.DataObject) -> None:
        ledger, key = self.pick_key(data, self.sent())
        ledger.fail(key, "refused")

    @precondition(lambda self: self.claimed())
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        ledger, key = self.pick_key(data, self.claimed())
        ledger.release([key])

    @precondition(lambda self: self.claimed() or self.sent())
    @rule(data=st.data(), charged=st.booleans(), clean=st.booleans())
    def die(self, data: st.DataObject, charged: bool, clean: bool) -> None:
        number = data.draw(st.sampled_from(sorted(self.ledgers)))
        ledger = self.ledgers.pop(number)
        if charged:
            self.charged += [WORST[key] for key in ledger._account.sent]
        if clean:
            ledger.close()
        else:
            ledger._stop.set()
            ledger._writer.close()
            self.dead.add(number)

    @invariant()
    def no_key_is_held_twice(self) -> None:
        held = [key for ledger in self.ledgers.values() for key in (*ledger._account.claimed, *ledger._account.sent)]
        assert len(held) == len(set(held))

    @invariant()
    def the_cap_holds_and_all_agree(self) -> None:
        for ledger in self.ledgers.values():
            ledger.refresh()
        readings = [*self.ledgers.values(), LedgerReading(self.folder)] if self.ledgers else []
        assert len({(reading.spent, reading.reserved) for reading in readings}) <= 1
        for reading in readings:
            assert reading.spent + reading.reserved <= CAP + 1e-9
            assert reading.spent >= sum(self.charged) - 1e-9
            assert set(reading.values) == self.done
            assert reading.damaged == []


TestRules = Rules.TestCase
TestRules.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


@pytest.mark.parametrize("apart", [0, 2, 5])
@pytest.mark.parametrize("cap", [None, 0.25])
def test_claims_at_the_very_same_moment(tmp_path: Path, cap: float | None, apart: int) -> None:
    """All have looked before any has written, and all have written before any looks again."""
    ledgers = [Ledger.open(tmp_path, {}) for _ in range(4)]
    got: list[list[str]] = []
    gate = Barrier(4)
    for ledger in ledgers:
        around_next_line(ledger, lambda: meet(gate), lambda: meet(gate))
    wanted = [Claim(f"k{number}", 0.1) for number in range(20)]
    windows = [wanted[apart * number :] for number in range(4)]
    threads = [
        Thread(target=lambda one=ledger, window=window: got.append(one.claim(window, cap, limit=3)))
        for ledger, window in zip(ledgers, windows, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    keys = [key for keys in got for key in keys]
    assert len(keys) == len(set(keys))
    assert len(keys) <= (2 if cap else 12)
    assert cap or len(keys) >= 3, "the lowest of them goes on"
    for ledger in ledgers:
        ledger.refresh()
        assert ledger.reserved == pytest.approx(0.1 * len(keys))
    for ledger in ledgers:
        ledger.close()


def test_who_came_first_keeps_it_whatever_its_name(tmp_path: Path) -> None:
    """Were the lower name to win outright, both would hold the key: the higher one had looked before."""
    low, high = sorted((Ledger.open(tmp_path, {}) for _ in range(2)), key=lambda ledger: ledger._name)
    with low, high:
        around_next_line(low, lambda: held.extend(high.claim([Claim("a", 0)], None)))
        held: list[str] = []
        assert low.claim([Claim("a", 0)], None) == []
        assert held == ["a"]
