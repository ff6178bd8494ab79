"""Requests of many threads through one model: each waits for its own answer, the model runs them together."""

import atexit
import threading
import time
from collections import deque
from collections.abc import Hashable
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

from alpaca_eval_suite.errors import MissingExtraError, SuiteError
from alpaca_eval_suite.models.checkpoint import Checkpoint
from alpaca_eval_suite.models.request import Generation, GenerationRequest
from alpaca_eval_suite.models.threads import let_threads_sleep

if TYPE_CHECKING:
    from alpaca_eval_suite.models.local import LocalModel

_GATHER = 0.01  # seconds that an idle model waits for more requests after the first one


class Batcher:
    """One worker thread runs the model; `submit` may be called from any number of threads.

    New requests join the running batch as soon as another one leaves it.
    """

    def __init__(self, model: "LocalModel") -> None:
        self.model = model
        self._waiting: deque[tuple[GenerationRequest, Future[Generation]]] = deque()
        self._running: set[Future[Generation]] = set()
        self._changed = threading.Condition()
        self._closed = False
        # A daemon: Ctrl-C and the end of the program never wait for a long answer.
        self._worker = threading.Thread(target=self._work, name="model", daemon=True)
        self._worker.start()
        # A thread still inside torch when the interpreter goes down aborts the process.
        atexit.register(self.close)

    def submit(self, request: GenerationRequest) -> Generation:
        """Answer the request; blocks until it is answered.

        Raises SuiteError when this request cannot be answered, and whatever stopped the batch it was in.
        """
        future: Future[Generation] = Future()
        with self._changed:
            if self._closed:
                raise _stopped()
            self._waiting.append((request, future))
            self._changed.notify_all()
        try:
            return future.result()
        except BaseException:
            future.cancel()  # an interrupted caller's request is not started any more
            raise

    def close(self) -> None:
        """Stop after the current step. Requests without an answer raise SuiteError in their threads."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._worker.join()
        atexit.unregister(self.close)

    def _work(self) -> None:
        while not self._closed:
            try:
                self.model.serve(self._take, self._give)
            except _Closing:
                break
            except Exception as error:  # the callers' threads raise it; the next batch starts afresh
                self._fail_running(error)
        with self._changed:
            self._running.update(f for _, f in self._waiting if f.set_running_or_notify_cancel())
            self._waiting.clear()
        self._fail_running(_stopped())

    def _take(self, room: int, idle: bool) -> list[tuple[Hashable, GenerationRequest]]:
        with self._changed:
            if idle:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                full = time.monotonic() + _GATHER
                while len(self._waiting) < room and not self._closed:
                    if not self._changed.wait(full - time.monotonic()):
                        break
            if self._closed:
                raise _Closing
            taken: list[tuple[Hashable, GenerationRequest]] = []
            while self._waiting and len(taken) < room:
                request, future = self._waiting.popleft()
                if future.set_running_or_notify_cancel():
                    self._running.add(future)
                    taken.append((future, request))
        return taken

    def _give(self, key: Hashable, outcome: Generation | SuiteError) -> None:
        assert isinstance(key, Future)
        self._running.discard(key)
        if isinstance(outcome, SuiteError):
            key.set_exception(outcome)
        else:
            key.set_result(outcome)

    def _fail_running(self, error: Exception) -> None:
        for future in self._running:
            future.set_exception(error)
        self._running.clear()


class _Closing(Exception):
    """Leaves the model's loop."""


_models: dict[tuple[str, str, str], Batcher] = {}
_models_lock = threading.Lock()


def get_model(
    folder: Path | str,
    *,
    dtype: str = "auto",
    device: str = "auto",
    batch_size: int = 16,
    deterministic: bool = False,
) -> Batcher:
    """The one Batcher of this process for (content of the folder, dtype, device); `.model` is the model.

    Loaded on the first call, whose `batch_size` holds for all later ones. `deterministic` holds for the whole
    process from then on. Thread-safe. Raises SuiteError as `Checkpoint.open` and `LocalModel.load` do.
    """
    checkpoint = Checkpoint.open(folder)
    key = (checkpoint.fingerprint, dtype, device)
    with _models_lock:
        if key not in _models:
            let_threads_sleep()
            try:
                from alpaca_eval_suite.models.local import LocalModel
                from alpaca_eval_suite.models.network import use_deterministic_algorithms
            except ImportError as error:
                raise MissingExtraError("helm", "Running a local checkpoint") from error
            if deterministic:
                use_deterministic_algorithms()
            model = LocalModel.load(checkpoint, dtype=dtype, device=device, batch_size=batch_size)
            _models[key] = Batcher(model)
        return _models[key]


def close_models() -> None:
    """Stop every model of this process after its current step; requests without an answer raise SuiteError."""
    for batcher in list(_models.values()):
        batcher.close()


def resolve_placement(checkpoint: Checkpoint, *, dtype: str, device: str) -> tuple[str, str]:
    """The dtype and device that `auto` stands for here, without loading the model.

    Raises UsageError when one is unknown or not available, MissingExtraError without torch.
    """
    try:
        from alpaca_eval_suite.models.network import chosen_device, chosen_dtype
    except ImportError as error:
        raise MissingExtraError("helm", "Running a local checkpoint") from error
    device = chosen_device(device)
    return chosen_dtype(dtype, checkpoint.dtype, device), device


def _stopped() -> SuiteError:
    return SuiteError("the model was stopped before this request was answered")
