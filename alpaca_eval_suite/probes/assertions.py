"""Which names a text asserts as its answer, and which it merely mentions."""

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property

from alpaca_eval_suite.probes import phrases
from alpaca_eval_suite.probes.names import Folded, Mention, Name, Role, find_names

_WINDOW = 240  # characters looked at on either side of a name
_FILLER = (
    r"(?:(?:the|a|an|city|town|of|called|named|known|as|actually|currently|now|officially|also|indeed|definitely"
    r"|probably|likely|simply|either|in fact|correct|answer|it|is)\s+)*[\"'(]*"
)
_NAME = r"[^\W\d_][\w']*(?:(?: |, )?(?: (?:de|la|le|of|el|al|du|the|es|y|i))*(?: [^\W\d_][\w']*))*"
# What may follow a name that is a noun; "the Tanzanian city" shows by its next word that it is none.
_AFTER_NAME = re.compile(
    r"^(?:$|[^\w\s']|\s(?:$|\W|(?:and|or|in|which|with|located|situated|but|at|on|near|since|as|is|was|has|that|where|for|"
    r"not|by|from|to)\b)|\n)"
)
_LISTING = re.compile(
    r"^\s*(?:\([^)]*\)\s*)?(?:[,/&|]|\b(?:or|and)\b|\n\s*(?:[-•*]|\d+[.)]))"
    r"(?:[\s,/&|]|\b(?:or|and|either|possibly|perhaps|maybe|even|also|the|city|of)\b|[-•*]|\d+[.)])*$"
)
_ITEM = re.compile(r"^[\s\W\d]*$")
_OPENERS = frozenset(
    "sure yes no hello hi certainly answer okay ok great well thanks thank sorry absolutely unknown none idk question "
    "the i it this that here there as is what which you my we if in to not a an n/a name city capital response".split()
)


@dataclass(frozen=True)
class Assertion:
    """A name that the text gives as its answer, at [start, end)."""

    start: int
    end: int
    text: str
    role: Role
    kind: str = ""


class Reader:
    """Reads one folded text for `names`; `focus` is the question's noun ("capital") as a pattern, or ""."""

    def __init__(self, text: Folded, names: list[Name], focus: str) -> None:
        self._folded = text
        self._text = text.text
        self.mentions = find_names(self._text, names)
        self._focus = re.compile(rf"\b(?:{focus})\b") if focus else None
        self._other_role = phrases.other_role(focus)
        self._is_focus = re.compile(
            rf"^\s*,?\s*(?:is|was|serves as|became|remains)\s+(?:[\w']+\s+){{0,3}}?(?:{focus})\b" if focus else r"(?!)"
        )

    def assertions(self) -> tuple[list[Assertion], list[Assertion]]:
        """(firm, weak) in order of place; weak ones count only where a text has no firm one."""
        firm: list[Assertion] = []
        weak: list[Assertion] = []
        for item in self._candidates():
            strength = self._strength(item)
            if strength:
                (firm if strength == 2 else weak).append(_assertion(item))
        return firm, weak

    def excused(self, item: Mention) -> bool:
        """Whether the text mentions the name without asserting it."""
        return self._strength(item) < 2

    # --- candidates ----------------------------------------------------------------------------------

    def _candidates(self) -> list[Mention]:
        known = [item for item in self.mentions if item.name.role != "subject"]
        return sorted([*known, *self._unlisted()], key=lambda item: item.start)

    def _unlisted(self) -> list[Mention]:
        """Names that nobody listed, where the form of the sentence asserts them."""
        found = []
        for index, (start, end) in enumerate(self._sentences):
            if index == 0 and (bare := self._bare_name(start, end)):
                found.append(bare)
            if self._focus is None or not self._focus.search(self._text, start, end):
                continue
            for link in re.finditer(rf"(?:\b(?:is|are|was|called|named)|'s|:)\s+{_FILLER}", self._text[start:end]):
                place = start + link.end()
                if self._focus.search(self._text, start, start + link.start()) and (name := self._name_at(place, end)):
                    found.append(name)
            if (name := self._name_at(start, end)) and self._is_focus.match(self._text[name.end : end]):
                found.append(name)
        return found

    def _bare_name(self, start: int, end: int) -> Mention | None:
        name = self._name_at(start, end)
        if name is None or len(name.name.text.split()) > 5:
            return None
        rest = self._text[name.end : end].strip(" .,!\"'()")
        subjects = {item.name.text for item in self.mentions if item.name.role == "subject" and start <= item.start < end}
        return name if not rest or subjects and self._text[name.end : end].lstrip().startswith(",") else None

    def _name_at(self, place: int, end: int) -> Mention | None:
        """The run of capitalised words that begins at `place` and is no known name, or None."""
        text = self._text
        if place not in self._folded.capitals or any(item.start <= place < item.end for item in self.mentions):
            return None
        stop = place
        for word in re.finditer(r"([^\W_][\w']*)( (?:de|la|le|of|el|al|du|the|es|y)(?= ))*", text[place:end]):
            here = place + word.start()
            joined = here == place or text[stop:here] in (" ", " the ", " of ")
            if not joined or here not in self._folded.capitals or self._inside_known(here):
                break
            stop = place + word.end(1)
        name = text[place:stop]
        if name.split(" ")[0] in _OPENERS or not _AFTER_NAME.match(text[stop:end]):
            return None
        return Mention(place, stop, Name(name.title(), "other"))

    def _inside_known(self, place: int) -> bool:
        return any(item.start <= place < item.end for item in self.mentions)

    # --- sentences and clauses -------------------------------------------------------------------------

    @cached_property
    def _sentences(self) -> list[tuple[int, int]]:
        return self._cut(phrases.SENTENCE_END, 0, len(self._text))

    def _cut(self, boundary: re.Pattern[str], start: int, end: int) -> list[tuple[int, int]]:
        spans = []
        for mark in boundary.finditer(self._text, start, end):
            # A boundary inside a known name ("St. John's", "Washington, D.C.") is none.
            if not any(item.start <= mark.start() < item.end for item in self.mentions):
                spans.append((start, mark.end()))
                start = mark.end()
        return [*spans, (start, end)]

    def _sentence_of(self, item: Mention) -> tuple[int, int]:
        starts = [start for start, _ in self._sentences]
        return self._sentences[bisect_right(starts, item.start) - 1]

    # --- asserted or not -------------------------------------------------------------------------------

    def _strength(self, item: Mention) -> int:
        """2 an assertion, 1 one for want of a better, 0 none."""
        start, end = self._sentence_of(item)
        left = self._text[max(start, item.start - _WINDOW) : item.start]
        right = self._text[item.end : min(end, item.end + _WINDOW)]
        clauses = self._cut(phrases.CLAUSE_END, start, end)
        at = next(index for index, (_, stop) in enumerate(clauses) if item.start < stop)
        near_left = self._text[clauses[at][0] : item.start]
        near_right = self._text[item.end : max(item.end, clauses[at][1])]
        before = self._text[clauses[at - 1][0] : clauses[at - 1][1]] if at else ""
        if item.name.ambiguous and (place := _as_subject(left, right, self._is_focus)) < 2:
            return place
        if self._focus is not None and re.search(rf"{self._focus.pattern} of (?:the )?$", left):
            return 0
        if _mentioned_only(left, near_left, right):
            return 0
        if _past(left, near_left, right):
            return 0
        if self._given_other_role(near_left, near_right, right, before):
            return 1 if not left.strip() and right.startswith((",", " (")) else 0
        return 1 if right.rstrip().endswith("?") else 2

    def _given_other_role(self, near_left: str, near_right: str, right: str, before: str) -> bool:
        clause = f"{near_left} {near_right}"
        if self._is_other(near_left):
            return True
        if self._asks(near_left) and phrases.COPULA.search(near_left):
            return False
        if self._is_other(clause):
            return True
        apposition = re.match(r"^\s*[,(]\s*(?:(?:which|that|who)\s+(?:is|was)\s+)?[^,;()]*", right)
        if apposition and self._is_other(apposition[0]):
            return True
        return before.endswith(",") and self._is_other(before) and not phrases.COPULA.search(before)

    def _asks(self, text: str) -> bool:
        """Whether `text` names the role that was asked for, other roles aside."""
        return self._focus is not None and self._focus.search(self._other_role.sub(" ", text)) is not None

    def _is_other(self, text: str) -> bool:
        return self._other_role.search(text) is not None and not self._asks(text)


