"""What is installed: Python, our extras, and versions that are known to clash."""

import platform
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, distributions, requires

from alpaca_eval_suite.doctor.ask import ask_python
from alpaca_eval_suite.doctor.finding import Finding
from alpaca_eval_suite.doctor.requirements import Requirement, canonical, parse

US, HELM = "alpaca-eval-suite", "crfm-helm"
_OLDEST, _NEWEST = (3, 11), (3, 12)
_ADVICE = "pip install '{us}{extra}'"
_NOT_NEEDED = {"torchvision"}  # HELM asks for it, no text does; where it does not fit torch it has to go
_CLASHES = {
    "accelerate": "crfm-helm's own extras pin accelerate~=0.25: install them not, but ours",
    "openai": "crfm-helm's own extra [openai] pins openai~=2.8: install it not, but ours",
}


def installed() -> dict[str, str]:
    """Every installed package's version, by canonical name."""
    return {canonical(found.metadata["Name"]): found.version for found in distributions() if found.metadata["Name"]}


def requirements_of(package: str) -> list[Requirement]:
    """What the installed package asks for; empty where it is not installed."""
    try:
        return [parse(line) for line in requires(package) or ()]
    except PackageNotFoundError:
        return []


def check_packages() -> list[Finding]:
    """All of this module's findings on this environment."""
    versions, ours = installed(), requirements_of(US)
    return [
        python_finding(sys.version_info[:2]),
        *own_findings(versions, ours),
        *clashes(versions, ours, requirements_of(HELM)),
        *torchvision_finding(versions),
    ]


def python_finding(version: tuple[int, ...]) -> Finding:
    """Whether the suite was tried on this Python."""
    text = f"{platform.python_version()} ({sys.executable})"
    if version < _OLDEST:
        what = "scipy and others need 3.11: make a new environment with python3.11 or python3.12."
        return Finding("Python", "fail", text, what)
    if version > _NEWEST:
        return Finding("Python", "warn", text, "Tested with 3.11 and 3.12; use one of them if something breaks.")
    return Finding("Python", "ok", text)


def own_findings(versions: Mapping[str, str], ours: Sequence[Requirement]) -> Iterator[Finding]:
    """The suite itself, its base packages, and each extra: whole, in part, or not installed."""
    if US not in versions:
        yield Finding("alpaca-eval-suite", "fail", "runs from source, is not installed", "Type: pip install -e .")
        return
    base = [one for one in ours if one.extra is None and not one.conditional]
    missing = _missing(base, versions)
    if missing:
        detail = f"{versions[US]}, without {', '.join(missing)}"
        yield Finding("alpaca-eval-suite", "fail", detail, f"Type: {_ADVICE.format(us=US, extra='')}")
    else:
        yield Finding("alpaca-eval-suite", "ok", versions[US])
    extras: dict[str, list[Requirement]] = {}
    for one in ours:
        if one.extra:
            extras.setdefault(one.extra, []).append(one)
    for extra, needed in extras.items():
        yield _extra_finding(extra, needed, versions)


def _extra_finding(extra: str, needed: Sequence[Requirement], versions: Mapping[str, str]) -> Finding:
    missing, name = _missing(needed, versions), f"Extra [{extra}]"
    advice = f"Type: {_ADVICE.format(us=US, extra=f'[{extra}]')}"
    if not missing:
        return Finding(name, "ok", ", ".join(f"{one.name} {versions[one.name]}" for one in needed))
    if extra == "helm":
        whole = len(missing) == len(needed)
        detail = "not installed" if whole else f"without {', '.join(missing)}"
        return Finding(name, "warn" if whole else "fail", detail, f"eval and quickstart need it. {advice}")
    return Finding(name, "ok", f"not installed as a whole (without {', '.join(missing)}); needed only for its own work")


def _missing(needed: Iterable[Requirement], versions: Mapping[str, str]) -> list[str]:
    return [one.name for one in needed if not one.conditional and one.name not in versions]


def clashes(
    versions: Mapping[str, str], ours: Sequence[Requirement], helms: Sequence[Requirement]
) -> Iterator[Finding]:
    """Installed versions outside what we or HELM ask for, and packages that need an environment of their own."""
    by = ((US, ours), (HELM, [one for one in helms if one.extra is None]))
    found = False
    for package, needed in by:
        for one in needed:
            version = versions.get(one.name)
            if version is None or one.conditional or one.name in _NOT_NEEDED or one.is_met_by(version):
                continue
            found = True
            why = f" ({_CLASHES[one.name]})" if one.name in _CLASHES else ""
            detail = f"{version} is installed, {package} needs {one.versions}{why}"
            yield Finding(one.name, "fail", detail, f"Type: pip install '{one.name}{one.versions}'")
    if "vllm" in versions:
        detail = f"{versions['vllm']} is installed beside us; it wants a torch and a transformers of its own"
        yield Finding("vllm", "warn", detail, "Run vLLM in an environment of its own and name it as an endpoint.")
    if not found:
        yield Finding("Versions", "ok", "none that is known to clash")


def torchvision_finding(versions: Mapping[str, str]) -> Iterator[Finding]:
    """A torchvision that does not fit torch breaks every import of transformers."""
    if "torchvision" not in versions or "torch" not in versions:
        return
    error = ask_python("import torchvision").error
    if error:
        detail = f"{versions['torchvision']} does not fit torch {versions['torch']}: {error}"
        yield Finding(
            "torchvision", "fail", detail,
            "It breaks every import of transformers, and no text needs it. Type: pip uninstall torchvision",
        )  # fmt: skip
    else:
        yield Finding("torchvision", "ok", versions["torchvision"])
