"""From runs of every source to a leaderboard: entries with their raw files, leaderboard.md and leaderboard.csv."""

import difflib
import logging
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.files import read_text, sha256_of, sha256_text, write_atomic
from alpaca_eval_suite.leaderboard.board import board_of
from alpaca_eval_suite.leaderboard.entry import (
    Entry,
    EntryFiles,
    Identity,
    Merging,
    Warn,
    date_of,
    raw_file_name,
    read_entries,
    write_entries,
)
from alpaca_eval_suite.leaderboard.raw import RawItem, raw_text, read_raw
from alpaca_eval_suite.leaderboard.record import RUN_FILE, RawRecord, RunRecord, read_record
from alpaca_eval_suite.leaderboard.sheet import to_csv
from alpaca_eval_suite.leaderboard.table import to_markdown

MARKDOWN_FILE = "leaderboard.md"
CSV_FILE = "leaderboard.csv"
DEFAULT_RESULTS = Path("results")

_LOG = logging.getLogger(__name__)

_NAMED = 5
_SHOWN = 8  # digits of a hash
_OURS = "alpaca_"  # how the names of our run specs begin
_HOW_TO_RUN = "Run one first: alpaca-suite quickstart, or helm-run --conf-paths FILE.conf --suite NAME."
_HEADING = (
    "# Leaderboard\n\nMade by `alpaca-suite leaderboard build` from the JSON files beside it, which hold "
    "everything needed to repeat a run. Rates are in percent, each with its interval.\n"
)


Found = tuple[RunRecord, Sequence[RawItem] | Path]
"""A run, and its raw items or the folder that holds its record and, where it names one, its raw file."""


def build(
    runs_dir: Path | None,
    out: Path = DEFAULT_RESULTS,
    *,
    suites: Sequence[str] = (),
    others: Iterable[Found] = (),
    force: bool = False,
    warn: Warn = _LOG.warning,
) -> list[Path]:
    """Put the runs under runs_dir/runs/<suite>/, and those of `others`, into the entries of `out`; write its tables.

    `suites`: only these; all when empty. `others` are met one by one, so that they need not fit into memory. Entries
    that `out` holds already are kept and merged into. Returns the files written: the entries of the models that were
    run, then Markdown and CSV of all entries. A run that is half-written is left out; `warn` is told its folder.
    Raises UsageError for an unknown suite, SuiteError when no run is found, the disk is full, or an entry in `out`
    cannot be read: nothing is written then, and with `force` such a file is put aside under another name.
    """
    helm = find_runs(runs_dir, suites, warn) if runs_dir is not None else []
    known = _readable(out, force, warn)
    merging = Merging(known.values(), warn)
    files = EntryFiles(out, known)
    models: set[Identity] = set()
    replaced: set[str] = set()
    without_raw: list[str] = []
    fresh: list[str] = []
    any_run = False
    try:
        for run, raw in chain(helm, others):
            any_run = True
            if not merging.takes(run):
                continue
            stands = _with_raw(run, raw, files.of(Identity.of(run.model)), fresh, warn)
            models.add(Identity.of(run.model))
            without_raw += [run.run] if stands.raw is None else []
            old = merging.put(stands)
            if old is not None and old.raw is not None:
                replaced.add(old.raw.file)
    except BaseException:
        _remove(out, fresh)
        raise
    if not any_run:
        raise SuiteError("nothing was given that holds a run", next_step=_HOW_TO_RUN)
    entries = merging.entries()
    changed = [entry for entry in entries if entry.identity in models]
    written = write_entries(out, changed, known | {files.of(entry.identity): entry for entry in changed})
    _remove(out, replaced - {run.raw.file for entry in entries for run in entry.runs if run.raw})
    if without_raw:
        warn(_cannot_be_verified(without_raw))
    for entry in changed:
        _say_different_data(entry, warn)
    return [*written, *write_tables(out, entries)]


