"""A leaderboard of many models, from imported verdicts to the page: seconds a stage, peak memory.

    OMP_NUM_THREADS=1 python benchmarks/leaderboard.py                      # the reference data, 69 models x 805
    OMP_NUM_THREADS=1 python benchmarks/leaderboard.py --models 1000        # made up, in the same form
    python benchmarks/leaderboard.py --models 70 --profile                  # and which functions take the time

Stages: `import` reads verdicts and makes every number of each run, `build` writes entries, raw files and tables (ranks
and length-controlled rates with them), `board` reads them back as for `leaderboard show`, `page` writes the page.
The exit code is 1 where a target is missed: up to 100 models in 60 s, more in 300 s and 4 GB.
"""

import argparse
import cProfile
import json
import pstats
import resource
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, process_time

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from alpaca_eval_suite.errors import MissingExtraError
from alpaca_eval_suite.leaderboard.board import board_of
from alpaca_eval_suite.leaderboard.build import build
from alpaca_eval_suite.leaderboard.importers import read_alpaca_eval
from alpaca_eval_suite.leaderboard.importers.shared import Imported
from alpaca_eval_suite.leaderboard.page.build import build_page
from alpaca_eval_suite.leaderboard.table import load

REFERENCE = Path(__file__).parents[2] / "shared" / "data" / "alpaca_eval"
IDS, FEW = 805, 100
SECONDS_FEW, SECONDS_MANY, MEGABYTES = 60, 300, 4096


@dataclass
class Clock:
    """Wall and CPU seconds of stages. `total` is of all that were measured, one inside another counted once."""

    wall: dict[str, float] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        wall, cpu = perf_counter(), process_time()
        try:
            yield
        finally:
            self.wall[name] = self.wall.get(name, 0.0) + perf_counter() - wall
            self.cpu[name] = self.cpu.get(name, 0.0) + process_time() - cpu

    def timed(self, name: str, runs: Iterable[Imported]) -> Iterator[Imported]:
        """`runs`, the making of each counted as the stage `name`."""
        iterator = iter(runs)
        while True:
            with self.stage(name):
                run = next(iterator, None)
            if run is None:
                return
            yield run

    def print(self, name: str, without: str | None = None) -> None:
        wall = self.wall[name] - (self.wall[without] if without else 0)
        cpu = self.cpu[name] - (self.cpu[without] if without else 0)
        print(f"{name:8} {wall:7.1f} s, {cpu:7.1f} s of CPU; peak memory so far {_megabytes():,.0f} MB", flush=True)


def made_up(folder: Path, models: int, *, seed: int = 0) -> Path:
    """Verdicts of one judge as fractions, of `models` models on 805 instructions, in the form of the reference data."""
    rng = np.random.default_rng(seed)
    sets = ("helpful_base", "koala", "oasst", "selfinstruct", "vicuna")
    asked = [
        {"index": i, "dataset": sets[i % len(sets)], "instruction": f"Instruction number {i}."} for i in range(IDS)
    ]
    _write(folder / "instructions.jsonl", asked)
    difficulty = rng.normal(0, 1, IDS)
    baseline = rng.integers(500, 4000, IDS)
    for model in range(models):
        lengths = rng.integers(200, 4000, IDS)
        noise = rng.normal(0, 2, IDS)
        p = 1 / (1 + np.exp(-(rng.normal(-1, 1) + difficulty + (lengths - baseline) / 3000 + noise)))
        _write(
            folder / "pairwise" / "made_up_judge" / f"model-{model:04}.jsonl",
            [
                {
                    "index": i,
                    "preference": 1 + float(p[i]),
                    "len_model": int(lengths[i]),
                    "len_baseline": int(baseline[i]),
                }
                for i in range(IDS)
            ],
        )
    return folder


def _write(path: Path, rows: list[dict[str, object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)


def measure(source: Path, folder: Path) -> tuple[int, float]:
    """(models, seconds of import, build, board and page) for the verdicts in `source`, each stage printed."""
    clock, results = Clock(), folder / "results"
    with clock.stage("build"):
        build(None, results, others=clock.timed("import", read_alpaca_eval(source)), warn=lambda _: None)
    clock.print("import")
    clock.print("build", without="import")
    with clock.stage("board"):
        boards = board_of(load(results), results)
    clock.print("board")
    rows = sum(len(board.rows) for board in boards)
    ranked = sum(row.rank is not None for board in boards for row in board.rows)
    print(f"         {len(boards)} boards, {rows} rows, {ranked} ranked")
    try:
        with clock.stage("page"):
            page = build_page(boards, results, folder / "page")
    except MissingExtraError as error:
        print(f"page: not measured ({error.what})")
    else:
        clock.print("page")
        size = sum(path.stat().st_size for path in (folder / "page").rglob("*") if path.is_file())
        print(f"         index.html {page.page.stat().st_size / 1e6:.1f} MB, with details {size / 1e6:.0f} MB")
    return rows, clock.wall["build"] + clock.wall["board"] + clock.wall.get("page", 0.0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, help="so many made-up models in place of the reference data")
    parser.add_argument("--profile", action="store_true", help="print where the time goes")
    options = parser.parse_args()
    if options.models is None and not REFERENCE.is_dir():
        print(f"the reference data {REFERENCE} is not there: give --models")
        return 2
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = REFERENCE if options.models is None else made_up(folder / "verdicts", options.models)
        profile = cProfile.Profile()
        if options.profile:
            profile.enable()
        models, seconds = measure(source, folder)
        if options.profile:
            profile.disable()
            pstats.Stats(profile).sort_stats("tottime").print_stats(25)
    limit = SECONDS_FEW if models <= FEW else SECONDS_MANY
    print(f"{models} models: {seconds:.0f} s of {limit}, peak memory {_megabytes():,.0f} MB of {MEGABYTES}")
    return int(seconds > limit or _megabytes() > MEGABYTES)


if __name__ == "__main__":
    sys.exit(main())
