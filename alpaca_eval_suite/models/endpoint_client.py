"""A client for one endpoint: one request in, one answer out, over HTTP.

    client = EndpointClient(find_endpoint("judge"))
    client.complete(GenerationRequest("The capital of Tanzania is", max_tokens=8)).text

Proxies (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY) and certificates (SSL_CERT_FILE, SSL_CERT_DIR) are taken from
the environment; this machine's own servers are never asked through a proxy.
"""

import email.utils
import json
import random
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_exponential_jitter

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.models.endpoint import Endpoint, read_key
from alpaca_eval_suite.models.endpoint_dialect import Dialect, DialectError, RemoteGeneration
from alpaca_eval_suite.models.endpoint_errors import (
    Refusal,
    explain,
    looks_like_html,
    proxy_step,
    read_refusal,
    where_of,
)
from alpaca_eval_suite.models.request import GenerationRequest
from alpaca_eval_suite.offline import refuse_outside

_TRIES = 6
_TRIES_AFTER_SILENCE = 2  # each costs the whole timeout
_LONGEST_WAIT = 120.0  # seconds that a server may ask for; beyond, a person should know
_CONNECT_TIMEOUT = 10.0
_MOST_REDIRECTS = 3
_BACKOFF = wait_exponential_jitter(initial=0.5, max=20)
_LOCAL = ("localhost", "127.0.0.1", "[::1]")

Notice = Callable[[str], None]
"""Told, once each, of what a server refused and what is done in its place."""


class _Passing(Exception):
    """A fault that may go away: `error` is what it is called if it does not."""

    def __init__(self, error: SuiteError, *, wait: float | None = None, tries: int = _TRIES) -> None:
        super().__init__(str(error))
        self.error, self.wait, self.tries = error, wait, tries


