"""Labelled pairs: our form, PandaLM's, items of a scenario, and rows that are wrong."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.judge.labelled import LabelledPair, read_labelled, recorded_verdicts, sample, with_language
from alpaca_eval_suite.types import Instruction

PANDALM = Path(__file__).parents[3] / "shared" / "data" / "human" / "pandalm_999.jsonl"
PAIR = {
    "id": "p1",
    "instruction": "Name a river.",
    "input": "",
    "output_1": "The Nile.",
    "output_2": "Rome.",
    "labels": {"a": 1, "b": 1, "c": 0},
}
OF_PANDALM = {
    "id": 7,
    "cmp_key": "x_y",
    "instruction": "True or false?",
    "input": "Water is wet.",
    "response1": True,
    "response2": "It is.",
    "annotator1": 1,
    "annotator2": 2,
    "annotator3": 1,
    "gpt35_turbo": None,
    "pandalm_7b": 2,
}


def write(folder: Path, *rows: Any) -> Path:
    path = folder / "pairs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_our_own_form(tmp_path: Path) -> None:
    second = {**PAIR, "id": "p2", "judges": {"gpt": 2, "other": None}, "slices": {"app": "maps"}, "item": "river"}
    data = read_labelled(write(tmp_path, PAIR, second))
    assert (data.name, data.readers, data.source) == ("pairs.jsonl", "3 (a, b, c)", "")
    one, two = data.pairs
    assert one.instruction == Instruction("p1", "Name a river.")
    assert (one.comparison.output, one.comparison.baseline_output) == ("The Nile.", "Rome.")
    assert one.labels == {"a": 1, "b": 1, "c": 0}
    assert (two.judges, two.slices, two.item) == ({"gpt": 2, "other": None}, {"app": "maps"}, "river")
    assert one.item != two.item


def test_pairs_on_one_instruction_are_of_one_item(tmp_path: Path) -> None:
    rows = [PAIR, {**PAIR, "id": "p2", "output_1": "x"}, {**PAIR, "id": "p3", "input": "In Asia."}]
    one, two, three = read_labelled(write(tmp_path, *rows)).pairs
    assert one.item == two.item != three.item


def test_pandalms_form(tmp_path: Path) -> None:
    data = read_labelled(write(tmp_path, OF_PANDALM))
    (pair,) = data.pairs
    assert (pair.id, pair.output_1, pair.output_2) == ("7", "True", "It is.")
    assert (dict(pair.labels), dict(pair.judges)) == (
        {"annotator1": 1, "annotator2": 2, "annotator3": 1},
        {"gpt35_turbo": None, "pandalm_7b": 2},
    )
    assert pair.slices == {"cmp_key": "x_y"}
    assert "PandaLM" in data.source
    assert data.readers.startswith("3 people")


def test_items_of_a_scenario(tmp_path: Path) -> None:
    item = Instruction("i1", "Name a lake.", slices={"app": "maps"}, key={"checks": []})
    row = {"id": "p1", "item": "i1", "output_1": "a", "output_2": "b", "labels": {"r": 2}}
    path = write(tmp_path, row)
    (pair,) = read_labelled(path, {"i1": item}).pairs
    assert (pair.id, pair.item, pair.instruction.instruction) == ("p1", "i1", "Name a lake.")
    assert pair.instruction.key == {"checks": []}
    assert pair.slices == {"app": "maps"}
    with pytest.raises(UsageError, match=r"pairs\.jsonl:1: key 'item': 'i1' is no item of the scenario"):
        read_labelled(path, {"i2": item})
    with pytest.raises(SuiteError, match="need --scenario"):
        read_labelled(path)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({**PAIR, "output_2": None}, "key 'output_2': is missing or no text"),
        ({**PAIR, "input": 3}, "key 'input': is missing or no text"),
        ({**PAIR, "labels": {"a": 3}}, "must be 1, 2, 0 or null, not 3"),
        ({**PAIR, "slices": ["a"]}, "key 'slices': must be an object"),
        ({**PAIR, "labels": 1}, "must be objects"),
        ({key: value for key, value in PAIR.items() if key != "id"}, "key 'id': is missing"),
        (PAIR | {"id": "p0"}, "stands twice"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, row: dict[str, Any], message: str) -> None:
    path = write(tmp_path, PAIR | {"id": "p0"}, row)
    with pytest.raises(SuiteError, match=r"pairs\.jsonl:2: ") as caught:
        read_labelled(path)
    assert message in str(caught.value)


def test_an_answer_of_pandalm_must_be_a_text(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="key 'response1': is missing or no text"):
        read_labelled(write(tmp_path, {**OF_PANDALM, "response1": 3}))


def test_verdicts_are_no_pairs(tmp_path: Path) -> None:
    votes = {"id": "p1", "win": 1.0, "judge": "human:a"}
    with pytest.raises(SuiteError, match="holds verdicts, not pairs of outputs"):
        read_labelled(write(tmp_path, votes))


def test_recorded_verdicts(tmp_path: Path) -> None:
    rows = [{**PAIR, "id": f"p{n}", "judges": {"gpt": label}} for n, label in enumerate((1, 2, 0, None))]
    pairs = read_labelled(write(tmp_path, *rows)).pairs
    assert [(p.id, p.win, p.order) for p in recorded_verdicts(pairs, "gpt")] == [
        ("p0", 1.0, "single"),
        ("p1", 0.0, "single"),
        ("p2", 0.5, "single"),
        ("p3", None, "single"),
    ]
    with pytest.raises(UsageError, match="no verdicts of 'claude'") as caught:
        recorded_verdicts(pairs, "claude")
    assert "There are: gpt." in str(caught.value)


def test_the_language_of_the_instruction_is_a_slice(tmp_path: Path) -> None:
    english = {**PAIR, "instruction": "Name a river that flows through three countries."}
    german = {**PAIR, "id": "p2", "instruction": "Nenne mir bitte einen Fluss, der durch Deutschland fließt."}
    short = {**PAIR, "id": "p3", "instruction": "1 + 1, mein Lieber"}
    own = {**PAIR, "id": "p4", "slices": {"language": "la"}}
    pairs = with_language(read_labelled(write(tmp_path, english, german, short, own)).pairs)
    assert [pair.slices.get("language") for pair in pairs] == ["en", "de", None, "la"]


@given(st.integers(2, 30), st.integers(0, 5))
def test_a_larger_sample_holds_the_smaller(limit: int, seed: int) -> None:
    pairs = _pairs(30)
    drawn = [pair.id for pair in sample(pairs, limit, seed)]
    assert len(drawn) == limit
    assert drawn == sorted(drawn)
    assert set(drawn) <= {pair.id for pair in sample(pairs, limit + 1, seed)}


def _pairs(n: int) -> Sequence[LabelledPair]:
    return [LabelledPair(Instruction(f"{number:02}", "x"), "i", "a", "b") for number in range(n)]


@pytest.mark.data
@pytest.mark.skipif(not PANDALM.exists(), reason="the reference data is not beside the checkout")
def test_the_published_file() -> None:
    data = read_labelled(PANDALM)
    assert len(data.pairs) == 999
    assert len({pair.item for pair in data.pairs}) == 170
    assert sum(pair.judges["gpt35_turbo"] is None for pair in data.pairs) == 25
    assert {text for pair in data.pairs for text in (pair.output_1, pair.output_2)} >= {"True"}
