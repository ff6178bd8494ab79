import json
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.probes import LABELS, Outcome, classify
from alpaca_eval_suite.probes.names import fold

ROWS = {
    row["id"]: row
    for row in map(
        json.loads,
        (Path(__file__).parents[2] / "scenarios/capitals/data.jsonl").read_text(encoding="utf-8").splitlines(),
    )
}
CASES = [
    json.loads(line)
    for line in Path(__file__).with_name("short_answer_cases.jsonl").read_text(encoding="utf-8").splitlines()
]


def read(item_id: str, output: str) -> Outcome:
    row = ROWS[item_id]
    return classify(
        output,
        answers=row["answers"],
        traps=row["traps"],
        subject=row["subject"],
        question=row["instruction"],
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['id']}: {case['output'][:40]!r}")
def test_the_rule_reads_an_answer_as_a_person_does(case: dict[str, str]) -> None:
    outcome = read(case["id"], case["output"])
    # `misread_as`: what the rule is known to get wrong; whoever mends it takes the mark away.
    assert outcome.label == case.get("misread_as", case["label"]), outcome.reason


def test_the_cases_cover_every_label_and_hold_real_answers() -> None:
    labels = [case["label"] for case in CASES]
    assert {label: labels.count(label) >= 9 for label in LABELS} == dict.fromkeys(LABELS, True)
    assert sum(case["source"] == "SmolLM2-135M-Instruct" for case in CASES) == 60
    assert len(CASES) - sum("misread_as" in case for case in CASES) >= 359


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("Canberra", "asserts “Canberra”"),
        ("Sydney", "asserts “Sydney”, a known error"),
        ("The capital of Australia is Hobart.", "asserts “Hobart”, which is not accepted"),
        ("Sydney or Canberra", "hedged: names Sydney, Canberra without deciding"),
        ("Australia is large.", "asserts none of the known answers"),
        ("I don't know.", "says “don't know”"),
        ("I can't help.", "says “can't help”"),
        ("", "empty: there is no answer"),
    ],
)
def test_the_reason_says_what_decided(output: str, reason: str) -> None:
    assert read("capitals_au", output).reason == reason


def test_a_trap_carries_its_kind() -> None:
    outcome = read("capitals_tz", "It is Dar es Salaam.")
    assert (outcome.named, outcome.kind) == ("Dar es Salaam", "former_capital")


# --- every item of the scenario ----------------------------------------------------------------------------


@pytest.mark.parametrize("row", ROWS.values(), ids=lambda row: row["id"])
class TestEveryItem:
    def test_its_reference_and_each_accepted_spelling_are_exact(self, row: dict[str, object]) -> None:
        for text in [row["reference"], *row["answers"], *(f"It is {name}." for name in row["answers"])]:
            assert read(row["id"], text).label == "exact", text

    def test_each_trap_is_a_trap_however_it_is_asserted(self, row: dict[str, object]) -> None:
        country, article = row["country"], _with_article(row)
        for trap in row["traps"]:
            for text in (
                f"The capital of {article} is {trap['name']}.",
                f"{trap['name']}",
                f"{trap['name']}, {country}",
                f"**{trap['name']}** is the capital of {article}.",
            ):
                outcome = read(row["id"], text)
                assert (outcome.label, outcome.kind) == ("trap", trap["kind"]), (text, outcome)

    def test_a_denied_trap_beside_the_answer_is_exact(self, row: dict[str, object]) -> None:
        answer = row["answers"][0]
        for trap in row["traps"]:
            name = trap["name"]
            for text in (
                f"{answer}, not {name}.",
                f"{name} is the largest city, but the capital is {answer}.",
                f"The capital was moved from {name} to {answer}.",
                f"The capital of {_with_article(row)} is {answer}. {name} is better known.",
            ):
                assert read(row["id"], text).label == "exact", text

    def test_an_unlisted_place_is_wrong(self, row: dict[str, object]) -> None:
        answer = row["answers"][0]
        for text in (
            f"The capital of {_with_article(row)} is Springfield.",
            "Springfield",
            f"Springfield. {answer} is nearby.",
            f"Springfield is the capital of {_with_article(row)}; {answer} is not.",
        ):
            assert read(row["id"], text).label == "wrong", text

    def test_naming_the_country_only_is_no_answer(self, row: dict[str, object]) -> None:
        outcome = read(row["id"], f"I am glad to tell you about {_with_article(row)}.")
        assert outcome.label == "wrong"

    def test_not_knowing_and_refusing(self, row: dict[str, object]) -> None:
        article = _with_article(row)
        assert read(row["id"], f"I don't know the capital of {article}.").label == "abstained"
        assert read(row["id"], f"I can't help with the capital of {article}.").label == "refused"


