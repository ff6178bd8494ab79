"""HELM's metric: verdict lines, rates with intervals as stats, and the record of the run."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from helm.benchmark.adaptation.scenario_state import ScenarioState
from helm.benchmark.metrics.metric import MetricInterface, MetricResult, PerInstanceStats
from helm.benchmark.metrics.metric_name import MetricName
from helm.benchmark.metrics.metric_service import MetricService
from helm.benchmark.metrics.statistic import Stat
from helm.benchmark.scenarios.scenario import TEST_SPLIT
from helm.common.hierarchical_logger import hlog

from alpaca_eval_suite.evaluate import describe, progress
from alpaca_eval_suite.evaluate.raw_items import raw_item
from alpaca_eval_suite.evaluate.settings import NONE, Settings
from alpaca_eval_suite.leaderboard.figures import Judged, Shares
from alpaca_eval_suite.leaderboard.raw import RawItem, raw_record, write_raw
from alpaca_eval_suite.leaderboard.recompute import with_figures
from alpaca_eval_suite.leaderboard.record import PREFERENCES_FILE, RAW_FILE, RateRecord, RunRecord, write_record
from alpaca_eval_suite.probes.registry import probe_of
from alpaca_eval_suite.stats.units import units
from alpaca_eval_suite.stats.verdicts import write_preferences

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
        """HELM's entry point. Writes the raw items, preferences.jsonl and alpaca_run.json into the run's folder."""
        settings = self._settings
        judge = describe.judge_name(settings)
        items = [raw_item(state, settings, judge) for state in scenario_state.request_states]
        record = with_figures(self._record(scenario_state, items), items)
        probe = probe_of(settings.card.metric)
        folder = Path(eval_cache_path).parent / record.run
        judged = [item.judged(record) for item in items]
        preferences = [preference for item in judged for preference in item.preferences]
        if settings.judge == NONE and probe is None:
            hlog(
                f"{settings.scenario} was not judged. Run the same entry with judge=builtin:checks or judge=DEPLOYMENT "
                "(docs/judges.md): the answers come from the cache."
            )
        if preferences:
            write_preferences(folder / PREFERENCES_FILE, preferences)
        write_raw(folder / RAW_FILE, items)
        # The record comes last: a run that has one is finished.
        write_record(folder, record.model_copy(update={"raw": raw_record(RAW_FILE, items)}))
        for note in record.notes:
            progress.notice(note)
        stats = [*_rate_stats(record.rates), *_rate_stats(record.differences), *_slice_stats(record.slices)]
        stats += [_stat(name, value) for name, value in record.numbers.items()]
        if (won := record.win_rate) is not None:
            counts = {"wins": won["wins"], "losses": won["losses"], "ties": won["ties"], "win_rate_se": won["se"]}
            stats += [_stat(name, value) for name, value in counts.items() if value is not None]
        outcomes = probe.shares if probe else {}
        return MetricResult(stats, [_per_instance(item, outcomes) for item in judged])

    def _record(self, state: ScenarioState, items: Sequence[RawItem]) -> RunRecord:
        """What the run was, without its numbers."""
        settings = self._settings
        record = RunRecord(
            run=self._run,
            date=datetime.now(UTC).isoformat(timespec="seconds"),
            scenario=describe.scenario(settings, len(items)),
            model=describe.model(state),
            prompt=describe.prompt(settings, state.adapter_spec),
            decoding=describe.decoding(settings, state.adapter_spec),
            baseline=describe.baseline(settings, describe.baseline_name(settings), state.request_states),
            seed=settings.seed,
            rates={},
            self_judged=describe.self_judging(settings, state),
            versions=describe.versions(),
            notes=tuple(describe.notes(settings, state)),
        )
        judged = [item.judged(record) for item in items]
        return record.model_copy(update={"judge": describe.judge(settings, judged, state.request_states)})


def _stat(name: str, value: float) -> Stat:
    return Stat(MetricName(PREFIX + name, split=TEST_SPLIT)).add(value)


def _rate_stats(rates: Mapping[str, RateRecord]) -> Iterator[Stat]:
    """HELM has no interval: each rate's ends, n and failures are stats of their own, columns in its tables."""
    for name, rate in rates.items():
        if rate.value is None or rate.ci is None:
            continue
        yield _stat(name, rate.value)
        yield _stat(f"{name}_ci_low", rate.ci.low)
        yield _stat(f"{name}_ci_high", rate.ci.high)
        yield _stat(f"{name}_n", rate.n)
        yield _stat(f"{name}_n_failed", rate.n_failed)


def _slice_stats(slices: Mapping[str, Mapping[str, Mapping[str, RateRecord]]]) -> Iterator[Stat]:
    """Rates of a slice's values, named `win_rate:app=E-mail`; slices of very many values are in the record only."""
    for name, values in slices.items():
        if len(values) > _MOST_VALUES:
            continue
        for value, rates in values.items():
            yield from _rate_stats({f"{rate}:{name}={value}": found for rate, found in rates.items()})


def _per_instance(item: Judged, outcomes: Shares) -> PerInstanceStats:
    known = {"length": item.length, "empty": item.empty}
    stats = [_stat(name, value) for name, value in known.items() if value is not None]
    if item.cut_off is not None:
        stats.append(_stat("cut_off", item.cut_off))
    if item.checks_passed is not None:
        stats.append(_stat("checks_passed", item.checks_passed))
    if item.outcome is not None:
        stats += [_stat(label, label == item.outcome) for label in outcomes]
    if item.preferences and (unit := units(item.preferences)).n:
        stats.append(_stat("win_rate", float(unit.valid[0])))
    return PerInstanceStats(item.id, None, 0, stats)
