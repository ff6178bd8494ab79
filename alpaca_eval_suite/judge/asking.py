"""How the questions of a run are asked: claimed in the ledger ahead, many at a time, the money watched, all kept."""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from time import monotonic
from typing import Any

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.judge.answers import Answer
from alpaca_eval_suite.judge.cache import Entry, VerdictCache, call_key
from alpaca_eval_suite.judge.combined import Combine
from alpaca_eval_suite.judge.contracts import Question, Reply, Ruling
from alpaca_eval_suite.judge.judged import Judged, Progress, Stopped, Watch
from alpaca_eval_suite.judge.lanes import Lane
from alpaca_eval_suite.judge.question import shorter
from alpaca_eval_suite.judge.settling import GIVE_UP_AFTER, Settling, all_read, source_counts
from alpaca_eval_suite.judge.work import Call, Judge, Work
from alpaca_eval_suite.models.endpoint_errors import BlockedError, LostAnswerError
from alpaca_eval_suite.models.ledger import BudgetExhausted, ClaimLost, Ledger
from alpaca_eval_suite.models.request import TooLongError
from alpaca_eval_suite.stats.sequential import Sequential

_POLL = 0.2  # seconds between looks at what other processes do
_TICK = 0.25  # seconds between reports
_GRACE = 10.0  # seconds for questions on the way when a run ends in an error: their answers may be paid
_KNOWN_AT_ONCE = 5_000


