"""One event loop a process, in a thread of its own, for code that blocks: `run(coroutine)` waits for its result.

Connections belong to a loop; with one loop they are shared by all threads that ask. A forked child gets a new loop.
"""

import asyncio
import atexit
import contextlib
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import TimeoutError as NotYet
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

_TICK = 0.1  # seconds between two looks at `check`; Ctrl-C is noticed as fast
_PATIENCE = 5.0  # seconds for what was cancelled to tidy up


class Closable(Protocol):
    """What holds connections on the loop."""

    async def close(self) -> None:
        """Close those of the running loop."""


class _Loop:
    """A running loop, its thread, and what is to be closed before it ends."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.closables: set[Closable] = set()
        self.thread = threading.Thread(target=self.loop.run_forever, name="endpoints", daemon=True)
        self.thread.start()

    def close(self) -> None:
        """Cancel everything, close every connection, end the thread."""
        with contextlib.suppress(Exception):
            asyncio.run_coroutine_threadsafe(self._tidy(), self.loop).result(_PATIENCE)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(_PATIENCE)
        if not self.thread.is_alive():
            self.loop.close()

    async def _tidy(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(one.close() for one in tuple(self.closables)), return_exceptions=True)


_current: _Loop | None = None
_abandoned: list[_Loop] = []
_lock = threading.Lock()


def run(coroutine: Coroutine[Any, Any, T], *, check: Callable[[], None] | None = None) -> T:
    """The coroutine's result, once it is there; any number of threads may wait at a time.

    `check` is called every 0.1 s in the thread that waits. When it raises, or Ctrl-C is pressed, the coroutine is
    cancelled, and the exception goes on after that. Raises RuntimeError where it would wait for itself.
    """
    running = _running()
    if threading.current_thread() is running.thread:
        coroutine.close()
        raise RuntimeError("code on the event loop must await, not wait for it")
    ended = threading.Event()
    future = asyncio.run_coroutine_threadsafe(_marking(coroutine, ended), running.loop)
    try:
        while True:
            if check is not None:
                check()
            try:
                return future.result(_TICK)
            except NotYet:
                if future.done():  # the coroutine's own TimeoutError, or an answer at the last moment
                    return future.result()
    except BaseException:
        future.cancel()
        ended.wait(_PATIENCE)
        raise


def close_at_exit(closable: Closable) -> None:
    """Close `closable` before this process's loop ends. On another loop, whoever runs that does it."""
    if _current is not None and _current.loop is asyncio.get_running_loop():
        _current.closables.add(closable)


def closed(closable: Closable) -> None:
    """The reverse of `close_at_exit`."""
    if _current is not None:
        _current.closables.discard(closable)


async def _marking(coroutine: Coroutine[Any, Any, T], ended: threading.Event) -> T:
    try:
        return await coroutine
    finally:
        ended.set()


def _running() -> _Loop:
    global _current
    with _lock:
        if _current is None:
            _current = _Loop()
        return _current


@atexit.register
def _end() -> None:
    global _current
    running, _current = _current, None
    if running is not None:
        running.close()


def _after_fork() -> None:
    """Its thread is not there in a child. It is kept and never closed: it shares the parent's sockets and epoll."""
    global _current, _lock
    _lock = threading.Lock()
    if _current is not None:
        _current.loop.set_exception_handler(lambda *_: None)
        _abandoned.append(_current)
        _current = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
