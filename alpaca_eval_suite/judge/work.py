"""What is to be judged: each pair in each order by each judge is a task; tasks with the same question share a call."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from alpaca_eval_suite.judge.builtin import VERSION
from alpaca_eval_suite.judge.cache import call_key
from alpaca_eval_suite.judge.contracts import Asker, Question, Reply
from alpaca_eval_suite.judge.orders import orders_of
from alpaca_eval_suite.judge.pairs import Pair
from alpaca_eval_suite.judge.question import ask
from alpaca_eval_suite.judge.reply import VerdictError
from alpaca_eval_suite.judge.schema import JudgeSpec, Orders, judge_hash
from alpaca_eval_suite.models.endpoint import Price
from alpaca_eval_suite.models.prices import cost_of, worst_cost
from alpaca_eval_suite.models.request import GenerationRequest
from alpaca_eval_suite.stats.sequential import drawn_order
from alpaca_eval_suite.types import Order, Preference


@dataclass(frozen=True)
class Judge:
    """Who judges. `asker` is None for a program of ours; `price` None where nobody knows what an answer costs."""

    spec: JudgeSpec
    asker: Asker | None = None
    price: Price | None = None

    @property
    def name(self) -> str:
        """As it stands in preferences.jsonl."""
        return self.spec.name

    @property
    def identity(self) -> Mapping[str, Any]:
        """What changes an answer beside the request."""
        return self.asker.identity if self.asker else {"builtin": self.spec.model, "version": VERSION}

    @cached_property
    def hash(self) -> str:
        """64 hex digits over everything that changes a verdict."""
        return judge_hash(self.spec, self.identity)

    @property
    def free(self) -> bool:
        """Whether answers cost nothing, as far as is known."""
        return self.price is None or not (self.price.input or self.price.output)

    def worst_cost(self, request: GenerationRequest) -> float:
        """USD that the request cannot cost more than; 0 where no price is known."""
        return 0.0 if self.price is None or self.free else worst_cost(self.price, request)

    def cost(self, request: GenerationRequest, reply: Reply, *, batch: bool = False) -> float:
        """USD that the reply cost; 0 where no price is known."""
        if self.price is None or self.free:
            return 0.0
        tokens = (reply.prompt_tokens, reply.completion_tokens)
        return cost_of(self.price, *tokens, request, reply.text, batch=batch)


@dataclass(frozen=True, slots=True)
class Task:
    """One verdict to be had: of which pair and judge (their places), shown in which order."""

    pair: int
    judge: int
    order: Order


@dataclass(slots=True)
class Call:
    """One question, and all the tasks that its answer is a verdict for.

    `worst` is the most that it can cost in USD, 0 where no price is known. `attempt` counts the answers that could not
    be read and are asked for again.
    """

    key: str
    label: str
    worst: float
    tasks: list[Task] = field(default_factory=list)
    attempt: int = 0

    @property
    def judge(self) -> int:
        """The place of the judge who is asked."""
        return self.tasks[0].judge

    @property
    def ledger_key(self) -> str:
        """Under which the answer to this attempt stands in the ledger."""
        return attempt_key(self.key, self.attempt)


def attempt_key(key: str, attempt: int) -> str:
    """The ledger's key of one attempt at a call."""
    return f"{key}/{attempt}" if attempt else key


@dataclass(frozen=True)
class Work:
    """Everything to be judged. `ids` in the order in which they are judged, drawn by the seed before any verdict.

    `tasks` stand in the order of the pairs, `calls` in that of judging. `unaskable` says why a task has no question.
    """

    pairs: Sequence[Pair]
    judges: Sequence[Judge]
    seed: int
    ids: Sequence[str]
    tasks: Sequence[Task]
    calls: Mapping[str, Call]
    unaskable: Mapping[Task, str]

    def question(self, task: Task, limit: int | None = None) -> Question:
        """The task's question; not kept, because thousands of them fill the memory."""
        return ask(self.judges[task.judge].spec, self.pairs[task.pair].comparison, task.order, self.seed, limit)

    def preference(self, task: Task, win: float | None, reason: str) -> Preference:
        """The task's line of preferences.jsonl."""
        pair = self.pairs[task.pair]
        comparison = pair.comparison
        return Preference(
            id=pair.id,
            win=win,
            model=pair.model,
            baseline=pair.baseline,
            judge=self.judges[task.judge].name,
            scenario=pair.scenario,
            order=task.order,
            seed=self.seed,
            len_model=len(comparison.output),
            len_baseline=len(comparison.baseline_output),
            slices=comparison.instruction.slices,
            reason=reason,
        )


def plan_work(pairs: Sequence[Pair], judges: Sequence[Judge], *, orders: Orders | None, seed: int) -> Work:
    """The tasks and calls; `orders` None takes each judge's own. A program of ours judges a pair once.

    Raises ValueError where an id or a judge's name stands twice.
    """
    ids = [pair.id for pair in pairs]
    if len(set(ids)) < len(ids) or len({judge.name for judge in judges}) < len(judges):
        raise ValueError("each id and each judge's name may stand once")
    once: tuple[Order, ...] = ("single",)
    shown = [
        dict.fromkeys(ids, once) if judge.spec.is_builtin else orders_of(ids, orders or judge.spec.orders, seed)
        for judge in judges
    ]
    tasks = [
        Task(pair, judge, order)
        for pair, id_ in enumerate(ids)
        for judge in range(len(judges))
        for order in shown[judge][id_]
    ]
    drawn = drawn_order(ids, seed)
    place = {id_: number for number, id_ in enumerate(drawn)}
    calls: dict[str, Call] = {}
    unaskable: dict[Task, str] = {}
    for task in sorted(tasks, key=lambda one: place[ids[one.pair]]):
        judge = judges[task.judge]
        if judge.asker is None:
            continue
        try:
            question = ask(judge.spec, pairs[task.pair].comparison, task.order, seed)
        except VerdictError as error:
            unaskable[task] = str(error)
            continue
        key = call_key(judge.identity, question.request)
        if key not in calls:
            calls[key] = Call(key, question.label, judge.worst_cost(question.request))
        calls[key].tasks.append(task)
    return Work(pairs, judges, seed, drawn, tasks, calls, unaskable)
