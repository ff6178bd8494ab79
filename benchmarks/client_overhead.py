"""What our client costs a request, and how near it comes to what a server can give; run from the checkout:

    python benchmarks/client_overhead.py [--requests 1610] [--concurrency 64] [--latency 0.05]

A small server on a raw socket, in a process of its own, answers each chat completion after a fixed time. 1,610 requests
are a judge's verdicts on 805 pairs in both orders. First the server answers at once, and CPU time of the client's
process is counted: ours, and httpx's AsyncClient with the same bodies, as many at a time. Then it answers after
`--latency` seconds, and our rate is set against that of a client which only writes and reads bytes on as many open
connections: what this server can give on this machine. Our connecting and the slow start of our window are counted in.
Each figure is the median of `--rounds` runs in turn. The exit code is 1 where an aim is missed.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from alpaca_eval_suite.models import endpoint_state, event_loop
from alpaca_eval_suite.models.endpoint import Endpoint
from alpaca_eval_suite.models.endpoint_client import EndpointClient
from alpaca_eval_suite.models.request import GenerationRequest

CPU_AIM = 1.5  # ms a request
RATE_AIM = 0.9  # of what can be reached
PROMPT = "Which of the two answers is better? " * 60  # about as long as a judge's
ANSWER = json.dumps(
    {
        "model": "mock",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "A"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 500, "completion_tokens": 1},
    }
).encode()
REPLY = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(ANSWER) + ANSWER

Side = Callable[[str, int, int], Awaitable[None]]


@dataclass(frozen=True)
class Cost:
    """What one run took, in seconds."""

    cpu: float
    wall: float


class Answering(asyncio.Protocol):
    """One connection: each whole request gets the reply after `latency` seconds."""

    def __init__(self, latency: float) -> None:
        self.latency = latency
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, found, body = self.received.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
        if not found or len(body) < length:
            return
        self.received = body[length:]
        asyncio.get_running_loop().call_later(self.latency, self.transport.write, REPLY)


async def serve(latency: float) -> None:
    """Print the port, and answer until standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Answering(latency), "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


@contextmanager
def serving(latency: float) -> Iterator[str]:
    """The address of a server in a process of its own."""
    line = [sys.executable, __file__, "--serve", str(latency)]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}/v1"
        process.kill()


async def ours(base_url: str, requests: int, concurrency: int) -> None:
    """All requests by our client, as it is used."""
    endpoint = Endpoint.model_validate(
        {"name": "mock", "base_url": base_url, "model": "mock", "concurrency": concurrency}
    )
    client = EndpointClient(endpoint)

    async def ask(prompt: str) -> str:
        return (await client.complete(GenerationRequest(prompt, max_tokens=1))).text

    try:
        await work(ask, requests, concurrency)
    finally:
        await client.close()


async def work(ask: Callable[[str], Awaitable[str]], requests: int, concurrency: int) -> None:
    """So many workers, each with one request at a time, as the judging engine has them."""
    prompts = (f"{PROMPT}{index}" for index in range(requests))

    async def worker() -> None:
        for prompt in prompts:
            assert await ask(prompt) == "A"

    await asyncio.gather(*(worker() for _ in range(concurrency)))


async def httpx_side(base_url: str, requests: int, concurrency: int) -> None:
    """The same bodies by httpx alone: no retries, no limiter."""
    import httpx

    limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
    async with httpx.AsyncClient(limits=limits, trust_env=False, timeout=60) as client:

        async def ask(prompt: str) -> str:
            message = {"role": "user", "content": prompt}
            body = {"model": "mock", "messages": [message], "max_tokens": 1, "temperature": 0.0}
            response = await client.post(f"{base_url}/chat/completions", json=body)
            return str(response.json()["choices"][0]["message"]["content"])

        await work(ask, requests, concurrency)


class Asking(asyncio.Protocol):
    """One connection of the client that knows no HTTP: the same bytes again while `left` is above 0."""

    def __init__(self, message: bytes, left: list[int], done: asyncio.Future[None]) -> None:
        self.message, self.left, self.done = message, left, done
        self.received = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        if self.left[0] > 0:
            self.left[0] -= 1
            self.transport.write(self.message)

    def data_received(self, data: bytes) -> None:
        self.received += len(data)
        if self.received < len(REPLY):
            return
        self.received = 0
        self.left[1] -= 1
        if self.left[1] == 0:
            self.done.set_result(None)
        self.ask()


async def raw_side(base_url: str, requests: int, concurrency: int) -> None:
    """The same number of requests, and nothing done with the answers."""
    loop = asyncio.get_running_loop()
    body = json.dumps({"model": "mock", "messages": [{"role": "user", "content": PROMPT}]}).encode()
    message = b"POST /v1/chat/completions HTTP/1.1\r\nHost: mock\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    left, done = [requests, requests], loop.create_future()
    port = urlsplit(base_url).port
    pairs = [
        await loop.create_connection(lambda: Asking(message, left, done), "127.0.0.1", port) for _ in range(concurrency)
    ]
    await done
    for transport, _ in pairs:
        transport.close()


def cost(side: Side, base_url: str, requests: int, concurrency: int) -> Cost:
    """One run, the limiter at its start."""
    endpoint_state.forget()

    async def whole() -> None:
        await side(base_url, requests, concurrency)

    cpu, wall = time.process_time(), time.perf_counter()
    event_loop.run(whole())
    return Cost(time.process_time() - cpu, time.perf_counter() - wall)


def main() -> int:
    """Print the figures; 0 where both aims are reached."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--requests", type=int, default=1610)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--latency", type=float, default=0.05, help="seconds")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--serve", type=float, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.serve is not None:
        asyncio.run(serve(chosen.serve))
        return 0

    def measure(side: Side, address: str, requests: int = chosen.requests) -> Cost:
        return cost(side, address, requests, chosen.concurrency)

    with serving(0) as address:
        measure(ours, address, chosen.concurrency), measure(httpx_side, address, chosen.concurrency)  # imports
        rounds = [(measure(ours, address), measure(httpx_side, address)) for _ in range(chosen.rounds)]
        cpu, peer = (
            1000 * statistics.median(one.cpu for one in side) / chosen.requests for side in zip(*rounds, strict=True)
        )
    with serving(chosen.latency) as address:
        rounds = [(measure(ours, address), measure(raw_side, address)) for _ in range(chosen.rounds)]
        rate, reachable = (
            chosen.requests / statistics.median(one.wall for one in side) for side in zip(*rounds, strict=True)
        )
    ideal = chosen.concurrency / chosen.latency
    print(f"{chosen.requests} requests, {chosen.concurrency} at a time, median of {chosen.rounds} rounds")
    print(f"CPU a request, ours:   {cpu:.2f} ms (aim: under {CPU_AIM})")
    print(f"CPU a request, httpx:  {peer:.2f} ms, {peer / cpu:.1f} times ours")
    print(f"at {1000 * chosen.latency:.0f} ms latency, ours: {rate:.0f} a second, {rate / ideal:.1%} of {ideal:.0f}")
    print(f"at {1000 * chosen.latency:.0f} ms latency, raw:  {reachable:.0f} a second, {reachable / ideal:.1%}")
    print(f"ours of raw:           {rate / reachable:.1%} (aim: {RATE_AIM:.0%})")
    return 0 if cpu < CPU_AIM and rate >= RATE_AIM * reachable else 1


if __name__ == "__main__":
    sys.exit(main())
