"""Deterministic checks of an answer, written with the task: the judge called `builtin:checks`.

Each check is a small object with the key "check" (see scenarios/user_oriented_mini/CHECKS.md):

>>> rows = [{"check": "contains", "any": ["Paris"]}, {"check": "length", "unit": "words", "max": 5}]
>>> checks = parse_checks(rows)
>>> report = run_checks(checks, instruction="What is the capital of France?", input="", output="It is Paris.")
>>> report.passed, report.total, [result.detail for result in report.results]
(2, 2, ['It names “Paris”.', 'It has 3 words.'])
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.judge.check_kinds import CONTENT_CHECKS, Answer, Check

__all__ = [
    "CONTENT_CHECKS",
    "Check",
    "CheckReport",
    "CheckResult",
    "compare_shares",
    "parse_checks",
    "run_checks",
]

_ADAPTER: TypeAdapter[Check] = TypeAdapter(Check)


@dataclass(frozen=True)
class CheckResult:
    """What one check said: its kind, whether the output passed, and one plain sentence why."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True)
class CheckReport:
    """What all checks of an item said about one output."""

    results: tuple[CheckResult, ...]

    @property
    def total(self) -> int:
        """How many checks there are."""
        return len(self.results)

    @property
    def passed(self) -> int:
        """How many of them the output passed."""
        return sum(result.passed for result in self.results)

    @property
    def share(self) -> float:
        """passed / total, in [0, 1]."""
        return self.passed / self.total


def parse_checks(rows: Sequence[dict[str, Any]]) -> tuple[Check, ...]:
    """The checks of one item, from their JSON objects.

    Raises SuiteError, naming the check by its position, for an unknown kind, an unknown or missing key or a
    bad value, and when there is no list or no check at all.
    """
    if not isinstance(rows, list | tuple):
        raise SuiteError("is not a list", where="checks", next_step="Write it as a list of objects.")
    if not rows:
        raise SuiteError("there is no check", where="checks", next_step="Give the item at least one check.")
    return tuple(_parse_check(row, f"check {position}") for position, row in enumerate(rows, 1))


def _parse_check(row: dict[str, Any], where: str) -> Check:
    try:
        return _ADAPTER.validate_python(row)
    except ValidationError as error:
        problems = [": ".join([*(str(part) for part in problem["loc"]), problem["msg"]]) for problem in error.errors()]
        raise SuiteError(
            "; ".join(problems),
            where=where,
            next_step="The kinds of checks are listed in scenarios/user_oriented_mini/CHECKS.md.",
        ) from error


def run_checks(checks: Sequence[Check], *, instruction: str, input: str, output: str) -> CheckReport:
    """What each of `checks` says about `output`, the answer to `instruction` with `input`.

    Depends on nothing but its arguments, raises on no text. An output of nothing but white space passes no
    check. Raises ValueError when `checks` is empty.
    """
    if not checks:
        raise ValueError("an item without checks cannot be judged by checks")
    answer = Answer(instruction=instruction, input=input, output=output)
    return CheckReport(tuple(_run(check, answer) for check in checks))


def _run(check: Check, answer: Answer) -> CheckResult:
    if not answer.plain:
        return CheckResult(check.check, False, "The output is empty.")
    passed, detail = check.verdict(answer)
    return CheckResult(check.check, passed, detail)


def compare_shares(a: CheckReport, b: CheckReport) -> float:
    """1 when `a` passed the larger share of its checks, 0 when `b` did, 0.5 when they passed the same."""
    # Cross-multiplied, because 1/3 and 2/6 need not be the same as doubles.
    left, right = a.passed * b.total, b.passed * a.total
    return 0.5 if left == right else float(left > right)
