"""Who is alive: certain on this machine, by silence on others, and what a process does that stood still itself."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from alpaca_eval_suite.models import ledger_segments, liveness
from alpaca_eval_suite.models.ledger import Claim, ClaimLost, Ledger
from alpaca_eval_suite.models.ledger_reading import LedgerReading
from alpaca_eval_suite.models.liveness import Fate, Owner, fate_of, machine, this_process

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(ledger_segments, "monotonic", clock)
    monkeypatch.setattr(ledger_segments.time, "time", lambda: 1.7e9 + clock.now)
    return clock


@pytest.fixture
def ledger(clock: Clock, tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "ledger", {}) as opened:
        yield opened


@pytest.fixture
def distant(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    """A process on another machine."""
    with monkeypatch.context() as patch:
        patch.setattr(ledger_segments, "this_process", lambda: Owner("elsewhere", os.getpid(), "1"))
        opened = Ledger.open(ledger.folder, {})
    with opened:
        yield opened


def claims(*keys: str) -> list[Claim]:
    return [Claim(key, 0.1) for key in keys]


@linux
def test_fates() -> None:
    me = this_process()
    assert fate_of(me) is Fate.ALIVE
    assert fate_of(replace(me, started="1")) is Fate.DEAD, "the number was given to another process"
    assert fate_of(replace(me, pid=2**22 + 1)) is Fate.DEAD
    assert fate_of(replace(me, machine="elsewhere")) is Fate.UNKNOWN
    assert machine() in str(me)


@linux
def test_a_killed_child_that_nobody_waited_for_is_dead() -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    fields = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()
    owner = Owner(machine(), child.pid, fields[19])
    assert fate_of(owner) is Fate.ALIVE
    child.kill()
    for _ in range(200):
        if fate_of(owner) is Fate.DEAD:
            break
        time.sleep(0.01)
    assert Path(f"/proc/{child.pid}").exists()
    assert fate_of(owner) is Fate.DEAD
    child.wait()


def test_without_proc_a_number_in_use_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(liveness, "_stat", lambda pid: None)
    me = this_process()
    assert me.started == ""
    assert fate_of(me) is Fate.UNKNOWN
    assert fate_of(replace(me, pid=2**22 + 1)) is Fate.DEAD


def test_another_users_process_is_not_taken_for_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some systems hide /proc/PID of others, and all refuse to signal them."""

    def refuse(pid: int, number: int) -> None:
        raise PermissionError

    monkeypatch.setattr(liveness, "_stat", lambda pid: None)
    monkeypatch.setattr(liveness.os, "kill", refuse)
    assert fate_of(Owner(machine(), 12345, "1")) is Fate.UNKNOWN


def test_on_windows_nothing_is_signalled(monkeypatch: pytest.MonkeyPatch) -> None:
    """There, os.kill(pid, 0) would interrupt the process."""
    monkeypatch.setattr(liveness.sys, "platform", "win32")
    monkeypatch.setattr(liveness.os, "kill", None)
    assert fate_of(this_process()) is Fate.UNKNOWN


def test_a_distant_process_dies_of_silence_only(ledger: Ledger, distant: Ledger, clock: Clock) -> None:
    assert distant.claim(claims("a", "b"), None) == ["a", "b"]
    distant.sent("a")
    for _ in range(20):
        clock.now += 21
        distant._beat()
        assert ledger.claim(claims("b"), None) == []
    clock.now += 119
    assert ledger.claim(claims("b"), None) == []
    assert (ledger.others_alive(), ledger.spent, ledger.reserved) == (1, 0, 0.2)
    clock.now += 2
    assert ledger.claim(claims("b"), None) == ["b"]
    assert (ledger.others_alive(), ledger.spent, ledger.reserved) == (0, 0.1, 0.1)


def test_a_late_reader_waits_before_it_takes_over(ledger: Ledger, distant: Ledger, clock: Clock) -> None:
    distant.claim(claims("a"), None)
    clock.now += 1000
    late = LedgerReading(ledger.folder)
    assert late.reserved == 0.1, "it has not watched it yet"
    clock.now += 121
    late.refresh()
    assert late.reserved == 0


