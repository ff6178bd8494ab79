"""A judge behind a real HTTP server, through HELM's OpenAI client, as a user would register one."""

import json
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alpaca_eval_suite.stats.verdicts import read_preferences

WriteScenario = Callable[..., Path]
ServeJudge = Callable[..., Any]

NAME = "letter@helm/local/judge"
MODEL = "simple/model1"  # answers every Alpaca prompt with "Response:"


def prefers_the_word(a: str, b: str) -> str:
    ours, theirs = "Response" in a, "Response" in b
    return "TIE" if ours == theirs else "A" if ours else "B"


def test_a_judge_that_reads(place: Any, write_scenario: WriteScenario, serve_judge: ServeJudge) -> None:
    """Nine of twelve outputs of the baseline lack the word: nine wins, three ties, whichever stands first."""
    rows = [{"id": f"t{n}", "output": "Response: blue" if n % 4 == 3 else "red"} for n in range(12)]
    write_scenario(12, outputs=rows)
    judge = serve_judge(prefers_the_word)
    place.register("local/judge", judge.base_url)
    done = place.eval(MODEL, "--judge", "local/judge")
    assert done.returncode == 0, done.stderr
    run = place.the_run()
    record = run.record
    assert (record.win_rate["wins"], record.win_rate["losses"], record.win_rate["ties"]) == (9, 0, 3)
    assert record.rates["win_rate"].value == pytest.approx(10.5 / 12)
    assert (record.rates["order_consistency"].value, record.rates["order_consistency"].n) == (1.0, 12)
    assert record.rates["first_shown"].value == 0.5
    assert (record.judge.name, record.judge.has_information, record.judge.orders) == (NAME, True, "both")
    assert len(run.preferences) == len(judge.requests) == 24
    assert {preference.reason for preference in run.preferences} == {"It is better."}
    asked = judge.requests[0]
    assert (asked["model"], asked["temperature"], asked["n"]) == ("judge", 0.0, 1)
    assert f"{NAME} (not calibrated)" in done.stdout
    assert "87.5" in done.stdout


def test_a_judge_that_takes_the_first(place: Any, write_scenario: WriteScenario, serve_judge: ServeJudge) -> None:
    write_scenario(6)
    place.register("local/judge", serve_judge(lambda a, b: "A").base_url)
    done = place.eval(MODEL, "--judge", "local/judge")
    assert done.returncode == 0, done.stderr
    record = place.the_run().record
    assert (record.rates["order_consistency"].value, record.rates["first_shown"].value) == (0.0, 1.0)
    assert record.judge.has_information is False
    assert "no information" in done.stdout
    assert "no information" in (place.folder / "results/leaderboard.md").read_text()


def test_nonsense_from_the_start_stops_the_run_and_keeps_the_answers(
    place: Any, write_scenario: WriteScenario, serve_judge: ServeJudge
) -> None:
    write_scenario(60)
    judge = serve_judge(lambda a, b: None)
    place.register("local/judge", judge.base_url)
    done = place.eval(MODEL, "--judge", "local/judge")
    assert done.returncode == 1
    assert f"the judge {NAME} failed in each of the first 20 verdicts" in done.stderr
    assert "the last line is no verdict of the form asked for: 'I like turtles.'" in done.stderr
    assert "Traceback" not in done.stderr
    # Twenty, and what the other 31 threads had in flight.
    assert 20 <= len(judge.requests) <= 51
    assert place.runs() == []

    judge.choose = prefers_the_word  # the same judge, mended: what it said before is not held against it
    done = place.helm_run(MODEL, "judge=local/judge")
    assert done.returncode == 0, done.stderr
    run = place.the_run()
    assert run.from_cache == 60
    assert (run.record.rates["win_rate"].value, run.record.rates["win_rate"].n_failed) == (0.75, 0)


def test_nonsense_now_and_then_is_counted(place: Any, write_scenario: WriteScenario, serve_judge: ServeJudge) -> None:
    """The judge cannot say anything of one pair, in either order."""
    rows = [{"id": f"t{n}", "output": "puzzle" if n == 4 else "red"} for n in range(6)]
    write_scenario(6, outputs=rows)
    judge = serve_judge(lambda a, b: None if "puzzle" in a + b else prefers_the_word(a, b))
    place.register("local/judge", judge.base_url)
    done = place.eval(MODEL, "--judge", "local/judge")
    assert done.returncode == 3
    assert "2 of 12 verdicts failed; they are counted, and no tie was made of them" in done.stderr
    run = place.the_run()
    rate = run.record.rates["win_rate"]
    assert (rate.value, rate.n, rate.n_failed) == (1.0, 5, 1)
    failed = [preference for preference in run.preferences if preference.win is None]
    assert [(preference.id, preference.order) for preference in failed] == [
        ("t4", "model_first"),
        ("t4", "baseline_first"),
    ]
    assert "I like turtles." in failed[0].reason

    assert place.helm_run(MODEL, "judge=local/judge").returncode == 0
    assert len(judge.requests) == 14  # only the failed two were asked again


def test_no_server(place: Any, write_scenario: WriteScenario) -> None:
    write_scenario(12)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    place.register("local/judge", f"http://127.0.0.1:{port}/v1")
    done = place.eval(MODEL, "--judge", "local/judge")
    assert done.returncode == 1
    assert f"the judge {NAME} failed in each of the first 20 verdicts" in done.stderr
    assert "Connection error" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_server_that_hangs(place: Any, write_scenario: WriteScenario, serve_judge: ServeJudge) -> None:
    write_scenario(12)
    judge = serve_judge(prefers_the_word)
    judge.hangs = True
    place.register("local/judge", judge.base_url, timeout=1)
    before = time.monotonic()
    done = place.eval(MODEL, "--judge", "local/judge")
    assert done.returncode == 1
    assert "timed out" in done.stderr
    assert time.monotonic() - before < 40


def test_an_unknown_judge(place: Any, write_scenario: WriteScenario) -> None:
    write_scenario(2)
    done = place.eval(MODEL, "--judge", "nobody/judge")
    assert done.returncode in (1, 2)
    assert "nobody/judge" in done.stderr
    assert "Traceback" not in done.stderr
    assert place.runs() == []


def test_a_deployment_is_asked_once_by_judge_run_and_by_helm(
    place: Any, write_scenario: WriteScenario, serve_judge: ServeJudge
) -> None:
    """The same judge and the same texts: whoever comes second finds the verdicts."""
    outputs = write_scenario(6, columns={"slices": {}, "key": {}}) / "baseline.jsonl"
    judge = serve_judge(prefers_the_word)
    place.register("local/judge", judge.base_url)
    items = [json.loads(line) for line in (outputs.parent / "data.jsonl").read_text().splitlines()]
    theirs = {row["id"]: row["output"] for row in map(json.loads, outputs.read_text().splitlines())}
    for name, said in {"mine": dict.fromkeys(theirs, "Response:"), "theirs": theirs}.items():
        rows = [{**item, "output": said[item["id"]], "model": name} for item in items]
        (place.folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    files = ("--model-outputs", "mine.jsonl", "--baseline-outputs", "theirs.jsonl", "--out", "out.jsonl")
    done = place.run("alpaca-suite", "judge", "run", *files, "--judge", "letter@helm/local/judge")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert len(judge.requests) == 12
    assert place.helm_run(MODEL, "judge=local/judge").returncode == 0
    assert len(judge.requests) == 12
    by_helm = {(p.id, p.order): p.win for p in place.the_run().preferences}
    assert by_helm == {(p.id, p.order): p.win for p in read_preferences(place.folder / "out.jsonl")}
