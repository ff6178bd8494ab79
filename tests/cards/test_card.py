"""Cards: which are found, and what a wrong one says."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alpaca_eval_suite.cards import list_cards, load_card, load_instructions, read_card, scenario_hash
from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.types import Instruction

MakeScenario = Callable[..., Path]
SHA = "0" * 64


def error_of(name: str) -> SuiteError:
    with pytest.raises(SuiteError) as caught:
        load_instructions(load_card(name))
    return caught.value


def test_a_new_scenario_takes_a_card_and_a_data_file(tmp_path: Path) -> None:
    folder = tmp_path / "scenarios" / "geometry"
    folder.mkdir(parents=True)
    (folder / "card.yaml").write_text(
        """
name: geometry
title: Geometry
description: Two questions on triangles.
source: written for this test
licence: CC0-1.0
metric: short_answer
data: {file: questions.json}
columns:
  id: nr
  instruction: texts.question
  input: null
  reference: answers.0
  slices: {level: texts.level}
  key: {aliases: answers}
decoding: {max_tokens: 32, stop: ["\\n"]}
"""
    )
    (folder / "questions.json").write_text(
        """[
  {"nr": 1, "texts": {"question": "How many sides has a triangle?", "level": 1}, "answers": ["3", "three"]},
  {"nr": 2, "texts": {"question": "What is half of 180?", "level": "two"}, "answers": ["90"]}
]"""
    )
    assert "geometry" in list_cards()
    card = load_card("geometry")
    assert (card.folder, card.metric, card.baseline) == (folder, "short_answer", None)
    assert (card.decoding.max_tokens, card.decoding.temperature, card.decoding.stop) == (32, 0.0, ("\n",))
    assert load_instructions(card) == [
        Instruction("1", "How many sides has a triangle?", "", "3", {"level": "1"}, {"aliases": ["3", "three"]}),
        Instruction("2", "What is half of 180?", "", "90", {"level": "two"}, {"aliases": ["90"]}),
    ]


def test_an_unknown_name_gets_the_nearest(scenario: MakeScenario) -> None:
    scenario()
    with pytest.raises(UsageError) as caught:
        load_card("user_orientd")
    assert caught.value.what == "no scenario is named 'user_orientd'"
    assert "Did you mean 'user_oriented'?" in str(caught.value)
    assert "trial, " in str(caught.value)
    assert "$ALPACA_SCENARIOS" in str(caught.value)
    assert caught.value.exit_code == 2
    with pytest.raises(UsageError) as caught:
        load_card("zzzzzz")
    assert "Did you mean" not in str(caught.value)


@pytest.mark.parametrize("name", ["../trial", "a/../trial", "", ".", "..", "trial/", "tri\0al", "/"])
def test_a_name_is_never_a_path(scenario: MakeScenario, name: str) -> None:
    scenario()
    with pytest.raises(UsageError, match="no scenario is named"):
        load_card(name)


def test_a_users_own_scenario_goes_before_ours_and_the_first_folder_before_the_second(
    scenario: MakeScenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = load_card("user_oriented")
    assert ours.title.startswith("User-oriented")
    first = scenario(root="first", name="user_oriented", title="My own")
    second = scenario(root="second", name="user_oriented", title="Older")
    monkeypatch.setenv("ALPACA_SCENARIOS", f"{tmp_path / 'first'}:{tmp_path / 'second'}")
    card = load_card("user_oriented")
    assert (card.title, card.folder) == ("My own", first)
    assert list_cards().count("user_oriented") == 1
    monkeypatch.setenv("ALPACA_SCENARIOS", str(tmp_path / "second"))
    assert load_card("user_oriented").folder == second


def test_a_folder_that_does_not_exist_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ALPACA_SCENARIOS", str(tmp_path / "nowhere"))
    assert "user_oriented" in list_cards()


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"lisence": "MIT"}, "lisence: is not a key of a card"),
        ({"licence": None}, "licence: Field required"),
        ({"metric": "accuracy"}, "metric: Input should be 'preference', 'short_answer'"),
        ({"columns": {"instructions": "text"}}, "columns.instructions: is not a key of a card"),
        ({"columns": {"slices": {"app": 5}}}, "columns.slices.app: Input should be a valid string"),
        ({"decoding": {"max_tokens": 0}}, "decoding.max_tokens: Input should be greater than 0"),
        ({"decoding": {"temperature": "hot"}}, "decoding.temperature: Input should be a valid number"),
        ({"data": {}}, "data: Value error, needs either file or url"),
        (
            {"data": {"file": "a", "url": "https://example.org/a", "sha256": SHA, "size": 1}},
            "data: Value error, needs either file or url",
        ),
        (
            {"data": {"url": "http://example.org/a.jsonl", "sha256": SHA, "size": 1}},
            "data.url: Value error, must begin with https://",
        ),
        ({"data": {"url": "file:///etc/passwd", "sha256": SHA, "size": 1}}, "must begin with https://"),
        ({"data": {"url": "https://example.org/a", "size": 1}}, "a url needs sha256 and size beside it"),
        ({"data": {"url": "https://example.org/a", "sha256": SHA}}, "a url needs sha256 and size beside it"),
        (
            {"data": {"url": "https://example.org/a", "sha256": "abc", "size": 1}},
            "data.sha256: String should",
        ),
        ({"data": {"file": "a\0b"}}, "data.file: String should match"),
        ({"data": {"file": ""}}, "data.file: String should match"),
        (
            {
                "baseline": {
                    "name": "b",
                    "licence": "MIT",
                    "source": "x",
                    "data": {"file": "b"},
                    "columns": {},
                }
            },
            "baseline.columns: Value error, needs id, or instruction",
        ),
    ],
)
def test_a_wrong_field_is_named(scenario: MakeScenario, keys: dict[str, Any], message: str) -> None:
    folder = scenario(**keys)
    error = error_of("trial")
    assert message in error.what
    assert error.where == str(folder / "card.yaml")
    assert error.next_step == "docs/scenarios.md lists the keys of a card."


def test_all_wrong_fields_are_named_at_once(scenario: MakeScenario) -> None:
    scenario(lisence="MIT", licence=None, metric="x")
    assert [part.split(":")[0] for part in error_of("trial").what.split("; ")] == [
        "licence",
        "metric",
        "lisence",
    ]


@pytest.mark.parametrize("name", ["a,b", "a=b", "a b", ".hidden", "ä"])
def test_a_name_that_helm_could_not_carry_is_refused(scenario: MakeScenario, name: str) -> None:
    scenario(name=name, folder=name)
    assert error_of(name).what.startswith("name: String should match")


def test_a_name_other_than_the_folders_is_refused(scenario: MakeScenario) -> None:
    scenario(folder="other")
    error = error_of("other")
    assert error.what == "name is 'trial', but the folder is 'other'"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: [", "is not valid YAML"),
        ("", "card: Input should be a valid dictionary"),
        ("- a\n- b\n", "card: Input should be a valid dictionary"),
        ("!!python/object/apply:os.system ['true']", "is not valid YAML"),
    ],
)
def test_what_is_no_card_is_refused(scenario: MakeScenario, text: str, message: str) -> None:
    folder = scenario()
    (folder / "card.yaml").write_text(text)
    error = error_of("trial")
    assert message in error.what
    assert error.where == str(folder / "card.yaml")


@pytest.mark.parametrize("file", ["../secret.jsonl", "sub/../../secret.jsonl", "link.jsonl", "sub/secret.jsonl"])
def test_a_data_path_outside_the_folder_is_refused(scenario: MakeScenario, file: str) -> None:
    folder = scenario(data={"file": file})
    secret = folder.parent / "secret.jsonl"
    secret.write_text('{"id": "1", "instruction": "x"}\n')
    (folder / "link.jsonl").symlink_to(secret)
    (folder / "sub").symlink_to(folder.parent)
    error = error_of("trial")
    assert error.what == f"the data file {file!r} lies outside the scenario's folder"
    assert error.where == str(folder / "card.yaml")


def test_an_absolute_data_path_is_refused(scenario: MakeScenario, tmp_path: Path) -> None:
    (tmp_path / "secret.jsonl").write_text("{}")
    scenario(data={"file": str(tmp_path / "secret.jsonl")})
    assert "lies outside the scenario's folder" in error_of("trial").what


def test_links_inside_the_folder_are_fine_and_so_is_a_linked_folder(scenario: MakeScenario, tmp_path: Path) -> None:
    folder = scenario(data={"file": "link.jsonl"})
    (folder / "link.jsonl").symlink_to("data.jsonl")
    assert len(load_instructions(load_card("trial"))) == 2
    moved = tmp_path / "elsewhere"
    folder.rename(moved)
    folder.symlink_to(moved)
    assert len(load_instructions(load_card("trial"))) == 2


def test_the_hash_follows_what_results_depend_on(scenario: MakeScenario) -> None:
    folder = scenario()
    before = scenario_hash(load_card("trial"))
    assert len(before) == 64
    text = (folder / "card.yaml").read_text()
    (folder / "card.yaml").write_text(text.replace("Two questions.", "Some questions."))
    assert scenario_hash(load_card("trial")) == before
    (folder / "card.yaml").write_text(text + "columns: {input: null}\n")
    assert scenario_hash(load_card("trial")) != before
    (folder / "card.yaml").write_text(text)
    with (folder / "data.jsonl").open("a") as stream:
        stream.write("\n")
    assert scenario_hash(load_card("trial")) != before


@pytest.mark.parametrize(
    ("text", "what", "line"),
    [
        ("title: T\nname: t\ntitle: U\n", "'title' stands twice", 1),
        ("name: t\ncolumns:\n  slices: {app: one, tone: two, app: three}\n", "'app' stands twice", 3),
    ],
)
def test_two_keys_of_one_name_are_refused(tmp_path: Path, text: str, what: str, line: int) -> None:
    """A reader of YAML would silently take the last."""
    (tmp_path / "card.yaml").write_text(text)
    with pytest.raises(SuiteError) as caught:
        read_card(tmp_path)
    assert (caught.value.where, caught.value.what) == (f"{tmp_path / 'card.yaml'}:{line}", what)


def test_two_columns_from_one_name_are_fine(scenario: MakeScenario) -> None:
    rows = [{"id": "1", "instruction": "x", "app": "mail"}]
    scenario(rows, columns={"reference": "instruction", "slices": {"app": "app", "tool": "app"}})
    [item] = load_instructions(load_card("trial"))
    assert (item.reference, dict(item.slices)) == ("x", {"app": "mail", "tool": "mail"})
