"""What may be in the way of an evaluation, and what to do about it: each check gives findings, prints nothing."""

from alpaca_eval_suite.doctor.finding import Finding, State

__all__ = ["Finding", "State"]
