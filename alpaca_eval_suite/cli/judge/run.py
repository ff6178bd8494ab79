"""`alpaca-suite judge run`: verdicts on two files of outputs, and what they come to."""

from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import click

from alpaca_eval_suite.errors import PartialError, SuiteError, UsageError

if TYPE_CHECKING:
    from alpaca_eval_suite.judge.cache import VerdictCache
    from alpaca_eval_suite.judge.canary_drift import Drift
    from alpaca_eval_suite.judge.combined import Combine
    from alpaca_eval_suite.judge.judged import Judged
    from alpaca_eval_suite.judge.pairs import Pairs
    from alpaca_eval_suite.judge.run_setup import Judges, RunFiles
    from alpaca_eval_suite.judge.schema import Orders
    from alpaca_eval_suite.models.ledger import Ledger

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("run")
@click.option("--model-outputs", type=_FILE, required=True, metavar="FILE",
              help="The model's: JSON Lines with id and output, or AlpacaEval's list.")  # fmt: skip
@click.option("--baseline-outputs", type=_FILE, required=True, metavar="FILE", help="The baseline's, likewise.")
@click.option("--judge", "judge_names", multiple=True, required=True, metavar="JUDGE",
              help="endpoint/NAME, FORM@MODEL, a checkpoint folder, a judge's or a panel's file, builtin:longer. "
              "May be given more than once.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), default="preferences.jsonl", show_default=True, metavar="FILE",
              help="Where the verdicts go; ledger and record lie beside it.")  # fmt: skip
@click.option("--orders", type=click.Choice(["both", "single", "balanced"]),
              help="Show a pair in both orders (what most judges say), once, once in a random order.")  # fmt: skip
@click.option("--seed", default=0, show_default=True, help="Of the order of judging, of orders and labels.")
@click.option("--max-cost", type=click.FloatRange(min=0), metavar="USD", help="Never spend more, earlier runs counted.")
@click.option("--concurrency", type=click.IntRange(min=1), metavar="N", help="At most so many questions at once.")
@click.option("--dry-run", is_flag=True, help="Only say what it would take.")
@click.option("--stop-when-decided", is_flag=True,
              help="End as soon as the confidence sequence leaves out 50 %.")  # fmt: skip
@click.option("--batch", is_flag=True, help="By the service's batch API: half the price, within a day.")
@click.option("--retry-failed", is_flag=True, help="Ask again where a reply could not be read; that is paid again.")
@click.option("--ids", type=click.Choice(["same", "both"]), default="same", show_default=True,
              help="both: judge the ids that both files have.")  # fmt: skip
@click.option("--combine", type=click.Choice(["mean", "majority"]),
              help="Several judges: the mean (unless a panel says otherwise), or what most of them say.")  # fmt: skip
