"""Probes: what one answer says about one thing that can go wrong, read by a fixed rule without a judge."""

from alpaca_eval_suite.probes.short_answer import LABELS, Label, Outcome, classify

__all__ = ["LABELS", "Label", "Outcome", "classify"]
