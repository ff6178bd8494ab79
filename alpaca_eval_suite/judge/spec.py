"""Finding a judge by what was typed: a shipped form, a file, a form or file with a model, or a model alone."""

import difflib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.files import read_text
from alpaca_eval_suite.judge.schema import BUILTINS, JudgeSpec, PanelSpec, judge_hash
from alpaca_eval_suite.models.embedded import EMBEDDED_MODELS
from alpaca_eval_suite.resources import resource_dir

__all__ = [
    "DEFAULT_FORM",
    "JudgeSpec",
    "PanelSpec",
    "judge_hash",
    "load_judge",
    "load_members",
    "no_model",
    "shipped_judges",
]

DEFAULT_FORM = "letter"
"""In which form a judge is asked of whom only the model is named."""

_ENDINGS = (".yaml", ".yml")
_REMOTE = ("endpoint/", "helm/")
_Spec = TypeVar("_Spec", JudgeSpec, PanelSpec)
_HOW_TO = "docs/judge_files.md explains every key of a judge's file."


def load_judge(name: str) -> JudgeSpec | PanelSpec:
    """The judge that `name` stands for.

    A shipped name (`ratings`), the path of a YAML file, either with a model (`ratings@endpoint/NAME`), a model alone
    (`endpoint/NAME`, `helm/ORGANISATION/MODEL`, a checkpoint folder, an embedded model: asked for a letter), or
    `builtin:checks` and `builtin:longer`. A file that gives a form alone comes back without a model.
    Raises UsageError for an unknown name, SuiteError for a file that is wrong.
    """
    if name.startswith("builtin:"):
        if name not in BUILTINS:
            raise _unknown(name)
        return JudgeSpec.model_validate({"name": name, "model": name})
    if (path := _file_of(name)) is not None:
        return _read(path)
    form, at, model = name.partition("@")
    if at and (path := _file_of(form)) is not None:
        return _with_model(_read(path), form if form in shipped_judges() else path.stem, model)
    if _is_model(name):
        return _with_model(_read(_shipped(DEFAULT_FORM)), DEFAULT_FORM, name)
    raise _unknown(form if at else name)


def load_members(panel: PanelSpec) -> tuple[JudgeSpec, ...]:
    """The judges of a panel, each with its model.

    Raises UsageError for a member that is unknown, has no model, or is a panel itself.
    """
    members = []
    for name in panel.panel:
        member = load_judge(name)
        if isinstance(member, PanelSpec):
            raise UsageError(f"{name} is a panel itself", where=f"panel {panel.name}", next_step="Name its judges.")
        if member.model is None:
            raise no_model(name, f"panel {panel.name}")
        members.append(member)
    return tuple(members)


def no_model(name: str, where: str | None = None) -> UsageError:
    """The error for a judge that is a form only."""
    next_step = f"Name one: {name}@endpoint/NAME, {name}@helm/ORGANISATION/MODEL or {name}@FOLDER."
    return UsageError(f"the judge {name} is a form without a model", where=where, next_step=next_step)


def shipped_judges() -> tuple[str, ...]:
    """The names of the judge files that come with the suite, sorted."""
    return tuple(sorted(path.stem for path in (resource_dir("run_specs") / "judges").glob("*.yaml")))


def _shipped(name: str) -> Path:
    return resource_dir("run_specs") / "judges" / f"{name}.yaml"


def _file_of(name: str) -> Path | None:
    if name in shipped_judges():
        return _shipped(name)
    path = Path(name).expanduser()
    return path if path.suffix in _ENDINGS and path.is_file() else None


def _is_model(name: str) -> bool:
    return name.startswith(_REMOTE) or name in EMBEDDED_MODELS or (name != "" and Path(name).expanduser().is_dir())


