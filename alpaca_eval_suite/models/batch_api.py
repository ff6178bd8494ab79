"""OpenAI's batch API: many requests at a lower price, answered within a day. Azure's is the same but for its paths.

    batch_id = await submit(client, bodies_of(endpoint, requests), label="judge-0f3a")
    while (await poll(client, batch_id)).running: ...
    answers = await results(client, batch_id, requests)

A batch lives at the service. Write its label down before `submit` and its id after it: a process that was killed in
between finds the batch by `find`, and pays for none twice. Ask one request by `client.complete` first: what the
server refuses is learnt by that one, not by every line of a batch.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.models.batch_file import (
    MOST_BYTES,
    MOST_REQUESTS,
    Answers,
    Bodies,
    api_path,
    line_of,
    read_answers,
)
from alpaca_eval_suite.models.endpoint_client import EndpointClient
from alpaca_eval_suite.models.endpoint_errors import LostAnswerError
from alpaca_eval_suite.models.request import GenerationRequest

if TYPE_CHECKING:
    from alpaca_eval_suite.models.endpoint_transport import Form

_RUNNING = ("validating", "in_progress", "finalizing", "cancelling")
_OVER = ("completed", "failed", "expired", "cancelled")
_FILE_WAIT, _FILE_LOOKS = 2.0, 150  # seconds between looks at an upload that the service still reads
_LOST_WAIT, _LOST_LOOKS = 2.0, 3  # the same for a batch that may have been made
_MOST_PAGES = 100


class BatchFailedError(SuiteError):
    """The service took none of a batch's requests; nothing was charged, and the batch can be forgotten."""


@dataclass(frozen=True)
class BatchState:
    """Where a batch stands: the service's word, and how many requests are answered, are there, and went wrong.

    `problems` says why it failed. `done` and `total` are 0 as long as the service has not counted.
    """

    status: str
    done: int
    total: int
    failed: int
    problems: tuple[str, ...] = ()

    @property
    def running(self) -> bool:
        """Whether there may be more answers later. When not, `results` has all that there will ever be."""
        return self.status in _RUNNING


async def submit(client: EndpointClient, bodies: Bodies, *, label: str | None = None) -> str:
    """Start one batch; its id. `label` names its file at the service, for `find`.

    Raises UsageError for no request or more than a batch holds, SuiteError where the service refuses. A connection
    that is lost while the batch is made is never answered by making a second one: the first is looked for, and where
    it is not there (yet), LostAnswerError says so.
    """
    label = label or secrets.token_hex(8)
    content = b"".join(line_of(client.endpoint, key, body) for key, body in bodies.items())
    if not 0 < len(bodies) <= MOST_REQUESTS or len(content) > MOST_BYTES:
        raise UsageError(
            f"a batch holds 1 to {MOST_REQUESTS:,} requests and {MOST_BYTES // 10**6} MB, not {len(bodies):,} and "
            f"{len(content) / 1e6:.1f} MB",
            where=_where(client, label),
        )
    form: Form = {"purpose": "batch", "file": (_file_name(label), content)}
    file_id = await _read_file(client, await client.request_json("POST", "/files", data=form))
    wanted = {"input_file_id": file_id, "endpoint": api_path(client.endpoint), "completion_window": "24h"}
    lost = LostAnswerError(
        "the connection was lost while it was made, and the service does not list it",
        where=_where(client, label),
        next_step="Run the same command again in a minute: if the batch is there by then, it is found.",
    )

    def in_doubt() -> None:
        raise lost

    try:
        batch = await client.request_json("POST", "/batches", json=wanted, in_doubt=in_doubt)
    except LostAnswerError:
        for _ in range(_LOST_LOOKS):
            if found := await _made_of(client, {file_id}):
                return found
            await asyncio.sleep(_LOST_WAIT)
        raise lost from None
    return _text(client, batch, "id")


async def find(client: EndpointClient, label: str) -> str | None:
    """The id of the batch that was made with this label and did not fail; None where there is none."""
    name = _file_name(label)
    files = {file["id"] async for file in _listed(client, "/files?purpose=batch") if file.get("filename") == name}
    return await _made_of(client, files) if files else None


async def _made_of(client: EndpointClient, files: Set[str]) -> str | None:
    """The id of a batch of one of these files that did not fail."""
    async for batch in _listed(client, "/batches?limit=100"):
        if batch.get("input_file_id") in files and str(batch.get("status")).lower() != "failed":
            return _text(client, batch, "id")
    return None


