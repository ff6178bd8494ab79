"""torch, threads, the plugin, the cache folder."""

import os
import sys
from pathlib import Path

import pytest

from alpaca_eval_suite.doctor import machine
from alpaca_eval_suite.doctor.ask import Asked
from alpaca_eval_suite.doctor.machine import cache_findings, plugin_finding, threads_finding, torch_finding


def torch_says(gpus: list[str], built_for: str | None) -> Asked:
    return Asked({"version": "2.13.0", "gpus": gpus, "built_for": built_for})


@pytest.mark.parametrize(
    ("asked", "state", "words"),
    [
        (None, "warn", "not installed"),
        (Asked(error="ImportError: libcudart"), "fail", "cannot be imported: ImportError: libcudart"),
        (torch_says(["NVIDIA H100"], "12.8"), "ok", "GPU: NVIDIA H100"),
        (torch_says([], "12.8"), "warn", "built for CUDA 12.8, but no GPU is seen"),
        (torch_says([], None), "ok", "answers are made on the CPU"),
    ],
)
def test_torch(asked: Asked | None, state: str, words: str) -> None:
    finding = torch_finding(asked)
    assert finding.state == state
    assert words in finding.detail


@pytest.mark.parametrize(
    ("said", "state"), [(None, "ok"), ("2", "ok"), ("1", "ok"), ("16", "warn"), ("many", "warn"), ("0", "warn")]
)
def test_threads(said: str | None, state: str) -> None:
    finding = threads_finding(2, {} if said is None else {"OMP_NUM_THREADS": said})
    assert finding.state == state
    assert "2 may be used" in finding.detail


@pytest.mark.parametrize(
    ("asked", "state"), [(None, "warn"), (Asked(error="ImportError: x"), "fail"), (Asked(0), "fail"), (Asked(1), "ok")]
)
def test_the_plugin(asked: Asked | None, state: str) -> None:
    assert plugin_finding(asked).state == state


def test_the_cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "data").write_bytes(b"x" * 1_500_000)
    cache, disk = cache_findings(tmp_path / "cache")
    assert (cache.state, cache.detail) == ("ok", f"{tmp_path / 'cache'}, 1.5 MB in it")
    assert disk.name == "Disk"
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda _: _Usage(free=10**9))
    assert [finding.state for finding in cache_findings(tmp_path / "cache")] == ["ok", "warn"]


class _Usage:
    def __init__(self, free: int) -> None:
        self.free = free


def test_a_cache_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    [finding] = cache_findings(tmp_path / "file" / "cache")
    assert finding.state == "fail"
    assert "cannot be written" in finding.detail
    assert "ALPACA_CACHE_DIR" in finding.advice


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such count")
def test_cores() -> None:
    assert 1 <= machine.usable_cores() <= (os.cpu_count() or 1)
