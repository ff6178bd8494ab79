"""AlpacaEval, Vicuna and Koala by their addresses, and the conversations that this project wrote."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from alpaca_eval_suite.cards import (
    CardError,
    baseline_outputs,
    load_card,
    load_instructions,
    match_outputs,
    place_of,
    scenario_hash,
)
from alpaca_eval_suite.cards.survey import look_at
from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.files import sha256_of
from alpaca_eval_suite.judge.checks import parse_checks, run_checks
from alpaca_eval_suite.prompts import instruction_id
from alpaca_eval_suite.types import Turn

from .conftest import MakeScenario

EXAMPLES = Path(__file__).parents[2].parent / "shared" / "data" / "alpaca_eval" / "annotations_example"
INSTRUCTIONS = EXAMPLES.parent / "instructions.jsonl"
data = [
    pytest.mark.data,
    pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the reference data is not beside the checkout"),
]
DIALOGUE = [
    {"role": "user", "content": "Name a colour."},
    {"role": "assistant", "content": "Red."},
    {"role": "user", "content": "Another one."},
]
COLUMNS = {"messages": "messages"}


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("nothing is to be downloaded here")

    monkeypatch.setattr(httpx, "Client", refuse)


def published(name: str) -> list[dict[str, str]]:
    """The baseline's part of a file of annotations, as AlpacaEval's lists of outputs hold it."""
    rows = json.loads((EXAMPLES / name).read_text("utf-8"))
    return [
        {
            "dataset": row["dataset"],
            "instruction": row["instruction"],
            "output": row["output_1"],
            "generator": row["generator_1"],
        }
        for row in rows
    ]


def as_pandas_writes(rows: list[dict[str, str]]) -> str:
    """`to_json(orient="records", indent=2)`: no space after a colon, and each slash with a backslash before it."""
    cells = [
        ",\n".join(f'    "{key}":' + json.dumps(value).replace("/", "\\/") for key, value in row.items())
        for row in rows
    ]
    return "[\n" + ",\n".join(f"  {{\n{part}\n  }}" for part in cells) + "\n]"


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setenv("ALPACA_DATA_DIR", str(folder))
    return folder


class TestAlpacaEval:
    pytestmark = data

    @pytest.fixture(autouse=True)
    def files(self, data_dir: Path) -> None:
        """The published files, made again from the annotations that quote them: equal to the last byte."""
        first, second = sorted(path.name for path in EXAMPLES.iterdir())
        (data_dir / "alpaca_eval.json").write_text(json.dumps(published(first), indent=2))
        (data_dir / "reference_outputs.json").write_text(as_pandas_writes(published(second)))

    @pytest.mark.parametrize("name", ["alpaca_eval", "alpaca_eval_1"])
    def test_checksums_sizes_and_the_805(self, name: str, data_dir: Path) -> None:
        card = load_card(name)
        assert card.baseline is not None
        for file in (card.data, card.baseline.data):
            path = data_dir / file.name
            assert (sha256_of(path), path.stat().st_size) == (file.sha256, file.size)
        items = load_instructions(card)
        canonical = [json.loads(line) for line in INSTRUCTIONS.open(encoding="utf-8")]
        assert [item.instruction for item in items] == [row["instruction"] for row in canonical]
        assert [item.id for item in items] == [instruction_id(row["instruction"]) for row in canonical]
        assert Counter(item.slices["dataset"] for item in items) == {
            "selfinstruct": 252, "oasst": 188, "koala": 156, "helpful_base": 129, "vicuna": 80,
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("name", "model"), [("alpaca_eval", "gpt4_1106_preview"), ("alpaca_eval_1", "text_davinci_003")]
    )
    def test_the_baseline_joins_805_of_805(self, name: str, model: str) -> None:
        card = load_card(name)
        assert card.baseline is not None
        outputs = baseline_outputs(card, card.baseline)
        found = match_outputs(outputs, load_instructions(card))
        assert (len(found), outputs.model) == (805, model)

    def test_both_are_the_same_items(self) -> None:
        assert scenario_hash(load_card("alpaca_eval")) == scenario_hash(load_card("alpaca_eval_1"))


@pytest.mark.data
@pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the reference data is not beside the checkout")
def test_vicunas_80_questions(data_dir: Path) -> None:
    """The file made again from AlpacaEval's part of it; the categories as they follow each other in it."""
    sizes = {"generic": 10, "knowledge": 10, "roleplay": 10, "common-sense": 10, "fermi": 10, "counterfactual": 10,
             "coding": 7, "math": 3, "writing": 10}  # fmt: skip
    categories = [name for name, size in sizes.items() for _ in range(size)]
    rows = [json.loads(line) for line in INSTRUCTIONS.open(encoding="utf-8")]
    texts = [row["instruction"] for row in rows if row["dataset"] == "vicuna"]
    lines = [
        json.dumps({"question_id": number, "category": category, "turns": [asked]}) + "\n"
        for number, (category, asked) in enumerate(zip(categories, texts, strict=True), 1)
    ]
    (data_dir / "question.jsonl").write_text("".join(lines))
    card = load_card("vicuna")
    items = load_instructions(card)
    assert (len(items), items[0].id, items[79].id) == (80, "1", "80")
    assert Counter(item.slices["category"] for item in items) == sizes
    assert (data_dir / "question.jsonl").stat().st_size == card.data.size


