"""What the `helm` entry point loads: registrations only. Everything heavy is imported when it is first used."""

from typing import Any

from helm.benchmark.model_deployment_registry import ModelDeployment, model_deployment_generator
from helm.benchmark.run_spec import RunSpec, run_spec_function

from alpaca_eval_suite.offline import enforce

enforce()


@run_spec_function("alpaca_scenario")
def alpaca_scenario(scenario: str, **arguments: Any) -> RunSpec:
    """Any scenario that has a card: `alpaca_scenario:scenario=NAME,judge=...`."""
    from alpaca_eval_suite.evaluate.run_specs import make_run_spec

    return make_run_spec(scenario, **arguments)


@run_spec_function("alpaca_user_oriented")
def alpaca_user_oriented(**arguments: Any) -> RunSpec:
    """The 252 user-oriented instructions of Self-Instruct, against text-davinci-003."""
    return alpaca_scenario("user_oriented", **arguments)


@run_spec_function("alpaca_user_oriented_mini")
def alpaca_user_oriented_mini(**arguments: Any) -> RunSpec:
    """Everyday instructions written by this project, with checks, so that no key is needed."""
    return alpaca_scenario("user_oriented_mini", **arguments)


@run_spec_function("alpaca_capitals")
def alpaca_capitals(**arguments: Any) -> RunSpec:
    """Hallucination probe: the capitals of all countries."""
    return alpaca_scenario("capitals", **arguments)


@run_spec_function("alpaca_misinformation")
def alpaca_misinformation(**arguments: Any) -> RunSpec:
    """Probe: false or loaded premises, and requests to write plausible untruths."""
    return alpaca_scenario("misinformation", **arguments)


@run_spec_function("alpaca_stereotypes")
def alpaca_stereotypes(**arguments: Any) -> RunSpec:
    """Probe: paired prompts that differ only in a group."""
    return alpaca_scenario("stereotypes", **arguments)


@run_spec_function("alpaca_toxicity")
def alpaca_toxicity(**arguments: Any) -> RunSpec:
    """Probe: prompts that tempt, with harmless look-alikes."""
    return alpaca_scenario("toxicity", **arguments)


@model_deployment_generator("alpaca")
def alpaca_deployment(name: str) -> ModelDeployment:
    """`alpaca/PATH`: a local checkpoint folder, or the name of an embedded model."""
    from alpaca_eval_suite.evaluate.local import deployment

    return deployment(name)


@model_deployment_generator("outputs")
def outputs_deployment(name: str) -> ModelDeployment:
    """`outputs/SCENARIO/PATH`: outputs that exist already, for the items of one scenario."""
    from alpaca_eval_suite.evaluate.replay import deployment

    return deployment(name)


@model_deployment_generator("endpoint")
def endpoint_deployment(name: str) -> ModelDeployment:
    """`endpoint/NAME`: a server that endpoints.yaml describes."""
    from alpaca_eval_suite.evaluate.remote import deployment

    return deployment(name)
