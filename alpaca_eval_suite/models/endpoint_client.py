"""A client for one endpoint: one request in, one answer out, over HTTP.

    client = EndpointClient(find_endpoint("judge"))
    answer = await client.complete(GenerationRequest("The capital of Tanzania is", max_tokens=8))

What a server refuses, and how much it takes at a time, is learnt once for all clients of the process (endpoint_state).
Proxies (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY) and certificates (SSL_CERT_FILE, SSL_CERT_DIR) are taken from
the environment; this machine's own servers are never asked through a proxy.
"""

import asyncio
import email.utils
import json
import random
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.models.endpoint import Endpoint, read_key
from alpaca_eval_suite.models.endpoint_dialect import Dialect, DialectError, RemoteGeneration
from alpaca_eval_suite.models.endpoint_errors import (
    LostAnswerError,
    PassingError,
    Refusal,
    explain,
    looks_like_html,
    read_refusal,
    where_of,
)
from alpaca_eval_suite.models.endpoint_state import Known, known_of, place_of
from alpaca_eval_suite.models.limiter import Sleep
from alpaca_eval_suite.models.request import GenerationRequest
from alpaca_eval_suite.offline import refuse_outside

if TYPE_CHECKING:
    from alpaca_eval_suite.models.endpoint_transport import Form, Response

T = TypeVar("T")

_LONGEST_WAIT = 120.0  # seconds that a server may ask for; beyond, a person should know
_FIRST_BACKOFF, _LONGEST_BACKOFF = 0.5, 20.0  # seconds

Notice = Callable[[str], None]
"""Told, once each, of what a server refused and what is done in its place."""

InDoubt = Callable[[], None]
"""Called before a request is sent again that the server may have answered and charged for; what it raises goes on."""


