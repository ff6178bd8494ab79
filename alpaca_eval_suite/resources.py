"""Finds what lies outside the Python code: scenarios/, run_specs/ and the per-user cache.

The one place that knows whether the package runs from a checkout or from an installed wheel.
"""

import os
from pathlib import Path

_PACKAGE = Path(__file__).parent
_APP = "alpaca-eval-suite"


def resource_dir(name: str) -> Path:
    """The folder `name` ("scenarios", "run_specs") of the checkout, or its copy in an installed wheel.

    Raises FileNotFoundError where neither exists, which means a broken installation.
    """
    installed, checkout = _PACKAGE / "_data" / name, _PACKAGE.parent / name
    if installed.is_dir():
        return installed
    # A folder of this name beside an installed package (site-packages/scenarios) is somebody else's.
    if checkout.is_dir() and _is_checkout():
        return checkout
    raise FileNotFoundError(f"{name}/ is in neither the checkout nor the installed package {_PACKAGE}")


def _is_checkout() -> bool:
    return (_PACKAGE.parent / "pyproject.toml").is_file()


def scenario_roots() -> list[Path]:
    """Folders that hold scenario folders: the user's own ($ALPACA_SCENARIOS, path-separated), then ours."""
    return [*_folders_of("ALPACA_SCENARIOS"), resource_dir("scenarios")]


def data_dirs() -> list[Path]:
    """Folders ($ALPACA_DATA_DIR, path-separated) searched for a card's data file before any download."""
    return _folders_of("ALPACA_DATA_DIR")


def cache_dir() -> Path:
    """The per-user cache: $ALPACA_CACHE_DIR, else the platform's own place ($XDG_CACHE_HOME is honoured)."""
    if override := os.environ.get("ALPACA_CACHE_DIR"):
        return Path(override).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path(_APP, appauthor=False)


def _folders_of(variable: str) -> list[Path]:
    return [Path(part).expanduser() for part in os.environ.get(variable, "").split(os.pathsep) if part]
