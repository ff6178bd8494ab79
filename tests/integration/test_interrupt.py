"""Stopped at any point: what was finished is not done again, and the end is the same."""

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

WriteScenario = Callable[..., Path]
MakeCheckpoint = Callable[..., Path]

N_ITEMS = 24
LINE = ("--scenario", "trial", "--max-tokens", "150", "--batch-size", "2")


def wait_for(what: Callable[[], bool], process: Any, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.slow
def test_stopped_and_killed_it_goes_on_where_it_was(
    place: Any, write_scenario: WriteScenario, make_checkpoint: MakeCheckpoint
) -> None:
    write_scenario(N_ITEMS)
    make_checkpoint("work/tiny")
    line = ("alpaca-suite", "eval", "--model", "tiny", *LINE)

    process = place.start(*line)
    wait_for(lambda: len(place.kept()) >= 2, process)
    process.send_signal(signal.SIGINT)
    before = time.monotonic()
    _, said = process.communicate(timeout=30)
    assert time.monotonic() - before < 10
    assert process.returncode == 130
    assert "interrupted; everything finished so far is saved" in said
    assert "Traceback" not in said
    interrupted = place.kept()
    assert 2 <= len(interrupted) < N_ITEMS
    assert place.runs() == []

    process = place.start(*line)
    wait_for(lambda: len(place.kept()) >= len(interrupted) + 4, process)
    process.kill()
    process.communicate()
    killed = place.kept()
    assert len(killed) < N_ITEMS
    assert killed.items() >= interrupted.items()

    done = place.run(*line)
    assert done.returncode == 0, done.stderr
    resumed = place.the_run()
    assert resumed.from_cache == len(killed)
    assert place.kept().items() >= killed.items()
    assert len(place.kept()) == N_ITEMS

    elsewhere = ("--output-path", "undisturbed", "--local-path", "other_env")
    done = place.helm_run(f"alpaca/{place.folder}/tiny", "max_tokens=150", *elsewhere)
    assert done.returncode == 0, done.stderr
    undisturbed = place.the_run("undisturbed")
    assert undisturbed.from_cache == 0
    assert undisturbed.folder.name == resumed.folder.name
    assert undisturbed.answers == resumed.answers
    assert undisturbed.preferences == resumed.preferences
    assert undisturbed.record.rates == resumed.record.rates


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_nobody_waits_for_a_judge_that_hangs(
    place: Any, write_scenario: WriteScenario, serve_judge: Callable[..., Any], number: int
) -> None:
    write_scenario(4)
    judge = serve_judge(lambda a, b: "A")
    judge.hangs = True
    place.register("local/judge", judge.base_url)
    process = place.start("alpaca-suite", "eval", "--model", "simple/model1", *LINE, "--judge", "local/judge")
    wait_for(lambda: len(judge.requests) == 4, process)
    process.send_signal(number)
    _, said = process.communicate(timeout=15)
    assert process.returncode == 130
    assert said.count("interrupted; everything finished so far is saved") == 1
    assert len(place.kept("simple")) == 4
