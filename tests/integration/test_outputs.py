"""Outputs that exist already, scored through HELM without a model: from a file to the leaderboard."""

import json
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

WriteScenario = Callable[..., Path]
DATA = Path(__file__).parents[2].parent / "shared" / "data"
WITHOUT_TORCH = (
    "import sys\n"
    "for name in ('torch', 'transformers', 'accelerate'): sys.modules[name] = None\n"
    "from alpaca_eval_suite.cli.main import main; sys.exit(main(sys.argv[1:]))"
)


def jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def outputs(*names: str) -> list[dict[str, Any]]:
    """Ours hold the word that the only check asks for; the baseline's hold it for odd items."""
    return [{"id": name, "output": f"Response to {name}", "model": "mine"} for name in names]


def test_from_a_file_to_the_leaderboard_without_torch(place: Any, write_scenario: WriteScenario) -> None:
    write_scenario(6)
    file = jsonl(place.folder / "mine, too=1.jsonl", outputs(*(f"t{n}" for n in reversed(range(6)))))
    line = (sys.executable, "-c", WITHOUT_TORCH, "eval", "--outputs", file.name, "--scenario", "trial")
    done = place.run(*line)
    assert done.returncode == 0, done.stderr
    record = place.the_run().record
    digest = sha256(file.read_bytes()).hexdigest()
    assert record.run.endswith(f",fingerprint={digest[:12]}")
    assert (record.model.name, record.model.fingerprint) == ("mine", digest)
    assert record.model.deployment == f"outputs/trial/{file.name}"
    assert (record.prompt.format, record.prompt.sha256) == ("unknown", "")
    assert (record.decoding.max_tokens, record.decoding.temperature) == (None, None)
    # Six times the word against three times: three wins, three ties.
    assert (record.rates["win_rate"].value, record.rates["win_rate"].n) == (0.75, 6)
    assert (record.rates["empty"].value, "cut_off" in record.rates) == (0.0, False)
    assert place.the_run().answers == {f"t{n}": f"Response to t{n}" for n in range(6)}
    assert f"mine ({digest[:8]})" in done.stdout
    assert str(place.folder) not in (place.folder / "results" / "leaderboard.csv").read_text()
    schema = json.loads((place.folder / "benchmark_output/runs/alpaca/schema.json").read_text())
    assert [model["display_name"] for model in schema["models"]] == [f"mine ({digest[:12]})"]

    done = place.run("alpaca-suite", "leaderboard", "verify", "results")
    assert (done.returncode, "the win rate in full" in done.stdout) == (0, True), done.stderr
    (raw,) = (place.folder / "results" / "raw").iterdir()
    assert str(place.folder) not in raw.read_text()
    first = json.loads(raw.read_text().splitlines()[0])
    assert (first["output"], "prompt" in first) == (f"Response to {first['id']}", False)

    done = place.run("alpaca-suite", "doctor", "--run", "benchmark_output")
    assert (done.returncode, "0 wrong" in done.stdout) == (0, True), done.stdout

    done = place.run(*line, "--prompt-format", "chat", "--model-name", "openai/gpt-4", "--limit", "2")
    assert done.returncode == 0, done.stderr
    (folder,) = place.runs(suite="alpaca-limit-2")
    record = json.loads((folder / "alpaca_run.json").read_text())
    assert (record["model"]["name"], record["scenario"]["n_items"]) == ("openai/gpt-4", 2)


