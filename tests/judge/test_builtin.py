"""`builtin:checks`: the larger share of an item's checks wins, and the reason says both counts."""

import pytest

from alpaca_eval_suite.judge.builtin import BLIND_SPOTS, NAME, judge_by_checks
from alpaca_eval_suite.judge.checks import parse_checks
from alpaca_eval_suite.types import Comparison, Instruction

CHECKS = parse_checks(
    [
        {"check": "contains", "any": ["Dodoma"]},
        {"check": "excludes", "any": ["Dar es Salaam"]},
        {"check": "length", "unit": "words", "max": 8},
    ]
)
ITEM = Instruction("1", "What is the capital of Tanzania?")
RIGHT, TRAP, MIXED = "It is Dodoma.", "It is Dar es Salaam.", "Dodoma, once Dar es Salaam."


@pytest.mark.parametrize(
    ("output", "baseline", "win", "reason"),
    [
        (RIGHT, TRAP, 1.0, "model passes 3 of 3 checks, baseline 1"),
        (TRAP, RIGHT, 0.0, "model passes 1 of 3 checks, baseline 3"),
        (RIGHT, "Dodoma", 0.5, "model passes 3 of 3 checks, baseline 3"),
        (MIXED, TRAP, 1.0, "model passes 2 of 3 checks, baseline 1"),
        ("", TRAP, 0.0, "model passes 0 of 3 checks, baseline 1"),
        ("", " \n", 0.5, "model passes 0 of 3 checks, baseline 0"),
    ],
)
def test_the_larger_share_wins(output: str, baseline: str, win: float, reason: str) -> None:
    verdict = judge_by_checks(CHECKS, Comparison(ITEM, output, baseline))
    assert (verdict.win, verdict.reason) == (win, reason)


def test_both_reports_are_kept() -> None:
    verdict = judge_by_checks(CHECKS, Comparison(ITEM, RIGHT, TRAP))
    assert [result.passed for result in verdict.report.results] == [True, True, True]
    assert [result.passed for result in verdict.baseline_report.results] == [False, False, True]
    assert verdict.report.share == 1.0
    assert verdict.baseline_report.share == pytest.approx(1 / 3)


def test_swapping_the_outputs_swaps_the_win() -> None:
    for first in (RIGHT, TRAP, MIXED, ""):
        for second in (RIGHT, TRAP, MIXED, ""):
            there = judge_by_checks(CHECKS, Comparison(ITEM, first, second)).win
            back = judge_by_checks(CHECKS, Comparison(ITEM, second, first)).win
            assert there + back == 1.0


def test_the_checks_see_the_items_own_texts() -> None:
    item = Instruction("1", "Summarise.", "The quick brown fox jumps over the lazy dog near the river bank.")
    checks = parse_checks([{"check": "no_echo"}])
    verdict = judge_by_checks(checks, Comparison(item, "A fox jumps.", item.input))
    assert verdict.win == 1.0


def test_an_item_without_checks_is_a_fault_of_the_program() -> None:
    with pytest.raises(ValueError, match="without checks"):
        judge_by_checks((), Comparison(ITEM, RIGHT, TRAP))


def test_what_it_cannot_see_is_said() -> None:
    assert NAME == "builtin:checks"
    for word in ("style", "tone", "truth", "harm"):
        assert word in BLIND_SPOTS
