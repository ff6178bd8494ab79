"""`alpaca-suite judge bridge`: how to read one judge's numbers as another's."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alpaca_eval_suite.cli.judge.options_of_run import options_of_run
from alpaca_eval_suite.errors import PartialError, UsageError

if TYPE_CHECKING:
    from alpaca_eval_suite.judge.bridge_sources import Source
    from alpaca_eval_suite.judge.judged import Judged, Progress
    from alpaca_eval_suite.judge.pairs import Pair, Pairs
    from alpaca_eval_suite.judge.run_setup import RunFiles
    from alpaca_eval_suite.judge.schema import Orders
    from alpaca_eval_suite.judge.work import Judge
    from alpaca_eval_suite.stats.sample import Sample

_FILE = click.Path(dir_okay=False, path_type=Path)
_DEFAULT_OUT = Path("bridge.json")
_FORMAT = 1  # of what stands in the ledger


def _fraction(context: click.Context, option: click.Parameter, given: tuple[str, ...]) -> tuple[float, ...]:
    """Win rates in percent as fractions."""
    rates = []
    for text in given:
        try:
            rate = float(text.strip().removesuffix("%"))
        except ValueError:
            rate = 0.0
        if not 1 <= rate <= 99:
            raise click.BadParameter(f"{text!r} is no rate in percent from 1 to 99, such as 52.0.", context, option)
        rates.append(rate / 100)
    return tuple(rates)


@click.command("bridge")
@click.argument("old_name", metavar="OLD")
@click.argument("new_name", metavar="NEW")
@click.option("--model-outputs", type=_FILE, multiple=True, metavar="FILE",
              help="Outputs for a judge to be asked about; once for each model.")  # fmt: skip
@click.option("--baseline-outputs", type=_FILE, multiple=True, metavar="FILE",
              help="The baseline's; once, or once for each model.")  # fmt: skip
@click.option("--n", type=click.IntRange(min=2), metavar="N",
              help="Ask about so many ids, drawn at random from those common to all files.")  # fmt: skip
@click.option("--assume-random", is_flag=True, help="Take the ids that both judged for a random sample.")
@click.option("--convert", "rates", callback=_fraction, multiple=True, metavar="RATE",
              help="A win rate by OLD, in percent; what NEW would call it.")  # fmt: skip
@options_of_run("orders", "seed", "max_cost", "concurrency", "dry_run", "ids", "no_cache")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE",
              help="Where the bridge is stored; bridge.json where a judge is asked.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON: rates as fractions.")
def bridge_command(
    old_name: str,
    new_name: str,
    model_outputs: tuple[Path, ...],
    baseline_outputs: tuple[Path, ...],
    n: int | None,
    assume_random: bool,
    rates: tuple[float, ...],
    orders: "Orders | None",
    seed: int,
    max_cost: float | None,
    concurrency: int | None,
    dry_run: bool,
    ids: Any,
    no_cache: bool,
    out: Path | None,
    as_json: bool,
) -> None:
    """Compare two judges on the same pairs, and convert between their win rates, with intervals.

    OLD and NEW are judges, which are asked about the outputs, or files of verdicts that there are already
    (preferences.jsonl). Where one of them judged more ids than the other, the other's rate on all of them follows.

    \b
    Examples:
      alpaca-suite judge bridge old.jsonl new.jsonl --convert 52.0
      alpaca-suite judge bridge old.jsonl endpoint/new --model-outputs mine.json --baseline-outputs base.json --n 100
    """
    from alpaca_eval_suite.judge.bridge_sources import draw_anchor, models_of_files, source_of

    notices: set[str] = set()

    def notice(text: str) -> None:
        if text not in notices:
            notices.add(text)
            click.echo(f"warning: {text}", err=True)

    old, new = source_of(old_name, notice), source_of(new_name, notice)
    if {judge.name for judge in old.judges} & {judge.name for judge in new.judges}:
        raise UsageError(f"{old.name} and {new.name} share a judge", next_step="Give two different judges.")
    asking = _Asking(old, new, orders, seed, max_cost, concurrency, no_cache)
    _check_outputs(asking.judges, model_outputs, baseline_outputs, n, dry_run)
    if not asking.judges:
        _finish(old, new, models_of_files(old, new), [], None, None, seed, rates, assume_random, out, as_json)
        return
    from alpaca_eval_suite.judge.run_setup import RunFiles

    models = _read_models(model_outputs, baseline_outputs, ids)
    drawn = draw_anchor(models, [old, new], n=n, seed=seed)
    files = RunFiles(model_outputs[0], baseline_outputs[0], out or _DEFAULT_OUT)
    if dry_run:
        asking.say_estimate(files, models, drawn, as_json)
        return
    judged = asking.ask(files, models, drawn, notice)
    named = [(one.model, one.baseline) for one in models]
    _finish(old, new, named, models, judged, drawn, seed, rates, assume_random, files.out, as_json)
    if judged.failed:
        raise PartialError(
            f"{judged.failed:,} of {len(judged.preferences):,} verdicts failed and are left out",
            where=str(files.ledger),
            next_step=f"{judged.no_answer:,} of them got no answer: the same command asks these again.",
        )


@dataclass(frozen=True)
class _Asking:
    """Those of the two judges that are to be asked, and how."""

    old: "Source"
    new: "Source"
    orders: "Orders | None"
    seed: int
    cap: float | None
    concurrency: int | None
    no_cache: bool

    @property
    def judges(self) -> "tuple[Judge, ...]":
        return (*self.old.judges, *self.new.judges)

    def say_estimate(self, files: "RunFiles", models: "Sequence[Pairs]", drawn: "Sample", as_json: bool) -> None:
        import json

        from alpaca_eval_suite.judge.bridge_sources import anchor_pairs, renamed
        from alpaca_eval_suite.judge.cache import VerdictCache
        from alpaca_eval_suite.judge.estimate import in_all
        from alpaca_eval_suite.judge.run_setup import estimate_run
        from alpaca_eval_suite.judge.work import plan_work

        work = plan_work(renamed(anchor_pairs(models, drawn)), self.judges, orders=self.orders, seed=self.seed)
        of_judges = estimate_run(files, work, None if self.no_cache else VerdictCache(), batch=False)
        total = in_all(list(of_judges.values()))
        if as_json:
            found = {"ids": len(drawn.ids), "models": len(models), "in_all": total.as_json()}
            click.echo(json.dumps(found, indent=2))
            return
        click.echo(f"ids: {len(drawn.ids):,}, models: {len(models):,}, judges to be asked: {len(self.judges):,}")
        click.echo("\n".join(total.lines()))

    def ask(
        self, files: "RunFiles", models: "Sequence[Pairs]", drawn: "Sample", notice: Callable[[str], None]
    ) -> "Judged":
        """The verdicts, under the pairs' own ids. Raises PartialError where the money ends before them."""
        from alpaca_eval_suite.cli.judge.progress import ProgressDisplay
        from alpaca_eval_suite.judge.bridge_sources import anchor_pairs, renamed
        from alpaca_eval_suite.judge.cache import VerdictCache
        from alpaca_eval_suite.judge.estimate import usd
        from alpaca_eval_suite.judge.run_setup import JUDGE, require_prices
        from alpaca_eval_suite.models import event_loop
        from alpaca_eval_suite.models.ledger import Ledger

        if self.cap is not None:
            require_prices(self.judges)
        pairs = anchor_pairs(models, drawn)
        about = {f"{JUDGE}{one.name}": {"hash": one.hash, "identity": dict(one.identity)} for one in self.judges}
        display = ProgressDisplay()
        cache = None if self.no_cache else VerdictCache(notice=notice)

        def watch(progress: "Progress") -> None:
            display(replace(progress, sequence=None))  # of both judges and all models together it would say nothing

        try:
            with Ledger.open(files.ledger, {"format": _FORMAT, **about}) as ledger:
                judged = event_loop.run(self._judge(renamed(pairs), ledger, cache, watch))
        finally:
            display.close()
            if cache is not None:
                cache.close()
        if judged.stopped:
            raise PartialError(
                f"the money of --max-cost is used up ({usd(judged.spent)}): {judged.n_missing:,} verdicts are missing, "
                "so there is no bridge yet",
                where=str(files.ledger),
                next_step="Run the same with a higher --max-cost; what was answered is kept and not paid again.",
            )
        own = [replace(one, id=pairs[one.id][1].id) for one in judged.preferences]
        return replace(judged, preferences=own)

    async def _judge(self, pairs: "Sequence[Pair]", ledger: Any, cache: Any, watch: Any) -> "Judged":
        from alpaca_eval_suite.judge.engine import judge_pairs

        try:
            return await judge_pairs(
                pairs, self.judges, ledger=ledger, cache=cache, orders=self.orders, seed=self.seed, cap=self.cap,
                concurrency=self.concurrency, watch=watch,
            )  # fmt: skip
        finally:
            for judge in self.judges:
                if judge.asker is not None:
                    await judge.asker.close()


