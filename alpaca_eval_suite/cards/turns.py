"""A conversation in a scenario's data: a list of turns, of which the model answers the last."""

from itertools import pairwise
from typing import Any, get_args, get_type_hints

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.types import Turn

_ROLES: tuple[str, ...] = get_args(get_type_hints(Turn)["role"])
_FORM = 'Write it as [{"role": "user", "content": "..."}, {"role": "assistant", "content": "..."}, ...].'
_ORDER = "User and assistant take turns, from a user's turn to a user's turn; a system's turn may come before."


def conversation(where: str, column: str, messages: Any) -> tuple[tuple[Turn, ...], str]:
    """What was said before the last turn, and the last turn's text.

    Raises SuiteError for what is no list of turns, a turn without text, and turns out of order: chat templates know
    no other order than this.
    """
    if not isinstance(messages, list) or not messages:
        raise SuiteError(f"{column!r} is no list of turns", where=where, next_step=_FORM)
    turns = tuple(_turn(f"{where}: {column}, turn {number}", raw) for number, raw in enumerate(messages, 1))
    said = turns[1:] if turns[0].role == "system" else turns
    in_order = all(one.role != other.role for one, other in pairwise(said))
    if not said or any(turn.role == "system" for turn in said) or not in_order or said[0].role != "user":
        raise SuiteError(f"the turns of {column!r} are out of order", where=where, next_step=_ORDER)
    if said[-1].role != "user":
        what = f"{column!r} ends with the assistant's turn: there is nothing to be answered"
        raise SuiteError(what, where=where, next_step=_ORDER)
    return turns[:-1], turns[-1].content


def _turn(where: str, raw: Any) -> Turn:
    if not isinstance(raw, dict) or set(raw) != {"role", "content"}:
        raise SuiteError("is no object with role and content alone", where=where, next_step=_FORM)
    role, content = raw["role"], raw["content"]
    if role not in _ROLES:
        raise SuiteError(f"the role {role!r} is unknown", where=where, next_step=f"There are {', '.join(_ROLES)}.")
    if not isinstance(content, str) or not content.strip():
        raise SuiteError("content is empty or not text", where=where, next_step="Fill it in, or drop the turn.")
    return Turn(role, content)
