"""Every published row of AlpacaEval whose judgments are in the reference data follows from them as imported."""

import csv
from pathlib import Path

import pytest

from alpaca_eval_suite.leaderboard.importers import read_alpaca_eval
from alpaca_eval_suite.leaderboard.importers.alpaca_eval import SET_HASH
from alpaca_eval_suite.leaderboard.record import RunRecord

FOLDER = Path(__file__).parents[3].parent / "shared" / "data" / "alpaca_eval"

pytestmark = [
    pytest.mark.data,
    pytest.mark.slow,
    pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the reference data {FOLDER} is not there"),
]


@pytest.fixture(scope="module")
def runs() -> dict[tuple[str, str], RunRecord]:
    found = [run for run, _ in read_alpaca_eval(FOLDER)]
    return {(run.judge.name if run.judge else "", run.model.name): run for run in found}


def test_all_published_rows_follow(runs: dict[tuple[str, str], RunRecord]) -> None:
    with (FOLDER / "golden.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == len(runs) == 69
    for row in rows:
        run = runs[row["judge"], row["model"]]
        found = run.win_rate or {}
        assert 100 * found["win_rate"] == pytest.approx(float(row["win_rate"]), abs=0.01)
        assert 100 * found["se"] == pytest.approx(float(row["standard_error"]), abs=0.01)
        assert (found["n"], found["n"] + found["n_failed"]) == (int(row["n"]), int(row["n_rows_file"]))
        assert run.baseline is not None
        assert run.baseline.name == row["baseline"]
        assert not [note for note in run.notes if "published" in note]


def test_all_runs_are_of_the_805(runs: dict[tuple[str, str], RunRecord]) -> None:
    assert {run.scenario.sha256 for run in runs.values()} == {SET_HASH}
    assert min(run.scenario.n_items for run in runs.values()) == 802


@pytest.mark.parametrize("path", sorted(FOLDER.glob("annotations_example/*.json")), ids=lambda path: path.stem)
def test_annotations_give_the_same_run(path: Path, runs: dict[tuple[str, str], RunRecord]) -> None:
    (run, items), *others = read_alpaca_eval(path)
    assert not others
    assert len(items) == 805
    model, judge = path.stem.rsplit(".", 1)
    known = runs[judge, model]
    assert run.rates["win_rate"].value == pytest.approx(known.rates["win_rate"].value, abs=1e-9)
    assert run.scenario == known.scenario
    assert run.numbers == pytest.approx(known.numbers)
