"""Carries out a plan: helm-run in this process, so that progress shows, Ctrl-C is quick and errors stay readable."""

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import TextIO

from helm.benchmark.model_deployment_registry import ModelDeploymentNotFoundError

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.evaluate import progress
from alpaca_eval_suite.evaluate.plan import Plan

_LOG_FILE = "helm.log"
_GRACE = 5.0  # seconds


def log_file(plan: Plan) -> Path:
    """Where HELM's own words go."""
    return plan.suite_folder / _LOG_FILE


def run(plan: Plan) -> None:
    """helm-run. Raises the SuiteError behind HELM's, KeyboardInterrupt when stopped; what is done is in the cache."""
    path = log_file(plan)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as log, _quiet(log), _stop_on_interrupt():
            _helm_run(plan, path)
    except OSError as error:  # of the log: what HELM raises comes as a SuiteError
        raise SuiteError(
            f"cannot be written ({error.strerror or error})", where=str(path), next_step="Give another --output-path."
        ) from error


def _helm_run(plan: Plan, log: Path) -> None:
    from helm.benchmark.run import build_parser, helm_run

    try:
        helm_run(build_parser().parse_args(plan.run_line()[1:]))
    except Exception as error:
        logging.getLogger("helm").exception("the run failed")
        raise _cause(error, log) from error


def summarize(plan: Plan) -> None:
    """helm-summarize, as a process of its own. Raises SuiteError when it fails."""
    with log_file(plan).open("a", encoding="utf-8") as log:
        line = [sys.executable, "-m", "helm.benchmark.presentation.summarize", *plan.summarize_line()[1:]]
        if subprocess.run(line, stdout=log, stderr=log, check=False).returncode != 0:
            raise SuiteError(
                "helm-summarize failed; the runs themselves are complete",
                where=str(log_file(plan)),
                next_step="Its last lines say why.",
            )


@contextlib.contextmanager
def _quiet(log: TextIO) -> Iterator[None]:
    """HELM prints, logs and draws bars of its own: all of it into the log."""
    logger = logging.getLogger("helm")
    handler = logging.StreamHandler(log)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-8s %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    propagate, logger.propagate = logger.propagate, False
    try:
        with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
            yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagate


@contextlib.contextmanager
def _stop_on_interrupt() -> Iterator[None]:
    """Ctrl-C: HELM waits for all that is queued, so let nothing new begin and end what is being generated.

    A server that does not answer would still be waited for: after some seconds, or at a second Ctrl-C, the process
    ends as it is. Nothing but what is in flight is lost by that.
    """
    from alpaca_eval_suite.models.batching import close_models

    leave = threading.Timer(_GRACE, _leave)
    leave.daemon = True

    def stop(number: int, frame: FrameType | None) -> None:
        if leave.is_alive():
            _leave()
        leave.start()
        progress.request_stop()
        close_models()
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        leave.cancel()
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave() -> None:
    show_cursor = b"\x1b[?25h" if os.isatty(2) else b""  # a bar had hidden it
    os.write(2, show_cursor + b"\ninterrupted; everything finished so far is saved\n")
    os._exit(130)


def _cause(error: BaseException, log: Path) -> BaseException:
    """What a person can act on in HELM's chain of errors."""
    link: BaseException | None = error
    seen = []
    while link is not None:
        if isinstance(link, SuiteError):
            return link
        seen.append(link)
        link = link.__cause__ or link.__context__
    if any(isinstance(link, progress.Stopped) for link in seen):
        return KeyboardInterrupt()
    if any(isinstance(link, OSError) and link.errno == 28 for link in seen):
        return SuiteError("the disk is full", where=str(log.parent), next_step="Free some space; nothing done is lost.")
    if unknown := next((link for link in seen if isinstance(link, ModelDeploymentNotFoundError)), None):
        return UsageError(
            f"HELM: {unknown}",
            next_step="Give a checkpoint folder, or describe the server in prod_env/model_deployments.yaml "
            "(docs/judges.md says how).",
        )
    first = str(seen[-1]).split("\n", 1)[0][:500]
    return SuiteError(
        f"HELM failed: {type(seen[-1]).__name__}: {first}",
        where=str(log),
        next_step="The log says more. Answers made so far are in the cache: run the same command again.",
    )
