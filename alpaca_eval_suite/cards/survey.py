"""What is known of each scenario without a download: how large it is, under which licence, and where its data is."""

from dataclasses import dataclass, replace
from typing import Any

from alpaca_eval_suite.cards.card import list_cards, load_card
from alpaca_eval_suite.cards.data import place_of
from alpaca_eval_suite.cards.rows import load_instructions
from alpaca_eval_suite.errors import SuiteError

BROKEN = "broken"


@dataclass(frozen=True)
class Surveyed:
    """`state`: a data file's place, or `broken` (`why` then says how). `baseline` is the place of its outputs.

    `items` is None where the data is not on this machine, `n_bytes` where the card does not say it.
    """

    name: str
    state: str
    items: int | None = None
    n_bytes: int | None = None
    metric: str = ""
    licence: str = ""
    title: str = ""
    baseline: str | None = None
    why: str = ""

    def as_json(self) -> dict[str, Any]:
        """The public form."""
        return dict(vars(self))


def survey() -> list[Surveyed]:
    """Every scenario that is found, by name. Nothing is downloaded, nothing is raised for a broken one."""
    return [look_at(name) for name in list_cards()]


def look_at(name: str) -> Surveyed:
    """One scenario. Raises UsageError when there is none of that name."""
    try:
        card = load_card(name)
    except SuiteError as error:
        if name not in list_cards():
            raise
        return Surveyed(name, BROKEN, why=_said(error))
    known = Surveyed(name, BROKEN, None, card.data.size, card.metric, card.licence, card.title)
    try:
        state, path = place_of(card.data, card.folder)
        items = len(load_instructions(card)) if path else None
        baseline = place_of(card.baseline.data, card.folder)[0] if card.baseline else None
    except SuiteError as error:
        return replace(known, why=_said(error))
    return replace(known, state=state, items=items, baseline=baseline)


def _said(error: SuiteError) -> str:
    return f"{error.where}: {error.what}" if error.where else error.what