def _cannot_be_verified(runs: Sequence[str]) -> str:
    more = f" and {len(runs) - _NAMED} more" if len(runs) > _NAMED else ""
    return f"without a raw file, so that the numbers cannot be verified: {', '.join(runs[:_NAMED])}{more}"


def _readable(out: Path, force: bool, warn: Warn) -> dict[Path, Entry]:
    """The entries of `out`. Raises SuiteError for one that cannot be read; with `force` it is put aside."""
    if not force:
        try:
            return read_entries(out)
        except SuiteError as error:
            hint = "With --force the file is put aside under another name, and what it held is no longer shown."
            raise SuiteError(error.what, where=error.where, next_step=f"{error.next_step or ''} {hint}") from error
    problems: list[SuiteError] = []
    entries = read_entries(out, problems.append)
    for problem in problems:
        path = Path(problem.where or "")
        aside = next(
            place
            for number in range(1, 10_000)
            if not (place := path.with_name(f"{path.name}.unreadable-{number}")).exists()
        )
        os.replace(path, aside)
        warn(f"{path} {problem.what}; it is put aside as {aside.name}")
    return entries


def _with_raw(run: RunRecord, raw: Sequence[RawItem] | Path, entry: Path, fresh: list[str], warn: Warn) -> RunRecord:
    """`run` with its raw file below the folder of `entry`, or without one where it has none to be copied.

    A file that was not there before is added to `fresh`.
    """
    text = raw_text(raw) if not isinstance(raw, Path) else _raw_of(run, raw, warn)
    if not text:
        return run.model_copy(update={"raw": None})
    sha256 = sha256_text(text)
    file = raw_file_name(entry, run, sha256)
    place = entry.parent / file
    if not place.is_file() or sha256_of(place) != sha256:
        write_atomic(place, text)
        fresh.append(file)
    return run.model_copy(update={"raw": RawRecord(file=file, sha256=sha256, n_lines=text.count("\n"))})


def _raw_of(run: RunRecord, folder: Path, warn: Warn) -> str:
    """The raw file's text, in the folder of a run of HELM; empty where there is none, or it is not what it was."""
    if run.raw is None:
        return ""
    path = folder / run.raw.file
    try:
        text = read_text(path)
        if sha256_text(text) != run.raw.sha256:
            raise SuiteError("was changed after the run")
        read_raw(path)
    except SuiteError as error:
        warn(f"{path} {error.what}: it is left out")
        return ""
    return text


def _remove(out: Path, files: Iterable[str]) -> None:
    """Take away raw files that no entry names."""
    for file in files:
        with suppress(OSError):
            (out / file).unlink()


def _say_different_data(entry: Entry, warn: Warn) -> None:
    hashes: dict[str, set[str]] = {}
    for run in entry.runs:
        hashes.setdefault(run.scenario.name, set()).add(run.scenario.sha256[:_SHOWN])
    for scenario, found in sorted(hashes.items()):
        if len(found) > 1:
            listed = ", ".join(sorted(found))
            warn(f"{entry.name} was run on different data of {scenario} ({listed}): kept apart, not to be compared")


def write_tables(out: Path, entries: Sequence[Entry]) -> list[Path]:
    """Write leaderboard.md and leaderboard.csv of `entries` into `out`; returns both files."""
    boards = board_of(entries, out)
    write_atomic(out / MARKDOWN_FILE, f"{_HEADING}\n{to_markdown(boards)}")
    write_atomic(out / CSV_FILE, to_csv(boards))
    return [out / MARKDOWN_FILE, out / CSV_FILE]


def find_runs(runs_dir: Path, suites: Sequence[str], warn: Warn) -> list[Found]:
    """The records of all finished runs of ours and their folders, sorted. For errors and warnings see `build`."""
    runs: list[Found] = []
    unfinished = 0
    for suite in _suite_folders(runs_dir, suites):
        for folder in sorted(path for path in suite.iterdir() if path.is_dir()):
            try:
                if (folder / RUN_FILE).is_file():
                    run = read_record(folder)
                    date_of(run)
                    runs.append((run, folder))
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
