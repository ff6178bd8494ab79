"""The one HTML file: its parts put in their places, and a policy under which nothing else can run or be loaded."""

import base64
import hashlib
import json
import re
from importlib.resources import files
from typing import Any

MODULES = (
    "text", "diff", "route", "data", "rows", "list", "specs", "plots", "table", "model", "instance", "board", "theme",
    "keys", "main",
)  # fmt: skip
"""The page's scripts, each after those that it needs."""

_IMPORT = re.compile(r"^import [^;]*;\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=const |function |async function )", re.MULTILINE)
_PLACE = re.compile(r"\{\{(\w+)\}\}")


def page_html(payload: dict[str, Any], library: str) -> str:
    """The page that shows `payload`, with the plot library in it."""
    script, style, plots = _script(), _asset("page.css"), _inside_script(library)
    parts = {
        "policy": _policy(scripts=(script, plots), style=style),
        "style": style,
        "data": json_block(payload),
        "library": plots,
        "script": script,
    }
    return _PLACE.sub(lambda place: parts[place[1]], _asset("page.html"))


def json_block(value: object) -> str:
    """JSON that can stand in a script element: whatever it holds, it cannot end the element or open a comment."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return without_halves(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def without_halves(text: str) -> str:
    """JSON or JavaScript text in which halves of surrogate pairs, which UTF-8 cannot hold, are escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _asset(name: str) -> str:
    return files(__package__).joinpath("assets", name).read_text(encoding="utf-8")


def _script() -> str:
    """The modules as one: between files in one page there is nothing to import from."""
    parts = (_asset(f"{name}.js") for name in MODULES)
    return _inside_script("\n".join(_EXPORT.sub("", _IMPORT.sub("", part)) for part in parts))


def _inside_script(code: str) -> str:
    """`code` so that it cannot end the element it stands in; in a string or a regular expression it means the same."""
    return re.sub(r"<(?=/script|!--)", r"\\x3c", code, flags=re.IGNORECASE)


def _policy(scripts: tuple[str, ...], style: str) -> str:
    """Nothing but what stands in this file and scripts beside it; no request elsewhere, no code made from text."""
    allowed = " ".join(_hash(script) for script in scripts)
    return (
        f"default-src 'none'; script-src 'self' {allowed}; style-src {_hash(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
