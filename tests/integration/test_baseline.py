"""Outputs of a baseline that do not fit the scenario: said at once, with the id, before anything is generated."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

WriteScenario = Callable[..., Path]

ROW = '{{"id": "{}", "output": "red"}}\n'
NEXT_STEP = "\n  Both files must cover the same ids; outputs are joined on id, never on position.\n"


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (("t0", "t2"), "error: mine.jsonl: no output for: t1" + NEXT_STEP),
        (
            ("t0", "t1", "t2", "t9"),
            "error: mine.jsonl: outputs for items that the scenario does not have: t9" + NEXT_STEP,
        ),
        (("t0", "t1", "t2", "t1"), "error: mine.jsonl:4: the id 't1' stands twice\n  Keep one output an id.\n"),
        ((), "error: mine.jsonl: holds no outputs\n"),
    ],
)
def test_ids_that_do_not_fit(place: Any, write_scenario: WriteScenario, ids: tuple[str, ...], message: str) -> None:
    write_scenario(3)
    (place.folder / "mine.jsonl").write_text("".join(ROW.format(name) for name in ids))
    done = place.eval("simple/model1", "--baseline", "mine.jsonl")
    assert (done.returncode, done.stderr, done.stdout) == (1, message, "")
    assert not (place.folder / "prod_env").exists()


def test_no_such_file(place: Any, write_scenario: WriteScenario) -> None:
    write_scenario(3)
    done = place.eval("simple/model1", "--baseline", "mine.jsonl")
    assert done.returncode == 2
    assert "baseline 'mine.jsonl' is neither a file nor a HELM deployment" in done.stderr


def test_a_file_with_a_long_path(place: Any, write_scenario: WriteScenario) -> None:
    """HELM makes file names of a scenario's arguments."""
    write_scenario(3)
    folder = place.folder / ("deep" * 20) / ("down" * 20)
    folder.mkdir(parents=True)
    file = folder / "mine.jsonl"
    file.write_text("".join(ROW.format(f"t{n}") for n in range(3)))
    done = place.eval("simple/model1", "--baseline", str(file))
    assert done.returncode == 0, done.stderr
    record = place.the_run().record
    assert (record.baseline.name, record.rates["win_rate"].value) == ("mine", 1.0)


def test_answers_of_another_deployment(place: Any, write_scenario: WriteScenario) -> None:
    """Two deployments that say the same tie everywhere."""
    write_scenario(3, baseline=None)
    done = place.eval("simple/model1", "--baseline", "simple/model1")
    assert done.returncode == 0, done.stderr
    record = place.the_run().record
    assert (record.baseline.name, record.baseline.sha256) == ("simple/model1", None)
    assert (record.win_rate["wins"], record.win_rate["losses"], record.win_rate["ties"]) == (0, 0, 3)
    assert record.numbers["mean_length"] == record.numbers["mean_length_baseline"] == len("Response:")
