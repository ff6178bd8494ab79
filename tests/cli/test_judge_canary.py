"""`alpaca-suite judge canary`: by hand, against a real server that changes its mind."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from alpaca_eval_suite.cli.main import cli
from alpaca_eval_suite.errors import PartialError, UsageError

_LABEL = re.compile(r"<answer-A-(\w+)>")


@pytest.fixture
def folder(in_folder: Path, server: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("ALPACA_ENDPOINTS", "ALPACA_OFFLINE", "ALPACA_PRICES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ALPACA_CANARIES", str(in_folder / "canaries"))
    described = {"base_url": server.base_url, "model": "judge-1", "price": {"input": 1.0, "output": 2.0}}
    Path("endpoints.yaml").write_text(yaml.safe_dump({"endpoints": {"judge": described}}))
    return in_folder


def says(server: Any, fake_openai: Any, letter: str) -> None:
    def answer(seen: Any) -> Any:
        found = _LABEL.search(seen.body["messages"][-1]["content"])
        assert found is not None
        return fake_openai.chat(f"VERDICT-{found[1]}: {letter}")

    server.answer = answer


def run(*words: str, judge: str = "endpoint/judge") -> Result:
    return CliRunner().invoke(cli, ["judge", "canary", "--judge", judge, *words])


def test_it_asks_anew_each_time_and_says_what_changed(folder: Path, server: Any, fake_openai: Any) -> None:
    says(server, fake_openai, "A")
    first = run()
    assert first.exit_code == 0
    assert first.output == "canary: the first run of this judge; 24 questions kept to compare with\n"
    for _ in range(3):
        assert "0 of 24 questions answered otherwise" in run().output
    assert len(server.seen) == 96
    says(server, fake_openai, "B")
    changed = run("--json")
    assert isinstance(changed.exception, PartialError)
    found = json.loads(changed.output)
    assert (found["changed"], found["n_earlier"], found["since_last"]["flips"]) == (True, 4, 24)
    assert Path(found["history"]).is_file()


def test_dry_run_and_cap(folder: Path, server: Any, fake_openai: Any) -> None:
    says(server, fake_openai, "A")
    assert "24 questions: 0 answered already, 24 to be asked" in run("--dry-run").output
    assert server.seen == []
    short = run("--max-cost", "0.002")
    assert isinstance(short.exception, PartialError)
    assert "--max-cost is used up" in str(short.exception)
    assert len(server.seen) < 24
    assert run("--max-cost", "1").exit_code == 0
    assert run("--max-cost", "1").exit_code == 0  # what was spent before does not count


@pytest.mark.parametrize("judge", ["builtin:longer", "endpoint/nobody"])
def test_who_cannot_be_asked(folder: Path, judge: str) -> None:
    assert isinstance(run(judge=judge).exception, UsageError)
