"""Offline mode: what it lets through, what it refuses, what it tells other libraries."""

import subprocess
import sys
from typing import Any

import pytest

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.offline import is_loopback, is_offline, refuse_outside


def run(code: str, **env: str) -> subprocess.CompletedProcess[str]:
    """A process of its own: what `enforce` does to one cannot be undone."""
    return subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize(("value", "on"), [("1", True), ("yes", True), ("0", False), ("", False), (None, False)])
def test_when_it_is_on(monkeypatch: pytest.MonkeyPatch, value: str | None, on: bool) -> None:
    monkeypatch.delenv("ALPACA_OFFLINE", raising=False)
    if value is not None:
        monkeypatch.setenv("ALPACA_OFFLINE", value)
    assert is_offline() is on


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost", "LOCALHOST", "api.localhost"])
def test_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["10.0.0.1", "192.168.1.5", "api.openai.com", "localhost.example", "0.0.0.0", "", "fe80::1%eth0"]
)
def test_other_machines(host: str) -> None:
    assert not is_loopback(host)


def test_the_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ALPACA_OFFLINE", raising=False)
    refuse_outside("example.org", where="x", next_step="y")
    monkeypatch.setenv("ALPACA_OFFLINE", "1")
    refuse_outside("127.0.0.1", where="x", next_step="y")
    with pytest.raises(SuiteError, match=r"^x: is on the network \(example\.org\), and ALPACA_OFFLINE is set\n  y$"):
        refuse_outside("example.org", where="x", next_step="y")


CALLS = """
import socket
from alpaca_eval_suite.offline import enforce
enforce()
def outcome(call):
    try:
        call()
        return "let through"
    except ConnectionRefusedError as error:
        return str(error) if "ALPACA_OFFLINE" in str(error) else "nobody there"
    except OSError:
        return "no network"
tcp = socket.socket()
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
print(outcome(lambda: tcp.connect(("192.0.2.1", 9))))
print(outcome(lambda: udp.sendto(b"x", ("192.0.2.1", 9))))
print(outcome(lambda: socket.getaddrinfo("example.org", 80)))
print(outcome(lambda: socket.create_connection(("example.org", 80), timeout=1)))
free = socket.socket(); free.bind(("127.0.0.1", 0)); port = free.getsockname()[1]; free.close()
print(outcome(lambda: socket.create_connection(("localhost", port), timeout=1)))
"""


def test_no_socket_reaches_another_machine() -> None:
    done = run(CALLS, ALPACA_OFFLINE="1")
    assert done.stdout.splitlines() == [
        *["ALPACA_OFFLINE is set: no call to 192.0.2.1"] * 2,
        *["ALPACA_OFFLINE is set: no call to example.org"] * 2,
        "nobody there",
    ], done.stderr


LIBRARIES = """
import os, sys
import {library}
from alpaca_eval_suite.offline import enforce
enforce()
from huggingface_hub import constants
print(os.environ.get("HF_HUB_OFFLINE"), constants.is_offline_mode())
"""


@pytest.mark.parametrize("library", ["json", "huggingface_hub.constants"])
@pytest.mark.parametrize(("env", "told"), [({"ALPACA_OFFLINE": "1"}, "1 True"), ({}, "None False")])
def test_hugging_faces_library_is_told(library: str, env: dict[str, Any], told: str) -> None:
    """Also where it was imported before."""
    done = run(LIBRARIES.format(library=library), **env)
    assert done.stdout.strip() == told, done.stderr


def test_their_address_is_left_as_the_user_set_it() -> None:
    code = LIBRARIES.format(library="json") + "print(constants.ENDPOINT)"
    done = run(code, ALPACA_OFFLINE="1", HF_ENDPOINT="http://127.0.0.1:9/mirror")
    assert done.stdout.split()[-1] == "http://127.0.0.1:9/mirror", done.stderr
