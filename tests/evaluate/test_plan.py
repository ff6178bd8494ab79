"""The three command lines: what HELM's own parser makes of them is what was asked for."""

import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.evaluate.plan import Options, Plan, make_plan
from alpaca_eval_suite.evaluate.settings import make_settings

WriteScenario = Callable[..., Path]


def plan_of(**options: Any) -> Plan:
    return make_plan(Options(**{"model": "simple/model1", "scenarios": ("trial",), **options}))


def read_entry(entry: str) -> Any:
    from helm.common.object_spec import parse_object_spec

    return parse_object_spec(entry)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"judge": "openai/gpt-4o-mini", "orders": "single", "seed": 7, "max_tokens": 9, "prompt_format": "chat"},
        {"judge": "none"},
        {"judge": "ratings@endpoint/x", "orders": "balanced"},
        {"judge": "half.yaml"},
        {"judge": "half.yaml", "orders": "both"},
        {"judge": "builtin:longer"},
        {"thinking": "keep", "thinking_tokens": 512},
        {"baseline": "none"},
        {"baseline": "openai/gpt-4"},
        {"baseline": "folder/my outputs.jsonl"},
    ],
)
def test_entry_means_the_same_to_helm(
    write_scenario: WriteScenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    outputs = write_scenario() / "baseline.jsonl"
    monkeypatch.chdir(tmp_path)
    Path("half.yaml").write_text("model: endpoint/x\norders: balanced\n")
    Path("endpoints.yaml").write_text("endpoints: {x: {base_url: 'http://127.0.0.1:1', model: m}}")
    Path("folder").mkdir()
    Path("folder/my outputs.jsonl").write_bytes(outputs.read_bytes())
    plan = plan_of(**options)
    spec = read_entry(plan.entries[0])
    assert spec.class_name == "alpaca_scenario"
    assert make_settings(**spec.args) == plan.stages[0].settings


def test_known_scenarios_have_run_specs_of_their_own() -> None:
    plan = plan_of(scenarios=("user_oriented_mini", "capitals"), limit=3)
    assert plan.entries == [
        "alpaca_user_oriented_mini:prompt_format=alpaca,judge=builtin:checks",
        "alpaca_capitals:prompt_format=alpaca,judge=none",
    ]
    assert [(stage.n_items, stage.n_verdicts) for stage in plan.stages] == [(3, 3), (3, 0)]


def test_lines_go_through_the_parsers_that_read_them(write_scenario: WriteScenario) -> None:
    from helm.benchmark.presentation.summarize import main as _  # noqa: F401  (the module that reads the second line)
    from helm.benchmark.run import build_parser

    write_scenario(6)
    write_scenario(9, name="other one".replace(" ", "_"))
    plan = plan_of(
        scenarios=("trial", "other_one"), suite="my suite", output_path=Path("out put"), results=Path("re sults")
    )
    run, summarize, build = (shlex.split(line) for line in plan.lines())
    read = build_parser().parse_args(run[1:])
    assert run[0] == "helm-run"
    assert read.run_entries == plan.entries
    assert read.models_to_run == ["simple/model1"]
    assert (read.suite, read.output_path) == ("my suite", "out put")
    # The largest scenario's size: none is cut.
    assert (read.max_eval_instances, read.num_threads, read.exit_on_error) == (9, 32, True)
    assert summarize[:5] == ["helm-summarize", "--suite", "my suite", "--output-path", "out put"]
    assert build[:3] == ["alpaca-suite", "leaderboard", "build"]
    assert build[3:] == ["--runs", "out put", "--suite", "my suite", "--out", "re sults"]


def test_a_limited_run_has_a_suite_of_its_own(write_scenario: WriteScenario) -> None:
    write_scenario(6)
    limited = plan_of(limit=2)
    assert limited.suite == "alpaca-limit-2"
    assert limited.suite_folder == Path("benchmark_output/runs/alpaca-limit-2")
    assert limited.run_line()[limited.run_line().index("--max-eval-instances") + 1] == "2"
    assert limited.stages[0].n_items == 2
    assert plan_of(limit=50).stages[0].n_items == 6
    assert plan_of().suite == "alpaca"


@pytest.mark.parametrize(
    ("options", "n_verdicts"),
    [
        ({"judge": "a/b"}, 12),
        ({"judge": "a/b", "orders": "single"}, 6),
        ({"judge": "a/b", "orders": "balanced"}, 6),
        ({"judge": "builtin:longer"}, 6),
        ({"judge": "builtin:checks"}, 6),
        ({"judge": "none"}, 0),
    ],
)
def test_number_of_verdicts(write_scenario: WriteScenario, options: dict[str, Any], n_verdicts: int) -> None:
    write_scenario(6)
    assert plan_of(**options).stages[0].n_verdicts == n_verdicts


def test_a_probe_is_read_by_its_rule_whatever_the_judge() -> None:
    plan = plan_of(scenarios=("capitals",), judge="openai/gpt-4", baseline="openai/gpt-4")
    assert (plan.stages[0].settings.judge, plan.stages[0].settings.baseline) == ("none", "card")


def test_a_probe_judge_takes_the_rules_place_and_is_asked_once_an_answer(write_scenario: WriteScenario) -> None:
    write_scenario(6)
    plan = plan_of(scenarios=("capitals", "trial"), probe_judge="openai/gpt-4", judge="none", limit=5)
    assert [stage.settings.judge for stage in plan.stages] == ["openai/gpt-4", "none"]
    assert [stage.n_verdicts for stage in plan.stages] == [5, 0]
    assert "judge=openai/gpt-4" in plan.entries[0]


@pytest.mark.parametrize("written", ["ckpt", "./ckpt", "alpaca/./ckpt", "{tmp}/ckpt", "alpaca/{tmp}/ckpt"])
def test_a_folder_is_named_in_full(
    write_scenario: WriteScenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    write_scenario()
    monkeypatch.chdir(tmp_path)
    Path("ckpt").mkdir()
    assert plan_of(model=written.format(tmp=tmp_path)).deployment == f"alpaca/{tmp_path}/ckpt"


def test_a_folder_goes_before_an_embedded_model_and_a_deployment(
    write_scenario: WriteScenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_scenario()
    monkeypatch.chdir(tmp_path)
    assert plan_of(model="smollm2-135m-instruct").deployment == "alpaca/smollm2-135m-instruct"
    assert plan_of(model="alpaca/smollm2-135m-instruct").deployment == "alpaca/smollm2-135m-instruct"
    assert plan_of(model="openai/gpt-4").deployment == "openai/gpt-4"
    Path("smollm2-135m-instruct").mkdir()
    Path("openai/gpt-4").mkdir(parents=True)
    assert plan_of(model="smollm2-135m-instruct").deployment == f"alpaca/{tmp_path}/smollm2-135m-instruct"
    assert plan_of(model="openai/gpt-4").deployment == f"alpaca/{tmp_path}/openai/gpt-4"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scenarios": ()}, "no scenario is named"),
        ({"model": "nowhere"}, "there is no folder 'nowhere'"),
        ({"model": "./nowhere"}, "there is no folder './nowhere'"),
        ({"model": "/a/b"}, "there is no folder '/a/b'"),
        ({"model": "a/b/c"}, "there is no folder 'a/b/c'"),
        ({"model": "alpaca/nowhere"}, "there is no folder 'alpaca/nowhere'"),
        ({"suite": "../x"}, "'../x' is no name of a suite"),
        ({"suite": ""}, "'' is no name of a suite"),
        ({"suite": ".."}, "'..' is no name of a suite"),
        ({"scenarios": ("trail",)}, "no scenario is named 'trail'"),
        ({"baseline": "a,b.jsonl"}, "a,b.jsonl: a comma or an equals sign in a name cannot be passed to HELM"),
        ({"baseline": "a=b.jsonl"}, "a=b.jsonl: a comma or an equals sign in a name cannot be passed to HELM"),
        ({"judge": "gpt-4"}, "no judge is named 'gpt-4'"),
        ({"judge": "panel.yaml"}, "panel.yaml is a panel, and one judge judges a run of HELM's"),
        ({"judge": "letter@endpoint/base"}, "base"),
        ({"probe_judge": "ratings@a/b"}, "there is no model 'a/b'"),
        ({"judge": "a,seed=3/b"}, "a,seed=3/b: a comma or an equals sign in a name cannot be passed to HELM"),
    ],
)
def test_what_cannot_be_planned(
    write_scenario: WriteScenario,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, Any],
    message: str,
) -> None:
    write_scenario()
    monkeypatch.chdir(tmp_path)
    Path("panel.yaml").write_text("panel: [endpoint/a, endpoint/b]\n")
    Path("endpoints.yaml").write_text("endpoints: {base: {base_url: 'http://127.0.0.1:1', model: m, api: completions}}")
    with pytest.raises(UsageError) as caught:
        plan_of(**options)
    assert message in str(caught.value)


def test_planning_loads_nothing_heavy(write_scenario: WriteScenario) -> None:
    """A slip in the command line is answered at once."""
    write_scenario()
    code = (
        "import sys; from alpaca_eval_suite.evaluate.plan import Options, make_plan; "
        "make_plan(Options(model='simple/model1', scenarios=('trial',))); "
        "print([name for name in ('torch', 'transformers', 'pandas', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_missing_baseline_output_stops_the_plan(write_scenario: WriteScenario) -> None:
    write_scenario(2, outputs=[{"id": "t0", "output": "a"}])
    with pytest.raises(SuiteError, match="no output for: t1"):
        plan_of()
