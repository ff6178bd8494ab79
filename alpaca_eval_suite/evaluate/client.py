"""What the suite's own clients have in common: HELM's request in, HELM's cache asked first, HELM's result out."""

import shutil
from abc import abstractmethod
from pathlib import Path
from typing import Any

from helm.clients.client import CachingClient
from helm.common.cache import CacheConfig
from helm.common.request import (
    EMBEDDING_UNAVAILABLE_REQUEST_RESULT,
    ErrorFlags,
    GeneratedOutput,
    Request,
    RequestResult,
    wrap_request_time,
)
from helm.proxy.retry import NonRetriableException

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.evaluate import progress
from alpaca_eval_suite.evaluate.thoughts import budget_of
from alpaca_eval_suite.files import sha256_text
from alpaca_eval_suite.models.endpoint_errors import BlockedError
from alpaca_eval_suite.models.request import GenerationRequest, Message, TooLongError

_ROOM = 16 << 20  # bytes


class SuiteClient(CachingClient):  # type: ignore[misc]
    """A client that answers through HELM's cache; failures are never kept."""

    def __init__(self, cache_config: CacheConfig) -> None:
        super().__init__(cache_config=cache_config)

    @abstractmethod
    def _key(self, generation: GenerationRequest) -> dict[str, Any]:
        """Everything that changes the answer to `generation`."""

    @abstractmethod
    def _answer(self, generation: GenerationRequest, request: Request) -> dict[str, Any]:
        """{"completions": [...]} as it is kept in the cache, one for each that `request` asks for."""

    @abstractmethod
    def _completion(self, raw: dict[str, Any]) -> GeneratedOutput:
        """One of those completions as HELM's."""

    def make_request(self, request: Request) -> RequestResult:
        """HELM's contract. A prompt too long, or refused by a filter, is an empty answer, not the run's end."""
        if request.embedding:
            return EMBEDDING_UNAVAILABLE_REQUEST_RESULT
        progress.check_stop()
        generation = generation_request(request)
        key = {"completions": request.num_completions, **self._key(generation)}
        try:
            check_room(self.cache.config)
            response, cached = self.cache.get(
                self.make_cache_key(key, request), wrap_request_time(lambda: self._answer(generation, request))
            )
        except (TooLongError, BlockedError) as error:
            return RequestResult(
                success=False,
                cached=False,
                error=str(error),
                error_flags=ErrorFlags(is_retriable=False, is_fatal=False),
                completions=[],
                embedding=[],
            )
        except SuiteError as error:
            raise NonRetriableException(str(error)) from error
        progress.done("answer", cached=cached)
        return RequestResult(
            success=True,
            cached=cached,
            request_time=response["request_time"],
            request_datetime=response["request_datetime"],
            completions=[self._completion(raw) for raw in response["completions"]],
            embedding=[],
        )


def check_room(cache: CacheConfig) -> None:
    """Raise SuiteError when the cache's disk is as good as full.

    HELM's writer thread dies of a full disk and the run waits for it for ever, so this must be known before.
    """
    path = getattr(cache, "path", None)  # none where the cache is switched off
    if path is not None and shutil.disk_usage(Path(path).parent).free < _ROOM:
        raise SuiteError(
            f"the disk is full: under {_ROOM >> 20} MiB are free for the cache",
            where=str(path),
            next_step="Free some space, then run the same command again: what was finished is kept.",
        )


def generation_request(request: Request) -> GenerationRequest:
    """HELM's request as the suite's own."""
    messages = tuple(Message(turn["role"], turn["content"]) for turn in request.messages or ())
    thinking_tokens = budget_of(request)
    return GenerationRequest(
        prompt=messages or request.prompt,
        max_tokens=request.max_tokens - thinking_tokens,
        thinking_tokens=thinking_tokens,
        temperature=request.temperature,
        top_p=request.top_p,
        stop=tuple(request.stop_sequences),
        echo_prompt=request.echo_prompt,
    )


def seed_of(request: Request, index: int) -> int | None:
    """The same sample for the same request; HELM's `random` asks for another one."""
    if request.temperature == 0:
        return None
    return int(sha256_text(f"{request.random}\0{index}\0{request.prompt}\0{request.messages}")[:15], 16)
