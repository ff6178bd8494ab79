"""A run of a judge that everything happens to; benchmarks/judge_faults.py is the same at full size."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "judge_faults.py"


@pytest.mark.slow
def test_faults_kills_and_company_lose_nothing_and_cost_nothing_twice() -> None:
    line = [sys.executable, str(SCRIPT), "--pairs", "120", "--kills", "20", "--seed", "5", "--json"]
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=500)
    rows = [json.loads(row) for row in done.stdout.splitlines()]
    assert rows, done.stderr
    assert [row for row in rows if not row["fine"]] == []
    assert {row["run"] for row in rows} == {"killed", "together", "poor", "then with enough"}
    assert done.returncode == 0, done.stderr
