"""The engine that judges: every pair in every order by every judge, each question asked once and kept.

A verdict comes from the run's ledger, else from the verdict cache, else the judge is asked. Judging goes in an order
drawn beforehand; several processes with the same ledger share the work, and what each of them ends with follows from
the ledger alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from alpaca_eval_suite.judge.answers import Answer
from alpaca_eval_suite.judge.asking import Run
from alpaca_eval_suite.judge.builtin_judges import builtin_verdict
from alpaca_eval_suite.judge.cache import Entry, VerdictCache, call_key
from alpaca_eval_suite.judge.combined import Combine
from alpaca_eval_suite.judge.contracts import Reply, win_of
from alpaca_eval_suite.judge.judged import Judged, Watch
from alpaca_eval_suite.judge.pairs import Pair
from alpaca_eval_suite.judge.question import ask
from alpaca_eval_suite.judge.reply import VerdictError
from alpaca_eval_suite.judge.schema import Orders
from alpaca_eval_suite.judge.work import Judge, plan_work
from alpaca_eval_suite.models.endpoint_errors import BlockedError
from alpaca_eval_suite.models.ledger import Ledger
from alpaca_eval_suite.models.request import TooLongError
from alpaca_eval_suite.types import Comparison, Order


async def judge_pairs(
    pairs: Sequence[Pair],
    judges: Sequence[Judge],
    *,
    ledger: Ledger,
    cache: VerdictCache | None = None,
    orders: Orders | None = None,
    seed: int = 0,
    cap: float | None = None,
    concurrency: int | None = None,
    retry_failed: bool = False,
    stop_when_decided: bool = False,
    combine: Combine = "mean",
    batch: bool = False,
    watch: Watch | None = None,
) -> Judged:
    """The verdicts of all `judges` on all `pairs`, in the order of the pairs.

    `orders` None takes each judge's own. `cap`: the most in USD that the ledger may come to, lost and open requests
    at their worst; when it is used up, what is done comes back, and `Judged.stopped` says so. `retry_failed` asks
    again where a reply is kept that cannot be read. `stop_when_decided` ends as soon as the confidence sequence of
    the rate leaves out 0.5. `concurrency` lowers that of the askers. `batch` uses the services' batch API.

    Raises SuiteError as soon as a judge cannot be asked at all (wrong key, unknown model, no network), and when its
    first twenty verdicts all fail. When it is cancelled, or raises, everything that was answered is in the ledger.
    """
    work = plan_work(pairs, judges, orders=orders, seed=seed)
    run = Run(work, ledger, cache, cap=cap, concurrency=concurrency, combine=combine,
              stop_when_decided=stop_when_decided, watch=watch)  # fmt: skip
    run.take_what_is_known(retry_failed)
    await run.ask_the_rest(batch)
    return run.judged()


@dataclass(frozen=True)
class Verdict:
    """One verdict: the model's win, None where the judge failed, which `reason` then explains.

    `reply` is what the judge said, where it said anything; `cached` where that was known already.
    """

    win: float | None
    reason: str
    reply: Reply | None = None
    cached: bool = False


async def verdict(
    judge: Judge, comparison: Comparison, order: Order, seed: int = 0, *, cache: VerdictCache | None = None
) -> Verdict:
    """What the judge says of one pair, shown in one order. Only the cache keeps it.

    Raises SuiteError where the judge cannot be asked; a pair that it cannot be asked about is a failed verdict.
    """
    if judge.asker is None:
        return Verdict(*builtin_verdict(str(judge.spec.model), comparison))
    try:
        question = ask(judge.spec, comparison, order, seed)
        key = call_key(judge.identity, question.request)
        reply = cache.get_many([key]).get(key) if cache else None
        cached = reply is not None
        reply = reply or await judge.asker.ask(question.request)
    except (VerdictError, TooLongError, BlockedError) as error:
        return Verdict(None, str(error))
    try:
        ruling = Answer(question.label, reply).ruling(judge.spec)
    except VerdictError as error:
        return Verdict(None, str(error), reply, cached)
    if cache and not cached:
        paid = None if judge.price is None else judge.cost(question.request, reply)
        cache.put_many({key: Entry(reply, ruling, judge.name, judge.hash, paid)})
    return Verdict(win_of(ruling, order), ruling.reason, reply, cached)