def test_koalas_file_is_fetched_by_hand(data_dir: Path) -> None:
    card = load_card("koala")
    assert look_at("koala").state == "to be fetched by hand"
    with pytest.raises(SuiteError, match="its checksum is not known") as error:
        load_instructions(card)
    assert "put it into a folder" in str(error.value.next_step)
    (data_dir / "koala_test_set.jsonl").write_text('{"id": "koala_1", "prompt": "Sing."}\n')
    assert [(item.id, item.instruction) for item in load_instructions(card)] == [("koala_1", "Sing.")]
    assert place_of(card.data, card.folder)[0] == "in $ALPACA_DATA_DIR"
    before = scenario_hash(card)
    # Another file is another scenario's hash; two that differ cannot be told apart.
    (data_dir / "koala_test_set.jsonl").write_text('{"id": "koala_1", "prompt": "Dance."}\n')
    assert scenario_hash(card) != before
    (data_dir / "more").mkdir()
    (data_dir / "more" / "koala_test_set.jsonl").write_text('{"id": "koala_1", "prompt": "Sing."}\n')
    with pytest.raises(SuiteError, match="holds different files of the name"):
        load_instructions(card)


@pytest.mark.parametrize("name", ["alpaca_eval", "alpaca_eval_1", "vicuna", "koala"])
def test_each_card_names_source_and_licence(name: str) -> None:
    card = load_card(name)
    assert card.source.startswith("https://")
    assert card.licence
    assert card.data.url is not None
    assert card.data.url.startswith("https://")


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ({"data": {"file": "data.jsonl", "sha256": "unknown"}}, "never unknown"),
        ({"data": {"url": "https://x.org/a.jsonl", "sha256": "no"}}, "data.sha256"),
        ({"columns": {"messages": "messages", "instruction": "text"}}, "name the one or the other"),
    ],
)
def test_slips_on_a_card(scenario: MakeScenario, keys: dict[str, Any], problem: str) -> None:
    scenario(**keys)
    with pytest.raises(CardError, match=problem):
        load_card("trial")


def test_a_conversation_is_read(scenario: MakeScenario) -> None:
    rows = [{"id": "c1", "messages": [{"role": "system", "content": "Be kind."}, *DIALOGUE]}]
    scenario(rows, columns=COLUMNS)
    (item,) = load_instructions(load_card("trial"))
    assert (item.id, item.instruction, item.input) == ("c1", "Another one.", "")
    assert item.earlier == (Turn("system", "Be kind."), Turn("user", "Name a colour."), Turn("assistant", "Red."))


@pytest.mark.parametrize(
    ("messages", "problem"),
    [
        ("Name a colour.", "no list of turns"),
        ([], "no list of turns"),
        (DIALOGUE[:2], "ends with the assistant's turn"),
        (DIALOGUE[1:], "out of order"),
        ([DIALOGUE[0], DIALOGUE[0]], "out of order"),
        ([{"role": "system", "content": "Be kind."}], "out of order"),
        ([*DIALOGUE, {"role": "system", "content": "Be kind."}, DIALOGUE[0]], "out of order"),
        ([{"role": "user"}], "turn 1.*no object with role and content alone"),
        ([{"role": "user", "content": "Hi", "name": "Jo"}], "no object with role and content alone"),
        (["Hi"], "no object with role and content alone"),
        ([{"role": "robot", "content": "Hi"}], "the role 'robot' is unknown"),
        ([{"role": ["user"], "content": "Hi"}], "is unknown"),
        ([*DIALOGUE[:2], {"role": "user", "content": " "}], "turn 3.*empty or not text"),
    ],
)
def test_a_conversation_that_is_none_is_named(scenario: MakeScenario, messages: Any, problem: str) -> None:
    folder = scenario([{"id": "c1", "messages": messages}], columns=COLUMNS)
    with pytest.raises(SuiteError) as error:
        load_instructions(load_card("trial"))
    said = f"{error.value.where} {error.value.what}"
    assert re.search(problem, said), said
    assert f"{folder}/data.jsonl:1" in said


def test_an_id_is_made_where_the_data_has_none(scenario: MakeScenario) -> None:
    rows = [{"instruction": "Name a colour."}, {"instruction": "Translate.", "input": "Guten Tag"}]
    scenario(rows, columns={"id": None})
    items = load_instructions(load_card("trial"))
    assert [item.id for item in items] == [instruction_id("Name a colour."), instruction_id("Translate.", "Guten Tag")]


def test_hashes_of_other_scenarios_stay_what_they_were() -> None:
    """A new key of a card must not part results from those made before it came."""
    assert scenario_hash(load_card("capitals")) == CAPITALS


CAPITALS = "3ec88bc7ba75f77875a95716d85be2af965ed24879a61b2d8313792103500548"


class TestOurConversations:
    items = load_instructions(load_card("mt_bench_style"))

    def test_there_are_twenty_of_two_turns_each(self) -> None:
        assert len(self.items) == 20
        assert all([turn.role for turn in item.earlier] == ["user", "assistant"] for item in self.items)
        assert len({item.slices["category"] for item in self.items}) == 9

    def test_last_turns_differ(self) -> None:
        """Outputs that exist already are found by the last turn (evaluate/replay.py)."""
        assert len({item.instruction for item in self.items}) == 20

    @pytest.mark.parametrize("item", items, ids=[item.id for item in items])
    def test_the_reference_passes_and_the_earlier_answer_does_not(self, item: Any) -> None:
        checks = parse_checks(item.key["checks"])

        def share(output: str) -> float:
            return run_checks(checks, instruction=item.instruction, input="", output=output).share

        assert 3 <= len(checks) <= 7
        assert share(item.reference) == 1
        assert share(item.earlier[-1].content) < 1
        assert share(item.instruction) < 1
        assert all(share(other.reference) < 1 for other in self.items if other is not item)
