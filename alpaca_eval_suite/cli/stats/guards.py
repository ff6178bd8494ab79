"""`alpaca-suite stats guards`: what makes a file of outputs suspicious."""

from pathlib import Path

import click

from alpaca_eval_suite.cards import load_card, load_instructions, match_outputs, read_outputs
from alpaca_eval_suite.cli.stats.shared import FILE, as_json_option, print_json
from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.files import read_rows
from alpaca_eval_suite.leaderboard.cells import plain
from alpaca_eval_suite.stats.guards import Guard, Texts, guards

_SHOWN = 5


@click.command("guards")
@click.argument("file", type=FILE)
@click.option(
    "--scenario", help="The scenario that FILE answers: its references are compared, its instructions quoted."
)
@as_json_option
def guards_command(file: Path, scenario: str | None, as_json: bool) -> None:
    """Print what is suspicious in a model's outputs: to be read beside its rate, nothing is dropped.

    FILE is JSON Lines with id and output, or AlpacaEval's list of outputs.

    \b
    Example:
      alpaca-suite stats guards outputs.jsonl --scenario user_oriented_mini
    """
    model, outputs, instructions, references = _read(file, scenario)
    found = guards(outputs, instructions=instructions, references=references)
    if as_json:
        named = {name: guard.as_json() for name, guard in found.items()}
        print_json({"model": model, "n": len(outputs), "flagged": _flagged(found), "guards": named})
        return
    click.echo(f"{plain(model)}: {len(outputs)} outputs")
    click.echo("\n".join(_text(name, guard) for name, guard in found.items()))


def _flagged(found: dict[str, Guard]) -> list[str]:
    return [name for name, guard in found.items() if guard.flagged]


def _read(file: Path, scenario: str | None) -> tuple[str, Texts, Texts, Texts | None]:
    """The model's name, its outputs, the instructions and the references, by id."""
    source = read_outputs(file)
    if scenario is not None:
        items = load_instructions(load_card(scenario))
        outputs = {id_: completion.output for id_, completion in match_outputs(source, items).items()}
        asked = {item.id: f"{item.instruction}\n{item.input}" for item in items}
        return source.model, outputs, asked, {item.id: item.reference for item in items if item.reference}
    outputs, asked = {}, {}
    for where, row in read_rows(file):
        id_ = str(row.get("id", where))
        if not isinstance(row.get("output"), str):
            raise SuiteError("'output' is missing or not text", where=where)
        if id_ in outputs:
            raise SuiteError(f"the id {id_!r} stands twice", where=where, next_step="Keep one output an id.")
        outputs[id_] = row["output"]
        asked[id_] = f"{row.get('instruction', '')}\n{row.get('input', '')}"
    return source.model, outputs, asked, None


def _text(name: str, guard: Guard) -> str:
    mark = "suspicious" if guard.flagged else "ok" if guard.checked else "not checked"
    more = ", …" if len(guard.ids) > _SHOWN else ""
    ids = f" [{plain(', '.join(guard.ids[:_SHOWN]))}{more}]" if guard.ids else ""
    return f"  {name.replace('_', ' ')}: {mark}: {guard.found}{ids}"
