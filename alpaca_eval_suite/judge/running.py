"""The running win rate while judging goes on: the completed beginning of the drawn order, and its confidence sequence.

What is completed later in the order does not count yet: which verdicts come first depends on how long the answers
are, so a mean over all that are there would be a mean over the short ones.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from alpaca_eval_suite.judge.combined import Combine, combined_units
from alpaca_eval_suite.stats.sequential import Sequential, sequential
from alpaca_eval_suite.stats.units import Units
from alpaca_eval_suite.types import Preference


class RunningRate:
    """Takes verdicts in any order; `prefix` is how many ids from the beginning have all of theirs.

    `ids`: in the order in which they are judged, as `drawn_order` gives it by `seed`. `verdicts`: the id of each
    verdict that will come.
    """

    def __init__(self, ids: Sequence[str], verdicts: Iterable[str], *, seed: int, combine: Combine = "mean") -> None:
        self.prefix = 0
        self._ids = ids
        self._seed = seed
        self._combine = combine
        self._open = Counter(verdicts)
        self._waiting: dict[str, list[Preference]] = {}
        self._values: list[float] = []

    def add(self, preference: Preference) -> None:
        """One more verdict, failed or not."""
        self._waiting.setdefault(preference.id, []).append(preference)
        self._open[preference.id] -= 1
        while self.prefix < len(self._ids) and not self._open[id_ := self._ids[self.prefix]]:
            self._values.append(float(combined_units(self._waiting.pop(id_), self._combine).values[0]))
            self.prefix += 1

    def values(self) -> tuple[float, ...]:
        """The units of the prefix, NaN where they failed, as they are now."""
        return tuple(self._values)

    def sequence(self, values: Sequence[float]) -> Sequential:
        """The confidence sequence over a prefix with these `values`. A tenth of a second for a thousand ids."""
        done = sorted(zip(self._ids[: len(values)], values, strict=True))
        found = Units(tuple(id_ for id_, _ in done), np.array([value for _, value in done], dtype=np.float64))
        return sequential(found, ids=self._ids, seed=self._seed)
