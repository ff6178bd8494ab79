"""Which names a text asserts as its answer, and which it merely mentions."""

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cached_property

from alpaca_eval_suite.probes import phrases
from alpaca_eval_suite.probes.names import Folded, Mention, Name, Role, find_names

_WINDOW = 240  # characters looked at on either side of a name
_TITLE = 30  # characters of "the Federal Democratic Republic of" before a known name
_MOST_LISTED = 20  # names of a list that are read
_MOST_WORDS = 5  # of a bare name; a longer run of capitals is a title or shouting


@dataclass(frozen=True)
class Assertion:
    """A name that the text gives as its answer, at [start, end).

    `firm` is False where it counts only for want of a better ("Canberra?", "Istanbul, the largest city.").
    """

    start: int
    end: int
    text: str
    role: Role
    kind: str
    firm: bool


class Reader:
    """Reads one folded text for `names`; `focus` is the question's noun ("capital") as a pattern, or ""."""

    def __init__(self, text: Folded, names: list[Name], focus: str) -> None:
        self._text = text.text
        self._capitals = text.capitals
        self._mentions = find_names(self._text, names)
        self._focus = re.compile(rf"\b(?:{focus})\b" if focus else r"(?!)")
        self._focus_of = re.compile(rf"{self._focus.pattern} of (?:the )?")
        self._is_focus = phrases.is_focus(focus)
        self._other_role = phrases.other_role(focus)
        self._clauses_of: dict[int, list[tuple[int, int]]] = {}

    def first_assertion(self) -> Assertion | None:
        """The first firm assertion, else the first other one, else None."""
        first = None
        for item in map(self._assertion, self._candidates):
            if item and item.firm:
                return item
            first = first or item
        return first

    def listed_after(self, first: Assertion) -> list[Assertion]:
        """What the text lists right after `first` ("Sydney, Melbourne or Canberra") without deciding."""
        listed: list[Assertion] = []
        end = first.end
        for item in self._candidates[bisect_left(self._candidates, end, key=_start) :][:_MOST_LISTED]:
            gap = self._text[end : item.start]
            # "Monte Carlo, Monaco": after a comma the subject's name says where the place is.
            located = item.name.ambiguous and not gap.strip(" ,")
            name = self._assertion(item) if phrases.LISTING.match(gap) and not located else None
            if name is None:
                break
            listed.append(name)
            end = item.end
        if choice := phrases.OR_ELSE.match(self._text, end):
            other = self._name_at(choice.end(), len(self._text))
            name = self._assertion(other) if other else None
            listed += [name] if name else []
        return listed

    # --- candidates ----------------------------------------------------------------------------------

    @cached_property
    def _candidates(self) -> list[Mention]:
        known = [self._whole(item) for item in self._mentions if item.name.role != "subject"]
        return sorted([*known, *self._unlisted()], key=_start)

    def _whole(self, item: Mention) -> Mention:
        """`item`, or the longer name that begins with it: "San José de Asa" is not San José."""
        more = phrases.LONGER_NAME.match(self._text, item.end)
        if more is None or more.end() not in self._capitals or self._known_at(more.end()):
            return item
        stop = self._end_of_name(more.end(), len(self._text))
        return Mention(item.start, stop, Name(self._text[item.start : stop].title(), "other"))

    def _unlisted(self) -> list[Mention]:
        """Names that nobody listed, where the form of the sentence asserts them."""
        found = [self._bare_name(*self._sentences[0])]
        for start, end in self._sentences:
            if not self._focus.search(self._text, start, end):
                continue
            for link in phrases.LINK.finditer(self._text, start, end):
                if self._focus.search(self._text, start, link.start()):
                    found.append(self._name_at(link.end(), end) or self._subject_at(link.end(), end))
            name = self._name_at(start, end) or self._subject_at(start, end)
            if name and self._is_focus.match(self._text[name.end : end]):
                found.append(name)
        return [name for name in found if name]

    def _bare_name(self, start: int, end: int) -> Mention | None:
        """The name that is the whole sentence, a place after a comma aside ("Arusha, Tanzania")."""
        name = self._name_at(start, end)
        if name is None or len(name.name.text.split()) > _MOST_WORDS:
            return None
        rest = self._text[name.end : end]
        place = rest.lstrip().startswith(",") and any(
            item.name.role == "subject" and name.end <= item.start < end for item in self._mentions
        )
        return name if place or not rest.strip(" .,!\"'()") else None

    def _name_at(self, place: int, end: int) -> Mention | None:
        """The run of capitalised words that begins at `place` and is no known name, or None."""
        if place not in self._capitals or self._known_at(place):
            return None
        stop = self._end_of_name(place, end)
        name = self._text[place:stop]
        if phrases.NO_NAME.match(name) or not phrases.AFTER_NAME.match(self._text[stop:end]):
            return None
        return Mention(place, stop, Name(name.title(), "other"))

    def _end_of_name(self, place: int, end: int) -> int:
        stop = place
        for word in phrases.WORD.finditer(self._text, place, end):
            follows = word.start() == place or phrases.WITHIN_NAME.fullmatch(self._text, stop, word.start())
            if word.start() not in self._capitals or not follows or self._known_at(word.start()):
                break
            stop = word.end()
        return stop

    def _subject_at(self, place: int, end: int) -> Mention | None:
        """The subject's own name in the place of an answer: "Nepal is the capital of Nepal"."""
        item = self._known_at(place)
        if item is None or item.start != place or item.name.role != "subject":
            return None
        if not phrases.AFTER_NAME.match(self._text[item.end : end]):
            return None
        return Mention(item.start, item.end, Name(item.name.text, "other"))

    def _known_at(self, place: int) -> Mention | None:
        index = bisect_right(self._mentions, place, key=_start) - 1
        return self._mentions[index] if index >= 0 and place < self._mentions[index].end else None

    # --- sentences and clauses -------------------------------------------------------------------------

    @cached_property
    def _sentences(self) -> list[tuple[int, int]]:
        return self._cut(phrases.SENTENCE_END, 0, len(self._text))

    def _cut(self, boundary: re.Pattern[str], start: int, end: int) -> list[tuple[int, int]]:
        spans = []
        for mark in boundary.finditer(self._text, start, end):
            # A boundary inside a known name ("St. John's", "Washington, D.C.") is none.
            inside = self._known_at(mark.start())
            # "and" parts clauses only where either side has a verb: "the capital and largest city is" is one.
            joins = mark[0] == "and" and not phrases.COPULA.search(self._text, start, mark.start())
            if not inside and not joins:
                spans.append((start, mark.end()))
                start = mark.end()
        return [*spans, (start, end)]

    # --- asserted or not -------------------------------------------------------------------------------

    def _assertion(self, item: Mention) -> Assertion | None:
        """`item` as the assertion that it is, or None for a mere mention."""
        strength = self._strength(item)
        name = item.name
        return Assertion(item.start, item.end, name.text, name.role, name.kind, strength == 2) if strength else None

    def _strength(self, item: Mention) -> int:
        """2 a firm assertion, 1 one for want of a better, 0 a mere mention."""
        start, end = self._sentences[bisect_right(self._sentences, item.start, key=_first) - 1]
        left = self._text[max(start, item.start - _WINDOW) : item.start]
        right = self._text[item.end : min(end, item.end + _WINDOW)]
        clauses = self._clauses(start, end)
        at = bisect_right(clauses, item.start, key=_first) - 1
        near_left = left[-(item.start - clauses[at][0]) :] if item.start > clauses[at][0] else ""
        near_right = right[: max(0, clauses[at][1] - item.end)]
        before = self._text[clauses[at - 1][0] : clauses[at - 1][1]] if at else ""
        if item.name.ambiguous and (strength := _as_subject(left, right, self._is_focus)) < 2:
            return strength
        if (
            re.search(rf"{self._focus_of.pattern}$", left)
            or self._about_another(*clauses[at])
            or _mentioned_only(left, near_left, right)
            or _past(left, near_left, right)
        ):
            return 0
        if self._given_other_role(near_left, near_right, right, before):
            return 1 if not left.strip() and right.startswith((",", " (")) else 0
        if right.rstrip().endswith("?"):
            # "Canberra?" offers an answer, "Is it Canberra?" asks for one.
            return 0 if phrases.ASKED.search(f"{left} {right}") else 1
        return 2

    def _clauses(self, start: int, end: int) -> list[tuple[int, int]]:
        if start not in self._clauses_of:
            self._clauses_of[start] = self._cut(phrases.CLAUSE_END, start, end)
        return self._clauses_of[start]

    def _given_other_role(self, near_left: str, near_right: str, right: str, before: str) -> bool:
        if self._is_other(near_left):
            return True
        if self._asks(near_left) and phrases.COPULA.search(near_left):
            return False
        if self._is_other(f"{near_left} {near_right}"):
            return True
        apposition = phrases.APPOSITION.match(right)
        if apposition and self._is_other(apposition[0]):
            return True
        return before.endswith(",") and self._is_other(before) and not phrases.COPULA.search(before)

    def _about_another(self, start: int, end: int) -> bool:
        """Whether the clause is about another subject ("the capital of Kenya"), and ours has its own."""
        return self._speaks_of_subject and any(
            found.end() in self._capitals and not self._known_within(found.end(), min(end, found.end() + _TITLE))
            for found in self._focus_of.finditer(self._text, start, end)
        )

    def _known_within(self, start: int, end: int) -> bool:
        index = bisect_left(self._mentions, start, key=_start)
        return index < len(self._mentions) and self._mentions[index].start < end

    @cached_property
    def _speaks_of_subject(self) -> bool:
        places = (self._known_at(found.end()) for found in self._focus_of.finditer(self._text))
        return any(item and (item.name.role == "subject" or item.name.ambiguous) for item in places)

    def _asks(self, text: str) -> bool:
        """Whether `text` names the role that was asked for, other roles aside."""
        return self._focus.search(self._other_role.sub(" ", text)) is not None

    def _is_other(self, text: str) -> bool:
        return self._other_role.search(text) is not None and not self._asks(text)