class EndpointClient:
    """Asks one endpoint; one object may serve many threads, which share connections and what was learnt.

    `notice` is told of fallbacks, `sleep` waits between tries. Raises UsageError where the key is missing.
    """

    def __init__(
        self, endpoint: Endpoint, *, notice: Notice = lambda _: None, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.endpoint = endpoint
        self._dialect = Dialect(endpoint)
        self._notice = notice
        self._sleep = sleep
        self._key = read_key(endpoint)
        self._http = _connections(endpoint)

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def complete(self, request: GenerationRequest) -> RemoteGeneration:
        """The answer to one request; what a server refuses is left out or asked for in another way, and said.

        Raises TooLongError or BlockedError where only this request has no answer, UsageError for a request that no
        endpoint can take, SuiteError for everything else: a wrong key, model or address, a server that keeps failing.
        """
        refuse_outside(self.endpoint.host, where=where_of(self.endpoint), next_step="Unset ALPACA_OFFLINE to call it.")
        while True:
            body = self._dialect.body(request)
            refusal, payload = self._patiently(body)
            if refusal is None:
                return self._read(payload, request)
            learnt = self._dialect.learn(refusal, request, body)
            if learnt is None:
                raise explain(self.endpoint, refusal)
            if learnt:
                self._notice(learnt)

    def _read(self, payload: Any, request: GenerationRequest) -> RemoteGeneration:
        try:
            return self._dialect.read(payload, request)
        except DialectError as error:
            raise SuiteError(
                f"answered in another form than OpenAI's: {error}",
                where=where_of(self.endpoint),
                next_step="Check base_url and api; the server, or a gateway before it, speaks another dialect.",
            ) from error

    def _patiently(self, body: Mapping[str, Any]) -> tuple[Refusal | None, Any]:
        """Send, again where a fault may pass. Either a refusal that stands, or the answer's JSON."""
        retrying = Retrying(
            retry=retry_if_exception_type(_Passing), stop=_stop, wait=_wait, sleep=self._sleep, reraise=True
        )
        try:
            return retrying(self._once, json.dumps(body).encode(), _Count())
        except _Passing as passing:
            raise passing.error from passing.__cause__

    def _once(self, body: bytes, count: "_Count") -> tuple[Refusal | None, Any]:
        count.tries += 1
        response = self._send(body, count.tries)
        if response.is_success:
            return None, self._json(response)
        refusal = read_refusal(response.status_code, response.text, self._key)
        if not refusal.passing:
            return refusal, None
        error = explain(self.endpoint, refusal, count.tries)
        wait = _retry_after(response.headers)
        if wait is not None and wait > _LONGEST_WAIT:
            raise SuiteError(
                f"asks to come back in {wait:.0f} seconds ({refusal.status}: {refusal.message})",
                where=where_of(self.endpoint),
                next_step="Run the same command again then: what was answered is in the cache.",
            )
        raise _Passing(error, wait=wait)

    def _json(self, response: httpx.Response) -> Any:
        text = response.text
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            if looks_like_html(text):
                page = read_refusal(response.status_code, text, self._key)
                raise SuiteError(
                    f"answered with {page.message} in place of JSON",
                    where=where_of(self.endpoint),
                    next_step="Check base_url: this may be a server's front page, a log-in page or a proxy's.",
                ) from error
            what = f"answered with JSON that is cut off or none ({error})"
            next_step = "If it stays so, look at the server's log, or at a proxy in between."
            raise _Passing(SuiteError(what, where=where_of(self.endpoint), next_step=next_step)) from error

    def _send(self, body: bytes, tries: int) -> httpx.Response:
        """One POST, and the same again where the server sends it to another path of its own."""
        url = httpx.URL(self.endpoint.url)
        try:
            for _ in range(_MOST_REDIRECTS + 1):
                response = self._http.post(url, content=body, headers=self._authorization())
                if not response.has_redirect_location:
                    return response
                target = url.join(response.headers["location"])
                if _origin(target) != _origin(url):
                    raise self._elsewhere(target)
                url = target
        except httpx.ProxyError as error:
            raise SuiteError(
                f"is behind a proxy that refuses ({error})",
                where=where_of(self.endpoint),
                next_step=proxy_step(self.endpoint),
            ) from error
        except httpx.ReadTimeout as error:
            raise _Passing(self._silent(), tries=_TRIES_AFTER_SILENCE) from error
        except (httpx.TransportError, httpx.DecodingError) as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise self._unknown_certificate(error) from error
            raise _Passing(self._unreachable(error, tries)) from error
        raise SuiteError(
            "sends requests in a circle", where=where_of(self.endpoint), next_step="Check base_url for a slip."
        )

    def _authorization(self) -> dict[str, str]:
        # On each request, never on the client: it goes to no address but those built here.
        if self._key is None:
            return {}
        return {"api-key": self._key} if self.endpoint.kind == "azure" else {"Authorization": f"Bearer {self._key}"}

    def _elsewhere(self, target: httpx.URL) -> SuiteError:
        return SuiteError(
            f"sends requests on to another server ({target.scheme}://{target.netloc.decode()}), which gets no key",
            where=where_of(self.endpoint),
            next_step="If you trust that server, put its address as base_url.",
        )

    def _silent(self) -> SuiteError:
        return SuiteError(
            f"said nothing for {self.endpoint.timeout:g} seconds, {_TRIES_AFTER_SILENCE} times",
            where=where_of(self.endpoint),
            next_step="A slow server needs a longer timeout in endpoints.yaml, or fewer requests at a time "
            "(helm-run --num-threads 4).",
        )

    def _unknown_certificate(self, error: Exception) -> SuiteError:
        return SuiteError(
            f"has a certificate that nobody known vouches for ({error})",
            where=where_of(self.endpoint),
            next_step="If it is your own or your company's, name the file with its authority: export SSL_CERT_FILE=...",
        )

    def _unreachable(self, error: Exception, tries: int) -> SuiteError:
        reason = str(error) or type(error).__name__
        if isinstance(error, httpx.ConnectTimeout):
            reason = "no connection in time"
        return SuiteError(
            f"could not be reached, or hung up ({reason}; {tries} {'try' if tries == 1 else 'tries'})",
            where=where_of(self.endpoint),
            next_step="Is the server running, is base_url right, and does a proxy stand in between?",
        )


def _connections(endpoint: Endpoint) -> httpx.Client:
    try:
        return httpx.Client(
            timeout=httpx.Timeout(endpoint.timeout, connect=min(_CONNECT_TIMEOUT, endpoint.timeout), pool=None),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=64),
            mounts=dict.fromkeys(f"all://{host}" for host in _LOCAL),
            headers={**endpoint.headers, "User-Agent": "alpaca-eval-suite", "Content-Type": "application/json"},
        )
    except OSError as error:
        raise SuiteError(
            f"the certificates that SSL_CERT_FILE or SSL_CERT_DIR names cannot be read ({error})",
            where=where_of(endpoint),
            next_step="Correct the variable, or unset it to use the usual authorities.",
        ) from error


class _Count:
    """How often one request was sent."""

    tries = 0


def _passing_of(state: RetryCallState) -> _Passing:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, _Passing)
    return error


def _stop(state: RetryCallState) -> bool:
    return state.attempt_number >= _passing_of(state).tries


def _wait(state: RetryCallState) -> float:
    """What the server asks for, else longer each time; spread out, so that threads do not all come back at once."""
    asked = _passing_of(state).wait
    return _BACKOFF(state) if asked is None else asked + random.uniform(0, min(2.0, 0.1 + asked / 4))


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


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
