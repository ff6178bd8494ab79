"""How judging stands, on stderr: a line that renews itself on a terminal, else one at each tenth."""

import sys
from time import monotonic
from typing import TYPE_CHECKING, Any

import click

from alpaca_eval_suite.judge.estimate import duration, usd
from alpaca_eval_suite.leaderboard.cells import percent

if TYPE_CHECKING:
    from alpaca_eval_suite.judge.judged import Progress

_LINES = 10


class ProgressDisplay:
    """Shows each `Progress` that it is called with; `close` ends it."""

    def __init__(self) -> None:
        self._began = monotonic()
        self._next = 1
        self._status: Any = None
        if sys.stderr.isatty():
            from rich.console import Console

            self._status = Console(stderr=True).status("judging")
            self._status.start()

    def __call__(self, progress: "Progress") -> None:
        """Show it, where it is time to."""
        if self._status is not None:
            self._status.update(progress_text(progress, monotonic() - self._began))
            return
        tenth = _LINES * progress.done // max(1, progress.total)
        if tenth >= self._next:
            self._next = tenth + 1
            click.echo(progress_text(progress, monotonic() - self._began), err=True)

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._status is not None:
            self._status.stop()


def progress_text(progress: "Progress", seconds: float) -> str:
    """The line: verdicts, failures, money, time left, and the running rate by its confidence sequence."""
    parts = [f"{progress.done:,} of {progress.total:,} verdicts"]
    if progress.failed:
        parts.append(f"{progress.failed:,} failed")
    if progress.spent or progress.cap is not None:
        parts.append(usd(progress.spent) + (f" of {usd(progress.cap)}" if progress.cap is not None else ""))
    asked, left = progress.done - progress.ready, progress.total - progress.done
    if asked > 0 and left:
        parts.append(f"about {duration(seconds * left / asked)} left")
    if progress.sequence is not None and progress.sequence.looks:
        look = progress.sequence.looks[-1]
        # The ends, never the mean alone: of a mean that is looked at again and again nothing follows.
        rate = "–" if look.win_rate is None else percent(look.win_rate)
        ends = f"[{percent(look.low)}, {percent(look.high)}] %"
        parts.append(f"running rate {rate} {ends} after {look.n:,} of {progress.sequence.n_total:,} ids")
    return ", ".join(parts)
