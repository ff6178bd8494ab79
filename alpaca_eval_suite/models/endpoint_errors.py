"""What a server's refusals mean to a person: from HTTP statuses and error texts to what, where, what next."""

import html
import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.models.endpoint import Endpoint, endpoints_file
from alpaca_eval_suite.models.request import TooLongError

_LONGEST = 300
_TOO_LONG = re.compile(
    r"context.{0,20}(length|window|size)|maximum.{0,20}context|prompt is too long|too many tokens", re.I
)
_BLOCKED = re.compile(r"content.?(management|filter|policy)|safety (system|filter)|flagged", re.I)
_USED_UP = re.compile(r"insufficient_quota|exceeded your current quota|billing", re.I)
_PASSING = frozenset({408, 425, 429, *range(500, 600)} - {501, 505})
_OVERLOADED = frozenset({429, 503, 529})


class BlockedError(SuiteError):
    """The service's filter refused this prompt: this one request has no answer, others may."""


class LostAnswerError(SuiteError):
    """A request went out and no whole answer came back: the server may have answered it, and charged for it."""


class PassingError(Exception):
    """A fault that may go away: `error` is what it is called if it does not.

    `wait`: seconds that the server asks for. `tries`: when to give up. `overload`: fewer requests at a time may help.
    """

    def __init__(self, error: SuiteError, *, wait: float | None = None, tries: int = 6, overload: bool = False) -> None:
        super().__init__(str(error))
        self.error, self.wait, self.tries, self.overload = error, wait, tries, overload

    @property
    def in_doubt(self) -> bool:
        """Whether the request may have been answered and charged for."""
        return isinstance(self.error, LostAnswerError)


@dataclass(frozen=True)
class Refusal:
    """An HTTP answer that is no completion; `param` and `code` as OpenAI gives them, where they are given."""

    status: int
    message: str
    param: str | None = None
    code: str | None = None

    @property
    def passing(self) -> bool:
        """Whether it may go away by itself."""
        return self.status in _PASSING and not self.used_up

    @property
    def overload(self) -> bool:
        """Whether the server has too much to do."""
        return self.status in _OVERLOADED and self.passing

    @property
    def used_up(self) -> bool:
        """Whether money or quota ran out, which services report as "too many requests"."""
        return self.status == 429 and bool(_USED_UP.search(f"{self.code} {self.message}"))


def read_refusal(status: int, text: str, key: str | None) -> Refusal:
    """From the body of an answer, in any of the forms that servers use. The key is blotted out of it."""
    if key:
        text = text.replace(key, "***")
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return Refusal(status, _plain(text))
    if isinstance(body, list) and body:
        body = body[0]
    if not isinstance(body, dict):
        return Refusal(status, _short(str(body)))
    inner = body.get("error", body)
    if not isinstance(inner, dict):
        return Refusal(status, _short(str(inner)))
    message = inner.get("message") or inner.get("detail") or inner.get("msg") or inner
    param, code = (str(inner[name]) if inner.get(name) else None for name in ("param", "code"))
    return Refusal(status, _short(_flat(message)), param, code)


def _flat(message: Any) -> str:
    """FastAPI lists what is wrong with each field."""
    if isinstance(message, list):
        return "; ".join(_flat(item) for item in message)
    if isinstance(message, dict) and "msg" in message:
        return f"{'.'.join(map(str, message.get('loc', ())))}: {message['msg']}"
    return message if isinstance(message, str) else json.dumps(message, ensure_ascii=False)


def _plain(text: str) -> str:
    """Text that is no JSON: of a web page its title."""
    if not looks_like_html(text):
        return _short(text) or "nothing was said"
    title = re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
    return f"a web page{f' titled {_short(html.unescape(title[1]))!r}' if title else ''}"


def looks_like_html(text: str) -> bool:
    """Whether an answer is a web page or another document in angle brackets."""
    return text.lstrip()[:1] == "<"


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def where_of(endpoint: Endpoint) -> str:
    """The endpoint in messages: its name and its address."""
    return f"endpoint {endpoint.name} ({endpoint.url})"


