"""One line of a ledger: a JSON object that says what was done, with a checksum, so that a damaged one is noticed.

{"do":"result","key":"9f…","cost":0.00031,"paid":true,"value":{"text":"A"},"crc":"1b2c3d4e"}
"""

import json
import zlib
from collections.abc import Mapping
from typing import Any

VERSION = 1
"""Of the format; stands in the first line of every segment."""

_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_TAIL = len(',"crc":"01234567"}\n')


class DamagedLineError(ValueError):
    """The line is not as it was written; the message says how that shows."""


def encode(event: Mapping[str, Any]) -> bytes:
    """The line, with its end; the event's `do` says what was done. Raises TypeError or ValueError if it is no JSON."""
    # Half of a surrogate pair, which UTF-8 cannot hold, is written as its escape: in JSON the same string.
    body = _encoder.encode(event).encode("utf-8", "backslashreplace")
    return b'%b,"crc":"%08x"}\n' % (body[:-1], zlib.crc32(body))


def decode(line: bytes) -> dict[str, Any]:
    """What `encode` was given. Raises DamagedLineError for anything else."""
    body = line[:-_TAIL]
    if line[-_TAIL:] != b',"crc":"%08x"}\n' % zlib.crc32(b"}", zlib.crc32(body)):
        raise DamagedLineError("the checksum does not fit")
    try:
        event = json.loads(body.decode() + "}")
    except (ValueError, RecursionError) as error:
        raise DamagedLineError(f"no JSON ({error})") from error
    if not isinstance(event, dict) or not isinstance(event.get("do"), str):
        raise DamagedLineError("it does not say what was done")
    return event
