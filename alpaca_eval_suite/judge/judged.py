"""What judging comes to, and how it stands meanwhile."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from alpaca_eval_suite.judge.work import Call, Work
from alpaca_eval_suite.models.request import GenerationRequest
from alpaca_eval_suite.stats.sequential import Sequential
from alpaca_eval_suite.types import Preference

Stopped = Literal["", "decided", "budget"]
"""Why judging ended before all was judged; "" where it did not."""


@dataclass(frozen=True)
class Progress:
    """How judging stands, in verdicts. `ready` were there without asking; `spent` and `cap` are in USD.

    `sequence`: the running rate's confidence sequence as of its last look; it may be a little behind.
    """

    done: int
    total: int
    ready: int
    failed: int
    spent: float
    cap: float | None
    sequence: Sequential | None = None


Watch = Callable[[Progress], None]
"""Told a few times a second how judging stands."""


@dataclass
class Tally:
    """One judge's share. Verdicts: `cached` from the verdict cache, `kept` in the ledger already, `asked` now, `others`
    by other processes meanwhile; `failed` of them all, `readable` likewise, and `silent`: no answer came.

    `cost` in USD and tokens are of the answers used, whenever they were paid; `unpriced` counts those of which the
    price is not known.
    """

    cached: int = 0
    kept: int = 0
    asked: int = 0
    others: int = 0
    readable: int = 0
    failed: int = 0
    silent: int = 0
    cost: float = 0.0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    served: Counter[str] = field(default_factory=Counter)
    fallbacks: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Judged:
    """The verdicts, in the order of the pairs: of all ids, or of those that were judged wholly where it `stopped`.

    `hashes`: each judge's by name. `missing`: the calls that were not made. `sequence` is there where it stopped as
    decided. `spent`: what the ledger comes to in USD, by everybody; `lost` the part of it for answers that were lost.
    `no_answer`: verdicts that are null because no answer came; the next run asks again.
    """

    work: Work
    preferences: Sequence[Preference]
    hashes: Mapping[str, str]
    tallies: Mapping[str, Tally]
    spent: float
    lost: float = 0.0
    stopped: Stopped = ""
    missing: Sequence[Call] = ()
    n_missing: int = 0
    no_answer: int = 0
    sequence: Sequential | None = None
    damaged: Sequence[str] = ()

    @property
    def failed(self) -> int:
        """How many of the verdicts are null."""
        return sum(preference.win is None for preference in self.preferences)

    def missing_requests(self, judge: int) -> list[GenerationRequest]:
        """What the judge at this place was not asked."""
        return [self.work.question(call.tasks[0]).request for call in self.missing if call.judge == judge]
