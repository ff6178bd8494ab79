"""The kinds of deterministic checks: what each one looks at, and when an answer passes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictStr, model_validator

from alpaca_eval_suite.judge import check_text
from alpaca_eval_suite.judge.check_formats import Format, readings, table_rows
from alpaca_eval_suite.judge.check_language import Language, language_of
from alpaca_eval_suite.judge.check_numbers import numbers_in
from alpaca_eval_suite.judge.check_repetition import copied_share, is_echo, repetition_in
from alpaca_eval_suite.judge.check_text import (
    find_alias,
    first_found,
    normalise,
    shorten,
    without_alias,
    without_marks,
)


@dataclass(frozen=True)
class Answer:
    """An output with its task, and the forms of it that several checks need, made once."""

    instruction: str
    input: str
    output: str

    @cached_property
    def plain(self) -> str:
        """The output, normalised."""
        return normalise(self.output)

    @cached_property
    def haystack(self) -> str:
        """The output normalised, with and without Markdown's marks, a NUL between them."""
        return f"{self.plain}\0{normalise(without_marks(self.output))}"


Verdict = tuple[bool, str]
"""Whether the answer passes, and one plain sentence why."""


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"“{shorten(name)}”" for name in names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown


def _not_blank(aliases: tuple[str, ...]) -> tuple[str, ...]:
    for alias in aliases:
        if not normalise(alias).strip("*"):
            raise ValueError(f"the alias {alias!r} is empty")
    return aliases


Aliases = Annotated[tuple[StrictStr, ...], Field(min_length=1), AfterValidator(_not_blank)]
"""Ways of saying one thing; a trailing `*` stands for any ending of the word."""


def _no_stem(aliases: tuple[str, ...]) -> tuple[str, ...]:
    for alias in aliases:
        if alias.endswith("*"):
            raise ValueError(f"{alias!r}: a trailing * has no meaning here")
    return aliases


WholeAliases = Annotated[Aliases, AfterValidator(_no_stem)]
"""`Aliases` where no `*` can stand for an ending."""
Count = Annotated[int, Field(strict=True, ge=0)]


class _Base(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)

    check: Any

    def verdict(self, answer: Answer) -> Verdict:
        """Whether `answer` passes, and one sentence why."""
        raise NotImplementedError


