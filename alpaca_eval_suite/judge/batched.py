"""Questions sent by a service's batch API: half the price, answered within a day, taken up again after any end.

The ledger holds each batch's label before it is sent and its id after that, so that whoever comes later waits for the
same batch and pays for none twice.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING

from alpaca_eval_suite.errors import UsageError
from alpaca_eval_suite.judge.answers import Answer
from alpaca_eval_suite.judge.askers import EndpointAsker, reply_of
from alpaca_eval_suite.judge.work import Call
from alpaca_eval_suite.models import batch_api
from alpaca_eval_suite.models.batch_file import bodies_of, chunks
from alpaca_eval_suite.models.endpoint_dialect import RemoteGeneration
from alpaca_eval_suite.models.endpoint_errors import BlockedError, Refusal, explain
from alpaca_eval_suite.models.ledger import Claim
from alpaca_eval_suite.models.request import GenerationRequest, TooLongError

if TYPE_CHECKING:
    from alpaca_eval_suite.judge.asking import Run
    from alpaca_eval_suite.judge.lanes import Lane

POLL_S = 30.0
"""Between two looks at a batch."""

_AT_ONCE = 10_000  # claims, which are made in one piece
_SENT, _ID, _OVER = "batch", "batch_id", "batch_over"
"""Kinds of notes in the ledger: what was sent under which label, under which id, and that nothing more will come."""


async def ask_in_batches(run: "Run", lane: "Lane") -> None:
    """Have the lane's calls answered by batches; what those leave over stays in the lane, to be asked one by one.

    Raises UsageError for a judge whose model has no batch API, SuiteError where the service fails.
    """
    if not isinstance(lane.asker, EndpointAsker):
        raise UsageError(
            f"{lane.asker.name} has no batch API",
            where=f"judge {lane.judge.name}",
            next_step="Judge without --batch.",
        )
    for batch in run.ledger.notes(_SENT):
        if batch["judge"] == lane.judge.hash and batch["label"] not in run.ledger.notes(_OVER):
            await _take_up(run, lane, batch["label"], batch["keys"])
    # What the server refuses is learnt from one question, not from each line of a batch.
    while lane.todo and not lane.answered and not run.stopping:
        first = lane.todo.popleft()
        if run.ledger.claim([Claim(first.ledger_key, first.worst)], run.cap):
            await run.answer(lane, first)
        elif not run.take_others(first):
            lane.held.append(first)
    calls = _claim(run, lane)
    if not calls:
        return
    requests = {call.ledger_key: run.work.question(call.tasks[0]).request for call in calls}
    by_key = {call.ledger_key: call for call in calls}
    endpoint = lane.asker.endpoint
    try:
        for part in chunks(endpoint, bodies_of(endpoint, requests)):
            label = f"judge-{secrets.token_hex(8)}"
            for key in part:
                run.ledger.sent(key)
            run.ledger.note(_SENT, {"label": label, "judge": lane.judge.hash, "keys": list(part)})
            batch_id = await batch_api.submit(lane.asker.client, part, label=label)
            run.ledger.note(_ID, {"label": label, "id": batch_id})
            await _collect(run, lane, label, batch_id, {key: by_key.pop(key) for key in part})
    finally:
        run.ledger.release(list(by_key))


def _claim(run: "Run", lane: "Lane") -> deque[Call]:
    """All calls that can be had, at the batch's price."""
    price = lane.judge.price
    share = 1.0 if price is None else 1 - price.batch_discount
    calls: deque[Call] = deque()
    left: deque[Call] = deque()
    while lane.todo:
        window = [lane.todo.popleft() for _ in range(min(_AT_ONCE, len(lane.todo)))]
        got = set(run.ledger.claim([Claim(call.ledger_key, call.worst * share) for call in window], run.cap))
        calls.extend(call for call in window if call.ledger_key in got)
        left.extend(call for call in window if call.ledger_key not in got and not run.take_others(call))
    lane.todo = left
    return calls


async def _take_up(run: "Run", lane: "Lane", label: str, keys: list[str]) -> None:
    """Wait for a batch that was sent before: by its sender, as long as that lives, else by ourselves."""
    assert isinstance(lane.asker, EndpointAsker)
    calls = {call.ledger_key: call for call in lane.todo if call.ledger_key in set(keys)}
    while label not in run.ledger.notes(_OVER):
        run.ledger.refresh()
        lost = run.ledger.lost
        if any(key in lost for key in keys):
            ids = {note["label"]: note["id"] for note in run.ledger.notes(_ID)}
            batch_id = ids.get(label) or await batch_api.find(lane.asker.client, label)
            lane.todo = deque(call for call in lane.todo if call.ledger_key not in calls)
            if batch_id is None:  # killed before it was sent
                run.ledger.note(_OVER, label)
                lane.todo.extendleft(reversed(calls.values()))
            else:
                await _collect(run, lane, label, batch_id, calls)
            return
        if all(key in run.ledger.values for key in keys):
            return
        await asyncio.sleep(min(POLL_S, 5.0))


async def _collect(run: "Run", lane: "Lane", label: str, batch_id: str, calls: Mapping[str, Call]) -> None:
    """Wait for the batch and keep its answers. What the service did not come to goes back into the lane."""
    assert isinstance(lane.asker, EndpointAsker)
    client = lane.asker.client
    requests: dict[str, GenerationRequest] = {
        key: run.work.question(call.tasks[0]).request for key, call in calls.items()
    }
    while (await batch_api.poll(client, batch_id)).running:
        await asyncio.sleep(POLL_S)
    try:
        answers = await batch_api.results(client, batch_id, requests)
    except batch_api.BatchFailedError as error:
        for key in calls:
            run.ledger.fail(key, str(error))
        run.ledger.note(_OVER, label)
        raise
    for key, call in calls.items():
        if run.take_others(call):
            continue
        answer = answers.get(key)
        if isinstance(answer, RemoteGeneration):
            question = run.work.question(call.tasks[0])
            run.take_reply(lane.judge, call, question, reply_of(answer), batch=True)
        elif answer is None or answer.passing:
            run.ledger.fail(key, "the batch ended before this question was answered")
            lane.todo.append(call)
        else:
            _refused(run, lane, call, answer)
    run.ledger.note(_OVER, label)


def _refused(run: "Run", lane: "Lane", call: Call, refusal: Refusal) -> None:
    assert isinstance(lane.asker, EndpointAsker)
    error = explain(lane.asker.endpoint, refusal)
    if refusal.status == 200:  # charged like any answer
        run.keep(call, Answer(call.label, refused=refusal.message, cost=call.worst))
    elif isinstance(error, TooLongError | BlockedError):
        run.keep(call, Answer(call.label, refused=error.one_line))
    else:
        run.ledger.fail(call.ledger_key, str(error))
        run.settling.settle_silent(call, error)
