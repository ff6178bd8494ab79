"""One of two runs that are laid side by side, with what is known of every id."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.files import sha256_of
from alpaca_eval_suite.judge.combined import combined_units
from alpaca_eval_suite.leaderboard.difference.counting import HOUSE, Rule, rule_of_counts, rule_of_units
from alpaca_eval_suite.leaderboard.raw import RawItem, read_raw
from alpaca_eval_suite.leaderboard.record import RateRecord, RunRecord
from alpaca_eval_suite.leaderboard.rows import WIN_RATE, Row
from alpaca_eval_suite.probes.registry import probe_of
from alpaca_eval_suite.prompts import instruction_id
from alpaca_eval_suite.types import Order, Preference

Values = Mapping[str, float]
"""The unit of each id that was asked; NaN where it failed."""


@dataclass(frozen=True)
class Side:
    """One of the two runs. `items` by id, None where they are not known, and `missing` then says why.

    `changed`: the raw file is not the one that the entry was written with.
    """

    path: Path
    row: Row
    rate: RateRecord
    items: Mapping[str, RawItem] | None
    missing: str = ""
    changed: bool = False

    @property
    def run(self) -> RunRecord:
        """The run's record."""
        return self.row.run

    @property
    def value(self) -> float:
        """The recorded rate."""
        assert self.rate.value is not None
        return self.rate.value

    @cached_property
    def preferences(self) -> Mapping[str, Sequence[Preference]]:
        """The verdicts by id; empty for a rate that is not a win rate."""
        if self.row.kind.headline != WIN_RATE:
            return {}
        found = {id_: item.preferences(self.run) for id_, item in (self.items or {}).items()}
        # Items may have been given other ids, and their verdicts with them.
        return {id_: [replace(one, id=id_) for one in given] for id_, given in found.items() if given}

    def orders(self, id_: str) -> frozenset[Order]:
        """In which orders the pair was shown."""
        return frozenset(one.order for one in self.preferences.get(id_, ()))

    @cached_property
    def values(self) -> Values:
        """The units of the rate."""
        return self.values_in(None)

    def values_in(self, orders: Mapping[str, frozenset[Order]] | None) -> Values:
        """The units as they would be if each pair had been shown in these orders only (None: in all)."""
        if self.row.kind.headline != WIN_RATE:
            return self._read
        kept = [
            one
            for id_, given in self.preferences.items()
            for one in given
            if orders is None or one.order in orders.get(id_, frozenset())
        ]
        units = combined_units(kept, self.run.combine)
        return dict(zip(units.ids, units.values.tolist(), strict=True))

    @cached_property
    def _read(self) -> Values:
        """1 for an answer read as the rate counts it, over the kinds of items that it is a share of."""
        label = self.row.kind.headline
        probe = probe_of(self.run.scenario.metric)
        kinds = probe.shares.get(label) if probe else None
        judged = {id_: item.judged(self.run) for id_, item in (self.items or {}).items()}
        return {
            id_: float("nan") if item.outcome is None else float(item.outcome == label)
            for id_, item in judged.items()
            if item.read and (kinds is None or item.kind in kinds)
        }

    @cached_property
    def known_rule(self) -> Rule | None:
        """How the recorded rate counts ties and failures, None where nothing tells."""
        if self.items is None:
            return rule_of_counts(self.run.win_rate)
        return rule_of_units(np.array(list(self.values.values())), self.rate)

    @property
    def rule(self) -> Rule:
        """The rule, the house's where it is not known."""
        return self.known_rule or HOUSE


def side_of(path: Path, row: Row) -> Side:
    """The run of the entry in `path`, with its raw items where they can be read."""
    rate = row.headline
    assert rate is not None
    raw = row.run.raw
    if raw is None:
        return Side(path, row, rate, None, "it was made without them")
    file = path.parent / raw.file
    try:
        items = {item.id: item for item in read_raw(file)}
        changed = sha256_of(file) != raw.sha256
    except SuiteError as error:
        return Side(path, row, rate, None, str(error).splitlines()[0])
    side = Side(path, row, rate, items, changed=changed)
    return side if side.values else Side(path, row, rate, None, f"{file} holds no verdict")


def joined(mine: Side, published: Side) -> tuple[Side, Side]:
    """The two under the same ids: their own, or hashes of the instructions where they share none of their own."""
    if mine.items is None or published.items is None or mine.items.keys() & published.items.keys():
        return mine, published
    by_text = [_by_instruction(side.items or {}) for side in (mine, published)]
    if by_text[0] is None or by_text[1] is None or not by_text[0].keys() & by_text[1].keys():
        return mine, published
    return replace(mine, items=by_text[0]), replace(published, items=by_text[1])


def _by_instruction(items: Mapping[str, RawItem]) -> Mapping[str, RawItem] | None:
    """The items under hashes of their instructions; None where one has none, or two have the same."""
    found: dict[str, list[RawItem]] = defaultdict(list)
    for item in items.values():
        if item.instruction is None:
            return None
        found[instruction_id(item.instruction, item.input or "")].append(item)
    return None if len(found) < len(items) else {id_: of[0] for id_, of in found.items()}
