"""Judges' cards: stored, found by hash only, and the shipped ones are what their data gives."""

import json
from pathlib import Path
from typing import Any

import pytest

from alpaca_eval_suite.cards import load_card, load_instructions
from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.judge.builtin import judge_by_checks
from alpaca_eval_suite.judge.card import (
    CARDS_VARIABLE,
    CostRecord,
    DataRecord,
    JudgeCard,
    card_of,
    file_name,
    read_card,
    recorded_hash,
    share_text,
    write_card,
)
from alpaca_eval_suite.judge.checks import parse_checks
from alpaca_eval_suite.judge.credits import longer_wins
from alpaca_eval_suite.judge.labelled import LabelledPair, read_labelled, recorded_verdicts, with_language
from alpaca_eval_suite.judge.measure import measure
from alpaca_eval_suite.judge.spec import load_judge
from alpaca_eval_suite.judge.work import Judge
from alpaca_eval_suite.stats.totals import Estimate
from alpaca_eval_suite.types import Instruction, Interval, Preference

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "run_specs" / "judges" / "cards"
PANDALM = ROOT.parent / "shared" / "data" / "human" / "pandalm_999.jsonl"
HASH = "ab" * 32


def pairs(n: int = 40) -> list[LabelledPair]:
    return [
        LabelledPair(Instruction(f"{k:02}", "x"), f"i{k}", "a b", "c", {"x": 1 + k % 2, "y": 1 + k % 2, "z": 0})
        for k in range(n)
    ]


def make_card(**changes: Any) -> JudgeCard:
    verdicts = [Preference(one.id, float(one.labels["x"] == 1)) for one in pairs()]
    values = {
        "name": "letter@endpoint/gpt",
        "hash": HASH,
        "identity": {"model": "gpt"},
        "template_sha256": "c" * 64,
        "form": "letter",
        "orders": "both",
        "decoding": {"temperature": 0.0},
        "data": DataRecord(name="pairs.jsonl", sha256="d" * 64, n_pairs=40, readers="3 people"),
        "measures": measure(pairs(), verdicts, resamples=300),
        "date": "2026-01-31T12:00:00+00:00",
    }
    return JudgeCard(**{**values, **changes})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder of cards; the current folder is another, empty one."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv(CARDS_VARIABLE, str(tmp_path / "cards"))
    return tmp_path / "cards"


def test_stored_and_found_by_hash(folder: Path) -> None:
    card = make_card()
    path = write_card(folder, card)
    assert path.name == "letter-endpoint-gpt-abababababab.json"
    assert card_of(HASH) == card
    assert read_card(path) == card
    assert list(folder.iterdir()) == [path]


def test_another_template_or_model_has_no_card(folder: Path) -> None:
    write_card(folder, make_card())
    assert card_of(HASH[:12] + "0" * 52) is None  # the same first digits, and so the same file name
    assert card_of("cd" * 32) is None
    assert card_of("letter@endpoint/gpt") is None  # a name does not say what stands behind it
    assert card_of("") is None
    assert card_of("builtin:nothing") is None


def test_measuring_again_replaces_the_card(folder: Path) -> None:
    write_card(folder, make_card())
    write_card(folder, make_card(date="2026-02-28T12:00:00+00:00"))
    assert len(list(folder.iterdir())) == 1
    found = card_of(HASH)
    assert found is not None
    assert found.date.startswith("2026-02")


def test_folders_are_searched_in_order(folder: Path) -> None:
    write_card(Path("judge_cards"), make_card(date="here"))
    found = card_of(HASH)
    assert found is not None
    assert found.date == "here"
    write_card(folder, make_card(date="named"))
    found = card_of(HASH)
    assert found is not None
    assert found.date == "named"


def test_names_that_no_file_can_have() -> None:
    assert file_name("../../etc/passwd@x:y", HASH) == "etc-passwd-x-y-abababababab.json"
    assert len(file_name("x" * 400, HASH)) < 120


