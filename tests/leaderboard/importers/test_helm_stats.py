"""Runs of HELM's own scenarios."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.leaderboard.importers import read_helm_stats
from alpaca_eval_suite.leaderboard.raw import raw_text

from .conftest import HOSTILE, only
from .test_robust import ANYTHING, places

FILES = ("run_spec.json", "scenario_state.json", "per_instance_stats.json", "stats.json")


def name(of: str, **keys: Any) -> dict[str, Any]:
    return {"name": of, "split": "test"} | keys


def state(number: int, trial: int = 0, **instance: Any) -> dict[str, Any]:
    """One request state."""
    return {
        "instance": {
            "input": {"text": f"Is {number} even?"},
            "references": [{"output": {"text": "yes"}, "tags": ["correct"]}],
            "split": "test",
            "id": f"id{number}",
        }
        | instance,
        "train_trial_index": trial,
        "request": {"prompt": f"Q: Is {number} even?\nA:"},
        "result": {
            "success": True,
            "completions": [
                {"text": " yes", "finish_reason": {"reason": "stop", "dtype": "float32", "batch_size": 16}}
            ],
            "request_datetime": 1769860800 + number,
        },
    }


def stats(number: int, value: Any, trial: int = 0, of: str = "exact_match", **keys: Any) -> dict[str, Any]:
    """One row of per_instance_stats.json, with what HELM always writes beside a score."""
    return {
        "instance_id": f"id{number}",
        "train_trial_index": trial,
        "stats": [
            {"name": name("num_output_tokens"), "count": 1, "mean": 2.0},
            {"name": name("inference_runtime"), "count": 1, "mean": 0.5},
            {"name": name("logprob"), "count": 1, "mean": -0.5},
            {"name": name("training_co2_cost"), "count": 0},
            {"name": name(of), "count": 1, "mean": value},
        ],
    } | keys


def run(states: list[Any], rows: list[Any], overall: list[Any] | None = None, **adapter: Any) -> list[Any]:
    """The content of FILES."""
    spec = {
        "name": "evens:upto=9,model=alpaca__home_me_step-100",
        "adapter_spec": {
            "method": "multiple_choice_joint",
            "model_deployment": "alpaca//home/me/step-100",
            "max_tokens": 1,
            "temperature": 0.0,
            "stop_sequences": ["\n"],
        }
        | adapter,
    }
    return [spec, {"request_states": states}, rows, overall or []]


def write(folder: Path, content: list[Any]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for file, of in zip(FILES, content, strict=True):
        (folder / file).write_text(json.dumps(of))
    return folder


def plain(n: int = 8) -> list[Any]:
    return run([state(i) for i in range(n)], [stats(i, float(i % 4 > 0)) for i in range(n)])


def test_scores_become_rates_and_accounts_do_not(tmp_path: Path) -> None:
    record, items = only(read_helm_stats(write(tmp_path / "runs" / "s" / "evens", plain())))
    rate = record.rates["exact_match"]
    assert rate.ci is not None
    assert (rate.value, rate.n, rate.n_failed, rate.ci.method) == (0.75, 8, 0, "wilson")
    assert set(record.rates) == {"exact_match", "empty"}
    assert (record.source, record.scenario.name, record.scenario.metric) == ("helm", "evens:upto=9", "exact_match")
    # A checkpoint's place on somebody's disk is in no name.
    assert (record.model.name, record.model.deployment) == ("step-100", "alpaca/step-100")
    assert record.run == "evens:upto=9,model=step-100"
    assert "/home" not in record.model_dump_json()
    assert (record.model.dtype, record.model.batch_size, record.model.fingerprint) == ("float32", "16", None)
    assert (record.decoding.max_tokens, record.decoding.temperature, record.decoding.stop) == (1, 0.0, ("\n",))
    assert record.date == "2026-01-31T12:00:07+00:00"
    assert (items[1].instruction, items[1].prompt, items[1].output) == (
        "Is 1 even?", "Q: Is 1 even?\nA:", " yes",
    )  # fmt: skip
    assert len(record.notes) == 1


def test_a_model_of_a_service_keeps_its_name(tmp_path: Path) -> None:
    content = plain()
    content[0]["adapter_spec"]["model_deployment"] = "organisation/model"
    record, _ = only(read_helm_stats(write(tmp_path, content)))
    assert (record.model.name, record.model.deployment) == ("organisation/model", "organisation/model")


def test_trials_of_an_instance_are_resampled_together(tmp_path: Path) -> None:
    """20 instances in 5 trials, right in all or in none: there are 20 values, not 100."""
    rows = [stats(i, float(i % 2), trial) for i in range(20) for trial in range(5)]
    states = [state(i, trial) for i in range(20) for trial in range(5)]
    record, items = only(read_helm_stats(write(tmp_path / "many", run(states, rows))))
    once, _ = only(read_helm_stats(write(tmp_path / "once", run(states[::5], rows[::5]))))
    assert items[1].key["scores"]["exact_match"] == [1.0] * 5
    assert record.rates["exact_match"] == once.rates["exact_match"]
    assert record.rates["exact_match"].n == 20
    assert any("5 trials" in note for note in record.notes)


def test_several_rows_of_an_instance_are_put_together(tmp_path: Path) -> None:
    """HELM writes one for each of its metrics."""
    rows = [stats(i, 1.0) for i in range(4)] + [stats(i, i / 4, of="f1_score") for i in range(4)]
    record, _ = only(read_helm_stats(write(tmp_path, run([state(i) for i in range(4)], rows, method="generation"))))
    assert record.rates["f1_score"].value == 0.375
    assert record.rates["exact_match"].value == 1
    assert record.scenario.metric == "exact_match"


def test_changed_copies_are_left_out(tmp_path: Path) -> None:
    content = plain()
    typos = {"name": "typos", "robustness": True}
    content[1]["request_states"] += [state(i, perturbation=typos) for i in range(8)]
    content[2] += [stats(i, 0.0, perturbation=typos) for i in range(8)]
    worst = {"name": "robustness", "computed_on": "worst"}
    content[3] = [
        {"name": name("exact_match"), "count": 1, "mean": 0.75},
        {"name": name("exact_match", perturbation=worst), "count": 1, "mean": 0.0},
    ]
    record, items = only(read_helm_stats(write(tmp_path, content)))
    assert (record.rates["exact_match"].value, len(items)) == (0.75, 8)
    assert any("perturbations" in note for note in record.notes)
    assert not any("HELM reports" in note for note in record.notes)


def test_the_test_split_alone_is_counted(tmp_path: Path) -> None:
    """Seen in synthetic_reasoning: HELM draws from valid and test, and reports them apart."""
    content = plain()
    for i in (0, 4):
        content[1]["request_states"][i]["instance"]["split"] = "valid"
    content[3] = [
        {"name": name("exact_match"), "count": 1, "mean": 1.0},
        {"name": name("exact_match", split="valid"), "count": 1, "mean": 0.0},
    ]
    record, _ = only(read_helm_stats(write(tmp_path, content)))
    assert (record.rates["exact_match"].value, record.rates["exact_match"].n) == (1.0, 6)
    assert any("2 instances of others" in note for note in record.notes)
    assert not any("HELM reports" in note for note in record.notes)


def test_a_figure_that_is_no_mean_of_the_instances_is_noted(tmp_path: Path) -> None:
    content = plain()
    content[3] = [{"name": name("exact_match"), "count": 1, "mean": 0.5}]
    record, _ = only(read_helm_stats(write(tmp_path, content)))
    assert record.notes[-1] == "exact_match: HELM reports 50.00 %; the mean over the instances is 75.00 %."


def test_same_instances_have_one_hash_and_the_prompt_its_own(tmp_path: Path) -> None:
    first, _ = only(read_helm_stats(write(tmp_path / "a", plain())))
    content = plain()
    content[1]["request_states"].reverse()
    for one in content[1]["request_states"]:
        one["request"]["prompt"] += " "
    second, _ = only(read_helm_stats(write(tmp_path / "b", content)))
    assert first.scenario.sha256 == second.scenario.sha256
    assert first.prompt.sha256 != second.prompt.sha256
    content[1]["request_states"][0]["instance"]["references"] = []
    third, _ = only(read_helm_stats(write(tmp_path / "c", content)))
    assert third.scenario.sha256 != first.scenario.sha256


def test_joint_multiple_choice_with_room_to_go_on_is_noted(tmp_path: Path) -> None:
    content = plain()
    content[0]["adapter_spec"]["max_tokens"] = 5
    record, _ = only(read_helm_stats(write(tmp_path, content)))
    assert any("num_output_tokens=1" in note for note in record.notes)


def test_our_own_runs_are_passed_over(tmp_path: Path) -> None:
    ours = write(tmp_path / "ours", plain())
    (ours / "alpaca_run.json").write_text("{}")
    with pytest.raises(SuiteError, match="holds no finished run of HELM's own scenarios"):
        list(read_helm_stats(tmp_path))
    write(tmp_path / "theirs", plain())
    assert len(list(read_helm_stats(tmp_path))) == 1


def test_what_is_missing_or_cut_off_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file or folder"):
        list(read_helm_stats(tmp_path / "none"))
    for file in FILES:
        folder = write(tmp_path / file, plain())
        whole = (folder / file).read_text()
        (folder / file).write_text(whole[: len(whole) // 2])
        with pytest.raises(SuiteError, match="is not valid JSON") as error:
            list(read_helm_stats(folder))
        assert str(error.value.where) == str(folder / file)
    folder = write(tmp_path / "strange", run([state(1)], [stats(2, 1.0)]))
    with pytest.raises(SuiteError, match="has statistics of 'id2'"):
        list(read_helm_stats(folder))
    folder = write(tmp_path / "twice", run([state(1)], [stats(1, 1.0), stats(1, 0.0)]))
    with pytest.raises(SuiteError, match="exact_match of 'id1' has two values in trial 0"):
        list(read_helm_stats(folder))
    folder = write(tmp_path / "no score", run([state(1)], [stats(1, 1.0, of="num_bytes")]))
    with pytest.raises(SuiteError, match="holds no score of single answers"):
        list(read_helm_stats(folder))


def test_hostile_texts_come_through_as_texts(tmp_path: Path) -> None:
    content = plain()
    content[0]["name"] = f"{HOSTILE}:model=x"
    content[0]["adapter_spec"]["model_deployment"] = HOSTILE
    for one in content[1]["request_states"]:
        one["instance"]["input"]["text"] = HOSTILE
        one["result"]["completions"][0]["text"] = HOSTILE
    record, items = only(read_helm_stats(write(tmp_path, content)))
    record.model_dump_json()
    assert "\ud800" not in raw_text(items)


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data())
def test_any_value_anywhere(tmp_path: Path, data: st.DataObject) -> None:
    """It is imported, or the error is one for people."""
    content = copy.deepcopy(plain(2))
    path = data.draw(st.sampled_from(list(places(content))))
    inside: Any = content
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = copy.deepcopy(data.draw(ANYTHING))
    where: str | None = "nowhere"
    try:
        for record, items in read_helm_stats(write(tmp_path / "run", content)):
            record.model_dump_json()
            raw_text(items)
    except SuiteError as error:
        where = error.where
    assert where