class Run:
    """One process's part of judging; see `engine.judge_pairs` for what its arguments mean."""

    def __init__(
        self,
        work: Work,
        ledger: Ledger,
        cache: VerdictCache | None,
        *,
        cap: float | None,
        concurrency: int | None,
        combine: Combine,
        stop_when_decided: bool,
        watch: Watch | None,
    ) -> None:
        self.work = work
        self.ledger = ledger
        self.settling = Settling(work, ledger, combine)
        self.cap = cap
        self.error: BaseException | None = None
        self._cache = cache
        self._concurrency = concurrency
        self._stop_when_decided = stop_when_decided
        self._watch = watch
        self._lanes: list[Lane] = []
        self._stop = asyncio.Event()
        self._entries: dict[str, Entry] = {}
        self._sequence: Sequential | None = None
        self._next_look = 0.0

    @property
    def stopping(self) -> bool:
        """Whether nothing new is to be asked."""
        return self._stop.is_set()

    def take_what_is_known(self, retry_failed: bool) -> None:
        """Settle what needs no question: programs of ours, the ledger, the cache. The rest is put into lanes.

        Raises SuiteError as `Settling` does.
        """
        self.settling.settle_without_asking()
        todo: list[Call] = []
        for call in self.work.calls.values():
            answer = self.settling.last_answer(call)
            if answer is None:
                todo.append(call)
                continue
            readings = self.settling.read(call, answer)
            if retry_failed and not all_read(readings):
                call.attempt += 1
                todo.append(call)
            else:
                self.settling.settle(call, answer, "kept", readings)
        if self._cache is not None:
            self._take_cached([call for call in todo if not call.attempt], self._cache)
        for place, judge in enumerate(self.work.judges):
            calls = deque(call for call in todo if call.judge == place and not self.settling.is_settled(call))
            if judge.asker is not None and calls:
                most = min(judge.asker.concurrency, self._concurrency or judge.asker.concurrency)
                self._lanes.append(Lane(judge, judge.asker, most, calls))

    def _take_cached(self, calls: list[Call], cache: VerdictCache) -> None:
        for start in range(0, len(calls), _KNOWN_AT_ONCE):
            some = calls[start : start + _KNOWN_AT_ONCE]
            found = cache.get_many([call.key for call in some])
            for call in some:
                if (reply := found.get(call.key)) is None:
                    continue
                cost = self._known_cost(call, reply)
                answer = Answer(call.label, reply, cost=cost, lines=self.settling.lines(call))
                readings = self.settling.read(call, answer)
                if all_read(readings):
                    # In the ledger too: it is then whole, whatever becomes of the cache.
                    self.ledger.record(call.key, answer.as_json(), cost, paid=False)
                    self.settling.settle(call, answer, "cached", readings)

    def _known_cost(self, call: Call, reply: Reply) -> float:
        """What the reply cost when it was asked for."""
        judge = self.work.judges[call.judge]
        return 0.0 if judge.free else judge.cost(self.work.question(call.tasks[0]).request, reply)

    async def ask_the_rest(self, batch: bool) -> None:
        """Ask until everything is answered or something stops it. Raises SuiteError where that is an error."""
        reporter = asyncio.create_task(self._report())
        tasks = [asyncio.create_task(self._run_lane(lane, batch)) for lane in self._lanes]
        try:
            if tasks:
                stopped = asyncio.create_task(self._stop.wait())
                whole = asyncio.create_task(asyncio.wait(tasks))
                ends: list[asyncio.Task[Any]] = [whole, stopped]
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
                whole.cancel()
                stopped.cancel()
                # What is on the way may be paid for already.
                await asyncio.wait(tasks, timeout=None if self.error is None else _GRACE)
        finally:
            reporter.cancel()
            for task in tasks:
                task.cancel()
            await asyncio.gather(reporter, *tasks, return_exceptions=True)
            self._put_entries()
            self.ledger.release([call.ledger_key for lane in self._lanes for call in lane.claimed])
        if self.error is not None:
            raise self.error
        self._next_look = 0.0
        await self._look()
        self._tell()

    def judged(self) -> Judged:
        """What came of it, with all that other processes have got by now."""
        self.ledger.refresh()
        for call in self.work.calls.values():
            if not self.settling.is_settled(call):
                self.take_others(call)
        decided = None
        if self._stop_when_decided:
            running = self.settling.running
            sequence = running.sequence(running.values())
            decided = sequence if sequence.decided_at is not None else None
        short = any(lane.short for lane in self._lanes)
        stopped: Stopped = "decided" if decided else "budget" if short else ""
        return self.settling.judged(stopped, decided)

    async def _run_lane(self, lane: Lane, batch: bool) -> None:
        try:
            if batch:
                from alpaca_eval_suite.judge.batched import ask_in_batches

                await ask_in_batches(self, lane)
            while not self.stopping:
                self._claim(lane)
                if lane.claimed:
                    await asyncio.gather(*[self._work_off(lane) for _ in range(lane.concurrency)])
                elif not lane.held and (lane.short or not lane.todo):
                    return
                elif lane.short:
                    if not self.ledger.reserved:
                        return
                    await asyncio.sleep(_POLL)
                    self.ledger.refresh()
                    lane.held = [call for call in lane.held if not self.take_others(call)]
                else:
                    await asyncio.sleep(_POLL)
                    lane.put_back()
        except Exception as error:  # the first one ends all lanes; `ask_the_rest` raises it
            self.fail(error)

    async def _work_off(self, lane: Lane) -> None:
        try:
            while not self.stopping:
                if not lane.claimed:
                    self._claim(lane)
                if not lane.claimed:
                    return
                await self.answer(lane, lane.claimed.popleft())
        except Exception as error:  # not raised, so that the others' answers on the way are waited for
            self.fail(error)

    def _claim(self, lane: Lane) -> None:
        """Claim the next calls, as many as may be open at once. Those of others are settled, or put aside."""
        lane.claim(self.ledger, self.cap, self.take_others)

    def take_others(self, call: Call) -> bool:
        """Settle the call where another process has got its answer; whether it has."""
        if call.ledger_key not in self.ledger.values:
            return False
        answer = self.settling.last_answer(call)
        assert answer is not None
        self.settling.settle(call, answer, "others")
        return True

    async def answer(self, lane: Lane, call: Call) -> None:
        """Ask one claimed call and keep what comes of it. Raises SuiteError where it is of no use to go on."""
        key = call.ledger_key
        question = self.work.question(call.tasks[0])
        try:
            self.ledger.sent(key)
            reply, question = await self._ask(lane, call, question)
        except ClaimLost:
            lane.held.append(call)
        except BudgetExhausted:
            lane.todo.appendleft(call)  # what others have reserved may come back; else claiming finds that it is over
        except (TooLongError, BlockedError) as error:
            self.keep(call, Answer(question.label, refused=error.one_line))
        except LostAnswerError as error:
            with suppress(BudgetExhausted, ClaimLost):
                self.ledger.doubt(key)  # the last attempt too may have been charged
                self.ledger.fail(key, str(error))
            self._no_answer(lane, call, error)
        except SuiteError as error:
            self.ledger.fail(key, str(error))
            self._no_answer(lane, call, error)
        else:
            lane.answered += 1
            lane.silent = 0
            self.take_reply(lane.judge, call, question, reply)

    def take_reply(self, judge: Judge, call: Call, question: Question, reply: Reply, *, batch: bool = False) -> None:
        """Keep a reply and take it as a verdict; into the cache goes what could be read."""
        cost = judge.cost(question.request, reply, batch=batch)
        answer = Answer(question.label, reply, kept=question.kept, cost=cost)
        readings = self.settling.read(call, answer)
        if self._cache is not None and all_read(readings) and isinstance(ruling := readings[0], Ruling):
            key = call.key if question.kept is None else call_key(judge.identity, question.request)
            paid = None if judge.price is None else cost
            self._entries[key] = Entry(reply, ruling, judge.name, judge.hash, paid)
        self.keep(call, answer, readings)

    def keep(self, call: Call, answer: Answer, readings: Sequence[Ruling | str] | None = None) -> None:
        """Write an answer into the ledger, then take it. Raises SuiteError when the judge is to be given up."""
        lines = self.settling.lines(call)
        self.ledger.record(call.ledger_key, {**answer.as_json(), "lines": lines}, answer.cost)
        self.settling.settle(call, answer, "asked", readings)

    def fail(self, error: BaseException) -> None:
        """Stop everything because of an error, the first of which counts."""
        self.error = self.error or error
        self._stop.set()

    async def _ask(self, lane: Lane, call: Call, question: Question) -> tuple[Reply, Question]:
        """The reply, and the question that it answers: with shorter outputs where the judge cuts what is too long."""

        def in_doubt() -> None:
            self.ledger.doubt(call.ledger_key)

        try:
            return await lane.asker.ask(question.request, in_doubt=in_doubt), question
        except TooLongError:
            if lane.judge.spec.too_long != "cut":
                raise
        for cut in shorter(question, lambda limit: self.work.question(call.tasks[0], limit)):
            if self._cache is not None:
                key = call_key(lane.judge.identity, cut.request)
                if (known := self._cache.get_many([key]).get(key)) is not None:
                    return known, cut
            with suppress(TooLongError):
                return await lane.asker.ask(cut.request, in_doubt=in_doubt), cut
        raise AssertionError("`shorter` raises where nothing fits")

    def _no_answer(self, lane: Lane, call: Call, error: SuiteError) -> None:
        """A question that failed is one failure; when nothing was ever answered, or nothing is any more, it is more."""
        lane.silent += len(call.tasks)
        if isinstance(error, UsageError) or not lane.answered or lane.silent >= GIVE_UP_AFTER:
            raise error
        self.settling.settle_silent(call, error)

    async def _report(self) -> None:
        """A few times a second: put what is new into the cache, say how it stands, look whether it is decided."""
        try:
            while True:
                await asyncio.sleep(_TICK)
                await asyncio.to_thread(self._put_entries)
                await self._look()
                self._tell()
        except Exception as error:  # of whoever watches; the run must not go on unseen
            self.fail(error)

    async def _look(self) -> None:
        """Compute the sequence anew, at most a tenth of the time."""
        running = self.settling.running
        seen = len(self._sequence.looks) if self._sequence else 0
        wanted = self._watch is not None or self._stop_when_decided
        if not wanted or running.prefix == seen or monotonic() < self._next_look:
            return
        began = monotonic()
        self._sequence = await asyncio.to_thread(running.sequence, running.values())
        self._next_look = monotonic() + 10 * (monotonic() - began)
        if self._stop_when_decided and self._sequence.decided_at is not None:
            self._stop.set()

    def _tell(self) -> None:
        if self._watch is None:
            return
        counts = source_counts(self.settling.tallies)
        self._watch(
            Progress(
                done=self.settling.done,
                total=len(self.work.tasks),
                ready=counts["cached"] + counts["kept"],
                failed=sum(tally.failed for tally in self.settling.tallies.values()),
                spent=self.ledger.spent,
                cap=self.cap,
                sequence=self._sequence,
            )
        )

    def _put_entries(self) -> None:
        if self._cache is not None and self._entries:
            entries, self._entries = self._entries, {}
            self._cache.put_many(entries)
