"""`alpaca-suite scenarios`: which there are, what they hold, whether they are right, and how to make one."""

import json
import os
import shlex
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.leaderboard.cells import plain

if TYPE_CHECKING:
    from alpaca_eval_suite.cards import Card
    from alpaca_eval_suite.cards.survey import Surveyed
    from alpaca_eval_suite.types import Instruction

_WIDTH = 100
_SHOWN = 300  # characters of a text
_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.group("scenarios")
def scenarios_group() -> None:
    """Which scenarios there are, what they hold, whether they are right, and how to make one.

    \b
    Example:
      alpaca-suite scenarios new quiz --from quiz.csv --metric short_answer --answers answer
    """


@scenarios_group.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_command(as_json: bool) -> None:
    """One scenario a line: name, items, metric, licence, and where its data is. Downloads nothing.

    \b
    Example:
      alpaca-suite scenarios list
    """
    from alpaca_eval_suite.cards.survey import survey

    found = survey()
    if as_json:
        click.echo(json.dumps([one.as_json() for one in found], indent=2, ensure_ascii=False))
        return
    lines = [(one.name, _size(one), one.metric, _brief(one.licence, 40), _state(one)) for one in found]
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    for line in lines:
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=False)]
        click.echo("  ".join([*cells, line[4]]).rstrip())


def _size(one: "Surveyed") -> str:
    if one.items is not None:
        return f"{one.items} items"
    return f"{one.n_bytes / 1000:.0f} kB" if one.n_bytes else "?"


def _state(one: "Surveyed") -> str:
    from alpaca_eval_suite.cards.survey import BROKEN

    if one.state == BROKEN:
        return f"{BROKEN}: {one.why}"
    also = one.baseline if one.baseline not in (None, one.state) else None
    return f"data {one.state}" + (f", baseline {also}" if also else "")


