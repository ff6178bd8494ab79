"""Scenarios as folders: card.yaml says what the data is and how it is scored; adding one takes no Python."""

from alpaca_eval_suite.cards.card import (
    CARD_FILE,
    Baseline,
    Card,
    CardError,
    Columns,
    Decoding,
    Metric,
    list_cards,
    load_card,
    read_card,
)
from alpaca_eval_suite.cards.data import Place, place_of
from alpaca_eval_suite.cards.outputs import (
    OutputsFile,
    baseline_outputs,
    match_outputs,
    outputs_hash,
    read_outputs,
)
from alpaca_eval_suite.cards.rows import load_instructions, scenario_hash

__all__ = [
    "CARD_FILE",
    "Baseline",
    "Card",
    "CardError",
    "Columns",
    "Decoding",
    "Metric",
    "OutputsFile",
    "Place",
    "baseline_outputs",
    "list_cards",
    "load_card",
    "load_instructions",
    "match_outputs",
    "outputs_hash",
    "place_of",
    "read_card",
    "read_outputs",
    "scenario_hash",
]
