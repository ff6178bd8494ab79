"""Local checkpoints inside HELM: `alpaca/PATH` needs no registration, and content, not names, is the identity.

$ALPACA_DTYPE (auto, float32, bfloat16, float16), $ALPACA_DEVICE (auto, cpu, cuda), $ALPACA_BATCH_SIZE (16) and
$ALPACA_DETERMINISTIC (1) say how they run; all but the batch size are part of every cache key that they matter to.
"""

import os
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from helm.benchmark.model_deployment_registry import ClientSpec, ModelDeployment
from helm.common.cache import CacheConfig
from helm.common.request import GeneratedOutput, Request, Token

from alpaca_eval_suite.errors import UsageError
from alpaca_eval_suite.evaluate import progress, replay
from alpaca_eval_suite.evaluate.client import SuiteClient, seed_of
from alpaca_eval_suite.evaluate.thoughts import CUT_OFF
from alpaca_eval_suite.models.checkpoint import Checkpoint
from alpaca_eval_suite.models.embedded import EMBEDDED_MODELS, ensure_embedded_model
from alpaca_eval_suite.models.fingerprint import short
from alpaca_eval_suite.models.request import Generation, GenerationRequest
from alpaca_eval_suite.models.thinking import OPEN

PREFIX = "alpaca/"
_ENGINE = 1  # goes up when the engine would answer the same request otherwise
_REASONS = {"stop": "stop", "eos": "endoftext", "length": "length", "thinking": CUT_OFF}


def deployment(name: str) -> ModelDeployment:
    """The deployment of `alpaca/PATH`. Raises SuiteError when there is no usable checkpoint."""
    open_checkpoint(name)
    return ModelDeployment(
        name=name,
        # HELM calls a model by the last two parts of its deployment's name.
        model_name="/".join(name.split("/")[-2:]),
        client_spec=ClientSpec(f"{__name__}.LocalCheckpointClient", {"deployment": name}),
    )


@lru_cache(maxsize=32)
def open_checkpoint(name: str) -> Checkpoint:
    """The checkpoint that `alpaca/PATH` or `alpaca/EMBEDDED` stands for; a folder goes before an embedded model."""
    path = name.removeprefix(PREFIX)
    if not Path(path).expanduser().exists() and path in EMBEDDED_MODELS:
        return Checkpoint.open(ensure_embedded_model(path))
    if not Path(path).expanduser().exists() and "/" not in path:
        raise UsageError(
            f"there is no folder {path!r} here, and no embedded model of that name",
            next_step=f"Give the path of a checkpoint folder, or one of: {', '.join(EMBEDDED_MODELS)}.",
        )
    return Checkpoint.open(path)


def fingerprint_of_deployment(name: str) -> str | None:
    """The short fingerprint of a local checkpoint or of a file of outputs, None for any other deployment."""
    if name.startswith(replay.PREFIX):
        return short(replay.open_outputs(name).sha256)
    return short(open_checkpoint(name).fingerprint) if name.startswith(PREFIX) else None


class LocalCheckpointClient(SuiteClient):
    """Answers HELM's requests with a local checkpoint, in batches across HELM's threads, through HELM's cache."""

    def __init__(self, cache_config: CacheConfig, deployment: str) -> None:
        super().__init__(cache_config)
        from alpaca_eval_suite.models.batching import resolve_placement

        self._checkpoint = open_checkpoint(deployment)
        dtype, device = os.environ.get("ALPACA_DTYPE", "auto"), os.environ.get("ALPACA_DEVICE", "auto")
        self._dtype, self._device = resolve_placement(self._checkpoint, dtype=dtype, device=device)
        self._deterministic = _deterministic()
        # Batch mates change no answer in float32, and 29 % in bfloat16 (benchmarks/determinism.py).
        self._batch_size = 1 if self._deterministic and self._dtype != "float32" else _batch_size()

    def _key(self, generation: GenerationRequest) -> dict[str, Any]:
        key = {
            "engine": _ENGINE,
            "fingerprint": self._checkpoint.fingerprint,
            "dtype": self._dtype,
            "device": self._device.split(":")[0],
            **asdict(generation),
        }
        if not generation.thinking_tokens:
            del key["thinking_tokens"]  # so that answers of before there were budgets are still found
        del key["json_schema"]  # HELM has none; likewise
        if self._deterministic and (self._dtype, self._device) != ("float32", "cpu"):
            key["deterministic"] = True
        return key

    def _answer(self, generation: GenerationRequest, request: Request) -> dict[str, Any]:
        from alpaca_eval_suite.models.batching import get_model

        batcher = get_model(
            self._checkpoint.folder,
            dtype=self._dtype,
            device=self._device,
            batch_size=self._batch_size,
            deterministic=self._deterministic,
        )
        progress.check_stop()  # loading took its time, and nobody may be waiting any more
        answers = [
            batcher.submit(replace(generation, seed=seed_of(request, index)))
            for index in range(request.num_completions)
        ]
        made = {"dtype": self._dtype, "device": self._device, "batch_size": self._batch_size}
        return {"completions": [_raw(answer, made) for answer in answers]}

    def _completion(self, raw: dict[str, Any]) -> GeneratedOutput:
        return GeneratedOutput(
            text=raw["text"],
            logprob=raw["logprob"],
            tokens=[Token(text=text, logprob=logprob) for text, logprob in raw["tokens"]],
            finish_reason=raw["finish_reason"],
        )


def _raw(answer: Generation, made: dict[str, Any]) -> dict[str, Any]:
    return {
        # The text tells by itself where a thought ends, also where the chat template began it.
        "text": OPEN + answer.text if answer.thought_opened else answer.text,
        "logprob": answer.logprob,
        "tokens": [[token.text, token.logprob] for token in answer.tokens],
        # HELM keeps this dict with the answer, so how an answer was made is found beside it.
        "finish_reason": {"reason": _REASONS[answer.finish_reason], **made},
    }


def _deterministic() -> bool:
    raw = os.environ.get("ALPACA_DETERMINISTIC", "0")
    if raw not in ("", "0", "1"):
        raise UsageError(f"ALPACA_DETERMINISTIC must be 1 or 0, not {raw!r}")
    return raw == "1"


def _batch_size() -> int:
    raw = os.environ.get("ALPACA_BATCH_SIZE", "16")
    if not raw.isdigit() or int(raw) < 1:
        raise UsageError(f"ALPACA_BATCH_SIZE must be a whole number above 0, not {raw!r}")
    return int(raw)
