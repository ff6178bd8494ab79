"""`pip install .` without extras, in an empty environment: light, and it runs what it promises."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
MEGABYTES = 300
HEAVY = ("torch", "transformers", "helm", "accelerate", "pandas", "openai")

MODULES = f"""
import importlib.util, json
print(json.dumps([name for name in {HEAVY!r} if importlib.util.find_spec(name)]))
"""
HELP = """
import click
from alpaca_eval_suite.cli.main import cli

def commands(command, words, context):
    yield words
    if isinstance(command, click.Group):
        inner = click.Context(command, info_name=words[-1] if words else "alpaca-suite", parent=context)
        for name in command.list_commands(inner):
            yield from commands(command.get_command(inner, name), [*words, name], inner)

for words in commands(cli, [], None):
    print(" ".join(words))
"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def venv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that holds the base install and nothing else."""
    folder = tmp_path_factory.mktemp("base") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=120)
    line = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(ROOT)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode != 0 and "No matching distribution" in done.stderr + done.stdout:
        pytest.skip("packages cannot be fetched here")
    assert done.returncode == 0, done.stderr
    return folder / "bin"


@pytest.fixture
def run(venv: Path, place: Any) -> Any:
    """run("alpaca-suite", ...): a program of that environment, in an empty folder."""

    def call(program: str, *args: str) -> Any:
        return place.run(str(venv / program), *args, PYTHONPATH="")

    return call


def test_it_is_light(venv: Path, run: Any, record_property: Any) -> None:
    [site] = (venv.parent / "lib").glob("python*/site-packages")
    size = sum(path.stat().st_size for path in site.rglob("*") if path.is_file()) / 1e6
    record_property("site-packages, MB", round(size))
    print(f"site-packages of the base install: {size:.0f} MB")
    assert size < MEGABYTES
    assert json.loads(run("python", "-c", MODULES).stdout) == []


def test_the_help_of_every_command(run: Any) -> None:
    found = run("python", "-c", HELP)
    assert found.returncode == 0, found.stderr
    commands = [line.split() for line in found.stdout.splitlines()]
    assert {("eval",), ("scenarios", "new"), ("stats", "win-rate"), ("doctor",)} <= set(map(tuple, commands))
    for words in commands:
        done = run("alpaca-suite", *words, "--help")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(f"Usage: {' '.join(['alpaca-suite', *words])} ")


def test_statistics(run: Any, place: Any) -> None:
    rows = [{"id": f"i{n}", "win": win} for n, win in enumerate([1, 1, 1, 0.5, 0, 1, 0, 1])]
    (place.folder / "preferences.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = run("alpaca-suite", "stats", "win-rate", "preferences.jsonl", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["win_rate"], report["n"]) == (5.5 / 8, 8)
    assert 0 < report["ci"]["low"] < 5.5 / 8 < report["ci"]["high"] < 1


def test_the_leaderboard(run: Any) -> None:
    done = run("alpaca-suite", "leaderboard", "show", "--results", str(ROOT / "results"))
    assert done.returncode == 0, done.stderr
    assert "smollm2-135m-instruct" in done.stdout.lower()


def test_scenarios(run: Any, place: Any) -> None:
    done = run("alpaca-suite", "scenarios", "list")
    assert done.returncode == 0, done.stderr
    assert "capitals" in done.stdout
    for name in ("capitals", "misinformation", "stereotypes", "toxicity", "user_oriented_mini"):
        done = run("alpaca-suite", "scenarios", "validate", name)
        assert (done.returncode, done.stdout) == (0, f"{name}: no problem\n"), done.stderr
    (place.folder / "quiz.csv").write_text("question,answer\nCapital of France?,Paris\n")
    line = ("scenarios", "new", "quiz", "--from", "quiz.csv", "--instruction", "question")
    done = run("alpaca-suite", *line, "--metric", "short_answer", "--answers", "answer", "--out", "mine")
    assert done.returncode == 0, done.stderr
    assert run("alpaca-suite", "scenarios", "validate", "mine/quiz").returncode == 0


@pytest.mark.parametrize(
    "command",
    [("eval", "--model", "simple/model1"), ("eval", "--outputs", "o.jsonl", "--scenario", "x"), ("quickstart",)],
)
def test_what_needs_helm_says_so(run: Any, command: tuple[str, ...]) -> None:
    done = run("alpaca-suite", *command)
    assert (done.returncode, done.stdout) == (2, "")
    assert "needs an extra that is not installed\n  Type: pip install 'alpaca-eval-suite[helm]'\n" in done.stderr


def test_the_doctor(run: Any) -> None:
    done = run("alpaca-suite", "doctor", "--json")
    found = {finding["name"]: finding for finding in json.loads(done.stdout)}
    assert done.returncode == 0, [finding for finding in found.values() if finding["state"] == "fail"]
    assert (found["Extra [helm]"]["state"], found["torch"]["state"]) == ("warn", "warn")
    assert found["HELM plugin"]["detail"] == "HELM is not installed"