class EndpointClient:
    """Asks one endpoint; one object may serve many tasks, on any event loop.

    `notice` is told of fallbacks, `sleep` waits between tries. Raises UsageError where the key is missing, SuiteError
    where the proxy or the certificates that the environment names cannot be used.
    """

    def __init__(self, endpoint: Endpoint, *, notice: Notice = lambda _: None, sleep: Sleep = asyncio.sleep) -> None:
        from alpaca_eval_suite.models.endpoint_transport import Transport

        self.endpoint = endpoint
        self._notice = notice
        self._noticed: set[str] = set()
        self._sleep = sleep
        self._key = read_key(endpoint)
        self._transport = Transport(endpoint, self._key)
        self._place = place_of(endpoint)
        self._url = endpoint.url
        self._where = where_of(endpoint)

    async def close(self) -> None:
        """Close its connections on the running loop."""
        await self._transport.close()

    async def complete(self, request: GenerationRequest, *, in_doubt: InDoubt | None = None) -> RemoteGeneration:
        """The answer to one request; what a server refuses is left out or asked for in another way, and said.

        Raises TooLongError or BlockedError where only this request has no answer, UsageError for a request that no
        endpoint can take, LostAnswerError where the server may have answered and charged but the answer was lost each
        time, SuiteError for everything else: a wrong key, model or address, a server that keeps failing.
        """
        dialect = Dialect(self.endpoint, self._known().refused)
        while True:
            body = dialect.body(request)
            content = json.dumps(body).encode()

            async def once(tries: int, content: bytes = content) -> Refusal | RemoteGeneration:
                response = await self._transport.exchange("POST", self._url, tries, content=content)
                refusal = self._refusal(response, tries, self._where)
                return refusal or self._read(dialect, self._json(response, self._where), request)

            result = await self._patiently(once, in_doubt)
            if isinstance(result, RemoteGeneration):
                for sentence in dialect.refusals(request):
                    self._tell(sentence)
                return result
            learnt = dialect.learn(result, request, body)
            if learnt is None:
                raise explain(self.endpoint, result)
            self._tell(learnt)

    async def request_json(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        data: "Form | None" = None,
        in_doubt: InDoubt | None = None,
    ) -> Any:
        """What another part of the server's API answers, such as ("GET", "/batches/batch_1"), as JSON.

        `json` is sent as it is, `data` as a form with files. Faults that pass are tried again, as in `complete`.
        """
        return await self._request(method, path, self._json, json, data, in_doubt)

    async def request_bytes(self, method: str, path: str) -> bytes:
        """The same as it came, such as ("GET", "/files/file_1/content")."""
        return await self._request(method, path, lambda response, _: response.content)

    async def _request(
        self,
        method: str,
        path: str,
        read: "Callable[[Response, str], T]",
        body: Any = None,
        form: "Form | None" = None,
        in_doubt: InDoubt | None = None,
    ) -> T:
        url = self._address(path)
        where = f"endpoint {self.endpoint.name} ({url})"
        content = None if body is None else json.dumps(body).encode()

        async def once(tries: int) -> T:
            response = await self._transport.exchange(method, url, tries, content=content, form=form)
            if refusal := self._refusal(response, tries, where):
                raise explain(self.endpoint, refusal, where=where)
            return read(response, where)

        return await self._patiently(once, in_doubt)

    def _address(self, path: str) -> str:
        """Azure's other parts lie beside its deployments and want a version too."""
        endpoint = self.endpoint
        if endpoint.kind != "azure":
            return endpoint.base + path
        version = f"{'&' if '?' in path else '?'}api-version={endpoint.api_version}"
        return endpoint.base.partition("/deployments/")[0] + path + version

    async def _patiently(self, once: Callable[[int], Awaitable[T]], in_doubt: InDoubt | None) -> T:
        """`once`, when it is its turn, and again where a fault may pass."""
        refuse_outside(self.endpoint.host, where=self._where, next_step="Unset ALPACA_OFFLINE to call it.")
        limiter = self._known().limiter
        answered, tries, sent = limiter.answered, 0, 0
        while True:
            tries, sent = tries + 1, sent + 1
            entered = await limiter.enter(self._sleep)
            try:
                result = await once(sent)
            except PassingError as passing:
                limiter.leave(entered, "overload" if passing.overload else "other")
                if tries >= passing.tries:
                    # While others are answered it is a matter of time.
                    if passing.in_doubt or not passing.overload or limiter.answered == answered:
                        raise passing.error from passing.__cause__
                    answered, tries = limiter.answered, 0
                if passing.in_doubt and in_doubt is not None:
                    in_doubt()
                if passing.wait is None:
                    await self._sleep(_backoff(max(tries, 1)))
                else:
                    limiter.pause(passing.wait + random.uniform(0, min(2.0, 0.1 + passing.wait / 4)))
            except BaseException:
                limiter.leave(entered, "other")
                raise
            else:
                limiter.leave(entered, "fine")
                return result

    def _refusal(self, response: "Response", tries: int, where: str) -> Refusal | None:
        """None for an answer, a refusal that stands, or PassingError. SuiteError where the wait would be too long."""
        if 200 <= response.status < 300:
            return None
        refusal = read_refusal(response.status, response.text, self._key)
        if not refusal.passing:
            return refusal
        wait = _retry_after(response.headers)
        if wait is not None and wait > _LONGEST_WAIT:
            raise SuiteError(
                f"asks to come back in {wait:.0f} seconds ({refusal.status}: {refusal.message})",
                where=where,
                next_step="Run the same command again then: what was answered is in the cache.",
            )
        error = explain(self.endpoint, refusal, tries, where=where)
        raise PassingError(error, wait=wait, overload=refusal.overload)

    def _json(self, response: "Response", where: str) -> Any:
        text = response.text
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            if looks_like_html(text):
                page = read_refusal(response.status, text, self._key)
                raise SuiteError(
                    f"answered with {page.message} in place of JSON",
                    where=where,
                    next_step="Check base_url: this may be a server's front page, a log-in page or a proxy's.",
                ) from error
            what = f"answered with JSON that is cut off or none ({error})"
            next_step = "If it stays so, look at the server's log, or at a proxy in between."
            raise PassingError(LostAnswerError(what, where=where, next_step=next_step)) from error

    def _read(self, dialect: Dialect, payload: Any, request: GenerationRequest) -> RemoteGeneration:
        try:
            return dialect.read(payload, request)
        except DialectError as error:
            said = str(error).replace(self._key, "***") if self._key else str(error)
            raise SuiteError(
                f"answered in another form than OpenAI's: {said}",
                where=self._where,
                next_step="Check base_url and api; the server, or a gateway before it, speaks another dialect.",
            ) from error

    def _known(self) -> Known:
        return known_of(self._place, self.endpoint.concurrency)  # looked up each time: a forked child has its own

    def _tell(self, sentence: str) -> None:
        if sentence not in self._noticed:
            self._noticed.add(sentence)
            self._notice(sentence)


def _backoff(tries: int) -> float:
    """Longer each time, and spread out, so that tasks do not all come back at once."""
    return min(_LONGEST_BACKOFF, _FIRST_BACKOFF * 2.0 ** (tries - 1) + random.uniform(0, 1))


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds from Retry-After (a number or a date, RFC 9110 section 10.2.3) or OpenAI's retry-after-ms."""
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        raw = headers.get("retry-after")
        if raw is None:
            return None
        if raw.strip().replace(".", "", 1).isdigit():
            return float(raw)
        date = email.utils.parsedate_to_datetime(raw)
        return max(0.0, (date - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
