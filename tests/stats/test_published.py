"""The published AlpacaEval leaderboards follow from their raw judgments."""

import csv
import json
import math
from pathlib import Path
from typing import Any

import pytest

from alpaca_eval_suite.stats.matches import Match
from alpaca_eval_suite.stats.rank import rank
from alpaca_eval_suite.stats.units import units
from alpaca_eval_suite.stats.verdicts import alpaca_eval_win, read_preferences
from alpaca_eval_suite.stats.win_rate import win_rate
from alpaca_eval_suite.types import Preference

FOLDER = Path(__file__).parents[2].parent / "shared" / "data" / "alpaca_eval"

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the reference data {FOLDER} is not there"),
]


def golden_rows() -> list[dict[str, str]]:
    if not FOLDER.is_dir():
        return []
    with (FOLDER / "golden.csv").open(newline="") as stream:
        return [row for row in csv.DictReader(stream) if raw_file(row).is_file()]


def raw_file(row: dict[str, str]) -> Path:
    return FOLDER / "pairwise" / row["judge"] / f"{row['model']}.jsonl"


def verdicts(path: Path) -> list[Preference]:
    lines: list[dict[str, Any]] = [json.loads(line) for line in path.read_text().splitlines()]
    return [Preference(str(line["index"]), alpaca_eval_win(line["preference"])) for line in lines]


def test_there_are_rows_to_check() -> None:
    assert len(golden_rows()) >= 40


@pytest.mark.parametrize("row", golden_rows(), ids=lambda row: f"{row['judge']}-{row['model']}")
def test_published_row(row: dict[str, str]) -> None:
    found = win_rate(units(verdicts(raw_file(row))), method="t")
    assert found.n == int(row["n"])
    assert found.n + found.n_failed == int(row["n_rows_file"])
    assert found.win_rate is not None
    assert found.se is not None
    assert 100 * found.win_rate == pytest.approx(float(row["win_rate"]), abs=0.01)
    assert 100 * found.se == pytest.approx(float(row["standard_error"]), abs=0.01)
    for name, published in (("wins", "n_wins"), ("losses", "n_wins_base"), ("ties", "n_draws")):
        assert getattr(found, name) == float(row[published])


@pytest.mark.parametrize("path", sorted(FOLDER.glob("annotations_example/*.json")), ids=lambda path: path.stem)
def test_annotation_file_gives_its_published_row(path: Path) -> None:
    model, judge = path.stem.rsplit(".", 1)
    read = read_preferences(path)
    assert {(p.model, p.judge, p.order) for p in read} == {(model, judge, "single")}
    assert len({p.id for p in read}) == len(read) == 805
    rows = [row for row in golden_rows() if (row["model"], row["judge"]) == (model, judge)]
    raw = FOLDER / "pairwise" / judge / f"{model}.jsonl"
    found = win_rate(units(read), method="t")
    assert found.n_failed == 0
    if raw.is_file():
        again = win_rate(units(verdicts(raw)), method="t")
        assert (found.n, found.wins, found.losses, found.ties) == (
            again.n,
            again.wins,
            again.losses,
            again.ties,
        )
        assert found.win_rate == pytest.approx(again.win_rate)
    for row in rows:
        assert 100 * (found.win_rate or 0) == pytest.approx(float(row["win_rate"]), abs=0.01)


def test_ranks_of_the_published_models() -> None:
    """All models against one baseline: the order of the published win rates, and their logits."""
    rows = [row for row in golden_rows() if row["judge"] == "alpaca_eval_gpt4"]
    matches = [Match(row["model"], "text_davinci_003", units(verdicts(raw_file(row)))) for row in rows]
    ranking = rank(matches, resamples=300)
    found = {rating.name: rating for rating in ranking.ratings}
    for match in matches:
        rate = float(match.units.valid.mean())
        if min(match.units.wins, match.units.losses) >= 15:
            assert found[match.model].rating == pytest.approx(math.log(rate / (1 - rate)), abs=0.02)
    published = sorted(rows, key=lambda row: -float(row["win_rate"]))
    assert [rating.name for rating in ranking.ratings if rating.name != "text_davinci_003"] == [
        row["model"] for row in published
    ]
    assert all(rating.rank_low <= rating.rank <= rating.rank_high for rating in ranking.ratings)
