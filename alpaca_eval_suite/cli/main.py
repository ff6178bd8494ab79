"""`alpaca-suite`: the entry point. Imports click and nothing heavy; errors become messages and exit codes.

Exit codes: 0 done, 1 failed, 2 usage, 3 done in part, 130 interrupted.
"""

import errno
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

import click

from alpaca_eval_suite.cli.lazy import LazyCommand, LazyGroup
from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.offline import enforce

FAILED = 1
INTERRUPTED = 130

_NAME = "alpaca-suite"
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)

_COMMANDS = {
    "quickstart": LazyCommand(
        "alpaca_eval_suite.cli.eval:quickstart_command",
        "Score a small embedded model, from nothing to a table, without network or key.",
    ),
    "eval": LazyCommand(
        "alpaca_eval_suite.cli.eval:eval_command",
        "Score your model: helm-run, helm-summarize and leaderboard build in one call.",
    ),
    "scenarios": LazyCommand(
        "alpaca_eval_suite.cli.scenarios:scenarios_group",
        "List, show, check and make scenarios.",
    ),
    "leaderboard": LazyCommand(
        "alpaca_eval_suite.cli.leaderboard:leaderboard_group",
        "Make entries and tables from runs, and show them.",
    ),
    "judge": LazyCommand(
        "alpaca_eval_suite.cli.judge:judge_group",
        "Compare two files of outputs by judges, and measure judges.",
    ),
    "stats": LazyCommand(
        "alpaca_eval_suite.cli.stats:stats_group",
        "Win rates, comparisons and rankings from files of verdicts.",
    ),
    "doctor": LazyCommand(
        "alpaca_eval_suite.cli.doctor:doctor_command",
        "What is installed, reachable and cached, and what to do about the rest.",
    ),
}


@click.group(
    _NAME,
    cls=LazyGroup,
    lazy=_COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="alpaca-eval-suite", prog_name=_NAME)
def cli() -> None:
    """Honest evaluation of instruction-following models.

    \b
    Example:
      alpaca-suite leaderboard show
    """


def main(args: Sequence[str] | None = None) -> int:
    """Run the command line on `args` (sys.argv when None) and return the exit code; prints any error."""
    enforce()
    try:
        with cli.make_context(_NAME, list(sys.argv[1:] if args is None else args)) as context:
            cli.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        return _fail("interrupted; everything finished so far is saved", INTERRUPTED)
    except BrokenPipeError:
        return _reader_gone()
    except SuiteError as error:
        return _fail(f"error: {error}", error.exit_code)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _DISK_FULL:
            return _fail(f"error: {_disk_full(error)}", FAILED)
        if os.environ.get("ALPACA_DEBUG") == "1":
            raise
        message = " ".join(str(error).split())
        return _fail(f"error: {type(error).__name__}: {message} (set ALPACA_DEBUG=1 for the traceback)", FAILED)
    return 0


def _fail(message: str, code: int) -> int:
    click.echo(message, err=True)
    return code


def _disk_full(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}the disk is full\n  Free some space, then run the command again: what was finished is kept."


def _reader_gone() -> int:
    """The reader of our output has closed it (`| head`): no message, and none when Python flushes at exit."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return FAILED
