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

    `checks_passed` is the share of its checks that it passes, None where it has none. `outcome` is how a probe read
    the answer, None where there is no probe or its judge failed; `kind` is the item's own kind in that probe. `rule` is
    what the probe's rule says where a judge took its place. `preferences` are the verdicts on it, empty where no judge
    compared. `cut_off_thinking`: whether the tokens ran out within its thought, None where it holds no thought.
    `cut_off` is None where nobody said why the answer ended.
    """

    id: str
    slices: Mapping[str, str]
    length: int
    baseline_length: int | None
    empty: bool
    cut_off: bool | None
    checks_passed: float | None
    outcome: str | None
    preferences: tuple[Preference, ...]
    kind: str | None = None
    rule: str | None = None
    cut_off_thinking: bool | None = None

    @property
    def read(self) -> bool:
        """Whether a probe read the answer, or its judge was asked to and failed."""
        return self.outcome is not None or self.rule is not None


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
        among = [item.outcome for item in items if item.read and (kinds is None or item.kind in kinds)]
        if among:
            n_failed = among.count(None)
            rates[label] = rate(among.count(label), len(among) - n_failed, n_failed)
    judged = [item for item in items if item.rule is not None]
    if judged:
        labelled = [item for item in judged if item.outcome is not None]
        same = sum(item.outcome == item.rule for item in labelled)
        rates["rule_agreement"] = rate(same, len(labelled), len(judged) - len(labelled))
    rates["empty"] = rate(sum(item.empty for item in items), n)
    known = [item.cut_off for item in items if item.cut_off is not None]
    if known:
        rates["cut_off"] = rate(sum(known), len(known))
    if any(item.cut_off_thinking is not None for item in items):
        rates["cut_off_thinking"] = rate(sum(item.cut_off_thinking is True for item in items), n)
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
