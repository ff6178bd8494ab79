"""The judges that are programs of ours, as `judge run` asks them: by the name of their model."""

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.judge.answers import Outcome
from alpaca_eval_suite.judge.builtin import NAME as CHECKS
from alpaca_eval_suite.judge.builtin import judge_by_checks
from alpaca_eval_suite.judge.checks import parse_checks
from alpaca_eval_suite.judge.credits import longer_wins
from alpaca_eval_suite.types import Comparison

_WIN = {1: 1.0, 2: 0.0, 0: 0.5}


def builtin_verdict(model: str, comparison: Comparison) -> Outcome:
    """What the program says of the pair.

    Raises UsageError where `builtin:checks` meets an item without checks, SuiteError for checks that are wrong.
    """
    item = comparison.instruction
    if model != CHECKS:
        return Outcome(_WIN[longer_wins(comparison.output, comparison.baseline_output)], "the longer output is better")
    if "checks" not in item.key:
        raise UsageError(
            f"{CHECKS} needs items with checks, and this one has none",
            where=f"id {item.id}",
            next_step="Name another judge, or evaluate on a scenario with checks: alpaca-suite eval.",
        )
    try:
        found = judge_by_checks(parse_checks(item.key["checks"]), comparison)
    except SuiteError as error:
        raise SuiteError(error.what, where=f"id {item.id}: {error.where}", next_step=error.next_step) from error
    return Outcome(found.win, found.reason)
