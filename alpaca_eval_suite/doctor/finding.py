"""What one check found."""

from dataclasses import dataclass
from typing import Any, Literal

State = Literal["ok", "warn", "fail"]
"""`warn`: something will not work or not well, but may not be wanted. `fail`: something is wrong."""


@dataclass(frozen=True)
class Finding:
    """`name` says what was looked at, `detail` what was seen, `advice` what to do about it (empty for ok)."""

    name: str
    state: State
    detail: str
    advice: str = ""

    def as_json(self) -> dict[str, Any]:
        """The public form."""
        return dict(vars(self))
