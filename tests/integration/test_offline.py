"""A whole evaluation where there is no network: in a network namespace with nothing in it, or behind our own guard."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

WriteScenario = Callable[..., Path]
MakeCheckpoint = Callable[..., Path]

NOBODY = "192.0.2.1"  # RFC 5737: an address that belongs to no machine


def can_unshare() -> bool:
    line = ["unshare", "--net", "true"]
    return (
        shutil.which("unshare") is not None and subprocess.run(line, capture_output=True, check=False).returncode == 0
    )


@pytest.mark.parametrize("cut", ["unshare", "guard"])
def test_an_evaluation_without_a_network(
    place: Any, write_scenario: WriteScenario, make_checkpoint: MakeCheckpoint, cut: str
) -> None:
    if cut == "unshare" and not can_unshare():
        pytest.skip("this user may not make a network namespace; the guard is tested beside")
    write_scenario(4)
    line = ["alpaca-suite", "eval", "--model", str(make_checkpoint("tiny")), "--scenario", "trial", "--max-tokens", "4"]
    if cut == "unshare":
        line = ["/usr/bin/env", "unshare", "--net", str(Path(sys.executable).parent / line[0]), *line[1:]]
    # A proxy that would be asked, if anything asked: with the network cut that would be an error, not a hang.
    proxies = {"HTTPS_PROXY": f"http://{NOBODY}:9", "HTTP_PROXY": f"http://{NOBODY}:9", "NO_PROXY": ""}
    done = place.run(*line, ALPACA_OFFLINE="1", **proxies)
    assert done.returncode == 0, done.stderr
    record = place.the_run().record
    assert (record.scenario.n_items, record.rates["win_rate"].n, record.model.name) == (4, 4, "tiny")
    assert (place.folder / "results/leaderboard.md").exists()


def test_what_needs_the_network_is_refused_by_name(
    place: Any, write_scenario: WriteScenario, make_checkpoint: MakeCheckpoint
) -> None:
    write_scenario(2)
    (place.folder / "endpoints.yaml").write_text(f"endpoints: {{lab: {{base_url: 'http://{NOBODY}/v1', model: m}}}}\n")
    folder = str(make_checkpoint("tiny"))
    for options, words in [
        (("--model", "endpoint/lab", "--scenario", "trial"), f"endpoint lab: is on the network ({NOBODY})"),
        (("--model", folder, "--scenario", "trial", "--judge", "endpoint/lab"), "endpoint lab: is on the network"),
        (("--model", folder, "--scenario", "user_oriented"), "is on the network (raw.githubusercontent.com)"),
    ]:
        done = place.run("alpaca-suite", "eval", *options, ALPACA_OFFLINE="1")
        assert done.returncode == 1, (options, done.stderr)
        assert words in done.stderr
        assert "ALPACA_OFFLINE" in done.stderr
        assert "Traceback" not in done.stderr
    done = place.eval("simple/model1", "--judge", "openai/gpt-4o-mini-2024-07-18", ALPACA_OFFLINE="1")
    assert done.returncode == 1, done.stderr
    assert "openai/gpt-4o-mini-2024-07-18: is on the network" in done.stderr
    assert place.runs() == []
