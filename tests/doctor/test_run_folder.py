"""Why HELM's pages would be empty: each thing that can be missing, on a made-up output folder of HELM's form."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alpaca_eval_suite.doctor.run_folder import check_output
from alpaca_eval_suite.errors import UsageError

RUN = "alpaca_quiz:model=m"
STATS = [{"name": {"name": "alpaca_exact"}, "mean": 0.5}]
OTHER = [{"name": {"name": "num_prompt_tokens"}, "mean": 7}]
SUMMARIZE = "Type: helm-summarize --suite s --output-path "
Spoil = Callable[[Path], Any]


def write(path: Path, value: object, when: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
    os.utime(path, (when, when))


def state(text: str) -> dict[str, Any]:
    completions = [{"text": text}]
    return {"instance": {"id": "1"}, "result": {"completions": completions}, "annotations": {"alpaca": {}}}


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """A suite `s` with one run, summarised afterwards."""
    suite = tmp_path / "out" / "runs" / "s"
    run = suite / RUN
    write(run / "run_spec.json", {"name": RUN, "groups": ["alpaca_quiz"]}, 100)
    write(run / "scenario.json", {}, 100)
    write(run / "scenario_state.json", {"request_states": [state("Paris.")]}, 100)
    write(run / "stats.json", STATS, 100)
    write(run / "per_instance_stats.json", [], 100)
    write(run / "alpaca_run.json", {}, 100)
    shown = {"instance_id": "1", "predicted_text": "Paris.", "annotations": {"alpaca": {}}}
    write(run / "display_predictions.json", [shown], 200)
    for name in ("display_requests.json", "instances.json"):
        write(run / name, [], 200)
    schema = {
        "metric_groups": [{"name": "alpaca_short_answer", "metrics": [{"name": "alpaca_exact"}]}],
        "run_groups": [{"name": "alpaca_quiz", "metric_groups": ["alpaca_short_answer"]}],
    }
    write(suite / "schema.json", schema, 200)
    write(suite / "runs.json", [{"run_path": f"elsewhere/{RUN}", "stats": STATS}], 200)
    for name in ("summary.json", "run_specs.json", "groups.json", "groups_metadata.json"):
        write(suite / name, {}, 200)
    (suite / "groups").mkdir()
    return tmp_path / "out"


def run_of(output: Path) -> Path:
    return output / "runs" / "s" / RUN


def failing(folder: Path) -> list[tuple[str, str]]:
    return [(found.name, found.detail) for found in check_output(folder) if found.state != "ok"]


def test_a_whole_output(output: Path) -> None:
    (output / "runs" / "latest").symlink_to(output / "runs" / "s")
    findings = check_output(output)
    assert [finding.state for finding in findings] == ["ok", "ok"]
    assert f"helm-server --suite s --output-path {output}" in findings[1].detail
    assert check_output(output / "runs" / "s") == findings
    assert check_output(run_of(output)) == findings[:1]


@pytest.mark.parametrize(
    ("spoil", "name", "detail"),
    [
        (lambda run: (run / "stats.json").unlink(), "Run", "did not end: stats.json missing"),
        (
            lambda run: (run / "scenario_state.json").write_text('{"request_st'),
            "Run",
            "scenario_state.json: half-written",
        ),
        (lambda run: write(run / "stats.json", [], 100), "Run", "has no stats"),
        (lambda run: write(run / "scenario_state.json", {"request_states": []}, 100), "Run", "has no answers"),
        (
            lambda run: (run / "display_requests.json").unlink(),
            "Page",
            "would be empty: display_requests.json missing",
        ),
        (
            lambda run: (run / "instances.json").write_text("[{"),
            "Page",
            "would be empty: instances.json half-written",
        ),
        (
            lambda run: write(run / "run_spec.json", {"groups": ["other"]}, 100),
            "Page",
            "the schema has no group for it, so no table shows it",
        ),
        (
            lambda run: [
                write(run / "stats.json", OTHER, 100),
                write(run.parent / "runs.json", [{"run_path": RUN, "stats": OTHER}], 200),
            ],
            "Page",
            "the group alpaca_quiz has no column that the run fills",
        ),
    ],
)
def test_a_run_that_would_not_show(output: Path, spoil: Spoil, name: str, detail: str) -> None:
    spoil(run_of(output))
    findings = [finding for finding in check_output(output) if finding.state == "fail"]
    assert [(finding.name.split()[0], finding.detail) for finding in findings] == [(name, detail)]
    assert findings[0].advice


@pytest.mark.parametrize(
    ("spoil", "detail"),
    [
        (
            lambda suite: [path.unlink() for path in suite.glob("*.json")],
            "helm-summarize was not run: the pages would be empty",
        ),
        (lambda suite: (suite / "groups.json").unlink(), "helm-summarize did not end: groups.json missing"),
        (lambda suite: (suite / "schema.json").write_text("{"), "schema.json: half-written"),
        (
            lambda suite: write(suite / "runs.json", [], 200),
            f"helm-summarize is older than the runs: {RUN} not in the tables",
        ),
        (
            lambda suite: write(suite / RUN / "stats.json", [{**STATS[0], "mean": 0.6}], 100),
            f"helm-summarize is older than the runs: {RUN} with other numbers than the tables",
        ),
    ],
)
def test_a_suite_that_was_not_summarised_or_too_early(output: Path, spoil: Spoil, detail: str) -> None:
    spoil(output / "runs" / "s")
    assert failing(output) == [("Suite s", detail)]
    assert next(f.advice for f in check_output(output) if f.state == "fail").startswith(f"{SUMMARIZE}{output} ")


def test_a_page_of_an_older_run(output: Path) -> None:
    write(run_of(output) / "scenario_state.json", {"request_states": [state("Lyon.")]}, 100)
    older = [(f"Page of {RUN}", "would show an older run: it was run again after helm-summarize")]
    assert failing(run_of(output)) == failing(output) == older


def test_times_mean_nothing(output: Path) -> None:
    """A copy has any order of them."""
    os.utime(run_of(output) / "stats.json", (300, 300))
    assert failing(output) == []


def test_a_run_without_our_record(output: Path) -> None:
    (run_of(output) / "alpaca_run.json").unlink()
    [finding] = [finding for finding in check_output(output) if finding.state == "warn"]
    assert "has no alpaca_run.json" in finding.detail


def test_a_half_written_run_beside_a_whole_one(output: Path) -> None:
    half = output / "runs" / "s" / "alpaca_half:model=m"
    write(half / "run_spec.json", {}, 100)
    assert failing(output) == [
        (
            "Run alpaca_half:model=m",
            "did not end: scenario.json, scenario_state.json, stats.json, per_instance_stats.json missing",
        )
    ]
    assert [finding.state for finding in check_output(output)] == ["fail", "ok", "ok"]


def test_folders_with_nothing_in_them(tmp_path: Path) -> None:
    (tmp_path / "out" / "runs").mkdir(parents=True)
    assert failing(tmp_path / "out") == [(str(tmp_path / "out" / "runs"), "holds no suite")]
    (tmp_path / "out" / "runs" / "s").mkdir()
    assert failing(tmp_path / "out") == [("Suite s", "holds no run")]


@pytest.mark.parametrize("place", ["nowhere", "empty"])
def test_no_output_of_helm(tmp_path: Path, place: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError):
        check_output(tmp_path / place)