@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw: raw.pop("measures"),
        lambda raw: raw.update(schema_version=2),
        lambda raw: raw.update(mood="good"),
        lambda raw: raw["measures"].update(mood="good"),
        lambda raw: raw.update(hash="12"),
    ],
)
def test_a_file_that_is_no_card(folder: Path, spoil: Any) -> None:
    path = write_card(folder, make_card())
    raw = json.loads(path.read_text())
    spoil(raw)
    path.write_text(json.dumps(raw))
    with pytest.raises(SuiteError, match="is not a judge's card of version 1") as caught:
        card_of(HASH)
    assert str(path) in str(caught.value)


def test_the_sentence() -> None:
    sentence = make_card().sentence()
    assert sentence.startswith("agrees with readers in 100 % [")
    assert " of 40 pairs (readers with each other " in sentence
    assert "'longer wins' 50 % [" in sentence
    assert sentence.endswith("; readers: 3 people")
    assert "in which readers prefer one" not in sentence  # one reader always says tie


def test_information() -> None:
    assert make_card().has_information
    longer = [Preference(one.id, 1.0) for one in pairs()]
    assert not make_card(measures=measure(pairs(), longer, resamples=300)).has_information


def test_share_text() -> None:
    assert share_text(Estimate(0.534, Interval(0.456, 0.6051, 0.95, "bca"), 9)) == "53 % [46, 61]"
    assert share_text(Estimate(0.534, None, 9)) == "53 %"
    assert share_text(Estimate(None, None, 0)) == "–"


def test_cost_per_thousand() -> None:
    cost = CostRecord(n_verdicts=200, usd=0.5, seconds=10.0, n_timed=100)
    assert (cost.usd_per_1000, cost.seconds_per_1000) == (2.5, 100.0)
    unknown = CostRecord(n_verdicts=200, usd=None, seconds=0.0)
    assert (unknown.usd_per_1000, unknown.seconds_per_1000) == (None, None)


def shipped(name: str) -> JudgeCard:
    found = card_of(name)
    assert found is not None, f"no card of {name}: see docs/judge_cards.md for the command that makes it"
    return found


def test_every_shipped_card_can_be_read() -> None:
    cards = [read_card(path) for path in sorted(SHIPPED.glob("*.json"))]
    assert {"builtin:checks", "builtin:longer", "recorded:gpt35_turbo", "recorded:pandalm_7b"} <= {
        card.name for card in cards
    }
    assert all(
        path.name == file_name(card.name, card.hash)
        for path, card in zip(sorted(SHIPPED.glob("*.json")), cards, strict=True)
    )


def test_the_card_of_the_checks_is_what_they_give_now() -> None:
    card = shipped("builtin:checks")
    items = {item.id: item for item in load_instructions(load_card("user_oriented_mini"))}
    data = read_labelled(ROOT / "scenarios" / "user_oriented_mini" / "agreement.jsonl", items)
    verdicts = [
        Preference(one.id, judge_by_checks(parse_checks(one.instruction.key["checks"]), one.comparison).win)
        for one in data.pairs
    ]
    assert card.data.sha256 == data.sha256
    assert card.measures == measure(with_language(data.pairs), verdicts)
    assert "language model" in card.data.readers
    assert card.has_information


def test_a_shipped_card_is_of_the_judge_as_it_is_now() -> None:
    for name in ("builtin:checks", "builtin:longer"):
        assert shipped(name).hash == Judge(load_judge(name)).hash


def test_the_control_has_no_information_above_itself() -> None:
    assert not shipped("builtin:longer").has_information


@pytest.mark.data
@pytest.mark.skipif(not PANDALM.exists(), reason="the reference data is not beside the checkout")
def test_the_cards_on_pandalm_are_what_its_file_gives() -> None:
    data = read_labelled(PANDALM)
    labelled = with_language(data.pairs)
    for judge in ("gpt35_turbo", "pandalm_7b"):
        card = shipped(f"recorded:{judge}")
        assert card.hash == recorded_hash(judge, data.sha256)
        assert card.measures == measure(labelled, recorded_verdicts(labelled, judge))
    wins = {1: 1.0, 2: 0.0, 0: 0.5}
    longer = [Preference(one.id, wins[longer_wins(one.output_1, one.output_2)]) for one in labelled]
    assert shipped("builtin:longer").measures == measure(labelled, longer)
