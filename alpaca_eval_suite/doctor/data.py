"""The data of each scenario and the embedded models: on this machine, or still to be fetched. Downloads nothing."""

from alpaca_eval_suite.cards.survey import BROKEN, Surveyed, survey
from alpaca_eval_suite.doctor.finding import Finding
from alpaca_eval_suite.models.embedded import EMBEDDED_MODELS, EmbeddedState, embedded_state

_ABSENT = "to be downloaded"
_BY_HAND = "to be fetched by hand"


def check_data() -> list[Finding]:
    """A finding for each scenario and each embedded model."""
    models = [model_finding(name, *embedded_state(name)) for name in EMBEDDED_MODELS]
    return [*(scenario_finding(one) for one in survey()), *models]


def scenario_finding(one: Surveyed) -> Finding:
    """Whether a scenario can be run from here."""
    name = f"Scenario {one.name}"
    if one.state == BROKEN:
        return Finding(name, "fail", one.why, f"Type: alpaca-suite scenarios validate {one.name}")
    items = f"{one.items} items, " if one.items is not None else ""
    beside = f", baseline {one.baseline}" if one.baseline else ""
    detail = f"{items}data {one.state}{beside}"
    if _ABSENT in (one.state, one.baseline):
        advice = f"Type: alpaca-suite scenarios validate {one.name} (fetches it), or set ALPACA_DATA_DIR."
        return Finding(name, "warn", detail, advice)
    if _BY_HAND in (one.state, one.baseline):
        return Finding(name, "warn", detail, f"Type: alpaca-suite scenarios validate {one.name} (says how).")
    return Finding(name, "ok", detail)


def model_finding(name: str, state: EmbeddedState, pip: str) -> Finding:
    """Whether an embedded model can be used without a download."""
    about = f"Embedded model {name}"
    if state == "absent":
        return Finding(about, "ok", f"not installed; {pip}")
    detail = {"unpacked": "unpacked", "packed": "installed, will be unpacked when it is first used (20 s)"}[state]
    return Finding(about, "ok", detail)
