"""The shell around all commands: lazy imports, help, and what an error becomes."""

import errno
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from alpaca_eval_suite.cli import main as main_module
from alpaca_eval_suite.cli.lazy import LazyCommand, LazyGroup
from alpaca_eval_suite.cli.main import cli, main
from alpaca_eval_suite.errors import MissingExtraError, PartialError, SuiteError, UsageError

HEAVY = ("numpy", "scipy", "pandas", "pydantic", "rich", "yaml", "httpx", "torch", "transformers", "helm")


@pytest.fixture
def run_raising(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], int]:
    """Runs the shell on a command that raises what it is given."""

    def run(error: BaseException) -> int:
        @click.command("boom")
        def boom() -> None:
            raise error

        monkeypatch.setattr(main_module, "cli", click.Group("alpaca-suite", {"boom": boom}))
        return main(["boom"])

    return run


def python(code: str, *, stdout: int = subprocess.PIPE) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", code],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("args", [["--help"], ["-h"], ["--version"], []])
def test_the_shell_alone_imports_nothing_heavy(args: list[str]) -> None:
    done = python(
        f"import sys; from alpaca_eval_suite.cli.main import main\nmain({args!r}); print('modules', *sys.modules)"
    )
    assert done.returncode == 0, done.stderr
    imported = set(done.stdout.splitlines()[-1].split())
    assert "click" in imported
    assert imported.isdisjoint(HEAVY)
    ours = {name for name in imported if name.startswith("alpaca_eval_suite")}
    assert ours == {
        "alpaca_eval_suite",
        "alpaca_eval_suite.cli",
        "alpaca_eval_suite.cli.lazy",
        "alpaca_eval_suite.cli.main",
        "alpaca_eval_suite.errors",
        "alpaca_eval_suite.offline",
    }


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_lists_every_command_in_order(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([flag]) == 0
    shown = capsys.readouterr().out
    names = ("quickstart", "eval", "scenarios", "leaderboard", "stats", "doctor")
    places = [shown.index(f"\n  {name} ") for name in names]
    assert places == sorted(places)
    assert "Example:" in shown


@pytest.mark.parametrize("name", ["quickstart", "eval", "scenarios", "leaderboard", "stats", "doctor"])
def test_every_command_of_the_table_is_there(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert isinstance(cli.get_command(click.Context(cli), name), click.Command)
    assert main([name, "-h"]) == 0
    assert capsys.readouterr().out.startswith(f"Usage: alpaca-suite {name} ")


@pytest.mark.parametrize(
    "command",
    [
        ["leaderboard"],
        ["leaderboard", "build"],
        ["leaderboard", "show"],
        ["stats"],
        ["stats", "win-rate"],
        ["stats", "compare"],
        ["stats", "rank"],
        ["stats", "sequential"],
        ["stats", "position-bias"],
        ["stats", "power"],
        *(["leaderboard", name] for name in ("compare", "export", "page", "verify", "diff")),
        ["judge"],
        *(["judge", name] for name in ("run", "reparse", "calibrate", "bridge", "canary", "list", "show", "cache")),
        ["scenarios"],
        ["scenarios", "list"],
        ["scenarios", "show"],
        ["scenarios", "validate"],
        ["scenarios", "new"],
        ["doctor"],
    ],
)
def test_every_help_has_an_example(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command, "-h"]) == 0
    assert re.search(rf"Examples?:\n    alpaca-suite {command[0]} ", capsys.readouterr().out)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("alpaca-suite, version ")


def test_a_command_is_imported_when_it_is_run() -> None:
    group = LazyGroup("g", lazy={"x": LazyCommand("no_such_module_at_all:command", "Does x.")})
    context = click.Context(group)
    assert group.list_commands(context) == ["x"]
    assert "x  Does x." in group.get_help(context)
    with pytest.raises(ModuleNotFoundError, match="no_such_module_at_all"):
        group.get_command(context, "x")


def test_an_unknown_command_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["leaderbord"]) == 2
    assert "There is no command 'leaderbord'. Did you mean 'leaderboard'? There are: quickstart," in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize("args", [["--nonsense"], ["leaderboard", "build", "--nonsense"], ["stats", "win-rate"]])
def test_a_wrong_call_is_a_usage_error(args: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(args) == 2
    assert "Error: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (
            SuiteError("is broken", where="a.json", next_step="Mend it."),
            1,
            "error: a.json: is broken\n  Mend it.\n",
        ),
        (UsageError("no such thing"), 2, "error: no such thing\n"),
        (PartialError("3 of 60 failed"), 3, "error: 3 of 60 failed\n"),
        (
            MissingExtraError("helm", "alpaca-suite eval"),
            2,
            "error: alpaca-suite eval needs an extra that is not installed\n"
            "  Type: pip install 'alpaca-eval-suite[helm]'\n",
        ),
        (KeyboardInterrupt(), 130, "interrupted; everything finished so far is saved\n"),
        (click.Abort(), 130, "interrupted; everything finished so far is saved\n"),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 1, ""),
        (
            OSError(errno.ENOSPC, "No space left on device", "runs/x"),
            1,
            "error: runs/x: the disk is full\n"
            "  Free some space, then run the command again: what was finished is kept.\n",
        ),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            1,
            "error: the disk is full\n  Free some space, then run the command again: what was finished is kept.\n",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "x"),
            1,
            "error: PermissionError: [Errno 13] Permission denied: 'x' (set ALPACA_DEBUG=1 for the traceback)\n",
        ),
        (
            ZeroDivisionError("one\ntwo"),
            1,
            "error: ZeroDivisionError: one two (set ALPACA_DEBUG=1 for the traceback)\n",
        ),
        (click.exceptions.Exit(3), 3, ""),
        (click.ClickException("bad"), 1, "Error: bad\n"),
    ],
)
def test_errors_become_a_message_and_an_exit_code(
    run_raising: Callable[[BaseException], int],
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    code: int,
    message: str,
) -> None:
    monkeypatch.delenv("ALPACA_DEBUG", raising=False)
    monkeypatch.setattr(os, "dup2", lambda *args: None)  # a closed pipe must not take the tests' own output away
    assert run_raising(error) == code
    assert capfd.readouterr().err == message


def test_the_traceback_on_request(run_raising: Callable[[BaseException], int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALPACA_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        run_raising(ZeroDivisionError("x"))
    assert run_raising(UsageError("no traceback for a mistake of the user")) == 2


def test_what_a_command_returns_is_no_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    group = click.Group("alpaca-suite", {"count": click.Command("count", callback=lambda: 7)})
    monkeypatch.setattr(main_module, "cli", group)
    assert main(["count"]) == 0


def test_a_reader_that_goes_away_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = python(
            "import sys; from alpaca_eval_suite.cli.main import main; sys.exit(main(['--help']))",
            stdout=writer,
        )
    finally:
        os.close(writer)
    assert done.stderr == ""
    assert done.returncode == 1


def test_the_console_script_exits_with_the_code(tmp_path: Path) -> None:
    code = "import sys; from alpaca_eval_suite.cli.main import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code, "leaderboard", "show", "--results", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {tmp_path}: holds no entries\n")
    assert done.stdout == ""
