"""`alpaca-suite judge list` and `judge show`: which judges there are, and what one of them is asked."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.leaderboard.cells import plain

if TYPE_CHECKING:
    from alpaca_eval_suite.judge.schema import JudgeSpec, PanelSpec


@click.command("list")
@click.argument("folder", type=click.Path(file_okay=False, exists=True, path_type=Path), default=".")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_command(folder: Path, as_json: bool) -> None:
    """List the judges that come with the suite, and the judge files (*.yaml) in FOLDER, by default the current one.

    A form without a model takes one behind @: letter@endpoint/NAME.

    \b
    Example:
      alpaca-suite judge list
    """
    from alpaca_eval_suite.judge.schema import BUILTINS
    from alpaca_eval_suite.judge.spec import load_judge, shipped_judges

    found = [(name, load_judge(name)) for name in (*BUILTINS, *shipped_judges())]
    for path in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]):
        try:
            found.append((str(path), load_judge(str(path))))
        except SuiteError:  # other programs have YAML files too
            continue
    if as_json:
        click.echo(json.dumps([{"judge": name, **_facts(spec)} for name, spec in found], indent=2, ensure_ascii=False))
        return
    width = max(len(name) for name, _ in found)
    for name, spec in found:
        click.echo(f"{name:{width}}  {_line(spec)}")


@click.command("show")
@click.argument("judge", metavar="JUDGE")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show_command(judge: str, as_json: bool) -> None:
    """Show a judge: every key of it, and the question that it is asked about an example.

    \b
    Example:
      alpaca-suite judge show letter
    """
    from alpaca_eval_suite.judge.question import ask
    from alpaca_eval_suite.judge.schema import PanelSpec
    from alpaca_eval_suite.judge.spec import load_judge

    spec = load_judge(judge)
    question = None if isinstance(spec, PanelSpec) or spec.is_builtin else ask(spec, _example(), "model_first")
    messages = question.request.prompt if question else ()
    shown = [{"role": one.role, "content": one.content} for one in messages if not isinstance(one, str)]
    if as_json:
        click.echo(json.dumps({**_facts(spec), "example": shown}, indent=2, ensure_ascii=False))
        return
    for key, value in _facts(spec).items():
        if key not in ("template", "system"):
            click.echo(f"{key}: {plain(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))}")
    for message in shown:
        click.echo(f"\n--- an example, as {message['role']} ---\n{message['content']}")


def _example() -> Any:
    from alpaca_eval_suite.types import Comparison, Instruction

    item = Instruction("example", "Name the capital of Tanzania.", reference="Dodoma.")
    return Comparison(item, "It is Dodoma.", "Dar es Salaam, a city by the sea.")


def _facts(spec: "JudgeSpec | PanelSpec") -> dict[str, Any]:
    return {key: value for key, value in spec.model_dump(mode="json").items() if value is not None}


def _line(spec: "JudgeSpec | PanelSpec") -> str:
    from alpaca_eval_suite.judge.schema import PanelSpec

    if isinstance(spec, PanelSpec):
        return f"panel ({spec.combine}): {plain(', '.join(spec.panel))}"
    if spec.is_builtin:
        return "a program of ours, which needs no model"
    return f"form {spec.form}, orders {spec.orders}, " + (f"model {plain(spec.model)}" if spec.model else "any model")
