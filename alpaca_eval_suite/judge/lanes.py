"""The calls of one judge in a row, and how the next ones are claimed: ahead of asking, many in one go."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice

from alpaca_eval_suite.judge.contracts import Asker
from alpaca_eval_suite.judge.work import Call, Judge
from alpaca_eval_suite.models.ledger import Claim, Ledger

_WINDOW = 4  # times the concurrency: of so many calls some can be claimed, unless others hold them all


@dataclass
class Lane:
    """The calls of one judge, in the order of judging.

    `claimed` are to be asked by this process next, `held` by other processes as far as is known. `short`: there is no
    money for any more. `answered` counts answers, `silent` verdicts without one since the last answer.
    """

    judge: Judge
    asker: Asker
    concurrency: int
    todo: deque[Call]
    claimed: deque[Call] = field(default_factory=deque)
    held: list[Call] = field(default_factory=list)
    short: bool = False
    answered: int = 0
    silent: int = 0

    def claim(self, ledger: Ledger, cap: float | None, take: Callable[[Call], bool]) -> None:
        """Claim the next calls, as many as may be open at once.

        A call that is another's is offered to `take`, which says whether it has its answer; if not, it goes to `held`.
        """
        while self.todo and not self.claimed and not self.short:
            window = list(islice(self.todo, _WINDOW * self.concurrency))
            wanted = [Claim(call.ledger_key, call.worst) for call in window]
            got = set(ledger.claim(wanted, cap, limit=self.concurrency))
            if not got and ledger.exhausted:
                self.short = True
                return
            for call in self._looked_at(ledger, cap, window, got):
                self.todo.popleft()
                if call.ledger_key in got:
                    self.claimed.append(call)
                elif not take(call):
                    self.held.append(call)
            if not got and cap is not None:
                return  # money may come back, and later calls are not to overtake earlier ones

    def _looked_at(self, ledger: Ledger, cap: float | None, window: list[Call], got: set[str]) -> list[Call]:
        """The beginning of the window in which each call was claimed, or is another's.

        Claiming ends when as many as wanted are claimed, or at the first free call that there is no money for.
        """
        places = [place for place, call in enumerate(window) if call.ledger_key in got]
        end = places[-1] + 1 if places else 0
        if len(got) == self.concurrency:
            return window[:end]
        if cap is None:
            return window
        room, known = cap - ledger.spent - ledger.reserved, ledger.values
        while end < len(window) and (window[end].worst <= room or window[end].ledger_key in known):
            end += 1
        return window[:end]

    def put_back(self) -> None:
        """Others may have let go of what they held: it is next again."""
        self.todo.extendleft(reversed(self.held))
        self.held.clear()
