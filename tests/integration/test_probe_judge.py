"""A judge in the place of a probe's rule, behind a real HTTP server, from the command line to the table."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

WriteScenario = Callable[..., Path]
ServeJudge = Callable[..., Any]

MODEL = "simple/model1"  # answers every Alpaca prompt with "Response:"


def write_probe(write_scenario: WriteScenario, n_items: int) -> None:
    items = [
        {"id": f"t{n}", "instruction": f"Which colour has number {n}?", "input": "", "answers": ["red"], "topic": "x"}
        for n in range(n_items)
    ]
    columns = {"slices": {"topic": "topic"}, "key": {"answers": "answers"}}
    write_scenario(items=items, metric="short_answer", columns=columns, baseline=None)


def test_a_judge_that_labels(place: Any, write_scenario: WriteScenario, serve_judge: ServeJudge) -> None:
    """The rule reads "Response:" as wrong; the judge calls it a refusal, which is what the rates then say."""
    write_probe(write_scenario, 6)
    judge = serve_judge(lambda answer, _: "refused" if answer == "Response:" else None)
    place.register("local/judge", judge.base_url)
    done = place.eval(MODEL, "--probe-judge", "local/judge")
    assert done.returncode == 0, done.stderr
    assert "trial: 6 answers, 6 verdicts by local/judge" in done.stdout
    record = place.the_run().record
    assert (record.rates["refused"].value, record.rates["refused"].n) == (1.0, 6)
    assert (record.rates["wrong"].value, record.rates["rule_agreement"].value) == (0.0, 0.0)
    assert (record.judge.name, record.judge.agreement) == ("helm/local/judge", "not calibrated")
    assert len(judge.requests) == 6
    answers = [state["annotations"]["alpaca"]["answer"] for state in place.the_run().states]
    assert {(answer["outcome"], answer["rule"]["label"], answer["reason"]) for answer in answers} == {
        ("refused", "wrong", "It is so.")
    }
    table = (place.folder / "results/leaderboard.md").read_text()
    assert "helm/local/judge (not calibrated)" in table
    assert "Rule agreement %" in table

    # The rule again, on the same answers: another run, and a row of its own.
    assert place.eval(MODEL).returncode == 0
    rows = (place.folder / "results/leaderboard.md").read_text().splitlines()
    assert [("local/judge" in row) for row in rows if row.startswith(("| 1 ", "| 2 "))] == [True, False]
    assert len(judge.requests) == 6


def test_labels_that_fail_are_counted(place: Any, write_scenario: WriteScenario, serve_judge: ServeJudge) -> None:
    write_probe(write_scenario, 4)
    asked = itertools.count()
    judge = serve_judge(lambda answer, _: "wrong" if next(asked) else None)
    place.register("local/judge", judge.base_url)
    done = place.eval(MODEL, "--probe-judge", "local/judge")
    assert done.returncode == 3
    assert "1 of 4 verdicts failed" in done.stderr
    rates = place.the_run().record.rates
    assert {(rates[name].n, rates[name].n_failed) for name in ("exact", "wrong", "refused", "rule_agreement")} == {
        (3, 1)
    }

    assert place.helm_run(MODEL, "judge=local/judge").returncode == 0
    assert len(judge.requests) == 5  # only the failed one was asked again
    assert place.the_run().record.rates["wrong"].n_failed == 0


def test_nonsense_from_the_start_stops_the_run(
    place: Any, write_scenario: WriteScenario, serve_judge: ServeJudge
) -> None:
    write_probe(write_scenario, 30)
    place.register("local/judge", serve_judge(lambda answer, _: None).base_url)
    done = place.helm_run(MODEL, "judge=local/judge")
    assert done.returncode != 0
    assert "the judge helm/local/judge failed in each of the first 20 verdicts" in done.stderr + done.stdout
    assert place.runs() == []


def test_the_builtin_judge_is_refused_before_anything_is_generated(place: Any, write_scenario: WriteScenario) -> None:
    write_probe(write_scenario, 2)
    done = place.eval(MODEL, "--probe-judge", "builtin:checks")
    assert done.returncode == 2
    assert "builtin:checks compares two answers, and in a probe each answer is read alone" in done.stderr
    assert "Traceback" not in done.stderr
    assert place.runs() == []
