"""Scenarios as folders: card.yaml says what the data is and how it is scored; adding one takes no Python."""

from alpaca_eval_suite.cards.card import Baseline, Card, Columns, Decoding, Metric, list_cards, load_card
from alpaca_eval_suite.cards.outputs import (
    OutputsFile,
    baseline_outputs,
    match_outputs,
    outputs_hash,
    read_outputs,
)
from alpaca_eval_suite.cards.rows import load_instructions, scenario_hash

__all__ = [
    "Baseline",
    "Card",
    "Columns",
    "Decoding",
    "Metric",
    "OutputsFile",
    "baseline_outputs",
    "list_cards",
    "load_card",
    "load_instructions",
    "match_outputs",
    "outputs_hash",
    "read_outputs",
    "scenario_hash",
]
