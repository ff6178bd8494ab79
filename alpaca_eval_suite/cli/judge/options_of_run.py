"""Options that other commands have in common with `judge run`."""

from collections.abc import Callable
from typing import Any, TypeVar

from alpaca_eval_suite.cli.judge.run import run_command

_Command = TypeVar("_Command", bound=Callable[..., Any])


def options_of_run(*names: str) -> Callable[[_Command], _Command]:
    """A decorator that gives a command the options of `judge run` with these names: they mean the same everywhere."""
    known = {option.name: option for option in run_command.params}

    def add(function: _Command) -> _Command:
        # Where click itself keeps what its decorators add, the last one first.
        function.__dict__.setdefault("__click_params__", []).extend(known[name] for name in reversed(names))
        return function

    return add
