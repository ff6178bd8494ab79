"""A judge asked from HELM's threads: the verdict cache first, then the judge; every failure counted, no reply lost."""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.evaluate import progress
from alpaca_eval_suite.judge.answers import Answer
from alpaca_eval_suite.judge.cache import Entry, VerdictCache, call_key
from alpaca_eval_suite.judge.contracts import Asker, Question, Reply, Ruling
from alpaca_eval_suite.judge.labelling import Labelled, read_label
from alpaca_eval_suite.judge.question import ask, shorter
from alpaca_eval_suite.judge.reply import JudgePrompt, VerdictError
from alpaca_eval_suite.judge.settling import GIVE_UP_AFTER
from alpaca_eval_suite.judge.work import Judge
from alpaca_eval_suite.models import event_loop
from alpaca_eval_suite.models.endpoint_errors import BlockedError
from alpaca_eval_suite.models.request import GenerationRequest, Message, TooLongError
from alpaca_eval_suite.types import Comparison, Order

_LONGEST_REASON = 600

Said = TypeVar("Said", Ruling, Labelled)
_Read = Callable[[Reply, str], Said]
"""Reads a reply to the question with that label; raises VerdictError when it cannot."""

_Questions = Callable[[int | None], Question]
"""The question, of at most so many characters where a number is given."""


@dataclass(frozen=True)
class Asked(Generic[Said]):
    """What a judge said, None where it failed; `reason` then says how.

    `kept` is what is stored of every reply: `raw`, the whole text, and what a server says of it. `cut`: to how many
    characters both answers were cut, None where they were shown whole.
    """

    said: Said | None
    reason: str
    kept: dict[str, Any]
    cut: int | None = None


class AskedJudge:
    """One judge in one run, asked from many threads. `judge_hash` is kept with what it says, `name` is for people.

    Its methods raise progress.Stopped when the run is to stop, and SuiteError when the first verdicts all fail.
    """

    def __init__(self, judge: Judge, asker: Asker, *, name: str, judge_hash: str, seed: int) -> None:
        self._judge = judge
        self._asker = asker
        self._name = name
        self._hash = judge_hash
        self._seed = seed
        self._cache = VerdictCache(notice=progress.notice)
        self._failures = _Failures(name)

    def compare(self, comparison: Comparison, order: Order) -> Asked[Ruling]:
        """Which answer is better, shown in that order."""

        def question(limit: int | None) -> Question:
            return ask(self._judge.spec, comparison, order, self._seed, limit)

        return self._ask(question, lambda reply, label: Answer(label, reply).ruling(self._judge.spec))

    def label(self, prompt: JudgePrompt, labels: Sequence[str]) -> Asked[Labelled]:
        """Which of the labels the answer in the prompt has."""
        spec, decoding = self._judge.spec, self._judge.spec.decoding
        system = (Message("system", spec.system),) if spec.system else ()
        request = GenerationRequest(
            prompt=(*system, Message("user", prompt.text)),
            max_tokens=decoding.max_tokens,
            temperature=decoding.temperature,
            seed=self._seed if decoding.temperature else None,
            thinking_tokens=decoding.thinking_tokens,
        )
        return self._ask(
            lambda _: Question(request, prompt.label), lambda reply, label: read_label(reply.text, label, labels)
        )

    def _ask(self, question: _Questions, read: _Read[Said]) -> Asked[Said]:
        progress.check_stop()
        self._failures.check()
        kept: dict[str, Any] = {"raw": ""}
        try:
            asked, reply, cached = self._reply(question, read)
            kept |= _kept(reply, cached)
            said = read(reply, asked.label)
        except progress.Stopped:
            raise
        # One bad reply must not cost a run of hours; `_Failures` stops a judge that never works.
        except Exception as error:
            reason = _reason(error)
            self._failures.count(reason)
            progress.done("verdict")
            progress.done("failed verdict")
            return Asked(None, reason, kept)
        self._failures.worked()
        if not cached:
            paid = None if self._judge.price is None else self._judge.cost(asked.request, reply)
            entry = Entry(reply, said, self._name, self._hash, paid)
            self._cache.put_many({self._key(asked): entry})
        progress.done("verdict", cached=cached)
        return Asked(said, said.reason, kept, asked.kept)

    def _reply(self, question: _Questions, read: _Read[Said]) -> tuple[Question, Reply, bool]:
        """The question that was answered, the reply, and whether it was in the cache."""
        whole = question(None)
        try:
            reply, cached = self._answer(whole, read)
            return whole, reply, cached
        except TooLongError:
            if self._judge.spec.too_long != "cut":
                raise
        for cut in shorter(whole, question):
            with suppress(TooLongError):
                reply, cached = self._answer(cut, read)
                return cut, reply, cached
        raise AssertionError("`shorter` raises where nothing fits")

    def _answer(self, question: Question, read: _Read[Said]) -> tuple[Reply, bool]:
        key = self._key(question)
        known = self._cache.get_many([key]).get(key)
        # What another version could read this one may not.
        if known is not None and _is_readable(known, question, read):
            return known, True
        return event_loop.run(self._asker.ask(question.request), check=progress.check_stop), False

    def _key(self, question: Question) -> str:
        return call_key(self._asker.identity, question.request)


def _is_readable(reply: Reply, question: Question, read: _Read[Said]) -> bool:
    try:
        read(reply, question.label)
    except VerdictError:
        return False
    return True


def _kept(reply: Reply, cached: bool) -> dict[str, Any]:
    """The reply's text, and what a server, or who asked it, says of it."""
    kept: dict[str, Any] = {"raw": reply.text}
    if reply.served_id is not None or reply.fallbacks:
        kept["served"] = {
            "served_id": reply.served_id,
            "system_fingerprint": reply.system_fingerprint,
            "fallbacks": list(reply.fallbacks),
            "cached": cached,
        }
    return kept


def _reason(error: Exception) -> str:
    if isinstance(error, VerdictError | TooLongError | BlockedError):
        said = str(error).replace("\n  ", " ")
    elif isinstance(error, SuiteError):
        said = f"no answer: {error.what}"
    else:
        said = f"no answer: {type(error).__name__}: {error}"
    return said[:_LONGEST_REASON]


class _Failures:
    """Counts a judge's failures over all threads, and gives up when the first twenty verdicts all fail."""

    def __init__(self, judge: str) -> None:
        self._judge = judge
        self._lock = threading.Lock()
        self._failed = 0
        self._any_worked = False
        self._last = ""

    def worked(self) -> None:
        with self._lock:
            self._any_worked = True

    def count(self, reason: str) -> None:
        with self._lock:
            self._failed += 1
            self._last = reason
        self.check()

    def check(self) -> None:
        """Raise SuiteError when the judge is given up."""
        with self._lock:
            if self._any_worked or self._failed < GIVE_UP_AFTER:
                return
            last = self._last
        raise SuiteError(
            f"the judge {self._judge} failed in each of the first {GIVE_UP_AFTER} verdicts; the last time: {last}",
            next_step="The answers are in the cache. Mend the judge (key, server, model name) or name another, "
            "and run the same command again.",
        )
