"""Offline mode: with $ALPACA_OFFLINE=1 this process calls nothing but programs on this machine."""

import ipaddress
import os
import sys
from typing import Any

from alpaca_eval_suite.errors import SuiteError

# Python's audit events for calls, and which argument holds the host or the address.
_CALLS = {"socket.connect": 1, "socket.sendto": 1, "socket.getaddrinfo": 0, "socket.gethostbyname": 0}
_enforced = False


def is_offline() -> bool:
    """Whether offline mode is on."""
    return os.environ.get("ALPACA_OFFLINE", "") not in ("", "0")


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine's own loopback interface."""
    try:
        return ipaddress.ip_address(host.strip("[]").partition("%")[0]).is_loopback
    except ValueError:
        return host.lower() == "localhost" or host.lower().endswith(".localhost")


def refuse_outside(host: str, *, where: str, next_step: str) -> None:
    """Raise SuiteError when offline mode is on and `host` is not on this machine."""
    if is_offline() and not is_loopback(host):
        raise SuiteError(f"is on the network ({host}), and ALPACA_OFFLINE is set", where=where, next_step=next_step)


def enforce() -> None:
    """Where offline mode is on: tell the libraries, and let no socket of this process reach another machine.

    A second call does nothing.
    """
    global _enforced
    if not is_offline() or _enforced:
        return
    os.environ["HF_HUB_OFFLINE"] = "1"
    # The library reads the variable when it is imported, which helm-run has done before it loads plugins.
    if constants := sys.modules.get("huggingface_hub.constants"):
        vars(constants)["HF_HUB_OFFLINE"] = True
    sys.addaudithook(_guard)
    _enforced = True


def _guard(event: str, arguments: tuple[Any, ...]) -> None:
    """An OSError, since that is what libraries expect of a network that is not there."""
    place = _CALLS.get(event)
    if place is None or not is_offline():
        return
    host = arguments[place]
    if place == 1:
        host = host[0] if isinstance(host, tuple) and host else None  # a path: a socket of this machine
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if isinstance(host, str) and host and not is_loopback(host):
        raise ConnectionRefusedError(f"ALPACA_OFFLINE is set: no call to {host}")
