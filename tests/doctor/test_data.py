"""Scenarios and embedded models, as far as they are on this machine."""

import pytest

from alpaca_eval_suite.cards.survey import Surveyed
from alpaca_eval_suite.doctor.data import check_data, model_finding, scenario_finding


@pytest.mark.parametrize(
    ("one", "state", "words"),
    [
        (Surveyed("a", "shipped", 3), "ok", "3 items, data shipped"),
        (Surveyed("a", "cached", 3, baseline="cached"), "ok", "3 items, data cached, baseline cached"),
        (Surveyed("a", "to be downloaded"), "warn", "data to be downloaded"),
        (Surveyed("a", "shipped", 3, baseline="to be downloaded"), "warn", "baseline to be downloaded"),
        (Surveyed("a", "broken", why="card.yaml: wrong"), "fail", "card.yaml: wrong"),
    ],
)
def test_scenarios(one: Surveyed, state: str, words: str) -> None:
    finding = scenario_finding(one)
    assert (finding.name, finding.state) == ("Scenario a", state)
    assert words in finding.detail
    assert bool(finding.advice) == (state != "ok")


def test_embedded_models() -> None:
    assert model_finding("m", "unpacked", "pip install m").detail == "unpacked"
    assert "when it is first used" in model_finding("m", "packed", "pip install m").detail
    assert model_finding("m", "absent", "pip install m").detail == "not installed; pip install m"


def test_in_an_empty_cache_nothing_is_unpacked() -> None:
    found = {finding.name: finding for finding in check_data()}
    assert found["Scenario capitals"].detail == "195 items, data shipped"
    assert found["Scenario user_oriented"].state == "warn"
    assert found["Embedded model smollm2-135m-instruct"].detail != "unpacked"
