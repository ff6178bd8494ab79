"""Pairs from two files: every form of outputs in any mix, joins on id, and what is refused by name."""

import hashlib
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.judge.pairs import Pairs, read_pairs
from alpaca_eval_suite.prompts import instruction_id
from alpaca_eval_suite.stats import read_preferences

DATA = Path(__file__).parents[2].parent / "shared" / "data"
ANNOTATIONS = DATA / "alpaca_eval" / "annotations_example"
OUTPUTS = DATA / "self_instruct_252" / "outputs"

OURS = [
    {"id": "sea", "instruction": "Translate into French.", "input": "The sea", "output": "La mer", "model": "new"},
    {"id": "sky", "instruction": "Name a colour.", "input": "", "output": "Blue", "model": "new"},
]
THEIRS = [
    {"id": "sky", "instruction": "Name a colour.", "output": "Red", "model": "old"},
    {"id": "sea", "instruction": "Translate into French.", "input": "The sea", "output": "Le mer", "model": "old"},
]
ALPACA_EVAL = [
    {"instruction": "Name a colour.", "output": "Green", "generator": "peer", "dataset": "koala"},
    {"instruction": "Translate into French.\n\nThe sea", "output": "Mer", "generator": "peer", "dataset": "vicuna"},
]
SEA, SKY = (hashlib.sha256(text.encode()).hexdigest()[:16] for text in
            ("Translate into French.\n\nThe sea", "Name a colour."))  # fmt: skip


def lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def listed(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text(json.dumps(rows, indent=2), "utf-8")
    return path


def read(folder: Path, ours: list[dict[str, Any]], theirs: list[dict[str, Any]], **options: Any) -> Pairs:
    options = {"model_name": "m", "baseline_name": "b", **options}
    return read_pairs(lines(folder / "ours.jsonl", ours), lines(folder / "theirs.jsonl", theirs), **options)


def texts(pairs: Pairs) -> list[tuple[str, str, str]]:
    return [(one.id, one.comparison.output, one.comparison.baseline_output) for one in pairs.pairs]


def without(rows: list[dict[str, Any]], *keys: str) -> list[dict[str, Any]]:
    return [{key: value for key, value in row.items() if key not in keys} for row in rows]


def test_our_form_is_joined_on_id(tmp_path: Path) -> None:
    pairs = read_pairs(lines(tmp_path / "a.jsonl", OURS), lines(tmp_path / "b.jsonl", THEIRS))
    assert texts(pairs) == [("sea", "La mer", "Le mer"), ("sky", "Blue", "Red")]
    assert (pairs.model, pairs.baseline, pairs.left_out, pairs.notes()) == ("new", "old", 0, [])
    first = pairs.pairs[0]
    assert (first.model, first.baseline, first.scenario) == ("new", "old", "")
    assert (first.comparison.instruction.instruction, first.comparison.instruction.input) == (
        "Translate into French.",
        "The sea",
    )


def test_lists_of_alpaca_eval_are_joined_on_the_instruction(tmp_path: Path) -> None:
    other = [{**row, "generator": "other", "output": row["output"].upper()} for row in reversed(ALPACA_EVAL)]
    pairs = read_pairs(listed(tmp_path / "a.json", ALPACA_EVAL), listed(tmp_path / "b.json", other))
    assert texts(pairs) == [(SKY, "Green", "GREEN"), (SEA, "Mer", "MER")]
    assert [one.comparison.instruction.slices for one in pairs.pairs] == [{"dataset": "koala"}, {"dataset": "vicuna"}]
    assert (pairs.model, pairs.baseline) == ("peer", "other")


@pytest.mark.parametrize("turned", [False, True])
def test_any_mix_of_forms(tmp_path: Path, turned: bool) -> None:
    files = [lines(tmp_path / "a.jsonl", OURS), listed(tmp_path / "b.json", ALPACA_EVAL)]
    pairs = read_pairs(*(reversed(files) if turned else files))
    # Ids only where both files have them: the instruction's, whether its input stands apart or not.
    expected = {SEA: ("La mer", "Mer"), SKY: ("Blue", "Green")}
    assert {id: (mine, other) for id, mine, other in texts(pairs)} == {
        id: both[::-1] if turned else both for id, both in expected.items()
    }
    assert {one.id: one.comparison.instruction.slices["dataset"] for one in pairs.pairs} == {
        SEA: "vicuna",
        SKY: "koala",
    }


def test_one_row_without_an_id_makes_the_texts_the_key(tmp_path: Path) -> None:
    pairs = read(tmp_path, OURS, [THEIRS[0], *without(THEIRS[1:], "id")])
    assert [one.id for one in pairs.pairs] == [SEA, SKY]


def test_white_space_at_the_ends_does_not_part_pairs_and_the_baseline_gives_the_id(tmp_path: Path) -> None:
    ours = [{"instruction": " Name a colour.\n", "output": "Blue"}]
    theirs = [{"instruction": "Name a colour. ", "output": "Red"}]
    assert [one.id for one in read(tmp_path, ours, theirs).pairs] == [instruction_id("Name a colour. ")]


def test_numbers_are_ids_and_the_same_as_their_digits(tmp_path: Path) -> None:
    ours = [{"id": 7, "instruction": "Name a colour.", "output": "Blue"}]
    assert texts(read(tmp_path, ours, [{**ours[0], "id": "7"}])) == [("7", "Blue", "Blue")]


def test_one_file_may_leave_the_instructions_to_the_other(tmp_path: Path) -> None:
    for ours, theirs in ((without(OURS, "instruction", "input"), THEIRS), (OURS, without(THEIRS, "instruction"))):
        pairs = read(tmp_path, ours, theirs)
        assert [one.comparison.instruction.instruction for one in pairs.pairs] == [
            "Translate into French.",
            "Name a colour.",
        ]
    with pytest.raises(SuiteError, match=r"ours.jsonl:1: has no instruction, nor has the other file's row"):
        read(tmp_path, without(OURS, "instruction"), without(THEIRS, "instruction"))


def test_names_are_those_given_then_the_rows_then_the_files(tmp_path: Path) -> None:
    a, b = lines(tmp_path / "a.jsonl", OURS), lines(tmp_path / "b.jsonl", without(THEIRS, "model"))
    assert (read_pairs(a, b).model, read_pairs(a, b).baseline) == ("new", "b")
    named = read_pairs(a, b, model_name="x", baseline_name="y")
    assert {(one.model, one.baseline) for one in named.pairs} == {("x", "y")}
    lines(tmp_path / "b.jsonl", [{**row, "model": "new"} for row in THEIRS])
    with pytest.raises(UsageError, match=r"both files hold outputs of 'new'(.|\n)*--baseline-name"):
        read_pairs(a, b)
    lines(tmp_path / "b.jsonl", [THEIRS[0], {**THEIRS[1], "model": "older"}])
    with pytest.raises(SuiteError, match="several models"):
        read_pairs(a, b)


def test_reference_rubric_and_slices_come_from_either_file(tmp_path: Path) -> None:
    ours = [
        {**OURS[0], "reference": "La mer.", "slices": {"app": "travel", "level": 2}},
        {**OURS[1], "rubric": ["One word.", "A colour."]},
    ]
    theirs = [{**THEIRS[0], "dataset": "koala"}, {**THEIRS[1], "reference": "La mer.", "slices": {"by": "c"}}]
    sea, sky = (one.comparison.instruction for one in read(tmp_path, ours, theirs).pairs)
    assert (sea.reference, sea.key, sea.slices) == ("La mer.", {}, {"by": "c", "app": "travel", "level": "2"})
    assert (sky.reference, sky.key, sky.slices) == (None, {"rubric": ["One word.", "A colour."]}, {"dataset": "koala"})


@pytest.mark.parametrize("key", ["instruction", "input", "reference", "rubric"])
def test_two_texts_under_one_id_are_refused(tmp_path: Path, key: str) -> None:
    ours = [{**row, "reference": "r", "rubric": "u"} for row in OURS]
    theirs = [{**row, "reference": "r", "rubric": "u"} for row in THEIRS]
    theirs[1][key] = "Something else."
    name = "instruction" if key == "input" else key
    message = rf"ours.jsonl:1: another {name} than at .*theirs.jsonl:2, under the same id sea"
    with pytest.raises(SuiteError, match=message):
        read(tmp_path, ours, theirs)


def test_other_ids_are_refused_by_name_or_left_out_and_counted(tmp_path: Path) -> None:
    more = [{"id": f"only-{number}", "instruction": f"Count to {number}.", "output": ""} for number in range(12)]
    with pytest.raises(SuiteError) as caught:
        read(tmp_path, [*OURS, *more], [THEIRS[0], {**THEIRS[1], "id": "lake"}])
    message = str(caught.value)
    assert "ours.jsonl (13): sea, only-0, only-1" in message
    assert "only-8 and 3 more" in message
    assert "theirs.jsonl (1): lake" in message
    assert "--ids both judges the 1 that both files have" in message

    pairs = read(tmp_path, [*OURS, *more], [THEIRS[0], {**THEIRS[1], "id": "lake"}], ids="both")
    assert (texts(pairs), pairs.left_out) == ([("sky", "Blue", "Red")], 14)
    assert pairs.notes() == ["ids that only one of the files has were left out: 14"]


def test_other_instructions_are_named_by_their_beginning(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"'Translate into French.*The sea'"):
        read(tmp_path, without(OURS, "id"), without(THEIRS[:1], "id"))


@pytest.mark.parametrize("ids", ["same", "both"])
def test_nothing_in_common(tmp_path: Path, ids: str) -> None:
    with pytest.raises(SuiteError, match="none in common"):
        read(tmp_path, OURS[:1], THEIRS[:1], ids=ids)


def test_an_id_or_an_instruction_that_stands_twice(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"theirs.jsonl:3: the id 'sky' stands twice, first at .*theirs.jsonl:1"):
        read(tmp_path, OURS, [*THEIRS, THEIRS[0]])
    with pytest.raises(SuiteError, match=r"ours.jsonl:3: the instruction 'Name a colour.', .* stands twice"):
        read(tmp_path, without([*OURS, OURS[1]], "id"), without(THEIRS, "id"))


@pytest.mark.parametrize(
    ("slip", "message"),
    [
        ({"output": None}, "'output' is missing or null"),
        ({"output": 3}, "'output' is not text"),
        ({"id": True}, "'id' must be text or a whole number, not True"),
        ({"id": ""}, "'id' must be"),
        ({"id": 1.5}, "'id' must be"),
        ({"id": None, "instruction": None}, "has no id and no instruction"),
        ({"instruction": ["a"]}, "'instruction' is not text"),
        ({"reference": 4}, "'reference' is not text"),
        ({"rubric": ["One word.", 2]}, "'rubric' is not text"),
        ({"slices": {"app": None}}, "'slices' must be"),
        ({"slices": "travel"}, "'slices' must be"),
        ({"dataset": 1}, "'dataset' is not text"),
    ],
)
def test_a_row_that_is_wrong_is_named(tmp_path: Path, slip: dict[str, Any], message: str) -> None:
    with pytest.raises(SuiteError, match=f"theirs.jsonl:2: {message}"):
        read(tmp_path, OURS, [THEIRS[0], {**THEIRS[1], **slip}])


def test_a_missing_output_is_no_empty_one(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"theirs.jsonl:1: 'output' is missing"):
        read(tmp_path, OURS, without(THEIRS, "output"))


def test_empty_and_identical_outputs_are_kept_and_counted(tmp_path: Path) -> None:
    ours = [{**OURS[0], "output": ""}, {**OURS[1], "output": "Red"}]
    theirs = [THEIRS[0], {**THEIRS[1], "output": " \n"}]
    pairs = read(tmp_path, ours, theirs)
    assert texts(pairs) == [("sea", "", " \n"), ("sky", "Red", "Red")]
    assert (pairs.empty, pairs.identical) == ((1, 1), ("sky",))
    assert pairs.notes() == [
        "empty outputs of m, which are judged as they are: 1",
        "empty outputs of b, which are judged as they are: 1",
        "pairs of identical outputs: 1",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [("", "holds no outputs"), ("{", "not valid JSON"), ("[]", "holds no outputs"), ("[1]", "not a JSON object")],
)
def test_files_that_are_none(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "bad").write_text(content)
    with pytest.raises(SuiteError, match=message):
        read_pairs(lines(tmp_path / "a.jsonl", OURS), tmp_path / "bad")
    with pytest.raises(SuiteError, match=r"gone: cannot be read"):
        read_pairs(lines(tmp_path / "a.jsonl", OURS), tmp_path / "gone")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(
    items=st.dictionaries(st.text("abc \n", min_size=1).filter(str.strip).map(str.strip), st.text(), min_size=1),
    with_ids=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_the_order_of_the_rows_means_nothing(tmp_path: Path, items: dict[str, str], with_ids: bool, seed: int) -> None:
    ours = [{"instruction": text, "output": output} for text, output in items.items()]
    theirs = [{"instruction": text, "output": f"to {text}"} for text in items]
    if with_ids:
        ours, theirs = ([{**row, "id": n} for n, row in enumerate(rows)] for rows in (ours, theirs))
    random.Random(seed).shuffle(theirs)
    pairs = read(tmp_path, ours, theirs)
    assert [one.comparison.instruction.instruction for one in pairs.pairs] == list(items)
    assert all(one.comparison.baseline_output == f"to {one.comparison.instruction.instruction}" for one in pairs.pairs)
    assert [one.id for one in pairs.pairs] == (
        [str(n) for n in range(len(items))] if with_ids else [instruction_id(text) for text in items]
    )


@pytest.mark.data
@pytest.mark.skipif(not ANNOTATIONS.is_dir(), reason=f"the reference data {ANNOTATIONS} is not there")
@pytest.mark.parametrize(
    "name", ["alpaca-7b.alpaca_eval_gpt4.json", "vicuna-7b-v1.5.weighted_alpaca_eval_gpt4_turbo.json"]
)
def test_outputs_of_alpaca_eval_have_the_ids_of_its_annotations(tmp_path: Path, name: str) -> None:
    annotations = json.loads((ANNOTATIONS / name).read_text("utf-8"))
    files = []
    for side in ("2", "1"):
        rows = [
            {"instruction": row["instruction"], "output": row[f"output_{side}"],
             "generator": row[f"generator_{side}"], "dataset": row["dataset"]}
            for row in annotations
        ]  # fmt: skip
        files.append(listed(tmp_path / f"{side}.json", rows))
    pairs = read_pairs(*files)
    verdicts = read_preferences(ANNOTATIONS / name)
    assert [(one.id, one.model, one.baseline) for one in pairs.pairs] == [
        (one.id, one.model, one.baseline) for one in verdicts
    ]
    assert [len(one.comparison.output) for one in pairs.pairs] == [one.len_model for one in verdicts]
    assert len({one.comparison.instruction.slices["dataset"] for one in pairs.pairs}) == 5


@pytest.mark.data
@pytest.mark.skipif(not OUTPUTS.is_dir(), reason=f"the reference data {OUTPUTS} is not there")
def test_outputs_with_ids_of_the_252(tmp_path: Path) -> None:
    pairs = read_pairs(OUTPUTS / "alpaca-7b.jsonl", OUTPUTS / "text_davinci_003.jsonl")
    assert (len(pairs.pairs), pairs.model, pairs.baseline) == (252, "alpaca-7b", "text_davinci_003")
    assert pairs.pairs[0].id == "user_oriented_task_0"