async def poll(client: EndpointClient, batch_id: str) -> BatchState:
    """Where the batch stands; once a minute is often enough. Raises SuiteError where the service does not know it."""
    return _state(client, await client.request_json("GET", f"/batches/{batch_id}"))


async def cancel(client: EndpointClient, batch_id: str) -> BatchState:
    """Stop the batch; what is answered by then is kept and charged, and `results` has it when it has stopped."""
    return _state(client, await client.request_json("POST", f"/batches/{batch_id}/cancel"))


async def results(client: EndpointClient, batch_id: str, requests: Mapping[str, GenerationRequest]) -> Answers:
    """What came of each of the requests, by custom id.

    Requests without a line are missing: the service never came to them, and they may be asked again. So may those
    whose Refusal is `passing` (a batch that expired or was cancelled says so line by line). A Refusal with status 200
    is an answer, charged like any, in another form than OpenAI's. Lines of other requests are passed over.

    Raises BatchFailedError where the batch was refused as a whole, SuiteError where it still runs or is cut off.
    """
    batch = await client.request_json("GET", f"/batches/{batch_id}")
    state = _state(client, batch)
    where = _where(client, batch_id)
    if state.running:
        raise SuiteError(
            f"is not ready ({state.status}, {state.done} of {state.total} answered)",
            where=where,
            next_step="Run the same command again later: it goes on with this batch.",
        )
    if state.status == "failed":
        raise BatchFailedError(
            f"was refused by the service ({'; '.join(state.problems) or 'it does not say why'})",
            where=where,
            next_step="Nothing was charged. Where too many tokens wait already, send it again when other batches "
            "are through; else judge without --batch.",
        )
    answers: Answers = {}
    # Last the answers: where a request has a line in both files, that counts.
    for key in ("error_file_id", "output_file_id"):
        if file_id := batch.get(key):
            content = await client.request_bytes("GET", f"/files/{file_id}/content")
            answers |= read_answers(client.endpoint, where, content.decode("utf-8", "replace"), requests)
    return answers


async def _read_file(client: EndpointClient, file: Any) -> str:
    """The id of an uploaded file, once the service has read it: Azure makes no batch of one before."""
    file_id = _text(client, file, "id")
    for _ in range(_FILE_LOOKS):
        status = str(file.get("status", "processed")).lower()
        if status in ("error", "failed"):
            raise SuiteError(
                f"could not read the requests ({file.get('status_details') or 'it does not say why'})",
                where=_where(client, file_id),
                next_step="Run the same command again; if it stays so, judge without --batch.",
            )
        if status not in ("pending", "running", "notrunning"):
            break
        await asyncio.sleep(_FILE_WAIT)
        file = await client.request_json("GET", f"/files/{file_id}")
    return file_id


async def _listed(client: EndpointClient, path: str) -> AsyncIterator[Mapping[str, Any]]:
    """The objects of a list that comes in pages."""
    after = ""
    for _ in range(_MOST_PAGES):
        page = await client.request_json("GET", path + after)
        rows = page.get("data") if isinstance(page, dict) else None
        if not isinstance(rows, list):
            raise _another_form(client, path)
        for row in rows:
            yield row
        if not (rows and page.get("has_more")):
            return
        after = f"&after={rows[-1]['id']}"


def _state(client: EndpointClient, batch: Any) -> BatchState:
    status = _text(client, batch, "status").lower()  # Azure's begins with a capital
    if status not in (*_RUNNING, *_OVER):
        raise _another_form(client, f"a batch with the status {status!r}")
    counts = batch.get("request_counts") or {}
    done, total, failed = (int(counts.get(name) or 0) for name in ("completed", "total", "failed"))
    found = (batch.get("errors") or {}).get("data") or ()
    return BatchState(status, done, total, failed, tuple(str(item.get("message") or item) for item in found))


def _text(client: EndpointClient, payload: Any, key: str) -> str:
    value = payload.get(key) if isinstance(payload, dict) else None
    if not value or not isinstance(value, str):
        raise _another_form(client, f"no {key}")
    return value


def _another_form(client: EndpointClient, what: str) -> SuiteError:
    return SuiteError(
        f"answered in another form than OpenAI's batch API ({what})",
        where=f"endpoint {client.endpoint.name}",
        next_step="The server may have no batch API: judge without --batch.",
    )


def _where(client: EndpointClient, name: str) -> str:
    return f"endpoint {client.endpoint.name}: batch {name}"


def _file_name(label: str) -> str:
    return f"alpaca-{label}.jsonl"
