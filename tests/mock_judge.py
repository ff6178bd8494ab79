"""A fast stand-in for a judge's server, in a process of its own: OpenAI's protocol, faults as asked for, exact counts.

    python tests/mock_judge.py --port 0 --delay 0.05 --rate-limited .1 --server-error .05 --reset .02 --truncate .02

Its first line is its port. The answer that holds more "e" is better, so a verdict depends on the two texts alone and
is the same in both orders. A prompt is known by the SHA-256 of its messages. GET /counts: what was sent, and what
it would have cost; GET /progress: the number of requests so far.
"""

import argparse
import asyncio
import hashlib
import json
import random
import re
import socket
import struct
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_ANSWERS = re.compile(
    r"<answer-A(?P<label>-\w+)?>\n(?P<a>.*?)\n</answer-A(?P=label)?>.*?<answer-B\b[^>]*>\n(?P<b>.*?)\n</answer-B", re.S
)
_REASON = "The better one does what was asked and says so plainly, without padding or repetition."
_SURE, _UNSURE = -0.1, -2.4  # logarithms of about .9 and .09


@dataclass(frozen=True)
class Faults:
    """How the server behaves: seconds before an answer, and the shares of requests that go wrong in each way."""

    delay: float = 0.0
    rate_limited: float = 0.0
    server_error: float = 0.0
    reset: float = 0.0
    truncate: float = 0.0
    retry_after: float = 0.1
    seed: int = 0

    def draw(self, chance: random.Random) -> str:
        """What happens to the next request: a fault's name, or "answer"."""
        share = chance.random()
        for name in ("rate_limited", "server_error", "reset", "truncate"):
            share -= getattr(self, name)
            if share < 0:
                return name
        return "answer"


def judge(prompt: str, letter_alone: bool) -> str:
    """The reply to a question about two answers, in the form that it asks for.

    `letter_alone`: where it asks for no mark with a label, the reply is the choice and nothing else; A where it must
    not be TIE.
    """
    found = _ANSWERS.search(prompt)
    if found is None:
        return "TIE"
    first, second = found["a"].count("e"), found["b"].count("e")
    choice = "TIE" if first == second else "A" if first > second else "B"
    label, end = found["label"] or "", prompt[found.end() :]
    if f'"verdict_{label[1:]}"' in end:
        return json.dumps({"reasoning": _REASON, f"verdict_{label[1:]}": choice})
    mark = re.search(rf"(\w+{label}): ", end)
    if mark is None and letter_alone:
        return choice if choice in ("A", "B") or "TIE" in end else "A"
    if "A>>B" in end:
        verdict = {"A": "A>B", "B": "B>>A", "TIE": "A=B"}[choice]
    elif re.search(r"A=\d", end):
        verdict = {"A": "A=8 B=5", "B": "A=5 B=8", "TIE": "A=6 B=6"}[choice]
    else:
        verdict = choice
    return f"{_REASON}\n{mark[1] if mark else 'VERDICT'}: {verdict}"


def prompt_of(body: Mapping[str, Any]) -> str:
    """The whole prompt of a request, messages joined."""
    if "messages" not in body:
        return str(body.get("prompt", ""))
    return "\n".join(str(message["content"]) for message in body["messages"])


def completion_of(body: Mapping[str, Any], text: str, prompt_tokens: int) -> dict[str, Any]:
    """The JSON of a good answer."""
    tokens = tokens_in(text)
    choice: dict[str, Any] = {"index": 0, "finish_reason": "stop"}
    if "messages" in body:
        choice["message"] = {"role": "assistant", "content": text}
    else:
        choice["text"] = text
    if body.get("logprobs") is True and len(text) == 1:
        tops = {"A": _UNSURE, "B": _UNSURE, text: _SURE}
        listed = [{"token": token, "logprob": logprob} for token, logprob in tops.items()]
        choice["logprobs"] = {"content": [{"token": text, "logprob": _SURE, "top_logprobs": listed}]}
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": body.get("model", ""),
        "choices": [choice],
        "usage": {"prompt_tokens": prompt_tokens, "completion_tokens": tokens, "total_tokens": prompt_tokens + tokens},
    }


