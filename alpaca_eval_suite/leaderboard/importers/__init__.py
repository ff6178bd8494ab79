"""Runs of other evaluation programs as records and raw items: AlpacaEval, inspect_ai, lm-evaluation-harness.

Each reader gives one run after the other, so that a thousand of them need not be in memory together. What the other
program did not write down is null, and a note says where the run is from.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alpaca_eval_suite.leaderboard.importers.shared import Imported


def read_alpaca_eval(path: Path) -> "Iterator[Imported]":
    """The runs in AlpacaEval's results folder, in one annotations.json or in a leaderboard CSV (alpaca_eval.py)."""
    from alpaca_eval_suite.leaderboard.importers import alpaca_eval

    return alpaca_eval.read_alpaca_eval(path)


def read_inspect(path: Path) -> "Iterator[Imported]":
    """The runs in an inspect_ai log (.eval or .json), or in a folder of logs (inspect_ai.py)."""
    from alpaca_eval_suite.leaderboard.importers import inspect_ai

    return inspect_ai.read_inspect(path)


def read_lm_eval(path: Path) -> "Iterator[Imported]":
    """The runs in a samples_*.jsonl of lm-evaluation-harness, or in a folder of them (lm_eval.py)."""
    from alpaca_eval_suite.leaderboard.importers import lm_eval

    return lm_eval.read_lm_eval(path)


def read_helm_stats(path: Path) -> "Iterator[Imported]":
    """The runs of HELM's own scenarios in a folder of its output (helm_stats.py)."""
    from alpaca_eval_suite.leaderboard.importers import helm_stats

    return helm_stats.read_helm_stats(path)


@dataclass(frozen=True)
class Importer:
    """A reader, the name of its option on the command line, what it is given, and what that is."""

    option: str
    read: "Callable[[Path], Iterator[Imported]]"
    metavar: str
    help: str


IMPORTERS = (
    Importer(
        "alpaca-eval",
        read_alpaca_eval,
        "PATH",
        "AlpacaEval's results folder, an annotations.json, or a leaderboard CSV; may be given more than once.",
    ),
    Importer("inspect", read_inspect, "LOG", "A log of inspect_ai (.eval, .json) or a folder of them; more than once."),
    Importer(
        "lm-eval",
        read_lm_eval,
        "FILE",
        "lm-evaluation-harness's samples_*.jsonl (results_*.json beside it) or a folder of them; more than once.",
    ),
    Importer(
        "helm-stats",
        read_helm_stats,
        "FOLDER",
        "Runs of HELM's own scenarios (benchmark_output/runs/SUITE); more than once.",
    ),
)


def read_all(given: "Sequence[tuple[Importer, Path]]") -> "Iterator[Imported]":
    """The runs of all that was given, one after the other. Raises SuiteError as the readers do."""
    for importer, path in given:
        yield from importer.read(path)
