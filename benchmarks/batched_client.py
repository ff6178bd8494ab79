"""Tokens per CPU second: our batches against HELM's own HuggingFaceClient, same prompts, same model.

Run it from the checkout (about two minutes on two cores):

    python benchmarks/batched_client.py [--dtype float32] [--prompts 32] [--max-tokens 48]

Both sides answer greedily through the chat template, from as many threads as helm-run would use
(`--num-threads`): HELM's default of 4 for its own client, which answers one request at a time in each; one a
batch row for ours. Loading the model is not counted, nothing is cached, and no prompt stands twice. Prints a
line a side and the ratio; the exit code is 1 where the ratio is below `--at-least`.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

SUBJECTS = (
    "a bicycle",
    "the sea",
    "winter",
    "a small library",
    "bread",
    "a railway station",
    "sleep",
    "the moon",
)
TASKS = (
    "Name three things that go with {}.",
    "Write a short e-mail to a colleague about {}.",
    "Explain {} to a child in two sentences.",
    "Write a four-line poem about {}, and then say in one sentence which of its lines is the best and why.",
)
PROMPTS = tuple(task.format(subject) for subject in SUBJECTS for task in TASKS)
WARM_UP = "Say hello."


@dataclass(frozen=True)
class Answer:
    """One answer: how many tokens, and the text without end marks."""

    tokens: int
    text: str


@dataclass(frozen=True)
class Measurement:
    """What one side took for all prompts."""

    answers: tuple[Answer, ...]
    cpu_seconds: float
    wall_seconds: float

    @property
    def tokens(self) -> int:
        return sum(answer.tokens for answer in self.answers)

    @property
    def tokens_per_cpu_second(self) -> float:
        return self.tokens / self.cpu_seconds


def measure(answer: Callable[[str], Answer], prompts: Sequence[str], threads: int) -> Measurement:
    """Answer all prompts from `threads` threads; CPU time is that of the whole process, all threads."""
    answer(WARM_UP)
    with ThreadPoolExecutor(threads) as pool:
        cpu, wall = time.process_time(), time.perf_counter()
        answers = tuple(pool.map(answer, prompts))
        return Measurement(answers, time.process_time() - cpu, time.perf_counter() - wall)


def helm_side(folder: Path, dtype: str, max_tokens: int) -> Callable[[str], Answer]:
    """HELM's HuggingFaceClient on the folder, configured as a model deployment would."""
    from helm.clients.huggingface_client import HuggingFaceClient
    from helm.common.cache import BlackHoleCacheConfig
    from helm.common.request import Request
    from helm.tokenizers.huggingface_tokenizer import HuggingFaceTokenizer

    tokenizer = HuggingFaceTokenizer(BlackHoleCacheConfig(), "local/model", str(folder))
    client = HuggingFaceClient(
        BlackHoleCacheConfig(),
        tokenizer,
        pretrained_model_name_or_path=str(folder),
        apply_chat_template=True,
        end_of_text_token="<|im_end|>",
        torch_dtype=f"torch.{dtype}",
    )

    def answer(prompt: str) -> Answer:
        result = client.make_request(
            Request(
                model="local/model",
                model_deployment="local/model",
                prompt=prompt,
                max_tokens=max_tokens,
                temperature=0.0,
                stop_sequences=[],
            )
        )
        if not result.success:
            raise RuntimeError(f"HELM's client failed: {result.error}")
        completion = result.completions[0]
        return Answer(len(completion.tokens), completion.text.strip())

    return answer


def our_side(folder: Path, dtype: str, max_tokens: int, batch_size: int) -> Callable[[str], Answer]:
    """Our Batcher on the folder."""
    from alpaca_eval_suite.models.batching import get_model
    from alpaca_eval_suite.models.request import GenerationRequest, Message

    batcher = get_model(folder, dtype=dtype, batch_size=batch_size)

    def answer(prompt: str) -> Answer:
        generation = batcher.submit(GenerationRequest((Message("user", prompt),), max_tokens))
        ended = generation.finish_reason == "eos"
        # HELM's client cuts the end mark off before tokens are counted; so does this.
        return Answer(len(generation.tokens) - ended, generation.text.strip())

    return answer


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--dtype", default="float32", choices=("float32", "bfloat16"))
    parser.add_argument("--prompts", type=int, default=len(PROMPTS), help=f"at most {len(PROMPTS)}")
    parser.add_argument("--max-tokens", type=int, default=48)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--helm-threads", type=int, default=4)
    parser.add_argument("--at-least", type=float, default=4.0, help="the ratio that is expected")
    options = parser.parse_args()

    from alpaca_eval_suite.models.embedded import ensure_embedded_model

    folder = ensure_embedded_model()
    prompts = PROMPTS[: options.prompts]
    ours = measure(our_side(folder, options.dtype, options.max_tokens, options.batch_size), prompts, options.batch_size)
    helm = measure(helm_side(folder, options.dtype, options.max_tokens), prompts, options.helm_threads)

    import torch  # not before the package that sets up its threads

    print(
        f"{folder.name}, {len(prompts)} prompts, at most {options.max_tokens} tokens each, {options.dtype} "
        f"on both sides, torch {torch.__version__} with {torch.get_num_threads()} threads"
    )
    rows = (
        (f"alpaca-eval-suite, batch {options.batch_size}", ours),
        (f"HELM HuggingFaceClient, {options.helm_threads} threads", helm),
    )
    for name, side in rows:
        print(
            f"{name:36} {side.tokens:6} tokens {side.cpu_seconds:7.1f} CPU s {side.wall_seconds:7.1f} s wall "
            f"{side.tokens_per_cpu_second:7.1f} tokens/CPU s {side.tokens / side.wall_seconds:7.1f} tokens/s"
        )
    same = sum(a.text == b.text for a, b in zip(ours.answers, helm.answers, strict=True))
    ratio = ours.tokens_per_cpu_second / helm.tokens_per_cpu_second
    wall = helm.wall_seconds / helm.tokens * ours.tokens / ours.wall_seconds
    print(f"ratio: {ratio:.1f} times the tokens per CPU second, {wall:.1f} times per second of wall time")
    print(f"same text: {same} of {len(prompts)}")
    return 0 if ratio >= options.at_least else 1


if __name__ == "__main__":
    sys.exit(main())