def tokens_in(text: str) -> int:
    """The mock's tokens: four characters each, rounded up."""
    return -(-len(text) // 4)


class Books:
    """The counts, and what is answered to a request."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.chance = random.Random(faults.seed)
        self.outcomes: Counter[str] = Counter()
        self.delivered: defaultdict[str, list[float]] = defaultdict(list)
        self.charged: Counter[str] = Counter()
        self.prompt_tokens = self.completion_tokens = 0
        self.open = self.most_open = 0

    def counts(self) -> dict[str, Any]:
        """As served: outcomes by name; times of whole good answers and number of charges by prompt; tokens charged."""
        return {
            "outcomes": self.outcomes,
            "delivered": self.delivered,
            "charged": self.charged,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "most_open": self.most_open,
        }

    def charge(self, prompt: str, prompt_tokens: int, text: str) -> None:
        """The answer was made, whether or not it arrives."""
        self.charged[prompt] += 1
        self.prompt_tokens += prompt_tokens
        self.completion_tokens += tokens_in(text)


class Connection(asyncio.Protocol):
    """One client's connection; requests are answered in the order in which they come."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.waiting = b""
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True

    def data_received(self, data: bytes) -> None:
        self.waiting += data
        while (end := self.waiting.find(b"\r\n\r\n")) >= 0:
            head = self.waiting[:end].decode("latin-1")
            length = re.search(r"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self.waiting) < whole:
                return
            body, self.waiting = self.waiting[end + 4 : whole], self.waiting[whole:]
            method, path, _ = head.split(" ", 2)
            self.route(method, path.partition("?")[0], body)

    def route(self, method: str, path: str, body: bytes) -> None:
        if path == "/counts":
            self.send(200, self.books.counts())
        elif path == "/progress":
            self.send(200, self.books.outcomes.total())
        elif path.endswith("/models"):
            self.send(200, {"object": "list", "data": [{"id": "mock-judge", "object": "model"}]})
        elif method == "POST" and path.endswith("/completions"):
            self.complete(json.loads(body))
        else:
            self.send(404, {"error": {"message": f"no such path: {path}"}})

    def complete(self, body: dict[str, Any]) -> None:
        books = self.books
        fate = books.faults.draw(books.chance)
        books.outcomes[fate] += 1
        if fate == "rate_limited":
            self.send(429, {"error": {"message": "Rate limit reached", "code": "rate_limit_exceeded"}},
                      retry_after=books.faults.retry_after)  # fmt: skip
        elif fate == "server_error":
            self.send(500, {"error": {"message": "The server had an error", "type": "server_error"}})
        else:
            books.open += 1
            books.most_open = max(books.most_open, books.open)
            if books.faults.delay:
                asyncio.get_running_loop().call_later(books.faults.delay, self.answer, body, fate)
            else:
                self.answer(body, fate)

    def answer(self, body: dict[str, Any], fate: str) -> None:
        books = self.books
        books.open -= 1
        prompt = prompt_of(body)
        known_as = hashlib.sha256(prompt.encode("utf-8", "replace")).hexdigest()
        text = judge(prompt, letter_alone=bool(body.get("logprobs")) or body.get("max_tokens", 99) < 10)
        prompt_tokens = tokens_in(prompt)
        books.charge(known_as, prompt_tokens, text)
        if self.lost or self.transport.is_closing():
            books.outcomes["client_gone"] += 1
        elif fate == "reset":
            # SO_LINGER with no time: the peer sees a reset, not an end.
            connection = self.transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.transport.abort()
        elif fate == "truncate":
            self.send(200, completion_of(body, text, prompt_tokens), cut=True)
        else:
            books.delivered[known_as].append(time.monotonic())
            self.send(200, completion_of(body, text, prompt_tokens))

    def send(self, status: int, value: Any, *, retry_after: float | None = None, cut: bool = False) -> None:
        """`cut`: half of the JSON, as the whole of a well-formed HTTP answer."""
        body = json.dumps(value).encode()
        body = body[: len(body) // 2] if cut else body
        extra = f"Retry-After: {retry_after:g}\r\n" if retry_after is not None else ""
        head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{extra}\r\n"
        self.transport.write(head.encode() + body)


async def serve(port: int, faults: Faults) -> None:
    """Serve until the process is ended."""
    books = Books(faults)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(books), "127.0.0.1", port, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> None:
    """Read the command line, print the port, serve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    for name, kind in Faults.__annotations__.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind, default=getattr(Faults, name))
    options = vars(parser.parse_args())
    asyncio.run(serve(options.pop("port"), Faults(**options)))


if __name__ == "__main__":
    main()
