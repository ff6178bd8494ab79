"""One answer, one question to a judge, one label: a judge in the place of a probe's rule.

The judge sees the request, what is known of it, the answer and what each label means, never a model's name. What it
must end with carries a mark made from these texts, so that an answer which holds a label of this form cannot know
the mark and cannot plant one.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from alpaca_eval_suite.files import read_text, sha256_text
from alpaca_eval_suite.judge.conversation import request_shown, request_texts
from alpaca_eval_suite.judge.reply import JudgePrompt, label_of, read_last_line, sendable
from alpaca_eval_suite.prompts import fill
from alpaca_eval_suite.resources import resource_dir
from alpaca_eval_suite.types import Instruction


@dataclass(frozen=True)
class Labelled:
    """A reply that was read: which label, and the judge's words before it."""

    label: str
    reason: str


@lru_cache(maxsize=1)
def template() -> str:
    """The text of the question, with {label}, {request}, {known}, {answer} and {labels} to be filled in."""
    return read_text(resource_dir("run_specs") / "judges" / "labelling.txt")


def template_hash(meanings: Mapping[str, str]) -> str:
    """SHA-256 of the template and of what the labels mean, part of what identifies a judge."""
    return sha256_text("\0".join([template(), json.dumps(dict(meanings))]))


def labelling_prompt(
    item: Instruction, output: str, meanings: Mapping[str, str], known: Sequence[str], seed: int = 0
) -> JudgePrompt:
    """The question which of the labels in `meanings` the answer `output` to `item` has.

    `meanings` says in a sentence what each label means, `known` what is known of the item, a line each; the item's
    reference is added. The same texts and seed give the same bytes, so that a paid-for reply is found in a cache.
    """
    facts = [*known, *([f"A good answer: {item.reference}"] if item.reference else [])]
    known_text = sendable("\n".join(f"- {fact}" for fact in facts) or "- Nothing beside the request.")
    answer = sendable(output)
    mark = label_of(seed, *request_texts(item), known_text, answer)
    labels = "\n".join(f"- {label}: {meaning}" for label, meaning in meanings.items())
    text = fill(
        template(), label=mark, request=request_shown(item, mark), known=known_text, answer=answer, labels=labels
    )
    return JudgePrompt(text, mark)


def read_label(reply: str, mark: str, labels: Sequence[str]) -> Labelled:
    """Read one of `labels` from the last line that is not blank; see `read_last_line`, also for errors."""
    return Labelled(*read_last_line(reply, f"LABEL-{mark}", labels))
