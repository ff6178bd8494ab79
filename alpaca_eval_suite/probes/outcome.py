"""What a probe's rule says of one answer."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """One of the rule's LABELS, why in one plain sentence, and a score where the rule gives one."""

    label: str
    reason: str
    score: float | None = None