class _Bounded(_Base):
    min: Count | None = None
    max: Count | None = None

    @model_validator(mode="after")
    def _bounds_in_order(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError("needs min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min} is above max {self.max}")
        return self

    def within(self, count: int, noun: str) -> Verdict:
        has = f"It has {count} {noun}"
        if self.min is not None and count < self.min:
            return False, f"{has}, fewer than {self.min}."
        if self.max is not None and count > self.max:
            return False, f"{has}, more than {self.max}."
        return True, f"{has}."


class Contains(_Base):
    """One of the aliases stands in the output."""

    check: Literal["contains"]
    any: Aliases

    def verdict(self, answer: Answer) -> Verdict:
        if (found := first_found(answer.haystack, self.any)) is not None:
            return True, f"It names “{found}”."
        return False, f"It names none of {_listed(self.any)}."


class ContainsAtLeast(_Base):
    """At least `min` of the things stand in the output, each under one of its aliases."""

    check: Literal["contains_at_least"]
    of: tuple[Aliases, ...] = Field(min_length=1)
    min: int = Field(strict=True, ge=1)

    @model_validator(mode="after")
    def _enough_to_find(self) -> Self:
        if self.min > len(self.of):
            raise ValueError(f"min {self.min} is more than the {len(self.of)} things listed")
        return self

    def verdict(self, answer: Answer) -> Verdict:
        missing = [aliases[0] for aliases in self.of if first_found(answer.haystack, aliases) is None]
        found = len(self.of) - len(missing)
        detail = f"It names {found} of {len(self.of)}, needed {self.min}"
        return found >= self.min, f"{detail}; missing {_listed(missing)}." if missing else f"{detail}."


class Excludes(_Base):
    """None of the aliases stands in the output."""

    check: Literal["excludes"]
    any: Aliases

    def verdict(self, answer: Answer) -> Verdict:
        if (found := first_found(answer.haystack, self.any)) is not None:
            return False, f"It names “{found}”, which should not be there."
        return True, f"It names none of {_listed(self.any)}."


class Choice(_Base):
    """The output names the right label and none of the others; "not spam" does not count as "spam"."""

    check: Literal["choice"]
    is_: StrictStr = Field(alias="is")
    among: Annotated[WholeAliases, Field(min_length=2)]

    @model_validator(mode="after")
    def _right_one_among(self) -> Self:
        if self.is_ not in self.among:
            raise ValueError(f"{self.is_!r} is not among {_listed(self.among)}")
        return self

    def verdict(self, answer: Answer) -> Verdict:
        rest = normalise(without_marks(answer.output))
        named = []
        # Longest first, and what was found is blanked, for the sake of labels that hold each other.
        for label in sorted(self.among, key=len, reverse=True):
            kept = without_alias(rest, normalise(without_marks(label)))
            if kept != rest:
                named.append(label)
            rest = kept
        if named == [self.is_]:
            return True, f"It chooses “{self.is_}”."
        return False, f"It names {_listed(named) or 'no label'} where only “{self.is_}” is right."


class Number(_Base):
    """Some number in the output equals `value`, give or take `tolerance`."""

    check: Literal["number"]
    value: float = Field(strict=True, allow_inf_nan=False)
    tolerance: float = Field(default=0, strict=True, ge=0, allow_inf_nan=False)

    def verdict(self, answer: Answer) -> Verdict:
        numbers = numbers_in(answer.plain)
        # A little slack for what decimals lose in binary.
        slack = self.tolerance + 1e-9 * max(1.0, abs(self.value))
        if any(abs(number - self.value) <= slack for number in numbers):
            return True, f"It gives {self.value:.10g}."
        seen = ", ".join(f"{number:.10g}" for number in numbers[:3])
        return False, f"It does not give {self.value:.10g}; its first numbers: {seen or 'none'}."


class Length(_Bounded):
    """The output's length lies within bounds."""

    check: Literal["length"]
    unit: Literal["words", "sentences", "lines", "characters", "paragraphs"]

    def verdict(self, answer: Answer) -> Verdict:
        return self.within(check_text.SIZES[self.unit](answer.output), self.unit)


class Items(_Bounded):
    """The output has so many list items, hashtags, table rows or questions."""

    check: Literal["items"]
    kind: Literal["list", "numbered", "bullets", "hashtags", "table_rows", "questions"]

    _COUNTERS: ClassVar = {
        "list": (check_text.list_items, "list items"),
        "numbered": (check_text.numbered, "numbered items"),
        "bullets": (check_text.bullets, "bullets"),
        "hashtags": (check_text.hashtags, "hashtags"),
        "table_rows": (table_rows, "table rows"),
        "questions": (check_text.questions, "questions"),
    }

    def verdict(self, answer: Answer) -> Verdict:
        counter, noun = self._COUNTERS[self.kind]
        return self.within(counter(answer.output), noun)


class Parses(_Base):
    """The output, or a block in it, reads as the format, with the keys and columns asked for."""

    check: Literal["parses"]
    as_: Format = Field(alias="as")
    keys: Aliases | None = None
    columns: int | None = Field(default=None, strict=True, ge=1)

    @model_validator(mode="after")
    def _columns_of_a_table(self) -> Self:
        if self.columns is not None and self.as_ not in ("csv", "markdown_table"):
            raise ValueError(f"columns go with csv and markdown_table, not with {self.as_}")
        return self

    def verdict(self, answer: Answer) -> Verdict:
        kind = self.as_.replace("_", " ")
        problem = f"Nothing in it reads as {kind}."
        for reading in readings(self.as_, answer.output):
            missing = [key for key in self.keys or () if normalise(key) not in reading.keys]
            if missing:
                problem = f"It reads as {kind} but has no {_listed(missing)}."
            elif self.columns not in (None, reading.columns):
                problem = f"It reads as {kind} but has {reading.columns} columns, not {self.columns}."
            else:
                return True, f"It reads as {kind}."
        return False, problem


class InLanguage(_Base):
    """Most of the output is in the language."""

    check: Literal["language"]
    is_: Language = Field(alias="is")

    def verdict(self, answer: Answer) -> Verdict:
        code = language_of(answer.output)
        if code is None:
            return False, "It is in no language that can be told."
        return code == self.is_, f"It is in the language {code}, {self.is_} was asked for."


class StartsWith(_Base):
    """The output begins with one of the texts; quotes and marks before it do not count."""

    check: Literal["starts_with"]
    any: Aliases

    def verdict(self, answer: Answer) -> Verdict:
        begun = answer.plain.lstrip("*_`#>\"'([ ")
        for start in self.any:
            needle = normalise(start)
            if any(find_alias(text[: len(needle) + 1], needle) == 0 for text in (answer.plain, begun)):
                return True, f"It begins with “{start}”."
        return False, f"It begins with “{shorten(answer.output, 20)}”."


class EndsWith(_Base):
    """The output ends with one of the texts; quotes, marks and punctuation after it do not count."""

    check: Literal["ends_with"]
    any: WholeAliases

    def verdict(self, answer: Answer) -> Verdict:
        ended = answer.plain.rstrip("*_`\"')] .!?。！？")
        for end in self.any:
            needle = normalise(end)
            for text in (answer.plain, ended):
                tail = text[-len(needle) - 1 :]
                if text.endswith(needle) and find_alias(tail, needle) == len(tail) - len(needle):
                    return True, f"It ends with “{end}”."
        return False, f"It ends with “{answer.plain[-20:]}”."


class NoRepetition(_Base):
    """The output does not go round in circles."""

    check: Literal["no_repetition"]

    def verdict(self, answer: Answer) -> Verdict:
        problem = repetition_in(answer.output)
        return problem is None, problem or "It does not repeat itself."


class NoEcho(_Base):
    """The output is not a copy of the instruction or the input."""

    check: Literal["no_echo"]

    def verdict(self, answer: Answer) -> Verdict:
        share = copied_share(answer.output, instruction=answer.instruction, input=answer.input)
        return not is_echo(share), f"{share:.0%} of it is copied from the prompt."


Check = Annotated[
    Contains
    | ContainsAtLeast
    | Excludes
    | Choice
    | Number
    | Length
    | Items
    | Parses
    | InLanguage
    | StartsWith
    | EndsWith
    | NoRepetition
    | NoEcho,
    Field(discriminator="check"),
]
"""One check; which one, its key "check" says."""

CONTENT_CHECKS = frozenset({"contains", "contains_at_least", "excludes", "choice", "number"})
"""The checks that look at what an answer says; the others look at its form."""
