"""A folder to work in, with no key and no setting of the machine's own."""

from pathlib import Path

import pytest

_PREFIXES = ("ALPACA_", "HELM_", "OPENAI_", "AZURE_", "ANTHROPIC_", "HF_", "SSL_", "REQUESTS_", "CURL_")


@pytest.fixture(autouse=True)
def own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    import os

    for name in list(os.environ):
        if name.startswith(_PREFIXES) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("ALPACA_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("ALPACA_SCENARIOS", str(tmp_path / "scenarios"))
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.chdir(tmp_path)
    return tmp_path