def _mentioned_only(left: str, near_left: str, right: str) -> bool:
    """Negated, believed by others, moved away from, or a mere location."""
    return bool(
        phrases.BEFORE_NEGATED.search(near_left)
        or phrases.AFTER_NEGATED.search(right)
        or phrases.BEFORE_DOUBT.search(left)
        or phrases.BEFORE_BELIEF.search(near_left)
        or phrases.AFTER_BELIEF.search(right)
        or phrases.BEFORE_MOVED.search(left)
        or phrases.AFTER_MOVED.search(right)
        or phrases.BEFORE_FORMER.search(left)
        or phrases.BEFORE_PLACE.search(near_left)
    )


def _past(left: str, near_left: str, right: str) -> bool:
    if phrases.BEFORE_USED_TO.search(near_left) or phrases.AFTER_USED_TO.search(right):
        return True
    clause_right = re.split(r"[();]|\bbut\b", right, maxsplit=1)[0]
    was = phrases.PAST.search(near_left) or phrases.PAST.search(clause_right)
    ended = phrases.UNTIL.search(clause_right[:80]) or phrases.SINCE_THEN.match(left)
    return bool(was and ended)


def _as_subject(left: str, right: str, is_focus: re.Pattern[str]) -> int:
    """For a name that is the subject's as well: 0 stands for the subject, 1 perhaps, 2 for the answer."""
    if phrases.BEFORE_SUBJECT.search(left) or phrases.AFTER_SUBJECT.search(right):
        return 0
    if phrases.AFTER_SUBJECT_VERB.match(right) and not is_focus.match(right):
        return 0
    if phrases.BEFORE_SUBJECT_WEAK.search(left) or phrases.AFTER_SUBJECT_WEAK.match(right):
        return 1
    return 2


def _assertion(item: Mention) -> Assertion:
    return Assertion(item.start, item.end, item.name.text, item.name.role, item.name.kind)


def lists_on(reader: Reader, first: Assertion) -> list[Assertion]:
    """The names that the text lists right after `first` ("Sydney, Melbourne or Canberra"), without deciding."""
    return reader.listed_after(first)
