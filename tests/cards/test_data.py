"""Finding a card's data: folders searched before any download, and every fault of a download."""

import functools
import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from alpaca_eval_suite.cards.card import DataFile
from alpaca_eval_suite.cards.data import find_data
from alpaca_eval_suite.errors import SuiteError

CONTENT = b'{"id": "1", "instruction": "Say hello."}\n' * 50
SHA = hashlib.sha256(CONTENT).hexdigest()
URL = "https://example.org/sets/questions.jsonl?raw=1"
DATA = DataFile(url=URL, sha256=SHA, size=len(CONTENT))
CACHED = Path("data") / f"{SHA[:16]}-questions.jsonl"

Handler = Callable[[httpx.Request], httpx.Response]
Serve = Callable[[Handler], list[str]]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ALPACA_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the code would have slept."""
    slept: list[float] = []
    monkeypatch.setattr("tenacity.nap.time.sleep", slept.append)
    return slept


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch, cache: Path, waits: list[float]) -> Serve:
    """serve(handler) answers all requests with it and gives the list of the addresses that are asked for."""

    def start(handler: Handler) -> list[str]:
        asked: list[str] = []

        def answer(request: httpx.Request) -> httpx.Response:
            asked.append(str(request.url))
            return handler(request)

        client = functools.partial(httpx.Client, transport=httpx.MockTransport(answer))
        monkeypatch.setattr(httpx, "Client", client)
        return asked

    return start


def refuse(request: httpx.Request) -> httpx.Response:
    raise AssertionError(f"nothing should be downloaded, but {request.url} was asked for")


def offline(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("Name or service not known", request=request)


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_download_is_kept_in_the_cache(serve: Serve, cache: Path) -> None:
    asked = serve(lambda _: httpx.Response(200, content=CONTENT))
    path = find_data(DATA, Path())
    assert path == cache / CACHED
    assert path.read_bytes() == CONTENT
    assert find_data(DATA, Path()) == path
    assert asked == [URL]
    assert files_in(cache) == [path.name]


def test_passing_faults_are_tried_again(serve: Serve, waits: list[float]) -> None:
    answers = iter([503, 429, None, 200])

    def handler(request: httpx.Request) -> httpx.Response:
        status = next(answers)
        if status is None:
            raise httpx.ReadTimeout("slow", request=request)
        return httpx.Response(status, content=CONTENT if status == 200 else b"busy")

    asked = serve(handler)
    assert find_data(DATA, Path()).read_bytes() == CONTENT
    assert len(asked) == 4
    assert len(waits) == 3
    assert all(0 < wait <= 9 for wait in waits)


def test_four_faults_are_enough(serve: Serve, cache: Path) -> None:
    asked = serve(lambda _: httpx.Response(503))
    with pytest.raises(SuiteError, match=r"could not be downloaded .*503"):
        find_data(DATA, Path())
    assert len(asked) == 4
    assert files_in(cache) == []


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_lasting_faults_are_not_tried_again(serve: Serve, status: int) -> None:
    asked = serve(lambda _: httpx.Response(status))
    with pytest.raises(SuiteError, match=f"could not be downloaded .*{status}"):
        find_data(DATA, Path())
    assert len(asked) == 1


def test_offline_says_what_to_do(serve: Serve) -> None:
    serve(offline)
    with pytest.raises(SuiteError) as caught:
        find_data(DATA, Path())
    error = caught.value
    assert error.where == URL
    assert error.what == "could not be downloaded (ConnectError: Name or service not known)"
    assert error.next_step == (
        f"Without a network, get the file questions.jsonl elsewhere (SHA-256 {SHA}), put it into a folder, "
        "and name that folder in $ALPACA_DATA_DIR."
    )


def test_an_address_that_is_none_is_named(serve: Serve) -> None:
    asked = serve(refuse)
    with pytest.raises(SuiteError, match="InvalidURL"):
        find_data(DataFile(url="https://example.org:port/questions.jsonl", sha256=SHA, size=1), Path())
    assert asked == []


@pytest.mark.parametrize(
    ("content", "received"),
    [
        (CONTENT[:-1] + b"x", len(CONTENT)),
        (CONTENT[:-7], len(CONTENT) - 7),
        (b"", 0),
    ],
    ids=["changed", "short", "empty"],
)
def test_other_content_is_refused_at_once(serve: Serve, cache: Path, content: bytes, received: int) -> None:
    asked = serve(lambda _: httpx.Response(200, content=content))
    with pytest.raises(SuiteError, match="is not the file the card describes") as caught:
        find_data(DATA, Path())
    assert f"({received} bytes came, {len(CONTENT)} were expected" in caught.value.what
    assert len(asked) == 1
    assert files_in(cache) == []


def test_what_is_too_long_is_cut_off(serve: Serve, cache: Path) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b"x" * 1000

    serve(lambda _: httpx.Response(200, content=endless()))
    with pytest.raises(SuiteError, match="is not the file the card describes"):
        find_data(DATA, Path())
    assert sent <= len(CONTENT) // 1000 + 2
    assert files_in(cache) == []


@pytest.mark.parametrize("target", ["http://example.org/plain", "ftp://example.org/x", "//example.org:port/"])
def test_a_redirect_that_leaves_https_is_refused(serve: Serve, target: str) -> None:
    asked = serve(lambda _: httpx.Response(302, headers={"location": target}))
    with pytest.raises(SuiteError, match="could not be downloaded"):
        find_data(DATA, Path())
    assert asked == [URL]


def test_a_redirect_within_https_is_followed(serve: Serve) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/elsewhere":
            return httpx.Response(200, content=CONTENT)
        return httpx.Response(302, headers={"location": "/elsewhere"})

    asked = serve(handler)
    assert find_data(DATA, Path()).read_bytes() == CONTENT
    assert asked == [URL, "https://example.org/elsewhere"]


def test_redirects_without_end_are_given_up(serve: Serve) -> None:
    serve(lambda _: httpx.Response(302, headers={"location": "/again"}))
    with pytest.raises(SuiteError, match="TooManyRedirects"):
        find_data(DATA, Path())


def test_a_corrupt_file_in_the_cache_is_replaced(serve: Serve, cache: Path) -> None:
    (cache / CACHED).parent.mkdir(parents=True)
    (cache / CACHED).write_bytes(b"half")
    asked = serve(lambda _: httpx.Response(200, content=CONTENT))
    assert find_data(DATA, Path()).read_bytes() == CONTENT
    assert len(asked) == 1


def test_data_dirs_are_searched_by_name_and_checksum(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(refuse)
    wrong = tmp_path / "one" / "questions.jsonl"
    right = tmp_path / "two" / "deep" / "er" / "questions.jsonl"
    for path, content in [(wrong, b"other"), (right, CONTENT)]:
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    monkeypatch.setenv("ALPACA_DATA_DIR", os.pathsep.join([str(tmp_path / "one"), str(tmp_path / "two")]))
    assert find_data(DATA, Path()) == right


def test_a_name_with_wildcards_is_taken_literally(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(refuse)
    monkeypatch.setenv("ALPACA_DATA_DIR", str(tmp_path))
    right = tmp_path / "set[1].jsonl"
    right.write_bytes(CONTENT)
    assert find_data(DATA.model_copy(update={"url": "https://example.org/set[1].jsonl"}), Path()) == right


def test_offline_names_a_file_that_was_passed_over(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(offline)
    other = tmp_path / "data" / "questions.jsonl"
    other.parent.mkdir()
    other.write_bytes(b"an older version")
    monkeypatch.setenv("ALPACA_DATA_DIR", str(other.parent))
    with pytest.raises(SuiteError) as caught:
        find_data(DATA, Path())
    assert f"(passed over, other content: {other})" in str(caught.value)


def test_a_cache_that_cannot_be_written_is_named(serve: Serve, cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    serve(lambda _: httpx.Response(200, content=CONTENT))
    with pytest.raises(SuiteError, match="cannot be written") as caught:
        find_data(DATA, Path())
    assert "ALPACA_CACHE_DIR" in str(caught.value.next_step)


def test_a_file_beside_the_card(tmp_path: Path) -> None:
    (tmp_path / "data.jsonl").write_bytes(CONTENT)
    assert find_data(DataFile(file="data.jsonl"), tmp_path) == tmp_path / "data.jsonl"
    assert find_data(DataFile(file="data.jsonl", sha256=SHA), tmp_path) == tmp_path / "data.jsonl"
    with pytest.raises(SuiteError) as caught:
        find_data(DataFile(file="data.jsonl", sha256="0" * 64), tmp_path)
    assert caught.value.what == f"has the SHA-256 {SHA}, but the card says {'0' * 64}"
    with pytest.raises(SuiteError, match=r"other\.jsonl: is missing"):
        find_data(DataFile(file="other.jsonl"), tmp_path)


@contextmanager
def web_server(answers: Iterator[Callable[[BaseHTTPRequestHandler], None]]) -> Iterator[str]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            next(answers)(self)

        def log_message(self, *_: object) -> None:
            """Not on the terminal."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/questions.jsonl"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def send(content: bytes) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(len(CONTENT)))
        request.end_headers()
        request.wfile.write(content)

    return answer


def test_a_connection_that_breaks_off_is_tried_again(cache: Path, waits: list[float]) -> None:
    """Over a real socket: the card's own check of the scheme is stepped around, since this is plain http."""
    with web_server(iter([send(CONTENT[:100]), send(CONTENT)])) as url:
        data = DataFile.model_construct(file=None, url=url, sha256=SHA, size=len(CONTENT))
        assert find_data(data, Path()).read_bytes() == CONTENT
    assert len(waits) == 1
    assert files_in(cache) == [CACHED.name]