def test_the_three_lines_do_the_same(place: Any, write_scenario: WriteScenario) -> None:
    import shlex

    write_scenario(3)
    file = jsonl(place.folder / "o.jsonl", outputs("t0", "t1", "t2"))
    done = place.run("alpaca-suite", "eval", "--outputs", str(file), "--scenario", "trial", "--dry-run")
    assert done.returncode == 0, done.stderr
    lines = [shlex.split(line) for line in done.stdout.splitlines() if line.startswith(("  helm-", "  alpaca-suite"))]
    assert [line[0] for line in lines] == ["helm-run", "helm-summarize", "alpaca-suite"]
    assert f"outputs/trial/{file}" in lines[0]
    for line in lines:
        done = place.run(*line)
        assert done.returncode == 0, done.stderr
    # Of the baseline's outputs only that of t1 holds the word: two wins and a tie.
    assert place.the_run().record.rates["win_rate"].value == pytest.approx(2.5 / 3)
    assert "mine" in (place.folder / "results" / "leaderboard.md").read_text()


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("t0", "t2"), "error: o.jsonl: no output for: t1\n"),
        (("t0", "t1", "t2", "t9"), "error: o.jsonl: outputs for items that the scenario does not have: t9\n"),
        (("t0", "t1", "t2", "t1"), "error: o.jsonl:4: the id 't1' stands twice\n"),
        ((), "error: o.jsonl: holds no outputs\n"),
    ],
)
def test_ids_that_do_not_fit(place: Any, write_scenario: WriteScenario, names: tuple[str, ...], message: str) -> None:
    write_scenario(3)
    jsonl(place.folder / "o.jsonl", outputs(*names))
    done = place.run("alpaca-suite", "eval", "--outputs", "o.jsonl", "--scenario", "trial")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.replace(f"{place.folder}/", "").startswith(message)
    assert not (place.folder / "prod_env").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--scenario", "trial"), "Give --model, or --outputs FILE."),
        (("--outputs", "o.jsonl", "--model", "simple/model1", "--scenario", "trial"), "Give --model, or --outputs"),
        (("--outputs", "o.jsonl"), "outputs belong to one scenario"),
        (("--outputs", "o.jsonl", "--scenario", "trial", "--scenario", "capitals"), "outputs belong to one scenario"),
        (("--model", "simple/model1", "--model-name", "x"), "Give --outputs FILE with it."),
        (("--outputs", "gone.jsonl", "--scenario", "trial"), "gone.jsonl: there is no such file"),
        (("--outputs", "o.jsonl", "--scenario", "trail"), "no scenario is named 'trail'"),
    ],
)
def test_wrong_calls(place: Any, write_scenario: WriteScenario, options: tuple[str, ...], message: str) -> None:
    write_scenario(3)
    jsonl(place.folder / "o.jsonl", outputs("t0", "t1", "t2"))
    done = place.run("alpaca-suite", "eval", *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


@pytest.mark.data
def test_a_list_of_alpaca_eval_on_the_user_oriented_instructions(place: Any) -> None:
    """All 805 rows of AlpacaEval's list: those of its other sets are passed over, the 252 are found by their texts."""
    if not DATA.is_dir():
        pytest.skip(f"needs the reference data in {DATA}")
    rows = [json.loads(line) for line in (DATA / "alpaca_eval" / "instructions.jsonl").read_text("utf-8").splitlines()]
    ours = (DATA / "self_instruct_252" / "outputs" / "alpaca-7b.jsonl").read_text("utf-8").splitlines()
    said = {row["instruction"]: row["output"] for row in map(json.loads, ours)}
    listed = [
        {
            "dataset": row["dataset"],
            "instruction": row["instruction"],
            "output": said.get(row["instruction"], "something else"),
            "generator": "alpaca-7b",
        }
        for row in rows
    ]
    assert len(listed) == 805
    (place.folder / "model_outputs.json").write_text(json.dumps(listed))
    done = place.run(
        *("alpaca-suite", "eval", "--outputs", "model_outputs.json", "--scenario", "user_oriented", "--judge", "none"),
        ALPACA_DATA_DIR=str(DATA / "self_instruct_252"),
        ALPACA_SCENARIOS="",
    )
    assert done.returncode == 0, done.stderr
    run = place.the_run()
    assert (run.record.model.name, run.record.scenario.n_items) == ("alpaca-7b", 252)
    assert set(run.answers.values()) <= set(said.values())
    assert run.record.numbers["mean_length"] == pytest.approx(
        sum(len(json.loads(line)["output"]) for line in ours) / 252
    )
