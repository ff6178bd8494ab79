"""What a run is doing, for whoever watches, and the word to stop: shared by the threads of one process."""

import threading
from collections.abc import Callable

from helm.proxy.retry import NonRetriableException

Listener = Callable[[str, bool], None]
"""Called with what is done ("answer", "baseline answer", "verdict") and whether it came from the cache."""


class Stopped(NonRetriableException):  # type: ignore[misc]
    """The run was asked to stop; what is finished is in the cache."""


_listeners: list[Listener] = []
_stop = threading.Event()


def watch(listener: Listener) -> None:
    """Tell `listener` of everything that gets done from now on; it is called from many threads."""
    _listeners.append(listener)


def done(what: str, *, cached: bool = False) -> None:
    """Say that one more of `what` is done."""
    for listener in _listeners:
        listener(what, cached)


def request_stop() -> None:
    """Let no thread begin anything new: each gets Stopped at its next request."""
    _stop.set()


def check_stop() -> None:
    """Raise Stopped when the run was asked to stop."""
    if _stop.is_set():
        raise Stopped("stopped; what was finished is in the cache")
