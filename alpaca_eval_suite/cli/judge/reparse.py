"""`alpaca-suite judge reparse`: the replies of a run read again, by the present reader or a mended judge file."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from alpaca_eval_suite.errors import UsageError

if TYPE_CHECKING:
    from alpaca_eval_suite.judge.schema import JudgeSpec


@click.command("reparse")
@click.argument("ledger", type=click.Path(file_okay=False, path_type=Path))
@click.option("--judge", "judge_names", multiple=True, metavar="JUDGE",
              help="The mended judge, or file; the judge of the ledger if left out.")  # fmt: skip
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, metavar="FILE",
              help="Where the verdicts go.")  # fmt: skip
@click.option("--no-cache", is_flag=True, help="Do not add what can be read to the verdict cache.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def reparse_command(ledger: Path, judge_names: tuple[str, ...], out: Path, no_cache: bool, as_json: bool) -> None:
    """Read all replies in LEDGER again, without any call, and say how many verdicts changed.

    What can be read is added to the verdict cache, so that a run with the mended judge finds it there.

    \b
    Example:
      alpaca-suite judge reparse preferences.jsonl.ledger --judge mended.yaml --out mended.jsonl
    """
    from alpaca_eval_suite.judge.cache import VerdictCache
    from alpaca_eval_suite.judge.reparse import judges_in, reparse
    from alpaca_eval_suite.judge.run_setup import write_verdicts
    from alpaca_eval_suite.stats.verdicts import read_preferences

    specs = _specs(ledger, list(judges_in(ledger)), judge_names)
    before = ledger.with_name(ledger.name.removesuffix(".ledger"))
    old = {(one.id, one.judge, one.order): one.win for one in read_preferences(before)} if before.is_file() else {}
    found = reparse(ledger, old, specs)
    write_verdicts(out, found.preferences, found.hashes)
    if not no_cache:
        VerdictCache(notice=lambda text: click.echo(f"warning: {text}", err=True)).put_many(found.entries)
    failed = sum(one.win is None for one in found.preferences)
    if as_json:
        counts = {"verdicts": len(found.preferences), "failed": failed, "compared": len(old)}
        changes = {"mended": found.mended, "broken": found.broken, "changed": found.changed}
        click.echo(json.dumps({**counts, **changes, "out": str(out)}, indent=2))
        return
    click.echo(
        f"{len(found.preferences):,} verdicts read from {ledger}, {failed:,} of them cannot be read; no call made"
    )
    if old:
        click.echo(
            f"against {before}: {found.mended:,} that had failed are verdicts now, {found.broken:,} are verdicts no "
            f"more, {found.changed:,} have another value"
        )
    click.echo(f"wrote {out}")


def _specs(ledger: Path, names: list[str], given: tuple[str, ...]) -> dict[str, "JudgeSpec"]:
    """Who reads the replies of each judge of the ledger. One judge of the ledger may be given under any name."""
    from alpaca_eval_suite.judge.spec import PanelSpec, load_judge

    specs: dict[str, JudgeSpec] = {}
    for name in given or names:
        spec = load_judge(name)
        if isinstance(spec, PanelSpec):
            raise UsageError(f"{name} is a panel", next_step=f"Name its judges: {', '.join(spec.panel)}.")
        specs[spec.name] = spec
    if len(names) == len(specs) == 1:
        return {names[0]: next(iter(specs.values()))}
    # Whose file was not given is read as before.
    for name in names:
        if name not in specs:
            spec = load_judge(name)
            assert not isinstance(spec, PanelSpec)
            specs[name] = spec
    if strangers := sorted(specs.keys() - set(names)):
        raise UsageError(
            f"{', '.join(strangers)} is no judge of this ledger",
            where=str(ledger),
            next_step=f"Its judges are {', '.join(names)}; a mended file must have the name of one of them.",
        )
    return specs
