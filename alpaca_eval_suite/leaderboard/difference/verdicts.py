"""How two sets of verdicts on the same pairs of outputs compare: agreement, flips, liking for the first place."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from alpaca_eval_suite.leaderboard.difference.sides import Side, Values
from alpaca_eval_suite.stats.position import first_shown_rate
from alpaca_eval_suite.stats.proportion import rate
from alpaca_eval_suite.stats.units import ROUNDING, TIE
from alpaca_eval_suite.types import Rate


@dataclass(frozen=True)
class Verdicts:
    """The units of ids on which both judged the same two outputs, in the same orders where that could be.

    `agreement`: both on the same side of a tie. `flips`: how many went from one side (mine) to another (published).
    """

    agreement: Rate
    flips: Mapping[str, int]

    def as_json(self) -> dict[str, Any]:
        """The public form."""
        return {"agreement": self.agreement.as_json(), "flips": dict(self.flips)}


def compare_verdicts(mine: Values, published: Values, ids: Iterable[str]) -> Verdicts:
    """Of units that have a value in both."""
    sides = [(_side(mine[id_]), _side(published[id_])) for id_ in ids]
    flips = Counter(f"{a} to {b}" for a, b in sides if a != b)
    return Verdicts(rate(len(sides) - flips.total(), len(sides)), dict(sorted(flips.items())))


def first_shown(side: Side) -> Rate | None:
    """How often the output shown first wins; None where no pair was shown in both orders."""
    found = first_shown_rate(one for given in side.preferences.values() for one in given)
    return found if found.n else None


def _side(value: float) -> str:
    if abs(value - TIE) < ROUNDING:
        return "tie"
    return "win" if value > TIE else "loss"
