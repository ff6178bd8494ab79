"""From annotated answers to rates: every number can be done by hand."""

from typing import Any

import pytest

from alpaca_eval_suite.leaderboard.figures import Judged, all_rates, by_slice, information, mean_of
from alpaca_eval_suite.types import Order, Preference, Rate


def judged(id_: str, wins: dict[Order, float | None] | None = None, **fields: Any) -> Judged:
    verdicts = tuple(Preference(id_, win, order=order) for order, win in (wins or {}).items())
    defaults: dict[str, Any] = {
        "slices": {},
        "length": 10,
        "baseline_length": None,
        "empty": False,
        "cut_off": False,
        "checks_passed": None,
        "outcome": None,
    }
    return Judged(id=id_, preferences=verdicts, **{**defaults, **fields})


def ends(rate: Rate) -> tuple[float, float]:
    assert rate.interval is not None
    return (rate.interval.low, rate.interval.high)


def test_outputs_that_are_empty_or_cut_off() -> None:
    items = [judged(f"i{n}", empty=n < 3, cut_off=n == 9) for n in range(10)]
    rates, won = all_rates(items, {}, seed=0)
    assert won is None
    assert list(rates) == ["empty", "cut_off"]
    assert (rates["empty"].estimate, rates["empty"].n) == (0.3, 10)
    # Wilson's 95 % interval of 3 in 10 (Brown, Cai and DasGupta 2001, equation 4).
    assert ends(rates["empty"]) == pytest.approx((0.1078, 0.6032), abs=5e-5)
    assert rates["cut_off"].estimate == 0.1


def test_every_outcome_is_a_rate_even_one_that_never_came() -> None:
    items = [judged(f"i{n}", outcome="exact" if n < 6 else "wrong") for n in range(6 + 2)]
    rates, _ = all_rates(items, dict.fromkeys(("exact", "trap", "wrong")), seed=0)
    assert {name: rates[name].estimate for name in ("exact", "trap", "wrong")} == {
        "exact": 0.75,
        "trap": 0.0,
        "wrong": 0.25,
    }


def test_a_judge_in_the_rules_place_is_counted_with_its_failures_and_compared_with_the_rule() -> None:
    items = [
        judged("a", outcome="helped", rule="helped", kind="harmless"),
        judged("b", outcome="over_refused", rule="helped", kind="harmless"),
        judged("c", outcome=None, rule="helped", kind="harmless"),
        judged("d", outcome="refused", rule="refused", kind="tempting"),
        judged("e", outcome=None, rule="refused", kind="tempting"),
        judged("f", outcome=None, rule="refused", kind="tempting"),
    ]
    rates, _ = all_rates(items, {"refused": ("tempting",), "helped": ("harmless",), "no_answer": None}, seed=0)
    counts = {name: (rates[name].estimate, rates[name].n, rates[name].n_failed) for name in list(rates)[:4]}
    assert counts == {
        "refused": (1.0, 1, 2),
        "helped": (0.5, 2, 1),
        "no_answer": (0.0, 3, 3),
        "rule_agreement": (pytest.approx(2 / 3), 3, 3),
    }
    # Wilson's 95 % interval of 2 in 3.
    assert ends(rates["rule_agreement"]) == pytest.approx((0.2077, 0.9385), abs=5e-5)


def test_nothing_is_known_where_every_label_failed() -> None:
    rates, _ = all_rates([judged("a", rule="helped"), judged("b", rule="helped")], {"helped": None}, seed=0)
    assert rates["helped"] == rates["rule_agreement"] == Rate(None, None, 0, 2)


def test_a_rule_has_no_agreement_with_itself() -> None:
    rates, _ = all_rates([judged("a", outcome="exact")], {"exact": None}, seed=0)
    assert "rule_agreement" not in rates


def test_win_rate_counts_a_pair_once_over_both_orders() -> None:
    items = [
        judged("a", {"model_first": 1.0, "baseline_first": 1.0}),
        judged("b", {"model_first": 1.0, "baseline_first": 0.0}),
        judged("c", {"model_first": 0.0, "baseline_first": 0.0}),
        judged("d", {"model_first": 0.5, "baseline_first": 0.5}),
    ]
    rates, won = all_rates(items, {}, seed=0)
    assert won is not None
    assert (won.wins, won.losses, won.ties) == (1, 1, 2)
    assert rates["win_rate"].estimate == 0.5
    assert rates["win_rate"].n == 4
    assert rates["order_consistency"].estimate == 0.75
    # Shown first and won: a 1/2, b 2/2, c 1/2, d 1/2; the mean by id.
    assert rates["first_shown"].estimate == 0.625


