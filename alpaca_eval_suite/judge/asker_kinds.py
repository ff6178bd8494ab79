"""Kinds of askers that are registered from above, apart from those built in: registering one imports nothing heavy."""

from collections.abc import Callable

from alpaca_eval_suite.judge.contracts import Asker

Notice = Callable[[str], None]
Factory = Callable[[str, Notice], Asker]
"""Makes an asker of the whole name of its model, and of whom to tell what a person should know."""

factories: dict[str, Factory] = {}
"""By the beginning of the names."""


def register_asker(prefix: str, factory: Factory) -> None:
    """From now on `factory` makes the askers of the models whose names begin with `prefix`."""
    factories[prefix] = factory
