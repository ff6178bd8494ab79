"""How one run is set up: read from a run entry, written into HELM's specs, part of the run's name."""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from alpaca_eval_suite.cards import (
    Card,
    Decoding,
    OutputsFile,
    baseline_outputs,
    load_card,
    load_instructions,
    match_outputs,
    outputs_hash,
    read_outputs,
    scenario_hash,
)
from alpaca_eval_suite.errors import UsageError
from alpaca_eval_suite.evaluate.judges import judge_of, judge_spec, labeller_spec, labels_hash
from alpaca_eval_suite.evaluate.validate import check_keys, check_prompt_format
from alpaca_eval_suite.files import sha256_text
from alpaca_eval_suite.judge import labelling
from alpaca_eval_suite.judge.builtin import NAME as BUILTIN
from alpaca_eval_suite.judge.schema import JudgeSpec, Orders
from alpaca_eval_suite.models.thinking import ThinkingMode
from alpaca_eval_suite.probes.registry import probe_of
from alpaca_eval_suite.prompts import PromptFormat

AUTO = "auto"
NONE = "none"


class Settings(BaseModel):
    """The arguments of a run spec, checked.

    `judge`: a judge as `judges.judge_spec` knows it, or `none`; in a probe `none` (its rule reads the answers), or a
    model that labels them in the rule's place. `baseline`: `card` (the scenario's own), an outputs file, a HELM
    deployment, or `none`. `orders`: as in judge/orders.py, over the ids of the scenario. `thinking`: whether the
    thought of a reasoning model is taken out of its output; `thinking_tokens`: what it may take beyond `max_tokens`,
    which then counts from its end on (0: both share `max_tokens`).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    scenario: str
    judge: str = NONE
    baseline: str = "card"
    orders: Orders = "both"
    seed: int = 0
    prompt_format: PromptFormat = "alpaca"
    max_tokens: int | None = Field(default=None, gt=0)
    thinking: ThinkingMode = "strip"
    thinking_tokens: int = Field(default=0, ge=0)

    @model_validator(mode="before")
    @classmethod
    def _as_text(cls, values: dict[str, Any]) -> dict[str, Any]:
        # HELM's run entries make numbers of everything that looks like one.
        return {key: str(value) if key in ("scenario", "judge", "baseline") else value for key, value in values.items()}

    @property
    def card(self) -> Card:
        """The scenario's card."""
        return load_card(self.scenario)

    @property
    def compares(self) -> bool:
        """Whether a judge compares each output with the baseline's."""
        return self.judge != NONE and self.card.metric == "preference"

    def judge_spec(self) -> JudgeSpec | None:
        """Who judges, None where nobody does. Raises UsageError and SuiteError as `judges.judge_spec` does."""
        if self.judge == NONE:
            return None
        return judge_spec(self.judge) if self.compares else labeller_spec(self.judge)

    def judge_hash(self) -> str | None:
        """64 hex digits over all that changes what the judge says, None where nobody judges."""
        spec, probe = self.judge_spec(), probe_of(self.card.metric)
        if spec is None:
            return None
        return labels_hash(judge_of(spec), probe.meanings) if probe else judge_of(spec).hash

    def template_hash(self) -> str | None:
        """SHA-256 of the question that the judge is asked: which answer is better, or which label one has.

        None where nobody judges, or a program of ours.
        """
        spec, probe = self.judge_spec(), probe_of(self.card.metric)
        if spec is None or spec.is_builtin:
            return None
        return labelling.template_hash(probe.meanings) if probe else sha256_text(spec.template)

    @property
    def decoding(self) -> Decoding:
        """The card's decoding, with the run's own limit of tokens."""
        decoding = self.card.decoding
        return decoding if self.max_tokens is None else decoding.model_copy(update={"max_tokens": self.max_tokens})

    def outputs_file(self) -> OutputsFile | None:
        """The baseline's outputs where they exist already; None when there is no baseline or it is generated."""
        if self.baseline == NONE:
            return None
        if self.baseline == "card":
            card = self.card
            return baseline_outputs(card, card.baseline) if card.baseline else None
        path = Path(self.baseline).expanduser()
        return read_outputs(path) if path.is_file() else None

    def baseline_deployment(self) -> str | None:
        """The HELM deployment that makes the baseline's outputs on the fly, or None."""
        special = self.baseline in (NONE, "card") or Path(self.baseline).expanduser().is_file()
        return None if special else self.baseline

    def spec_hash(self) -> str:
        """8 hex digits over everything, data included, that changes the result beside the model."""
        from alpaca_eval_suite.evaluate.remote import identity_of_deployment  # HELM, which `Settings` does without

        outputs = self.outputs_file()
        parts = [
            self.model_dump(exclude={"judge", "baseline", "max_tokens"}),
            self.judge_hash(),
            self.decoding.model_dump(),
            scenario_hash(self.card),
            outputs_hash(outputs) if outputs else identity_of_deployment(self.baseline),
        ]
        return sha256_text(json.dumps(parts, sort_keys=True))[:8]


def make_settings(**arguments: Any) -> Settings:
    """Settings from a run entry's arguments, the judge filled in; `judge=auto` takes the checks where all have them.

    Without `orders` a judge's file says in which it is asked.

    Raises UsageError for an unknown argument or value, and for a judge that cannot judge this scenario.
    """
    judge = str(arguments.pop("judge", AUTO))
    try:
        settings = Settings(**arguments, judge=NONE)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise UsageError(problems, where="run entry", next_step="docs/run_specs.md lists every argument.") from error
    _check_baseline(settings)
    items = load_instructions(settings.card)
    checkable = all("checks" in item.key for item in items)
    check_keys(settings.card, items)
    check_prompt_format(settings.card, items, settings.prompt_format)
    if settings.card.metric != "preference":
        judge = NONE if judge == AUTO else judge
        if judge != NONE:
            labeller_spec(judge)
        return settings.model_copy(update={"judge": judge})
    outputs = settings.outputs_file()
    has_baseline = outputs is not None or settings.baseline_deployment() is not None
    if judge == AUTO:
        judge = BUILTIN if checkable and has_baseline else NONE
    if judge == NONE:
        return settings
    spec = judge_spec(judge)
    if spec.model == BUILTIN and not checkable:
        raise UsageError(
            f"{BUILTIN} cannot judge {settings.scenario}: its items come without checks",
            next_step="Name another judge (judge=endpoint/NAME), or judge=none to generate only.",
        )
    if not has_baseline:
        raise UsageError(
            f"{settings.scenario} has no baseline to compare with",
            next_step="Give baseline= an outputs file or a HELM deployment.",
        )
    if outputs is not None:
        match_outputs(outputs, items)  # an output that is missing must be known before generation, not after
    own_orders = {} if spec.is_builtin or "orders" in arguments else {"orders": spec.orders}
    return settings.model_copy(update={"judge": judge, **own_orders})


def _check_baseline(settings: Settings) -> None:
    deployment = settings.baseline_deployment()
    if deployment is None:
        return
    looks_like_file = deployment.endswith((".json", ".jsonl")) or deployment.startswith(("/", "./", "~"))
    if looks_like_file or "/" not in deployment:
        raise UsageError(
            f"baseline {deployment!r} is neither a file nor a HELM deployment",
            next_step="Check the path; a deployment is written organisation/model. A run entry cannot hold a path "
            "with a comma or an equals sign.",
        )
