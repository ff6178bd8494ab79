"""What runs that HELM did not make have in common: whose items they are of, and what is not known of them."""

from collections.abc import Callable, Collection

from alpaca_eval_suite.cards import list_cards, load_card, load_instructions, scenario_hash
from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.leaderboard.raw import ids_hash
from alpaca_eval_suite.leaderboard.record import DecodingRecord, PromptRecord, ScenarioRecord

UNNAMED = "pairs"
"""The scenario of verdicts that name none."""

NOT_KNOWN = "not known"
METRIC = "preference"

UNKNOWN_PROMPT = PromptRecord(format="unknown", sha256="")
UNKNOWN_DECODING = DecodingRecord(max_tokens=None, temperature=None)

Warn = Callable[[str], None]


def scenario_of(name: str | None, ids: Collection[str], warn: Warn) -> ScenarioRecord:
    """The scenario that `ids` are items of: the installed one of that name where it has them all, else their own.

    The latter has the ids' hash in place of the data's; `warn` is told where a name promised more.
    """
    own = ScenarioRecord(name=name or UNNAMED, sha256=ids_hash(ids), metric=METRIC, licence=NOT_KNOWN, n_items=len(ids))
    if name is None or name not in list_cards():
        return own
    try:
        card = load_card(name)
        strangers = set(ids) - {item.id for item in load_instructions(card)}
        if card.metric == METRIC and not strangers:
            return own.model_copy(update={"sha256": scenario_hash(card), "licence": card.licence})
    except SuiteError as error:
        warn(f"scenario {name}: its data cannot be read ({error.what}); the ids stand for it")
        return own
    why = f"it has no item {min(strangers)!r}" if strangers else f"its metric is {card.metric}, and nothing is compared"
    warn(f"scenario {name}: {why}; the results are kept apart from those of the installed scenario of that name")
    return own
