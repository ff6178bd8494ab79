"""`alpaca-suite judge run` as real processes: Ctrl-C, kill -9, four at once, a model of this machine's own."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

MOCK = Path(__file__).parents[1] / "mock_judge.py"
BIN = Path(sys.executable).parent
N_PAIRS = 40


@dataclass
class Place:
    """A folder with two files of outputs, and a judge's server in a process of its own."""

    folder: Path
    env: dict[str, str]
    root: str = ""
    servers: list[subprocess.Popen[str]] = field(default_factory=list)

    def serve(self, **faults: float) -> None:
        """Begin a server that behaves like that."""
        words = [word for name, value in faults.items() for word in (f"--{name.replace('_', '-')}", str(value))]
        server = subprocess.Popen([sys.executable, str(MOCK), *words], stdout=subprocess.PIPE, text=True)
        self.servers.append(server)
        assert server.stdout is not None
        self.root = f"http://127.0.0.1:{int(server.stdout.readline())}"
        described = {"base_url": f"{self.root}/v1", "model": "mock-judge", "concurrency": 4}
        described["price"] = {"input": 1.0, "output": 1.0}
        (self.folder / "endpoints.yaml").write_text(yaml.safe_dump({"endpoints": {"judge": described}}))

    def start(self, *options: str, judge: str = "endpoint/judge", out: str = "out.jsonl") -> subprocess.Popen[str]:
        """The command, begun."""
        files = ["--model-outputs", "mine.json", "--baseline-outputs", "theirs.json", "--out", out]
        line = [str(BIN / "alpaca-suite"), "judge", "run", *files, "--judge", judge, *options]
        return subprocess.Popen(
            line,
            cwd=self.folder,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # a background job ignores it
        )

    def run(self, *options: str, **named: Any) -> tuple[int, str, str]:
        """The command to its end: exit code, what it said, what it said on stderr."""
        process = self.start(*options, **named)
        said, errors = process.communicate(timeout=120)
        return process.returncode, said, errors

    def counts(self) -> dict[str, Any]:
        """What the server counted."""
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(self.root + "/counts") as reply:
            found: dict[str, Any] = json.load(reply)
            return found

    def asked(self) -> int:
        """How many whole answers the server gave."""
        return sum(len(times) for times in self.counts()["delivered"].values())


def outputs(name: str) -> list[dict[str, str]]:
    """AlpacaEval's form; the model has more "e" in two pairs of three, which is what the mock judges by."""
    return [
        {
            "instruction": f"Say number {n}.",
            "output": ("e" * 9 if (name == "mine") == (n % 3 > 0) else "o" * 9) + f" {n}",
            "generator": name,
        }
        for n in range(N_PAIRS)
    ]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    for name in ("mine", "theirs"):
        (tmp_path / f"{name}.json").write_text(json.dumps(outputs(name)))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ALPACA_")}
    found = Place(tmp_path, {**kept, "ALPACA_VERDICT_CACHE": str(tmp_path / "v.sqlite3"), "NO_PROXY": "*"})
    yield found
    for server in found.servers:
        server.kill()
        server.communicate()


def wait_for(what: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not what():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.slow
def test_alpaca_eval_files_as_they_are(place: Place) -> None:
    place.serve()
    code, said, _ = place.run()
    assert code == 0
    assert said.startswith("mine against theirs\n  win rate: 65.0 [")
    rows = [json.loads(line) for line in (place.folder / "out.jsonl").read_text().splitlines()]
    assert [row["win"] for row in rows] == [float(n % 3 > 0) for n in range(N_PAIRS) for _ in range(2)]
    assert all(re.fullmatch(r"[0-9a-f]{16}", row["id"]) for row in rows)


@pytest.mark.slow
def test_ctrl_c_and_kill_lose_nothing_that_was_answered(place: Place) -> None:
    place.serve(delay=0.1)
    interrupted = place.start("--no-cache")
    wait_for(lambda: place.asked() >= 8)
    interrupted.send_signal(signal.SIGINT)
    before = time.monotonic()
    _, errors = interrupted.communicate(timeout=30)
    assert time.monotonic() - before < 10
    assert interrupted.returncode == 130
    assert "What was answered is kept in out.jsonl.ledger; the same command goes on from there." in errors
    assert "Traceback" not in errors
    assert not (place.folder / "out.jsonl").exists()

    killed = place.start("--no-cache")
    wait_for(lambda: place.asked() >= 40)
    killed.kill()
    killed.communicate()
    code, said, _ = place.run("--no-cache")
    assert code == 0
    assert "from this run's ledger" in said
    assert len((place.folder / "out.jsonl").read_text().splitlines()) == 2 * N_PAIRS
    # What was in flight at the two ends, four questions at most each, may have been asked again.
    assert place.asked() <= 2 * N_PAIRS + 8


@pytest.mark.slow
def test_four_at_once_share_the_work_and_end_alike(place: Place) -> None:
    place.serve(delay=0.05, rate_limited=0.05, server_error=0.03)
    processes = [place.start("--no-cache", "--seed", "2") for _ in range(4)]
    for process in processes:
        said, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        assert "win rate: 65.0 [" in said
    delivered = place.counts()["delivered"]
    assert len(delivered) == 2 * N_PAIRS
    assert {len(times) for times in delivered.values()} == {1}
    whole = (place.folder / "out.jsonl").read_bytes()
    assert place.run("--no-cache", "--seed", "2", out="alone.jsonl")[0] == 0
    assert (place.folder / "alone.jsonl").read_bytes() == whole


@pytest.mark.slow
def test_a_deployment_of_helm(place: Place) -> None:
    pytest.importorskip("helm")
    code, _, errors = place.run(judge="helm/simple/model1")
    # It repeats a word of the question, whatever that is.
    assert code == 1
    assert "judge letter@helm/simple/model1: each of its first " in errors
    assert place.run("--max-cost", "1", judge="helm/simple/model1", out="other.jsonl")[0] == 2


@pytest.mark.slow
def test_a_checkpoint_of_ones_own_judges(place: Place, make_checkpoint: Any) -> None:
    pytest.importorskip("torch")
    folder = make_checkpoint("work/tiny")
    form = "form: letter_logprobs\nmin_mass: 0.0000001\n"
    (place.folder / "tiny.yaml").write_text(form + f"model: {folder}\n")
    code, _, errors = place.run(judge="tiny.yaml")
    # Random weights do not say a letter; what they do say is kept, and shown.
    assert code == 1
    assert "judge tiny: each of its first " in errors
    assert "It said: " in errors
    assert "Traceback" not in errors
