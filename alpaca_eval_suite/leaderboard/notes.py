"""What is said under a table: rows that cannot be compared, rates withheld, how intervals were made."""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from alpaca_eval_suite.leaderboard.cells import FLAG, plain, rate_text
from alpaca_eval_suite.leaderboard.record import RunRecord
from alpaca_eval_suite.leaderboard.rows import WIN_RATE, Row

if TYPE_CHECKING:
    from alpaca_eval_suite.leaderboard.board import Board

SHORT_HASH = 8

_SPOILED = (
    ("empty", "are empty"),
    ("cut_off", "were cut off at max_tokens"),
    ("cut_off_thinking", "were cut off while thinking, and hold no answer"),
)

# (what differs, among which rows it should not)
_Setting = tuple[str, tuple[str, ...]]


def notes_of(rows: Sequence[Row]) -> list[str]:
    """The notes to the rows of one table, which are numbered from 1. Plain text, one line each."""
    return [
        *_other_prompts(rows),
        *_different_data(rows),
        *_different_settings(rows),
        *_withheld(rows),
        *_of_runs(rows),
        *_spoiled_outputs(rows),
        *_intervals(rows),
    ]


def of_boards(boards: "Sequence[Board]") -> list[str]:
    """The notes on how rows were sorted, ranked and length-controlled; equal ones are said once."""
    ranked, lengths = _of_each(boards, lambda board: board.ranked), _of_each(boards, lambda board: board.length_control)
    notes = [
        *(f"Sorted by {plain(name.replace('_', ' '))}{where}." for name, where in _of_each(boards, _sorted_by)),
        *(f"Ranks are of the {_headline(boards)} alone{where}: {said}." for said, where in ranked),
        *(f"Length-controlled rates{where}: {said}." for said, where in lengths),
    ]
    return [*notes, *_without(boards)]


def _of_each(boards: "Sequence[Board]", said_of: "Callable[[Board], str]") -> list[tuple[str, str]]:
    """Each thing that is said of a board, with the boards where not all have it in common."""
    said: dict[str, list[str]] = defaultdict(list)
    for board in boards:
        said[said_of(board)].append(board.title)
    return [
        (text, "" if len(titles) == len(boards) else f" ({'; '.join(titles)})") for text, titles in said.items() if text
    ]


def _sorted_by(board: "Board") -> str:
    return "" if board.sorted_by == board.kind.headline else board.sorted_by


def _headline(boards: "Sequence[Board]") -> str:
    return plain(boards[0].kind.headline.replace("_", " "))


def _without(boards: "Sequence[Board]") -> list[str]:
    """Why rows have no rank, where others of the board do, or none has one but there are several."""
    found: dict[str, list[int]] = defaultdict(list)
    number = 0
    for board in boards:
        for row in board.rows:
            number += 1
            if row.rank is None and not row.no_information and len(board.rows) > 1:
                found[row.rank_reason].append(number)
    return [f"No rank ({_rows(numbers)}): {plain(reason)}." for reason, numbers in found.items()]


def scenarios_with_different_data(rows: Sequence[Row]) -> set[str]:
    """The names of scenarios that stand here with more than one data hash."""
    hashes: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        hashes[row.run.scenario.name].add(row.run.scenario.sha256)
    return {name for name, found in hashes.items() if len(found) > 1}


def _other_prompts(rows: Sequence[Row]) -> list[str]:
    """Rows whose every number is flagged: the model was trained with another prompt than it was asked with."""
    found: dict[str, list[int]] = defaultdict(list)
    for number, row in enumerate(rows, 1):
        trained = row.run.prompt.trained_with
        if row.run.prompt.mismatch and trained:
            asked = row.run.prompt
            found[
                f"trained with {plain(trained.format)} {trained.sha256[:SHORT_HASH]}, asked with "
                f"{plain(asked.format)} {asked.sha256[:SHORT_HASH]}"
            ].append(number)
    said = "Asked with another prompt than in training, so that these numbers may be the prompt's more than the model's"
    return [f"{FLAG} {said}: {_listed(found)}"] if found else []


def _different_data(rows: Sequence[Row]) -> list[str]:
    notes = []
    for name in sorted(scenarios_with_different_data(rows)):
        found: dict[str, list[int]] = defaultdict(list)
        for number, row in enumerate(rows, 1):
            if row.run.scenario.name == name:
                found[row.run.scenario.sha256[:SHORT_HASH]].append(number)
        notes.append(f"Scenario {plain(name)}: rows on different data cannot be compared: {_listed(found)}")
    return notes


