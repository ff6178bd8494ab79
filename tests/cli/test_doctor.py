"""`alpaca-suite doctor`: findings as lines and as JSON, and the exit code."""

import json
from pathlib import Path

import pytest

from alpaca_eval_suite.cli import doctor
from alpaca_eval_suite.cli.main import main
from alpaca_eval_suite.doctor import Finding

FINDINGS = [Finding("Python", "ok", "3.11"), Finding("torch", "warn", "no GPU", "Fine without one.")]
BROKEN = Finding("torchvision", "fail", "does not fit", "Type: pip uninstall torchvision")


@pytest.fixture
def finds(monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    """What the checks find."""
    found = list(FINDINGS)
    monkeypatch.setattr(doctor, "_of_environment", lambda reach: found)
    return found


def test_lines_and_exit_code_0(finds: list[Finding], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    assert capsys.readouterr().out == (
        "ok    Python: 3.11\nwarn  torch: no GPU\n      Fine without one.\n\n1 fine, 1 to know of, 0 wrong\n"
    )


def test_exit_code_1_when_something_is_wrong(finds: list[Finding], capsys: pytest.CaptureFixture[str]) -> None:
    finds.append(BROKEN)
    assert main(["doctor"]) == 1
    assert "FAIL  torchvision: does not fit\n      Type: pip uninstall torchvision\n" in capsys.readouterr().out


def test_json(finds: list[Finding], capsys: pytest.CaptureFixture[str]) -> None:
    finds.append(BROKEN)
    assert main(["doctor", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)[-1] == {
        "name": "torchvision",
        "state": "fail",
        "detail": "does not fit",
        "advice": "Type: pip uninstall torchvision",
    }


def test_a_run_folder(with_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The fixture's run holds our record only."""
    assert main(["doctor", "--run", "benchmark_output"]) == 1
    out = capsys.readouterr().out
    assert "FAIL  Run alpaca_capitals:model=m: did not end: run_spec.json, " in out
    assert main(["doctor", "--run", "nowhere"]) == 2
    assert "nowhere: there is no such folder" in capsys.readouterr().err
