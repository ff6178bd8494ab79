"""`alpaca-suite judge cache`: what the verdict cache holds and saved, taking it along, making it smaller."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from alpaca_eval_suite.judge.cache import CacheStats, VerdictCache

_AGE = re.compile(r"(\d{1,5})([hdw])")
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


@click.group("cache")
def cache_group() -> None:
    """What judges said already, kept so that the same question is not paid for again.

    The file is $ALPACA_VERDICT_CACHE, else verdicts.sqlite3 in the cache folder of your account.

    \b
    Example:
      alpaca-suite judge cache stats
    """


@cache_group.command("stats")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def stats_command(as_json: bool) -> None:
    """How many verdicts there are, of which judges, what they cost, and what they saved.

    \b
    Example:
      alpaca-suite judge cache stats
    """
    stats = _cache().stats()
    if as_json:
        click.echo(json.dumps(stats.as_json(), indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join(_text(stats)))


@cache_group.command("export")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Written when all is read; else they are printed.")  # fmt: skip
def export_command(out: Path | None) -> None:
    """Print every verdict as JSON Lines: key, judge, its hash, cost, date, how often used, and the whole reply.

    \b
    Example:
      alpaca-suite judge cache export --out verdicts.jsonl
    """
    from alpaca_eval_suite.files import write_atomic

    lines = (json.dumps(entry) for entry in _cache().export())
    if out is None:
        for line in lines:
            click.echo(line)
        return
    text = "".join(f"{line}\n" for line in lines)
    write_atomic(out, text)
    click.echo(f"wrote {out}: {_counted(text.count(chr(10)), 'verdict')}")


def _age(_: click.Context, __: click.Parameter, text: str | None) -> timedelta | None:
    if text is None:
        return None
    match = _AGE.fullmatch(text)
    if match is None:
        raise click.BadParameter(f"{text!r} is no age. Write 12h, 90d or 8w.")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


@cache_group.command("prune")
@click.option("--older-than", "age", callback=_age, metavar="AGE", help="Such as 12h, 90d or 8w.")
@click.option("--judge", metavar="NAME", help="Of this judge alone: its name or its hash, as stats shows them.")
@click.option("--dry-run", is_flag=True, help="Only say how many they are.")
def prune_command(age: timedelta | None, judge: str | None, dry_run: bool) -> None:
    """Take verdicts out: those older than AGE, those of a judge, or those of a judge that are older than AGE.

    \b
    Example:
      alpaca-suite judge cache prune --older-than 90d --dry-run
    """
    cache = _cache()
    before = None if age is None else datetime.now(UTC) - age
    taken = cache.prune(before=before, judge=judge, dry_run=dry_run)
    left = cache.stats()
    if dry_run:
        click.echo(f"would take out {_counted(taken, 'verdict')} of {left.entries:,}")
    else:
        click.echo(f"took out {_counted(taken, 'verdict')}; left: {left.entries:,}, {_size(left.bytes)}")


def _cache() -> "VerdictCache":
    from alpaca_eval_suite.judge.cache import VerdictCache

    return VerdictCache(notice=lambda text: click.echo(f"warning: {text}", err=True))


def _text(stats: "CacheStats") -> Iterator[str]:
    from alpaca_eval_suite.judge.estimate import usd
    from alpaca_eval_suite.leaderboard.cells import plain

    yield plain(stats.path)
    if not stats.entries:
        yield "  no verdicts yet"
        return
    dates = " to ".join(sorted({str(date)[:10] for date in (stats.oldest, stats.newest)}))
    yield f"  {_counted(stats.entries, 'verdict')} of {dates}, {_size(stats.bytes)}; saved {usd(stats.saved)}"
    for one in stats.judges:
        used = f"{_counted(one.hits, 'use')}, saved {usd(one.saved)}"
        yield f"  {plain(one.judge)} ({one.judge_hash[:12]}): {one.entries:,} for {usd(one.paid)}, {used}"


def _counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}" + "s" * (number != 1)


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:.1f} MB"