def _different_settings(rows: Sequence[Row]) -> list[str]:
    found: dict[_Setting, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for number, row in enumerate(rows, 1):
        for setting, value in _settings(row).items():
            found[setting][value].append(number)
    return [
        f"{plain(', '.join(among))}: the {what} differs: {_listed(values)}"
        for (what, among), values in found.items()
        if len(values) > 1
    ]


def _settings(row: Row) -> dict[_Setting, str]:
    """What a column does not show, and rows side by side should have in common."""
    run = row.run
    scenario = run.scenario.name
    stop = ", ".join(repr(text) for text in run.decoding.stop) or "none"
    settings: dict[_Setting, str] = {
        ("number of items", (scenario,)): str(run.scenario.n_items),
        ("decoding", (scenario,)): (
            f"max_tokens {run.decoding.max_tokens}, temperature {run.decoding.temperature:g}, stop {stop}"
            + _thinking(run)
            if run.decoding.temperature is not None
            else "not known"
        ),
        (f"{run.prompt.format} prompt", (scenario,)): run.prompt.sha256[:SHORT_HASH],
    }
    if run.baseline:
        digest = run.baseline.sha256
        settings["file of the baseline's outputs", (scenario, run.baseline.name)] = (
            digest[:SHORT_HASH] if digest else "made on the fly" if run.source == "helm" else "not known"
        )
    if run.judge:
        among = (scenario, run.judge.name)
        digest = run.judge.template_sha256
        settings["model that the judge's server names", among] = run.judge.served_id or "none"
        settings["judge's question", among] = digest[:SHORT_HASH] if digest else "none"
        settings["order shown to the judge", among] = run.judge.orders
        settings["judge's seed", among] = str(run.judge.seed)
    return settings


def _thinking(run: RunRecord) -> str:
    """How thoughts were treated, where it is not the usual way."""
    kept = ", thoughts kept" if run.decoding.thinking == "keep" else ""
    budget = run.decoding.thinking_tokens
    return f"{kept}, thinking tokens {budget}" if budget else kept


def _listed(rows_of: Mapping[str, Sequence[int]]) -> str:
    return "; ".join(f"{value} ({_rows(numbers)})" for value, numbers in rows_of.items()) + "."


def _withheld(rows: Sequence[Row]) -> list[str]:
    found = [number for number, row in enumerate(rows, 1) if row.uninformative]
    if not found:
        return []
    return [
        f"No information ({_rows(found)}): neither its agreement with itself over the two orders nor, where it was "
        "measured, with readers is above that of a judge who does not look. What it said is in the JSON entry only."
    ]


def _of_runs(rows: Sequence[Row]) -> list[str]:
    """What the records themselves say must be known."""
    found: dict[str, list[int]] = defaultdict(list)
    for number, row in enumerate(rows, 1):
        for note in row.run.notes:
            found[note].append(number)
    return [f"{_rows(numbers).capitalize()}: {plain(note)}" for note, numbers in found.items()]


def _spoiled_outputs(rows: Sequence[Row]) -> list[str]:
    notes = []
    for name, meaning in _SPOILED:
        for number, row in enumerate(rows, 1):
            rate = row.run.rates.get(name)
            if rate is not None and rate.value:
                counted = f"n {rate.n}, failed {rate.n_failed}"
                notes.append(f"Row {number}: {rate_text(rate)} % of the outputs {meaning} ({counted}).")
    return notes


def _intervals(rows: Sequence[Row]) -> list[str]:
    rates_of: dict[str, list[str]] = defaultdict(list)
    for name in (rows[0].kind.headline, *rows[0].kind.rates):
        methods = {method for row in rows if (method := _method(row, name))}
        if methods:
            rates_of[" or ".join(sorted(methods))].append(plain(name.replace("_", " ")))
    if not rates_of:
        return []
    listed = "; ".join(f"{', '.join(names)}: {methods}" for methods, names in rates_of.items())
    return [f"Intervals are at 95 % unless a cell says otherwise. Methods: {listed}."]


def _method(row: Row, name: str) -> str:
    """How the interval that the table shows was made; why a fall-back was needed is in the JSON entry."""
    rate = row.run.rates.get(name)
    if rate is None or rate.ci is None or (row.uninformative and name == WIN_RATE):
        return ""
    return re.sub(r" \(fall-back.*", " (fall-back)", plain(rate.ci.method))


def _rows(numbers: Sequence[int]) -> str:
    return f"{'row' if len(numbers) == 1 else 'rows'} {', '.join(map(str, numbers))}"
