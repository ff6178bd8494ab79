"""Two runs as one table over ids: how each id counts in both, step by step, and what differs on it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from alpaca_eval_suite.leaderboard.difference.counting import Rule
from alpaca_eval_suite.leaderboard.difference.recorded import same_judge
from alpaca_eval_suite.leaderboard.difference.sides import Side, Values
from alpaca_eval_suite.leaderboard.difference.split import FloatArray, Table
from alpaca_eval_suite.leaderboard.difference.texts import State, Texts, baseline_outputs, outputs, prompts
from alpaca_eval_suite.types import Order

CAUSES = ("prompt", "outputs", "prompt_or_outputs", "baseline", "other_orders", "judge")
"""What may differ on an id. An output that differs is put down to the `prompt` where that differs too, to what made
the `outputs` where it is the same, and to either where it is not known. `other_orders`: the pair was shown in orders
that have none in common."""

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Tabulated:
    """The table of the sorted `ids`; `shared` are those that both were asked.

    `alike`: the units of both in the orders that both have, in their own where they have none in common.
    `n_other_orders`: how many ids have none.
    """

    ids: tuple[str, ...]
    shared: tuple[str, ...]
    table: Table
    texts: Mapping[str, Texts]
    judge: State
    alike: tuple[Values, Values]
    n_other_orders: int

    @property
    def both(self) -> list[str]:
        """The ids that are counted in both."""
        return [id_ for id_, counted in zip(self.ids, self.table.both, strict=True) if counted]

    @property
    def same_pairs(self) -> list[str]:
        """The ids with a value in both on which the two outputs are known to be the same."""
        outputs_of, baseline = self.texts["outputs"].states, self.texts["baseline"].states
        return [
            id_
            for id_ in self.shared
            if outputs_of[id_] is baseline[id_] is State.SAME and not np.isnan(self.alike[0][id_] + self.alike[1][id_])
        ]


def tabulate(mine: Side, published: Side) -> Tabulated:
    """The table of two runs of which both hold raw items."""
    a, b = mine.values, published.values
    ids, shared = tuple(sorted(a.keys() | b.keys())), tuple(sorted(a.keys() & b.keys()))
    texts = {
        "prompt": prompts(mine, published, shared),
        "outputs": outputs(mine, published, shared),
        "baseline": baseline_outputs(mine, published, shared),
    }
    orders = {id_: mine.orders(id_) & published.orders(id_) for id_ in shared}
    alike = _alike(mine, orders), _alike(published, orders)
    judge = same_judge(mine.run, published.run)
    other_orders = {id_ for id_, of in orders.items() if not of and mine.preferences}
    of_mine, of_published = (_counted(ids, side.values, published.rule) for side in (mine, published))
    table = Table(
        own=_counted(ids, a, mine.rule),
        ties=_counted(ids, a, replace(mine.rule, ties=published.rule.ties)),
        mine=of_mine,
        published=of_published,
        shared=np.isin(ids, shared),
        mine_alike=_in_orders(ids, alike[0], published.rule, of_mine),
        published_alike=_in_orders(ids, alike[1], published.rule, of_published),
        causes=_causes(ids, shared, texts, judge, other_orders),
    )
    return Tabulated(ids, shared, table, texts, judge, alike, len(other_orders))


def _alike(side: Side, orders: Mapping[str, frozenset[Order]]) -> Values:
    own, restricted = side.values, side.values_in(orders)

    def value(id_: str) -> float:
        # A failed unit stays failed, whichever order it failed in.
        within = restricted.get(id_, float("nan"))
        return own[id_] if np.isnan(own[id_]) or np.isnan(within) else within

    return {id_: value(id_) for id_ in orders}


def _counted(ids: tuple[str, ...], values: Values, rule: Rule) -> FloatArray:
    """The units under a rule; NaN also where the id was never asked, which is no failure."""
    there = np.array([id_ in values for id_ in ids])
    return np.where(there, rule.apply(np.array([values.get(id_, np.nan) for id_ in ids])), np.nan)


def _in_orders(ids: tuple[str, ...], alike: Values, rule: Rule, own: FloatArray) -> FloatArray:
    """The units in the orders of both, as they were where the rule leaves out what they then are."""
    ruled = _counted(ids, alike, rule)
    return np.where(np.isnan(ruled), own, ruled)


def _causes(
    ids: tuple[str, ...], shared: tuple[str, ...], texts: Mapping[str, Texts], judge: State, other_orders: set[str]
) -> dict[str, BoolArray]:
    """For each id, what differs or, where that is not known, may differ.

    A prompt acts through the output alone: where the output is the same, another prompt has done nothing.
    """
    common = set(shared)

    def where(holds: Callable[[str], bool]) -> BoolArray:
        return np.array([id_ in common and holds(id_) for id_ in ids], dtype=np.bool_)

    def other_output(id_: str) -> bool:
        return texts["outputs"].states[id_] is not State.SAME

    def other_output_with(prompt: State) -> BoolArray:
        return where(lambda id_: other_output(id_) and texts["prompt"].states[id_] is prompt)

    of = {
        "prompt": other_output_with(State.DIFFERENT),
        "outputs": other_output_with(State.SAME),
        "prompt_or_outputs": other_output_with(State.UNKNOWN),
        "baseline": where(lambda id_: texts["baseline"].states[id_] is not State.SAME),
        "other_orders": where(lambda id_: id_ in other_orders),
        "judge": where(lambda _: judge is not State.SAME),
    }
    return {name: of[name] for name in CAUSES}
