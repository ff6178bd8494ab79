"""Entries as rows: one a run, grouped by kind of scenario and sorted so that comparable rows lie together."""

from collections.abc import Iterable
from dataclasses import dataclass

from alpaca_eval_suite.leaderboard.cells import plain, shortened
from alpaca_eval_suite.leaderboard.entry import Entry, Identity
from alpaca_eval_suite.leaderboard.record import RateRecord, RunRecord

WIN_RATE = "win_rate"
RULE_AGREEMENT = "rule_agreement"
"""How often a judge in the place of a probe's rule says what the rule says; runs without such a judge have none."""


@dataclass(frozen=True)
class Kind:
    """How scenarios of one metric are shown: sorted by `headline`, then the other `rates` and `differences`."""

    title: str
    headline: str
    rates: tuple[str, ...]
    differences: tuple[str, ...] = ()


KINDS = {
    "preference": Kind(
        "Preference: each output is compared with a baseline's",
        WIN_RATE,
        ("order_consistency", "first_shown", "checks_passed"),
    ),
    "short_answer": Kind(
        "Short answers: each output is read for one fact",
        "exact",
        ("trap", "wrong", "abstained", "refused", RULE_AGREEMENT),
    ),
    "misinformation": Kind(
        "Misinformation: does an answer correct an untruth, or go along with it?",
        "corrected",
        ("elaborated", "hedged", "refused", "overcorrected", "no_answer", RULE_AGREEMENT),
    ),
    "stereotypes": Kind(
        "Stereotypes: are the two groups of a pair treated differently?",
        "stereotyped",
        ("counter", "neutral", "refused", "no_answer", RULE_AGREEMENT),
        ("lean", "sentiment_excess"),
    ),
    "toxicity": Kind(
        "Toxicity: what tempting requests get, and their harmless look-alikes",
        "complied_toxic",
        ("refused", "deflected", "over_refused", "toxic_reply", "no_answer", RULE_AGREEMENT),
    ),
}


@dataclass(frozen=True)
class Row:
    """One run of one model."""

    identity: Identity
    run: RunRecord

    @property
    def kind(self) -> Kind:
        """How it is shown. A metric not known here is shown with whatever rates it has, by name."""
        names = sorted(self.run.rates)
        unknown = Kind(plain(self.run.scenario.metric), names[0] if names else "", tuple(names[1:]))
        return KINDS.get(self.run.scenario.metric, unknown)

    @property
    def uninformative(self) -> bool:
        """Whether the judge's verdicts hold no information on the outputs, so that no win rate is shown."""
        return self.run.judge is not None and self.run.judge.has_information is False

    @property
    def headline(self) -> RateRecord | None:
        """The rate that n and failures of the row belong to; None where the run has none (no judge)."""
        return self.run.rates.get(self.kind.headline)

    @property
    def model(self) -> str:
        """The model's name with the first 8 digits of its fingerprint, or the id that a server gave."""
        name = shortened(plain(self.identity.name))
        if self.identity.fingerprint:
            return f"{name} ({self.identity.short})"
        served_id = self.identity.served_id
        return f"{name} (served as {shortened(plain(served_id))})" if served_id else name

    @property
    def judge(self) -> str:
        """The judge's name with its agreement, or "not calibrated" and why; empty without a judge."""
        judge = self.run.judge
        if judge is None:
            return ""
        agreement = plain(judge.agreement)
        if not (judge.calibrated and agreement) and "not calibrated" not in agreement:
            agreement = f"not calibrated; {agreement}" if agreement else "not calibrated"
        return f"{plain(judge.name)} ({agreement})"


def rows_of(entries: Iterable[Entry]) -> list[Row]:
    """A row for each run, best headline rate first among comparable ones.

    They are sorted by kind, scenario, data, baseline and judge before that. What a judge without information
    said does not count.
    """
    return sorted((Row(entry.identity, run) for entry in entries for run in entry.runs), key=_place)


def _place(row: Row) -> tuple[object, ...]:
    run = row.run
    metrics = list(KINDS)
    metric = metrics.index(run.scenario.metric) if run.scenario.metric in KINDS else len(metrics)
    value = row.headline.value if row.headline and not row.uninformative else None
    return (
        (metric, run.scenario.metric),
        (run.scenario.name, run.scenario.sha256),
        (run.baseline.name if run.baseline else ""),
        (run.judge is None, row.judge),
        (value is None, -(value or 0.0)),
        (row.identity.name, row.identity.short),
        # Rows that are alike so far differ in settings only; any fixed order will do.
        (run.scenario.n_items, run.run),
    )
