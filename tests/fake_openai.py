"""A real HTTP server that speaks OpenAI's protocol, or another one, as a test says."""

import contextlib
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from alpaca_eval_suite.models import endpoint_state


@dataclass(frozen=True)
class Seen:
    """A request as it arrived; header names are in lower case, a body that is no JSON is text."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True)
class Reply:
    """What is sent back. `body`: text as it is, anything else as JSON. `reset`: the connection is torn down.

    `after`: so many seconds later; many replies may be held back at a time.
    """

    status: int = 200
    body: Any = ""
    headers: dict[str, str] = field(default_factory=dict)
    reset: bool = False
    after: float = 0.0


Answer = Callable[[Seen], Reply]


def chat(text: str, *, model: str | None = "served-1", **payload: Any) -> Reply:
    """A chat completion that says `text`; `payload` is put in."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
    named = {} if model is None else {"model": model}
    return Reply(body={"object": "chat.completion", "choices": [choice], "usage": usage, **named, **payload})


def completion(text: str, **payload: Any) -> Reply:
    """A plain text completion."""
    choice = {"index": 0, "text": text, "finish_reason": "length", "logprobs": None}
    return Reply(body={"object": "text_completion", "model": "served-1", "choices": [choice], **payload})


def error(status: int, message: str, *, headers: dict[str, str] | None = None, **keys: Any) -> Reply:
    """An error in OpenAI's form."""
    return Reply(status, {"error": {"message": message, "type": "invalid_request_error", **keys}}, headers or {})


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class FakeServer:
    """`answer` says what to reply; `then(...)` puts replies in a row, the last one repeated. `seen`: all requests.

    `most_open`: how many it had to answer at a time, at most.
    """

    def __init__(self, certificate: Path | None = None) -> None:
        self.answer: Answer = lambda seen: chat("Dodoma.")
        self.seen: list[Seen] = []
        self.open = self.most_open = 0
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        endpoint_state.forget()  # another server may have had this port before
        if certificate is not None:  # a file that holds the key too
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        return f"{self.root}/v1"

    def then(self, *replies: Reply) -> None:
        waiting = list(replies)
        self.answer = lambda seen: waiting.pop(0) if len(waiting) > 1 else waiting[0]

    def reply(self, seen: Seen) -> Reply:
        with self._lock:
            self.seen.append(seen)
            self.open += 1
            self.most_open = max(self.open, self.most_open)
            reply = self.answer(seen)
        time.sleep(reply.after)
        with self._lock:
            self.open -= 1
        return reply

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(fake: FakeServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet, for which nobody waits

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            try:
                body = json.loads(raw) if raw else None
            except ValueError:
                body = raw.decode("utf-8", "replace")
            self._send(fake.reply(Seen(self.command, self.path, headers, body)))

        do_GET = do_CONNECT = do_POST

        def _send(self, reply: Reply) -> None:
            if reply.reset:
                # SO_LINGER with no time: the peer sees a reset, not an end.
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
                self.close_connection = True
                return
            data = reply.body.encode() if isinstance(reply.body, str) else json.dumps(reply.body).encode()
            self.send_response(reply.status)
            headers = {"Content-Type": "application/json", "Content-Length": str(len(data)), **reply.headers}
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)
            if int(headers["Content-Length"]) != len(data):
                self.close_connection = True

        def finish(self) -> None:
            with contextlib.suppress(OSError, ValueError):  # torn down on purpose
                super().finish()

        def log_message(self, format: str, *arguments: Any) -> None:
            """Not on the terminal."""

    return Handler
