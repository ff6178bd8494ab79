"""From judged answers to rates: one `Judged` an item goes in, rates with intervals come out.

The one place where the numbers of a run are made, whatever it was made from; `leaderboard verify` makes them again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from alpaca_eval_suite.judge.combined import Combine, combined_units
from alpaca_eval_suite.probes.outcome import Outcome
from alpaca_eval_suite.probes.registry import Probe
from alpaca_eval_suite.stats.position import first_shown_rate, has_information, order_consistency
from alpaca_eval_suite.stats.proportion import mean_rate, rate
from alpaca_eval_suite.stats.win_rate import WinRate, win_rate
from alpaca_eval_suite.types import Instruction, Preference, Rate


@dataclass(frozen=True)
class Judged:
    """One answered item: what was seen of the answer, and what the judge said of it.

    `length`, `baseline_length` and `empty` are None where the texts are not known. `checks_passed` is the share of its
    checks that it passes, None where it has none. `outcome` is how a probe read
    the answer, None where there is no probe or its judge failed; `kind` is the item's own kind in that probe. `rule` is
    what the probe's rule says where a judge took its place. `preferences` are the verdicts on it, empty where no judge
    compared. `cut_off_thinking`: whether the tokens ran out within its thought, None where it holds no thought.
    `cut_off` is None where nobody said why the answer ended.
    """

    id: str
    slices: Mapping[str, str]
    length: int | None
    baseline_length: int | None
    empty: bool | None
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


def all_rates(
    items: Sequence[Judged], outcomes: Shares, seed: int, combine: Combine = "mean"
) -> tuple[dict[str, Rate], WinRate | None]:
    """Every rate over `items` by name, and the win rate in full. `combine`: how several judges become one."""
    n = len(items)
    rates: dict[str, Rate] = {}
    preferences = [preference for item in items for preference in item.preferences]
    won = None
    if preferences:
        won = win_rate(combined_units(preferences, combine), rng=seed)
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
    texts = [item.empty for item in items if item.empty is not None]
    if texts:
        rates["empty"] = rate(sum(texts), len(texts))
    known = [item.cut_off for item in items if item.cut_off is not None]
    if known:
        rates["cut_off"] = rate(sum(known), len(known))
    if any(item.cut_off_thinking is not None for item in items):
        rates["cut_off_thinking"] = rate(sum(item.cut_off_thinking is True for item in items), n)
    return rates, won


def by_slice(
    items: Sequence[Judged], outcomes: Shares, seed: int, combine: Combine = "mean"
) -> dict[str, dict[str, dict[str, Rate]]]:
    """{slice: {value: {rate}}} for every slice that the items carry, values in order of their names."""
    found: dict[str, dict[str, dict[str, Rate]]] = {}
    for name in sorted({name for item in items for name in item.slices}):
        values = sorted({item.slices[name] for item in items if name in item.slices})
        found[name] = {
            value: all_rates([item for item in items if item.slices.get(name) == value], outcomes, seed, combine)[0]
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


@dataclass(frozen=True)
class Read:
    """How one answer was read: `outcome` None where a judge failed, `rule` what the probe's rule says."""

    outcome: Outcome | None
    rule: Outcome


def differences(probe: Probe, items: Sequence[Instruction], read: Sequence[Read]) -> dict[str, Rate]:
    """Differences between groups of `items`, for probes that have them, of how each answer was `read`.

    An item that the judge failed to label is left out, and its pair with it: `n_failed` counts those pairs.
    """
    if probe.differences is None:
        return {}
    labelled = [(item, of.outcome) for item, of in zip(items, read, strict=True) if of.outcome is not None]
    found = probe.differences(labelled)
    if len(labelled) == len(items):
        return found
    # How many pairs there would be, told by the rule's labels, which are never missing.
    whole = probe.differences([(item, of.rule) for item, of in zip(items, read, strict=True)])
    nothing = Rate(None, None, 0)
    return {
        name: replace(rate, n_failed=full.n - rate.n)
        for name, full in whole.items()
        for rate in [found.get(name, nothing)]
    }
