"""Records and entries of version 1, as they were written then, are read as the present version has them."""

import json
from pathlib import Path
from typing import Any

import pytest

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.leaderboard.entry import read_entry
from alpaca_eval_suite.leaderboard.record import RUN_FILE, read_record

FINGERPRINT = "e69f2378" + "0" * 56

VERSION_1_RUN: dict[str, Any] = {
    "schema_version": 1,
    "run": "alpaca_mini:judge=builtin_checks",
    "date": "2026-01-31T12:00:00+00:00",
    "scenario": {
        "name": "mini",
        "sha256": "f7" * 32,
        "metric": "preference",
        "licence": "Apache-2.0",
        "n_items": 72,
    },
    "model": {
        "name": "m",
        "deployment": "alpaca/m",
        "fingerprint": FINGERPRINT,
        "served_id": None,
        "dtype": "float32",
        "device": "cpu",
        "batch_size": "16",
    },
    "prompt": {"format": "chat", "sha256": "12" * 32, "trained_with": None, "mismatch": False},
    "decoding": {
        "max_tokens": 256,
        "temperature": 0.0,
        "stop": [],
        "thinking": "strip",
        "thinking_tokens": 0,
    },
    "baseline": {"name": "b", "sha256": "5d" * 32, "served_id": None},
    "judge": {
        "name": "builtin:checks",
        "served_id": None,
        "template_sha256": None,
        "orders": "single",
        "seed": 3,
        "calibrated": True,
        "agreement": "agrees with readers in 53 %",
        "has_information": True,
    },
    "rates": {
        "win_rate": {
            "value": 0.7,
            "ci": {"low": 0.6, "high": 0.8, "level": 0.95, "method": "bca"},
            "n": 72,
            "n_failed": 0,
        }
    },
    "differences": {},
    "numbers": {"mean_length": 360.125},
    "win_rate": {"n": 72, "win_rate": 0.7},
    "slices": {},
    "versions": {"python": "3.11.2"},
    "notes": ["Said then."],
}
VERSION_1_ENTRY: dict[str, Any] = {
    "schema_version": 1,
    "name": "m",
    "fingerprint": FINGERPRINT,
    "served_id": None,
    "runs": [VERSION_1_RUN],
}


def write(path: Path, value: object) -> Path:
    path.write_text(json.dumps(value))
    return path


def test_a_record_of_version_1_keeps_what_it_held(tmp_path: Path) -> None:
    write(tmp_path / RUN_FILE, VERSION_1_RUN)
    run = read_record(tmp_path)
    dumped = run.model_dump(mode="json")
    assert (run.schema_version, run.source, run.raw, run.panel) == (2, "helm", None, None)
    assert (run.guards, run.length_controlled, run.cost_usd, run.stopped_early) == ((), None, None, False)
    assert run.judge is not None
    assert run.judge.hash is None
    assert run.seed == run.judge.seed == 3
    for key in VERSION_1_RUN.keys() - {"schema_version", "judge"}:
        assert dumped[key] == VERSION_1_RUN[key]
    assert {**dumped["judge"], "hash": None} == {**VERSION_1_RUN["judge"], "hash": None}


def test_a_record_without_a_judge_has_seed_0(tmp_path: Path) -> None:
    write(tmp_path / RUN_FILE, {**VERSION_1_RUN, "judge": None})
    assert read_record(tmp_path).seed == 0


def test_an_entry_of_version_1_is_read_with_its_runs(tmp_path: Path) -> None:
    entry = read_entry(write(tmp_path / "m.json", VERSION_1_ENTRY))
    assert (entry.schema_version, entry.name, entry.fingerprint) == (2, "m", FINGERPRINT)
    assert entry.runs[0].rates["win_rate"].value == 0.7
    again = read_entry(write(tmp_path / "again.json", entry.model_dump(mode="json")))
    assert again == entry


@pytest.mark.parametrize("version", [3, 0, -1, "2", 1.5, True, [2]])
def test_another_version_is_refused_and_nothing_is_changed(tmp_path: Path, version: object) -> None:
    of_run = {**VERSION_1_RUN, "schema_version": version}
    for value in ({**VERSION_1_ENTRY, "schema_version": version}, {**VERSION_1_ENTRY, "runs": [of_run]}):
        path = write(tmp_path / "m.json", value)
        before = path.read_bytes()
        with pytest.raises(SuiteError, match=r"is of schema_version .*, this program reads 1 to 2") as caught:
            read_entry(path)
        assert caught.value.where == str(path)
        assert "Nothing was changed" in str(caught.value)
        assert ("Update" in str(caught.value)) == (version == 3)
        assert path.read_bytes() == before
    write(tmp_path / RUN_FILE, of_run)
    with pytest.raises(SuiteError, match="is of schema_version"):
        read_record(tmp_path)


@pytest.mark.parametrize("value", [[], "text", None, {"runs": 3}, {"schema_version": 1}, {"runs": [None]}])
def test_what_is_no_entry_is_refused_as_such(tmp_path: Path, value: object) -> None:
    with pytest.raises(SuiteError, match="is not a leaderboard entry of version 2"):
        read_entry(write(tmp_path / "m.json", value))
