"""What this process knows of each server: which options it refused, how much it takes at a time.

It belongs to the address, model and key variable, so all clients of an endpoint share it, whatever its name is.
"""

import os
import threading
from dataclasses import dataclass, field

from alpaca_eval_suite.models.endpoint import Endpoint
from alpaca_eval_suite.models.limiter import Limiter


@dataclass(frozen=True)
class Known:
    """`refused`: names of options; it only grows."""

    limiter: Limiter
    refused: set[str] = field(default_factory=set)


Place = tuple[str, str, str | None]

_known: dict[Place, Known] = {}
_lock = threading.Lock()


def place_of(endpoint: Endpoint) -> Place:
    """What endpoints have in common that share what is known."""
    return endpoint.url, endpoint.model, endpoint.api_key_env


def known_of(place: Place, most: int) -> Known:
    """What is known there; at most `most` requests may be open at a time, and the last word on that holds for all."""
    with _lock:
        if place not in _known:
            _known[place] = Known(Limiter(most))
        known = _known[place]
    if known.limiter.most != most:
        known.limiter.allow(most)
    return known


def forget() -> None:
    """Know nothing: in a forked child, whose parent's requests are not its own, and between tests."""
    global _lock
    _lock = threading.Lock()
    _known.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=forget)