def explain(endpoint: Endpoint, refusal: Refusal, tries: int = 1, *, where: str | None = None) -> SuiteError:
    """The error for a refusal that stands: TooLongError and BlockedError where only this request is concerned.

    `where` is another place than the endpoint's own.
    """
    said = f"({refusal.status}: {refusal.message})"
    about = f"{refusal.code} {refusal.message}"
    kind = SuiteError
    if refusal.status == 401:
        what, next_step = f"did not accept the key {said}", _about_key(endpoint)
    elif refusal.status == 403:
        what = f"does not allow this {said}"
        next_step = f"The key may lack access to {endpoint.model}, or a proxy or firewall stands in between. " + (
            _about_key(endpoint)
        )
    elif refusal.status == 404:
        what, next_step = _not_found(endpoint, refusal, said)
    elif refusal.status == 407:
        what, next_step = f"is behind a proxy that wants a name and password {said}", proxy_step(endpoint)
    elif refusal.status == 413 or (refusal.status in (400, 422) and _TOO_LONG.search(about)):
        kind, what = TooLongError, f"the prompt is too long {said}"
        next_step = "Shorten this instruction or its input, or leave the item out."
    elif refusal.status in (400, 403, 422) and _BLOCKED.search(about):
        kind, what, next_step = BlockedError, f"the service's filter refused the prompt {said}", "It counts as empty."
    elif refusal.status == 429:
        what, next_step = _too_many(endpoint, refusal, said, tries)
    elif refusal.status >= 500:
        what = f"failed {tries} {'time' if tries == 1 else 'times'} {said}"
        next_step = "The server's own log says why. Answers made so far are in the cache: try again later."
    else:
        what = f"did not accept the request {said}"
        next_step = f"Check kind, api and model in {endpoints_file()}: the server may speak another dialect."
    return kind(what, where=where or where_of(endpoint), next_step=next_step)


def plain_text_only(endpoint: Endpoint) -> UsageError:
    """The error for a chat that was to be sent to a completions endpoint."""
    return UsageError(
        "takes plain text (api: completions), and a chat was to be sent",
        where=f"endpoint {endpoint.name}",
        next_step="Use --prompt-format alpaca, or set api: chat.",
    )


def _about_key(endpoint: Endpoint) -> str:
    if endpoint.api_key_env:
        return f"Check the key in the environment variable {endpoint.api_key_env}: is it of this server?"
    return f"It wants a key: put it into an environment variable, and name that as api_key_env in {endpoints_file()}."


def _not_found(endpoint: Endpoint, refusal: Refusal, said: str) -> tuple[str, str]:
    if endpoint.kind == "azure":
        return (
            f"has no deployment {endpoint.deployment!r}, or not in API version {endpoint.api_version} {said}",
            f"Check base_url, deployment and api_version in {endpoints_file()}; a new deployment takes minutes.",
        )
    if "model" in refusal.message.lower() or "model" in str(refusal.code):
        return (
            f"serves no model {endpoint.model!r} {said}",
            f"Put a name that {endpoint.base}/models lists as model into {endpoints_file()}.",
        )
    path = urlsplit(endpoint.base).path
    hint = "" if path.endswith("/v1") else f" Most servers want /v1 at the end; this ends with {path}."
    return (f"has nothing at this address {said}", f"Check base_url and api in {endpoints_file()}.{hint}")


def _too_many(endpoint: Endpoint, refusal: Refusal, said: str, tries: int) -> tuple[str, str]:
    if refusal.used_up:
        return f"has no quota left for this key {said}", "Add credit or raise the limit at the service; then go on."
    return (
        f"asked to slow down {tries} {'time' if tries == 1 else 'times'} {said}",
        "Ask fewer at a time (concurrency in endpoints.yaml), or go on later: what was answered is in the cache.",
    )


def proxy_step(endpoint: Endpoint) -> str:
    """What to do about a proxy that does not let a call through."""
    return (
        "HTTP_PROXY, HTTPS_PROXY or ALL_PROXY names the proxy. To go past it: "
        f"export NO_PROXY={endpoint.host}, where the network allows that."
    )
