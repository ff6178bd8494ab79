"""Every number of a run from its raw items: what makes a record when it is built, and checks it when it is verified."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from alpaca_eval_suite.judge.combined import combined_units, values_by_judge
from alpaca_eval_suite.judge.panel import panel_agreement
from alpaca_eval_suite.leaderboard.figures import Judged, Read, all_rates, by_slice, differences, mean_of
from alpaca_eval_suite.leaderboard.raw import RawItem
from alpaca_eval_suite.leaderboard.record import PanelRecord, RateRecord, RunRecord
from alpaca_eval_suite.probes.outcome import Outcome
from alpaca_eval_suite.probes.registry import probe_of
from alpaca_eval_suite.stats.guards import guards
from alpaca_eval_suite.stats.length_control import length_control
from alpaca_eval_suite.stats.length_data import LengthData
from alpaca_eval_suite.stats.sequential import sequential
from alpaca_eval_suite.types import Instruction, Interval, Preference, Rate

COUNTED = (
    "rates",
    "differences",
    "numbers",
    "win_rate",
    "length_controlled",
    "slices",
    "guards",
    "panel",
)
"""The keys of a record that `with_figures` fills."""


def with_figures(run: RunRecord, items: Sequence[RawItem]) -> RunRecord:
    """`run` with every number that follows from `items`: the keys of COUNTED, and how many items there are.

    Intervals are drawn with the run's seed, so the same items give the same numbers.
    Raises SuiteError for verdicts that do not belong together.
    """
    judged = [item.judged(run) for item in items]
    probe = probe_of(run.scenario.metric)
    outcomes = probe.shares if probe else {}
    rates, won = all_rates(judged, outcomes, run.seed, run.combine)
    preferences = [preference for item in judged for preference in item.preferences]
    slices = by_slice(judged, outcomes, run.seed, run.combine)
    if run.stopped_early:
        won = None
        rates = {**rates, "win_rate": _sequence_rate(run, preferences, [item.id for item in items])}
        slices = {name: {value: _no_win_rate(of) for value, of in values.items()} for name, values in slices.items()}
    compared = bool(preferences)
    return run.model_copy(
        update={
            "scenario": run.scenario.model_copy(update={"n_items": len(items)}),
            "rates": _records(rates),
            "differences": _records(_differences(run, items)),
            "numbers": _lengths(judged),
            "win_rate": won.as_json() if won else None,
            "length_controlled": _length_controlled(run, preferences) if won else None,
            "slices": {
                name: {value: _records(found) for value, found in values.items()} for name, values in slices.items()
            },
            "guards": _guards(run, items) if compared else (),
            "panel": _panel(run, preferences),
        }
    )


def _records(rates: Mapping[str, Rate]) -> dict[str, RateRecord]:
    return {name: RateRecord.of(rate) for name, rate in rates.items()}


def _lengths(judged: Sequence[Judged]) -> dict[str, float]:
    means = {
        "mean_length": mean_of(judged, lambda item: item.length),
        "mean_length_baseline": mean_of(judged, lambda item: item.baseline_length),
    }
    return {name: value for name, value in means.items() if value is not None}


def _no_win_rate(rates: Mapping[str, Rate]) -> dict[str, Rate]:
    return {name: rate for name, rate in rates.items() if name != "win_rate"}


def _sequence_rate(run: RunRecord, preferences: Sequence[Preference], ids: Sequence[str]) -> Rate:
    """The running rate at its decision, with the ends of the confidence sequence over all `ids`.

    The ids were judged in the order that the judge's seed draws.
    """
    seed = run.judge.seed if run.judge else run.seed
    found = sequential(combined_units(preferences, run.combine), ids=ids, seed=seed)
    look = found.looks[-1]
    method = f"confidence sequence by betting (ended as decided at {look.n} of {found.n_total} ids)"
    interval = Interval(look.low, look.high, found.level, method)
    return Rate(look.win_rate, interval, look.n - found.n_failed, found.n_failed)


def _length_controlled(run: RunRecord, preferences: Sequence[Preference]) -> dict[str, Any]:
    """Of this model alone: difficulties of the instructions need several models (the tables estimate them)."""
    return length_control(_length_data(run, preferences), rng=run.seed).as_json()


def _length_data(run: RunRecord, preferences: Sequence[Preference]) -> LengthData:
    data = LengthData.of(preferences)
    units = combined_units(preferences, run.combine)
    value_of = dict(zip(units.ids, units.values, strict=True))
    wins = data.wins.copy()
    for place, id_ in enumerate(data.ids):
        wins[place] = value_of[id_]
    return replace(data, wins=wins)


def _guards(run: RunRecord, items: Sequence[RawItem]) -> tuple[str, ...]:
    """The names of the guards that the model's outputs set off, where outputs are known."""
    outputs = {item.id: answer for item in items if (answer := item.answer(run.decoding.thinking)) is not None}
    asked = {item.id: f"{item.instruction or ''}\n{item.input or ''}" for item in items}
    found = guards(outputs, instructions=asked) if outputs else {}
    return tuple(name for name, guard in found.items() if guard.flagged)


def _panel(run: RunRecord, preferences: Sequence[Preference]) -> PanelRecord | None:
    if run.panel is None:
        return None
    agreement = panel_agreement(values_by_judge(preferences), rng=0).as_json() if preferences else None
    return run.panel.model_copy(update={"agreement": agreement})


def _differences(run: RunRecord, items: Sequence[RawItem]) -> dict[str, Rate]:
    probe = probe_of(run.scenario.metric)
    if probe is None or probe.differences is None:
        return {}
    known = [item for item in items if item.outcome is not None]
    return differences(probe, [_instruction(item) for item in known], [_read(item) for item in known])


def _instruction(item: RawItem) -> Instruction:
    return Instruction(id=item.id, instruction=item.instruction or "", slices=item.slices, key=item.key)


def _read(item: RawItem) -> Read:
    """How the answer was read; without a judge the outcome is the rule's."""
    assert item.outcome is not None
    of = item.outcome
    outcome = None if of.label is None else Outcome(of.label, of.reason, of.score)
    rule = Outcome(of.rule.label, of.rule.reason, of.score) if of.rule else outcome
    if rule is None:
        raise ValueError(f"the item {item.id} has neither a label nor a rule's")
    return Read(outcome, rule)
