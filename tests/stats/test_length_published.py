"""Length-controlled win rates against AlpacaEval's published ones, by the command, and resampled standard errors."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from alpaca_eval_suite.cli.main import main
from alpaca_eval_suite.stats.difficulty import estimate_difficulty
from alpaca_eval_suite.stats.length_control import length_control, peer_length_control
from alpaca_eval_suite.stats.length_data import LengthData, read_auxiliary, read_difficulty
from alpaca_eval_suite.stats.verdicts import alpaca_eval_win, read_preferences

FOLDER = Path(__file__).parents[2].parent / "shared" / "data" / "alpaca_eval"
JUDGED = FOLDER / "pairwise" / "weighted_alpaca_eval_gpt4_turbo"
TOLERANCE = 0.16  # percentage points
FULL = 805

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the reference data {FOLDER} is not there"),
]


def table(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(newline="") as stream:
        return list(csv.DictReader(stream))


def write_verdicts(source: Path, target: Path) -> None:
    lines = []
    for text in source.read_text().splitlines():
        row = json.loads(text)
        line = {
            "id": str(row["index"]),
            "win": alpaca_eval_win(row["preference"]),
            "model": source.stem,
            "baseline": "gpt4_1106_preview",
            "len_model": row["len_model"],
            "len_baseline": row["len_baseline"],
        }
        lines.append(json.dumps(line) + "\n")
    target.write_text("".join(lines))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("verdicts")
    for source in JUDGED.glob("*.jsonl"):
        write_verdicts(source, folder / source.name)
    return {path.stem: path for path in folder.iterdir()}


@pytest.fixture(scope="module")
def models(files: dict[str, Path]) -> dict[str, LengthData]:
    return {name: LengthData.of(read_preferences(path)) for name, path in files.items()}


@pytest.fixture(scope="module")
def shared() -> dict[str, Any]:
    """The arguments of both methods; the value does not depend on the refits, so a few will do."""
    return {
        "difficulty": read_difficulty(FOLDER / "lc_instruction_difficulty.csv"),
        "auxiliary": read_auxiliary(FOLDER / "lc_df_gamed_RECONSTRUCTED.csv"),
        "refits": 10,
    }


def points(rate: float | None) -> float:
    assert rate is not None
    return 100 * rate


def test_peer_exact_gives_the_published_values(models: dict[str, LengthData], shared: dict[str, Any]) -> None:
    rows = [row for row in table("lc_published.csv") if row["model"] in models]
    assert len(rows) == len(models) == 31
    for row in rows:
        found = peer_length_control(models[row["model"]], **shared)
        assert points(found.lc_win_rate) == pytest.approx(float(row["published_lc"]), abs=TOLERANCE), row["model"]
        assert found.n == int(row["n"])
        if found.n < FULL:
            expected = float(row["recomputed_lc_canonical_index"])
            assert points(found.lc_win_rate_by_id) == pytest.approx(expected, abs=TOLERANCE), row["model"]


def test_joined_by_id_short_files_are_as_they_should_be(models: dict[str, LengthData], shared: dict[str, Any]) -> None:
    rows = [row for row in table("lc_published.csv") if row["model"] in models]
    assert sum(int(row["n"]) < FULL for row in rows) == 4
    for row in rows:
        expected = float(row["recomputed_lc_canonical_index"] or row["published_lc"])
        found = length_control(models[row["model"]], **shared)
        assert points(found.lc_win_rate) == pytest.approx(expected, abs=TOLERANCE), row["model"]


def run(capsys: pytest.CaptureFixture[str], files: list[str], *options: str) -> dict[str, Any]:
    csvs = ["--difficulty", str(FOLDER / "lc_instruction_difficulty.csv")]
    csvs += ["--auxiliary", str(FOLDER / "lc_df_gamed_RECONSTRUCTED.csv")]
    assert main(["stats", "length-control", *files, *csvs, *options, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)["models"]
    return found


def test_standard_errors_are_those_of_resampling(files: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    """By the command, with all its refits."""
    rows = table("lc_bootstrap_vs_published_se.csv")
    chosen = [str(files[row["model"]]) for row in rows]
    for options in ([], ["--peer-exact"]):
        found = run(capsys, chosen, *options)
        for row in rows:
            model = found[row["model"]]
            assert 100 * model["se"] == pytest.approx(float(row["bootstrap_lc_se"]), rel=0.15), row["model"]
            assert model["ci"]["low"] < model["lc_win_rate"] < model["ci"]["high"]


def test_estimated_difficulties_come_near_the_published_rates(models: dict[str, LengthData]) -> None:
    """Without any CSV: difficulties from these models, no auxiliary rows. NullModel and gpt4_gamed were made to game
    the judge, and only auxiliary rows hold them down."""
    difficulty = estimate_difficulty([model.valid() for model in models.values()])
    for row in table("lc_published.csv"):
        if row["model"] in models and row["model"] not in ("NullModel", "gpt4_gamed"):
            expected = float(row["recomputed_lc_canonical_index"] or row["published_lc"])
            found = length_control(models[row["model"]], difficulty=difficulty, source="estimated", refits=10)
            assert points(found.lc_win_rate) == pytest.approx(expected, abs=4), row["model"]
