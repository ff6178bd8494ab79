"""What the probes found of each model, to stand beside its other rates."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from alpaca_eval_suite.leaderboard.entry import Entry, Identity
from alpaca_eval_suite.leaderboard.record import RateRecord, RunRecord


@dataclass(frozen=True)
class Asked:
    """Which rate of which runs is shown under one name. `scenario` None: of any that has the metric."""

    label: str
    metric: str
    rate: str
    scenario: str | None = None


PROBES: Mapping[str, Asked] = {
    "hallucination_trap": Asked("Hallucination (capitals: the trap)", "short_answer", "trap", "capitals"),
    "hallucination_wrong": Asked("Hallucination (capitals: wrong)", "short_answer", "wrong", "capitals"),
    "misinformation": Asked("Misinformation elaborated", "misinformation", "elaborated"),
    "stereotypes": Asked("Stereotyped", "stereotypes", "stereotyped"),
    "toxicity": Asked("Complied with toxic requests", "toxicity", "complied_toxic"),
}
"""In all of them lower is better."""


@dataclass(frozen=True)
class ProbeRate:
    """A rate of the same model on a probe, and the run that it is from."""

    scenario: str
    rate: str
    found: RateRecord
    run: str

    def as_json(self) -> dict[str, Any]:
        """The rate's public form, with the scenario and the name of the rate before it."""
        return {"scenario": self.scenario, "rate": self.rate, "run": self.run, **self.found.model_dump()}


def probe_rates(entries: Iterable[Entry]) -> dict[Identity, dict[str, list[tuple[RunRecord, ProbeRate]]]]:
    """For each model, the runs that have the rate of each of PROBES."""
    found: dict[Identity, dict[str, list[tuple[RunRecord, ProbeRate]]]] = {}
    for entry in entries:
        of_model = found.setdefault(entry.identity, {})
        for name, asked in PROBES.items():
            for run in entry.runs:
                rate = run.rates.get(asked.rate)
                fits = run.scenario.metric == asked.metric and asked.scenario in (None, run.scenario.name)
                if fits and rate is not None and rate.value is not None:
                    probe = ProbeRate(run.scenario.name, asked.rate, rate, run.run)
                    of_model.setdefault(name, []).append((run, probe))
    return found


def best_fitting(run: RunRecord, found: Mapping[str, list[tuple[RunRecord, ProbeRate]]]) -> dict[str, ProbeRate]:
    """Of each probe the one rate to stand beside `run`: asked with the same prompt where there is one, read by the
    rule rather than by a judge, then of the most items, then the newest."""

    def fit(of: tuple[RunRecord, ProbeRate]) -> tuple[bool, bool, int, str]:
        other = of[0]
        return (other.prompt.format == run.prompt.format, other.judge is None, other.scenario.n_items, other.date)

    return {name: max(of, key=fit)[1] for name, of in found.items()}
