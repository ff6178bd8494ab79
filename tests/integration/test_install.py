"""Installed without an extra, and installed from the wheel outside the checkout."""

import json
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
WITHOUT_HELM = (
    "import sys; sys.modules['helm'] = None; from alpaca_eval_suite.cli.main import main; sys.exit(main(sys.argv[1:]))"
)


@pytest.mark.parametrize("command", [("eval", "--model", "simple/model1"), ("quickstart",)])
def test_without_the_helm_extra(place: Any, command: tuple[str, ...]) -> None:
    done = place.run(sys.executable, "-c", WITHOUT_HELM, *command)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "Evaluating a model needs an extra that is not installed\n  Type: pip install 'alpaca-eval-suite[helm]'\n"
    ).replace("Evaluating", "error: Evaluating")


def test_help_needs_no_extra(place: Any) -> None:
    done = place.run(sys.executable, "-c", WITHOUT_HELM, "eval", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "alpaca-suite eval --model ./my-checkpoint" in done.stdout


INSTALLED = """
import json, sys
from importlib.metadata import entry_points
import alpaca_eval_suite
from alpaca_eval_suite.cards import list_cards, load_card, load_instructions
from alpaca_eval_suite.resources import resource_dir
print(json.dumps({
    "package": alpaca_eval_suite.__file__,
    "cards": list_cards(),
    "items": len(load_instructions(load_card("capitals"))),
    "run_specs": str(resource_dir("run_specs")),
    "schema": (resource_dir("run_specs") / "schema_alpaca.yaml").is_file(),
    "plugins": [point.value for point in entry_points(group="helm") if point.name == "alpaca_eval_suite"],
}))
"""


@pytest.mark.slow
def test_wheel_outside_the_checkout(place: Any) -> None:
    """The wheel alone in a fresh environment; what it depends on is seen through a .pth file."""
    wheels, venv = place.folder / "wheels", place.folder / "venv"
    lines = [
        (sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(wheels), str(ROOT)),
        (sys.executable, "-m", "venv", "--without-pip", str(venv)),
    ]
    place.env.pop("PYTHONPATH", None)
    for line in lines:
        done = place.run(*line)
        assert done.returncode == 0, done.stderr
    (wheel,) = wheels.glob("*.whl")
    python = str(venv / "bin" / "python")
    done = place.run(
        *(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", str(wheel))
    )
    assert done.returncode == 0, done.stderr
    site = venv / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")

    done = place.run(str(venv / "bin" / "alpaca-suite"), "--version")
    assert done.stdout.startswith("alpaca-suite, version "), done.stderr
    done = place.run(python, "-c", INSTALLED, ALPACA_SCENARIOS="")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert Path(found["package"]).is_relative_to(venv)
    assert Path(found["run_specs"]) == site / "alpaca_eval_suite" / "_data" / "run_specs"
    assert {"capitals", "user_oriented", "user_oriented_mini"} <= set(found["cards"])
    assert (found["items"], found["schema"]) == (195, True)
    assert found["plugins"] == ["alpaca_eval_suite.helm_plugin"]

    done = place.run(
        *(python, "-m", "helm.benchmark.run", "--run-entries", "alpaca_user_oriented_mini:prompt_format=alpaca"),
        *("--models-to-run", "simple/model1", "--suite", "alpaca", "--max-eval-instances", "3"),
    )
    assert done.returncode == 0, done.stderr
    assert place.the_run().record.scenario.n_items == 3
