"""From annotated answers to rates: pure, no HELM. One `Judged` an item goes in, rates with intervals come out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from alpaca_eval_suite.stats.position import first_shown_rate, has_information, order_consistency
from alpaca_eval_suite.stats.proportion import mean_rate, rate
from alpaca_eval_suite.stats.units import units
from alpaca_eval_suite.stats.win_rate import WinRate, win_rate
from alpaca_eval_suite.types import Preference, Rate


@dataclass(frozen=True)
class Judged:
    """One answered item: what was seen of the answer, and what the judge said of it.

    `checks_passed` is the share of its checks that it passes, None where it has none. `outcome` is how a probe
    read the answer, `kind` the item's own kind in that probe. `preferences` are the verdicts on it, empty where no
    judge compared.
    """

    id: str
    slices: Mapping[str, str]
    length: int
    baseline_length: int | None
    empty: bool
    cut_off: bool
    checks_passed: float | None
    outcome: str | None
    preferences: tuple[Preference, ...]
    kind: str | None = None


Shares = Mapping[str, Sequence[str] | None]
"""The outcomes to be counted, each with the kinds of items that it is a share of (None: all)."""


def all_rates(items: Sequence[Judged], outcomes: Shares, seed: int) -> tuple[dict[str, Rate], WinRate | None]:
    """Every rate over `items` by name, and the win rate in full."""
    n = len(items)
    rates: dict[str, Rate] = {}
    preferences = [preference for item in items for preference in item.preferences]
    won = None
    if preferences:
        won = win_rate(units(preferences), rng=seed)
        rates["win_rate"] = Rate(won.win_rate, won.ci, won.n, won.n_failed)
        if any(preference.order != "single" for preference in preferences):
            rates["order_consistency"] = order_consistency(preferences)
            rates["first_shown"] = first_shown_rate(preferences)
    shares = [item.checks_passed for item in items if item.checks_passed is not None]
    if shares:
        rates["checks_passed"] = mean_rate(shares, rng=seed)
    for label, kinds in outcomes.items():
        among = [item.outcome for item in items if item.outcome and (kinds is None or item.kind in kinds)]
        if among:
            rates[label] = rate(among.count(label), len(among))
    rates["empty"] = rate(sum(item.empty for item in items), n)
    rates["cut_off"] = rate(sum(item.cut_off for item in items), n)
    return rates, won


def by_slice(items: Sequence[Judged], outcomes: Shares, seed: int) -> dict[str, dict[str, dict[str, Rate]]]:
    """{slice: {value: {rate}}} for every slice that the items carry, values in order of their names."""
    found: dict[str, dict[str, dict[str, Rate]]] = {}
    for name in sorted({name for item in items for name in item.slices}):
        values = sorted({item.slices[name] for item in items if name in item.slices})
        found[name] = {
            value: all_rates([item for item in items if item.slices.get(name) == value], outcomes, seed)[0]
            for value in values
        }
    return found


def mean_of(items: Sequence[Judged], value: Callable[[Judged], int | None]) -> float | None:
    """The mean of what `value` gives, items without one left out."""
    known = [number for item in items if (number := value(item)) is not None]
    return sum(known) / len(known) if known else None


def information(items: Sequence[Judged]) -> bool | None:
    """Whether a judge's verdicts are more consistent than a blind one's; None when no pair was judged twice."""
    return has_information([p for item in items for p in item.preferences]).informative
