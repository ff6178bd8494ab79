"""Whoever answers a judge's questions, by the name of its model: `endpoint/NAME`, a checkpoint, an embedded model.

Other kinds (HELM's deployments) are registered from above by the beginning of their names, so that nothing here
knows them.
"""

import asyncio
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from alpaca_eval_suite.errors import UsageError
from alpaca_eval_suite.judge import asker_kinds
from alpaca_eval_suite.judge.asker_kinds import Notice
from alpaca_eval_suite.judge.contracts import Asker, InDoubt, Reply
from alpaca_eval_suite.models.checkpoint import Checkpoint
from alpaca_eval_suite.models.embedded import EMBEDDED_MODELS, ensure_embedded_model
from alpaca_eval_suite.models.endpoint import Endpoint, Price, usable_endpoint
from alpaca_eval_suite.models.prices import price_of
from alpaca_eval_suite.models.request import Generation, GenerationRequest
from alpaca_eval_suite.models.thinking import OPEN

if TYPE_CHECKING:
    from alpaca_eval_suite.models.batching import Batcher
    from alpaca_eval_suite.models.endpoint_client import EndpointClient
    from alpaca_eval_suite.models.endpoint_dialect import RemoteGeneration

ENDPOINT = "endpoint/"
FREE = Price(input=0.0, output=0.0)
"""What a model on this machine asks."""

_ENGINE = 1  # goes up when a local model would answer the same request otherwise
_LOCAL_BATCH = 16


def asker_of(model: str, *, notice: Notice = lambda _: None) -> Asker:
    """Who answers for `model`; nothing is asked or loaded yet.

    Raises UsageError for an unknown endpoint, a missing key or a kind that nobody has registered, SuiteError where
    there is no usable checkpoint.
    """
    for prefix, factory in asker_kinds.factories.items():
        if model.startswith(prefix):
            return factory(model, notice)
    if model.startswith(ENDPOINT):
        return EndpointAsker(usable_endpoint(model.removeprefix(ENDPOINT)), notice=notice)
    if model.startswith("helm/"):
        raise UsageError(
            f"{model} needs HELM, which is not there",
            next_step="Type: pip install 'alpaca-eval-suite[helm]', or describe the model in endpoints.yaml.",
        )
    return LocalAsker(_open(model), name=model)


def price_for(asker: Asker | None) -> Price | None:
    """What the asker's model asks: nothing where it runs on this machine, None where nobody knows."""
    if asker is None or isinstance(asker, LocalAsker):
        return FREE
    return price_of(asker.endpoint) if isinstance(asker, EndpointAsker) else None


class EndpointAsker:
    """A server that speaks OpenAI's protocol."""

    def __init__(self, endpoint: Endpoint, *, notice: Notice = lambda _: None) -> None:
        self.endpoint = endpoint
        self.name = f"{ENDPOINT}{endpoint.name}"
        self.identity: Mapping[str, Any] = endpoint.identity()
        self.concurrency = endpoint.concurrency
        self._notice = notice
        self._client: EndpointClient | None = None

    @property
    def client(self) -> "EndpointClient":
        """The client, made when it is needed first."""
        if self._client is None:
            from alpaca_eval_suite.models.endpoint_client import EndpointClient

            self._client = EndpointClient(self.endpoint, notice=self._notice)
        return self._client

    async def ask(self, request: GenerationRequest, *, in_doubt: InDoubt | None = None) -> Reply:
        """As `Asker.ask`; raises what `EndpointClient.complete` does."""
        return reply_of(await self.client.complete(request, in_doubt=in_doubt))

    async def close(self) -> None:
        """Close its connections."""
        if self._client is not None:
            await self._client.close()


def reply_of(answer: "RemoteGeneration") -> Reply:
    """A server's answer as it is kept."""
    return Reply(
        text=answer.text,
        finish_reason=answer.finish_reason,
        tokens=answer.tokens,
        prompt_tokens=answer.usage.prompt_tokens,
        completion_tokens=answer.usage.completion_tokens,
        served_id=answer.served_id,
        system_fingerprint=answer.system_fingerprint,
        fallbacks=answer.fallbacks,
    )


class LocalAsker:
    """A checkpoint on this machine, asked through its own chat template, in batches.

    $ALPACA_DTYPE and $ALPACA_DEVICE (auto) say how it runs, $ALPACA_BATCH_SIZE (16) how many it answers at once.
    """

    def __init__(self, checkpoint: Checkpoint, *, name: str) -> None:
        from alpaca_eval_suite.models.batching import resolve_placement

        dtype, device = os.environ.get("ALPACA_DTYPE", "auto"), os.environ.get("ALPACA_DEVICE", "auto")
        self._checkpoint = checkpoint
        self._dtype, self._device = resolve_placement(checkpoint, dtype=dtype, device=device)
        self._batch_size = _batch_size()
        self.name = name
        self.identity: Mapping[str, Any] = {
            "engine": _ENGINE,
            "fingerprint": checkpoint.fingerprint,
            "dtype": self._dtype,
            "device": self._device.split(":")[0],
        }
        # Twice the batch, so that a place that gets free is taken at once.
        self.concurrency = 2 * self._batch_size

    async def ask(self, request: GenerationRequest, *, in_doubt: InDoubt | None = None) -> Reply:
        """As `Asker.ask`. The model is loaded by the first question; nothing is ever in doubt."""
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[Generation] = loop.create_future()

        def settle(answer: Generation | None, error: Exception | None) -> None:
            if answered.done():  # nobody waits any more
                return
            if error is not None:
                answered.set_exception(error)
            elif answer is not None:
                answered.set_result(answer)

        def work() -> None:
            outcome: tuple[Generation | None, Exception | None]
            try:
                outcome = self._batcher().submit(request), None
            except Exception as error:  # raised where the answer is waited for
                outcome = None, error
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(settle, *outcome)

        # A daemon, not of a pool: the end of the program never waits for a long answer.
        Thread(target=work, name="judge", daemon=True).start()
        answer = await answered
        return Reply(
            text=OPEN + answer.text if answer.thought_opened else answer.text,
            finish_reason=answer.finish_reason,
            tokens=answer.tokens if request.top_logprobs else (),
            prompt_tokens=answer.prompt_tokens,
            completion_tokens=len(answer.tokens),
        )

    async def close(self) -> None:
        """Nothing to give back: the model stays, since others of this process may use it."""

    def _batcher(self) -> "Batcher":
        from alpaca_eval_suite.models.batching import get_model

        return get_model(self._checkpoint.folder, dtype=self._dtype, device=self._device, batch_size=self._batch_size)


def _open(model: str) -> Checkpoint:
    """A folder goes before an embedded model of the same name."""
    if not Path(model).expanduser().exists() and model in EMBEDDED_MODELS:
        return Checkpoint.open(ensure_embedded_model(model))
    return Checkpoint.open(model)


def _batch_size() -> int:
    raw = os.environ.get("ALPACA_BATCH_SIZE") or str(_LOCAL_BATCH)
    if not raw.isdigit() or int(raw) < 1:
        raise UsageError(f"ALPACA_BATCH_SIZE must be a whole number above 0, not {raw!r}")
    return int(raw)
