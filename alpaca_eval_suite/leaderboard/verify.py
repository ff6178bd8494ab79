"""Whether an entry says what its raw files say: every number is made again, every hash is checked."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.files import read_text, sha256_of
from alpaca_eval_suite.leaderboard.entry import CHECKSUM, checksum_of, read_entry
from alpaca_eval_suite.leaderboard.figures import information
from alpaca_eval_suite.leaderboard.importers.scores import with_scores
from alpaca_eval_suite.leaderboard.outside import UNNAMED
from alpaca_eval_suite.leaderboard.raw import RawItem, ids_hash, read_raw
from alpaca_eval_suite.leaderboard.recompute import COUNTED
from alpaca_eval_suite.leaderboard.record import RunRecord

TOLERANCE = 1e-9
"""Two numbers that differ by less are equal: another processor may round otherwise."""

NO_RAW = "any number: it has no raw file (an older version made it, or figures alone were published)"


@dataclass(frozen=True)
class Difference:
    """The first key at which an entry says something else than its raw files: dotted, with both values."""

    key: str
    stored: Any
    recomputed: Any

    def as_json(self) -> dict[str, Any]:
        """{"key", "stored", "recomputed"}."""
        return {"key": self.key, "stored": self.stored, "recomputed": self.recomputed}


@dataclass(frozen=True)
class RunCheck:
    """One run of an entry: what was `checked`, what could not be and why, and the first difference."""

    run: str
    scenario: str
    checked: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()
    difference: Difference | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "run": self.run,
            "scenario": self.scenario,
            "checked": list(self.checked),
            "unchecked": list(self.unchecked),
            "difference": self.difference.as_json() if self.difference else None,
        }


@dataclass(frozen=True)
class EntryCheck:
    """One entry. `difference` is of what no run holds (the checksum); `problem` says why it could not be read."""

    file: Path
    model: str | None = None
    runs: tuple[RunCheck, ...] = ()
    checked: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()
    difference: Difference | None = None
    problem: SuiteError | None = field(default=None, compare=False)

    @property
    def first_difference(self) -> Difference | None:
        """Of the runs, in their order, then of the entry."""
        return next((run.difference for run in self.runs if run.difference), self.difference)

    @property
    def verified(self) -> bool:
        """Whether the numbers of every run were made again, and nothing differs."""
        return not self.problem and not self.first_difference and all(run.checked for run in self.runs)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "file": str(self.file),
            "model": self.model,
            "verified": self.verified,
            "runs": [run.as_json() for run in self.runs],
            "checked": list(self.checked),
            "unchecked": list(self.unchecked),
            "difference": self.difference.as_json() if self.difference else None,
            "problem": str(self.problem) if self.problem else None,
        }


def verify(path: Path) -> list[EntryCheck]:
    """The check of the entry `path`, or of each entry of the folder `path`.

    Raises SuiteError when there is none. Entries that cannot be read are among the checks, with their problem.
    """
    if path.is_dir():
        files = sorted(file for file in path.glob("*.json") if not file.name.startswith("."))
        if not files:
            raise SuiteError("holds no entries", where=str(path), next_step="Name an entry, or a folder of them.")
        return [verify_entry(file) for file in files]
    if not path.exists():
        raise SuiteError("there is no such file", where=str(path), next_step="Name an entry, or a folder of them.")
    return [verify_entry(path)]


def verify_entry(path: Path) -> EntryCheck:
    """The entry in `path` against the raw files that it names, which lie in the same folder or below."""
    try:
        entry = read_entry(path)
        stored = json.loads(read_text(path))
    except SuiteError as problem:
        return EntryCheck(path, problem=problem)
    runs = tuple(_numbered(number, verify_run(run, path.parent)) for number, run in enumerate(entry.runs))
    return _with_checksum(EntryCheck(path, model=entry.name, runs=runs), stored)


def verify_run(run: RunRecord, folder: Path) -> RunCheck:
    """One run of an entry in `folder` against its raw file. Keys are relative to the run."""
    if run.raw is None:
        return RunCheck(run.run, run.scenario.name, unchecked=(NO_RAW,))
    try:
        digest = sha256_of(folder / run.raw.file)
        if digest != run.raw.sha256:
            return _differs(run, Difference("raw.sha256", run.raw.sha256, digest))
        items = read_raw(folder / run.raw.file)
        if len(items) != run.raw.n_lines:
            return _differs(run, Difference("raw.n_lines", run.raw.n_lines, len(items)))
        again = with_scores(run, items)
    except SuiteError as problem:
        return _differs(run, Difference("raw", run.raw.file, str(problem)))
    except (ValueError, KeyError, IndexError, TypeError) as error:
        # Lines that are well formed and belong to no run, such as a pair of which one side stands twice.
        return _differs(run, Difference("raw", run.raw.file, f"no numbers can be made from it ({error!r})"))
    difference = next(_differences(run, again, items), None)
    if difference is not None:
        return _differs(run, difference)
    return RunCheck(run.run, run.scenario.name, tuple(_checked(run)), tuple(_unchecked(run)))


def _differs(run: RunRecord, difference: Difference) -> RunCheck:
    return RunCheck(run.run, run.scenario.name, difference=difference)


def _numbered(number: int, check: RunCheck) -> RunCheck:
    """The check with the key as it stands in the entry."""
    found = check.difference
    if found is None:
        return check
    whole = Difference(f"runs.{number}.{found.key}", found.stored, found.recomputed)
    return RunCheck(check.run, check.scenario, difference=whole)


def _differences(run: RunRecord, again: RunRecord, items: Sequence[RawItem]) -> Iterator[Difference]:
    if run.scenario.n_items != len(items):
        yield Difference("scenario.n_items", run.scenario.n_items, len(items))
    if _is_of_ids(run) and (digest := ids_hash(item.id for item in items)) != run.scenario.sha256:
        yield Difference("scenario.sha256", run.scenario.sha256, digest)
    stored, made = run.model_dump(mode="json"), again.model_dump(mode="json")
    for key in COUNTED:
        if not (key == "length_controlled" and _not_from_here(run)):
            yield from _unequal(key, stored[key], made[key])
    if (blind := _should_have_no_information(run, items)) is not None:
        yield blind


def _is_of_ids(run: RunRecord) -> bool:
    """Whether the data's hash is that of the ids: with a scenario that is installed it is its data's."""
    return run.source in ("judge_run", "votes") and run.scenario.name == UNNAMED


def _not_from_here(run: RunRecord) -> bool:
    """Whether the length-controlled rate is missing, or was made with difficulties from elsewhere."""
    return run.length_controlled is None or run.length_controlled.get("difficulty") != "left out"


def _should_have_no_information(run: RunRecord, items: Sequence[RawItem]) -> Difference | None:
    """A judge whose two orders agree no more than a blind one's, and of whom the entry says otherwise."""
    if run.judge is None or run.panel is not None or run.judge.has_information is False:
        return None
    consistent = information([item.judged(run) for item in items])
    if consistent is False or (run.judge.has_information is None and consistent is not None):
        return Difference("judge.has_information", run.judge.has_information, consistent)
    return None


