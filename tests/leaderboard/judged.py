"""Models that were judged on the same items, with raw files, in a folder of results."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from alpaca_eval_suite.files import sha256_text
from alpaca_eval_suite.leaderboard.entry import Entry, merge, write_entries
from alpaca_eval_suite.leaderboard.raw import RawItem, Verdict, raw_text
from alpaca_eval_suite.leaderboard.recompute import with_figures
from alpaca_eval_suite.leaderboard.record import RunRecord

RunFactory = Callable[..., RunRecord]

APPS = ("E-mail", "Maps", "Code")


def items_of(wins: Sequence[float | None], lengths: Sequence[int] | None = None) -> list[RawItem]:
    """An item for each of `wins`, judged in one order, the model's outputs of these lengths, the baseline's of 100."""
    return [
        RawItem(
            id=f"i{number:03}",
            len_model=lengths[number] if lengths is not None else 100 + number % 7,
            len_baseline=100,
            slices={"app": APPS[number % len(APPS)]},
            verdicts=(Verdict(judge="builtin:checks", win=win, reason="" if win is not None else "no verdict"),),
        )
        for number, win in enumerate(wins)
    ]


def won(share: float, n: int = 120, seed: int = 0) -> list[float | None]:
    """That share of n wins, which are which by the seed."""
    return [float(win) for win in np.random.default_rng(seed).permutation(np.arange(n) < share * n)]


class Results:
    """A folder of results to which models are added."""

    def __init__(self, folder: Path, make_run: RunFactory) -> None:
        self.folder, self._make, self._runs = folder, make_run, list[RunRecord]()

    def add(self, name: str, items: Sequence[RawItem], **changes: Any) -> RunRecord:
        """A run of the model `name` with these items; the record is changed as `changes` say."""
        run = self._make(model={"name": name, "fingerprint": sha256_text(name)}, rates={}, **{"numbers": {}, **changes})
        run = with_figures(run, items)
        text = raw_text(items)
        file = f"raw/{len(self._runs)}.jsonl"
        (self.folder / "raw").mkdir(exist_ok=True)
        (self.folder / file).write_text(text)
        raw = {"file": file, "sha256": sha256_text(text), "n_lines": len(items)}
        return self.put(RunRecord.model_validate(run.model_dump() | {"raw": raw}))

    def put(self, run: RunRecord) -> RunRecord:
        """The run as it is."""
        self._runs.append(run)
        return run

    def entries(self) -> list[Entry]:
        """All runs as entries."""
        return merge([], self._runs, lambda message: None)

    def write(self) -> Path:
        """Write the entries; the folder comes back."""
        write_entries(self.folder, self.entries(), {})
        return self.folder
