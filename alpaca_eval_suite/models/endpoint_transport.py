"""One HTTP exchange with an endpoint: connections, proxies, certificates, redirects, and what goes wrong with them.

This module alone imports aiohttp, and is itself imported when the first client is made.
"""

import asyncio
import functools
import os
import ssl
import urllib.request
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp
import certifi
from yarl import URL

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.models import event_loop
from alpaca_eval_suite.models.endpoint import Endpoint
from alpaca_eval_suite.models.endpoint_errors import LostAnswerError, PassingError, proxy_step, where_of
from alpaca_eval_suite.offline import is_loopback

_TRIES_AFTER_SILENCE = 2  # each costs the whole timeout
_CONNECT_TIMEOUT = 10.0
_MOST_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KEEP_ALIVE = 4.0  # seconds; uvicorn, Node and llama.cpp hang up after five
_NAMES_KEPT = 300  # seconds

Form = Mapping[str, "str | tuple[str, bytes]"]
"""Fields of a form to be uploaded: text, or the name and the content of a file."""


@dataclass(frozen=True)
class Response:
    """An HTTP answer that came in whole; header names in any case."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def text(self) -> str:
        """The content, which of a JSON server is UTF-8."""
        return self.content.decode("utf-8", "replace")


class Transport:
    """Sends requests to one endpoint, with its key; each event loop has its own connections.

    Raises SuiteError where certificates or a proxy that the environment names cannot be used.
    """

    def __init__(self, endpoint: Endpoint, key: str | None) -> None:
        self._endpoint = endpoint
        self._where = where_of(endpoint)
        self._key = key
        self._proxy = _proxy(endpoint)
        self._certificates = _certificates(endpoint)
        self._sessions: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, aiohttp.ClientSession] = (
            weakref.WeakKeyDictionary()
        )

    async def close(self) -> None:
        """Close the connections of the running loop."""
        event_loop.closed(self)
        session = self._sessions.pop(asyncio.get_running_loop(), None)
        if session is not None:
            await session.close()

    async def exchange(
        self, method: str, address: str, tries: int, *, content: bytes | None = None, form: Form | None = None
    ) -> Response:
        """One request, and the same again where the server sends it to another path of its own.

        `tries` is for messages. Raises PassingError for what may go away, SuiteError for what does not.
        """
        url = URL(address)
        for _ in range(_MOST_REDIRECTS + 1):
            response = await self._once(method, url, tries, content, form)
            location = response.headers.get("Location")
            if response.status not in _REDIRECTS or location is None:
                return response
            target = url.join(URL(location))
            if target.origin() != url.origin():
                raise self._elsewhere(target)
            url = target
        raise SuiteError("sends requests in a circle", where=self._where, next_step="Check base_url for a slip.")

    async def _once(self, method: str, url: URL, tries: int, content: bytes | None, form: Form | None) -> Response:
        # The key stands on each request, never on the session: it goes to no address but those built here.
        headers = dict(self._authorization())
        if content is not None:
            headers["Content-Type"] = "application/json"
        try:
            async with self._session().request(
                method,
                url,
                data=content if form is None else _form_data(form),
                headers=headers,
                proxy=self._proxy,
                allow_redirects=False,
            ) as answer:
                return Response(answer.status, answer.headers, await answer.read())
        except aiohttp.ClientHttpProxyError as error:
            raise SuiteError(
                f"is behind a proxy that refuses ({error.status} {error.message})",
                where=self._where,
                next_step=proxy_step(self._endpoint),
            ) from error
        except aiohttp.ClientConnectorCertificateError as error:
            raise self._unknown_certificate(error) from error
        except aiohttp.SocketTimeoutError as error:
            raise PassingError(self._silent(), tries=_TRIES_AFTER_SILENCE, overload=True) from error
        except (aiohttp.ClientError, OSError) as error:
            raise PassingError(self._unreachable(error, tries)) from error

    def _session(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        session = self._sessions.get(loop)
        if session is None:
            timeout = self._endpoint.timeout
            session = aiohttp.ClientSession(
                connector=_Connector(
                    limit=0,  # the limiter's business
                    ssl=self._certificates,
                    resolver=aiohttp.ThreadedResolver(),  # the system's own, which offline mode can watch
                    ttl_dns_cache=_NAMES_KEPT,
                    keepalive_timeout=_KEEP_ALIVE,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "alpaca-eval-suite", **self._endpoint.headers},
                timeout=aiohttp.ClientTimeout(
                    total=None, sock_connect=min(_CONNECT_TIMEOUT, timeout), sock_read=timeout
                ),
            )
            self._sessions[loop] = session
            event_loop.close_at_exit(self)
        return session

    def _authorization(self) -> Mapping[str, str]:
        if self._key is None:
            return {}
        return {"api-key": self._key} if self._endpoint.kind == "azure" else {"Authorization": f"Bearer {self._key}"}

    def _elsewhere(self, target: URL) -> SuiteError:
        return SuiteError(
            f"sends requests on to another server ({target.scheme}://{target.authority}), which gets no key",
            where=self._where,
            next_step="If you trust that server, put its address as base_url.",
        )

    def _silent(self) -> SuiteError:
        return LostAnswerError(
            f"said nothing for {self._endpoint.timeout:g} seconds, {_TRIES_AFTER_SILENCE} times",
            where=self._where,
            next_step="A slow server needs a longer timeout in endpoints.yaml, or fewer requests at a time "
            "(concurrency, there too).",
        )

    def _unknown_certificate(self, error: aiohttp.ClientConnectorCertificateError) -> SuiteError:
        return SuiteError(
            f"has a certificate that nobody known vouches for ({error.certificate_error})",
            where=self._where,
            next_step="If it is your own or your company's, name the file with its authority: export SSL_CERT_FILE=...",
        )

    def _unreachable(self, error: Exception, tries: int) -> SuiteError:
        never_sent = isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            reason = "no connection in time"
        elif isinstance(error, aiohttp.ClientConnectorError):
            reason = str(error.os_error)
        else:
            reason = str(error) or type(error).__name__
        kind = SuiteError if never_sent else LostAnswerError
        return kind(
            f"could not be reached, or hung up ({reason}; {tries} {'try' if tries == 1 else 'tries'})",
            where=self._where,
            next_step="Is the server running, is base_url right, and does a proxy stand in between?",
        )


class _Connector(aiohttp.TCPConnector):
    """aiohttp's, which is closed by `Transport.close` only.

    Left to the garbage collector it would hang up, and in a forked child that takes the parent's sockets out of the
    parent's event loop.
    """

    def __del__(self) -> None:  # type: ignore[override]
        pass


def _form_data(form: Form) -> aiohttp.FormData:
    data = aiohttp.FormData()
    for name, value in form.items():
        if isinstance(value, str):
            data.add_field(name, value)
        else:
            data.add_field(name, value[1], filename=value[0], content_type="application/octet-stream")
    return data


def _proxy(endpoint: Endpoint) -> str | None:
    """The proxy that the environment (or the system) names for this address; none for this machine's own."""
    parts = urlsplit(endpoint.url)
    if is_loopback(endpoint.host) or urllib.request.proxy_bypass(parts.netloc):
        return None
    proxies = urllib.request.getproxies()
    address = proxies.get(parts.scheme) or proxies.get("all")
    if not address:
        return None
    address = address if "://" in address else f"http://{address}"
    scheme = urlsplit(address).scheme
    if scheme not in ("http", "https"):
        raise SuiteError(
            f"is to be asked through a proxy of another kind than HTTP ({scheme})",
            where=where_of(endpoint),
            next_step=proxy_step(endpoint),
        )
    return address


def _certificates(endpoint: Endpoint) -> ssl.SSLContext | bool:
    if urlsplit(endpoint.base_url).scheme == "http":
        return True  # none are looked at, and reading them takes a while
    try:
        return _context(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
    except OSError as error:
        raise SuiteError(
            f"the certificates that SSL_CERT_FILE or SSL_CERT_DIR names cannot be read ({error})",
            where=where_of(endpoint),
            next_step="Correct the variable, or unset it to use the usual authorities.",
        ) from error


@functools.cache
def _context(file: str | None, folder: str | None) -> ssl.SSLContext:
    if file or folder:
        return ssl.create_default_context(cafile=file or None, capath=folder or None)
    return ssl.create_default_context(cafile=certifi.where())
