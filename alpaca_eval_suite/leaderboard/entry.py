"""The leaderboard entry: one JSON file a model, with the records of all its runs.

A record already holds everything needed to repeat the run (record.py); an entry gathers those of one model.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, computed_field, model_validator

from alpaca_eval_suite.errors import Report, SuiteError, stop
from alpaca_eval_suite.files import read_text, sha256_text, write_json
from alpaca_eval_suite.leaderboard.migrate import SCHEMA_VERSION, from_json, migrated_entry
from alpaca_eval_suite.leaderboard.record import ModelRecord, RunRecord, first_problem

RAW_FOLDER = "raw"

CHECKSUM = "checksum"
"""The key of an entry's file that is over all the others."""

_SLUG = 60  # characters; a whole file name must stay below 255 bytes
_TAG = 8

RunKey = tuple[object, ...]
Warn = Callable[[str], None]


class Identity(NamedTuple):
    """Which model: its name, and the fingerprint of its content or, where a server has it, the id served."""

    name: str
    fingerprint: str | None
    served_id: str | None

    @classmethod
    def of(cls, model: ModelRecord) -> "Identity":
        """The identity of a run's model. A fingerprint decides alone: it is measured, a served id is told."""
        return cls(model.name, model.fingerprint, None if model.fingerprint else model.served_id)

    @property
    def short(self) -> str:
        """The first 8 digits of the fingerprint; without one, of a hash of name and served id."""
        if self.fingerprint and re.fullmatch(r"[0-9a-f]{8,}", self.fingerprint):
            return self.fingerprint[:_TAG]
        return sha256_text("\0".join(part or "" for part in self))[:_TAG]


