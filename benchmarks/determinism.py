"""How often the batch size or bfloat16 changes an answer: the embedded model, greedy, the same prompts each time.

Run it from the checkout (some minutes on two cores):

    python benchmarks/determinism.py [--capitals 48] [--everyday 24] [--max-tokens 64] [--device cpu]

The prompts are items of `capitals` and of `user_oriented_mini`, evenly spaced over each, through the chat template.
Two answers are the same when their texts are, character for character. Prints a table in Markdown, with a Wilson
interval at 95 % for each share.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

Setting = tuple[str, int]
"""dtype and batch size."""

PAIRS: tuple[tuple[Setting, Setting], ...] = (
    (("float32", 1), ("float32", 16)),
    (("float32", 1), ("bfloat16", 1)),
    (("bfloat16", 1), ("bfloat16", 16)),
)


def prompts_of(scenario: str, count: int) -> list[str]:
    """`count` items of the scenario, evenly spaced, as the user's message."""
    from alpaca_eval_suite.cards import load_card, load_instructions
    from alpaca_eval_suite.prompts import chat_message

    items = load_instructions(load_card(scenario))
    chosen = [items[index * len(items) // count] for index in range(min(count, len(items)))]
    return [chat_message(item.instruction, item.input) for item in chosen]


def answers(folder: Path, setting: Setting, device: str, prompts: Sequence[str], max_tokens: int) -> list[str]:
    """The answers in one setting, from a model loaded for it."""
    from alpaca_eval_suite.models.checkpoint import Checkpoint
    from alpaca_eval_suite.models.local import LocalModel
    from alpaca_eval_suite.models.request import GenerationRequest, Message

    dtype, batch_size = setting
    model = LocalModel.load(Checkpoint.open(folder), dtype=dtype, device=device, batch_size=batch_size)
    requests = [GenerationRequest((Message("user", prompt),), max_tokens) for prompt in prompts]
    return [generation.text for generation in model.generate(requests)]


def line(pair: tuple[Setting, Setting], first: Sequence[str], second: Sequence[str]) -> str:
    """One row of the table."""
    from alpaca_eval_suite.stats.proportion import rate

    changed = sum(a != b for a, b in zip(first, second, strict=True))
    share = rate(changed, len(first))
    assert share.estimate is not None
    assert share.interval is not None
    low, high = share.interval.low, share.interval.high
    names = [f"{dtype}, batch {batch_size}" for dtype, batch_size in pair]
    return (
        f"| {names[0]} | {names[1]} | {changed} of {len(first)} | {100 * share.estimate:.1f} "
        f"[{100 * low:.1f}, {100 * high:.1f}] |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--capitals", type=int, default=48)
    parser.add_argument("--everyday", type=int, default=24)
    parser.add_argument("--max-tokens", type=int, default=64)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()

    from alpaca_eval_suite.models.embedded import ensure_embedded_model
    from alpaca_eval_suite.models.threads import let_threads_sleep

    let_threads_sleep()  # before torch is imported
    folder = ensure_embedded_model()
    prompts = prompts_of("capitals", options.capitals) + prompts_of("user_oriented_mini", options.everyday)
    found: dict[Setting, list[str]] = {}
    for setting in dict.fromkeys(setting for pair in PAIRS for setting in pair):
        start = time.perf_counter()
        found[setting] = answers(folder, setting, options.device, prompts, options.max_tokens)
        print(f"{setting[0]}, batch {setting[1]}: {time.perf_counter() - start:.0f} s", flush=True)

    import torch  # not before the package that sets up its threads

    print(
        f"\n{folder.name}, {len(prompts)} prompts ({options.capitals} capitals, {options.everyday} everyday), at most "
        f"{options.max_tokens} tokens, greedy, {options.device}, torch {torch.__version__}\n\n"
        "| | | answers that differ | % |\n| --- | --- | ---: | ---: |"
    )
    for pair in PAIRS:
        print(line(pair, found[pair[0]], found[pair[1]]))


if __name__ == "__main__":
    main()
