"""A causal language model's weights in memory, and one forward pass through them."""

import inspect
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import Cache, DynamicCache

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.models.adapter import merged
from alpaca_eval_suite.models.checkpoint import Checkpoint
from alpaca_eval_suite.models.kv_cache import SlotCache, SoloCache, can_batch

_DTYPES = ("float32", "bfloat16", "float16")
_CHUNK = 512  # prompt tokens whose logits exist at once when a text is scored: 100 MB at 49,152 words
_LISTED = 3
_CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")  # a container's share of the CPUs: "200000 100000" is two


class Network:
    """`dtype` and `device` are what was chosen; `batches` says whether rows of different requests can share a
    forward pass. Every method runs without gradients and returns logits in float32, raw."""

    def __init__(self, module: Any, dtype: str, device: str) -> None:
        self._module = module
        self.dtype, self.device = dtype, device
        self.batches = can_batch(module.config)
        accepted = inspect.signature(module.forward).parameters
        self._takes_positions = "position_ids" in accepted
        self._takes_keep = "logits_to_keep" in accepted

    @classmethod
    def load(cls, checkpoint: Checkpoint, dtype: str, device: str) -> "Network":
        """Raises UsageError on an unknown dtype or device, SuiteError when the weights do not fit the
        configuration, the model type is unknown, memory does not suffice, or an adapter does not fit its base or
        changes nothing."""
        device = chosen_device(device)
        dtype = chosen_dtype(dtype, checkpoint.dtype, device)
        if device == "cpu":
            torch.set_num_threads(_usable_cores())
        module = _load_module(checkpoint, dtype)
        try:
            module = module.to(device).eval()
            if checkpoint.adapter is not None:
                module = merged(module, checkpoint.adapter)
            module = module.requires_grad_(False)
        except torch.OutOfMemoryError as error:
            raise SuiteError(
                f"does not fit into the memory of {device} as {dtype}",
                where=str(checkpoint.folder),
                next_step="Use a GPU with more memory, or dtype bfloat16.",
            ) from error
        return cls(module, dtype, device)

    def new_cache(self, slots: int) -> SlotCache | SoloCache:
        """An empty cache for a running batch."""
        return SlotCache(slots) if self.batches else SoloCache()

    def prefill(self, prompts: Sequence[Sequence[int]]) -> tuple[torch.Tensor, Cache]:
        """Left-padded prompts: the logits after each one's last token [prompt, word], and their state."""
        width = max(map(len, prompts))
        ids = torch.tensor([[0] * (width - len(prompt)) + list(prompt) for prompt in prompts])
        cache = self._empty_state()
        logits = self._forward(ids, [len(prompt) for prompt in prompts], cache, keep=1)
        return logits[:, -1], cache

    def score(self, prompt: Sequence[int]) -> tuple[Iterator[torch.Tensor], Cache]:
        """One prompt: the logits after each token in pieces [token, word], computed as they are read, and the
        state, which is complete after the last piece."""
        cache = self._empty_state()

        def pieces() -> Iterator[torch.Tensor]:
            for start in range(0, len(prompt), _CHUNK):
                part = prompt[start : start + _CHUNK]
                yield self._forward(torch.tensor([part]), [start + len(part)], cache, keep=0)[0]

        return pieces(), cache

    def step(self, tokens: Sequence[int], cache: SlotCache | SoloCache) -> torch.Tensor:
        """One more token for each row of the cache: the logits after it [row, word]."""
        cache.prepare()
        lengths = [length + 1 for length in cache.lengths]
        assert cache.past is not None
        logits = self._forward(torch.tensor(tokens)[:, None], lengths, cache.past, keep=1)
        cache.advance()
        return logits[:, -1]

    def _empty_state(self) -> Cache:
        # Without a configuration all layers keep all columns, so that rows can be moved to a SlotCache;
        # sliding windows are then cut by the mask.
        return DynamicCache() if self.batches else DynamicCache(config=self._module.config)

    def _forward(self, ids: torch.Tensor, lengths: Sequence[int], past: Cache, keep: int) -> torch.Tensor:
        """`lengths`: tokens of each row after this pass; what is left of them is padding and masked."""
        new = ids.shape[1]
        ends = torch.tensor(lengths)[:, None]
        width = int(ends.max())
        inputs: dict[str, Any] = {"input_ids": ids, "past_key_values": past, "use_cache": True}
        # Without padding the mask is left out: attention then takes its faster path.
        if int(ends.min()) < width:
            inputs["attention_mask"] = (torch.arange(width)[None, :] >= width - ends).long()
        if self._takes_positions:
            inputs["position_ids"] = (torch.arange(new)[None, :] + ends - new).clamp(min=0)
        inputs = {
            name: value.to(self.device) if isinstance(value, torch.Tensor) else value for name, value in inputs.items()
        }
        if self._takes_keep:
            inputs["logits_to_keep"] = keep
        with torch.inference_mode():
            logits: torch.Tensor = self._module(**inputs).logits
            return logits.float()


