"""The main road, by HELM's own commands as processes: helm-run, helm-summarize, leaderboard build."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

WriteScenario = Callable[..., Path]
SUMMARIZER = "alpaca_eval_suite.evaluate.summarizer.AlpacaSummarizer"


@pytest.fixture
def run_line() -> list[str]:
    return [
        *("helm-run", "--run-entries", "alpaca_scenario:scenario=trial", "--models-to-run", "simple/model1"),
        *("--suite", "s", "--max-eval-instances", "10"),
    ]


def test_from_helm_run_to_the_leaderboard(place: Any, write_scenario: WriteScenario, run_line: list[str]) -> None:
    write_scenario(6)
    done = place.run(*run_line)
    assert done.returncode == 0, done.stderr
    assert "Failed to load plugin" not in done.stderr + done.stdout

    (folder,) = place.runs(suite="s")
    ours = {"alpaca_raw.jsonl", "alpaca_run.json", "preferences.jsonl"}
    helms = {"run_spec.json", "scenario.json", "scenario_state.json", "stats.json", "per_instance_stats.json"}
    assert {path.name for path in folder.iterdir()} == ours | helms
    record = json.loads((folder / "alpaca_run.json").read_text())
    # The word is in the model's answer six times, in the baseline's three times: three wins, three ties.
    assert (record["rates"]["win_rate"]["value"], record["rates"]["win_rate"]["n"]) == (0.75, 6)
    assert (record["run"], record["judge"]["name"]) == (folder.name, "builtin:checks")

    done = place.run(
        *("helm-summarize", "--suite", "s", "--output-path", "benchmark_output", "--summarizer-class-name", SUMMARIZER)
    )
    assert done.returncode == 0, done.stderr
    verdicts = [
        shown["annotations"]["alpaca"]["verdicts"][0]["win"]
        for shown in json.loads((folder / "display_predictions.json").read_text())
    ]
    assert verdicts == [1.0, 0.5, 1.0, 0.5, 1.0, 0.5]
    (table,) = (place.folder / "benchmark_output/runs/s/groups/json").glob("alpaca_trial_*.json")
    assert "judge:builtin:checks" in table.name
    columns = [cell["value"] for cell in json.loads(table.read_text())["header"]]
    assert any("Win rate" in column for column in columns), columns
    assert sum("low" in column.lower() for column in columns) >= 2, columns
    row = [cell.get("value") for cell in json.loads(table.read_text())["rows"][0]]
    assert 0.75 in row

    done = place.run("alpaca-suite", "leaderboard", "build", "--suite", "s")
    assert done.returncode == 0, done.stderr
    (entry,) = (place.folder / "results").glob("*.json")
    (run,) = json.loads(entry.read_text())["runs"]
    raw = place.folder / "results" / run["raw"]["file"]
    assert raw.read_bytes() == (folder / "alpaca_raw.jsonl").read_bytes()
    assert run == {**record, "raw": {**record["raw"], "file": run["raw"]["file"]}}
    assert "simple/model1" in (place.folder / "results/leaderboard.md").read_text()


def test_plugin_is_light(place: Any) -> None:
    """Whoever uses HELM for something else pays nothing for our plugin."""
    code = (
        "import importlib.metadata, sys\n"
        "(point,) = [p for p in importlib.metadata.entry_points(group='helm') if p.name == 'alpaca_eval_suite']\n"
        "point.load()\n"
        "print([n for n in ('torch', 'transformers', 'scipy', 'pandas', 'gradio') if n in sys.modules])\n"
        "from helm.benchmark.run_spec import get_run_spec_function\n"
        "print([n for n in ('alpaca_scenario', 'alpaca_user_oriented', 'alpaca_user_oriented_mini', 'alpaca_capitals')"
        " if get_run_spec_function(n) is None])\n"
    )
    done = place.run(sys.executable, "-W", "error", "-c", code)
    assert (done.returncode, done.stdout.splitlines(), done.stderr) == (0, ["[]", "[]"], "")


def test_helm_run_names_the_wrong_argument(place: Any, write_scenario: WriteScenario, run_line: list[str]) -> None:
    write_scenario(2)
    run_line[2] += ",judgement=none"
    done = place.run(*run_line)
    assert done.returncode == 1
    assert "run entry: judgement: Extra inputs are not permitted" in done.stderr
    assert place.runs(suite="s") == []


@pytest.mark.slow
def test_a_half_written_run_is_no_obstacle_to_others(place: Any, write_scenario: WriteScenario) -> None:
    """A full disk or a kill may leave one behind in the suite."""
    write_scenario(2)
    assert place.helm_run("simple/model1").returncode == 0
    (half,) = place.runs()
    stats = half / "stats.json"
    stats.write_text(stats.read_text()[:100])
    done = place.eval("simple/model1", "--prompt-format", "chat")
    assert done.returncode == 0, done.stderr
    names = [run["run_spec"]["name"] for run in json.loads((half.parent / "runs.json").read_text())]
    assert len(names) == 1
    assert "prompt_format=chat" in names[0]
    assert f"{half.name}/stats.json is half-written" in (half.parent / "helm.log").read_text()
    # Nothing comes of an empty prompt, and the table says so.
    assert "100.0 [34.2, 100.0] % of the outputs are empty" in done.stdout


def test_an_unknown_model(place: Any, write_scenario: WriteScenario) -> None:
    write_scenario(2)
    done = place.eval("nobody/model")
    assert done.returncode == 2
    assert "error: HELM: Model deployment nobody/model not found\n  Give a checkpoint folder" in done.stderr


def test_a_run_without_a_judge_says_how_to_judge(place: Any, write_scenario: WriteScenario) -> None:
    write_scenario(3)
    done = place.run(
        *("helm-run", "--run-entries", "alpaca_scenario:scenario=trial,judge=none", "--models-to-run", "simple/model1"),
        *("--suite", "s", "--max-eval-instances", "3"),
    )
    assert done.returncode == 0, done.stderr
    assert "trial was not judged. Run the same entry with judge=builtin:checks" in done.stdout + done.stderr
    assert "win_rate" not in json.loads((place.runs(suite="s")[0] / "alpaca_run.json").read_text())["rates"]
