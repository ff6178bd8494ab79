"""`alpaca-suite leaderboard verify`: whether entries say what their raw files say."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from alpaca_eval_suite.errors import PartialError, SuiteError

if TYPE_CHECKING:
    from alpaca_eval_suite.leaderboard.verify import Difference, EntryCheck, RunCheck


@click.command("verify")
@click.argument("path", type=click.Path(path_type=Path), metavar="ENTRY|FOLDER")
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
def verify_command(path: Path, as_json: bool) -> None:
    """Make every number of an entry again from its raw file, intervals included, and check all hashes.

    Exit codes: 0 all is as it says, 1 something differs (the first key is named, with both values) or an entry
    cannot be read, 3 nothing differs, but some runs have no raw file to be checked against.

    \b
    Examples:
      alpaca-suite leaderboard verify results
      alpaca-suite leaderboard verify results/my-model-a1b2c3d4.json --json
    """
    from alpaca_eval_suite.leaderboard.verify import verify

    checks = verify(path)
    if as_json:
        verified = all(check.verified for check in checks)
        found = {"verified": verified, "entries": [check.as_json() for check in checks]}
        click.echo(json.dumps(found, indent=2, ensure_ascii=False, allow_nan=False))
    else:
        click.echo("\n".join(line for check in checks for line in _lines(check)))
    _end(checks)


def _lines(check: "EntryCheck") -> list[str]:
    from alpaca_eval_suite.leaderboard.cells import plain

    lines = [f"{check.file}: {plain(check.model)}" if check.model is not None else f"{check.file}"]
    if check.problem:
        return [*lines, f"  NOT READ: {check.problem.what}"]
    for run in check.runs:
        lines += [f"  {plain(run.run)}", *(f"    {line}" for line in _of(run))]
    return [*lines, *(f"  {line}" for line in _of(check))]


def _of(check: "RunCheck | EntryCheck") -> list[str]:
    lines = [f"checked: {what}" for what in check.checked]
    lines += [f"could not be checked: {what}" for what in check.unchecked]
    return [f"DIFFERS: {_said(check.difference)}"] if check.difference else lines


def _said(found: "Difference") -> str:
    return f"{found.key}: stored {json.dumps(found.stored)}, recomputed {json.dumps(found.recomputed)}"


def _end(checks: "Sequence[EntryCheck]") -> None:
    """Nothing where all is well. Raises SuiteError for the first difference, PartialError where raw files lack."""
    for check in checks:
        if check.problem:
            raise check.problem
        if (found := check.first_difference) is not None:
            raise SuiteError(
                f"differs from its raw file: {_said(found)}",
                where=str(check.file),
                next_step="It was edited, or made by another version: build it again from its runs.",
            )
    lacking = [run for check in checks for run in check.runs if not run.checked]
    if lacking:
        n_runs = sum(len(check.runs) for check in checks)
        raise PartialError(
            f"nothing differs, but {len(lacking)} of {n_runs} runs have no raw file to be checked against",
            next_step="Build them again from runs of this version, if those are still there.",
        )
