"""Real processes on one ledger, killed at random: nothing paid twice but what was on the way, nothing over the cap."""

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from alpaca_eval_suite.models.ledger_lines import decode
from alpaca_eval_suite.models.ledger_reading import LedgerReading

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")

WORKER = Path(__file__).with_name("ledger_worker.py")
WORST, TRUE = 0.01, 0.004


def work(folder: Path, *, keys: int, cap: float, kills: int, pace: float) -> tuple[set[int], list[str]]:
    """Four processes run to the end, but for so many kills: the killed ones, and the last words of the others."""
    arguments = [str(folder / "ledger"), str(folder / "server"), str(keys), str(cap), str(pace)]

    def start() -> "subprocess.Popen[str]":
        return subprocess.Popen([sys.executable, str(WORKER), *arguments], stdout=subprocess.PIPE, text=True)

    chance = random.Random(keys)
    running = [start() for _ in range(4)]
    killed: set[int] = set()
    for _ in range(kills):
        time.sleep(chance.uniform(0, 0.1))
        victim = running.pop(chance.randrange(2))  # one of the older, which are past their start
        if victim.poll() is None:
            victim.send_signal(signal.SIGKILL)
            killed.add(victim.pid)
        victim.communicate()
        running.append(start())
    return killed, [process.communicate()[0].strip() for process in running]


def events(folder: Path) -> list[tuple[str, dict[str, object]]]:
    """Every whole line of every segment."""
    lines = []
    for path in sorted((folder / "ledger").glob("segment-*.jsonl")):
        for line in path.read_bytes().splitlines(keepends=True):
            if line.endswith(b"\n"):
                lines.append((path.name, decode(line)))
    return lines


def check(folder: Path, killed: set[int]) -> LedgerReading:
    requests = [line.split()[:2] for line in (folder / "server").read_text().splitlines()]
    results = Counter(event["key"] for _, event in events(folder) if event["do"] == "result")
    doubts = Counter(event["key"] for _, event in events(folder) if event["do"] == "doubt")
    answered = {(str(event["value"]["by"]), event["key"]) for _, event in events(folder) if event["do"] == "result"}
    assert set(results.values()) <= {1}, "a key has two results"
    # Every request was answered, or doubted, or on the way when its process was killed.
    on_the_way = Counter(key for pid, key in {tuple(request) for request in requests} if (pid, key) not in answered)
    for key, count in Counter(key for _, key in requests).items():
        assert count <= results[key] + doubts[key] + on_the_way[key]
    assert {int(pid) for pid, key in requests if (pid, key) not in answered and not doubts[key]} <= killed
    assert sum(on_the_way.values()) <= len(killed) + sum(doubts.values())
    reading = LedgerReading(folder / "ledger")
    assert reading.damaged == []
    assert reading.reserved == 0
    assert reading.others_alive() == 0
    assert reading.spent >= len(requests) * TRUE - 1e-9
    assert len(reading.values) == len(results)
    return reading


def test_four_processes_and_twenty_kills(tmp_path: Path) -> None:
    killed, words = work(tmp_path, keys=400, cap=0, kills=20, pace=0.01)
    assert words == ["done"] * 4
    assert len(killed) > 10
    assert len(check(tmp_path, killed).values) == 400


def test_a_cap_holds_for_four_processes_and_kills(tmp_path: Path) -> None:
    cap = 0.5
    killed, words = work(tmp_path, keys=400, cap=cap, kills=4, pace=0.005)
    assert words == ["exhausted"] * 4
    reading = check(tmp_path, killed)
    assert cap - WORST < reading.spent <= cap
    assert len((tmp_path / "server").read_text().splitlines()) * TRUE <= cap


@pytest.mark.slow
@pytest.mark.parametrize("cap", [0, 8.0])
def test_many_keys_and_a_hundred_kills(tmp_path: Path, cap: float) -> None:
    killed, words = work(tmp_path, keys=2000, cap=cap, kills=100, pace=0.01)
    assert set(words) <= {"done", "exhausted"}
    reading = check(tmp_path, killed)
    assert len(reading.values) == 2000 or reading.spent > cap - WORST
    assert not cap or reading.spent <= cap
