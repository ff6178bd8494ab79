"""Run specs: what `alpaca_user_oriented:judge=...` in a run entry stands for."""

import json
from dataclasses import dataclass, replace
from typing import Any

from helm.benchmark.adaptation.adapter_spec import ADAPT_CHAT, ADAPT_GENERATION, AdapterSpec
from helm.benchmark.annotation.annotator import AnnotatorSpec
from helm.benchmark.metrics.metric import MetricSpec
from helm.benchmark.model_deployment_registry import ModelDeploymentNotFoundError, get_model_deployment
from helm.benchmark.run_spec import RunSpec
from helm.benchmark.scenarios.scenario import ScenarioSpec

from alpaca_eval_suite.errors import UsageError
from alpaca_eval_suite.evaluate.local import fingerprint_of_deployment
from alpaca_eval_suite.evaluate.remote import endpoint_mark, refuse_when_offline
from alpaca_eval_suite.evaluate.settings import Settings, make_settings
from alpaca_eval_suite.evaluate.thoughts import budget_mark
from alpaca_eval_suite.evaluate.trained_prompt import warn
from alpaca_eval_suite.files import sha256_text

_PACKAGE = "alpaca_eval_suite.evaluate"


@dataclass(frozen=True)
class AlpacaRunSpec(RunSpec):  # type: ignore[misc]
    """A RunSpec whose name holds the local checkpoint's fingerprint, or an endpoint's, and whose metric knows the name.

    HELM fills in the model after the run-spec function has returned, by `dataclasses.replace`, and skips
    completed runs by name alone; so both are completed here, whenever a copy is made.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        deployment = self.adapter_spec.model_deployment or self.adapter_spec.model
        if "fingerprint=" not in self.name and (mark := fingerprint_of_deployment(deployment)):
            object.__setattr__(self, "name", f"{self.name},fingerprint={mark}")
        if ",endpoint=" not in self.name and (mark := endpoint_mark(deployment)):
            object.__setattr__(self, "name", f"{self.name},endpoint={mark}")
        if deployment:
            refuse_when_offline(deployment)
        self._name_changed_decoding()
        warn(deployment, Settings.model_validate(self.metric_specs[0].args["settings"]).prompt_format)
        metrics = [replace(spec, args={**spec.args, "run": self.name}) for spec in self.metric_specs]
        object.__setattr__(self, "metric_specs", metrics)

    def _name_changed_decoding(self) -> None:
        """HELM's expanders (temperature=, stop=) change the decoding after `spec` was made: the name must say so."""
        settings = Settings.model_validate(self.metric_specs[0].args["settings"])
        adapter, decoding = self.adapter_spec, settings.decoding
        now = {"max_tokens": adapter.max_tokens, "temperature": adapter.temperature, "stop": adapter.stop_sequences}
        asked = {"max_tokens": decoding.max_tokens + settings.thinking_tokens, "stop": list(decoding.stop)}
        if now == {**decoding.model_dump(), **asked}:
            return
        mark = f"decoding={sha256_text(json.dumps(now, sort_keys=True))[:8]}"
        kept = [part for part in self.name.split(",") if not part.startswith("decoding=")]
        object.__setattr__(self, "name", ",".join([*kept, mark]))


def make_run_spec(scenario: str, **arguments: Any) -> AlpacaRunSpec:
    """The run spec of any scenario with a card. Arguments: docs/run_specs.md.

    Raises UsageError for arguments that do not fit.
    """
    settings = make_settings(scenario=scenario, **arguments)
    _check_baseline(settings)
    decoding = settings.decoding
    chat = settings.prompt_format == "chat"
    adapter = AdapterSpec(
        method=ADAPT_CHAT if chat else ADAPT_GENERATION,
        input_prefix="",
        input_suffix="",
        output_prefix="",
        output_suffix="",
        instance_prefix="",
        max_train_instances=0,
        num_outputs=1,
        max_tokens=decoding.max_tokens + settings.thinking_tokens,
        temperature=decoding.temperature,
        stop_sequences=list(decoding.stop),
        random=budget_mark(settings.thinking_tokens),
    )
    arguments_of_all = {"settings": settings.model_dump()}
    return AlpacaRunSpec(
        name=_name(settings),
        scenario_spec=ScenarioSpec(
            class_name=f"{_PACKAGE}.scenario.AlpacaScenario",
            args={"scenario": settings.scenario, "prompt_format": settings.prompt_format},
        ),
        adapter_spec=adapter,
        annotators=[AnnotatorSpec(class_name=f"{_PACKAGE}.annotator.AlpacaAnnotator", args=arguments_of_all)],
        metric_specs=[MetricSpec(class_name=f"{_PACKAGE}.metric.AlpacaMetric", args=arguments_of_all)],
        groups=[f"alpaca_{settings.scenario}"],
    )


def _check_baseline(settings: Settings) -> None:
    """A baseline that HELM does not know must show before hours of generation. A judge shows in `_name`."""
    name = settings.baseline_deployment()
    if name is None:
        return
    try:
        get_model_deployment(name)
        refuse_when_offline(name)
    except ModelDeploymentNotFoundError as error:
        raise UsageError(
            f"HELM knows no deployment {name!r}, which the run names as its baseline",
            next_step="docs/judges.md says how to describe a server in prod_env/model_deployments.yaml.",
        ) from error


def _name(settings: Settings) -> str:
    spec = settings.judge_spec()
    judge = settings.judge if spec is None else spec.name if settings.compares else str(spec.model)
    form, at, model = judge.rpartition("@")
    parts = {
        "prompt_format": settings.prompt_format,
        # As HELM names models: a path's last two parts, since a file's name must not be long. `spec` has the content.
        "judge": form + at + "/".join(model.replace(":", "_").split("/")[-2:]),
        "spec": settings.spec_hash(),
    }
    return f"alpaca_{settings.scenario}:" + ",".join(f"{key}={value}" for key, value in parts.items())