@click.option("--no-cache", is_flag=True, help="Neither look into the verdict cache nor add to it.")
@click.option(
    "--no-canary", is_flag=True, help="Do not ask hosted judges whether they still say what they said before."
)
@click.option("--model-name", metavar="NAME", help="Instead of the name that the file gives.")
@click.option("--baseline-name", metavar="NAME", help="Likewise.")
@click.option("--json", "as_json", is_flag=True, help="Print the record of the run.")
def run_command(
    model_outputs: Path,
    baseline_outputs: Path,
    judge_names: tuple[str, ...],
    out: Path,
    orders: "Orders | None",
    seed: int,
    max_cost: float | None,
    concurrency: int | None,
    dry_run: bool,
    stop_when_decided: bool,
    batch: bool,
    retry_failed: bool,
    ids: Any,
    combine: "Combine | None",
    no_cache: bool,
    no_canary: bool,
    model_name: str | None,
    baseline_name: str | None,
    as_json: bool,
) -> None:
    """Compare the outputs of a model with those of a baseline, pair by pair, by one judge or several.

    Every answer is kept before it is used. The same command goes on after any end, and several of them at once share
    the work. Exit codes: 0 done, 3 verdicts failed or are missing, 130 interrupted.

    \b
    Examples:
      alpaca-suite judge run --model-outputs mine.json --baseline-outputs theirs.json --judge endpoint/judge --dry-run
      alpaca-suite judge run --model-outputs mine.json --baseline-outputs theirs.json --judge ratings@endpoint/judge
    """
    from alpaca_eval_suite.judge.cache import VerdictCache
    from alpaca_eval_suite.judge.pairs import read_pairs
    from alpaca_eval_suite.judge.run_setup import RunFiles, load_judges, require_prices

    notes: list[str] = []

    def notice(text: str) -> None:
        if text not in notes:
            notes.append(text)
            click.echo(f"warning: {text}", err=True)

    files = RunFiles(model_outputs, baseline_outputs, out)
    files.check()
    judges = load_judges(judge_names, combine=combine, notice=notice)
    if max_cost is not None:
        require_prices(judges.judges)
    if batch and retry_failed:
        raise UsageError("--batch and --retry-failed exclude each other", next_step="Retry without --batch.")
    pairs = read_pairs(model_outputs, baseline_outputs, model_name=model_name, baseline_name=baseline_name, ids=ids)
    for note in pairs.notes():
        click.echo(note, err=True)
    cache = None if no_cache else VerdictCache(notice=notice)
    if dry_run:
        _say_estimate(files, pairs, judges, cache, orders=orders, seed=seed, batch=batch, as_json=as_json)
        return
    options = {
        "orders": orders,
        "seed": seed,
        "cap": max_cost,
        "concurrency": concurrency,
        "retry_failed": retry_failed,
        "stop_when_decided": stop_when_decided,
        "combine": judges.combine,
        "batch": batch,
    }
    _run(files, pairs, judges, cache, options, notes, canary=not no_canary, as_json=as_json)


def _say_estimate(
    files: "RunFiles",
    pairs: "Pairs",
    judges: "Judges",
    cache: "VerdictCache | None",
    *,
    orders: "Orders | None",
    seed: int,
    batch: bool,
    as_json: bool,
) -> None:
    import json

    from alpaca_eval_suite.judge.estimate import in_all
    from alpaca_eval_suite.judge.run_setup import estimate_run
    from alpaca_eval_suite.judge.work import plan_work

    work = plan_work(pairs.pairs, judges.judges, orders=orders, seed=seed)
    of_judges = estimate_run(files, work, cache, batch=batch)
    if as_json:
        found = {name: one.as_json() for name, one in of_judges.items()}
        total = in_all(list(of_judges.values())).as_json()
        click.echo(json.dumps({"verdicts": len(work.tasks), "judges": found, "in_all": total}, indent=2))
        return
    click.echo(f"{len(pairs.pairs):,} pairs, {len(work.tasks):,} verdicts")
    for name, one in of_judges.items():
        click.echo(f"{name}:")
        for line in one.lines():
            click.echo(f"  {line}")
    if len(of_judges) > 1:
        click.echo("in all:")
        for line in in_all(list(of_judges.values())).lines():
            click.echo(f"  {line}")


