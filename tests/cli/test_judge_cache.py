"""`judge cache stats|export|prune`: what a person sees, what a script reads, exit codes."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from alpaca_eval_suite.cli.main import cli
from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.judge.cache import Entry, VerdictCache
from alpaca_eval_suite.judge.contracts import Reply, Ruling


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> VerdictCache:
    monkeypatch.setenv("ALPACA_VERDICT_CACHE", str(tmp_path / "verdicts.sqlite3"))
    return VerdictCache()


def fill(cache: VerdictCache) -> None:
    old = datetime.now(UTC) - timedelta(days=100)

    def entry(judge: str, cost: float | None, **more: Any) -> Entry:
        return Entry(Reply("A é"), Ruling(1.0), judge, judge[0] * 64, cost, **more)

    cache.put_many({"1": entry("letter@one", 0.25), "2": entry("letter@one", 0.5, date=old), "3": entry("two", None)})
    cache.get_many(["2"])


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, ["judge", "cache", *args])


def test_stats_for_a_person(cache: VerdictCache) -> None:
    fill(cache)
    lines = run("stats").output.splitlines()
    today = datetime.now(UTC)
    assert lines[0] == str(cache.path)
    assert lines[1].startswith(f"  3 verdicts of {(today - timedelta(days=100)):%Y-%m-%d} to {today:%Y-%m-%d}, 0.")
    assert lines[1].endswith(" MB; saved $0.5000")
    assert lines[2:] == [
        "  letter@one (llllllllllll): 2 for $0.7500, 1 use, saved $0.5000",
        "  two (tttttttttttt): 1 for $0, 0 uses, saved $0",
    ]


def test_stats_for_a_script(cache: VerdictCache) -> None:
    fill(cache)
    found = json.loads(run("stats", "--json").output)
    assert (found["entries"], found["saved"], len(found["judges"])) == (3, 0.5, 2)
    assert found["judges"][0] == {
        "judge": "letter@one", "judge_hash": "l" * 64, "entries": 2, "paid": 0.75, "hits": 1, "saved": 0.5,
    }  # fmt: skip


def test_without_a_cache(cache: VerdictCache) -> None:
    assert run("stats").output.splitlines() == [str(cache.path), "  no verdicts yet"]
    assert json.loads(run("stats", "--json").output)["entries"] == 0
    assert run("export").output == ""
    assert run("prune", "--judge", "x").output == "took out 0 verdicts; left: 0, 0.0 MB\n"
    assert not cache.path.exists()


def test_export(cache: VerdictCache, tmp_path: Path) -> None:
    fill(cache)
    printed = run("export").output
    rows = [json.loads(line) for line in printed.splitlines()]
    assert [(row["key"], row["judge"], row["cost"], row["hits"]) for row in rows] == [
        ("1", "letter@one", 0.25, 0),
        ("2", "letter@one", 0.5, 1),
        ("3", "two", None, 0),
    ]
    assert Reply.from_json(rows[0]["reply"]) == Reply("A é")
    out = tmp_path / "out" / "verdicts.jsonl"
    assert run("export", "--out", str(out)).output == f"wrote {out}: 3 verdicts\n"
    assert out.read_text("utf-8") == printed


def test_an_export_that_fails_leaves_the_old_file(cache: VerdictCache, tmp_path: Path) -> None:
    out = tmp_path / "verdicts.jsonl"
    out.write_text("old")
    cache.path.write_bytes(b"no database " * 100)
    assert isinstance(run("export", "--out", str(out)).exception, SuiteError)
    assert out.read_text() == "old"


def test_prune(cache: VerdictCache) -> None:
    fill(cache)
    assert run("prune", "--older-than", "90d", "--dry-run").output == "would take out 1 verdict of 3\n"
    assert cache.stats().entries == 3
    assert run("prune", "--older-than", "15w", "--judge", "letter@one").output.startswith(
        "took out 0 verdicts; left: 3"
    )
    assert run("prune", "--older-than", "2000h").output.startswith("took out 1 verdict; left: 2")
    assert run("prune", "--judge", "t" * 64).output.startswith("took out 1 verdict; left: 1")
    assert [row["key"] for row in cache.export()] == ["1"]


@pytest.mark.parametrize("age", ["90", "d", "90 d", "-1d", "999999w", ""])
def test_an_age_that_is_none(age: str) -> None:
    result = run("prune", "--older-than", age)
    assert result.exit_code == 2
    assert "Write 12h, 90d or 8w." in result.output


def test_prune_of_everything_is_not_a_slip_away(cache: VerdictCache) -> None:
    fill(cache)
    assert isinstance(run("prune").exception, UsageError)
    assert cache.stats().entries == 3


@pytest.mark.parametrize("command", [["stats"], ["export"], ["prune", "--judge", "x"]])
def test_a_damaged_file_is_an_error_here(cache: VerdictCache, command: list[str]) -> None:
    cache.path.write_bytes(b"no database " * 100)
    problem = run(*command).exception
    assert isinstance(problem, SuiteError)
    assert problem.exit_code == 1
    assert "not a database" in str(problem)


@pytest.mark.parametrize("command", [[], ["stats"], ["export"], ["prune"]])
def test_help_has_an_example(command: list[str]) -> None:
    assert "alpaca-suite judge cache" in run(*command, "--help").output
