"""`builtin:checks`, the judge without a key: who passes the larger share of an item's checks wins."""

from dataclasses import dataclass

from alpaca_eval_suite.judge.checks import Check, CheckReport, compare_shares, run_checks
from alpaca_eval_suite.types import Comparison

NAME = "builtin:checks"
VERSION = 1
"""Of our programs that judge: goes up when one of them may judge otherwise, so that its card no longer holds."""
BLIND_SPOTS = (
    "It sees only what its item's checks ask for: required facts, counts, formats, lengths, language, "
    "repetition and echo. It does not see style, tone, truth beyond those facts, harm, or how helpful an "
    "answer is."
)


@dataclass(frozen=True)
class ChecksVerdict:
    """The model's win (1, 0, 0.5) and what the checks said about both outputs."""

    win: float
    reason: str
    report: CheckReport
    baseline_report: CheckReport


def judge_by_checks(checks: tuple[Check, ...], comparison: Comparison) -> ChecksVerdict:
    """Compare two outputs by the share of `checks` that each passes; equal shares are a tie."""
    item = comparison.instruction
    ours, theirs = (
        run_checks(checks, instruction=item.instruction, input=item.input, output=output)
        for output in (comparison.output, comparison.baseline_output)
    )
    reason = f"model passes {ours.passed} of {ours.total} checks, baseline {theirs.passed}"
    return ChecksVerdict(compare_shares(ours, theirs), reason, ours, theirs)