def _check_outputs(
    judges: "Sequence[Judge]", models: Sequence[Path], baselines: Sequence[Path], n: int | None, dry_run: bool
) -> None:
    if not judges:
        if models or baselines or n is not None or dry_run:
            raise UsageError(
                "both are files of verdicts, so nobody is asked",
                next_step="Leave out --model-outputs, --baseline-outputs, --n and --dry-run.",
            )
        return
    if not models or len(baselines) not in (1, len(models)):
        raise UsageError(
            f"{judges[0].name} is to be asked about {len(models)} models with {len(baselines)} baselines",
            next_step="Give --model-outputs for each model, and --baseline-outputs once, or once for each.",
        )


def _read_models(models: Sequence[Path], baselines: Sequence[Path], ids: Any) -> "list[Pairs]":
    from alpaca_eval_suite.judge.pairs import read_pairs

    one_each = baselines if len(baselines) == len(models) else [baselines[0]] * len(models)
    found = [read_pairs(model, baseline, ids=ids) for model, baseline in zip(models, one_each, strict=True)]
    names = [(one.model, one.baseline) for one in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UsageError(
            f"{twice[0][0]} against {twice[0][1]} is given twice",
            next_step="Give each model once; names come from the outputs' rows, else from their files.",
        )
    for one in found:
        for note in one.notes():
            click.echo(f"{one.model}: {note}", err=True)
    return found


def _finish(
    old: "Source",
    new: "Source",
    named: Sequence[tuple[str, str]],
    pairs: "Sequence[Pairs]",
    judged: "Judged | None",
    drawn: "Sample | None",
    seed: int,
    rates: Sequence[float],
    assume_random: bool,
    out: Path | None,
    as_json: bool,
) -> None:
    """Compute, store and print."""
    import json

    from alpaca_eval_suite.cli.judge.bridge_text import bridge_lines
    from alpaca_eval_suite.files import write_json
    from alpaca_eval_suite.judge.bridge import bridge
    from alpaca_eval_suite.judge.bridge_record import bridge_record
    from alpaca_eval_suite.judge.bridge_sources import anchor_pairs, slices_of, texts_hash, units_of_sources, why_random

    asked = judged.preferences if judged else []
    models = units_of_sources(old, new, named, asked)
    random = why_random(models, old, new, drawn, assume_random=assume_random)
    record = bridge_record(
        bridge(models, slices_of(old, new, pairs), rng=seed),
        old,
        new,
        models,
        asked=asked,
        drawn=drawn,
        random=random,
        texts_sha256=texts_hash(anchor_pairs(pairs, drawn)) if drawn else None,
        rates=rates,
        spent=judged.spent if judged else None,
    )
    if out is not None:
        write_json(out, record)
    if as_json:
        click.echo(json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False))
        return
    click.echo("\n".join(bridge_lines(record)))
    if out is not None:
        click.echo(f"wrote {out}")
