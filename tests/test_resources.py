"""Where scenarios, run specs and the cache are found: in a checkout, in a wheel, by environment variables."""

import os
from pathlib import Path

import pytest

from alpaca_eval_suite import resources
from alpaca_eval_suite.resources import cache_dir, data_dirs, resource_dir, scenario_roots

CHECKOUT = Path(__file__).parents[1]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A made-up place of the package, in a folder that is neither a checkout nor a wheel yet."""
    folder = tmp_path / "site-packages" / "alpaca_eval_suite"
    folder.mkdir(parents=True)
    monkeypatch.setattr(resources, "_PACKAGE", folder)
    return folder


def test_this_checkout_is_found() -> None:
    assert resource_dir("scenarios") == CHECKOUT / "scenarios"
    assert resource_dir("run_specs") == CHECKOUT / "run_specs"


def test_a_checkout_is_known_by_its_pyproject(package: Path) -> None:
    ours = package.parent / "scenarios"
    ours.mkdir()
    with pytest.raises(FileNotFoundError, match="scenarios/ is in neither"):
        resource_dir("scenarios")
    (package.parent / "pyproject.toml").write_text("")
    assert resource_dir("scenarios") == ours


def test_a_wheel_uses_its_own_copy_whatever_lies_beside_it(package: Path) -> None:
    (package / "_data" / "scenarios").mkdir(parents=True)
    # Some packages leave such files in site-packages.
    (package.parent / "scenarios").mkdir()
    (package.parent / "pyproject.toml").write_text("")
    assert resource_dir("scenarios") == package / "_data" / "scenarios"


def test_user_scenarios_come_first(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = package / "_data" / "scenarios"
    ours.mkdir(parents=True)
    monkeypatch.delenv("ALPACA_SCENARIOS", raising=False)
    assert scenario_roots() == [ours]
    monkeypatch.setenv("ALPACA_SCENARIOS", os.pathsep.join([str(tmp_path / "a"), "", str(tmp_path / "b")]))
    assert scenario_roots() == [tmp_path / "a", tmp_path / "b", ours]


def test_data_dirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ALPACA_DATA_DIR", raising=False)
    assert data_dirs() == []
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ALPACA_DATA_DIR", f"~/data{os.pathsep}relative")
    assert data_dirs() == [tmp_path / "data", Path("relative")]


def test_cache_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ALPACA_CACHE_DIR", "~/fast disk")
    assert cache_dir() == tmp_path / "fast disk"
    monkeypatch.setenv("ALPACA_CACHE_DIR", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_dir().name == "alpaca-eval-suite"
    assert cache_dir().is_relative_to(tmp_path)
