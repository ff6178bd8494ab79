"""HELM's metric: verdict lines, rates with intervals as stats, and the record of the run."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from helm.benchmark.adaptation.request_state import RequestState
from helm.benchmark.adaptation.scenario_state import ScenarioState
from helm.benchmark.metrics.metric import MetricInterface, MetricResult, PerInstanceStats
from helm.benchmark.metrics.metric_name import MetricName
from helm.benchmark.metrics.metric_service import MetricService
from helm.benchmark.metrics.statistic import Stat
from helm.benchmark.scenarios.scenario import TEST_SPLIT
from helm.common.hierarchical_logger import hlog
from helm.common.request import GeneratedOutput

from alpaca_eval_suite.evaluate import describe, progress
from alpaca_eval_suite.evaluate.rates import Judged, Shares, all_rates, by_slice, mean_of
from alpaca_eval_suite.evaluate.scenario import instruction_of
from alpaca_eval_suite.evaluate.settings import NONE, Settings
from alpaca_eval_suite.evaluate.thoughts import answer_of, cut_off_thinking
from alpaca_eval_suite.leaderboard.record import PREFERENCES_FILE, RateRecord, RunRecord, write_record
from alpaca_eval_suite.probes.outcome import Outcome
from alpaca_eval_suite.probes.registry import Probe, probe_of
from alpaca_eval_suite.stats.units import units
from alpaca_eval_suite.stats.verdicts import write_preferences
from alpaca_eval_suite.types import Preference, Rate

_MOST_VALUES = 20

PREFIX = "alpaca_"
"""Every stat's name begins so, that none is taken for HELM's own (its "win rate" is a rank over models)."""


class AlpacaMetric(MetricInterface):  # type: ignore[misc]
    """Statistics of one run as STATISTICS defines them; the same numbers go into HELM's stats and alpaca_run.json."""

    def __init__(self, settings: dict[str, Any], run: str) -> None:
        self._settings = Settings.model_validate(settings)
        self._run = run

    def evaluate(
        self, scenario_state: ScenarioState, metric_service: MetricService, eval_cache_path: str, parallelism: int
    ) -> MetricResult:
        """HELM's entry point. Writes preferences.jsonl and alpaca_run.json into the run's folder."""
        settings = self._settings
        model = describe.model_name(scenario_state.adapter_spec)
        baseline = describe.baseline_name(settings)
        judge = describe.judge_name(settings)
        items = [_judged(state, settings, model, baseline, judge) for state in scenario_state.request_states]
        probe = probe_of(settings.card.metric)
        outcomes = probe.shares if probe else {}
        rates, won = all_rates(items, outcomes, settings.seed)
        slices = by_slice(items, outcomes, settings.seed)
        differences = _differences(probe, scenario_state.request_states)
        lengths = {
            "mean_length": mean_of(items, lambda item: item.length),
            "mean_length_baseline": mean_of(items, lambda item: item.baseline_length),
        }
        numbers = {name: value for name, value in lengths.items() if value is not None}
        record = RunRecord(
            run=self._run,
            date=datetime.now(UTC).isoformat(timespec="seconds"),
            scenario=describe.scenario(settings, len(items)),
            model=describe.model(scenario_state),
            prompt=describe.prompt(settings, scenario_state.adapter_spec),
            decoding=describe.decoding(settings, scenario_state.adapter_spec),
            baseline=describe.baseline(settings, baseline, scenario_state.request_states),
            judge=describe.judge(settings, items, scenario_state.request_states),
            rates=_records(rates),
            differences=_records(differences),
            numbers=numbers,
            win_rate=won.as_json() if won else None,
            slices={
                name: {value: _records(found) for value, found in values.items()} for name, values in slices.items()
            },
            versions=describe.versions(),
            notes=tuple(describe.notes(settings, scenario_state)),
        )
        folder = Path(eval_cache_path).parent / record.run
        preferences = [preference for item in items for preference in item.preferences]
        if settings.judge == NONE and probe is None:
            hlog(
                f"{settings.scenario} was not judged. Run the same entry with judge=builtin:checks or judge=DEPLOYMENT "
                "(docs/judges.md): the answers come from the cache."
            )
        if preferences:
            write_preferences(folder / PREFERENCES_FILE, preferences)
        write_record(folder, record)
        for note in record.notes:
            progress.notice(note)
        stats = [*_rate_stats(rates), *_rate_stats(differences), *_slice_stats(slices)]
        stats += [_stat(name, value) for name, value in numbers.items()]
        if won is not None:
            counts = {"wins": won.wins, "losses": won.losses, "ties": won.ties, "win_rate_se": won.se}
            stats += [_stat(name, value) for name, value in counts.items() if value is not None]
        return MetricResult(stats, [_per_instance(item, outcomes) for item in items])


