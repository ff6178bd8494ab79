"""How one run is set up: read from a run entry, written into HELM's specs, part of the run's name."""

import json
from pathlib import Path
from typing import Any, Literal

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
from alpaca_eval_suite.evaluate.validate import check_keys
from alpaca_eval_suite.files import sha256_text
from alpaca_eval_suite.judge import labelling, pairwise
from alpaca_eval_suite.judge.builtin import NAME as BUILTIN
from alpaca_eval_suite.models.thinking import ThinkingMode
from alpaca_eval_suite.probes.registry import probe_of
from alpaca_eval_suite.prompts import PromptFormat
from alpaca_eval_suite.types import Instruction

Orders = Literal["both", "single"]

NONE = "none"


class Settings(BaseModel):
    """The arguments of a run spec, checked.

    `judge`: `builtin:checks`, a HELM deployment, or `none`; in a probe `none` (its rule reads the answers), or a
    deployment that labels them in the rule's place. `baseline`: `card` (the scenario's own), an outputs file, a HELM
    deployment, or `none`. `orders`: `both`, or `single` for one order drawn by `seed` and id. `thinking`: whether the
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

    def template_hash(self) -> str:
        """SHA-256 of the question that the judge is asked: which answer is better, or which label one has."""
        probe = probe_of(self.card.metric) if self.judge != NONE else None
        return labelling.template_hash(probe.meanings) if probe else pairwise.template_hash()

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
            identity_of_deployment(self.judge),
            self.decoding.model_dump(),
            scenario_hash(self.card),
            outputs_hash(outputs) if outputs else identity_of_deployment(self.baseline),
            self.template_hash(),
        ]
        return sha256_text(json.dumps(parts, sort_keys=True))[:8]


def make_settings(**arguments: Any) -> Settings:
    """Settings from a run entry's arguments, the judge filled in; `judge=auto` takes the checks where all have them.

    Raises UsageError for an unknown argument or value, and for a judge that cannot judge this scenario.
    """
    judge = str(arguments.pop("judge", "auto"))
    try:
        settings = Settings(**arguments, judge=NONE)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise UsageError(problems, where="run entry", next_step="docs/run_specs.md lists every argument.") from error
    _check_baseline(settings)
    items = load_instructions(settings.card)
    checkable = all("checks" in item.key for item in items)
    check_keys(settings.card, items)
    if settings.card.metric != "preference":
        _check_probe_judge(settings.scenario, judge)
        return settings.model_copy(update={"judge": NONE if judge == "auto" else judge})
    outputs = settings.outputs_file()
    has_baseline = outputs is not None or settings.baseline_deployment() is not None
    if judge == "auto":
        judge = BUILTIN if checkable and has_baseline else NONE
    if judge == BUILTIN and not checkable:
        raise UsageError(
            f"{BUILTIN} cannot judge {settings.scenario}: its items come without checks",
            next_step="Name a HELM deployment as judge (judge=openai/gpt-4o-mini), or judge=none to generate only.",
        )
    _check_judge_name(judge)
    if judge != NONE and not has_baseline:
        raise UsageError(
            f"{settings.scenario} has no baseline to compare with",
            next_step="Give baseline= an outputs file or a HELM deployment.",
        )
    if judge != NONE and outputs is not None:
        match_outputs(outputs, items)  # an output that is missing must be known before generation, not after
    return settings.model_copy(update={"judge": judge})


def _check_judge_name(judge: str) -> None:
    if judge not in (BUILTIN, NONE) and "/" not in judge:
        raise UsageError(
            f"no judge is named {judge!r}",
            next_step=f"Give {BUILTIN}, none, or a HELM deployment (organisation/model).",
        )


def _check_probe_judge(scenario: str, judge: str) -> None:
    if judge == BUILTIN:
        raise UsageError(
            f"{BUILTIN} compares two answers, and {scenario} is a probe, in which each answer is read alone",
            next_step="Leave judge out, so that the probe's rule reads the answers, or name a HELM deployment "
            "(judge=openai/gpt-4o-mini) to take the rule's place.",
        )
    if judge != "auto":
        _check_judge_name(judge)


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


def single_order(settings: Settings, item: Instruction) -> Literal["model_first", "baseline_first"]:
    """The order in which a pair is shown when only one is: a coin seeded by the run's seed and the id."""
    coin = int(sha256_text(f"{settings.seed}\0{item.id}")[:8], 16) % 2
    return "baseline_first" if coin else "model_first"
