"""Endpoints inside HELM: `endpoint/NAME` as model, judge or baseline, described in endpoints.yaml.

Answers are cached by what makes them: the server's address, the model asked for, prompt and decoding. Which model
the server says it served is kept beside each answer; it is no part of the key, since it is known afterwards only.
"""

import json
from dataclasses import asdict, replace
from typing import Any
from urllib.parse import urlsplit

from helm.benchmark.model_deployment_registry import ClientSpec, ModelDeployment, get_model_deployment
from helm.common.cache import CacheConfig
from helm.common.request import GeneratedOutput, Request, Thinking, Token

from alpaca_eval_suite.evaluate import progress
from alpaca_eval_suite.evaluate.client import SuiteClient, seed_of
from alpaca_eval_suite.evaluate.local import fingerprint_of_deployment
from alpaca_eval_suite.files import sha256_text
from alpaca_eval_suite.models.blocking_endpoint import BlockingEndpointClient
from alpaca_eval_suite.models.endpoint import Endpoint, find_endpoint, usable_endpoint
from alpaca_eval_suite.models.endpoint_errors import plain_text_only
from alpaca_eval_suite.models.request import GenerationRequest
from alpaca_eval_suite.models.served import alias_notes
from alpaca_eval_suite.offline import is_offline, refuse_outside

PREFIX = "endpoint/"
_ENGINE = 1  # goes up when the same request would be sent otherwise
_SHORT = 12
_OURS = ("alpaca/", "outputs/", PREFIX)  # which know by themselves
_CALL_NOBODY = ("helm.clients.simple_client.", "helm.clients.huggingface_client.")


def deployment(name: str) -> ModelDeployment:
    """The deployment of `endpoint/NAME`. Raises UsageError for an unknown endpoint or a key that is not set."""
    usable_endpoint(name.removeprefix(PREFIX))
    return ModelDeployment(name=name, client_spec=ClientSpec(f"{__name__}.EndpointHelmClient", {"deployment": name}))


def endpoint_of(deployment: str) -> Endpoint | None:
    """The endpoint behind `endpoint/NAME`, None for any other deployment."""
    return find_endpoint(deployment.removeprefix(PREFIX)) if deployment.startswith(PREFIX) else None


def check_endpoint(deployment: str, *, chat: bool = False) -> None:
    """Raise UsageError for an `endpoint/NAME` that cannot be asked (as a `chat`); other deployments are left alone."""
    if deployment.startswith(PREFIX):
        endpoint = usable_endpoint(deployment.removeprefix(PREFIX))
        if chat and endpoint.api == "completions":
            raise plain_text_only(endpoint)


def endpoint_mark(deployment: str) -> str | None:
    """12 digits that change when the name comes to mean another server, model or way to ask; None for others."""
    endpoint = endpoint_of(deployment)
    return sha256_text(json.dumps(endpoint.identity(), sort_keys=True))[:_SHORT] if endpoint else None


def identity_of_deployment(deployment: str) -> str:
    """What must be the same for two runs to be the same: content or address where it is known, else the name."""
    return fingerprint_of_deployment(deployment) or endpoint_mark(deployment) or deployment


def refuse_when_offline(deployment: str) -> None:
    """Raise SuiteError where offline mode is on and one of HELM's own deployments would call another machine."""
    if not is_offline() or deployment.startswith(_OURS):
        return
    spec = get_model_deployment(deployment).client_spec
    host = urlsplit(str((spec.args or {}).get("base_url", ""))).hostname
    if not spec.class_name.startswith(_CALL_NOBODY):
        refuse_outside(
            host or "a service of its own",
            where=deployment,
            next_step="Unset ALPACA_OFFLINE, or name a local checkpoint or a server on this machine.",
        )


class EndpointHelmClient(SuiteClient):
    """Answers HELM's requests by asking an endpoint, through HELM's cache; failures are never kept."""

    def __init__(self, cache_config: CacheConfig, deployment: str) -> None:
        super().__init__(cache_config)
        self._endpoint = usable_endpoint(deployment.removeprefix(PREFIX))
        self._name = deployment
        self._client = BlockingEndpointClient(
            self._endpoint,
            notice=lambda fallback: progress.notice(f"{deployment}: {fallback}."),
            check=progress.check_stop,
        )

    def _key(self, generation: GenerationRequest) -> dict[str, Any]:
        asked = asdict(generation)
        asked.pop("json_schema")  # HELM has none; without it, keys of answers kept before there was the field are these
        return {"engine": _ENGINE, **self._endpoint.identity(), **asked}

    def _answer(self, generation: GenerationRequest, request: Request) -> dict[str, Any]:
        answers = [
            self._client.complete(replace(generation, seed=seed_of(request, index)))
            for index in range(request.num_completions)
        ]
        for answer in answers:
            for note in alias_notes(self._name, self._endpoint.model, [answer.served_id]):
                progress.notice(note)
        return {"completions": [asdict(answer) for answer in answers]}

    def _completion(self, raw: dict[str, Any]) -> GeneratedOutput:
        tokens = [Token(text=token["text"], logprob=token["logprob"]) for token in raw["tokens"]]
        return GeneratedOutput(
            text=raw["text"],
            logprob=sum(token.logprob for token in tokens),
            tokens=tokens,
            # HELM keeps this dict with the answer, so how an answer was made is found beside it.
            finish_reason={
                "reason": raw["finish_reason"],
                "served_id": raw["served_id"],
                "system_fingerprint": raw["system_fingerprint"],
                "fallbacks": list(raw["fallbacks"]),
            },
            thinking=Thinking(text=raw["thought"]) if raw["thought"] else None,
        )
