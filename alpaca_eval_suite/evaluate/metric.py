"""HELM's metric: verdict lines, rates with intervals as stats, and the record of the run."""

from collections.abc import Iterator
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

from alpaca_eval_suite.evaluate import describe
from alpaca_eval_suite.evaluate.rates import Judged, all_rates, by_slice, mean_of
from alpaca_eval_suite.evaluate.scenario import instruction_of
from alpaca_eval_suite.evaluate.settings import Settings
from alpaca_eval_suite.leaderboard.record import PREFERENCES_FILE, RateRecord, RunRecord, write_record
from alpaca_eval_suite.probes.short_answer import LABELS
from alpaca_eval_suite.stats.units import units
from alpaca_eval_suite.stats.verdicts import write_preferences
from alpaca_eval_suite.types import Preference, Rate

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
        outcomes = LABELS if settings.card.metric == "short_answer" else ()
        rates, won = all_rates(items, outcomes, settings.seed)
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
            prompt=describe.prompt(settings),
            decoding=describe.decoding(scenario_state.adapter_spec),
            baseline=describe.baseline(settings, baseline),
            judge=describe.judge(settings, items),
            rates={name: RateRecord.of(rate) for name, rate in rates.items()},
            numbers=numbers,
            win_rate=won.as_json() if won else None,
            slices={
                name: {
                    value: {label: RateRecord.of(rate) for label, rate in found.items()}
                    for value, found in values.items()
                }
                for name, values in by_slice(items, outcomes, settings.seed).items()
            },
            versions=describe.versions(),
        )
        folder = Path(eval_cache_path).parent / record.run
        preferences = [preference for item in items for preference in item.preferences]
        if preferences:
            write_preferences(folder / PREFERENCES_FILE, preferences)
        write_record(folder, record)
        stats = [*_rate_stats(rates), *(_stat(name, value) for name, value in numbers.items())]
        if won is not None:
            counts = {"wins": won.wins, "losses": won.losses, "ties": won.ties, "win_rate_se": won.se}
            stats += [_stat(name, value) for name, value in counts.items() if value is not None]
        return MetricResult(stats, [_per_instance(item) for item in items])


def _judged(state: RequestState, settings: Settings, model: str, baseline: str | None, judge: str) -> Judged:
    item = instruction_of(state.instance)
    completion = state.result.completions[0]
    found = (state.annotations or {}).get("alpaca", {})
    checks = found.get("checks")
    baseline_length = len(found["baseline_output"]) if "baseline_output" in found else None
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
            len_model=len(completion.text),
            len_baseline=baseline_length,
            slices=item.slices,
            reason=verdict["reason"],
        )
        for verdict in found.get("verdicts", ())
    )
    return Judged(
        id=item.id,
        slices=item.slices,
        length=len(completion.text),
        baseline_length=baseline_length,
        empty=not completion.text.strip(),
        cut_off=(completion.finish_reason or {}).get("reason") == "length",
        checks_passed=checks["passed"] / checks["total"] if checks else None,
        outcome=found["answer"]["outcome"] if "answer" in found else None,
        preferences=preferences,
    )


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


def _per_instance(item: Judged) -> PerInstanceStats:
    stats = [_stat("length", item.length), _stat("empty", item.empty), _stat("cut_off", item.cut_off)]
    if item.checks_passed is not None:
        stats.append(_stat("checks_passed", item.checks_passed))
    if item.outcome is not None:
        stats += [_stat(label, label == item.outcome) for label in LABELS]
    if item.preferences and (unit := units(item.preferences)).n:
        stats.append(_stat("win_rate", float(unit.valid[0])))
    return PerInstanceStats(item.id, None, 0, stats)