class Entry(BaseModel):
    """One model and what its runs found: at most one record for each `run_key`, sorted by it.

    The `checksum` is written with it and made anew when it is read: `leaderboard verify` compares the two.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[2] = SCHEMA_VERSION
    name: str
    fingerprint: str | None = None
    served_id: str | None = None
    runs: tuple[RunRecord, ...]

    @model_validator(mode="before")
    @classmethod
    def _without_checksum(cls, value: Any) -> Any:
        return {key: of for key, of in value.items() if key != CHECKSUM} if isinstance(value, dict) else value

    @computed_field  # type: ignore[prop-decorator]
    @property
    def checksum(self) -> str:
        """`checksum_of` the entry."""
        return checksum_of(self.model_dump(mode="json", exclude={CHECKSUM}))

    @property
    def identity(self) -> Identity:
        """Which model this is."""
        return Identity(self.name, self.fingerprint, self.served_id)

    @model_validator(mode="after")
    def _holds_one_model(self) -> Self:
        keys: set[RunKey] = set()
        for run in self.runs:
            if Identity.of(run.model) != self.identity:
                raise ValueError(f"the run {run.run!r} is of another model")
            if run_key(run) in keys:
                raise ValueError(f"the run {run.run!r} stands twice")
            keys.add(run_key(run))
            _moment(run)
        return self


def checksum_of(entry: Mapping[str, Any]) -> str:
    """SHA-256 of an entry's JSON with sorted keys, no white space, and without its `checksum`."""
    rest = {key: value for key, value in entry.items() if key != CHECKSUM}
    text = json.dumps(rest, sort_keys=True, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return sha256_text(text)


def run_key(run: RunRecord) -> RunKey:
    """What tells two results of one model apart: on which items, against whom, judged and prompted how.

    The number of items belongs to it, so that a short trial does not replace a whole run; so does decoding.
    Device, type and batch size do not: the same model asked the same again is the same result, made newer.
    """
    asked, panel = run.judge, run.panel
    judge = asked and (asked.name, asked.served_id, asked.template_sha256, asked.orders, asked.seed, asked.hash)
    judges = panel and (panel.combine, tuple((one.name, one.served_id, one.hash) for one in panel.judges))
    baseline = run.baseline and (run.baseline.name, run.baseline.sha256, run.baseline.served_id)
    scenario = (run.scenario.name, run.scenario.sha256, run.scenario.n_items)
    prompt = (run.prompt.format, run.prompt.sha256)
    how = run.decoding
    decoding = (how.max_tokens, how.temperature, how.stop, how.thinking, how.thinking_tokens)
    return (run.source, scenario, baseline, judge, judges, prompt, decoding)


class Merging:
    """Entries into which runs are put one by one, each under its model; other results of a model stay.

    Of two runs with one key the newer stands; of two of the same date, the one that comes later. An older run never
    replaces a newer one.
    """

    def __init__(self, entries: Iterable[Entry], warn: Warn) -> None:
        self._of_model = {entry.identity: {run_key(run): run for run in entry.runs} for entry in entries}
        self._warn = warn

    def takes(self, run: RunRecord) -> bool:
        """Whether `run` would stand; `warn` is told where a newer one does.

        Raises SuiteError for a date that cannot be read.
        """
        known = self._of_model.get(Identity.of(run.model), {}).get(run_key(run))
        if known is not None and date_of(run) < date_of(known):
            self._warn(f"{run.run} of {run.date} is left out: the same was run again on {known.date}")
            return False
        return True

    def put(self, run: RunRecord) -> RunRecord | None:
        """Put in a run that `takes` was asked about; returns the one that it replaces."""
        kept = self._of_model.setdefault(Identity.of(run.model), {})
        replaced, kept[run_key(run)] = kept.get(run_key(run)), run
        return replaced

    def entries(self) -> list[Entry]:
        """All entries, sorted by identity, their runs by key."""
        return [
            Entry(**identity._asdict(), runs=tuple(kept[key] for key in sorted(kept, key=repr)))
            for identity, kept in sorted(self._of_model.items(), key=lambda item: tuple(part or "" for part in item[0]))
        ]


def merge(entries: Iterable[Entry], runs: Iterable[RunRecord], warn: Warn) -> list[Entry]:
    """`entries` with `runs` put in, see `Merging`. Raises SuiteError for a run whose date cannot be read."""
    merging = Merging(entries, warn)
    for run in runs:
        if merging.takes(run):
            merging.put(run)
    return merging.entries()


def read_entry(path: Path) -> Entry:
    """The entry in `path`, migrated where an older version wrote it.

    Raises SuiteError naming the file and the key that is wrong, or the version that is newer than this program.
    """
    try:
        return Entry.model_validate(migrated_entry(from_json(read_text(path)), path))
    except ValueError as error:
        raise SuiteError(
            f"is not a leaderboard entry of version {SCHEMA_VERSION} ({first_problem(error)})",
            where=str(path),
            next_step="Nothing was changed. Restore the file, or move it to another folder and build again: "
            "entries are made anew from the runs that are still there.",
        ) from error


def read_entries(folder: Path, report: Report = stop) -> dict[Path, Entry]:
    """The entries of `folder` by their files, sorted by name; empty where the folder does not exist.

    Temporary files of a write that was cut off are passed over. A file that is no entry, and one that holds the
    same model as another, is reported and left out.
    """
    entries: dict[Path, Entry] = {}
    first: dict[Identity, Path] = {}
    for path in sorted(path for path in folder.glob("*.json") if not path.name.startswith(".")):
        try:
            entry = read_entry(path)
            known = first.setdefault(entry.identity, path)
            if known != path:
                raise SuiteError(
                    f"holds the same model as {known.name}",
                    where=str(path),
                    next_step="Move one of the two files to another folder.",
                )
        except SuiteError as problem:
            report(problem)
        else:
            entries[path] = entry
    return entries


class EntryFiles:
    """Where in `folder` the entry of each model goes: the file of `known` that holds it, else a new one."""

    def __init__(self, folder: Path, known: Mapping[Path, Entry]) -> None:
        self._folder = folder
        self._path_of = {entry.identity: path for path, entry in known.items()}
        # Some file systems do not tell upper from lower case.
        self._taken = {path.name.casefold() for path in known}

    def of(self, identity: Identity) -> Path:
        """The same file each time."""
        if identity not in self._path_of:
            path = self._folder / file_name(identity, self._taken)
            self._taken.add(path.name.casefold())
            self._path_of[identity] = path
        return self._path_of[identity]


def write_entries(folder: Path, entries: Sequence[Entry], known: Mapping[Path, Entry]) -> list[Path]:
    """Write each entry into its file of `EntryFiles`, atomically, and return these files.

    Raises SuiteError when a file cannot be written; those written before it stay, and a second call does the rest.
    """
    files = EntryFiles(folder, known)
    for entry in entries:
        write_json(files.of(entry.identity), entry.model_dump(mode="json"))
    return [files.of(entry.identity) for entry in entries]


def raw_file_name(entry: Path, run: RunRecord, sha256: str) -> str:
    """Where the raw file of a run lies, below the folder of its `entry`: a name of its own for every content.

    So a file is never written over by another, and the old entry stays whole until the new one is there.
    """
    return f"{RAW_FOLDER}/{entry.stem}-{sha256_text(f'{run_key(run)!r} {sha256}')[:_TAG]}.jsonl"


def file_name(identity: Identity, taken: Iterable[str] = ()) -> str:
    """A safe file name: the slug of the name, "-", the first 8 digits of the fingerprint, ".json".

    Where another model has it already (`taken`, in lower case), a hash of the whole identity is added.
    """
    stem = f"{_slug(identity.name)}-{identity.short}"
    if f"{stem}.json".casefold() in set(taken):
        stem += "-" + sha256_text("\0".join(part or "" for part in identity))[:_TAG]
    return f"{stem}.json"


def _slug(name: str) -> str:
    """Letters, digits, "_", "-" and single inner dots of ASCII; of a long name the end, which tells most."""
    ascii_only = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", ascii_only)
    safe = re.sub(r"\.{2,}", ".", safe)[-_SLUG:].strip("-._")
    return safe or "model"


def date_of(run: RunRecord) -> datetime:
    """The run's date, UTC where it names no zone. Raises SuiteError when it cannot be read."""
    try:
        return _moment(run)
    except ValueError as error:
        raise SuiteError(
            str(error),
            where=run.run,
            next_step="Correct the date in the run's alpaca_run.json, or run it again.",
        ) from error


def _moment(run: RunRecord) -> datetime:
    try:
        date = datetime.fromisoformat(run.date)
    except ValueError:
        raise ValueError(f"the date {run.date!r} is not of the form 2026-01-31T12:00:00+00:00") from None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
