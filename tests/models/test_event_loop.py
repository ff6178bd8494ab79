"""Blocking code and the loop in the background: results, cancelling, Ctrl-C, fork, exit."""

import asyncio
import os
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from alpaca_eval_suite.models import event_loop


class StopNow(Exception):
    pass


async def nap(seconds: float, value: int = 0) -> int:
    await asyncio.sleep(seconds)
    return value


def script(text: str) -> "subprocess.CompletedProcess[str]":
    """A process that runs `text`, beside tests/fake_openai.py."""
    line = [sys.executable, "-X", "dev", "-c", textwrap.dedent(text)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    return subprocess.run(line, capture_output=True, text=True, timeout=60, check=False, env=environment)


def test_results_and_exceptions() -> None:
    async def fails() -> None:
        raise ValueError("no")

    async def times_out() -> None:
        raise TimeoutError("the coroutine's own")

    assert event_loop.run(nap(0, 7)) == 7
    assert event_loop.run(nap(0.15, 8)) == 8  # longer than a look at `check`
    with pytest.raises(ValueError, match="no"):
        event_loop.run(fails())
    with pytest.raises(TimeoutError, match="own"):
        event_loop.run(times_out())


def test_many_threads_wait_side_by_side() -> None:
    start = time.perf_counter()
    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(lambda value: event_loop.run(nap(0.1, value)), range(20)))
    assert found == list(range(20))
    assert time.perf_counter() - start < 1
    assert sum(thread.name == "endpoints" for thread in threading.enumerate()) == 1


def test_check_cancels() -> None:
    ended = []

    async def long() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.01)
            ended.append(True)

    def check(calls: list[int] = []) -> None:  # noqa: B006
        calls.append(1)
        if len(calls) > 1:
            raise StopNow

    with pytest.raises(StopNow):
        event_loop.run(long(), check=check)
    assert ended == [True]


def test_code_on_the_loop_may_not_wait_for_it() -> None:
    async def inside() -> None:
        event_loop.run(nap(0))

    with pytest.raises(RuntimeError, match="must await"):
        event_loop.run(inside())


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_ctrl_c() -> None:
    done = script("""
        import asyncio, os, signal, threading
        from alpaca_eval_suite.models import event_loop

        async def long():
            try:
                await asyncio.sleep(60)
            finally:
                await asyncio.sleep(0.01)
                print("tidied", flush=True)

        signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background it is ignored
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        try:
            event_loop.run(long())
        except KeyboardInterrupt:
            print("stopped")
    """)
    assert (done.stdout, done.stderr, done.returncode) == ("tidied\nstopped\n", "", 0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_has_its_own() -> None:
    """The child asks and ends without touching the parent's connection, which goes on being used."""
    done = script("""
        import os, warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        from fake_openai import FakeServer
        from alpaca_eval_suite.models.blocking_endpoint import BlockingEndpointClient
        from alpaca_eval_suite.models.endpoint import Endpoint
        from alpaca_eval_suite.models.request import GenerationRequest

        server = FakeServer()
        client = BlockingEndpointClient(Endpoint(name="x", base_url=server.base_url, model="m"))
        ask = GenerationRequest("?", max_tokens=1)
        print(client.complete(ask).text, flush=True)
        child = os.fork()
        if child == 0:
            print(client.complete(ask).text, flush=True)
        else:
            print(os.waitpid(child, 0)[1], flush=True)
            for _ in range(2):
                print(client.complete(ask).text, flush=True)
    """)
    assert (done.stdout.split(), done.returncode) == (["Dodoma.", "Dodoma.", "0", "Dodoma.", "Dodoma."], 0)
    assert "Traceback" not in done.stderr


def test_the_process_ends_in_silence() -> None:
    """With connections open, and with a thread that waits; warnings of Python's development mode are on."""
    done = script("""
        import threading
        from fake_openai import FakeServer, Reply
        from alpaca_eval_suite.models.blocking_endpoint import BlockingEndpointClient
        from alpaca_eval_suite.models.endpoint import Endpoint
        from alpaca_eval_suite.models.request import GenerationRequest

        server = FakeServer()
        client = BlockingEndpointClient(Endpoint(name="x", base_url=server.base_url, model="m"))
        ask = GenerationRequest("?", max_tokens=1)
        client.complete(ask)
        server.then(Reply(after=30))
        waiting = lambda: client.complete(ask)
        threading.Thread(target=waiting, daemon=True).start()
        while len(server.seen) < 2:
            pass
        threading.excepthook = lambda *_: None
    """)
    noise = [line for line in done.stderr.splitlines() if "unclosed <socket" not in line]
    assert (noise, done.returncode) == ([], 0)
