"""The leaderboard entry: one JSON file a model, with the records of all its runs.

A record already holds everything needed to repeat the run (record.py); an entry gathers those of one model.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.files import read_text, sha256_text, write_atomic
from alpaca_eval_suite.leaderboard.record import ModelRecord, RunRecord

ENTRY_VERSION = 1

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
    """One model and what its runs found: at most one record for each `run_key`, sorted by it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1] = 1
    name: str
    fingerprint: str | None = None
    served_id: str | None = None
    runs: tuple[RunRecord, ...]

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


def run_key(run: RunRecord) -> RunKey:
    """What tells two results of one model apart: on which items, against whom, judged and prompted how.

    The number of items belongs to it, so that a short trial does not replace a whole run; so does decoding.
    Device, type and batch size do not: the same model asked the same again is the same result, made newer.
    """
    asked = run.judge
    judge = asked and (asked.name, asked.served_id, asked.template_sha256, asked.orders, asked.seed)
    baseline = run.baseline and (run.baseline.name, run.baseline.sha256, run.baseline.served_id)
    scenario = (run.scenario.name, run.scenario.sha256, run.scenario.n_items)
    prompt = (run.prompt.format, run.prompt.sha256)
    how = run.decoding
    decoding = (how.max_tokens, how.temperature, how.stop, how.thinking, how.thinking_tokens)
    return (scenario, baseline, judge, prompt, decoding)


def merge(entries: Iterable[Entry], runs: Iterable[RunRecord], warn: Warn) -> list[Entry]:
    """`entries` with `runs` put in, each under its model; other results of a model stay.

    Of two runs with one key the newer stands; of two of the same date, the one that comes later here. An
    older run never replaces a newer one: `warn` is told which was left out. Sorted by identity.
    Raises SuiteError for a run whose date cannot be read.
    """
    of_model: dict[Identity, dict[RunKey, RunRecord]] = {
        entry.identity: {run_key(run): run for run in entry.runs} for entry in entries
    }
    for run in runs:
        kept = of_model.setdefault(Identity.of(run.model), {})
        known = kept.get(run_key(run))
        if known is not None and date_of(run) < date_of(known):
            warn(f"{run.run} of {run.date} is left out: the same was run again on {known.date}")
        else:
            kept[run_key(run)] = run
    return [
        Entry(**identity._asdict(), runs=tuple(kept[key] for key in sorted(kept, key=repr)))
        for identity, kept in sorted(of_model.items(), key=lambda item: tuple(part or "" for part in item[0]))
    ]


def read_entry(path: Path) -> Entry:
    """The entry in `path`. Raises SuiteError naming the file and the key that is wrong."""
    try:
        return Entry.model_validate_json(read_text(path))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise SuiteError(
            f"is not a leaderboard entry of version {ENTRY_VERSION} ({f'{key}: ' if key else ''}{message})",
            where=str(path),
            next_step="Nothing was changed. Restore the file, or move it to another folder and build again: "
            "entries are made anew from the runs that are still there.",
        ) from error


def read_entries(folder: Path) -> dict[Path, Entry]:
    """The entries of `folder` by their files, sorted by name; empty where the folder does not exist.

    Temporary files of a write that was cut off are passed over. Raises SuiteError for a file that is no
    entry, and for two files that hold the same model.
    """
    files = sorted(path for path in folder.glob("*.json") if not path.name.startswith("."))
    entries = {path: read_entry(path) for path in files}
    first: dict[Identity, Path] = {}
    for path, entry in entries.items():
        known = first.setdefault(entry.identity, path)
        if known != path:
            raise SuiteError(
                f"holds the same model as {known.name}",
                where=str(path),
                next_step="Move one of the two files to another folder.",
            )
    return entries


def write_entries(folder: Path, entries: Sequence[Entry], known: Mapping[Path, Entry]) -> list[Path]:
    """Write each entry into `folder`, atomically, and return their files.

    An entry goes to the file of `known` that holds its model, else to a new one (`file_name`). Raises
    SuiteError when a file cannot be written; those written before it stay, and a second call does the rest.
    """
    path_of = {entry.identity: path for path, entry in known.items()}
    # Some file systems do not tell upper from lower case.
    taken = {path.name.casefold() for path in known}
    written = []
    for entry in entries:
        path = path_of.get(entry.identity)
        if path is None:
            path = folder / file_name(entry.identity, taken)
            taken.add(path.name.casefold())
        write_atomic(path, entry.model_dump_json(indent=2) + "\n")
        written.append(path)
    return written


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
