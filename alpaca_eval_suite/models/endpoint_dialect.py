"""OpenAI's protocol as servers really speak it: what is sent, what a server refused, and how answers are read."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alpaca_eval_suite.errors import UsageError
from alpaca_eval_suite.models.endpoint import Endpoint
from alpaca_eval_suite.models.endpoint_errors import Refusal, plain_text_only
from alpaca_eval_suite.models.request import GenerationRequest, Token
from alpaca_eval_suite.models.served import without_place
from alpaca_eval_suite.models.thinking import split_thought

_CUT_HERE = "stop strings are passed over by the server; answers are cut at them here"
_NONE_GIVEN = "log-probabilities are passed over by the server; there are none"
# What can be had in another way, or done without, and what that means for the answers.
_FALLBACKS = {
    "max_tokens": "max_tokens is refused; the limit is sent as max_completion_tokens, which counts thoughts too",
    "stop": "stop strings are refused; answers are cut at them here",
    "temperature": "the temperature is refused; the server samples with its own, and may answer otherwise next time",
    "top_p": "top_p is refused; the server samples with its own",
    "seed": "the seed is refused; samples cannot be made again",
    "logprobs": "log-probabilities are refused; there are none",
    "response_format": "structured output is refused; the form of answers is left to the model",
}
_REFUSED = re.compile(
    r"unsupported|not (be )?support|n't support|unrecogni[sz]ed|unknown|unexpected|extra inputs|extra fields"
    r"|not permitted|not allowed|not available|deprecated|use '?max_completion_tokens",
    re.IGNORECASE,
)
# Services say in many ways that they hold no model to a schema, and not always that they do not support it.
_NO_SCHEMAS = re.compile(r"response.?format|json.?schema|structured.?output", re.IGNORECASE)
_BAD_SCHEMA = re.compile(r"invalid schema|invalid json.?schema|schema is (not valid|invalid)", re.IGNORECASE)


class DialectError(ValueError):
    """An answer that is JSON, but not of OpenAI's form; the message says what it is."""


@dataclass(frozen=True)
class Usage:
    """Tokens as the server counted them; None where it did not."""

    prompt_tokens: int | None
    completion_tokens: int | None


@dataclass(frozen=True)
class RemoteGeneration:
    """A server's answer.

    `finish_reason` is the server's own word (`stop`, `length`, `content_filter`), `served_id` the model it names,
    `fallbacks` what it refused and what was done instead. `tokens` are there where log-probabilities were asked for
    and given. `thought` is what a reasoning model thought, where the server sends it by itself.
    """

    text: str
    finish_reason: str
    usage: Usage
    served_id: str | None
    system_fingerprint: str | None
    fallbacks: tuple[str, ...] = ()
    tokens: tuple[Token, ...] = ()
    thought: str | None = None


class Dialect:
    """How to ask one server: `refused` are the options that it takes no more, shared by all who ask it."""

    def __init__(self, endpoint: Endpoint, refused: set[str]) -> None:
        self._endpoint = endpoint
        self._refused = refused

    def body(self, request: GenerationRequest) -> dict[str, Any]:
        """The request's JSON, without what the server refused. Raises UsageError for what no endpoint can do."""
        body: dict[str, Any] = {"model": self._endpoint.model, **_prompt(self._endpoint, request)}
        for name, value in _options(self._endpoint, request).items():
            if name not in self._refused:
                body |= value
            elif name == "max_tokens":
                body["max_completion_tokens"] = value["max_tokens"]
        return body

    def learn(self, refusal: Refusal, request: GenerationRequest, sent: Mapping[str, Any]) -> str | None:
        """What is refused, in a sentence, where the request may be taken when it is sent another way; else None."""
        if refusal.status not in (400, 422):
            return None
        for name, value in _options(self._endpoint, request).items():
            impossible = name not in _FALLBACKS or (name == "max_tokens" and self._endpoint.api == "completions")
            if impossible or not value.keys() <= sent.keys() or not _is_about(refusal, value):
                continue
            self._refused.add(name)
            return _FALLBACKS[name]
        return None

    def refusals(self, request: GenerationRequest) -> tuple[str, ...]:
        """What of the request's options is refused, in sentences."""
        used = _options(self._endpoint, request).keys() & self._refused
        return tuple(sentence for name, sentence in _FALLBACKS.items() if name in used)

    def read(self, payload: Any, request: GenerationRequest) -> RemoteGeneration:
        """The answer in `payload`. Raises DialectError when it is in another form."""
        choice = _choice(payload)
        text, cut = _cut(_text(choice), request.stop)
        tokens = () if cut else _tokens(choice)
        fallbacks = self.refusals(request)
        if cut and "stop" not in self._refused:
            fallbacks = (*fallbacks, _CUT_HERE)
        if request.top_logprobs and not (tokens or cut or "logprobs" in self._refused):
            fallbacks = (*fallbacks, _NONE_GIVEN)
        usage = payload.get("usage") or {}
        return RemoteGeneration(
            text=text,
            finish_reason="stop" if cut else str(choice.get("finish_reason") or "unknown"),
            usage=Usage(usage.get("prompt_tokens"), usage.get("completion_tokens")),
            served_id=without_place(named) if (named := _known(payload, "model")) else None,
            system_fingerprint=_known(payload, "system_fingerprint"),
            fallbacks=fallbacks,
            tokens=tokens,
            thought=_thought(choice),
        )


