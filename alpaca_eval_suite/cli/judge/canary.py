"""`alpaca-suite judge canary`: whether a judge still says of a few pairs what it said before."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from alpaca_eval_suite.cli.judge.options_of_run import options_of_run
from alpaca_eval_suite.errors import PartialError, UsageError

if TYPE_CHECKING:
    from alpaca_eval_suite.judge.canary_drift import Drift
    from alpaca_eval_suite.judge.work import Judge


@click.command("canary")
@click.option(
    "--judge", "judge_name", required=True, metavar="JUDGE", help="endpoint/NAME, FORM@MODEL, a judge's file."
)
@options_of_run("max_cost", "concurrency", "dry_run")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def canary_command(
    judge_name: str, max_cost: float | None, concurrency: int | None, dry_run: bool, as_json: bool
) -> None:
    """Ask a judge about twelve pairs in both orders, and compare with what it said at earlier runs.

    Hosted judges are asked so at every `judge run`; this does it by hand. The history of each judge is in
    $ALPACA_CANARIES, else in the state folder of your account. Exit code 3: the judge has changed.

    \b
    Example:
      alpaca-suite judge canary --judge endpoint/judge
    """
    from alpaca_eval_suite.judge.canary import history_file
    from alpaca_eval_suite.judge.run_setup import load_judges, require_prices

    judges = load_judges([judge_name], combine=None, notice=lambda text: click.echo(f"warning: {text}", err=True))
    if len(judges.judges) > 1:
        named = ", ".join(one.name for one in judges.judges)
        raise UsageError(f"{judge_name} is a panel", next_step=f"Name one of its judges: {named}.")
    judge = judges.judges[0]
    if judge.asker is None:
        raise UsageError(f"{judge.name} is a program of ours, which only changes with the suite's version")
    if dry_run:
        _say_estimate(judge, as_json)
        return
    if max_cost is not None:
        require_prices([judge])
    found = _asked(judge, max_cost, concurrency)
    if as_json:
        shown = {**found.as_json(), "message": found.message(), "history": str(history_file(judge.hash))}
        click.echo(json.dumps(shown, indent=2, ensure_ascii=False, allow_nan=False))
    else:
        click.echo(found.message())
    if found.changed:
        raise PartialError(
            f"{judge.name} is not the judge that it was",
            where=str(history_file(judge.hash)),
            next_step="Keep its new numbers apart from the old ones; alpaca-suite judge bridge converts between them.",
        )


def _asked(judge: "Judge", cap: float | None, concurrency: int | None) -> "Drift":
    """Raises PartialError where the money ends first."""
    from alpaca_eval_suite.judge.canary import canaries_folder, run_canary
    from alpaca_eval_suite.judge.run_setup import JUDGE
    from alpaca_eval_suite.models import event_loop
    from alpaca_eval_suite.models.ledger import Ledger

    occasion = datetime.now(UTC).isoformat()
    folder = canaries_folder() / f"{judge.hash[:12]}.ledger"

    async def ask(ledger: Ledger) -> "Drift | None":
        try:
            spent = ledger.spent  # at earlier times, which the cap of this one does not count
            most = None if cap is None else spent + cap
            return await run_canary(judge, ledger=ledger, cap=most, concurrency=concurrency, occasion=occasion)
        finally:
            if judge.asker is not None:
                await judge.asker.close()

    with Ledger.open(folder, {f"{JUDGE}{judge.name}": {"hash": judge.hash}}) as ledger:
        found = event_loop.run(ask(ledger))
    if found is None:
        raise PartialError(
            "the money of --max-cost is used up before all questions were asked", next_step="Raise --max-cost."
        )
    return found


def _say_estimate(judge: "Judge", as_json: bool) -> None:
    from alpaca_eval_suite.judge.canary import canary_work
    from alpaca_eval_suite.judge.estimate import estimate

    work = canary_work(judge)
    found = estimate([work.question(call.tasks[0]).request for call in work.calls.values()], price=judge.price)
    click.echo(json.dumps(found.as_json(), indent=2) if as_json else "\n".join(found.lines()))