def test_who_was_taken_for_dead_and_comes_back(ledger: Ledger, distant: Ledger, clock: Clock) -> None:
    distant.claim(claims("a", "b", "c", "d"), 0.5)
    distant.sent("a")
    ledger.refresh()
    clock.now += 121
    assert ledger.claim(claims("b", "c"), 0.5, limit=1) == ["b"]
    ledger.sent("b")
    with pytest.raises(ClaimLost):
        distant.sent("b")
    distant.sent("c")
    distant.record("a", {}, 0.05)
    ledger.refresh()
    assert ledger.others_alive() == 1
    assert ledger.claim(claims("c"), 0.5) == []
    assert ledger.claim(claims("e", "f"), 0.5) == ["e", "f"], "the claim of d was given up"
    with pytest.raises(ClaimLost):
        distant.sent("d")  # no money is left for it
    for one in (ledger, distant):
        one.refresh()
        assert one.spent + one.reserved == pytest.approx(0.45)


def test_with_nobody_elsewhere_a_laptop_may_sleep(ledger: Ledger, clock: Clock) -> None:
    with Ledger.open(ledger.folder, {}):
        ledger.claim(claims("a", "b"), None)
        size = ledger._writer.path.stat().st_size
        clock.now += 10_000
        ledger._beat()
        ledger.sent("a")
        ledger.sent("b")
        assert ledger._writer.path.read_bytes()[size:].count(b'"do":"release"') == 0
        assert not ledger._writer.stood_still


def test_a_disk_that_hung_while_the_request_was_noted(ledger: Ledger, distant: Ledger, clock: Clock) -> None:
    distant.claim(claims("a"), None)
    write = distant._writer._file.write

    class Hanging:
        closed = False

        def write(self, line: bytes) -> int:
            distant._writer._file = file
            clock.now += 200
            assert ledger.claim(claims("a"), None) == ["a"]
            return write(line)

    ledger.refresh()
    file, distant._writer._file = distant._writer._file, Hanging()  # type: ignore[assignment]
    with pytest.raises(ClaimLost):
        distant.sent("a")


def test_a_doubt_after_the_key_was_taken_over(ledger: Ledger, distant: Ledger, clock: Clock) -> None:
    distant.claim(claims("a"), None)
    distant.sent("a")
    ledger.refresh()
    clock.now += 121
    assert ledger.claim(claims("a"), None) == ["a"]
    with pytest.raises(ClaimLost):
        distant.doubt("a")
    ledger.refresh()
    assert (ledger.spent, ledger.reserved) == (0.1, 0.1)


def test_what_it_wrote_between_our_look_and_its_death(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Ledger.open(ledger.folder, {})
    other.claim(claims("a"), None)
    ledger.refresh()

    def die(owner: Owner) -> Fate:
        if not other._writer.closed:
            other.sent("a")
            other.record("a", {}, 0.05)
            other._stop.set()
            other._writer.close()
        return Fate.DEAD

    monkeypatch.setattr(ledger_segments, "fate_of", die)
    assert ledger.claim(claims("a"), None) == []
    assert (ledger.spent, ledger.others_alive()) == (0.05, 0)


def test_beats_only_in_silence(ledger: Ledger, clock: Clock) -> None:
    def beats() -> int:
        return ledger._writer.path.read_bytes().count(b'"do":"beat"')

    clock.now += 19
    ledger._beat()
    assert beats() == 0
    clock.now += 2
    ledger._beat()
    ledger._beat()
    assert beats() == 1


def test_the_thread_lets_go_of_a_ledger_that_nobody_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import gc
    import threading

    monkeypatch.setattr("alpaca_eval_suite.models.ledger_writing._SYNC_SECONDS", 0.01)
    before = threading.active_count()
    ledger = Ledger.open(tmp_path, {})
    time.sleep(0.05)
    assert threading.active_count() == before + 1
    del ledger
    gc.collect()
    time.sleep(0.05)
    assert threading.active_count() == before
