"""What `judge=` may be: the names, what each stands for, what is told of it in public."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from alpaca_eval_suite.errors import UsageError
from alpaca_eval_suite.evaluate.judges import judge_of, judge_spec, labeller_spec, labels_hash, public_name
from alpaca_eval_suite.judge.askers import LocalAsker

MakeCheckpoint = Callable[..., Path]


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "full", "model"),
    [
        ("openai/gpt-4o-mini", "letter@helm/openai/gpt-4o-mini", "helm/openai/gpt-4o-mini"),
        ("together/llama-3.1-8b:free", "letter@helm/together/llama-3.1-8b:free", "helm/together/llama-3.1-8b:free"),
        ("helm/openai/gpt-4", "letter@helm/openai/gpt-4", "helm/openai/gpt-4"),
        ("ratings@helm/openai/gpt-4", "ratings@helm/openai/gpt-4", "helm/openai/gpt-4"),
        ("endpoint/x", "letter@endpoint/x", "endpoint/x"),
        ("letter_logprobs@endpoint/x", "letter_logprobs@endpoint/x", "endpoint/x"),
        ("alpaca/smollm2-135m-instruct", "letter@smollm2-135m-instruct", "smollm2-135m-instruct"),
        ("builtin:longer", "builtin:longer", "builtin:longer"),
    ],
)
def test_names(name: str, full: str, model: str) -> None:
    spec = judge_spec(name)
    assert (spec.name, spec.model) == (full, model)


def test_files_and_folders(in_folder: Path) -> None:
    Path("strict.yaml").write_text("form: ratings\nmodel: endpoint/x\n")
    Path("org/model").mkdir(parents=True)
    assert (judge_spec("strict.yaml").name, judge_spec("./strict.yaml").form) == ("strict", "ratings")
    assert judge_spec("org/model").model == "org/model"  # a folder goes before a deployment
    assert judge_spec(f"alpaca/{in_folder}/org").model == f"{in_folder}/org"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gpt-4", "no judge is named 'gpt-4'"),
        ("folder/mine.yaml", "there is no file 'folder/mine.yaml'"),
        ("ratings", "the judge ratings is a form without a model"),
        ("panel.yaml", "panel.yaml is a panel, and one judge judges a run of HELM's"),
        ("alpaca/nowhere", "no judge is named 'nowhere'"),
        ("./a/b", "no judge is named './a/b'"),
    ],
)
def test_what_is_no_judge(name: str, message: str) -> None:
    Path("panel.yaml").write_text(yaml.safe_dump({"panel": ["endpoint/a", "endpoint/b"]}))
    with pytest.raises(UsageError) as caught:
        judge_spec(name)
    assert message in str(caught.value)
    assert caught.value.next_step


def test_a_panel_is_pointed_to_the_command_that_takes_it() -> None:
    Path("panel.yaml").write_text(yaml.safe_dump({"panel": ["endpoint/a", "endpoint/b"]}))
    with pytest.raises(UsageError, match=r"alpaca-suite judge run --judge panel\.yaml"):
        judge_spec("panel.yaml")


def test_who_gives_labels() -> None:
    Path("slow.yaml").write_text("model: endpoint/x\ndecoding: {thinking_tokens: 900}\n")
    Path("own.yaml").write_text(
        "model: endpoint/x\ntemplate: '{label} {request} {answer_a} {answer_b} VERDICT-{label}: A'\n"
    )
    assert labeller_spec("endpoint/x").model == "endpoint/x"
    assert labeller_spec("slow.yaml").decoding.thinking_tokens == 900
    for name in ("builtin:checks", "ratings@endpoint/x", "own.yaml"):
        with pytest.raises(UsageError, match="compares two answers"):
            labeller_spec(name)


def test_the_hash_of_labels_knows_meanings_decoding_and_model(helm: Any) -> None:
    Path("slow.yaml").write_text("model: helm/simple/model1\ndecoding: {max_tokens: 900}\n")
    meanings = {"right": "it is right", "wrong": "it is wrong"}
    one = judge_of(judge_spec("simple/model1"))
    hashes = {
        labels_hash(one, meanings),
        labels_hash(one, {**meanings, "wrong": "it is false"}),
        labels_hash(judge_of(judge_spec("slow.yaml")), meanings),
        labels_hash(judge_of(judge_spec("openai/gpt-4-0613")), meanings),
    }
    assert len(hashes) == 4
    assert labels_hash(judge_of(judge_spec("helm/simple/model1")), meanings) in hashes


def test_a_checkpoint_is_named_by_folder_and_content(make_checkpoint: MakeCheckpoint, in_folder: Path) -> None:
    folder = make_checkpoint("secret/place/tiny")
    spec = judge_spec(f"letter_logprobs@{folder}")
    assert isinstance(judge_of(spec).asker, LocalAsker)
    form, name, mark = public_name(spec).split("@")
    assert (form, name, len(mark)) == ("letter_logprobs", "tiny", 12)
    assert public_name(judge_spec(str(folder)), labels=True) == f"tiny@{mark}"
    Path("mine.yaml").write_text(f"model: {folder}\n")
    assert public_name(judge_spec("mine.yaml")) == "mine"
    assert judge_of(judge_spec(f"alpaca/{folder}")).hash == judge_of(judge_spec(str(folder))).hash


def test_public_names_of_others() -> None:
    assert public_name(judge_spec("openai/gpt-4")) == "letter@helm/openai/gpt-4"
    assert public_name(judge_spec("endpoint/x"), labels=True) == "endpoint/x"
    assert public_name(judge_spec("builtin:checks")) == "builtin:checks"
