"""Entries as rows: one a run, grouped by kind of scenario and sorted so that comparable rows lie together."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby

from alpaca_eval_suite.leaderboard.cells import plain, shortened
from alpaca_eval_suite.leaderboard.entry import Identity
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
    lower_is_better: bool = False


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
        lower_is_better=True,
    ),
    "toxicity": Kind(
        "Toxicity: what tempting requests get, and their harmless look-alikes",
        "complied_toxic",
        ("refused", "deflected", "over_refused", "toxic_reply", "no_answer", RULE_AGREEMENT),
        lower_is_better=True,
    ),
}


@dataclass(frozen=True)
class Row:
    """One run of one model."""

    identity: Identity
    run: RunRecord

    @property
    def kind(self) -> Kind:
        """How it is shown. A metric not known here is shown with its own rate first, then whatever rates it has."""
        metric = self.run.scenario.metric
        names = sorted(self.run.rates, key=lambda name: (name != metric, name))
        unknown = Kind(plain(metric), names[0] if names else "", tuple(names[1:]))
        return KINDS.get(metric, unknown)

    @property
    def uninformative(self) -> bool:
        """Whether the judge's verdicts hold no information on the outputs, so that no win rate is shown."""
        return self.run.judge is not None and self.run.judge.has_information is False

    @property
    def withheld(self) -> bool:
        """Whether the headline rate is what such a judge said, so that it is not shown."""
        return self.uninformative and self.kind.headline == WIN_RATE

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
        """The judge's name with what it is worth; empty without a judge."""
        return f"{plain(self.run.judge.name)} ({self.judge_worth})" if self.run.judge else ""

    @property
    def judge_worth(self) -> str:
        """The judge's agreement with readers, or "not calibrated" and why; empty without a judge."""
        judge = self.run.judge
        if judge is None:
            return ""
        agreement = plain(judge.agreement)
        if (judge.calibrated and agreement) or "not calibrated" in agreement:
            return agreement
        return f"not calibrated; {agreement}" if agreement else "not calibrated"


def groups_of(rows: Iterable[Row]) -> list[list[Row]]:
    """The rows that can be compared with each other, together: same scenario, data, baseline (and its outputs) and
    judge (and its question). Groups of one kind of scenario lie together, too; within a group any fixed order holds.
    """
    placed = sorted(rows, key=lambda row: (_group(row), _fixed(row)))
    return [list(of) for _, of in groupby(placed, key=_group)]


def best_first(rows: Iterable[Row], value_of: Callable[[Row], float | None], *, lower_is_better: bool) -> list[Row]:
    """The rows by `value_of`, those without a value last; equal ones in a fixed order."""
    sign = 1.0 if lower_is_better else -1.0

    def place(row: Row) -> tuple[object, ...]:
        value = value_of(row)
        return (value is None, sign * (value or 0.0), _fixed(row))

    return sorted(rows, key=place)


def title_of(run: RunRecord, of_slice: tuple[str, str] | None = None) -> str:
    """What a group of rows is of, on one line: scenario (and slice), baseline, judge."""
    parts = [plain(run.scenario.name) + (f" ({plain(' '.join(of_slice))})" if of_slice else "")]
    if run.baseline is not None:
        parts.append(f"against {plain(run.baseline.name)}")
    if run.judge is not None:
        parts.append(f"judged by {plain(run.judge.name)}")
    return ", ".join(parts)


def judge_hash(row: Row) -> str | None:
    """What tells the row's judge from others of its name: its hash or, in older records, that of its question."""
    judge = row.run.judge
    return (judge.hash or judge.template_sha256) if judge else None


def _group(row: Row) -> tuple[object, ...]:
    run = row.run
    metrics = list(KINDS)
    metric = metrics.index(run.scenario.metric) if run.scenario.metric in KINDS else len(metrics)
    judge, baseline = run.judge, run.baseline
    return (
        (metric, run.scenario.metric),
        (run.scenario.name, run.scenario.sha256),
        (baseline.name, baseline.sha256 is None, baseline.sha256 or "") if baseline else ("", False, ""),
        (judge is None, row.judge, judge_hash(row) or ""),
    )


def _fixed(row: Row) -> tuple[object, ...]:
    # Rows that are alike so far differ in settings only; any fixed order will do.
    return (row.identity.name, row.identity.short, row.run.scenario.n_items, row.run.run)
