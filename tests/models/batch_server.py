"""A real HTTP server with OpenAI's batch API, or Azure's form of it: a batch moves on each time it is looked at."""

import json
import re
import threading
from collections.abc import Callable
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Line = dict[str, Any]
STAGES = ("validating", "in_progress", "finalizing")


def answered(key: str, body: Any, status: int = 200) -> Line:
    """A line of results: what a single request would have been answered."""
    return {
        "id": f"r-{key}",
        "custom_id": key,
        "response": {"status_code": status, "request_id": "q", "body": body},
        "error": None,
    }


def unanswered(key: str, code: str, message: str = "") -> Line:
    """A line of errors: no request was made."""
    return {"id": f"r-{key}", "custom_id": key, "response": None, "error": {"code": code, "message": message}}


class BatchServer:
    """`answer` makes each request's line of results, None leaves it out; the results come in the reverse order.

    `ends` is the last status of every batch, `problems` what a failed one says. `before_batch` is called when a batch
    has been made, before that is answered: what it returns is sent in its place. `charged`: keys that were answered.
    """

    def __init__(self, answer: Callable[[str, Any], Line | None], *, azure: bool = False) -> None:
        self.answer = answer
        self.azure = azure
        self.ends = "completed"
        self.problems: list[dict[str, Any]] = []
        self.before_batch: Callable[[], tuple[int, Any] | None] = lambda: None
        self.seen: list[str] = []
        self.keys: list[str] = []
        self.files: dict[str, dict[str, Any]] = {}
        self.contents: dict[str, bytes] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.charged: list[str] = []
        self.page = 100
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def lines(self) -> list[Line]:
        """The requests of the only file that was uploaded."""
        (content,) = [self.contents[key] for key, file in self.files.items() if file["purpose"] == "batch"]
        return [json.loads(line) for line in content.splitlines()]

    def reply(self, method: str, target: str, kind: str, raw: bytes) -> tuple[int, Any]:
        base, version = ("/openai", r"[?&]api-version=[\w-]+$") if self.azure else ("/v1", "$^|$")
        self.seen.append(f"{method} {target}")
        if not target.startswith(base) or not re.search(version, target):
            return 404, {"error": {"message": f"no such address: {target}"}}
        path, _, query = target.removeprefix(base).partition("?")
        match [method, *path.strip("/").split("/")]:
            case ["POST", "files"]:
                return 200, self._upload(kind, raw)
            case ["GET", "files"]:
                return 200, {"object": "list", "data": list(self.files.values())}
            case ["GET", "files", name, "content"] if name in self.contents:
                return 200, self.contents[name]
            case ["GET", "files", name] if name in self.files:
                self.files[name]["status"] = "processed"
                return 200, self.files[name]
            case ["POST", "batches"]:
                return self._make(json.loads(raw))
            case ["GET", "batches"]:
                return 200, self._list(query)
            case ["GET", "batches", name] if name in self.batches:
                return 200, self._look(self.batches[name])
            case ["POST", "batches", name, "cancel"] if name in self.batches:
                self.batches[name] |= {"status": "cancelling", "stages": [], "ends": "cancelled"}
                return 200, self._shown(self.batches[name])
        return 404, {"error": {"message": f"no such object: {path}", "type": "invalid_request_error"}}

    def _upload(self, kind: str, raw: bytes) -> dict[str, Any]:
        parts = BytesParser().parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + raw).get_payload()
        form = {part.get_param("name", header="content-disposition"): part for part in parts}
        name = f"file-{len(self.files)}"
        self.contents[name] = form["file"].get_payload(decode=True)
        self.files[name] = {
            "id": name,
            "object": "file",
            "purpose": form["purpose"].get_payload(),
            "filename": form["file"].get_filename(),
            "status": "pending" if self.azure else "processed",
        }
        return dict(self.files[name])

    def _make(self, wanted: dict[str, Any]) -> tuple[int, Any]:
        file = self.files.get(wanted["input_file_id"])
        if file is None or file["status"] != "processed" or wanted["completion_window"] != "24h":
            return 400, {"error": {"message": "invalid input file", "code": "invalid_file"}}
        with self._lock:
            name = f"batch_{len(self.batches)}"
            self.batches[name] = {
                "id": name,
                "object": "batch",
                "status": "validating",
                **wanted,
                "ends": self.ends,
                "stages": list(STAGES[1:]),
            }
        instead = self.before_batch()
        return instead or (200, self._shown(self.batches[name]))

    def _list(self, query: str) -> dict[str, Any]:
        newest = list(self.batches)[::-1]
        after = re.search(r"after=(\w+)", query)
        start = newest.index(after[1]) + 1 if after else 0
        shown = newest[start : start + self.page]
        more = start + self.page < len(newest)
        return {"object": "list", "data": [self._shown(self.batches[name]) for name in shown], "has_more": more}

    def _look(self, batch: dict[str, Any]) -> dict[str, Any]:
        """One stage on, and in the end the results."""
        if batch["stages"]:
            batch["status"] = batch["stages"].pop(0)
        elif batch["status"] != batch["ends"]:
            batch["status"] = batch["ends"]
            if batch["ends"] == "failed":
                batch["errors"] = {"object": "list", "data": self.problems}
            else:
                self._finish(batch)
        return self._shown(batch)

    def _finish(self, batch: dict[str, Any]) -> None:
        asked = [json.loads(line) for line in self.contents[batch["input_file_id"]].splitlines()]
        lines = [line for item in asked if (line := self.answer(item["custom_id"], item["body"]))][::-1]
        fine = [line for line in lines if (line["response"] or {}).get("status_code") == 200]
        self.charged += [line["custom_id"] for line in fine]
        for key, part in (
            ("output_file_id", fine),
            ("error_file_id", [line for line in lines if line not in fine]),
        ):
            if part:
                name = batch[key] = f"{batch['id']}_{key}"
                self.contents[name] = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in part).encode()
        batch["request_counts"] = {"total": len(asked), "completed": len(fine), "failed": len(lines) - len(fine)}

    def _shown(self, batch: dict[str, Any]) -> dict[str, Any]:
        """As the service shows it: Azure's states begin with a capital, and its counts may be null."""
        shown = {key: value for key, value in batch.items() if key not in ("stages", "ends")}
        if self.azure:
            shown["status"] = shown["status"].capitalize()
            shown.setdefault("request_counts", {"total": None, "completed": None, "failed": None})
        return shown


def _handler(fake: BatchServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            fake.keys.append(self.headers.get("Authorization") or self.headers.get("api-key") or "")
            status, body = fake.reply(self.command, self.path, self.headers.get("Content-Type", ""), raw)
            if status == 0:  # hung up
                self.close_connection = True
                return
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST

        def log_message(self, format: str, *arguments: Any) -> None:
            """Not on the terminal."""

    return Handler
