"""`alpaca-suite judge`: verdicts on two files of outputs, and what judges are worth. One module a command."""

import click

from alpaca_eval_suite.cli.lazy import LazyCommand, LazyGroup

_HERE = "alpaca_eval_suite.cli.judge"

_COMMANDS = {
    "run": LazyCommand(f"{_HERE}.run:run_command", "Compare two files of outputs by one judge or several."),
    "reparse": LazyCommand(f"{_HERE}.reparse:reparse_command", "Read the replies of a run again, without any call."),
    "calibrate": LazyCommand(f"{_HERE}.calibrate:calibrate_command", "Measure a judge on pairs that people labelled."),
    "bridge": LazyCommand(f"{_HERE}.bridge:bridge_command", "The conversion between two judges."),
    "canary": LazyCommand(f"{_HERE}.canary:canary_command", "Whether a judge still says what it said before."),
    "cache": LazyCommand(f"{_HERE}.cache:cache_group", "What the verdict cache holds and saved."),
    "list": LazyCommand(f"{_HERE}.list:list_command", "The judges that there are."),
    "show": LazyCommand(f"{_HERE}.list:show_command", "One judge, with the question that it is asked."),
}


@click.group("judge", cls=LazyGroup, lazy=_COMMANDS)
def judge_group() -> None:
    """Compare outputs by judges: models behind an endpoint, local checkpoints, programs of ours.

    \b
    Example:
      alpaca-suite judge run --model-outputs mine.json --baseline-outputs theirs.json --judge endpoint/judge
    """
    from alpaca_eval_suite.cli.judge.helm import ask_through_helm

    ask_through_helm()
