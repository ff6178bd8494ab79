"""Run specs as HELM builds them: the name tells two checkpoints apart, whatever their folders are called."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alpaca_eval_suite.errors import UsageError
from alpaca_eval_suite.evaluate.run_specs import AlpacaRunSpec, make_run_spec
from alpaca_eval_suite.models.fingerprint import fingerprint, short

WriteScenario = Callable[..., Path]
MakeCheckpoint = Callable[..., Path]


@pytest.fixture(autouse=True)
def with_helm(helm: Any, write_scenario: WriteScenario) -> None:
    write_scenario()


def built(model: str, entry: str = "alpaca_scenario:scenario=trial") -> Any:
    """What helm-run makes of one entry and one model."""
    from helm.benchmark.presentation.run_entry import RunEntry
    from helm.benchmark.run import run_entries_to_run_specs

    specs = run_entries_to_run_specs(
        [RunEntry(description=entry, priority=1, groups=None)], max_eval_instances=5, models_to_run=[model]
    )
    assert len(specs) == 1
    return specs[0]


def test_fingerprint_in_the_name_of_a_path(make_checkpoint: MakeCheckpoint) -> None:
    folder = make_checkpoint("one/tiny")
    spec = built(f"alpaca/{folder}")
    mark = short(fingerprint(folder))
    assert spec.name.endswith(f",model=one_tiny,fingerprint={mark}")
    assert spec.name.count("fingerprint=") == 1
    assert spec.adapter_spec.model_deployment == f"alpaca/{folder}"
    assert spec.adapter_spec.max_eval_instances == 5
    assert [metric.args["run"] for metric in spec.metric_specs] == [spec.name]


def test_fingerprint_in_the_name_of_a_two_part_deployment(
    make_checkpoint: MakeCheckpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_checkpoint("tiny")
    monkeypatch.chdir(tmp_path)
    spec = built("alpaca/tiny")
    assert spec.name.endswith(f",model=alpaca_tiny,fingerprint={short(fingerprint(folder))}")
    assert spec.adapter_spec.model_deployment == "alpaca/tiny"
    assert spec.metric_specs[0].args["run"] == spec.name


def test_two_folders_of_the_same_name_differ(make_checkpoint: MakeCheckpoint) -> None:
    one = make_checkpoint("a/same/tiny")
    other = make_checkpoint("b/same/tiny", retrained=True)
    names = [built(f"alpaca/{folder}").name for folder in (one, other)]
    assert names[0].partition("fingerprint=")[0] == names[1].partition("fingerprint=")[0]
    assert names[0] != names[1]


def test_a_retrained_folder_differs(make_checkpoint: MakeCheckpoint) -> None:
    from alpaca_eval_suite.evaluate.local import open_checkpoint

    folder = make_checkpoint("tiny")
    before = built(f"alpaca/{folder}").name
    make_checkpoint("tiny", retrained=True)
    open_checkpoint.cache_clear()  # another process would begin so
    assert built(f"alpaca/{folder}").name != before


def test_helm_finds_the_model_that_the_run_spec_names(make_checkpoint: MakeCheckpoint) -> None:
    from helm.benchmark.model_deployment_registry import get_model_deployment

    spec = built(f"alpaca/{make_checkpoint('one/tiny')}")
    deployment = get_model_deployment(spec.adapter_spec.model_deployment)
    assert deployment.model_name == spec.adapter_spec.model == "one/tiny"
    assert deployment.client_spec.class_name == "alpaca_eval_suite.evaluate.local.LocalCheckpointClient"


def test_other_deployments_have_no_fingerprint() -> None:
    spec = built("simple/model1")
    assert spec.name.endswith("model=simple_model1")
    assert spec.metric_specs[0].args["run"] == spec.name


def test_groups_of_a_run_entry_reach_the_metric() -> None:
    """HELM puts them behind the name, last of all."""
    from helm.benchmark.presentation.run_entry import RunEntry
    from helm.benchmark.run import run_entries_to_run_specs

    entry = RunEntry(description="alpaca_scenario:scenario=trial", priority=1, groups=["mine"])
    (spec,) = run_entries_to_run_specs([entry], max_eval_instances=5, models_to_run=["simple/model1"])
    assert spec.name.endswith(",groups=mine")
    assert spec.metric_specs[0].args["run"] == spec.name


def test_stays_ours_through_replace() -> None:
    spec = make_run_spec("trial")
    copy = replace(spec, name="alpaca_trial:x=a/b", groups=[*spec.groups, "more"])
    assert isinstance(copy, AlpacaRunSpec)
    assert copy.name == "alpaca_trial:x=a_b"
    assert copy.metric_specs[0].args["run"] == copy.name
    assert copy.metric_specs[0].args["settings"] == spec.metric_specs[0].args["settings"]


@pytest.mark.parametrize(
    ("entry", "arguments"),
    [
        ("alpaca_user_oriented_mini", {"scenario": "user_oriented_mini", "prompt_format": "alpaca"}),
        ("alpaca_capitals:prompt_format=chat", {"scenario": "capitals", "prompt_format": "chat"}),
        ("alpaca_scenario:scenario=trial,seed=3", {"scenario": "trial", "prompt_format": "alpaca"}),
    ],
)
def test_every_run_spec_is_known_by_name(entry: str, arguments: dict[str, str]) -> None:
    spec = built("simple/model1", entry)
    assert spec.scenario_spec.args == arguments
    assert spec.groups == [f"alpaca_{arguments['scenario']}"]
    assert spec.name.startswith(f"alpaca_{arguments['scenario']}:prompt_format={arguments['prompt_format']},judge=")


def test_name_holds_no_place_of_a_local_judge(make_checkpoint: MakeCheckpoint) -> None:
    folder = make_checkpoint("a/rather/long/way/down/judges/tiny")
    for judge in (f"alpaca/{folder}", str(folder)):
        assert ",judge=letter@judges_tiny,spec=" in make_run_spec("trial", judge=judge).name
    assert ",judge=ratings@judges_tiny,spec=" in make_run_spec("trial", judge=f"ratings@{folder}").name
    assert ",judge=letter@openai_gpt-4,spec=" in make_run_spec("trial", judge="openai/gpt-4").name
    assert ",judge=openai_gpt-4,spec=" in make_run_spec("capitals", judge="openai/gpt-4").name


def test_wrong_argument_of_an_entry() -> None:
    with pytest.raises(UsageError, match="temprature: Extra inputs are not permitted"):
        built("simple/model1", "alpaca_scenario:scenario=trial,temprature=1")


def test_a_budget_for_thoughts_is_asked_for_beside_the_answer(make_checkpoint: MakeCheckpoint) -> None:
    from alpaca_eval_suite.evaluate.thoughts import budget_of

    model = f"alpaca/{make_checkpoint('tiny')}"
    spec = built(model, "alpaca_scenario:scenario=trial,thinking_tokens=100")
    assert spec.adapter_spec.max_tokens == 16 + 100
    assert budget_of(request_of(spec)) == 100
    assert "decoding=" not in spec.name
    names = {built(model, f"alpaca_scenario:scenario=trial{more}").name for more in ("", ",thinking=keep")}
    assert len(names | {spec.name}) == 3


def request_of(spec: AlpacaRunSpec) -> Any:
    """The request that HELM makes of the first item."""
    from helm.common.request import Request

    adapter = spec.adapter_spec
    return Request(model="x/y", max_tokens=adapter.max_tokens, random=adapter.random)
