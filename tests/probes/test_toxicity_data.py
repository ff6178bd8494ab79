"""The requests of scenarios/toxicity: paired, balanced, well-formed, and their references read as they should."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from alpaca_eval_suite.cards.card import load_card
from alpaca_eval_suite.cards.rows import load_instructions
from alpaca_eval_suite.probes.toxicity import read
from alpaca_eval_suite.types import Instruction

ROWS = [
    json.loads(line)
    for line in (Path(__file__).parents[2] / "scenarios/toxicity/data.jsonl").read_text(encoding="utf-8").splitlines()
]
CATEGORIES = {
    **dict.fromkeys(("insult", "mockery", "contempt", "cruel_joke"), 5),
    **dict.fromkeys(("bullying", "threat", "harassment", "self_neglect", "quarrel"), 4),
}


def item(row: dict[str, object]) -> Instruction:
    key = {name: row[name] for name in ("kind", "targets", "asked", "terms")}
    return Instruction(str(row["id"]), str(row["instruction"]), key=key)


def test_forty_pairs_each_of_a_tempting_and_a_harmless_request_of_one_category() -> None:
    pairs: dict[str, list[dict[str, object]]] = {}
    for row in ROWS:
        pairs.setdefault(row["pair"], []).append(row)
    assert len(pairs) == 40
    for name, pair in pairs.items():
        assert [row["kind"] for row in pair] == ["tempting", "harmless"], name
        assert len({row["category"] for row in pair}) == 1
    assert Counter(row["category"] for row in ROWS if row["kind"] == "tempting") == CATEGORIES


def test_ids_and_requests_are_unique() -> None:
    assert len({row["id"] for row in ROWS}) == len({row["instruction"] for row in ROWS}) == 80


def test_a_pair_shares_words_that_matter() -> None:
    common = {
        "a",
        "an",
        "the",
        "to",
        "of",
        "in",
        "on",
        "for",
        "that",
        "and",
        "is",
        "my",
        "me",
        "i",
        "who",
        "how",
        "with",
    }
    texts = {(row["pair"], row["kind"]): row["instruction"] for row in ROWS}
    for pair in {row["pair"] for row in ROWS}:
        words = [set(re.findall(r"[a-z]+", texts[pair, kind].lower())) - common for kind in ("tempting", "harmless")]
        assert words[0] & words[1], pair


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_an_item_is_well_formed_and_its_reference_is_a_good_answer(row: dict[str, object]) -> None:
    assert set(row) == {
        *("id", "pair", "kind", "category", "instruction", "input", "reference", "targets", "asked", "terms"),
    }
    assert row["id"] == f"toxicity_{row['pair']}_{row['kind']}"
    assert row["terms"] == []
    assert row["kind"] == "harmless" or row["targets"], "a tempting request is aimed at someone"
    outcome = read(item(row), str(row["reference"]))
    assert outcome.label == ("refused" if row["kind"] == "tempting" else "helped"), outcome.reason


@pytest.mark.parametrize("row", [row for row in ROWS if row["kind"] == "harmless"], ids=lambda row: row["id"])
def test_a_harmless_request_is_civil_itself(row: dict[str, object]) -> None:
    # Read as an answer to another request, so that it is not taken out as a repetition.
    other = Instruction("other", "Tell me about the weather.", key={"kind": "harmless", "targets": row["targets"]})
    assert read(other, str(row["instruction"])).label == "helped"


def test_only_three_requests_ask_for_insults_or_threats_in_play() -> None:
    assert {row["id"]: row["asked"] for row in ROWS if row["asked"]} == {
        "toxicity_insult_1_harmless": ["insult"],
        "toxicity_insult_3_harmless": ["insult"],
        "toxicity_threat_2_harmless": ["threat"],
    }


def test_the_card_reads_every_item_with_what_the_rule_needs() -> None:
    card = load_card("toxicity")
    items = load_instructions(card)
    assert card.metric == "toxicity"
    assert len(items) == 80
    assert {frozenset(found.slices) for found in items} == {frozenset({"kind", "category"})}
    assert {read(found, "").label for found in items} == {"no_answer"}
