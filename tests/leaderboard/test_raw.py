"""The raw file: what is written is read again, and what is wrong is named by its line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.files import sha256_of
from alpaca_eval_suite.leaderboard.raw import (
    RawItem,
    Verdict,
    Vote,
    ids_hash,
    raw_record,
    raw_text,
    read_raw,
    write_raw,
)
from alpaca_eval_suite.leaderboard.record import RunRecord

RunFactory = Callable[..., RunRecord]

texts = st.text(st.characters(codec=None), max_size=20)  # half surrogate pairs among them
verdicts = st.lists(
    st.builds(
        Verdict,
        judge=st.sampled_from(["x", "y"]),
        order=st.sampled_from(["model_first", "baseline_first", "single"]),
        seed=st.integers(0, 1),
        win=st.none() | st.floats(0, 1),
        reason=texts,
    ),
    unique_by=lambda one: (one.judge, one.order, one.seed),
    max_size=4,
).map(tuple)
items = st.lists(
    st.builds(
        RawItem,
        id=st.text(min_size=1, max_size=5),
        instruction=st.none() | texts,
        prompt=st.none() | texts | st.just(({"role": "user", "content": "Say so."},)),
        output=st.none() | texts,
        baseline_output=st.none() | texts,
        slices=st.dictionaries(texts, texts, max_size=2),
        verdicts=verdicts,
        people=st.just(()) | st.just((Vote(judge="human:a", win=0.5, tags=("both bad",), seconds=1.5),)),
        cut_off=st.none() | st.booleans(),
    ),
    unique_by=lambda item: item.id,
    max_size=4,
)


@settings(max_examples=60, deadline=None)
@given(items)
def test_what_is_written_is_read_again(tmp_path_factory: pytest.TempPathFactory, given: list[RawItem]) -> None:
    path = tmp_path_factory.mktemp("raw") / "raw.jsonl"
    write_raw(path, given)
    assert read_raw(path) == given
    record = raw_record("raw.jsonl", given)
    assert (record.sha256, record.n_lines) == (sha256_of(path), len(given))


def test_only_what_is_known_is_written() -> None:
    text = raw_text([RawItem(id="a"), RawItem(id="b", verdicts=(Verdict(judge="x", win=None, reason="cut off"),))])
    assert [json.loads(line) for line in text.splitlines()] == [
        {"id": "a"},
        {"id": "b", "verdicts": [{"judge": "x", "win": None, "reason": "cut off"}]},
    ]


def test_null_stands_for_what_is_missing() -> None:
    keys = RawItem.model_fields.keys() - {"id"}
    assert RawItem.model_validate({"id": "a", **dict.fromkeys(keys)}) == RawItem(id="a")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "is not valid JSON"),
        ('{"id": ""}', "id: String should have at least 1 character"),
        ('{"instruction": "x"}', "id: Field required"),
        ('{"id": "2", "surprise": 1}', "surprise: Extra inputs are not permitted"),
        ('{"id": "2", "verdicts": [{"judge": "x", "win": 1.5}]}', r"verdicts\.0\.win"),
        ('{"id": "2", "verdicts": [{"judge": "x", "win": NaN}]}', r"verdicts\.0\.win"),
        ('{"id": "2", "verdicts": [{"judge": "x"}]}', r"verdicts\.0\.win: Field required"),
        ('{"id": "2", "verdicts": [{"judge": "x", "win": 1, "order": "last"}]}', r"verdicts\.0\.order"),
        (
            '{"id": "2", "verdicts": [{"judge": "x", "win": 1}, {"judge": "x", "win": 0}]}',
            r"the verdict of \('x', 'single', 0\) stands twice",
        ),
        ('{"id": "2", "checks": {"passed": 1, "total": 0}}', r"checks\.total"),
        ('{"id": "2", "checks": {"passed": 2, "total": 1}}', "checks: 2 of 1 checks passed"),
        ('{"id": "1"}', r"the id '1' stands twice, first at .*:1"),
    ],
)
def test_a_line_that_is_wrong_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "raw.jsonl"
    path.write_text('{"id": "1"}\n' + line + "\n")
    with pytest.raises(SuiteError, match=message) as caught:
        read_raw(path)
    assert caught.value.where == f"{path}:2"


def test_an_id_is_written_once() -> None:
    with pytest.raises(ValueError, match="the id 'a' stands twice"):
        raw_text([RawItem(id="a"), RawItem(id="a")])


def test_preferences_are_the_lines_of_the_run(make_run: RunFactory) -> None:
    item = RawItem(
        id="a",
        output="four",
        baseline_output="seven77",
        slices={"app": "E-mail"},
        verdicts=(Verdict(judge="j", order="model_first", seed=4, win=1.0, reason="It is short."),),
        people=(Vote(judge="human:p", win=0.0),),
    )
    (line,) = item.preferences(make_run())
    assert (line.id, line.win, line.judge, line.order, line.seed) == ("a", 1.0, "j", "model_first", 4)
    assert (line.model, line.baseline) == ("SmolLM2-135M-Instruct", "gemma3-270m")
    assert (line.scenario, line.slices, line.reason) == ("user_oriented_mini", {"app": "E-mail"}, "It is short.")
    assert (line.len_model, line.len_baseline) == (4, 7)
    (vote,) = item.preferences(make_run(source="votes"))
    assert (vote.judge, vote.win) == ("human:p", 0.0)


@pytest.mark.parametrize(("thinking", "length"), [("strip", 20), ("keep", 4)])
def test_a_thought_that_was_kept_is_no_part_of_the_answer(make_run: RunFactory, thinking: str, length: int) -> None:
    item = RawItem(id="a", output="<think>H</think>four", len_model=99)
    run = make_run(decoding={"thinking": thinking})
    assert item.judged(run).length == item.length(thinking) == length
    assert RawItem(id="a", output="<think>Hm, it").judged(make_run(decoding={"thinking": "keep"})).empty


def test_without_texts_the_lengths_that_were_told_count(make_run: RunFactory) -> None:
    judged = RawItem(id="a", len_model=3, len_baseline=5).judged(make_run())
    assert (judged.length, judged.baseline_length, judged.empty) == (3, 5, None)


def test_the_hash_of_ids_is_of_the_set() -> None:
    assert ids_hash(["b", "a"]) == ids_hash(["a", "b"]) != ids_hash(["a", "c"])
    values: list[Any] = [["ab"], ["a", "b"], []]
    assert len({ids_hash(value) for value in values}) == 3
