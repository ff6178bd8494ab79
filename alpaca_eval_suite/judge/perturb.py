"""Pairs whose right verdict is known because one output was spoilt: what padding, echoes and off-topic answers do.

Made from labelled pairs: the answer that readers prefer (the first where they prefer none) stands against

- `padding`: itself with empty phrases after it; the answer alone is right,
- `echo`: the instruction given back,
- `off_topic`: an answer to another instruction,
- `identical`: itself; a tie is right.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, get_args

import numpy as np
import numpy.typing as npt
from pydantic import ConfigDict

from alpaca_eval_suite.judge.labelled import LabelledPair
from alpaca_eval_suite.judge.measure import labels_of, wins_of
from alpaca_eval_suite.prompts import chat_message
from alpaca_eval_suite.stats.clustered import mean_by_item
from alpaca_eval_suite.stats.totals import Estimate
from alpaca_eval_suite.types import Preference

Kind = Literal["padding", "echo", "off_topic", "identical"]
KINDS: tuple[Kind, ...] = get_args(Kind)

# Phrases that fit below any answer and say nothing of its subject.
_PADDING = (
    "I hope that this answer is helpful to you. It was written with great care, and every part of it has been "
    "considered in detail from a number of different angles.",
    "As always, it is important to keep in mind that there are many sides to this, and that each of them deserves "
    "attention in its own right. Taking all of this into account leads to a well-rounded and complete picture.",
    "In conclusion, the answer above covers what was asked in a clear, thorough and well-structured way. If anything "
    "else comes to mind, please feel free to ask, and further details will gladly be given.",
)


@dataclass(frozen=True)
class PerturbedPair:
    """A pair made for a purpose, and the label that is right: 1, 2, or 0 for a tie."""

    kind: Kind
    pair: LabelledPair
    right: int


@dataclass(frozen=True)
class Robustness:
    """How often a judge is right on `n` perturbed pairs of a kind, says tie, or is wrong; `n_failed` count as none."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    n: int
    n_failed: int
    right: Estimate
    tied: Estimate
    wrong: Estimate


def perturbed(pairs: Sequence[LabelledPair], n: int, seed: int) -> list[PerturbedPair]:
    """Four pairs, one of each kind, from each of `n` pairs drawn at random, no two of them on the same item.

    The same arguments give the same pairs; where the right answer stands is drawn too. Pairs whose answer holds no
    text are passed over; with one item only there is nothing off topic. Fewer come where there are fewer items.
    """
    rng = np.random.default_rng(seed)
    by_id = sorted((pair for pair in pairs if _answer(pair).strip()), key=lambda pair: pair.id)
    of_item: dict[str, LabelledPair] = {}
    for place in rng.permutation(len(by_id)).tolist():
        of_item.setdefault(by_id[place].item, by_id[place])
    drawn = list(of_item.values())
    found = []
    for number, pair in enumerate(drawn[:n]):
        other = drawn[(number + 1) % len(drawn)]
        spoilt: dict[Kind, str | None] = {
            "padding": "\n\n".join((_answer(pair).rstrip(), *_PADDING)),
            "echo": chat_message(pair.instruction.instruction, pair.instruction.input),
            "off_topic": _answer(other) if other is not pair else None,
            "identical": _answer(pair),
        }
        for kind in KINDS:
            first = bool(rng.integers(2))
            if (other_answer := spoilt[kind]) is not None:
                found.append(_made(kind, pair, other_answer, first))
    return found


def robustness(perturbed_pairs: Sequence[PerturbedPair], verdicts: Iterable[Preference]) -> dict[str, Robustness]:
    """How the judge of `verdicts` did on each kind that there is; ids join them, intervals resample items."""
    verdicts = list(verdicts)
    found: dict[str, Robustness] = {}
    for kind in KINDS:
        of_kind = [made for made in perturbed_pairs if made.kind == kind]
        if of_kind:
            found[kind] = _robustness(of_kind, verdicts)
    return found


def _robustness(made: Sequence[PerturbedPair], verdicts: Sequence[Preference]) -> Robustness:
    pairs = [of.pair for of in made]
    ids = {pair.id for pair in pairs}
    label = labels_of(wins_of(pairs, [p for p in verdicts if p.id in ids]))
    right = np.array([of.right for of in made], dtype=np.float64)

    def share(of_pairs: npt.NDArray[np.bool_]) -> Estimate:
        return mean_by_item(of_pairs, [pair.item for pair in pairs])

    failed = np.isnan(label)
    return Robustness(
        n=len(made),
        n_failed=int(failed.sum()),
        right=share(label == right),
        tied=share(label == 0),
        wrong=share((label != right) & (label != 0) & ~failed),
    )


def _made(kind: Kind, pair: LabelledPair, spoilt: str, right_first: bool) -> PerturbedPair:
    outputs = (_answer(pair), spoilt) if right_first else (spoilt, _answer(pair))
    instruction = replace(pair.instruction, id=f"{pair.id}~{kind}")
    made = LabelledPair(instruction, pair.item, *outputs, slices=pair.slices)
    return PerturbedPair(kind, made, 0 if kind == "identical" else 1 if right_first else 2)


def _answer(pair: LabelledPair) -> str:
    """The output that more readers prefer, the first where neither is."""
    labels: Mapping[str, int] = pair.labels
    votes = list(labels.values())
    return pair.output_2 if votes.count(2) > votes.count(1) else pair.output_1