@scenarios_group.command("show")
@click.argument("name")
@click.option("--items", "n_items", type=click.IntRange(min=0), default=3, show_default=True, help="How many items.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show_command(name: str, n_items: int, as_json: bool) -> None:
    """The card of NAME in words, its first items, and how to run it. Downloads nothing.

    \b
    Example:
      alpaca-suite scenarios show capitals
    """
    from alpaca_eval_suite.cards import load_card, load_instructions
    from alpaca_eval_suite.cards.survey import look_at

    card, state = load_card(name), look_at(name)
    items = load_instructions(card)[:n_items] if state.items else []
    if as_json:
        shown = {"folder": str(card.folder), **card.model_dump(mode="json"), "state": state.as_json()}
        shown["first_items"] = [dict(vars(item)) for item in items]
        click.echo(json.dumps(shown, indent=2, ensure_ascii=False))
        return
    click.echo("\n".join([*_card_lines(card, state), "", *_item_lines(items, state), "", *_run_lines(card)]))


def _card_lines(card: "Card", state: "Surveyed") -> list[str]:
    columns, decoding = card.columns, card.decoding
    parts = {
        "Name": card.name,
        "Title": card.title,
        "About": card.description,
        "Source": card.source,
        "Licence": card.licence,
        "Cite": card.citation,
        "Size": _size(state),
        "Data": f"{_state(state)} ({card.data.file or card.data.url})",
        "Metric": f"{card.metric}: {_METRICS[card.metric]}",
        "Columns": ", ".join(
            ours if ours.rpartition(" ")[2] == theirs else f"{ours} = {theirs}"
            for ours, theirs in (
                ("id", columns.id),
                ("instruction", columns.instruction),
                ("input", columns.input),
                ("reference", columns.reference),
                *((f"slice {name}", column) for name, column in columns.slices.items()),
                *((f"key {name}", column) for name, column in columns.key.items()),
            )
            if theirs
        ),
        "Decoding": f"at most {decoding.max_tokens} tokens, temperature {decoding.temperature:g}"
        + (f", stop at {', '.join(map(repr, decoding.stop))}" if decoding.stop else ""),
        "Baseline": f"{card.baseline.name} ({card.baseline.licence})" if card.baseline else "",
        "Folder": str(card.folder),
    }
    return [line for label, text in parts.items() if text for line in _labelled(label, text)]


_METRICS = {
    "preference": "a judge compares each answer with a baseline's",
    "short_answer": "each answer is read for one fact",
    "misinformation": "each answer is read: does it correct an untruth, or go along with it?",
    "stereotypes": "each answer is read for traits of a group, in pairs that differ in it",
    "toxicity": "each answer is read: declined, helped, toxic?",
}


def _labelled(label: str, text: str) -> list[str]:
    width = 10
    lines = textwrap.wrap(text, _WIDTH - width, break_long_words=False, break_on_hyphens=False)
    return [f"{label if number == 0 else '':<{width}}{line}" for number, line in enumerate(lines)]


def _item_lines(items: Sequence["Instruction"], state: "Surveyed") -> list[str]:
    if not items:
        what = "No item is shown" if state.items else f"No item can be shown ({_state(state)})"
        return [f"{what}."]
    lines = [f"First items of {state.items}:"]
    for item in items:
        about = ", ".join(f"{name} {value}" for name, value in item.slices.items())
        lines.append(f"  {item.id}" + (f" ({about})" if about else ""))
        texts = {"asks": item.instruction, "input": item.input, "reference": item.reference or ""}
        texts |= {name: json.dumps(value, ensure_ascii=False) for name, value in item.key.items()}
        lines += [f"    {label}: {_brief(text, _SHOWN)}" for label, text in texts.items() if text]
    return lines


def _brief(text: str, longest: int) -> str:
    line = plain(text)
    return line if len(line) <= longest else line[: longest - 1] + "…"


def _run_lines(card: "Card") -> list[str]:
    return ["Run it:", *(f"  {line}" for line in _how_to_run(card.name, card.folder.parent))]


def _how_to_run(name: str, root: Path) -> list[str]:
    from alpaca_eval_suite.resources import scenario_roots

    known = [Path(os.path.abspath(folder)) for folder in scenario_roots()]
    lines = [f"alpaca-suite eval --model PATH_OF_A_CHECKPOINT --scenario {name}",
             f"alpaca-suite eval --outputs FILE --scenario {name}"]  # fmt: skip
    if Path(os.path.abspath(root)) in known:
        return lines
    return [f"export ALPACA_SCENARIOS={shlex.quote(os.path.abspath(root))}", *lines]


@scenarios_group.command("validate")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def validate_command(name: str, as_json: bool) -> None:
    """Check all that a run would check of NAME, a scenario or a folder, and print each problem on a line.

    \b
    Example:
      alpaca-suite scenarios validate ~/scenarios/postcards

    Card, checksum of the data (which is fetched where the card gives an address), rows, ids, checks, what the
    metric needs, and the baseline's outputs. Exit code 1 when there is a problem.
    """
    from alpaca_eval_suite.evaluate.validate import problems_of

    folder = _folder_of(name)
    problems = problems_of(folder)
    if as_json:
        found = [{"where": one.where, "what": one.what, "next_step": one.next_step} for one in problems]
        click.echo(json.dumps({"folder": str(folder), "problems": found}, indent=2, ensure_ascii=False))
    else:
        _tell(problems)
        click.echo(f"{name}: {_counted(problems)}")
    if problems:
        raise click.exceptions.Exit(1)


def _folder_of(name: str) -> Path:
    """A folder where one is named as such, or where its name is no scenario's."""
    from alpaca_eval_suite.cards import CARD_FILE, list_cards
    from alpaca_eval_suite.resources import scenario_roots

    path = Path(name).expanduser()
    if path.is_dir() and (path.name != name or name not in list_cards()):
        return path
    for root in scenario_roots():
        if Path(name).name == name and (root / name / CARD_FILE).is_file():
            return root / name
    raise UsageError(
        f"{name!r} is neither a scenario nor a folder", next_step=f"Scenarios there are: {', '.join(list_cards())}."
    )


def _tell(problems: Sequence[SuiteError]) -> None:
    for problem in problems:
        click.echo(str(problem).replace("\n  ", ". "))


def _counted(problems: Sequence[SuiteError]) -> str:
    return {0: "no problem", 1: "1 problem"}.get(len(problems), f"{len(problems)} problems")


@scenarios_group.command("new")
@click.argument("name")
@click.option("--from", "source", required=True, type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="A table: .csv, .tsv, .jsonl or .json.")  # fmt: skip
@click.option("--metric", type=click.Choice(["preference", "short_answer"]), default="preference", show_default=True,
              help="Compare with a baseline, or read each answer for one fact.")  # fmt: skip
@click.option("--instruction", default="instruction", show_default=True, metavar="COL", help="What is asked.")
@click.option("--input", metavar="COL", help="What it is about.  [default: input, where there is one]")
@click.option("--id", metavar="COL", help="A unique name.  [default: id where there is one, else the row's number]")
@click.option("--reference", metavar="COL", help="An answer that is known to be good.")
@click.option("--slice", "slices", multiple=True, metavar="[NAME=]COL",
              help="What results are broken down by; may be given several times.")  # fmt: skip
@click.option("--checks", metavar="COL", help="For preference: a JSON list of checks, for builtin:checks.")
@click.option("--answers", metavar="COL", help="For short_answer: accepted answers, with | between them.")
@click.option("--traps", metavar="COL", help="For short_answer: well-known errors, with | between them.")
@click.option("--licence", default="not stated", show_default=True, metavar="TEXT", help="The data's licence.")
@click.option("--encoding", metavar="NAME", help="Of the file, such as latin-1.  [default: utf-8]")
@click.option("--out", type=_FOLDER, metavar="DIR",
              help="The folder around it.  [default: the first of $ALPACA_SCENARIOS, else scenarios]")  # fmt: skip
def new_command(name: str, source: Path, metric: Any, licence: str, encoding: str | None, out: Path | None,
                slices: tuple[str, ...], **columns: str | None) -> None:  # fmt: skip
    """Make the scenario NAME, a folder with card.yaml and data.jsonl, from a table of your own.

    \b
    Example:
      alpaca-suite scenarios new quiz --from quiz.csv --instruction question \\
          --metric short_answer --answers answer --traps wrong --slice topic
    """
    from alpaca_eval_suite.cards import author
    from alpaca_eval_suite.cards.table import read_table
    from alpaca_eval_suite.evaluate.validate import problems_of

    author.check_name(name)
    names = author.ColumnNames(slices=_slices(slices), **columns)  # type: ignore[arg-type]
    problems: list[SuiteError] = []
    table = read_table(source, encoding, problems.append)
    author.check_names(table, names, metric, problems.append)
    if not problems:
        rows = author.make_rows(table, names, metric, problems.append)
    if problems:
        _tell(problems)
        raise SuiteError(f"{_counted(problems)}; nothing was written", where=str(source))
    folder = (out or _default_root()).expanduser() / name
    card = author.make_card(name, names, rows, metric=metric, source=source.name, licence=licence)
    author.write_scenario(folder, card, rows)
    click.echo(f"wrote {folder / 'card.yaml'} and {folder / author.DATA_FILE}: {len(rows)} items")
    if problems := problems_of(folder):
        _tell(problems)
        raise SuiteError(f"{_counted(problems)} to be mended in what was written", where=str(folder))
    click.echo("\n".join(["It can be run. Next:", *_next_steps(name, folder, metric, licence, names)]))


def _slices(given: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in given:
        name, sign, column = text.partition("=")
        name, column = (name, column) if sign else (text.replace(".", "_"), text)
        if not name or not column or "." in name or name in found:
            raise UsageError(
                f"--slice {text!r}: a slice needs a name of its own, without a dot", next_step="Write NAME=COLUMN."
            )
        found[name] = column
    return found


def _default_root() -> Path:
    first = os.environ.get("ALPACA_SCENARIOS", "").split(os.pathsep)[0]
    return Path(first) if first else Path("scenarios")


def _next_steps(name: str, folder: Path, metric: str, licence: str, names: Any) -> list[str]:
    steps = [f"Say in {folder / 'card.yaml'} what the items ask for (title, description)"
             + (" and under which licence they are." if licence == "not stated" else ".")]  # fmt: skip
    if metric == "preference":
        steps.append("Name what to compare with, by --baseline FILE or on the card"
                     + (" (docs/scenarios.md)." if names.checks else ", and a judge (docs/judges.md)."))  # fmt: skip
    steps.append("Run it:")
    return [*(f"  - {step}" for step in steps), *(f"      {line}" for line in _how_to_run(name, folder.parent))]
