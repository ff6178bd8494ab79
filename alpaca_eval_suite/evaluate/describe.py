"""What a run was: the parts of its record that say how to repeat it."""

from collections.abc import Sequence
from pathlib import Path

from helm.benchmark.adaptation.adapter_spec import AdapterSpec
from helm.benchmark.adaptation.request_state import RequestState
from helm.benchmark.adaptation.scenario_state import ScenarioState

from alpaca_eval_suite.cards import outputs_hash, scenario_hash
from alpaca_eval_suite.evaluate import replay, served
from alpaca_eval_suite.evaluate.judges import is_local, public_name
from alpaca_eval_suite.evaluate.local import PREFIX, open_checkpoint
from alpaca_eval_suite.evaluate.remote import endpoint_of
from alpaca_eval_suite.evaluate.settings import NONE, Settings
from alpaca_eval_suite.evaluate.trained_prompt import prompt_record
from alpaca_eval_suite.judge.card import NOT_CALIBRATED, JudgeCard, card_of
from alpaca_eval_suite.judge.families import self_judged
from alpaca_eval_suite.leaderboard.figures import Judged, information
from alpaca_eval_suite.leaderboard.record import (
    BaselineRecord,
    DecodingRecord,
    JudgeRecord,
    ModelRecord,
    PromptRecord,
    ScenarioRecord,
)
from alpaca_eval_suite.versions import versions_of

_PACKAGES = ("alpaca-eval-suite", "crfm-helm", "torch", "transformers", "numpy")


def name_of(deployment: str) -> str:
    """What people call a deployment: a local checkpoint's folder name, the model whose outputs a file holds, else the
    deployment's own."""
    if deployment.startswith(replay.PREFIX):
        return replay.open_outputs(deployment).outputs.model
    return open_checkpoint(deployment).name if deployment.startswith(PREFIX) else deployment


def _deployment(adapter: AdapterSpec) -> str:
    return str(adapter.model_deployment or adapter.model)


def model_name(adapter: AdapterSpec) -> str:
    """The evaluated model's name, for verdict lines and tables."""
    return name_of(_deployment(adapter))


def judge_name(settings: Settings) -> str:
    """The judge in verdict lines and records, see `judges.public_name`; the word for none where nobody judges."""
    spec = settings.judge_spec()
    return public_name(spec, labels=not settings.compares) if spec else NONE


def baseline_name(settings: Settings) -> str | None:
    """Whose outputs the model is compared with, or None."""
    if deployment := settings.baseline_deployment():
        return name_of(deployment)
    outputs = settings.outputs_file()
    return outputs.model if outputs else None


def scenario(settings: Settings, n_items: int) -> ScenarioRecord:
    """The items of the run."""
    card = settings.card
    return ScenarioRecord(
        name=card.name, sha256=scenario_hash(card), metric=card.metric, licence=card.licence, n_items=n_items
    )


def model(state: ScenarioState) -> ModelRecord:
    """The model, and how its answers were made as the answers themselves say."""
    deployment = _deployment(state.adapter_spec)
    reasons = [request.result.completions[0].finish_reason or {} for request in state.request_states]

    def seen(key: str) -> str | None:
        return ", ".join(sorted({str(reason[key]) for reason in reasons if key in reason})) or None

    if deployment.startswith(replay.PREFIX):
        replayed = replay.open_outputs(deployment)
        return ModelRecord(name=replayed.outputs.model, deployment=replayed.deployment, fingerprint=replayed.sha256)
    local = deployment.startswith(PREFIX)
    return ModelRecord(
        name=name_of(deployment),
        # Where a checkpoint lay on somebody's disk is nobody else's business, and no identity.
        deployment=PREFIX + Path(deployment).name if local else deployment,
        fingerprint=open_checkpoint(deployment).fingerprint if local else None,
        served_id=served.id_of(served.of_answers(state.request_states)),
        dtype=seen("dtype"),
        device=seen("device"),
        batch_size=seen("batch_size"),
    )


def prompt(settings: Settings, adapter: AdapterSpec) -> PromptRecord:
    """The prompt's form, and how it compares with what the checkpoint was trained with."""
    if _deployment(adapter).startswith(replay.PREFIX):
        return PromptRecord(format=replay.UNKNOWN, sha256="")
    return prompt_record(_deployment(adapter), settings.prompt_format)


