"""HELM's deployments as judges: `helm/ORGANISATION/MODEL`, asked through HELM's own clients.

HELM's cache plays no part: it keeps every reply, also one without a verdict. What a judge said is kept in the verdict
cache, as of any other judge.
"""

import asyncio
import contextlib
import io
import json
import logging
import re
import threading
from collections.abc import Mapping
from functools import cache
from typing import Any

from helm.benchmark.config_registry import (
    register_builtin_configs_from_helm_package,
    register_configs_from_directory,
)
from helm.benchmark.model_deployment_registry import (
    ModelDeployment,
    ModelDeploymentNotFoundError,
    get_model_deployment,
)
from helm.clients.auto_client import AutoClient
from helm.common.cache_backend_config import BlackHoleCacheBackendConfig
from helm.common.general import get_credentials
from helm.common.request import Request, RequestResult

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.evaluate.remote import refuse_when_offline
from alpaca_eval_suite.files import sha256_text
from alpaca_eval_suite.judge.contracts import InDoubt, Reply
from alpaca_eval_suite.models.endpoint_errors import BlockedError
from alpaca_eval_suite.models.request import GenerationRequest

PREFIX = "helm/"
_CONCURRENCY = 16  # HELM's clients do not slow down by themselves
_LOCAL_PATH = "prod_env"  # where helm-run looks, unless it is told otherwise
_OURS = ("alpaca/", "outputs/", "endpoint/")
_SECRET = re.compile(r"key|token$|secret|password|credential|auth|header", re.IGNORECASE)
_NO_LOGPROBS = "HELM gives no log-probabilities of other letters; the letter alone counts"
_NO_SCHEMA = "HELM holds no answer to a schema; the form is left to the model"


class HelmAsker:
    """A deployment of HELM's. Without a `client` one is made of ./prod_env when something is asked.

    Raises UsageError for a deployment that HELM does not know, SuiteError for a service in offline mode.
    """

    def __init__(self, model: str, client: AutoClient | None = None) -> None:
        self.name = model
        self._deployment = _known(model.removeprefix(PREFIX))
        self.identity: Mapping[str, Any] = _identity(self._deployment)
        self.concurrency = _CONCURRENCY
        self._client = client
        self._lock = threading.Lock()

    async def ask(self, request: GenerationRequest, *, in_doubt: InDoubt | None = None) -> Reply:
        """As `Asker.ask`. HELM tries again by itself, five times in all, and does not say so to `in_doubt`."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Reply] = loop.create_future()

        def settle(reply: Reply | None, error: Exception | None) -> None:
            if answer.done():  # nobody waits any more
                return
            if error is not None:
                answer.set_exception(error)
            elif reply is not None:
                answer.set_result(reply)

        def work() -> None:
            reply, error = None, None
            try:
                reply = self._reply(request)
            except Exception as problem:
                error = problem
            with contextlib.suppress(RuntimeError):  # the loop is closed: the process ends
                loop.call_soon_threadsafe(settle, reply, error)

        # A daemon: the end of the program never waits for a service that HELM goes on asking.
        threading.Thread(target=work, name="helm judge", daemon=True).start()
        return await answer

    async def close(self) -> None:
        """HELM's clients hold nothing to be closed."""

    def _reply(self, request: GenerationRequest) -> Reply:
        with self._lock:
            client = self._client = self._client or _own_client()
        asked = helm_request(self._deployment, request)
        try:
            result = client.make_request(asked)
        except SuiteError:
            raise
        except Exception as error:  # HELM's clients raise what they like
            raise SuiteError(f"it could not be asked ({type(error).__name__}: {error})", where=self.name) from error
        return _reply_of(result, request, self.name)


def helm_request(deployment: ModelDeployment, request: GenerationRequest) -> Request:
    """A question as HELM's request; of a single message only the text, since not every client knows messages."""
    prompt = request.prompt
    if not isinstance(prompt, str) and len(prompt) == 1:
        prompt = prompt[0].content
    turns = None if isinstance(prompt, str) else [{"role": turn.role, "content": turn.content} for turn in prompt]
    return Request(
        model_deployment=deployment.name,
        model=deployment.model_name or deployment.name,
        prompt=prompt if isinstance(prompt, str) else "",
        messages=turns,
        temperature=request.temperature,
        max_tokens=request.max_tokens + request.thinking_tokens,
    )


def without_cache(client: AutoClient) -> AutoClient:
    """A client with the same keys that asks anew each time."""
    return AutoClient(client.credentials, client.file_storage_path, BlackHoleCacheBackendConfig())


def of_prod_env(model: str) -> HelmAsker:
    """The asker outside a run of HELM's: deployments and keys are those that helm-run finds, in ./prod_env too.

    Raises as `HelmAsker` does.
    """
    _fill_registries()
    return HelmAsker(model)


@cache
def _fill_registries() -> None:
    """As helm-run does. HELM's log, tracebacks of each attempt, goes nowhere: what matters of it is in the errors."""
    log = logging.getLogger("helm")
    log.addHandler(logging.NullHandler())
    log.propagate = False
    with contextlib.redirect_stdout(io.StringIO()):
        register_builtin_configs_from_helm_package()
        register_configs_from_directory(_LOCAL_PATH)


def _own_client() -> AutoClient:
    with contextlib.redirect_stdout(io.StringIO()):  # it says where it looks
        credentials = get_credentials(_LOCAL_PATH)
    return AutoClient(credentials, _LOCAL_PATH, BlackHoleCacheBackendConfig())


def _known(name: str) -> ModelDeployment:
    if name.startswith(_OURS):
        raise UsageError(
            f"{name} is none of HELM's own deployments",
            where=f"{PREFIX}{name}",
            next_step=f"Leave out {PREFIX}; a checkpoint is named by its folder alone.",
        )
    try:
        found = get_model_deployment(name)
    except ModelDeploymentNotFoundError as error:
        raise UsageError(
            f"HELM knows no deployment {name!r}, which is named as a judge",
            next_step="docs/judges.md says how to describe a server in prod_env/model_deployments.yaml.",
        ) from error
    refuse_when_offline(name)
    return found


def _identity(deployment: ModelDeployment) -> dict[str, Any]:
    """Its name, and a hash of how it is asked (address, model there); no key is any part of it."""
    spec = deployment.client_spec
    arguments = {name: value for name, value in (spec.args or {}).items() if not _SECRET.search(name)}
    setup = json.dumps([spec.class_name, deployment.model_name, arguments], sort_keys=True, default=str)
    return {"helm": deployment.name, "setup": sha256_text(setup)[:12]}


def _reply_of(result: RequestResult, request: GenerationRequest, name: str) -> Reply:
    if not result.success or not result.completions:
        if result.error_flags is not None and result.error_flags.is_fatal is False:
            raise BlockedError(str(result.error), where=name)
        raise SuiteError(
            f"it did not answer: {result.error}",
            where=name,
            next_step="Check its key, address and model in prod_env/ (docs/judges.md), and run the same command again.",
        )
    completion = result.completions[0]
    reason = completion.finish_reason or {}
    return Reply(
        text=completion.text,
        finish_reason=str(reason.get("reason") or "stop"),
        fallbacks=(
            *([_NO_LOGPROBS] if request.top_logprobs else ()),
            *([_NO_SCHEMA] if request.json_schema else ()),
        ),
    )