def _prompt(endpoint: Endpoint, request: GenerationRequest) -> dict[str, Any]:
    """Messages for a chat endpoint, a plain prompt being one user message; text for a completions endpoint."""
    prompt = request.prompt
    if request.echo_prompt:
        raise UsageError("cannot give a prompt back with its log-probabilities", where=f"endpoint {endpoint.name}")
    if endpoint.api == "chat":
        if isinstance(prompt, str):
            return {"messages": [{"role": "user", "content": _sendable(prompt)}]}
        return {"messages": [{"role": turn.role, "content": _sendable(turn.content)} for turn in prompt]}
    if not isinstance(prompt, str):
        raise plain_text_only(endpoint)
    return {"prompt": _sendable(prompt)}


def _sendable(text: str) -> str:
    """Half of a surrogate pair, which no request can carry, becomes "?"."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _options(endpoint: Endpoint, request: GenerationRequest) -> dict[str, dict[str, Any]]:
    """The fields that each option stands for; an option that says nothing new is left out."""
    options: dict[str, dict[str, Any]] = {
        # A server counts thought and answer together.
        "max_tokens": {"max_tokens": request.max_tokens + request.thinking_tokens},
        "temperature": {"temperature": request.temperature},
    }
    if request.top_p < 1:
        options["top_p"] = {"top_p": request.top_p}
    if request.top_k is not None:
        options["top_k"] = {"top_k": request.top_k}
    if request.stop:
        options["stop"] = {"stop": list(request.stop)}
    if request.seed is not None:
        options["seed"] = {"seed": request.seed % 2**31}
    if request.top_logprobs:
        chat = {"logprobs": True, "top_logprobs": request.top_logprobs}
        options["logprobs"] = chat if endpoint.api == "chat" else {"logprobs": request.top_logprobs}
    if request.json_schema is not None:
        schema = {"name": "answer", "strict": True, "schema": request.json_schema}
        options["response_format"] = {"response_format": {"type": "json_schema", "json_schema": schema}}
    return options


def _is_about(refusal: Refusal, fields: Mapping[str, Any]) -> bool:
    """Whether it refuses one of `fields` as such; a value that is too large, or a wrong schema, is another matter."""
    about = f"{refusal.code} {refusal.message}"
    if "response_format" in fields:
        return bool(_NO_SCHEMAS.search(f"{refusal.param} {about}")) and not _BAD_SCHEMA.search(about)
    if not _REFUSED.search(about):
        return False
    if refusal.param is not None:
        return refusal.param in fields
    return any(re.search(rf"\b{name}\b", refusal.message) for name in fields)


def _choice(payload: Any) -> Mapping[str, Any]:
    if not isinstance(payload, dict):
        raise DialectError(f"a JSON {type(payload).__name__}")
    choices = payload.get("choices")
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        return choices[0]
    if payload.get("error"):
        raise DialectError(f"an error: {str(payload['error'])[:300]}")
    if "done" in payload and ("message" in payload or "response" in payload):
        raise DialectError("Ollama's own form; its address for OpenAI's ends with /v1")
    raise DialectError(f'JSON without "choices" (it has: {", ".join(map(str, payload)) or "nothing"})')


def _text(choice: Mapping[str, Any]) -> str:
    """Chat or completion; the words of a refusal are the answer where there is no other."""
    message = choice.get("message")
    if not isinstance(message, dict):
        text = choice.get("text")
        if not isinstance(text, str):
            raise DialectError("a choice without text")
        return text
    content = message.get("content")
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return str(content if content is not None else message.get("refusal") or "")


def _thought(choice: Mapping[str, Any]) -> str | None:
    message = choice.get("message")
    if not isinstance(message, dict):
        return None
    return _known(message, "reasoning_content") or _known(message, "reasoning")


def _cut(text: str, stop: tuple[str, ...]) -> tuple[str, bool]:
    """The text before the first stop string, and whether there was one. It ends answers, not thoughts."""
    start = len(text) - len(split_thought(text).answer)
    places = [place for place in (text.find(string, start) for string in stop) if place >= 0]
    return (text[: min(places)], True) if places else (text, False)


def _tokens(choice: Mapping[str, Any]) -> tuple[Token, ...]:
    """Log-probabilities in the form of chats or of completions; none where they are missing."""
    found = choice.get("logprobs") or {}
    if isinstance(found.get("content"), list):
        return tuple(
            Token(
                item["token"], item["logprob"], {top["token"]: top["logprob"] for top in item.get("top_logprobs", ())}
            )
            for item in found["content"]
        )
    texts, values = found.get("tokens") or [], found.get("token_logprobs") or []
    tops = found.get("top_logprobs") or [{}] * len(texts)
    return tuple(Token(*parts) for parts in zip(texts, values, tops, strict=False))


def _known(payload: Mapping[str, Any], key: str) -> str | None:
    value = payload.get(key)
    return str(value) if value else None