def _load_module(checkpoint: Checkpoint, dtype: str) -> Any:
    bars = transformers.utils.logging
    shown = bars.is_progress_bar_enabled()
    bars.disable_progress_bar()
    try:
        module, info = transformers.AutoModelForCausalLM.from_pretrained(
            checkpoint.model_folder,
            dtype=getattr(torch, dtype),
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            output_loading_info=True,
        )
    except Exception as error:  # each model class fails in its own way on weights that do not fit it
        raise SuiteError(
            f"the model cannot be loaded ({str(error).strip().splitlines()[0]})",
            where=str(checkpoint.model_folder),
            next_step="Check that config.json belongs to these weights. A model type that transformers "
            f"{transformers.__version__} does not know needs a newer version, or a server of its own.",
        ) from error
    finally:
        if shown:
            bars.enable_progress_bar()
    # transformers fills what is missing with random numbers and only warns.
    missing = sorted(info["missing_keys"])
    if missing:
        more = f" and {len(missing) - _LISTED} more" if len(missing) > _LISTED else ""
        raise SuiteError(
            f"the weights lack {', '.join(missing[:_LISTED])}{more}",
            where=str(checkpoint.model_folder),
            next_step="Copy all shards again, or take the config.json that belongs to these weights.",
        )
    return module


def use_deterministic_algorithms() -> None:
    """Let torch take, in this process, only algorithms that give the same result for the same input: no TF32, no sums
    in changing order. A step that has none raises RuntimeError."""
    # cuBLAS reads it when it is first used; see torch.use_deterministic_algorithms.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = False


def chosen_device(device: str) -> str:
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        chosen = torch.device(device)
    except RuntimeError as error:
        raise UsageError(f"{device!r} is not a device", next_step="There are: auto, cpu, cuda, cuda:1.") from error
    counts = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}
    if (chosen.index or 0) >= counts.get(chosen.type, 0):
        raise UsageError(f"the device {device!r} is not available here", next_step="Use device auto or cpu.")
    return device


def chosen_dtype(dtype: str, stored: str, device: str) -> str:
    if dtype == "auto":
        # float32 on a CPU: an answer then does not depend on its batch mates. In bfloat16 it does (8-bit logits
        # have near ties): 8 of 16 answers of SmolLM2-135M changed. It takes 75 ms a step of 16 rows instead of
        # 130 on a processor with bfloat16 instructions, and far longer on one without.
        return "float32" if device == "cpu" or stored not in _DTYPES else stored
    if dtype not in _DTYPES:
        raise UsageError(f"{dtype!r} is not a dtype", next_step=f"There are: auto, {', '.join(_DTYPES)}.")
    return dtype


def _usable_cores() -> int:
    """Threads for a CPU: $OMP_NUM_THREADS, else the cores that this process may use."""
    cores = int(torch.get_num_threads())  # the machine's, whatever share of it a container has
    if os.environ.get("OMP_NUM_THREADS"):
        return cores
    if hasattr(os, "sched_getaffinity"):
        cores = min(cores, len(os.sched_getaffinity(0)))
    if _CPU_QUOTA.is_file():
        share, _, period = _CPU_QUOTA.read_text("ascii").partition(" ")
        if share.isdigit():
            cores = min(cores, max(1, round(int(share) / int(period))))
    return max(1, cores)
