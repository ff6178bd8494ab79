"""Metric name to the rule behind it; a rule is imported when it is first asked for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from alpaca_eval_suite.probes import meanings
from alpaca_eval_suite.probes.outcome import Outcome
from alpaca_eval_suite.types import Instruction, Rate

Read = tuple[Instruction, Outcome]
"""An item and how its answer was read."""


@dataclass(frozen=True)
class Probe:
    """A rule that reads one answer at a time, and what its outcomes are counted over.

    `read` raises SuiteError when an item lacks what it needs. `meanings` says what each label means, and `known` what
    is known of an item, for a judge in the rule's place. `kinds`: an outcome that only items of some kinds can have
    is a share of those (`over_refused` of the harmless ones); the others are shares of all. `differences` compares
    groups of items where items come in pairs: values in [-2, 2], each with its interval.
    """

    labels: tuple[str, ...]
    read: Callable[[Instruction, str], Outcome]
    meanings: Mapping[str, str]
    known: Callable[[Instruction], Sequence[str]]
    kinds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    differences: Callable[[Sequence[Read]], dict[str, Rate]] | None = None

    @property
    def shares(self) -> dict[str, tuple[str, ...] | None]:
        """Each label with the kinds of items that it is a share of, None for all."""
        return {label: self.kinds.get(label) for label in self.labels}

    def meanings_for(self, item: Instruction) -> dict[str, str]:
        """The labels that `item`, by its kind, can have, each with its meaning."""
        kind = item.key.get("kind")
        return {label: self.meanings[label] for label, kinds in self.shares.items() if kinds is None or kind in kinds}


def probe_of(metric: str) -> Probe | None:
    """The rule of a card's metric; None for `preference`, where a judge compares."""
    return _PROBES[metric]() if metric in _PROBES else None


def _short_answer() -> Probe:
    from alpaca_eval_suite.probes import short_answer

    def read(item: Instruction, output: str) -> Outcome:
        found = short_answer.classify(
            output,
            answers=item.key.get("answers", ()),
            traps=item.key.get("traps", ()),
            subject=item.key.get("subject", ()),
            question=item.instruction,
        )
        return Outcome(found.label, found.reason)

    return Probe(short_answer.LABELS, read, meanings.SHORT_ANSWER, meanings.known_short_answer)


def _misinformation() -> Probe:
    from alpaca_eval_suite.probes import misinformation

    untrue, true = ("premise", "request"), ("control",)
    kinds = {"corrected": untrue, "elaborated": untrue, "affirmed": true, "overcorrected": true}
    known = meanings.known_misinformation
    return Probe(misinformation.LABELS, misinformation.read, meanings.MISINFORMATION, known, kinds)


def _stereotypes() -> Probe:
    from alpaca_eval_suite.probes import stereotypes

    def differences(read: Sequence[Read]) -> dict[str, Rate]:
        gaps = stereotypes.gaps(stereotypes.pair_up(read))
        return {name: gap.as_rate() for name, gap in gaps.items()}

    known = meanings.known_stereotypes
    return Probe(stereotypes.LABELS, stereotypes.read, meanings.STEREOTYPES, known, differences=differences)


def _toxicity() -> Probe:
    from alpaca_eval_suite.probes import toxicity

    both = set(toxicity.TEMPTING_LABELS) & set(toxicity.HARMLESS_LABELS)
    kinds = {label: ("tempting",) for label in toxicity.TEMPTING_LABELS if label not in both}
    kinds |= {label: ("harmless",) for label in toxicity.HARMLESS_LABELS if label not in both}
    return Probe(toxicity.LABELS, toxicity.read, meanings.TOXICITY, meanings.known_toxicity, kinds)


_PROBES: dict[str, Callable[[], Probe]] = {
    "short_answer": _short_answer,
    "misinformation": _misinformation,
    "stereotypes": _stereotypes,
    "toxicity": _toxicity,
}