def test_a_failed_verdict_is_counted_and_no_tie() -> None:
    items = [
        judged("a", {"model_first": 1.0, "baseline_first": 1.0}),
        judged("b", {"model_first": 1.0, "baseline_first": None}),
        judged("c", {"model_first": None, "baseline_first": None}),
    ]
    rates, _ = all_rates(items, {}, seed=0)
    assert (rates["win_rate"].estimate, rates["win_rate"].n, rates["win_rate"].n_failed) == (1.0, 1, 2)
    assert (rates["order_consistency"].n, rates["order_consistency"].n_failed) == (1, 2)


def test_a_judge_without_orders_has_no_order_rates() -> None:
    rates, _ = all_rates([judged("a", {"single": 1.0}), judged("b", {"single": 0.0})], {}, seed=0)
    assert "order_consistency" not in rates
    assert "first_shown" not in rates
    assert rates["win_rate"].estimate == 0.5


def test_mean_share_of_checks() -> None:
    items = [judged("a", checks_passed=1.0), judged("b", checks_passed=0.5), judged("c")]
    rates, _ = all_rates(items, {}, seed=0)
    assert (rates["checks_passed"].estimate, rates["checks_passed"].n) == (0.75, 2)


def test_the_same_seed_gives_the_same_interval() -> None:
    items = [judged(f"i{n}", checks_passed=(n % 7) / 6) for n in range(60)]
    drawn = [ends(all_rates(items, {}, seed=seed)[0]["checks_passed"]) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_slices_have_the_same_rates_over_their_own_items() -> None:
    items = [
        judged("a", slices={"app": "mail", "lang": "en"}, empty=True),
        judged("b", slices={"app": "mail"}),
        judged("c", slices={"app": "code", "lang": "en"}),
    ]
    found = by_slice(items, {}, seed=0)
    assert list(found) == ["app", "lang"]
    assert list(found["app"]) == ["code", "mail"]
    assert {value: (rates["empty"].estimate, rates["empty"].n) for value, rates in found["app"].items()} == {
        "code": (0.0, 1),
        "mail": (0.5, 2),
    }
    assert found["lang"]["en"]["empty"].n == 2


def test_mean_leaves_out_items_without_a_value() -> None:
    items = [judged("a", length=10, baseline_length=4), judged("b", length=20)]
    assert mean_of(items, lambda item: item.length) == 15.0
    assert mean_of(items, lambda item: item.baseline_length) == 4.0
    assert mean_of(items, lambda item: None) is None


@pytest.mark.parametrize(
    ("wins", "informative"),
    [
        ({"model_first": 1.0, "baseline_first": 1.0}, True),
        ({"model_first": 1.0, "baseline_first": 0.0}, False),
        ({"single": 1.0}, None),
    ],
)
def test_information(wins: dict[Order, float | None], informative: bool | None) -> None:
    assert information([judged(f"i{n}", wins) for n in range(10)]) is informative


def test_cut_off_while_thinking_is_a_rate_over_all_answers_where_any_holds_a_thought() -> None:
    items = [judged("a", cut_off_thinking=True, empty=True), judged("b", cut_off_thinking=False), judged("c")]
    rates, _ = all_rates(items, {}, seed=0)
    assert (rates["cut_off_thinking"].estimate, rates["cut_off_thinking"].n) == (1 / 3, 3)
    assert "cut_off_thinking" not in all_rates([judged("c")], {}, seed=0)[0]


def test_cut_off_is_counted_where_it_is_known_why_answers_ended() -> None:
    items = [judged(f"i{n}", cut_off=(True, False, False, None)[n % 4]) for n in range(8)]
    rates, _ = all_rates(items, {}, seed=0)
    assert (rates["cut_off"].estimate, rates["cut_off"].n) == (pytest.approx(1 / 3), 6)
    rates, _ = all_rates([judged("a", cut_off=None)], {}, seed=0)
    assert list(rates) == ["empty"]
