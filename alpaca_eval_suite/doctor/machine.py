"""The machine: torch and its device, cores, HELM with our plugin, the cache folder and the disk."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

from alpaca_eval_suite.doctor.ask import Asked, ask_python
from alpaca_eval_suite.doctor.finding import Finding
from alpaca_eval_suite.resources import cache_dir

_TORCH = (
    "import json, torch\n"
    "print(json.dumps({'version': torch.__version__, 'gpus': [torch.cuda.get_device_name(n) for n in "
    "range(torch.cuda.device_count())], 'built_for': torch.version.cuda}))"
)
_PLUGIN = (
    "import importlib.metadata, json\n"
    "found = [p for p in importlib.metadata.entry_points(group='helm') if p.name == 'alpaca_eval_suite']\n"
    "[p.load() for p in found]\n"
    "print(json.dumps(len(found)))"
)
_ROOM = 2 << 30  # bytes: an embedded model, its cache and a run


def check_machine() -> list[Finding]:
    """All of this module's findings on this machine."""
    asked = ask_python(_TORCH) if find_spec("torch") else None
    helm = ask_python(_PLUGIN) if find_spec("helm") else None
    return [
        torch_finding(asked),
        threads_finding(usable_cores(), os.environ),
        plugin_finding(helm),
        *cache_findings(cache_dir()),
    ]


def usable_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def torch_finding(asked: Asked | None) -> Finding:
    """From what torch says of itself; None where it is not installed."""
    if asked is None:
        return Finding(
            "torch", "warn", "not installed", "Local checkpoints need it: pip install 'alpaca-eval-suite[helm]'"
        )
    if asked.error:
        return Finding("torch", "fail", f"cannot be imported: {asked.error}", "Install torch anew.")
    version, gpus = asked.value["version"], asked.value["gpus"]
    if gpus:
        return Finding("torch", "ok", f"{version}, GPU: {', '.join(gpus)}")
    if asked.value["built_for"]:
        detail = f"{version}, built for CUDA {asked.value['built_for']}, but no GPU is seen"
        return Finding("torch", "warn", detail, "Fine without a GPU; else look at nvidia-smi and CUDA_VISIBLE_DEVICES.")
    return Finding("torch", "ok", f"{version}, no GPU: answers are made on the CPU")


def threads_finding(cores: int, environment: Mapping[str, str]) -> Finding:
    """How many threads torch will use, from the cores and $OMP_NUM_THREADS."""
    said = environment.get("OMP_NUM_THREADS")
    policy = environment.get("OMP_WAIT_POLICY")
    beside = f", OMP_WAIT_POLICY {policy}" if policy else ""
    if said is None:
        return Finding("Cores", "ok", f"{cores} may be used, and torch takes them (OMP_NUM_THREADS is not set){beside}")
    detail = f"{cores} may be used, OMP_NUM_THREADS is {said!r}{beside}"
    if not said.isdigit() or int(said) < 1:
        return Finding("Cores", "warn", detail, "Set it to a whole number, or unset it.")
    if int(said) > cores:
        return Finding("Cores", "warn", detail, f"More threads than cores are slow: export OMP_NUM_THREADS={cores}")
    return Finding("Cores", "ok", detail)


def plugin_finding(asked: Asked | None) -> Finding:
    """Whether HELM loads our plugin: a plugin that raises only makes HELM warn. None: HELM is not installed."""
    name = "HELM plugin"
    if asked is None:
        return Finding(name, "warn", "HELM is not installed", "Type: pip install 'alpaca-eval-suite[helm]'")
    if asked.error:
        return Finding(
            name, "fail", f"does not load: {asked.error}", "Mend what the findings above name, then try again."
        )
    if not asked.value:
        return Finding(
            name, "fail", "HELM does not see it", "Install the suite into this environment: pip install -e ."
        )
    return Finding(name, "ok", "loads")


def cache_findings(folder: Path) -> Iterator[Finding]:
    """Whether the user's cache folder can be written, how large it is, and how much room is left."""
    name = "Cache folder"
    advice = "Set ALPACA_CACHE_DIR to a folder that can be written."
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        yield Finding(name, "fail", f"{folder} cannot be written ({error.strerror or error})", advice)
        return
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    yield Finding(name, "ok", f"{folder}, {_gigabytes(size)} in it")
    free = shutil.disk_usage(folder).free
    detail = f"{_gigabytes(free)} free at {folder}"
    if free < _ROOM:
        yield Finding("Disk", "warn", detail, f"Free some space: a first run takes up to {_gigabytes(_ROOM)}.")
    else:
        yield Finding("Disk", "ok", detail)


def _gigabytes(n_bytes: int) -> str:
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e8 else f"{n_bytes / 1e6:.1f} MB"
