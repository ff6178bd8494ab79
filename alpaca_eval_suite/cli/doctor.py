"""`alpaca-suite doctor`: what is in the way of an evaluation, and what to do about it."""

import json
from pathlib import Path

import click

from alpaca_eval_suite.doctor import Finding

_SIGNS = {"ok": ("ok  ", "green"), "warn": ("warn", "yellow"), "fail": ("FAIL", "red")}


@click.command("doctor")
@click.option("--run", "run", type=click.Path(path_type=Path), metavar="DIR",
              help="Say why HELM's pages would be empty for DIR: its output folder, a suite, or a run.")  # fmt: skip
@click.option("--reach", is_flag=True, help="Send one token to each endpoint and deployment that is configured.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor_command(run: Path | None, reach: bool, as_json: bool) -> None:
    """Look at what is installed, configured and cached, and say what to do about the rest.

    \b
    Example:
      alpaca-suite doctor --run benchmark_output

    No key is ever shown, only whether it is there. Exit code 1 when something is wrong.
    """
    findings = _of_run(run) if run else _of_environment(reach)
    if as_json:
        click.echo(json.dumps([finding.as_json() for finding in findings], indent=2, ensure_ascii=False))
    else:
        _print(findings)
    if any(finding.state == "fail" for finding in findings):
        raise click.exceptions.Exit(1)


def _of_run(run: Path) -> list[Finding]:
    from alpaca_eval_suite.doctor.run_folder import check_output

    return check_output(run)


def _of_environment(reach: bool) -> list[Finding]:
    from alpaca_eval_suite.doctor.access import check_access
    from alpaca_eval_suite.doctor.data import check_data
    from alpaca_eval_suite.doctor.machine import check_machine
    from alpaca_eval_suite.doctor.packages import check_packages

    return [*check_packages(), *check_machine(), *check_data(), *check_access(reach)]


def _print(findings: list[Finding]) -> None:
    for finding in findings:
        sign, colour = _SIGNS[finding.state]
        click.echo(f"{click.style(sign, fg=colour)}  {finding.name}: {finding.detail}")
        if finding.advice:
            click.echo(f"      {finding.advice}")
    counted = {state: sum(finding.state == state for finding in findings) for state in _SIGNS}
    click.echo(f"\n{counted['ok']} fine, {counted['warn']} to know of, {counted['fail']} wrong")
