"""From people's votes to an entry: who voted, what was noted down, how far they agree."""

import json
from pathlib import Path
from typing import Any

import pytest

from alpaca_eval_suite.cli.main import main
from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.leaderboard.entry import read_entries
from alpaca_eval_suite.leaderboard.from_votes import runs_of_votes
from alpaca_eval_suite.leaderboard.raw import RawItem
from alpaca_eval_suite.leaderboard.record import RunRecord
from alpaca_eval_suite.leaderboard.verify import verify
from alpaca_eval_suite.stats.units import units
from alpaca_eval_suite.stats.verdicts import read_preferences
from alpaca_eval_suite.stats.win_rate import win_rate

from .made import refuse


def vote(id_: str, win: float | None, who: str = "ann", **more: Any) -> dict[str, Any]:
    return {"id": id_, "win": win, "model": "mine", "baseline": "theirs", "judge": f"human:{who}", **more}


def write(path: Path, *votes: dict[str, Any]) -> Path:
    path.write_text("".join(f"{json.dumps(one)}\n" for one in votes))
    return path


def made(path: Path, scenario: str | None = None) -> list[tuple[RunRecord, list[RawItem]]]:
    return runs_of_votes(path, scenario=scenario, warn=refuse)


@pytest.fixture
def votes(tmp_path: Path) -> Path:
    """Thirty ids, all by ann, twenty of them by bob too, who prefers the baseline more often."""
    of_ann = [vote(f"v{n:02}", 1.0 if n % 3 else 0.0, seconds=2.5, tags=["clear"] if n else []) for n in range(30)]
    of_bob = [vote(f"v{n:02}", 0.5 if n % 2 else 0.0, "bob", len_model=4, len_baseline=6) for n in range(20)]
    return write(tmp_path / "votes.jsonl", *of_ann, *of_bob)


def test_a_run_of_two_people(votes: Path) -> None:
    ((run, items),) = made(votes)
    expected = win_rate(units(read_preferences(votes)))
    assert run.win_rate == expected.as_json()
    assert (run.source, run.run, run.scenario.name, run.scenario.n_items) == ("votes", "votes:votes.jsonl", "pairs", 30)
    assert (run.model.name, run.model.fingerprint) == ("mine", None)
    assert run.judge is not None
    assert (run.judge.name, run.judge.orders, run.judge.calibrated) == ("people", "single", True)
    assert run.judge.agreement.startswith("votes of 2 people, Krippendorff's α among them ")
    assert run.panel is not None
    assert [one.name for one in run.panel.judges] == ["human:ann", "human:bob"]
    assert [(one.judge, one.win, one.tags, one.seconds) for one in items[1].people] == [
        ("human:ann", 1.0, ("clear",), 2.5),
        ("human:bob", 0.5, (), None),
    ]
    assert (items[1].len_model, items[1].verdicts) == (4, ())


def test_one_person_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "v.jsonl", vote("a", 1.0, order="model_first"), vote("a", 0.0, order="baseline_first"))
    ((run, _),) = made(path, scenario="mine")
    assert run.judge is not None
    assert (run.judge.name, run.judge.orders, run.judge.agreement) == ("human:ann", "both", "votes of one person")
    assert (run.panel, run.scenario.name) == (None, "mine")


def test_each_model_and_scenario_is_a_run(tmp_path: Path) -> None:
    path = write(
        tmp_path / "v.jsonl",
        vote("a", 1.0, scenario="s"),
        vote("a", 1.0, model="other"),
        vote("b", 1.0),
        vote("a", 0.0, baseline="another"),
    )
    found = {(run.scenario.name, run.model.name, run.baseline and run.baseline.name) for run, _ in made(path)}
    assert found == {
        ("s", "mine", "theirs"),
        ("pairs", "other", "theirs"),
        ("pairs", "mine", "theirs"),
        ("pairs", "mine", "another"),
    }


def test_built_and_verified(votes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    other = write(tmp_path / "more.jsonl", vote("a", 1.0, model="other"))
    assert main(["leaderboard", "build", "--votes", str(votes), "--votes", str(other)]) == 0
    assert {entry.name for entry in read_entries(Path("results")).values()} == {"mine", "other"}
    assert all(check.verified for check in verify(Path("results")))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (vote("a", 1.0) | {"judge": "gpt-4"}, "the judge 'gpt-4' is no person"),
        ({"id": "a", "win": 1.0}, "the judge 'judge' is no person"),
        (vote("a", 1.0, seconds="long"), "is not a vote .seconds"),
        (vote("a", 1.0, tags="both bad"), "is not a vote .tags"),
        (vote("a", 2.0), r"must lie in \[0, 1\]"),
        (vote("first", 1.0), "stands twice"),
    ],
)
def test_a_line_that_is_no_vote_is_named(tmp_path: Path, line: dict[str, Any], message: str) -> None:
    path = write(tmp_path / "v.jsonl", vote("first", 1.0), line)
    with pytest.raises(SuiteError, match=message) as caught:
        made(path)
    assert caught.value.where == f"{path}:2"


def test_no_votes_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="holds no votes"):
        made(write(tmp_path / "v.jsonl"))