def _mentioned_only(left: str, near_left: str, right: str) -> bool:
    """Negated, believed by others, moved away from, or a mere location."""
    return bool(
        phrases.BEFORE_NEGATED.search(near_left)
        or _in_negated_list(left, right)
        or phrases.AFTER_NEGATED.search(right)
        or phrases.BEFORE_DOUBT.search(left)
        or phrases.BEFORE_BELIEF.search(near_left)
        or phrases.AFTER_BELIEF.search(right)
        or phrases.BEFORE_MOVED.search(left)
        or phrases.AFTER_MOVED.search(right)
        or phrases.BEFORE_FORMER.search(left)
        or phrases.BEFORE_PLACE.search(near_left)
    )


def _in_negated_list(left: str, right: str) -> bool:
    list_before = phrases.NEGATED_LIST.search(left)
    return bool(list_before and (list_before["or"] or phrases.LIST_ENDS_IN_OR.match(right)))


def _past(left: str, near_left: str, right: str) -> bool:
    """What was the answer once, or is to be."""
    if phrases.BEFORE_USED_TO.search(near_left) or phrases.BEFORE_PLANNED.search(near_left):
        return True
    if phrases.AFTER_USED_TO.search(right):
        return True
    rest = phrases.TURN.split(right, maxsplit=1)[0]
    was = phrases.PAST.search(near_left) or phrases.PAST.search(rest)
    ended = phrases.UNTIL.search(rest) or phrases.UNTIL_THEN.match(left)
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


def _start(item: Mention) -> int:
    return item.start


def _first(span: tuple[int, int]) -> int:
    return span[0]
