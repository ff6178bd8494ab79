"""A ledger that this process writes to: its segment, its beats, its lock, its end."""

import os
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.files import write_json
from alpaca_eval_suite.models import liveness
from alpaca_eval_suite.models.ledger_account import Account
from alpaca_eval_suite.models.ledger_lines import encode
from alpaca_eval_suite.models.ledger_reading import ABOUT, LedgerReading, differences, digest_of
from alpaca_eval_suite.models.ledger_segments import SegmentWriter

_SYNC_SECONDS = 3.0


class LedgerWriting(LedgerReading):
    """Safe for threads, not to be used in a forked child. A process may open a folder twice: like two processes."""

    def __init__(self, folder: Path, about: Mapping[str, Any]) -> None:
        """Use `open`."""
        self._process = os.getpid()
        self._name = ""
        self._trouble: SuiteError | None = None
        super().__init__(folder)
        if differs := differences(self.about, about):
            raise SuiteError(
                f"is the ledger of another run: {'; '.join(differs)}",
                where=str(folder),
                next_step="Give another folder, or repeat the call as it was.",
            )
        self._writer = SegmentWriter(folder, digest_of(about))
        self._name = self._writer.name
        self._stop = Event()
        Thread(target=_tend, args=(weakref.ref(self), self._stop), name="ledger", daemon=True).start()

    @classmethod
    def open(cls, folder: Path, about: Mapping[str, Any]) -> Self:
        """Begin the ledger in the folder, or go on with it. Raises SuiteError when it is the ledger of something else.

        `about` (plain JSON): what the ledger is of, everything that must be the same for its results to be of use.
        """
        if not (folder / ABOUT).exists():
            write_json(folder / ABOUT, dict(about))
        return cls(folder, about)

    def refresh(self) -> None:
        """Take in what others wrote since. Raises SuiteError when a segment is gone or belongs to another ledger."""
        with suppress(OSError):
            os.utime(self.folder)  # a network disk then shows the folder as it is, not as it was some seconds ago
        super().refresh()

    def close(self) -> None:
        """Give back all claims and end the segment. Requests without answer count as spent in full."""
        if self._writer.closed:
            return
        self._stop.set()
        if os.getpid() != self._process:
            self._writer.close()
            return
        with self._lock:
            try:
                self._put("end", sync=True)
            finally:
                self._account.alive = False
                self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            with suppress(SuiteError):  # it would hide the error that comes first
                self.close()

    @property
    def _account(self) -> Account:
        return self._book.accounts[self._name]

    def _is_own(self, name: str) -> bool:
        return name == self._name

    @contextmanager
    def _own(self) -> Iterator[None]:
        """The lock, for whoever may write."""
        if os.getpid() != self._process:
            raise RuntimeError("this ledger was opened before the fork: open it again in the child")
        with self._lock:
            if self._writer.closed:
                raise RuntimeError("the ledger is closed")
            yield

    def _put(self, do: str, fields: Mapping[str, Any] | None = None, *, sync: bool = False) -> None:
        """Write a line, then count it."""
        event = {"do": do, **(fields or {})}
        line = encode(event)
        self._writer.append(line, sync=sync)
        self._book.apply(self._name, event, line)

    def _check_disk(self) -> None:
        """Before money is spent. Raises SuiteError when the segment was deleted, or could not be made safe."""
        if self._trouble is not None:
            raise self._trouble
        if not self._writer.path.exists():
            raise SuiteError(
                "was deleted while in use",
                where=str(self._writer.path),
                next_step="What it held must be asked for again: run the same again.",
            )

    def _beat(self) -> None:
        """Called every few seconds by a thread: show that this process lives, make safe what was written."""
        with self._lock:
            if self._writer.closed or os.getpid() != self._process:
                return
            try:
                if self._writer.idle >= liveness.BEAT_SECONDS:
                    self._put("beat")
                self._writer.sync()
                self._trouble = None
            except SuiteError as error:
                self._trouble = error


def _tend(reference: "weakref.ref[LedgerWriting]", stop: Event) -> None:
    while not stop.wait(_SYNC_SECONDS):
        ledger = reference()
        if ledger is None:
            return
        ledger._beat()
        del ledger
