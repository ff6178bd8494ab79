"""Everything that a run checks of a scenario before it begins: card, data, rows, ids, checks, probe keys, baseline.

HELM is not needed here.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from alpaca_eval_suite.cards import (
    Card,
    CardError,
    baseline_outputs,
    load_instructions,
    match_outputs,
    read_card,
)
from alpaca_eval_suite.errors import Report, SuiteError, UsageError, stop
from alpaca_eval_suite.judge.checks import parse_checks
from alpaca_eval_suite.probes.registry import probe_of
from alpaca_eval_suite.prompts import PromptFormat
from alpaca_eval_suite.types import Instruction


def problems_of(folder: Path) -> list[SuiteError]:
    """Each problem of the scenario in `folder`, in the order in which a run would meet them; empty: it can be run.

    Data that the card gives by its address is fetched, as a run would.
    """
    found: list[SuiteError] = []
    try:
        # Not resolve(): a link may bear the card's name, and "." has none.
        card = read_card(Path(os.path.abspath(folder)))
    except CardError as error:
        return [SuiteError(problem, where=error.where, next_step=error.next_step) for problem in error.problems]
    except SuiteError as error:
        return [error]
    try:
        items = load_instructions(card, found.append)
    except SuiteError as error:
        return [*found, error]
    all_read = not found
    check_keys(card, items, found.append)
    if card.baseline is not None and all_read:  # outputs for a row that could not be read would be told as strangers
        try:
            match_outputs(baseline_outputs(card, card.baseline), items, report=found.append)
        except SuiteError as error:
            found.append(error)
    return found


def check_prompt_format(card: Card, items: Sequence[Instruction], prompt_format: PromptFormat) -> None:
    """Raise UsageError for conversations in the Alpaca prompt: it knows one instruction, and what was said before it
    would be lost."""
    if prompt_format != "chat" and any(item.earlier for item in items):
        raise UsageError(
            f"the items of {card.name} are conversations, for which the Alpaca prompt has no place",
            where=f"prompt_format {prompt_format}",
            next_step="Ask in the model's own chat template: --prompt-format chat, or prompt_format=chat in a run "
            "entry.",
        )


def check_keys(card: Card, items: Sequence[Instruction], report: Report = stop) -> None:
    """Report what the scoring needs of an item and does not find, which must show before hours of generation."""
    probe = probe_of(card.metric)
    for item in items:
        try:
            if "checks" in item.key:
                parse_checks(item.key["checks"])
            if probe is not None:
                probe.read(item, "")
        except SuiteError as error:
            where = ", ".join(part for part in (card.name, item.id, error.where) if part)
            report(SuiteError(error.what, where=where, next_step=error.next_step))
