"""Reading a run's replies again, with the present reader or a mended judge file: no call, no money."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.judge.answers import Answer
from alpaca_eval_suite.judge.cache import Entry
from alpaca_eval_suite.judge.contracts import Ruling
from alpaca_eval_suite.judge.run_setup import JUDGE
from alpaca_eval_suite.judge.schema import JudgeSpec, judge_hash
from alpaca_eval_suite.models.ledger_reading import LedgerReading, read_about
from alpaca_eval_suite.types import Order, Preference


@dataclass(frozen=True)
class Reparsed:
    """The verdicts in the order of the pairs, each judge's hash by name, and how many changed.

    `mended` could not be read before and can now, `broken` the other way round, `changed` have another value.
    `entries`: what can be read, for the verdict cache, by call.
    """

    preferences: tuple[Preference, ...]
    hashes: Mapping[str, str]
    mended: int
    broken: int
    changed: int
    entries: Mapping[str, Entry]


def reparse(
    folder: Path, old: Mapping[tuple[str, str, Order], float | None], specs: Mapping[str, JudgeSpec]
) -> Reparsed:
    """Read every reply in the ledger `folder` by the judge of its name in `specs`.

    `old`: the wins that are compared with, by id, judge and order. Raises SuiteError for a folder that is no ledger of
    a judge, KeyError for a judge that `specs` lacks.
    """
    ledger = LedgerReading(folder)
    identities = judges_in(folder)
    hashes = {name: judge_hash(specs[name], identity) for name, identity in identities.items()}
    found: dict[int, Preference] = {}
    entries: dict[str, Entry] = {}
    for key in sorted(ledger.values, key=_attempt):
        answer = _answer(folder, key, ledger.values[key])
        for line in answer.lines:
            name = line["judge"]
            reading = answer.read(specs[name])
            found[line["place"]] = _preference(line, *answer.outcome(reading, line["order"]))
            if isinstance(reading, Ruling) and answer.reply is not None and answer.kept is None:
                entries[key.partition("/")[0]] = Entry(answer.reply, reading, name, hashes[name], answer.cost)
    if not found:
        raise SuiteError("holds no replies", where=str(folder), next_step="Is it the ledger of a run with a judge?")
    verdicts = tuple(found[place] for place in sorted(found))
    places = [((one.id, one.judge, one.order), one.win) for one in verdicts]
    changes = Counter(_change(old[place], win) for place, win in places if place in old)
    return Reparsed(verdicts, hashes, changes["mended"], changes["broken"], changes["changed"], entries)


def judges_in(folder: Path) -> dict[str, Mapping[str, Any]]:
    """The judges whose ledger it is: names and identities. Raises SuiteError for a folder that is none."""
    about = read_about(folder)
    judges = {key.removeprefix(JUDGE): value["identity"] for key, value in about.items() if key.startswith(JUDGE)}
    if not judges:
        raise SuiteError("is not the ledger of a run with a judge", where=str(folder), next_step="Check its name.")
    return judges


def _attempt(key: str) -> int:
    """Later attempts go before earlier ones: they are read last."""
    return int(key.partition("/")[2] or 0)


def _answer(folder: Path, key: str, value: Mapping[str, Any]) -> Answer:
    try:
        return Answer.from_json(value)
    except (KeyError, TypeError, AttributeError) as error:
        raise SuiteError(f"is not the ledger of a judge ({error!r})", where=f"{folder}: key {key}") from error


def _preference(line: Mapping[str, Any], win: float | None, reason: str) -> Preference:
    values = {name: value for name, value in line.items() if name != "place"}
    return Preference(win=win, reason=reason, **values)


def _change(old: float | None, new: float | None) -> str:
    if old is None:
        return "same" if new is None else "mended"
    if new is None:
        return "broken"
    return "same" if old == new else "changed"
