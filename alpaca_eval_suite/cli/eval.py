"""`alpaca-suite eval` and `alpaca-suite quickstart`: helm-run, helm-summarize and leaderboard build in one call."""

import math
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import click

from alpaca_eval_suite.errors import UsageError

if TYPE_CHECKING:
    from rich.progress import TaskID

    from alpaca_eval_suite.evaluate.plan import Options, Plan
    from alpaca_eval_suite.evaluate.progress import What

_QUICKSTART_MODEL = "smollm2-135m-instruct"
_QUICKSTART_SCENARIOS = ("user_oriented_mini", "capitals")


def _shared_options(command: Callable[..., Any]) -> Callable[..., Any]:
    options = [
        click.option("--judge", default="auto", show_default=True, metavar="NAME",
                     help="builtin:checks, builtin:longer, endpoint/NAME, FORM@endpoint/NAME (as letter_logprobs), a "
                          "checkpoint folder, a judge's YAML file, a HELM deployment (openai/gpt-4o-mini), none, or "
                          "auto."),
        click.option("--probe-judge", default="none", show_default=True, metavar="NAME",
                     help="endpoint/NAME, a checkpoint folder or a HELM deployment that labels the answers to probes; "
                          "none: their rules do."),
        click.option("--baseline", default="card", show_default=True, metavar="WHAT",
                     help="What to compare with: card (the scenario's own), an outputs file, endpoint/NAME, or a HELM "
                          "deployment."),
        click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only N items of each scenario."),
        click.option("--orders", type=click.Choice(["both", "single", "balanced"]),
                     help="Show the judge each pair in both orders, once with the model's output first (single), or "
                          "once with half of them each way (balanced).  [default: both, or as the judge's file says]"),
        click.option("--seed", type=int, default=0, show_default=True, help="Seed of every random draw."),
        click.option("--max-tokens", type=click.IntRange(min=1), metavar="N",
                     help="Longest answer, in the model's tokens.  [default: the scenario's]"),
        click.option("--thinking", type=click.Choice(["strip", "keep"]), default="strip", show_default=True,
                     help="Take a reasoning model's <think> part out of what is judged, or keep it in."),
        click.option("--thinking-tokens", type=click.IntRange(min=0), default=0, show_default=True, metavar="N",
                     help="What the <think> part may take beyond --max-tokens; 0: both share those."),
        click.option("--batch-size", type=click.IntRange(min=1), default=16, show_default=True,
                     help="Answers generated together by a local checkpoint."),
        click.option("--dtype", type=click.Choice(["auto", "float32", "bfloat16", "float16"]), default="auto",
                     show_default=True, help="Arithmetic of a local checkpoint; auto is float32 on a CPU."),
        click.option("--device", default="auto", show_default=True, help="auto, cpu or cuda."),
        click.option("--deterministic", is_flag=True,
                     help="Nothing that can change an answer of a local checkpoint: one at a time unless in float32, "
                          "deterministic algorithms, no TF32."),
        click.option("--output-path", type=click.Path(path_type=Path), default=Path("benchmark_output"),
                     show_default=True, help="Where HELM keeps the runs."),
        click.option("--results", type=click.Path(path_type=Path), default=Path("results"), show_default=True,
                     help="Where the leaderboard is."),
        click.option("--dry-run", is_flag=True, help="Say what would be done, and stop."),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


@click.command("eval")
@click.option("--model", metavar="MODEL",
              help="A checkpoint folder, an embedded model's name, endpoint/NAME, or a HELM deployment.")  # fmt: skip
@click.option("--outputs", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Score outputs that exist already; needs --scenario, and no model.")  # fmt: skip
@click.option("--model-name", metavar="NAME", help="Whose outputs they are.  [default: as FILE says]")
@click.option("--scenario", "scenarios", multiple=True, metavar="NAME",
              help="May be given several times.  [default: user_oriented_mini, capitals]")  # fmt: skip
@click.option("--prompt-format", type=click.Choice(["alpaca", "chat"]), default="alpaca", show_default=True,
              help="The Alpaca prompt, or the model's own chat template; never guessed.")  # fmt: skip
@click.option("--suite", default="alpaca", show_default=True, help="Name of the suite of runs.")
@_shared_options
def eval_command(scenarios: tuple[str, ...], **options: Any) -> None:
    """Score a model: generate, judge, summarise, and add it to the leaderboard.

    \b
    alpaca-suite eval --model ./my-checkpoint
    alpaca-suite eval --model ./my-checkpoint --prompt-format chat --scenario capitals --limit 20
    alpaca-suite eval --model ./my-checkpoint --scenario user_oriented --judge openai/gpt-4o-mini
    alpaca-suite eval --outputs my-outputs.jsonl --scenario capitals

    It stands for helm-run, helm-summarize and alpaca-suite leaderboard build, and prints those lines. Answers and
    verdicts are cached: run the same command again after an interruption, and it goes on where it stopped.
    """
    if (options["model"] is None) == (options["outputs"] is None):
        raise UsageError("nothing says what to score, or two things do", next_step="Give --model, or --outputs FILE.")
    if options["model_name"] and not options["outputs"]:
        raise UsageError("--model-name says whose outputs a file holds", next_step="Give --outputs FILE with it.")
    if options["outputs"] and len(scenarios) != 1:
        raise UsageError("outputs belong to one scenario", next_step="Give --scenario NAME once.")
    _evaluate(scenarios or _QUICKSTART_SCENARIOS, options)


@click.command("quickstart")
@click.option("--model", default=_QUICKSTART_MODEL, show_default=True, metavar="MODEL",
              help="A checkpoint folder, an embedded model's name, endpoint/NAME, or a HELM deployment.")  # fmt: skip
@click.option("--prompt-format", type=click.Choice(["alpaca", "chat"]), default="chat", show_default=True,
              help="The model's own chat template, or the Alpaca prompt.")  # fmt: skip
@_shared_options
def quickstart_command(**options: Any) -> None:
    """A first real evaluation without key, network or GPU: the embedded model on two scenarios.

    \b
    alpaca-suite quickstart
    alpaca-suite quickstart --limit 10
    alpaca-suite quickstart --model ./my-checkpoint
    """
    _evaluate(_QUICKSTART_SCENARIOS, {**options, "suite": "quickstart"})


def _evaluate(scenarios: tuple[str, ...], options: dict[str, Any]) -> None:
    from alpaca_eval_suite.errors import MissingExtraError, PartialError

    for name in ("batch_size", "dtype", "device"):
        os.environ[f"ALPACA_{name.upper()}"] = str(options.pop(name))
    if options.pop("deterministic"):
        os.environ["ALPACA_DETERMINISTIC"] = "1"
    dry_run = options.pop("dry_run")
    try:
        from alpaca_eval_suite.evaluate import execute
        from alpaca_eval_suite.evaluate.plan import Options, make_plan
    except ImportError as error:
        raise MissingExtraError("helm", "Evaluating a model") from error
    plan = make_plan(Options(scenarios=scenarios, **options))
    _announce(plan)
    if dry_run:
        return
    with _bars(plan) as bars:
        execute.run(plan)
        execute.summarize(plan)
    _report(plan)
    if bars.failed:
        raise PartialError(
            f"{bars.failed} of {bars.asked} verdicts failed; they are counted, and no tie was made of them",
            where=str(plan.suite_folder),
            next_step="preferences.jsonl in the run's folder says why, line by line; for a probe, HELM's pages do.",
        )


def _announce(plan: "Plan") -> None:
    for text in plan.warnings:
        click.secho(text, fg="red", bold=True, err=True)
    click.echo(f"Model:    {plan.deployment}")
    for stage in plan.stages:
        verdicts = f", {stage.n_verdicts} verdicts by {stage.settings.judge}" if stage.n_verdicts else ""
        click.echo(f"Scenario: {stage.settings.scenario}: {stage.n_items} answers{verdicts}")
        if not stage.n_verdicts and stage.settings.card.metric == "preference":
            click.echo("          No judge: answers are generated and kept. Judge them later, without generating "
                       "again, by the same command with --judge.")  # fmt: skip
    seconds = plan.seconds_on_two_cores()
    if seconds is not None:
        click.echo(f"Time:     at most about {math.ceil(seconds / 60)} min on 2 cores; a GPU or the cache takes less")
    click.echo()
    click.echo("The same by hand:")
    for line in plan.lines():
        click.echo(f"  {line}")
    click.echo()


class _bars:
    """Progress on the terminal while HELM works: one bar for answers, one for verdicts; plain lines elsewhere."""

    def __init__(self, plan: "Plan") -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeElapsedColumn
        from rich.progress import TimeRemainingColumn as Eta

        columns: tuple[ProgressColumn, ...] = (
            TextColumn("{task.description:<10}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            TextColumn("left"), Eta(), TextColumn("{task.fields[note]}"),
        )  # fmt: skip
        # HELM's own output is redirected while this runs, so the real stream is taken now.
        self._console = Console(file=sys.stderr)
        self._progress = Progress(*columns, console=self._console, redirect_stdout=False, redirect_stderr=False)
        answers = sum(stage.n_items for stage in plan.stages)
        verdicts = sum(stage.n_verdicts for stage in plan.stages)
        self._tasks: dict[What, TaskID] = {
            "answer": self._progress.add_task("answers", total=answers, note="loading HELM")
        }
        if verdicts:
            self._tasks["verdict"] = self._progress.add_task("verdicts", total=verdicts, note="")
        self._cached = 0
        self._told = 0
        self._lock = Lock()
        self.asked = 0
        self.failed = 0

    def __enter__(self) -> "_bars":
        from alpaca_eval_suite.evaluate import progress

        progress.watch(self._done)
        progress.read_notices(self._say)
        if self._console.is_terminal:
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def _say(self, notice: str) -> None:
        self._console.print(f"warning: {notice}", style="yellow", markup=False, highlight=False, soft_wrap=True)

    def _done(self, what: "What", cached: bool) -> None:
        with self._lock:  # HELM's threads all report here
            self.asked += what == "verdict"
            self.failed += what == "failed verdict"
            self._cached += cached and what == "answer"
            task = self._tasks.get(what)
            if task is not None:
                self._show(what, task)

    def _show(self, what: "What", task: "TaskID") -> None:
        note = f"{self._cached} from the cache" if self._cached and what == "answer" else ""
        self._progress.update(task, advance=1, note=note)
        state = self._progress.tasks[task]
        tenth = int(10 * state.completed / (state.total or 1))
        if not self._console.is_terminal and what == "answer" and tenth > self._told:
            self._told = tenth
            behind = f" ({note})" if note else ""
            self._console.print(f"answers: {state.completed:.0f} of {state.total:.0f}{behind}", highlight=False)


def _report(plan: "Plan") -> None:
    """Build the leaderboard, print it, and say where to look next."""
    from rich.console import Console

    from alpaca_eval_suite.judge.builtin import BLIND_SPOTS, NAME
    from alpaca_eval_suite.leaderboard.build import build
    from alpaca_eval_suite.leaderboard.table import show

    options: Options = plan.options
    build(options.output_path, suites=[plan.suite], out=options.results)
    show(options.results, Console())
    if any(stage.settings.judge == NAME for stage in plan.stages):
        click.echo(f"\nThe judge {NAME}: {BLIND_SPOTS}")
    relative = plan.suite_folder
    with suppress(ValueError):
        relative = plan.suite_folder.resolve().relative_to(Path.cwd())
    click.echo(
        f"\nLook next:\n  each answer, check and verdict:  helm-server --suite {plan.suite} --output-path "
        f"{options.output_path}\n  raw verdicts and records:        {relative}/*/preferences.jsonl, alpaca_run.json\n"
        f"  the leaderboard:                 {options.results}/leaderboard.md\n"
        "  how to read the numbers:         docs/numbers.md"
    )
