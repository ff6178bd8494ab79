"""From HELM's annotated answers to the lines of the raw file, which all numbers are made from."""

from typing import Any

from helm.benchmark.adaptation.request_state import RequestState
from helm.common.request import GeneratedOutput

from alpaca_eval_suite.evaluate import replay
from alpaca_eval_suite.evaluate.scenario import instruction_of
from alpaca_eval_suite.evaluate.settings import Settings
from alpaca_eval_suite.evaluate.thoughts import cut_off_thinking
from alpaca_eval_suite.leaderboard.raw import ChecksRecord, OutcomeRecord, RawItem, RuleRecord, Verdict

_COUNTED_BY = ("kind", "pair", "side", "control")
"""What of an item's key its probe counts by; the rest says what is right, and the outcome holds what came of that."""


def raw_item(state: RequestState, settings: Settings, judge: str) -> RawItem:
    """One answered item, with all that the annotator said of it; `judge` is the judge's name."""
    item = instruction_of(state.instance)
    completion = state.result.completions[0]
    found = (state.annotations or {}).get("alpaca", {})
    return RawItem(
        id=item.id,
        instruction=item.instruction,
        input=item.input or None,
        prompt=_sent(state),
        output=completion.text,
        baseline_output=found.get("baseline_output"),
        slices=dict(item.slices),
        key={name: item.key[name] for name in _COUNTED_BY if name in item.key},
        verdicts=tuple(
            Verdict(judge=judge, order=one["order"], seed=settings.seed, win=one["win"], reason=one["reason"])
            for one in found.get("verdicts", ())
        ),
        outcome=_outcome(found["answer"]) if "answer" in found else None,
        checks=ChecksRecord(**found["checks"]) if found.get("checks") else None,
        cut_off=_cut_off(completion),
        cut_off_thinking=cut_off_thinking(completion, settings.thinking),
    )


def _sent(state: RequestState) -> str | tuple[dict[str, Any], ...] | None:
    """The prompt as it was sent; None for outputs from a file, of which nobody knows what they answered."""
    request = state.request
    if (request.model_deployment or "").startswith(replay.PREFIX):
        return None
    return tuple(dict(message) for message in request.messages) if request.messages else request.prompt or None


def _outcome(answer: dict[str, Any]) -> OutcomeRecord:
    rule = answer.get("rule")
    return OutcomeRecord(
        label=answer["outcome"],
        reason=answer["reason"],
        score=answer.get("score"),
        rule=RuleRecord(label=rule["label"], reason=rule["reason"]) if rule else None,
    )


def _cut_off(completion: GeneratedOutput) -> bool | None:
    """Whether the answer ended at max_tokens; None where nobody said why it ended, which is not the same as no."""
    reason = (completion.finish_reason or {}).get("reason")
    return None if reason is None else reason == "length"
