"""Arguments of a run entry: what is refused, what `auto` chooses, what a run's identity is made of."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.evaluate.settings import Settings, make_settings

WriteScenario = Callable[..., Path]
NO_CHECKS = {"columns": {"slices": {}, "key": {}}}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"judgement": "x"}, "judgement: Extra inputs are not permitted"),
        ({"orders": "twice"}, "orders: Input should be 'both', 'single' or 'balanced'"),
        ({"prompt_format": "html"}, "prompt_format: Input should be 'alpaca' or 'chat'"),
        ({"max_tokens": 0}, "max_tokens: Input should be greater than 0"),
        ({"max_tokens": "many"}, "max_tokens: Input should be a valid integer"),
        ({"seed": "x"}, "seed: Input should be a valid integer"),
        ({"seed": 0.5}, "seed: Input should be a valid integer"),
        ({"judge": "gpt-4"}, "no judge is named 'gpt-4'"),
        ({"judge": "openai/gpt-4", "baseline": "none"}, "trial has no baseline to compare with"),
        ({"judge": "builtin:checks", "baseline": "none"}, "trial has no baseline to compare with"),
        ({"baseline": "outputs.jsonl"}, "baseline 'outputs.jsonl' is neither a file nor a HELM deployment"),
        ({"baseline": "./a/b"}, "baseline './a/b' is neither a file nor a HELM deployment"),
        ({"baseline": "painter"}, "baseline 'painter' is neither a file nor a HELM deployment"),
    ],
)
def test_bad_argument(write_scenario: WriteScenario, arguments: dict[str, Any], message: str) -> None:
    write_scenario()
    with pytest.raises(UsageError) as caught:
        make_settings(scenario="trial", **arguments)
    assert message in str(caught.value)
    assert caught.value.next_step
    assert caught.value.exit_code == 2


def test_unknown_scenario_names_the_nearest(write_scenario: WriteScenario) -> None:
    write_scenario()
    with pytest.raises(UsageError, match="Did you mean 'trial'"):
        make_settings(scenario="trail")


def test_checks_cannot_judge_items_without_checks(write_scenario: WriteScenario) -> None:
    write_scenario(**NO_CHECKS)
    with pytest.raises(UsageError, match="builtin:checks cannot judge trial: its items come without checks"):
        make_settings(scenario="trial", judge="builtin:checks")


def test_a_probes_judge_is_its_rule_or_a_deployment() -> None:
    assert make_settings(scenario="capitals").judge == "none"
    assert make_settings(scenario="capitals", judge="none").judge == "none"
    assert make_settings(scenario="capitals", judge="openai/gpt-4").judge == "openai/gpt-4"
    for judge in ("builtin:checks", "builtin:longer", "ratings@endpoint/x"):
        with pytest.raises(UsageError, match=f"{judge} compares two answers, and in a probe each answer is read alone"):
            make_settings(scenario="toxicity", judge=judge)
    with pytest.raises(UsageError, match="no judge is named 'gpt-4'"):
        make_settings(scenario="capitals", judge="gpt-4")


def test_the_hash_of_the_question_is_that_of_the_question_asked(write_scenario: WriteScenario) -> None:
    write_scenario()
    of_pairs = Settings(scenario="trial", judge="openai/gpt-4").template_hash()
    of_labels = {
        Settings(scenario=name, judge="openai/gpt-4").template_hash()
        for name in ("capitals", "toxicity", "stereotypes")
    }
    assert len(of_labels - {of_pairs}) == 3  # the labels and what they mean are part of it
    assert Settings(scenario="trial", judge="ratings@helm/openai/gpt-4").template_hash() not in (of_pairs, None)
    for judge in ("none", "builtin:checks"):
        assert Settings(scenario="trial", judge=judge).template_hash() is None


@pytest.mark.parametrize(
    ("card", "baseline", "judge"),
    [
        ({}, "card", "builtin:checks"),
        ({}, "openai/gpt-4", "builtin:checks"),
        ({}, "none", "none"),
        ({"baseline": None}, "card", "none"),
        (NO_CHECKS, "card", "none"),
    ],
)
def test_auto_takes_the_checks_where_there_are_checks_and_a_baseline(
    write_scenario: WriteScenario, card: dict[str, Any], baseline: str, judge: str
) -> None:
    write_scenario(**card)
    assert make_settings(scenario="trial", baseline=baseline).judge == judge


def test_baseline_from_a_file_the_card_or_a_deployment(write_scenario: WriteScenario, tmp_path: Path) -> None:
    folder = write_scenario(2)
    file = tmp_path / "mine.jsonl"
    file.write_text('{"id": "t0", "output": "a", "model": "mine"}\n{"id": "t1", "output": "b"}\n')

    def found(baseline: str) -> tuple[Path | None, str | None]:
        settings = make_settings(scenario="trial", baseline=baseline)
        outputs = settings.outputs_file()
        return (outputs.path if outputs else None, settings.baseline_deployment())

    assert found("card") == (folder / "baseline.jsonl", None)
    assert found(str(file)) == (file, None)
    assert found("openai/gpt-4") == (None, "openai/gpt-4")
    assert found("none") == (None, None)


def test_an_output_that_is_missing_is_known_before_generation(write_scenario: WriteScenario) -> None:
    folder = write_scenario(3, outputs=[{"id": "t0", "output": "a"}, {"id": "t2", "output": "c"}])
    with pytest.raises(SuiteError) as caught:
        make_settings(scenario="trial")
    assert (caught.value.what, caught.value.where) == ("no output for: t1", str(folder / "baseline.jsonl"))
    assert make_settings(scenario="trial", judge="none").judge == "none"


def test_bad_checks_are_known_before_generation(write_scenario: WriteScenario) -> None:
    items = [{"id": "a", "instruction": "Say.", "topic": "t", "checks": [{"check": "smells", "of": "roses"}]}]
    write_scenario(items=items)
    with pytest.raises(SuiteError) as caught:
        make_settings(scenario="trial")
    assert caught.value.where == "trial, a, check 1"
    assert "smells" in caught.value.what


def test_a_scenario_whose_name_is_a_number(write_scenario: WriteScenario) -> None:
    write_scenario(name="123")
    assert make_settings(scenario=123).scenario == "123"


def test_max_tokens_replaces_only_that_part_of_the_decoding(write_scenario: WriteScenario) -> None:
    write_scenario(decoding={"max_tokens": 16, "temperature": 0.7, "stop": ["END"]})
    decoding = make_settings(scenario="trial", max_tokens=5).decoding
    assert (decoding.max_tokens, decoding.temperature, decoding.stop) == (5, 0.7, ("END",))


def _hash(**arguments: Any) -> str:
    return make_settings(scenario="trial", **arguments).spec_hash()


@pytest.mark.usefixtures("helm")
@pytest.mark.parametrize(
    "change",
    [
        {"orders": "single"},
        {"seed": 1},
        {"prompt_format": "chat"},
        {"max_tokens": 15},
        {"judge": "openai/gpt-4"},
        {"baseline": "openai/gpt-4"},
    ],
)
def test_spec_hash_changes_with(write_scenario: WriteScenario, change: dict[str, Any]) -> None:
    write_scenario()
    assert _hash(**change) != _hash()


@pytest.mark.usefixtures("helm")
def test_spec_hash_knows_the_judges_form_decoding_and_model(
    write_scenario: WriteScenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_scenario()
    monkeypatch.chdir(tmp_path)
    files = {
        "same": "name: another name\n",
        "longer": "decoding: {max_tokens: 900}\n",
        "system": "system: Be fair.\n",
    }
    for name, text in files.items():
        Path(f"{name}.yaml").write_text(f"model: helm/simple/model1\n{text}")
    judges = ["ratings@helm/simple/model1", "letter@helm/openai/gpt-4-0613", "longer.yaml", "system.yaml"]
    hashes = {_hash(judge=judge) for judge in ["simple/model1", *judges]}
    assert len(hashes) == 5
    assert _hash(judge="letter@helm/simple/model1") == _hash(judge="same.yaml") == _hash(judge="simple/model1")
    labelling = {
        make_settings(scenario="capitals", judge=judge).spec_hash() for judge in ("simple/model1", "longer.yaml")
    }
    assert len(labelling) == 2


def test_a_judges_file_says_the_orders_unless_the_run_does(
    write_scenario: WriteScenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_scenario()
    monkeypatch.chdir(tmp_path)
    Path("half.yaml").write_text("model: endpoint/x\norders: balanced\n")

    def orders(judge: str, **arguments: Any) -> str:
        return make_settings(scenario="trial", judge=judge, **arguments).orders

    assert (orders("half.yaml"), orders("half.yaml", orders="both")) == ("balanced", "both")
    assert (orders("endpoint/x"), orders("builtin:longer"), orders("none")) == ("both", "both", "both")


def test_spec_hash_knows_content_and_not_how_it_was_said(write_scenario: WriteScenario, tmp_path: Path) -> None:
    folder = write_scenario()
    before = _hash()
    assert len(before) == 8
    assert _hash(max_tokens=16, judge="builtin:checks", orders="both", seed=0) == before
    copy = tmp_path / "elsewhere.jsonl"
    copy.write_bytes((folder / "baseline.jsonl").read_bytes())
    assert _hash(baseline=str(copy)) == before

    copy.write_text(copy.read_text().replace("red", "green"))
    assert _hash(baseline=str(copy)) != before
    data = folder / "data.jsonl"
    data.write_text(data.read_text().replace("colour number 1", "colour number one"))
    assert _hash() != before


@pytest.mark.parametrize("role", ["judge", "baseline"])
def test_spec_hash_knows_a_local_checkpoint_by_its_content(
    write_scenario: WriteScenario, make_checkpoint: Callable[..., Path], role: str
) -> None:
    write_scenario()
    here, there = make_checkpoint("here/tiny"), make_checkpoint("there/other")
    retrained = make_checkpoint("retrained/tiny", retrained=True)
    hashes = [_hash(**{role: f"alpaca/{folder}"}) for folder in (here, there, retrained)]
    assert hashes[0] == hashes[1] != hashes[2]


def test_settings_survive_helms_json() -> None:
    settings = Settings(scenario="trial", judge="a/b", baseline="c.jsonl", seed=3, max_tokens=7)
    assert Settings.model_validate(json.loads(json.dumps(settings.model_dump()))) == settings
