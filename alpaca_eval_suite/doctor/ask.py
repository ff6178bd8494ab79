"""Tries something in a Python process of its own: what is broken there does not break the doctor."""

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

_SECONDS = 120


@dataclass(frozen=True)
class Asked:
    """What the code printed last, as JSON (None where nothing), or the last line of its error."""

    value: Any = None
    error: str = ""


def ask_python(code: str) -> Asked:
    """Run `code`, which may print JSON as its last line."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return Asked(error=f"no end within {_SECONDS} seconds")
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        return Asked(error=lines[-1] if lines else f"ended with code {done.returncode}")
    lines = done.stdout.splitlines()
    return Asked(json.loads(lines[-1]) if lines else None)
