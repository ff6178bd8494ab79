"""Errors meant for the person at the terminal: what was wrong, where, and what to do next."""

from collections.abc import Callable


class SuiteError(Exception):
    """A mistake or a circumstance that the user can do something about; printed without a traceback.

    `what` says what was wrong, `where` names the file, line, key or id, `next_step` says what to do.
    `exit_code`: 1 failed, 2 usage, 3 done in part.
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str | None = None, next_step: str | None = None) -> None:
        self.what, self.where, self.next_step = what, where, next_step
        message = f"{where}: {what}" if where else what
        super().__init__(f"{message}\n  {next_step}" if next_step else message)

    @property
    def one_line(self) -> str:
        """The whole message in one line, for a record."""
        return str(self).replace("\n  ", " ")


class UsageError(SuiteError):
    """The call itself is wrong (an unknown name, two options that exclude each other)."""

    exit_code = 2


class PartialError(SuiteError):
    """Some of the work is done and kept, some failed."""

    exit_code = 3


class MissingExtraError(SuiteError):
    """A command needs an optional dependency that is not installed."""

    exit_code = 2

    def __init__(self, extra: str, needed_for: str) -> None:
        super().__init__(
            f"{needed_for} needs an extra that is not installed",
            next_step=f"Type: pip install 'alpaca-eval-suite[{extra}]'",
        )


Report = Callable[[SuiteError], None]
"""Told of each problem in what is read. `stop` ends at the first; a list's `append` gathers them all."""


def stop(problem: SuiteError) -> None:
    """The usual report: the first problem is raised."""
    raise problem
