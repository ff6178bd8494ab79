"""The facts of scenarios/capitals: complete, well-formed, consistent (their reading: test_short_answer)."""

import json
from collections import Counter
from pathlib import Path

import pytest

from alpaca_eval_suite.probes.names import fold

ROWS = [
    json.loads(line)
    for line in (Path(__file__).parents[2] / "scenarios/capitals/data.jsonl").read_text(encoding="utf-8").splitlines()
]
# ISO 3166-1 alpha-2 of the members of the United Nations (193) and of its two observer states, by the
# regions of the UN's M49 standard: Africa 54, Americas 35, Asia 47 and Palestine, Europe 43 and the Holy See,
# Oceania 14.
CODES = {
    "Africa": "ao bf bi bj bw cd cf cg ci cm cv dj dz eg er et ga gh gm gn gq gw ke km lr ls ly ma mg ml "
    "mr mu mw mz na ne ng rw sc sd sl sn so ss st sz td tg tn tz ug za zm zw",
    "Americas": "ag ar bb bo br bs bz ca cl co cr cu dm do ec gd gt gy hn ht jm kn lc mx ni pa pe py sr sv "
    "tt us uy vc ve",
    "Asia": "ae af am az bd bh bn bt cn cy ge id il in iq ir jo jp kg kh kp kr kw kz la lb lk mm mn mv "
    "my np om ph pk ps qa sa sg sy th tj tl tm tr uz vn ye",
    "Europe": "ad al at ba be bg by ch cz de dk ee es fi fr gb gr hr hu ie is it li lt lu lv mc md me mk "
    "mt nl no pl pt ro rs ru se si sk sm ua va",
    "Oceania": "au fj fm ki mh nr nz pg pw sb to tv vu ws",
}
PHRASINGS = {"direct", "name", "possessive", "city_only", "form", "tell"}


def test_every_member_and_observer_state_once_in_its_region() -> None:
    assert {region: len(codes.split()) for region, codes in CODES.items()} == {
        "Africa": 54,
        "Americas": 35,
        "Asia": 48,
        "Europe": 44,
        "Oceania": 14,
    }
    expected = {f"capitals_{code}": region for region, codes in CODES.items() for code in codes.split()}
    assert {row["id"]: row["region"] for row in ROWS} == expected
    assert len(ROWS) == len({row["country"] for row in ROWS}) == 195


def test_phrasings_are_balanced_within_every_region() -> None:
    assert set(Counter(row["phrasing"] for row in ROWS).values()) == {32, 33}
    for region in CODES:
        counts = Counter(row["phrasing"] for row in ROWS if row["region"] == region)
        assert set(counts) == PHRASINGS
        assert max(counts.values()) - min(counts.values()) <= 1


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_an_item_is_well_formed(row: dict[str, object]) -> None:
    assert set(row) == {
        *("id", "country", "region", "instruction", "input", "reference", "answers", "traps", "subject"),
        *("phrasing", "several", "note"),
    }
    assert row["input"] == ""
    assert row["country"] in row["instruction"]
    assert row["answers"][0].rstrip(".") in row["reference"]
    assert all(trap["kind"] in {"former_capital", "largest_city", "common_error"} for trap in row["traps"])
    answers = {fold(name).text for name in row["answers"]}
    traps = [fold(trap["name"]).text for trap in row["traps"]]
    assert not answers & set(traps)
    assert len(answers) == len(row["answers"])
    assert len(set(traps)) == len(traps)
    assert not row["several"] or row["note"], "several accepted cities need their reason"


def test_articles_stand_where_english_wants_them() -> None:
    asked = {row["country"]: row["instruction"] for row in ROWS}
    for country in (
        "Gambia",
        "Bahamas",
        "Netherlands",
        "Philippines",
        "United States",
        "United Kingdom",
        "Comoros",
    ):
        assert f"he {country}" in asked[country]
    for country in ("Chad", "Kenya", "France", "Ukraine", "Lebanon", "Sudan"):
        assert f"he {country}" not in asked[country]


def test_the_well_known_errors_are_traps() -> None:
    traps = {row["country"]: {trap["name"] for trap in row["traps"]} for row in ROWS}
    for country, error in {
        "Tanzania": "Dar es Salaam",
        "Australia": "Sydney",
        "Brazil": "Rio de Janeiro",
        "Turkey": "Istanbul",
        "Canada": "Toronto",
        "Nigeria": "Lagos",
        "Myanmar": "Yangon",
        "Kazakhstan": "Almaty",
        "Pakistan": "Karachi",
        "Switzerland": "Zurich",
        "Morocco": "Casablanca",
        "Vietnam": "Ho Chi Minh City",
        "New Zealand": "Auckland",
        "Netherlands": "The Hague",
        "Burundi": "Bujumbura",
    }.items():
        assert error in traps[country]


def test_states_with_several_capitals_accept_each() -> None:
    answers = {row["country"]: set(row["answers"]) for row in ROWS if row["several"]}
    assert answers["Bolivia"] == {"Sucre", "La Paz"}
    assert answers["South Africa"] >= {"Pretoria", "Cape Town", "Bloemfontein"}
    assert answers["Sri Lanka"] >= {"Sri Jayawardenepura Kotte", "Colombo"}
    assert set(answers) == {
        *("Benin", "Bolivia", "Côte d'Ivoire", "Equatorial Guinea", "Eswatini", "Israel", "Kiribati"),
        *("South Africa", "Sri Lanka", "State of Palestine", "Yemen"),
    }
