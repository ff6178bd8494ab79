"""A checkpoint that says which prompt it was trained with, asked with another."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from alpaca_eval_suite.evaluate import local, trained_prompt
from alpaca_eval_suite.evaluate.plan import Options, make_plan
from alpaca_eval_suite.evaluate.run_specs import make_run_spec
from alpaca_eval_suite.evaluate.trained_prompt import prompt_record, warning
from alpaca_eval_suite.prompts import prompt_hash

MakeCheckpoint = Callable[..., Path]


@pytest.fixture(autouse=True)
def fresh() -> None:
    local.open_checkpoint.cache_clear()
    trained_prompt.warn.cache_clear()


@pytest.fixture
def trained(make_checkpoint: MakeCheckpoint) -> str:
    """The deployment of a checkpoint trained with its chat template."""
    folder = make_checkpoint("tiny")
    (folder / "training_prompt.json").write_text(json.dumps({"format": "chat", "sha256": prompt_hash("chat")}))
    return f"alpaca/{folder}"


def test_the_same_prompt_is_recorded_and_no_mismatch(trained: str) -> None:
    record = prompt_record(trained, "chat")
    assert record.trained_with is not None
    assert (record.trained_with.format, record.trained_with.sha256) == ("chat", record.sha256)
    assert record.mismatch is False
    assert warning(trained, "chat") is None


def test_another_prompt_is_a_mismatch_and_a_loud_warning(trained: str) -> None:
    record = prompt_record(trained, "alpaca")
    assert record.mismatch is True
    said = warning(trained, "alpaca")
    assert said is not None
    assert said.startswith("WARNING: tiny was trained with another prompt than this run's: chat ")
    assert prompt_hash("alpaca")[:8] in said


def test_other_bytes_of_the_same_form_are_a_mismatch(make_checkpoint: MakeCheckpoint) -> None:
    folder = make_checkpoint("tiny")
    (folder / "training_prompt.json").write_text(json.dumps({"format": "alpaca", "sha256": "0" * 64}))
    assert prompt_record(f"alpaca/{folder}", "alpaca").mismatch is True


@pytest.mark.parametrize("deployment", ["openai/gpt-4o-mini", None])
def test_where_nothing_is_said_nothing_is_claimed(make_checkpoint: MakeCheckpoint, deployment: str | None) -> None:
    record = prompt_record(deployment or f"alpaca/{make_checkpoint('tiny')}", "alpaca")
    assert (record.trained_with, record.mismatch) == (None, False)


def test_the_plan_warns_before_anything_runs(trained: str) -> None:
    folder = trained.removeprefix("alpaca/")
    assert len(make_plan(Options(model=folder, scenarios=("capitals",))).warnings) == 1
    assert make_plan(Options(model=folder, scenarios=("capitals",), prompt_format="chat")).warnings == []


def test_helm_run_is_warned_once_when_it_names_the_model(
    trained: str, helm: None, capsys: pytest.CaptureFixture[str]
) -> None:
    from dataclasses import replace

    spec = make_run_spec("capitals")
    assert capsys.readouterr().err == ""
    for _ in range(2):
        adapter = replace(spec.adapter_spec, model_deployment=trained, model=trained)
        replace(spec, adapter_spec=adapter)
    assert capsys.readouterr().err.count("WARNING: tiny was trained with another prompt") == 1
