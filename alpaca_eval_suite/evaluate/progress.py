"""What a run is doing, for whoever watches, and the word to stop: shared by the threads of one process."""

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Literal

from helm.proxy.retry import NonRetriableException

What = Literal["answer", "baseline answer", "verdict", "failed verdict"]
Listener = Callable[[What, bool], None]
"""Called with what is done and whether it came from the cache; "failed verdict" comes beside "verdict"."""


class Stopped(NonRetriableException):  # type: ignore[misc]
    """The run was asked to stop; what is finished is in the cache."""


_listeners: list[Listener] = []
_readers: list[Callable[[str], None]] = []
_said: set[str] = set()
_stop = threading.Event()
_aside = threading.local()


def watch(listener: Listener) -> None:
    """Tell `listener` of everything that gets done from now on; it is called from many threads."""
    _listeners.append(listener)


def done(what: What, *, cached: bool = False) -> None:
    """Say that one more of `what` is done."""
    if what == "answer" and getattr(_aside, "on", False):
        return
    for listener in _listeners:
        listener(what, cached)


def read_notices(reader: Callable[[str], None]) -> None:
    """Give notices to `reader` in place of stderr, which HELM's log may have taken over."""
    _readers.append(reader)


def notice(text: str) -> None:
    """Say something that a person should know now, once however often it arises."""
    if text in _said:
        return
    _said.add(text)
    for reader in _readers:
        reader(text)
    if not _readers:
        print(f"warning: {text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def aside() -> Iterator[None]:
    """What this thread asks of a model here is a verdict or a baseline's output: no answer of the evaluated model."""
    _aside.on = True
    try:
        yield
    finally:
        _aside.on = False


def request_stop() -> None:
    """Let no thread begin anything new: each gets Stopped at its next request."""
    _stop.set()


def check_stop() -> None:
    """Raise Stopped when the run was asked to stop."""
    if _stop.is_set():
        raise Stopped("stopped; what was finished is in the cache")
