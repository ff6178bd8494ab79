"""An endpoint for code that blocks, such as HELM's threads: the async client on the process's event loop."""

import asyncio
from collections.abc import Callable

from alpaca_eval_suite.models import event_loop
from alpaca_eval_suite.models.endpoint import Endpoint
from alpaca_eval_suite.models.endpoint_client import EndpointClient, Notice
from alpaca_eval_suite.models.endpoint_dialect import RemoteGeneration
from alpaca_eval_suite.models.limiter import Sleep
from alpaca_eval_suite.models.request import GenerationRequest


class BlockingEndpointClient:
    """EndpointClient without `await`; one object may serve many threads.

    `check` is called every 0.1 s while a thread waits, and ends its wait by raising.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        notice: Notice = lambda _: None,
        check: Callable[[], None] | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.endpoint = endpoint
        self._client = EndpointClient(endpoint, notice=notice, sleep=sleep)
        self._check = check

    def complete(self, request: GenerationRequest) -> RemoteGeneration:
        """As EndpointClient.complete."""
        return event_loop.run(self._client.complete(request), check=self._check)

    def close(self) -> None:
        """Close its connections."""
        event_loop.run(self._client.close())
