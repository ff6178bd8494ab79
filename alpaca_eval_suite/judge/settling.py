"""The verdicts of a run as they become known, from wherever they come: ledger, cache, an answer just now."""

from collections.abc import Mapping, Sequence
from typing import Literal

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.judge.answers import Answer, Outcome, line_of
from alpaca_eval_suite.judge.builtin_judges import builtin_verdict
from alpaca_eval_suite.judge.combined import Combine
from alpaca_eval_suite.judge.contracts import Ruling
from alpaca_eval_suite.judge.judged import Judged, Stopped, Tally
from alpaca_eval_suite.judge.running import RunningRate
from alpaca_eval_suite.judge.work import Call, Task, Work, attempt_key
from alpaca_eval_suite.models.ledger import Ledger
from alpaca_eval_suite.stats.sequential import Sequential
from alpaca_eval_suite.types import Preference

GIVE_UP_AFTER = 20
"""When so many first verdicts of a judge fail, and none worked, something is wrong with it."""

Source = Literal["cached", "kept", "asked", "others"]
_LONGEST_EXAMPLE = 400


class Settling:
    """What is known of each task. Each is settled once."""

    def __init__(self, work: Work, ledger: Ledger, combine: Combine) -> None:
        self.work = work
        self.ledger = ledger
        self.tallies = {judge.name: Tally() for judge in work.judges}
        self.no_answer = 0
        self.running = RunningRate(
            work.ids, (work.pairs[task.pair].id for task in work.tasks), seed=work.seed, combine=combine
        )
        self._preferences: dict[Task, Preference] = {}
        self._places = {task: place for place, task in enumerate(work.tasks)}
        self._examples: dict[str, str] = {}

    @property
    def done(self) -> int:
        """How many tasks are settled."""
        return len(self._preferences)

    def is_settled(self, call: Call) -> bool:
        """Whether the call needs no answer any more."""
        return call.tasks[0] in self._preferences

    def settle_without_asking(self) -> None:
        """Take what the programs of ours say, and the pairs about which a judge cannot be asked.

        Raises SuiteError where a program cannot judge an item.
        """
        for task in self.work.tasks:
            judge = self.work.judges[task.judge]
            if judge.asker is None:
                comparison = self.work.pairs[task.pair].comparison
                self._settle(task, builtin_verdict(str(judge.spec.model), comparison))
                self.tallies[judge.name].asked += 1
            elif task in self.work.unaskable:
                self._settle(task, Outcome(None, self.work.unaskable[task]))

    def last_answer(self, call: Call) -> Answer | None:
        """What the ledger holds of the call: its last attempt, which `call.attempt` is set to. None without any."""
        values, attempt = self.ledger.values, 0
        while attempt_key(call.key, attempt + 1) in values:
            attempt += 1
        key = attempt_key(call.key, attempt)
        if key not in values:
            return None
        call.attempt = attempt
        try:
            return Answer.from_json(values[key])
        except (KeyError, TypeError, AttributeError) as error:
            raise SuiteError(
                f"holds something else than answers of a judge ({error!r})",
                where=f"{self.ledger.folder}: key {key}",
                next_step="Was it made by another version? Give --out another name.",
            ) from error

    def read(self, call: Call, answer: Answer) -> list[Ruling | str]:
        """What the answer says to each task's judge, or why that is no verdict."""
        return [answer.read(self.work.judges[task.judge].spec) for task in call.tasks]

    def settle(
        self, call: Call, answer: Answer, source: Source, readings: Sequence[Ruling | str] | None = None
    ) -> None:
        """Take the answer, with its `readings` where they are known. Raises SuiteError when the judge is given up."""
        if self.is_settled(call):
            return
        for task, reading in zip(call.tasks, readings or self.read(call, answer), strict=True):
            judge = self.work.judges[task.judge]
            tally = self.tallies[judge.name]
            outcome = answer.outcome(reading, task.order)
            self._settle(task, outcome)
            setattr(tally, source, getattr(tally, source) + 1)
            if outcome.win is None:
                said = f" It said: {_shortened(answer.reply.text)}" if answer.reply else ""
                self._examples[judge.name] = f"{outcome.reason}.{said}"
        first = self.work.judges[call.judge]
        if (reply := answer.reply) is not None:
            tally = self.tallies[first.name]
            tally.cost += answer.cost
            tally.prompt_tokens += reply.prompt_tokens or 0
            tally.completion_tokens += reply.completion_tokens or 0
            tally.served[reply.served_id or ""] += 1
            tally.fallbacks.update(reply.fallbacks)
        for task in call.tasks:
            self._give_up(self.work.judges[task.judge].name)

    def settle_silent(self, call: Call, error: SuiteError) -> None:
        """No answer came; nothing of that is kept. Raises SuiteError when the judge is to be given up."""
        for task in call.tasks:
            name = self.work.judges[task.judge].name
            self._settle(task, Outcome(None, f"no answer: {error.what}"))
            self.tallies[name].silent += 1
            self.no_answer += 1
            self._examples[name] = error.one_line
            self._give_up(name)

    def lines(self, call: Call) -> list[dict[str, object]]:
        """The lines of preferences.jsonl that the call is for."""
        work = self.work
        return [line_of(work.preference(task, None, ""), self._places[task]) for task in call.tasks]

    def judged(self, stopped: Stopped, sequence: Sequential | None) -> Judged:
        """All that is settled of the ids that are judged wholly; up to the decision, where it is decided."""
        work = self.work
        ids = work.ids[: sequence.decided_at] if sequence else work.ids
        wanted = set(ids) - {work.pairs[task.pair].id for task in work.tasks if task not in self._preferences}
        found = [self._preferences[task] for task in work.tasks if work.pairs[task.pair].id in wanted]
        missing = [] if sequence else [call for call in work.calls.values() if not self.is_settled(call)]
        return Judged(
            work=work,
            preferences=found,
            hashes={judge.name: judge.hash for judge in work.judges},
            tallies=self.tallies,
            spent=self.ledger.spent,
            lost=sum(self.ledger.lost.values()),
            stopped=stopped,
            missing=missing,
            n_missing=len(work.tasks) - len(found),
            no_answer=self.no_answer,
            sequence=sequence,
            damaged=[str(problem) for problem in self.ledger.damaged],
        )

    def _settle(self, task: Task, outcome: Outcome) -> None:
        tally = self.tallies[self.work.judges[task.judge].name]
        if outcome.win is None:
            tally.failed += 1
        else:
            tally.readable += 1
        preference = self._preferences[task] = self.work.preference(task, *outcome)
        self.running.add(preference)

    def _give_up(self, name: str) -> None:
        tally = self.tallies[name]
        if tally.readable or tally.failed < GIVE_UP_AFTER or tally.silent >= tally.failed:
            return
        raise SuiteError(
            f"each of its first {tally.failed} verdicts failed; the last time: {self._examples[name]}",
            where=f"judge {name}",
            next_step=f"Its replies are kept in {self.ledger.folder}. Mend the judge, or name another; where they are "
            f"good and were read wrongly: alpaca-suite judge reparse {self.ledger.folder} --judge MENDED.yaml. "
            "To ask the same again: --retry-failed.",
        )


def all_read(readings: Sequence[Ruling | str]) -> bool:
    """Whether every task got its verdict."""
    return all(isinstance(reading, Ruling) for reading in readings)


def _shortened(text: str) -> str:
    said = " ".join(text.split())
    return repr(said if len(said) <= _LONGEST_EXAMPLE else said[:_LONGEST_EXAMPLE] + "…")


def source_counts(tallies: Mapping[str, Tally]) -> dict[Source, int]:
    """How many verdicts came from where, over all judges."""
    return {
        "cached": sum(tally.cached for tally in tallies.values()),
        "kept": sum(tally.kept for tally in tallies.values()),
        "asked": sum(tally.asked for tally in tallies.values()),
        "others": sum(tally.others for tally in tallies.values()),
    }
