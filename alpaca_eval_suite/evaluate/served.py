"""What endpoints said of their answers, gathered over a run: ids of served models, settings that were refused."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from helm.benchmark.adaptation.request_state import RequestState
from helm.common.request import RequestResult

from alpaca_eval_suite.evaluate.remote import endpoint_of
from alpaca_eval_suite.models.served import alias_notes, joined

Served = Mapping[str, Any]
"""`served_id`, `system_fingerprint`, `fallbacks` of one answer, and whether it came from the cache (`cached`)."""

_KEYS = ("served_id", "system_fingerprint", "fallbacks")


def served_of(result: RequestResult) -> dict[str, Any] | None:
    """What the endpoint said of its answer; None for any other kind of deployment, and without an answer."""
    reason = (result.completions[0].finish_reason or {}) if result.completions else {}
    return {**{key: reason[key] for key in _KEYS}, "cached": result.cached} if "served_id" in reason else None


def of_answers(states: Iterable[RequestState]) -> list[Served]:
    """Of the model's answers."""
    return [served for state in states if (served := served_of(state.result))]


def of_baseline(states: Iterable[RequestState]) -> list[Served]:
    """Of the baseline's outputs, as the annotator kept it."""
    return [served for state in states if (served := _annotation(state).get("baseline_served"))]


def of_judge(states: Iterable[RequestState]) -> list[Served]:
    """Of the judge's replies, as the annotator kept it: verdicts on pairs, or labels of a probe's answers."""
    found: list[Served] = []
    for state in states:
        annotation = _annotation(state)
        replies = [*annotation.get("verdicts", ()), annotation.get("answer", {})]
        found += [reply["served"] for reply in replies if reply.get("served")]
    return found


def _annotation(state: RequestState) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (state.annotations or {}).get("alpaca", {})
    return found


def id_of(served: Iterable[Served]) -> str | None:
    """The ids for a record: several with commas, None where none was named."""
    return joined(one["served_id"] for one in served)


def notes_of(deployment: str, served: Sequence[Served]) -> list[str]:
    """What a reader of the numbers must know of answers: whose they were, and what was refused or could not be had."""
    if not served:
        return []
    fresh, cached = ([one["served_id"] for one in served if one["cached"] is kept] for kept in (False, True))
    fallbacks = sorted({fallback for one in served for fallback in one["fallbacks"]})
    endpoint = endpoint_of(deployment)
    notes = alias_notes(deployment, endpoint.model, fresh, cached) if endpoint else []
    return [*notes, *(f"{deployment}: {fallback}." for fallback in fallbacks)]
