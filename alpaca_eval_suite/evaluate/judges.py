"""Who judges in a run of HELM's: the judge that `judge=` names, the same as `alpaca-suite judge run` asks."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from alpaca_eval_suite.errors import UsageError
from alpaca_eval_suite.files import sha256_text
from alpaca_eval_suite.judge import labelling
from alpaca_eval_suite.judge.askers import ENDPOINT, asker_of, price_for
from alpaca_eval_suite.judge.spec import DEFAULT_FORM, JudgeSpec, PanelSpec, load_judge, no_model
from alpaca_eval_suite.judge.work import Judge

if TYPE_CHECKING:
    from helm.clients.auto_client import AutoClient

_HELM = "helm/"
_LOCAL = "alpaca/"
_REMOTE = (ENDPOINT, _HELM)
# organisation/model, as HELM names its deployments; no path, no form with a model, no file.
_DEPLOYMENT = re.compile(r"(?!endpoint/|helm/)\w[\w.:-]*(/[\w.:-]+)+(?<!\.yaml)(?<!\.yml)")


def judge_spec(name: str) -> JudgeSpec:
    """The judge of that name: all that `load_judge` knows, and HELM's deployments by their names alone.

    Raises UsageError for an unknown judge, a form without a model and a panel, SuiteError for a file that is wrong.
    """
    spec = load_judge(_full_name(name))
    if isinstance(spec, PanelSpec):
        raise UsageError(
            f"{name} is a panel, and one judge judges a run of HELM's",
            next_step=f"Name one of its judges, or judge outputs that exist: alpaca-suite judge run --judge {name} "
            "--model-outputs A --baseline-outputs B --out preferences.jsonl",
        )
    if spec.model is None:
        raise no_model(name)
    return spec


def _full_name(name: str) -> str:
    """A folder goes before a deployment of the same name; `alpaca/PATH` is the checkpoint itself."""
    if name.startswith(_LOCAL):
        return name.removeprefix(_LOCAL)
    if _DEPLOYMENT.fullmatch(name) and not Path(name).is_dir():
        return f"{_HELM}{name}"
    return name


def labeller_spec(name: str) -> JudgeSpec:
    """The judge that gives labels to single answers: its model and decoding count, its question is another.

    Raises UsageError, as `judge_spec` does, and for a judge that can only compare.
    """
    spec = judge_spec(name)
    compares_only = spec.is_builtin or spec.form != DEFAULT_FORM
    default = load_judge(DEFAULT_FORM)
    if compares_only or (isinstance(default, JudgeSpec) and spec.template != default.template):
        raise UsageError(
            f"{name} compares two answers, and in a probe each answer is read alone",
            next_step="Leave the judge out, so that the probe's rule reads the answers, or name a model alone "
            "(endpoint/NAME, a HELM deployment, a checkpoint folder) to take the rule's place.",
        )
    return spec


def judge_of(spec: JudgeSpec, client: "AutoClient | None" = None) -> Judge:
    """The judge, ready to be asked; `client` is HELM's, for its deployments. Nothing is asked or loaded yet.

    Raises UsageError for an unknown model or a missing key, SuiteError where there is no usable checkpoint.
    """
    if spec.is_builtin:
        return Judge(spec)
    model = str(spec.model)
    if model.startswith(_HELM):
        from alpaca_eval_suite.evaluate.helm_asker import HelmAsker, without_cache

        return Judge(spec, HelmAsker(model, without_cache(client) if client else None))
    from alpaca_eval_suite.evaluate import progress  # HELM, which `Settings` does without

    asker = asker_of(model, notice=lambda text: progress.notice(f"{model}: {text}."))
    return Judge(spec, asker, price_for(asker))


def labels_hash(judge: Judge, meanings: Mapping[str, str]) -> str:
    """64 hex digits over everything that changes the labels which the judge gives."""
    spec = judge.spec
    parts = [labelling.template_hash(meanings), spec.system, spec.decoding.model_dump(), dict(judge.identity)]
    return sha256_text(json.dumps(parts, sort_keys=True))


def is_local(spec: JudgeSpec) -> bool:
    """Whether the judge is a checkpoint on this machine."""
    return not spec.is_builtin and not str(spec.model).startswith(_REMOTE)


def public_name(spec: JudgeSpec, *, labels: bool = False) -> str:
    """The judge in verdict lines and records: a checkpoint by its folder's name and content, not its place.

    With `labels`, its model alone: the form is that of a comparison.
    """
    model = str(spec.model)
    shown = model
    if is_local(spec):
        from alpaca_eval_suite.evaluate.local import fingerprint_of_deployment

        shown = f"{Path(model).name}@{fingerprint_of_deployment(_LOCAL + model)}"
    if labels:
        return shown
    return f"{spec.name.removesuffix(model)}{shown}" if spec.name.endswith(f"@{model}") else spec.name
