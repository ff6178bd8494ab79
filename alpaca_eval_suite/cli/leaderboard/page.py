"""`alpaca-suite leaderboard page`: one HTML file that opens anywhere."""

from pathlib import Path

import click

from alpaca_eval_suite.cli.leaderboard.shared import FOLDER, choosing_options, chosen_boards, json_text, sort_option


@click.command("page")
@choosing_options
@sort_option
@click.option("--out", type=FOLDER, default="page", show_default=True, help="Folder for index.html and details/.")
@click.option("--force", is_flag=True, help="Replace an index.html that this command did not write.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
def page_command(
    results: Path,
    scenario: str | None,
    app: str | None,
    judge: str | None,
    baseline: str | None,
    sort: str | None,
    out: Path,
    force: bool,
    as_json: bool,
) -> None:
    """Write the leaderboard as a page: tables, plots and every instance. It needs no server and no network.

    To send it to somebody, send the whole folder; index.html alone shows tables and plots without the instances.

    \b
    Example:
      alpaca-suite leaderboard page --results results --out page
    """
    from alpaca_eval_suite.errors import PartialError
    from alpaca_eval_suite.leaderboard.page.build import build_page

    boards = chosen_boards(results, scenario=scenario, app=app, judge=judge, baseline=baseline, sort=sort)
    built = build_page(boards, results, out, force=force)
    for problem in built.problems:
        click.echo(f"warning: {problem}", err=True)
    if as_json:
        details = [str(path) for path in built.details]
        done = {"page": str(built.page), "details": details, "problems": list(built.problems)}
        click.echo(json_text(done), nl=False)
    else:
        click.echo(f"wrote {built.page}" + (f" and {len(built.details)} files beside it" if built.details else ""))
    if built.problems:
        raise PartialError(
            f"the instances of {len(built.problems)} runs are not on the page",
            where=str(built.page),
            next_step="Restore their raw files, or build the entries again; then make the page again.",
        )
