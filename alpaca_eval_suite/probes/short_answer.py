"""Reads one fact out of a free answer: the rule behind the metric `short_answer`.

`classify` says which of five things an answer did: `exact` (it asserts an accepted answer), `trap` (it
asserts a known error), `wrong` (it asserts something else, or nothing), `abstained` (it says that it does not
know, or is empty), `refused` (it will not answer). Exactly one holds, the same for the same answer always.

The rule
1. Thoughts up to `</think>` are left out, then the first 4,000 characters are read. Case, accents, quotes and
   hyphens do not matter; names match as whole words only, and the longest name wins a place.
2. The first assertion decides; what comes later (a second thought, a loop, a made-up dialogue) does not.
3. A mention is no assertion when it is negated ("not Sydney"), given another role ("the largest city is
   Sydney", "the former capital"), put in the past or future ("was the capital until 1991", "is to move to"),
   moved away from, a mere location ("near Lagos"), a reported belief ("many think"), part of a question, or
   said of another subject ("the capital of Kenya") beside the one asked about.
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
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.judge.check_text import shorten
from alpaca_eval_suite.probes import phrases
from alpaca_eval_suite.probes.assertions import Assertion, Reader
from alpaca_eval_suite.probes.names import Name, Role, fold

Label = Literal["exact", "trap", "wrong", "abstained", "refused"]

LABELS: tuple[Label, ...] = get_args(Label)

_START_OF_THOUGHT, _END_OF_THOUGHT = "<think>", "</think>"
_READ = 4_000  # characters; bounds the cost of endless outputs, and the first assertion stands early
_COMMON = re.compile(
    "what|which|who|whom|whose|where|when|why|how|name|tell|the|and|for|with|only|answers?|city|town|country|called|"
    "following|please|give|write|state|its|this|that|are|was|does|did|filling|form|question|one|word"
)


@dataclass(frozen=True)
class Outcome:
    """What an answer did, why in a few words, the name that decided ("" when none) and the trap's kind."""

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

    `answers`: every accepted spelling. `traps`: known errors, each a name or `{"name", "kind"}`.
    `subject`: what is asked about ("Luxembourg"), with its other names. Raises SuiteError when these are not
    of that form, or a name is both an answer and a trap.
    """
    names = _names(answers, traps, subject)
    body = output.rpartition(_END_OF_THOUGHT)[2].strip()
    if not body or body.startswith(_START_OF_THOUGHT):
        return Outcome("abstained", "empty: there is no answer")
    text = fold(body[:_READ])
    reader = Reader(text, names, _focus(question))
    first = reader.first_assertion()
    if (first is None or not first.firm) and (declined := _declined(text.text)):
        return declined
    if first is None:
        return Outcome("wrong", "asserts none of the known answers")
    return _decide(first, reader.listed_after(first))


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
    """The question's own nouns ("capital") as one alternation, capitalised words aside; "" for none."""
    words = re.findall(r"(?<![\w'-])[a-z]{3,}(?![\w'-])", question)
    return "|".join(f"{word}s?" for word in dict.fromkeys(words) if not _COMMON.fullmatch(word))


def _names(answers: Any, traps: Any, subject: Any) -> list[Name]:
    about = [subject] if isinstance(subject, str) else _listed(subject, "subject")
    subjects = [_name(text, "subject") for text in about if text != ""]
    own = {_form(name.text) for name in subjects}
    accepted = [_name(text, "answer", own) for text in _listed(answers, "answers")]
    errors = [_name(trap, "trap") for trap in _listed(traps, "traps")]
    if not accepted:
        raise SuiteError("answers is empty", next_step="Give at least one accepted answer.")
    forms = {_form(name.text) for name in accepted}
    for name in errors:
        if _form(name.text) in forms:
            raise SuiteError(f"{name.text!r} is both answer and trap", next_step="Take it out of one of the two.")
    return [*accepted, *errors, *subjects]


def _name(value: Any, role: Role, own: Collection[str] = ()) -> Name:
    kind = ""
    if role == "trap" and isinstance(value, Mapping):
        value, kind = value.get("name"), str(value.get("kind", ""))
    if not isinstance(value, str) or not _form(value):
        raise SuiteError(
            f"{value!r} among the {role} names is no text",
            next_step='Each must be a text; a trap may be {"name": "…", "kind": "…"}.',
        )
    return Name(value, role, kind, ambiguous=_form(value) in own)


def _form(text: str) -> str:
    return fold(text).text.strip()


def _listed(values: Any, column: str) -> Iterable[Any]:
    if isinstance(values, str | Mapping) or not isinstance(values, Iterable):
        raise SuiteError(f"{column} is not a list", next_step=f'Write it as a list: "{column}": ["…"].')
    return values