def decoding(settings: Settings, adapter: AdapterSpec) -> DecodingRecord:
    """How answers were generated."""
    if _deployment(adapter).startswith(replay.PREFIX):
        return DecodingRecord(max_tokens=None, temperature=None, thinking=settings.thinking)
    return DecodingRecord(
        max_tokens=adapter.max_tokens - settings.thinking_tokens,
        temperature=adapter.temperature,
        stop=tuple(adapter.stop_sequences),
        thinking=settings.thinking,
        thinking_tokens=settings.thinking_tokens,
    )


def baseline(settings: Settings, name: str | None, states: Sequence[RequestState]) -> BaselineRecord | None:
    """The baseline, with its file's hash, or the fingerprint of a local checkpoint."""
    if name is None or not settings.compares:
        return None
    if outputs := settings.outputs_file():
        return BaselineRecord(name=name, sha256=outputs_hash(outputs))
    deployment = settings.baseline_deployment() or ""
    local = deployment.startswith(PREFIX)
    return BaselineRecord(
        name=name,
        sha256=open_checkpoint(deployment).fingerprint if local else None,
        served_id=served.id_of(served.of_baseline(states)),
    )


def judge(settings: Settings, items: Sequence[Judged], states: Sequence[RequestState]) -> JudgeRecord | None:
    """The judge, with the sentence of its card or the words "not calibrated"."""
    if settings.judge == NONE:
        return None
    spec, judge_hash = settings.judge_spec(), settings.judge_hash()
    # A card is measured on pairs: it says nothing of the labels that the same judge gives to single answers.
    card = card_of(judge_hash) if judge_hash and settings.compares else None
    builtin = spec is not None and spec.is_builtin
    return JudgeRecord(
        name=judge_name(settings),
        hash=judge_hash,
        served_id=served.id_of(served.of_judge(states)),
        template_sha256=settings.template_hash(),
        orders=settings.orders if settings.compares and not builtin else "single",
        seed=settings.seed,
        calibrated=card is not None,
        agreement=card.sentence() if card else NOT_CALIBRATED,
        has_information=_has_information(items, card),
    )


def notes(settings: Settings, state: ScenarioState) -> list[str]:
    """What makes the numbers doubtful, one sentence each: servers and their settings, a judge of the family."""
    states, spec = state.request_states, settings.judge_spec()
    evaluated, judging = _deployment(state.adapter_spec), str(spec.model) if spec else NONE
    found = [
        *served.notes_of(evaluated, served.of_answers(states)),
        *served.notes_of(judging, served.of_judge(states)),
        *served.notes_of(settings.baseline, served.of_baseline(states)),
        *([f"{judge_name(settings)}: self-judged: {why}."] if (why := self_judging(settings, state)) else []),
    ]
    return list(dict.fromkeys(found))  # one endpoint may have two parts


def self_judging(settings: Settings, state: ScenarioState) -> str | None:
    """How the judge is related to the model or the baseline; None where it is not, or nobody judges."""
    spec = settings.judge_spec()
    if spec is None or spec.is_builtin:
        return None
    evaluated = _deployment(state.adapter_spec)
    deployments = {
        "judge": f"{PREFIX}{spec.model}" if is_local(spec) else str(spec.model).removeprefix("helm/"),
        "model": evaluated,
        "baseline": settings.baseline_deployment() if settings.compares else None,
    }
    names = {role: _own_name(deployment) for role, deployment in deployments.items() if deployment}
    if settings.compares:
        names.setdefault("baseline", baseline_name(settings) or "")
    prints = {
        _own_name(deployment): open_checkpoint(deployment).fingerprint
        for deployment in deployments.values()
        if deployment and deployment.startswith(PREFIX)
    }
    return self_judged(names["judge"], names["model"], names.get("baseline", ""), fingerprints=prints)


def _own_name(deployment: str) -> str:
    """What the model calls itself: an endpoint's model, a checkpoint's whole path, whose outputs a file holds."""
    if endpoint := endpoint_of(deployment):
        return endpoint.model
    return deployment.removeprefix(PREFIX) if deployment.startswith(PREFIX) else name_of(deployment)


def _has_information(items: Sequence[Judged], card: JudgeCard | None) -> bool | None:
    """The information floor: consistency over orders, and agreement with labels, as far as either is known."""
    consistent = information(items)
    agreeing = card.has_information if card else None
    known = [fact for fact in (consistent, agreeing) if fact is not None]
    return all(known) if known else None


def versions() -> dict[str, str]:
    """The versions of what took part."""
    return versions_of(_PACKAGES)
