"""A disk that is full says so in the end's message, and nothing that was kept elsewhere is done again."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

WriteScenario = Callable[..., Path]
MakeCheckpoint = Callable[..., Path]


@pytest.fixture
def small_disk(place: Any) -> Iterator[Callable[..., Path]]:
    """small_disk(name, bytes): a file system of that size at this place of the user's folder."""
    mounted: list[Path] = []

    def mount(name: str, size: int) -> Path:
        folder = place.folder / name
        folder.mkdir()
        line = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
        if shutil.which("mount") is None or subprocess.run(line, capture_output=True, check=False).returncode != 0:
            pytest.skip("a small file system can only be mounted by root")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("free", [0, 16 << 10])
def test_full_where_the_runs_are(
    place: Any,
    write_scenario: WriteScenario,
    make_checkpoint: MakeCheckpoint,
    small_disk: Callable[..., Path],
    free: int,
) -> None:
    write_scenario(6)
    make_checkpoint("work/tiny")
    disk = small_disk("disk", 256 << 10)
    with (disk / "fill").open("wb") as fill:
        fill.write(b"x" * ((256 << 10) - free))
    done = place.eval("tiny", "--output-path", "disk/out")
    assert done.returncode == 1
    assert "No space left on device" in done.stderr or "the disk is full" in done.stderr
    assert "disk/out" in done.stderr
    assert "Traceback" not in done.stderr
    if free == 0:
        return  # nothing was begun
    assert len(place.kept()) == 6
    done = place.helm_run(f"alpaca/{place.folder}/tiny", "", "--output-path", "elsewhere")
    assert done.returncode == 0, done.stderr
    assert place.the_run("elsewhere").from_cache == 6


@pytest.mark.slow
def test_full_where_the_cache_is(
    place: Any, write_scenario: WriteScenario, make_checkpoint: MakeCheckpoint, small_disk: Callable[..., Path]
) -> None:
    """HELM itself would wait for ever."""
    write_scenario(4)
    make_checkpoint("work/tiny")
    disk = small_disk("prod_env", 24 << 20)
    fill = disk / "fill"
    fill.write_bytes(b"x" * (23 << 20))
    done = place.eval("tiny")
    assert done.returncode == 1
    assert "prod_env/cache/alpaca.sqlite: the disk is full: under 16 MiB are free for the cache" in done.stderr
    assert "Traceback" not in done.stderr
    fill.unlink()
    done = place.helm_run(f"alpaca/{place.folder}/tiny")
    assert done.returncode == 0, done.stderr