def _judged(state: RequestState, settings: Settings, model: str, baseline: str | None, judge: str) -> Judged:
    item = instruction_of(state.instance)
    completion = state.result.completions[0]
    answer = answer_of(completion.text, settings.thinking)
    found = (state.annotations or {}).get("alpaca", {})
    checks = found.get("checks")
    compared = found.get("baseline_output")
    baseline_length = None if compared is None else len(answer_of(compared, settings.thinking))
    preferences = tuple(
        Preference(
            id=item.id,
            win=verdict["win"],
            model=model,
            baseline=baseline or "",
            judge=judge,
            scenario=settings.scenario,
            order=verdict["order"],
            seed=settings.seed,
            len_model=len(answer),
            len_baseline=baseline_length,
            slices=item.slices,
            reason=verdict["reason"],
        )
        for verdict in found.get("verdicts", ())
    )
    return Judged(
        id=item.id,
        slices=item.slices,
        length=len(answer),
        baseline_length=baseline_length,
        empty=not answer.strip(),
        cut_off=_cut_off(completion),
        cut_off_thinking=cut_off_thinking(completion, settings.thinking),
        checks_passed=checks["passed"] / checks["total"] if checks else None,
        outcome=found["answer"]["outcome"] if "answer" in found else None,
        rule=found["answer"]["rule"]["label"] if "rule" in found.get("answer", ()) else None,
        preferences=preferences,
        kind=item.key.get("kind"),
    )


def _cut_off(completion: GeneratedOutput) -> bool | None:
    """Whether the answer ended at max_tokens; None where nobody said why it ended, which is not the same as no."""
    reason = (completion.finish_reason or {}).get("reason")
    return None if reason is None else reason == "length"


def _differences(probe: Probe | None, states: Sequence[RequestState]) -> dict[str, Rate]:
    """Differences between groups of items, for probes that have them; answers are as the annotator read them.

    An item that the judge failed to label is left out, and its pair with it: `n_failed` counts those pairs.
    """
    if probe is None or probe.differences is None:
        return {}
    items = [instruction_of(state.instance) for state in states]
    answers = [(state.annotations or {})["alpaca"]["answer"] for state in states]
    read = [
        (item, Outcome(found["outcome"], found["reason"], found["score"]))
        for item, found in zip(items, answers, strict=True)
        if found["outcome"] is not None
    ]
    differences = probe.differences(read)
    if len(read) == len(items):
        return differences
    # How many pairs there would be, told by the rule's labels, which are never missing.
    whole = probe.differences(
        [(item, Outcome(**found["rule"], score=found["score"])) for item, found in zip(items, answers, strict=True)]
    )
    nothing = Rate(None, None, 0)
    return {
        name: replace(rate, n_failed=full.n - rate.n)
        for name, full in whole.items()
        for rate in [differences.get(name, nothing)]
    }


def _records(rates: Mapping[str, Rate]) -> dict[str, RateRecord]:
    return {name: RateRecord.of(rate) for name, rate in rates.items()}


def _stat(name: str, value: float) -> Stat:
    return Stat(MetricName(PREFIX + name, split=TEST_SPLIT)).add(value)


def _rate_stats(rates: dict[str, Rate]) -> Iterator[Stat]:
    """HELM has no interval: each rate's ends, n and failures are stats of their own, columns in its tables."""
    for name, rate in rates.items():
        if rate.estimate is None or rate.interval is None:
            continue
        yield _stat(name, rate.estimate)
        yield _stat(f"{name}_ci_low", rate.interval.low)
        yield _stat(f"{name}_ci_high", rate.interval.high)
        yield _stat(f"{name}_n", rate.n)
        yield _stat(f"{name}_n_failed", rate.n_failed)


def _slice_stats(slices: Mapping[str, Mapping[str, Mapping[str, Rate]]]) -> Iterator[Stat]:
    """Rates of a slice's values, named `win_rate:app=E-mail`; slices of very many values are in the record only."""
    for name, values in slices.items():
        if len(values) > _MOST_VALUES:
            continue
        for value, rates in values.items():
            yield from _rate_stats({f"{rate}:{name}={value}": found for rate, found in rates.items()})


def _per_instance(item: Judged, outcomes: Shares) -> PerInstanceStats:
    stats = [_stat("length", item.length), _stat("empty", item.empty)]
    if item.cut_off is not None:
        stats.append(_stat("cut_off", item.cut_off))
    if item.checks_passed is not None:
        stats.append(_stat("checks_passed", item.checks_passed))
    if item.outcome is not None:
        stats += [_stat(label, label == item.outcome) for label in outcomes]
    if item.preferences and (unit := units(item.preferences)).n:
        stats.append(_stat("win_rate", float(unit.valid[0])))
    return PerInstanceStats(item.id, None, 0, stats)
