"""How many requests one server gets at a time: more while it answers, half when it asks to slow down (AIMD).

The window doubles with each round of answers until the first complaint, and then grows by one a round, as TCP's does
(Chiu and Jain 1989; RFC 5681). Callers may be on any event loop of the process; they are let in as they came.
"""

import asyncio
import random
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Literal

Outcome = Literal["fine", "overload", "other"]
"""`overload`: the server asked to slow down, or fell silent. `other` says nothing about its load."""

Sleep = Callable[[float], Awaitable[object]]

_START = 32  # as many as `alpaca-suite eval` has threads
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 20.0  # seconds


class _Waiter:
    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[None] = self.loop.create_future()
        self.admitted = False

    def wake(self) -> None:
        if not self.future.done():
            self.future.set_result(None)


class Limiter:
    """Lets at most `window` requests be open, between 1 and `most`; `answered` counts those that went well."""

    def __init__(self, most: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.most = most
        self.window = float(min(_START, most))
        self.answered = 0
        self._clock = clock
        self._lock = threading.RLock()  # a waiter may be collected, and say so, at any moment
        self._open = self._most_open = 0
        self._round_at = float("-inf")
        self._waiting: deque[_Waiter] = deque()
        self._slow_start = True
        self._eased_at = float("-inf")
        self._resume_at = float("-inf")
        self._complaints = 0  # one after another, at a window of one

    async def enter(self, sleep: Sleep = asyncio.sleep) -> float:
        """Wait for a place, and for the end of a pause. The moment of entry, which `leave` wants to know."""
        await self._place()
        try:
            waited_for = float("-inf")
            while (until := self._resume_at) > max(waited_for, now := self._clock()):
                waited_for = until
                await sleep(until - now)
        except BaseException:
            self.leave(self._clock(), "other")
            raise
        return self._clock()

    def leave(self, entered: float, outcome: Outcome) -> None:
        """Give the place back; from what came of the request the window learns."""
        with self._lock:
            if outcome == "fine":
                self._grow(entered)
            elif outcome == "overload":
                self._ease(entered)
            self._open -= 1
            self._admit()

    def allow(self, most: int) -> None:
        """Change `most`."""
        with self._lock:
            self.most = most
            self.window = min(self.window, float(most))

    def pause(self, seconds: float) -> None:
        """Let nobody send for so long."""
        self._resume_at = max(self._resume_at, self._clock() + seconds)

    async def _place(self) -> None:
        with self._lock:
            if not self._waiting and self._open < int(self.window):
                self._let_in()
                return
            waiter = _Waiter()
            self._waiting.append(waiter)
        try:
            await waiter.future
        except BaseException:
            with self._lock:
                if waiter.admitted:
                    self._open -= 1
                    self._admit()
                elif waiter in self._waiting:
                    self._waiting.remove(waiter)
            raise

    def _let_in(self) -> None:
        self._open += 1
        self._most_open = max(self._open, self._most_open)

    def _admit(self) -> None:
        here = _running_loop()
        while self._waiting and self._open < int(self.window):
            waiter = self._waiting.popleft()
            if waiter.loop is here:
                waiter.wake()
            else:
                try:
                    waiter.loop.call_soon_threadsafe(waiter.wake)
                except RuntimeError:  # its loop has ended, and nobody waits any more
                    continue
            waiter.admitted = True
            self._let_in()

    def _grow(self, entered: float) -> None:
        self.answered += 1
        self._complaints = 0
        if entered > self._round_at:
            self._round_at, self._most_open = self._clock(), self._open
        # A window that is not half used has not been tried; what was sent before it was halved says nothing of it.
        if 2 * self._most_open >= self.window and entered > self._eased_at:
            self.window = min(float(self.most), self.window + (1 if self._slow_start else 1 / self.window))

    def _ease(self, entered: float) -> None:
        self._slow_start = False
        if entered <= self._eased_at:
            return  # of the same round as the last complaint
        self._eased_at = self._clock()
        if self.window > 1:
            self.window = max(1.0, self.window / 2)
            return
        # One at a time is still too fast.
        pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**self._complaints)
        self._complaints = min(self._complaints + 1, 10)
        self.pause(pause + random.uniform(0, pause / 4))


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