def _with_article(row: dict[str, object]) -> str:
    """The country as its own question names it."""
    found = re.search(
        r"(?:capital|capital city) of (.+?)[.?]$|^(?:Which city is )?(.+?)'s? capital ", row["instruction"]
    )
    possessive = re.match(r"Which city is (.+?)'s? capital\?", row["instruction"])
    name = possessive[1] if possessive else found[1] or found[2]
    return name.replace("The ", "the ")


# --- other facts than capitals -----------------------------------------------------------------------------


def test_any_fact_with_answers_and_traps_can_be_read() -> None:
    key = {
        "answers": ["Goethe", "Johann Wolfgang von Goethe"],
        "traps": ["Marlowe", {"name": "Schiller", "kind": "contemporary"}],
        "question": "Who is the author of Faust?",
    }
    assert classify("Faust was written by Johann Wolfgang von Goethe.", **key).label == "exact"
    assert classify("It was Schiller, I believe.", **key).kind == "contemporary"
    assert classify("Christopher Marlowe", **key).label == "trap"
    assert classify("Not Marlowe but Goethe.", **key).label == "exact"
    assert classify("The author is Thomas Mann. Goethe was a poet.", **key).label == "wrong"
    assert classify("The author of Faust is unknown.", **key).label == "abstained"


def test_only_answers_are_needed() -> None:
    assert classify("That would be 1492, of course.", answers=["1492"]).label == "exact"
    assert classify("In 14920 or so.", answers=["1492"]).label == "wrong"


@pytest.mark.parametrize(
    ("columns", "complaint"),
    [
        ({"answers": []}, "answers is empty"),
        ({"answers": "Dodoma"}, "answers is not a list"),
        ({"answers": [""]}, "among the answer names is no text"),
        ({"answers": [1964]}, "1964 among the answer names is no text"),
        ({"answers": ["Bern"], "traps": {"name": "Basel"}}, "traps is not a list"),
        ({"answers": ["Bern"], "traps": [{"kind": "city"}]}, "None among the trap names is no text"),
        ({"answers": ["Zürich"], "traps": ["ZURICH"]}, "'ZURICH' is both answer and trap"),
    ],
)
def test_columns_of_the_wrong_form_are_named(columns: dict[str, object], complaint: str) -> None:
    with pytest.raises(SuiteError, match=re.escape(complaint)):
        classify("Bern", **columns)


# --- any text at all ---------------------------------------------------------------------------------------

_PIECES = st.sampled_from(
    [
        *("Dodoma", "Dar es Salaam", "Tanzania", "Springfield", "the capital of", "I don't know"),
        *("is", "not", "was", "until", "or", *",.?()\n-"),
    ]
)


@given(st.one_of(st.text(max_size=80), st.lists(_PIECES, max_size=25).map(" ".join)))
def test_every_text_gets_one_label_the_same_each_time(output: str) -> None:
    outcome = read("capitals_tz", output)
    assert outcome.label in LABELS
    assert outcome.reason
    assert read("capitals_tz", output) == outcome


@given(st.sampled_from(["Dodoma", "Dar es Salaam"]), st.text(max_size=200))
def test_what_comes_after_the_first_assertion_changes_nothing(name: str, rest: str) -> None:
    said = f"The capital of Tanzania is {name}."
    assert read("capitals_tz", f"{said}\n\n{rest}").label == read("capitals_tz", said).label


@pytest.mark.parametrize(
    "piece",
    [
        "Sydney, ",
        "not Sydney ",
        "Is it Sydney? ",
        "( ",
        "The capital is Aa Bb ",
        "between Sydney and ",
        "1. ",
    ],
)
def test_a_hundred_kilobytes_are_read_in_a_moment(piece: str) -> None:
    output = (piece * (100_000 // len(piece) + 1))[:100_000]
    started = time.perf_counter()
    assert read("capitals_au", output).label in LABELS
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("São Tomé", "sao tome"),
        ("N’Djaména", "n'djamena"),
        ("Nukuʻalofa", "nuku'alofa"),
        ("Port-au-Prince", "port au prince"),
        ("CHIȘINĂU", "chisinau"),
        ("Łódź, Tromsø", "lodz, tromso"),
        ("**Hà  Nội**\n\n* Huế", "ha noi\n\n- hue"),
        ("İzmir", "izmir"),
    ],
)
def test_folding(text: str, folded: str) -> None:
    assert fold(text).text == folded


def test_folding_remembers_capitals() -> None:
    text = fold("São Tomé é Linda")
    assert [text.text[place] for place in sorted(text.capitals)] == ["s", "t", "l"]
