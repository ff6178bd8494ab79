"""The figures in README.md are those of the committed entry and of the committed judge's card."""

from pathlib import Path

import pytest

from alpaca_eval_suite.judge.card import card_of, share_text
from alpaca_eval_suite.leaderboard.cells import rate_text
from alpaca_eval_suite.leaderboard.entry import read_entries
from alpaca_eval_suite.leaderboard.record import RunRecord

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def committed(scenario: str) -> RunRecord:
    runs = [run for entry in read_entries(ROOT / "results").values() for run in entry.runs]
    (run,) = [run for run in runs if run.scenario.name == scenario and run.model.name == "smollm2-135m-instruct"]
    return run


@pytest.mark.parametrize(
    ("scenario", "rates"),
    [
        ("user_oriented_mini", ("win_rate", "checks_passed")),
        ("capitals", ("exact", "trap", "wrong", "abstained", "refused")),
    ],
)
def test_rates_are_those_of_the_entry(scenario: str, rates: tuple[str, ...]) -> None:
    run = committed(scenario)
    row = next(line for line in README.splitlines() if f"({run.model.fingerprint[:8]})" in line and rate_text(
        run.rates[rates[0]]) in line)  # fmt: skip
    assert [name for name in rates if rate_text(run.rates[name]) not in row] == []
    assert f"| {run.scenario.n_items} |" in row


def test_the_judges_agreement_is_that_of_its_card() -> None:
    card = card_of("builtin:checks")
    assert card is not None
    found = card.measures
    assert f"in {share_text(found.accuracy_all)} of {found.n_pairs} pairs" in README
    assert f"in {share_text(found.on_decided)} of the {found.on_decided.n}" in README
    assert f"readers with each other {share_text(found.ceiling)}" in README
    assert f'"longer wins" {100 * (found.controls["longer_wins"].value or 0):.0f} %' in README
