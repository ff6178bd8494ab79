"""The files of OpenAI's batch API: requests as lines of JSON, answers as lines of JSON in any order."""

import json
from collections.abc import Mapping
from typing import Any

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.files import parse_rows
from alpaca_eval_suite.models.endpoint import Endpoint
from alpaca_eval_suite.models.endpoint_dialect import Dialect, DialectError, RemoteGeneration
from alpaca_eval_suite.models.endpoint_errors import Refusal, read_refusal
from alpaca_eval_suite.models.endpoint_state import known_of, place_of
from alpaca_eval_suite.models.request import GenerationRequest

MOST_REQUESTS = 50_000
MOST_BYTES = 200 * 10**6
# Requests without an answer when the time was up: they may be asked again.
_OUT_OF_TIME = ("batch_expired", "batch_cancelled", "request_timeout")

Bodies = Mapping[str, Mapping[str, Any]]
"""What is to be asked, by custom id: JSON as `Dialect.body` makes it."""

Answers = dict[str, RemoteGeneration | Refusal]


def bodies_of(endpoint: Endpoint, requests: Mapping[str, GenerationRequest]) -> dict[str, dict[str, Any]]:
    """The requests as JSON, without what the server is known to refuse. Raises UsageError as `Dialect.body` does."""
    dialect = _dialect(endpoint)
    return {key: dialect.body(request) for key, request in requests.items()}


def chunks(endpoint: Endpoint, bodies: Bodies) -> list[Bodies]:
    """The requests in as few batches as the service's limits allow, in their order."""
    parts: list[dict[str, Mapping[str, Any]]] = []
    size = 0
    for key, body in bodies.items():
        length = len(line_of(endpoint, key, body))
        if not parts or len(parts[-1]) == MOST_REQUESTS or size + length > MOST_BYTES:
            parts.append({})
            size = 0
        parts[-1][key] = body
        size += length
    return list(parts)


def api_path(endpoint: Endpoint) -> str:
    """The API that a batch is for, as the service names it."""
    path = "/chat/completions" if endpoint.api == "chat" else "/completions"
    return path if endpoint.kind == "azure" else f"/v1{path}"


def line_of(endpoint: Endpoint, key: str, body: Mapping[str, Any]) -> bytes:
    """One request, with the end of its line."""
    # Azure finds the deployment by the body, where a single request has it in its address.
    model = {"model": endpoint.deployment} if endpoint.kind == "azure" else {}
    line = {"custom_id": key, "method": "POST", "url": api_path(endpoint), "body": {**body, **model}}
    return json.dumps(line).encode() + b"\n"  # in ASCII: no character in it can be taken for the end of a line


def read_answers(endpoint: Endpoint, where: str, text: str, requests: Mapping[str, GenerationRequest]) -> Answers:
    """The answers and refusals in the text of a file, by custom id; lines of other requests are passed over.

    Raises SuiteError for a text that is cut off.
    """

    def cut_off(problem: SuiteError) -> None:
        raise SuiteError(
            f"its results did not come whole ({problem.what})",
            where=where,
            next_step="Run the same command again: the results stay at the service.",
        ) from problem

    dialect = _dialect(endpoint)
    lines = (line for _, line in parse_rows(where, text, cut_off))
    return {
        key: _answer(dialect, line, requests[key]) for line in lines if (key := str(line.get("custom_id"))) in requests
    }


def _answer(dialect: Dialect, line: Mapping[str, Any], request: GenerationRequest) -> RemoteGeneration | Refusal:
    response, error = line.get("response"), line.get("error")
    if isinstance(response, dict) and isinstance(status := response.get("status_code"), int) and status:
        body = response.get("body")
        if not 200 <= status < 300:
            return read_refusal(status, json.dumps(body), None)
        try:
            return dialect.read(body, request)
        except DialectError as problem:
            return Refusal(200, f"answered in another form than OpenAI's: {problem}")
    if not isinstance(error, dict):
        return Refusal(500, "neither an answer nor a reason")
    refusal = read_refusal(500, json.dumps({"error": error}), None)
    return Refusal(408, refusal.message, code=refusal.code) if refusal.code in _OUT_OF_TIME else refusal


def _dialect(endpoint: Endpoint) -> Dialect:
    return Dialect(endpoint, known_of(place_of(endpoint), endpoint.concurrency).refused)
