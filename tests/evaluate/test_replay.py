"""Outputs from a file as a HELM deployment: which file, whose outputs, which output to which prompt."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from alpaca_eval_suite.cards import list_cards, load_card, load_instructions
from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.evaluate import replay
from alpaca_eval_suite.evaluate.local import fingerprint_of_deployment
from alpaca_eval_suite.evaluate.plan import Options, Plan, make_plan
from alpaca_eval_suite.evaluate.replay import ReplayClient, answers_of, deployment, deployment_name, open_outputs
from alpaca_eval_suite.evaluate.scenario import AlpacaScenario, request_text
from alpaca_eval_suite.files import sha256_of
from alpaca_eval_suite.prompts import PROMPT_FORMATS

WriteScenario = Callable[..., Path]


@pytest.fixture(autouse=True)
def fresh(write_scenario: WriteScenario) -> None:
    open_outputs.cache_clear()
    answers_of.cache_clear()
    write_scenario(3)


def written(path: Path, rows: Sequence[dict[str, Any]] | None = None, **more: Any) -> Path:
    rows = [{"id": f"t{n}", "output": f"answer {n}", **more} for n in range(3)] if rows is None else rows
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def ask(name: str, **fields: Any) -> Any:
    from helm.common.request import Request

    return ReplayClient(name).make_request(Request(model="x/y", model_deployment=name, **fields))


@pytest.mark.parametrize("prompt_format", PROMPT_FORMATS)
def test_each_prompt_gets_its_own_output(tmp_path: Path, prompt_format: str) -> None:
    rows = [{"id": f"t{n}", "output": f"answer {n}"} for n in (2, 0, 1)]
    name = deployment_name("trial", written(tmp_path / "o.jsonl", rows))
    for instance in AlpacaScenario("trial", prompt_format).get_instances("unused"):  # type: ignore[arg-type]
        asked = {"messages": instance.input.messages} if prompt_format == "chat" else {"prompt": instance.input.text}
        result = ask(name, **asked)
        assert [completion.text for completion in result.completions] == [f"answer {instance.id[1:]}"]
        assert (result.success, result.cached) == (True, False)
        # Why an output in a file ended is not known.
        assert result.completions[0].finish_reason is None


def test_a_prompt_of_no_item(tmp_path: Path) -> None:
    from helm.proxy.retry import NonRetriableException

    path = written(tmp_path / "o.jsonl")
    with pytest.raises(NonRetriableException) as caught:
        ask(deployment_name("trial", path), prompt="What is the time?")
    assert str(caught.value.__cause__).startswith(f"{path}: holds no output for what was asked: 'What is the time?'")


@pytest.mark.parametrize("place", ["o.jsonl", "some where/o.jsonl", "a@b/o@2.jsonl", "x,y=1/o.jsonl"])
@pytest.mark.parametrize("model", [None, "mine", "openai/gpt-4", "me@home"])
def test_whose_outputs_they_are(tmp_path: Path, place: str, model: str | None) -> None:
    path = written(tmp_path / place, model="as the rows say")
    name = deployment_name("trial", path, model)
    found = open_outputs(name)
    assert (found.scenario, found.outputs.path, found.sha256) == ("trial", path, sha256_of(path))
    assert found.outputs.model == (model or "as the rows say")
    assert found.deployment == f"outputs/trial/{path.name}"


def test_the_name_of_the_file_where_nobody_says(tmp_path: Path) -> None:
    assert open_outputs(deployment_name("trial", written(tmp_path / "alpaca-7b.jsonl"))).outputs.model == "alpaca-7b"


def test_relative_paths_and_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "o.jsonl")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert deployment_name("trial", Path("o.jsonl")) == f"outputs/trial/{path}"
    assert open_outputs("outputs/trial/o.jsonl").sha256 == open_outputs("outputs/trial/~/o.jsonl").sha256


def test_the_content_is_the_identity(tmp_path: Path) -> None:
    one, same = (deployment_name("trial", written(tmp_path / name)) for name in ("a.jsonl", "b.jsonl"))
    other = deployment_name("trial", written(tmp_path / "c.jsonl", model="x"))
    assert fingerprint_of_deployment(one) == fingerprint_of_deployment(same) == sha256_of(tmp_path / "a.jsonl")[:12]
    assert fingerprint_of_deployment(other) != fingerprint_of_deployment(one)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"id": "t0", "output": "x"}], "no output for: t1, t2"),
        ([{"id": f"t{n}", "output": "x"} for n in range(4)], "outputs for items that the scenario does not have: t3"),
        ([{"id": f"t{n % 3}", "output": "x"} for n in range(4)], "the id 't0' stands twice"),
        ([{"id": f"t{n}", "output": n} for n in range(3)], "'output' is missing or not text"),
        ([], "holds no outputs"),
        ([{"id": f"t{n}", "output": "x", "model": f"m{n}"} for n in range(3)], "holds outputs of several models"),
    ],
)
def test_outputs_that_do_not_fit(tmp_path: Path, rows: list[dict[str, Any]], message: str) -> None:
    path = written(tmp_path / "o.jsonl", rows)
    for make in (lambda: deployment_name("trial", path), lambda: deployment(f"outputs/trial/{path}")):
        with pytest.raises(SuiteError, match=message):
            make()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("outputs/trial/nowhere.jsonl", "there is no such file"),
        ("outputs/trial", "there is no such file"),
        ("outputs/trail/o.jsonl", "no scenario is named 'trail'"),
    ],
)
def test_names_that_stand_for_nothing(name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        open_outputs(name)


def test_items_that_ask_the_same(write_scenario: WriteScenario, tmp_path: Path) -> None:
    twin = {"instruction": "Say.", "topic": "a", "checks": [{"check": "contains", "any": ["x"]}]}
    write_scenario(items=[{"id": "a", **twin}, {"id": "b", **twin}], outputs=[], baseline=None)
    same = [{"id": "a", "output": "x"}, {"id": "b", "output": "x"}]
    assert set(answers_of(deployment_name("trial", written(tmp_path / "same.jsonl", same))).values()) == {"x"}
    differ = written(tmp_path / "differ.jsonl", [{"id": "a", "output": "x"}, {"id": "b", "output": "y"}])
    with pytest.raises(SuiteError, match="the items a and b of trial ask the same, but their outputs differ"):
        deployment_name("trial", differ)


@pytest.mark.parametrize("name", ["capitals", "misinformation", "stereotypes", "toxicity", "user_oriented_mini"])
def test_our_scenarios_can_all_be_replayed(name: str) -> None:
    assert name in list_cards()
    items = load_instructions(load_card(name))
    for prompt_format in PROMPT_FORMATS:
        assert len({request_text(item, prompt_format) for item in items}) == len(items)  # type: ignore[arg-type]


def test_helm_resolves_the_name(helm: None, tmp_path: Path) -> None:
    from helm.benchmark.model_deployment_registry import get_model_deployment
    from helm.common.object_spec import create_object

    name = deployment_name("trial", written(tmp_path / "o.jsonl"), "openai/gpt-4")
    found = get_model_deployment(name)
    assert found.model_name == "o.jsonl@openai/gpt-4"
    assert found.client_spec.class_name == f"{replay.__name__}.ReplayClient"
    assert isinstance(create_object(found.client_spec), ReplayClient)


def plan_of(**options: Any) -> Plan:
    return make_plan(Options(**{"model": None, "scenarios": ("trial",), **options}))


def test_a_plan_for_outputs(tmp_path: Path) -> None:
    path = written(tmp_path / "o.jsonl")
    plan = plan_of(outputs=path, model_name="mine", limit=2)
    assert plan.deployment == f"outputs/trial/{path}@mine"
    assert plan.seconds_on_two_cores() is None
    assert plan.run_line()[plan.run_line().index("--models-to-run") + 1] == plan.deployment
    assert plan.stages[0].n_items == 2
    assert make_plan(Options(model=plan.deployment, scenarios=("trial",))).deployment == plan.deployment


@pytest.mark.parametrize("options", [{"model": "simple/model1"}, {"scenarios": ("trial", "capitals")}])
def test_outputs_take_the_place_of_a_model_on_one_scenario(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="in the place of a model, and on one scenario"):
        plan_of(outputs=written(tmp_path / "o.jsonl"), **options)
