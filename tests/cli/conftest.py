"""A folder of HELM's output with one finished run of ours."""

from pathlib import Path

import pytest

from alpaca_eval_suite.leaderboard.raw import RawItem, raw_record, write_raw
from alpaca_eval_suite.leaderboard.record import RAW_FILE, RunRecord, write_record

RUN = {
    "run": "alpaca_capitals:model=m",
    "date": "2026-01-31T12:00:00+00:00",
    "scenario": {
        "name": "capitals",
        "sha256": "4" * 64,
        "metric": "short_answer",
        "licence": "CC0-1.0",
        "n_items": 197,
    },
    "model": {
        "name": "SmolLM2-135M-Instruct",
        "deployment": "alpaca/m",
        "fingerprint": "a1b2c3d4" + "0" * 56,
    },
    "prompt": {"format": "chat", "sha256": "2" * 64},
    "decoding": {"max_tokens": 64, "temperature": 0.0},
    "rates": {
        "exact": {
            "value": 0.6,
            "ci": {"low": 0.53, "high": 0.666, "level": 0.95, "method": "wilson"},
            "n": 197,
            "n_failed": 0,
        }
    },
}


@pytest.fixture
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, empty."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def with_run(in_folder: Path) -> Path:
    """The current folder, with a run in benchmark_output/runs/s1."""
    items = [RawItem(id="tz_ask", instruction="What is the capital of Tanzania?", output="Dodoma")]
    record = RunRecord.model_validate({**RUN, "raw": raw_record(RAW_FILE, items)})
    folder = in_folder / "benchmark_output" / "runs" / "s1" / record.run
    write_raw(folder / RAW_FILE, items)
    write_record(folder, record)
    return in_folder
