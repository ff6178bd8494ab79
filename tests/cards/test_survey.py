"""What is known of each scenario without a download."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alpaca_eval_suite.cards.survey import Surveyed, look_at, survey
from alpaca_eval_suite.errors import UsageError

MakeScenario = Callable[..., Path]
CONTENT = b'{"id": "1", "instruction": "x"}\n'
REMOTE = {
    "url": "https://example.org/remote.jsonl",
    "sha256": hashlib.sha256(CONTENT).hexdigest(),
    "size": len(CONTENT),
}


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def refuse(*_: Any) -> None:
        raise AssertionError("a survey must not call anyone")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def test_data_beside_the_card(scenario: MakeScenario) -> None:
    scenario()
    assert look_at("trial") == Surveyed("trial", "shipped", 2, None, "preference", "CC0-1.0", "Trial")


def test_data_that_would_be_downloaded(scenario: MakeScenario) -> None:
    scenario(data=REMOTE, baseline={
        "name": "b", "licence": "x", "source": "y", "data": {"file": "data.jsonl"}, "columns": {"id": "id"},
    })  # fmt: skip
    found = look_at("trial")
    assert (found.state, found.items, found.n_bytes, found.baseline) == (
        "to be downloaded", None, len(CONTENT), "shipped",
    )  # fmt: skip


@pytest.mark.parametrize("place", ["cached", "in $ALPACA_DATA_DIR"])
def test_data_that_is_here_already(
    scenario: MakeScenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    scenario(data=REMOTE)
    folder = tmp_path / ("cache/data" if place == "cached" else "mine/deep")
    folder.mkdir(parents=True)
    monkeypatch.setenv("ALPACA_DATA_DIR", str(tmp_path / "mine"))
    name = f"{REMOTE['sha256'][:16]}-remote.jsonl" if place == "cached" else "remote.jsonl"  # type: ignore[index]
    (folder / name).write_bytes(b"another file of this name")
    assert look_at("trial").state == "to be downloaded"
    (folder / name).write_bytes(CONTENT)
    assert (look_at("trial").state, look_at("trial").items) == (place, 1)


def test_broken_ones_stand_in_the_list_with_the_reason(scenario: MakeScenario) -> None:
    scenario(name="no_data")
    shutil.copytree(scenario(name="other"), scenario(name="x").parent / "renamed")
    bad_row = scenario([{"id": "1"}], name="bad_row")
    (scenario(name="gone") / "data.jsonl").unlink()
    found = {one.name: one for one in survey()}
    assert {name: one.why.split(": ", 1)[1] for name, one in found.items() if one.state == "broken"} == {
        "bad_row": "has no 'instruction'",
        "gone": "is missing",
        "renamed": "name is 'other', but the folder is 'renamed'",
    }
    assert found["bad_row"].why.startswith(str(bad_row))
    assert found["bad_row"].licence == "CC0-1.0"
    assert found["capitals"].items == 195


def test_an_unknown_name() -> None:
    with pytest.raises(UsageError, match="no scenario is named 'nowhere'"):
        look_at("nowhere")
