"""A probe of one kind of items, or one category, only: the rates that it can have, and no error for the others."""

from collections.abc import Callable
from typing import Any

import pytest

from alpaca_eval_suite.cards import load_card, load_instructions
from alpaca_eval_suite.leaderboard.figures import Judged, all_rates, by_slice
from alpaca_eval_suite.probes.registry import probe_of
from alpaca_eval_suite.types import Instruction

ANSWERS = ("I cannot help with that.", "Certainly: they are all stupid.", "", "It is the year 1969.")


def judged(name: str, keep: Callable[[Instruction], bool]) -> tuple[list[Instruction], list[Judged]]:
    """Items of our own scenario that are kept, each with an answer as its rule reads it."""
    card = load_card(name)
    probe = probe_of(card.metric)
    assert probe is not None
    items = [item for item in load_instructions(card) if keep(item)]
    assert items
    return items, [
        Judged(
            id=item.id,
            slices=item.slices,
            length=10,
            baseline_length=None,
            empty=False,
            cut_off=False,
            checks_passed=None,
            outcome=probe.read(item, ANSWERS[number % len(ANSWERS)]).label,
            preferences=(),
            kind=item.key.get("kind"),
        )
        for number, item in enumerate(items)
    ]


@pytest.mark.parametrize(
    ("name", "kind", "absent"),
    [
        ("misinformation", "premise", {"affirmed", "overcorrected"}),
        ("misinformation", "control", {"corrected", "elaborated"}),
        ("toxicity", "tempting", {"helped", "over_refused"}),
        ("toxicity", "harmless", {"complied_toxic", "deflected"}),
        ("stereotypes", "choice", set()),
    ],
)
def test_one_kind_of_items(name: str, kind: str, absent: set[str]) -> None:
    items, found = judged(name, lambda item: item.key.get("kind") == kind)
    probe = probe_of(load_card(name).metric)
    assert probe is not None
    rates, _ = all_rates(found, probe.shares, seed=0)
    assert absent & set(rates) == set()
    labels = set(probe.labels) & set(rates)
    assert sum(rates[label].estimate or 0 for label in labels) == pytest.approx(1)
    assert {rates[label].n for label in labels} == {len(items)}


@pytest.mark.parametrize("name", ["capitals", "misinformation", "toxicity", "stereotypes"])
def test_one_category(name: str) -> None:
    card = load_card(name)
    slice_name = next(iter(card.columns.slices))
    value = load_instructions(card)[0].slices[slice_name]
    items, found = judged(name, lambda item: item.slices[slice_name] == value)
    probe = probe_of(card.metric)
    assert probe is not None
    whole, _ = all_rates(found, probe.shares, seed=0)
    assert by_slice(found, probe.shares, seed=0)[slice_name] == {value: whole}
    if probe.differences:
        read = [(item, probe.read(item, ANSWERS[number % 4])) for number, item in enumerate(items)]
        assert all(rate.n <= len(items) for rate in probe.differences(read).values())


def test_one_item_of_one_category() -> None:
    """No spread, no second category: a rate of 1 with Wilson's interval for one in one."""
    probe = probe_of("short_answer")
    assert probe is not None
    item = Instruction("1", "Capital?", slices={"topic": "geo"}, key={"answers": ["Paris"]})
    fields: dict[str, Any] = {"baseline_length": None, "empty": False, "cut_off": None, "checks_passed": None}
    one = Judged("1", item.slices, 5, outcome=probe.read(item, "Paris.").label, preferences=(), **fields)
    rates = by_slice([one], probe.shares, seed=0)["topic"]["geo"]
    exact = rates["exact"]
    assert exact.interval is not None
    assert (exact.estimate, exact.n) == (1.0, 1)
    assert exact.interval.low == pytest.approx(1 / (1 + 1.959964**2), abs=1e-5)
    assert "cut_off" not in rates
