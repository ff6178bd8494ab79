"""The engine that judges: every pair in every order by every judge, each question asked once and kept.

A verdict comes from the run's ledger, else from the verdict cache, else the judge is asked. Judging goes in an order
drawn beforehand; several processes with the same ledger share the work, and what each of them ends with follows from
the ledger alone.
"""

from collections.abc import Sequence

from alpaca_eval_suite.judge.asking import Run
from alpaca_eval_suite.judge.cache import VerdictCache
from alpaca_eval_suite.judge.combined import Combine
from alpaca_eval_suite.judge.judged import Judged, Watch
from alpaca_eval_suite.judge.pairs import Pair
from alpaca_eval_suite.judge.schema import Orders
from alpaca_eval_suite.judge.work import Judge, plan_work
from alpaca_eval_suite.models.ledger import Ledger


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