def _with_model(spec: JudgeSpec | PanelSpec, form: str, model: str) -> JudgeSpec:
    name = f"{form}@{model}"
    if isinstance(spec, PanelSpec):
        raise UsageError(f"{form} is a panel, which names its models itself", where=name)
    if spec.is_builtin:
        raise UsageError(f"{form} stands for {spec.model}, which takes no model", where=name)
    if not _is_model(model):
        raise UsageError(
            f"there is no model {model!r}: neither a folder nor an embedded model",
            where=name,
            next_step=f"Give endpoint/NAME, helm/ORGANISATION/MODEL, a checkpoint folder, or one of: "
            f"{', '.join(EMBEDDED_MODELS)}.",
        )
    return spec.model_copy(update={"name": name, "model": model})


def _read(path: Path) -> JudgeSpec | PanelSpec:
    raw = _load_yaml(path)
    if "panel" in raw:
        return _validated(PanelSpec, path, {"name": path.stem, **raw, "panel": _members(path, raw["panel"])})
    model = raw.get("model")
    if isinstance(model, str):
        raw["model"] = _beside(path, model)
    return _validated(JudgeSpec, path, {"name": path.stem, **_with_template(path, raw)})


def _load_yaml(path: Path) -> dict[str, Any]:
    import yaml

    try:
        raw = yaml.safe_load(read_text(path))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise SuiteError(f"is not valid YAML ({error})", where=str(path), next_step=_HOW_TO) from error
    if not isinstance(raw, dict) or not all(isinstance(key, str) for key in raw):
        raise SuiteError("does not hold keys with values", where=str(path), next_step=_HOW_TO)
    return raw


def _with_template(path: Path, raw: dict[str, Any]) -> dict[str, Any]:
    """With the text of `template_file`, or the form's own template where the file has neither."""
    values = dict(raw)
    if "template_file" in values:
        file = str(values.pop("template_file"))
        if "template" in values or Path(file).name != file:
            problem = "either template or template_file, the name of a file in the same folder"
            raise SuiteError(problem, where=str(path), next_step=_HOW_TO)
        values["template"] = read_text(path.parent / file)
    elif "template" not in values and not str(values.get("model") or "").startswith("builtin:"):
        form = values.get("form", DEFAULT_FORM)
        if form in shipped_judges():
            shipped = _shipped(form)
            values["template"] = _with_template(shipped, _load_yaml(shipped))["template"]
    return values


def _members(path: Path, members: Any) -> Any:
    return [_beside(path, str(member)) for member in members] if isinstance(members, list) else members


def _beside(path: Path, name: str) -> str:
    """`name` with what is relative in it (a judge's file, a model's folder written ./ or ../) taken from `path`."""
    form, at, model = name.partition("@")
    parts = [
        str(path.parent / part) if part.endswith(_ENDINGS) or part.startswith(("./", "../")) else part
        for part in (form, model)
    ]
    return at.join(parts)


def _validated(kind: type[_Spec], path: Path, values: dict[str, Any]) -> _Spec:
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise SuiteError("; ".join(map(_problem, error.errors())), where=str(path), next_step=_HOW_TO) from error


def _problem(item: Any) -> str:
    message = "is not a key of a judge's file" if item["type"] == "extra_forbidden" else item["msg"]
    place = ".".join(str(part) for part in item["loc"])
    return f"{place}: {message}".removeprefix(": ").replace("Value error, ", "")


def _unknown(name: str) -> UsageError:
    known = [*shipped_judges(), *BUILTINS, *EMBEDDED_MODELS]
    near = difflib.get_close_matches(name, known, n=2)
    hint = f"Did you mean {' or '.join(near)}? " if near else ""
    if "/" in name and not name.endswith(_ENDINGS):
        hint += f"A deployment of HELM's is written helm/{name}. "
    what = "there is no file" if name.endswith(_ENDINGS) else "no judge is named"
    return UsageError(
        f"{what} {name!r}",
        next_step=f"{hint}There are: {', '.join(known)}; a judge's file ending in .yaml; endpoint/NAME, "
        "helm/ORGANISATION/MODEL or a checkpoint folder.",
    )
