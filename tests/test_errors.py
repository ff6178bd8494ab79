"""What the user reads, and the exit code that goes with it."""

import pytest

from alpaca_eval_suite.errors import MissingExtraError, PartialError, SuiteError, UsageError


def test_what_where_next_step() -> None:
    error = SuiteError("is missing", where="card.yaml:3", next_step="Add it.")
    assert str(error) == "card.yaml:3: is missing\n  Add it."
    assert (error.what, error.where, error.next_step) == ("is missing", "card.yaml:3", "Add it.")
    assert str(SuiteError("is missing")) == "is missing"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SuiteError("x"), 1),
        (UsageError("x"), 2),
        (PartialError("x"), 3),
        (MissingExtraError("helm", "Scoring a checkpoint"), 2),
    ],
)
def test_exit_codes(error: SuiteError, code: int) -> None:
    assert isinstance(error, SuiteError)
    assert error.exit_code == code


def test_a_missing_extra_says_what_to_type() -> None:
    assert str(MissingExtraError("helm", "Scoring a checkpoint")) == (
        "Scoring a checkpoint needs an extra that is not installed\n  Type: pip install 'alpaca-eval-suite[helm]'"
    )