def _unequal(key: str, stored: Any, made: Any) -> Iterator[Difference]:
    """The places where two JSON values differ, in the order of the stored one."""
    if isinstance(stored, dict) and isinstance(made, dict):
        for name in [*stored, *(name for name in made if name not in stored)]:
            if name in stored and name in made:
                yield from _unequal(f"{key}.{name}", stored[name], made[name])
            else:
                yield Difference(f"{key}.{name}", stored.get(name), made.get(name))
    elif isinstance(stored, list) and isinstance(made, list) and len(stored) == len(made):
        for place, (one, other) in enumerate(zip(stored, made, strict=True)):
            yield from _unequal(f"{key}.{place}", one, other)
    elif not _same(stored, made):
        yield Difference(key, stored, made)


def _same(stored: Any, made: Any) -> bool:
    numbers = [isinstance(value, int | float) and not isinstance(value, bool) for value in (stored, made)]
    if all(numbers):
        return bool(abs(stored - made) <= TOLERANCE * max(1.0, abs(made)))
    return type(stored) is type(made) and bool(stored == made)


def _checked(run: RunRecord) -> Iterator[str]:
    assert run.raw is not None
    yield f"the hash of {run.raw.file} ({run.raw.n_lines} items)"
    n_sliced = sum(len(rates) for values in run.slices.values() for rates in values.values())
    counts = {
        "rates": len(run.rates),
        "differences": len(run.differences),
        "rates of slices": n_sliced,
        "means": len(run.numbers),
    }
    yield ", ".join(f"{count} {name}" for name, count in counts.items() if count) + ", with their intervals"
    if run.win_rate is not None:
        yield "the win rate in full, and the guards"
    if not _not_from_here(run):
        yield "the length-controlled rate"
    if run.panel is not None:
        yield "the agreement among the judges"


def _unchecked(run: RunRecord) -> Iterator[str]:
    """What the raw file cannot tell."""
    if run.length_controlled is not None and _not_from_here(run):
        yield "the length-controlled rate: it was made with difficulties from elsewhere"
    if run.judge is not None and run.judge.calibrated:
        yield "the judge's agreement with people: it is in the judge's card"
    yield "what was noted while it ran: model, settings, versions, date" + (
        ", cost" if run.cost_usd is not None else ""
    )


def _with_checksum(check: EntryCheck, stored: Mapping[str, Any]) -> EntryCheck:
    """The check with that of the checksum, which is over every key and so over what no raw file tells."""
    told = stored.get(CHECKSUM)
    if told is None:
        why = "that the rest was not edited: it has no checksum, as one that an older version wrote"
        return EntryCheck(check.file, check.model, check.runs, unchecked=(why,))
    digest = checksum_of(stored)
    if told != digest:
        return EntryCheck(check.file, check.model, check.runs, difference=Difference(CHECKSUM, told, digest))
    return EntryCheck(check.file, check.model, check.runs, checked=("the checksum over all of it",))
