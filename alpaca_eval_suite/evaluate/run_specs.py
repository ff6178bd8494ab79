"""Run specs: what `alpaca_user_oriented:judge=...` in a run entry stands for."""

from dataclasses import dataclass, replace
from typing import Any

from helm.benchmark.adaptation.adapter_spec import ADAPT_CHAT, ADAPT_GENERATION, AdapterSpec
from helm.benchmark.annotation.annotator import AnnotatorSpec
from helm.benchmark.metrics.metric import MetricSpec
from helm.benchmark.run_spec import RunSpec
from helm.benchmark.scenarios.scenario import ScenarioSpec

from alpaca_eval_suite.evaluate.local import fingerprint_of_deployment
from alpaca_eval_suite.evaluate.settings import Settings, make_settings

_PACKAGE = "alpaca_eval_suite.evaluate"


@dataclass(frozen=True)
class AlpacaRunSpec(RunSpec):  # type: ignore[misc]
    """A RunSpec whose name holds the local checkpoint's fingerprint, and whose metric knows the name.

    HELM fills in the model after the run-spec function has returned, by `dataclasses.replace`, and skips
    completed runs by name alone; so both are completed here, whenever a copy is made.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        deployment = self.adapter_spec.model_deployment or self.adapter_spec.model
        if "fingerprint=" not in self.name and (mark := fingerprint_of_deployment(deployment)):
            object.__setattr__(self, "name", f"{self.name},fingerprint={mark}")
        metrics = [replace(spec, args={**spec.args, "run": self.name}) for spec in self.metric_specs]
        object.__setattr__(self, "metric_specs", metrics)


def make_run_spec(scenario: str, **arguments: Any) -> AlpacaRunSpec:
    """The run spec of any scenario with a card. Arguments: docs/run_specs.md.

    Raises UsageError for arguments that do not fit.
    """
    settings = make_settings(scenario=scenario, **arguments)
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
        max_tokens=decoding.max_tokens,
        temperature=decoding.temperature,
        stop_sequences=list(decoding.stop),
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


def _name(settings: Settings) -> str:
    parts = {
        "prompt_format": settings.prompt_format,
        "judge": settings.judge.replace(":", "_"),
        "spec": settings.spec_hash(),
    }
    return f"alpaca_{settings.scenario}:" + ",".join(f"{key}={value}" for key, value in parts.items())
