"""From the runs of one or more suites to a leaderboard: entries, leaderboard.md and leaderboard.csv."""

import difflib
import logging
from collections.abc import Sequence
from pathlib import Path

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.files import write_atomic
from alpaca_eval_suite.leaderboard.entry import (
    Entry,
    Identity,
    Warn,
    date_of,
    merge,
    read_entries,
    write_entries,
)
from alpaca_eval_suite.leaderboard.record import RUN_FILE, RunRecord, read_record
from alpaca_eval_suite.leaderboard.sheet import to_csv
from alpaca_eval_suite.leaderboard.table import to_markdown

MARKDOWN_FILE = "leaderboard.md"
CSV_FILE = "leaderboard.csv"
DEFAULT_RESULTS = Path("results")

_LOG = logging.getLogger(__name__)

_OURS = "alpaca_"  # how the names of our run specs begin
_HOW_TO_RUN = "Run one first: alpaca-suite quickstart, or helm-run --conf-paths FILE.conf --suite NAME."
_HEADING = (
    "# Leaderboard\n\nMade by `alpaca-suite leaderboard build` from the JSON files beside it, which hold "
    "everything needed to repeat a run. Rates are in percent, each with its interval.\n"
)


def build(
    runs_dir: Path,
    out: Path = DEFAULT_RESULTS,
    *,
    suites: Sequence[str] = (),
    warn: Warn = _LOG.warning,
) -> list[Path]:
    """Put the runs under runs_dir/runs/<suite>/ into the entries of `out` and write its tables.

    `suites`: only these; all when empty. Entries that `out` holds already are kept and merged into. Returns
    the files written: the entries of the models that were run, then Markdown and CSV of all entries.
    A run that is half-written is left out; `warn` is told its folder. Raises UsageError for an unknown suite,
    SuiteError when no run is found, an entry in `out` cannot be read (nothing is written then), or the disk
    is full.
    """
    found = find_runs(runs_dir, suites, warn)
    known = read_entries(out)
    entries = merge(known.values(), found, warn)
    models = {Identity.of(run.model) for run in found}
    written = write_entries(out, [entry for entry in entries if entry.identity in models], known)
    return [*written, *write_tables(out, entries)]


def write_tables(out: Path, entries: Sequence[Entry]) -> list[Path]:
    """Write leaderboard.md and leaderboard.csv of `entries` into `out`; returns both files."""
    write_atomic(out / MARKDOWN_FILE, f"{_HEADING}\n{to_markdown(entries)}")
    write_atomic(out / CSV_FILE, to_csv(entries))
    return [out / MARKDOWN_FILE, out / CSV_FILE]


def find_runs(runs_dir: Path, suites: Sequence[str], warn: Warn) -> list[RunRecord]:
    """The records of all finished runs of ours, sorted by folder. For errors and warnings see `build`."""
    runs: list[RunRecord] = []
    unfinished = 0
    for suite in _suite_folders(runs_dir, suites):
        for folder in sorted(path for path in suite.iterdir() if path.is_dir()):
            try:
                if (folder / RUN_FILE).is_file():
                    run = read_record(folder)
                    date_of(run)
                    runs.append(run)
                elif folder.name.startswith(_OURS):
                    unfinished += 1
                    warn(f"{folder} is left out: it is not finished ({RUN_FILE} is missing)")
            except SuiteError as error:
                unfinished += 1
                warn(f"{folder} is left out: {error.what}")
    if not runs:
        rest = f" ({unfinished} unfinished)" if unfinished else ""
        raise SuiteError(f"holds no finished run{rest}", where=_shown(runs_dir, suites), next_step=_HOW_TO_RUN)
    return runs


def _suite_folders(runs_dir: Path, suites: Sequence[str]) -> list[Path]:
    root = runs_dir / "runs"
    if not root.is_dir():
        raise SuiteError("there is no such folder", where=str(root), next_step=_HOW_TO_RUN)
    folders = {path.name: path for path in sorted(root.iterdir()) if path.is_dir()}
    for suite in suites:
        if suite not in folders:
            near = difflib.get_close_matches(suite, folders, n=1)
            hint = f"Did you mean {near[0]!r}? " if near else ""
            raise UsageError(
                f"there is no suite {suite!r}",
                where=str(root),
                next_step=f"{hint}There are: {', '.join(folders) or 'none yet'}.",
            )
    chosen = [folders[suite] for suite in suites] or list(folders.values())
    # helm-summarize links "latest" to a suite, whose runs must not be met twice.
    return list({path.resolve(): path for path in sorted(chosen, key=lambda path: not path.is_symlink())}.values())


def _shown(runs_dir: Path, suites: Sequence[str]) -> str:
    return ", ".join(str(runs_dir / "runs" / suite) for suite in suites) or str(runs_dir / "runs")
