"""Reads one fact out of a free answer: the rule behind the metric `short_answer`.

`classify` says which of five things an answer did: `exact` (it asserts an accepted answer), `trap` (it asserts a
known error), `wrong` (it asserts something else, or nothing), `abstained` (it says that it does not know, or is
empty), `refused` (it will not answer). Exactly one holds. The same answer always gets the same outcome.

The rule
1. Thoughts up to `</think>` are left out, then the first 4,000 characters are read. Case, accents, quotes and
   hyphens do not matter; names match as whole words only, and the longest name wins a place.
2. The first assertion decides; what comes later (a second thought, a loop, a made-up dialogue) does not.
3. A mention is no assertion when it is negated ("not Sydney"), given another role ("the largest city is
   Sydney", "the former capital"), put in the past ("was the capital until 1991"), moved away from, a mere
   location ("near Lagos"), a reported belief ("many think") or part of a question.
4. The subject's own name is no answer where it stands as the subject ("the capital of Luxembourg is Esch").
   Where an accepted answer equals the subject's name, it counts in every other place ("Luxembourg.").
5. An unlisted name counts as an assertion where the form says so: a bare name as the first sentence, "the
   capital is Arusha", "Arusha is the capital". Those forms need the question's own noun and a capital letter.
6. Names listed side by side ("Sydney, Melbourne or Canberra") with an accepted one and another among them are
   no decision: `wrong`, reason "hedged".
7. With no assertion: the first phrase of not knowing or refusing decides; else `wrong`. A doubt beside an
   assertion ("I think it is Canberra, but I am not sure") does not cancel it.

What it cannot see: whether the rest of the answer is true, assertions in other languages, irony.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.judge.check_text import shorten
from alpaca_eval_suite.probes import phrases
from alpaca_eval_suite.probes.assertions import Assertion, Reader, lists_on
from alpaca_eval_suite.probes.names import Name, Role, fold

Label = Literal["exact", "trap", "wrong", "abstained", "refused"]

LABELS: tuple[Label, ...] = get_args(Label)

_END_OF_THOUGHT = "</think>"
_READ = 4_000  # characters; bounds the cost of endless outputs, and the first assertion stands early
_COMMON = frozenset(
    "what which who whom whose where when why how name tell the and for with only answer answers city town country "
    "called following please give write state its this that are was does did filling form question one word".split()
)


@dataclass(frozen=True)
class Outcome:
    """What an answer did, one plain sentence why, the name that decided ("" when none) and the trap's kind."""

    label: Label
    reason: str
    named: str = ""
    kind: str = ""


def classify(
    output: str,
    *,
    answers: Sequence[str],
    traps: Sequence[str | Mapping[str, str]] = (),
    subject: str | Sequence[str] = (),
    question: str = "",
) -> Outcome:
    """Read `output`, the answer to `question`, by the rule above.

    `answers`: every accepted spelling. `traps`: known errors, each a name or `{"name", "kind"}`. `subject`: what
    is asked about ("Luxembourg"). Raises SuiteError when these are not of that form, or a name is both an answer
    and a trap.
    """
    names = _names(answers, traps, subject)
    before, thought, after = output.rpartition(_END_OF_THOUGHT)
    body = after if thought else ("" if after.lstrip().startswith("<think>") else before + after)
    if not body.strip():
        return Outcome("abstained", "empty: there is no answer")
    text = fold(body[:_READ])
    reader = Reader(text, names, _focus(question))
    firm, weak = reader.assertions()
    declined = _declined(text.text)
    if not firm and declined is not None:
        return declined
    found = firm or weak[:1]
    if not found:
        return Outcome("wrong", "asserts none of the known answers")
    return _decide(found[0], lists_on(reader, found[0]))


def _decide(first: Assertion, listed: list[Assertion]) -> Outcome:
    roles: set[Role] = {first.role, *(item.role for item in listed)}
    if "answer" in roles and len(roles) > 1:
        every = ", ".join(item.text for item in (first, *listed))
        return Outcome("wrong", f"hedged: names {shorten(every, 80)} without deciding")
    if first.role == "answer":
        return Outcome("exact", f"asserts “{first.text}”", first.text)
    if first.role == "trap":
        return Outcome("trap", f"asserts “{first.text}”, a known error", first.text, first.kind)
    return Outcome("wrong", f"asserts “{shorten(first.text)}”, which is not accepted", first.text)


def _declined(text: str) -> Outcome | None:
    refused, abstained = phrases.REFUSED.search(text), phrases.ABSTAINED.search(text)
    if refused and (abstained is None or refused.start() <= abstained.start()):
        return Outcome("refused", f"says “{refused[0]}”")
    return Outcome("abstained", f"says “{abstained[0].strip()}”") if abstained else None


def _focus(question: str) -> str:
    """The question's own nouns as one alternation ("capital"), capitalised words aside; "" when there are none."""
    words = re.findall(r"(?<![\w'-])[a-z]{3,}(?![\w'-])", question)
    return "|".join(f"{word}s?" for word in dict.fromkeys(words) if word not in _COMMON)


def _names(answers: Any, traps: Any, subject: Any) -> list[Name]:
    subjects = [Name(text, "subject") for text in _texts("subject", [subject] if isinstance(subject, str) else subject)]
    own = {_form(name.text) for name in subjects}
    accepted = [Name(text, "answer", ambiguous=_form(text) in own) for text in _texts("answers", answers)]
    if not accepted:
        raise SuiteError("answers is empty", next_step="Give at least one accepted answer.")
    pairs = [(trap, "") if isinstance(trap, str) else _pair(trap) for trap in _listed("traps", traps)]
    errors = [Name(text, "trap", kind) for text, kind in pairs]
    forms = {_form(name.text) for name in accepted}
    for name in errors:
        if _form(name.text) in forms:
            raise SuiteError(f"{name.text!r} is both an answer and a trap", next_step="Take it out of one of the two.")
    return [*accepted, *errors, *subjects]


def _form(text: str) -> str:
    return fold(text).text.strip()


def _listed(column: str, values: Any) -> Iterable[Any]:
    if isinstance(values, str | Mapping) or not isinstance(values, Iterable):
        raise SuiteError(f"{column} is not a list", next_step=f'Write it as a list: "{column}": ["…"].')
    return values


def _texts(column: str, values: Any) -> list[str]:
    texts = [value for value in _listed(column, values) if value != ""]
    for value in texts:
        if not isinstance(value, str) or not _form(value):
            raise SuiteError(f"{column} holds {value!r}, which is no name", next_step="Each entry must be a text.")
    return texts


def _pair(trap: Any) -> tuple[str, str]:
    if not isinstance(trap, Mapping) or not isinstance(trap.get("name"), str) or not _form(trap["name"]):
        raise SuiteError(f"traps holds {trap!r}, which is no trap", next_step='Write {"name": "…", "kind": "…"}.')
    return trap["name"], str(trap.get("kind", ""))
