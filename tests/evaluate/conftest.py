"""Every test has its own scenarios and caches, and HELM's registries as our plugin fills them."""

from pathlib import Path

import pytest

from alpaca_eval_suite.evaluate import progress


@pytest.fixture(autouse=True)
def own_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes outside its own folder, and nobody listens or has asked to stop."""
    monkeypatch.setenv("ALPACA_SCENARIOS", str(tmp_path / "scenarios"))
    monkeypatch.setenv("ALPACA_CACHE_DIR", str(tmp_path / "cache"))
    for name in ("ALPACA_DATA_DIR", "ALPACA_VERDICT_CACHE", "ALPACA_JUDGE_CARDS", "ALPACA_ENDPOINTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(progress, "_listeners", [])
    progress._stop.clear()


@pytest.fixture(scope="session")
def helm() -> None:
    """HELM with its own configuration and our plugin, as helm-run sees it."""
    from helm.benchmark.config_registry import register_builtin_configs_from_helm_package

    import alpaca_eval_suite.helm_plugin  # noqa: F401

    register_builtin_configs_from_helm_package()