def _run(
    files: "RunFiles",
    pairs: "Pairs",
    judges: "Judges",
    cache: "VerdictCache | None",
    options: dict[str, Any],
    notes: list[str],
    *,
    canary: bool,
    as_json: bool,
) -> None:
    import json

    from alpaca_eval_suite.cli.judge.progress import ProgressDisplay
    from alpaca_eval_suite.cli.judge.report import report_text
    from alpaca_eval_suite.files import write_json
    from alpaca_eval_suite.judge.engine import judge_pairs
    from alpaca_eval_suite.judge.run_record import run_record
    from alpaca_eval_suite.judge.run_setup import about, write_verdicts
    from alpaca_eval_suite.models import event_loop
    from alpaca_eval_suite.models.ledger import Ledger

    begun = monotonic()
    of = about(files, pairs, judges.judges)
    display = ProgressDisplay()

    async def judge(ledger: Ledger) -> "tuple[Judged, dict[str, Drift]]":
        try:
            found = await judge_pairs(pairs.pairs, judges.judges, ledger=ledger, cache=cache, watch=display, **options)
            return found, await _canaries(judges, found, ledger, options, notes) if canary else {}
        finally:
            for one in judges.judges:
                if one.asker is not None:
                    await one.asker.close()

    try:
        with Ledger.open(files.ledger, of) as ledger:
            judged, canaries = event_loop.run(judge(ledger))
            spent = ledger.spent
    except KeyboardInterrupt:
        click.echo(f"What was answered is kept in {files.ledger}; the same command goes on from there.", err=True)
        raise
    finally:
        display.close()
        if cache is not None:
            cache.close()
    write_verdicts(files.out, judged.preferences, judged.hashes)
    record = run_record(
        files,
        pairs,
        judges,
        judged,
        about=of,
        spent=spent,
        canaries=canaries,
        orders=options["orders"],
        seconds=monotonic() - begun,
        notes=notes,
    )
    write_json(files.record, record)
    click.echo(json.dumps(record, indent=2, ensure_ascii=False) if as_json else report_text(record, files))
    _end(files, judges, judged, options)


async def _canaries(
    judges: "Judges", judged: "Judged", ledger: "Ledger", options: dict[str, Any], notes: list[str]
) -> "dict[str, Drift]":
    """What hosted judges that were asked now say of the canary's pairs. What goes wrong there costs no verdict."""
    from alpaca_eval_suite.judge.canary import run_canary
    from alpaca_eval_suite.judge.run_setup import is_hosted

    found = {}
    for judge in judges.judges:
        if not (is_hosted(judge) and judged.tallies[judge.name].asked):
            continue
        try:
            drift = await run_canary(judge, ledger=ledger, cap=options["cap"], concurrency=options["concurrency"])
        except SuiteError as error:
            notes.append(f"{judge.name}: the canary could not be asked ({error.what})")
            continue
        if drift is not None:
            found[judge.name] = drift
    return found


def _end(files: "RunFiles", judges: "Judges", judged: "Judged", options: dict[str, Any]) -> None:
    """Nothing where all is well. Raises PartialError for missing or failed verdicts, SuiteError where none worked."""
    if judged.stopped == "budget":
        raise _budget_used_up(judges, judged, options)
    if not judged.failed:
        return
    example = next(one for one in judged.preferences if one.win is None)
    what = (
        f"{judged.failed:,} of {len(judged.preferences):,} verdicts failed, such as id {example.id}: {example.reason}"
    )
    again = (
        f"{judged.no_answer:,} got no answer, and the same command asks again. " if judged.no_answer else ""
    ) + "Replies that cannot be read are kept: --retry-failed asks again, judge reparse reads them again."
    if judged.failed == len(judged.preferences):
        raise SuiteError(what, where=str(files.out), next_step=again)
    raise PartialError(what, where=str(files.out), next_step=again)


def _budget_used_up(judges: "Judges", judged: "Judged", options: dict[str, Any]) -> PartialError:
    from alpaca_eval_suite.judge.estimate import estimate, in_all, usd

    missing = in_all(
        [
            estimate(judged.missing_requests(place), price=judge.price, batch=options["batch"])
            for place, judge in enumerate(judges.judges)
        ]
    )
    at_most = missing.cost_at_most or 0.0
    return PartialError(
        f"the money of --max-cost is used up ({usd(judged.spent)} of {usd(options['cap'])}): {judged.n_missing:,} "
        f"verdicts are missing; they would cost about {usd(missing.cost or 0.0)}, at most {usd(at_most)}",
        next_step=f"The same command with --max-cost {judged.spent + at_most:.4f} has them all; nothing is paid twice.",
    )
