"""What makes a set of outputs suspicious: reported beside the rate that they get, never dropped from it.

>>> found = guards({"1": "Yes.", "2": "Yes.", "3": "Yes.", "4": "Yes."})
>>> found["constant_output"].flagged, found["empty_output"].flagged
(True, False)
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np

from alpaca_eval_suite.stats.injection import injections

Texts = Mapping[str, str]

_MOST_NAMED = 100

_ONE_ANSWER_SHARE = 0.5
_DUPLICATE_SHARE = 0.1
_START = 80  # characters: what begins alike for so long was not written for different questions
_FENCES = 3.0  # Tukey's outer fences, on the logarithm of the length
_LEAST_FOR_LENGTHS = 20
_NARROWEST = 0.5  # of the interquartile range: among near-equal lengths a factor of two is not extreme
_RUN = 8  # words
_LEAKED_SHARE = 0.5  # of the reference's runs of words


@dataclass(frozen=True)
class Guard:
    """One check of `n` outputs: the ids that it names, and whether they are enough to doubt the rate.

    `found` says in words what was looked for and found; `checked` is False where the check had nothing to go by.
    """

    n: int
    ids: tuple[str, ...]
    flagged: bool
    found: str
    checked: bool = True

    def as_json(self) -> dict[str, Any]:
        """The public form; at most a hundred ids are named, all are counted."""
        return {
            "flagged": self.flagged,
            "checked": self.checked,
            "n_found": len(self.ids),
            "share": len(self.ids) / self.n if self.n else None,
            "ids": list(self.ids[:_MOST_NAMED]),
            "found": self.found,
        }


def guards(outputs: Texts, *, instructions: Texts | None = None, references: Texts | None = None) -> dict[str, Guard]:
    """Every guard by its name, in a fixed order, for the outputs of one model by id.

    `instructions` let a text that the instruction itself holds pass (an answer may quote it); without
    `references` leakage is not checked. Nothing here says that an output is bad: a model that rightly declines
    thirty requests in the same words is named too.
    """
    instructions = instructions or {}
    normal = {id_: normalised(text) for id_, text in outputs.items()}
    checks: dict[str, Callable[[], Guard]] = {
        "constant_output": lambda: _constant(outputs),
        "empty_output": lambda: _empty(normal),
        "one_answer_for_all": lambda: _one_answer(normal),
        "duplicated_outputs": lambda: _duplicated(normal),
        "extreme_lengths": lambda: _extreme(outputs),
        "reference_leakage": lambda: _leakage(normal, instructions, references),
        "judge_injection": lambda: _injection(outputs, instructions),
    }
    return {name: check() for name, check in checks.items()}


def normalised(text: str) -> str:
    """`text` without case, marks and differences of white space: what makes two texts the same."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(re.findall(r"\w+", folded)) or " ".join(folded.split())


def _constant(outputs: Texts) -> Guard:
    same = len(outputs) > 1 and len(set(outputs.values())) == 1
    found = f"all {len(outputs)} outputs are the same text" if same else "the outputs differ"
    return Guard(len(outputs), tuple(outputs) if same else (), same, found, checked=len(outputs) > 1)


def _empty(normal: Texts) -> Guard:
    ids = tuple(id_ for id_, text in normal.items() if not text)
    return Guard(len(normal), ids, bool(ids), f"{len(ids)} outputs hold no text")


def _one_answer(normal: Texts) -> Guard:
    """One answer that is given, or begun, for at least half of the ids."""
    starts = {id_: text[:_START] for id_, text in normal.items() if text}
    if len(starts) < 2:
        return Guard(len(normal), (), False, "fewer than two outputs with text", checked=False)
    start, times = Counter(starts.values()).most_common(1)[0]
    if times < 2:
        return Guard(len(normal), (), False, f"no two outputs have the same first {_START} characters")
    ids = tuple(id_ for id_, text in starts.items() if text == start)
    flagged = times >= _ONE_ANSWER_SHARE * len(normal)
    return Guard(len(normal), ids, flagged, f"{times} outputs begin with the same {_START} characters, or are the same")


def _duplicated(normal: Texts) -> Guard:
    times = Counter(text for text in normal.values() if text)
    ids = tuple(id_ for id_, text in normal.items() if times[text] > 1)
    texts = sum(1 for count in times.values() if count > 1)
    flagged = len(ids) > 1 and len(ids) >= _DUPLICATE_SHARE * len(normal)
    return Guard(len(normal), ids, flagged, f"{len(ids)} outputs share {texts} texts")


def _extreme(outputs: Texts) -> Guard:
    """Lengths outside Tukey's outer fences on the logarithm; empty outputs are another guard's."""
    lengths = {id_: log(len(text)) for id_, text in outputs.items() if text.strip()}
    if len(lengths) < _LEAST_FOR_LENGTHS:
        return Guard(len(outputs), (), False, f"fewer than {_LEAST_FOR_LENGTHS} outputs with text", checked=False)
    low, high = np.quantile(list(lengths.values()), [0.25, 0.75])
    reach = _FENCES * max(float(high - low), _NARROWEST)
    ids = tuple(id_ for id_, length in lengths.items() if not low - reach <= length <= high + reach)
    usual = f"{np.exp(low):.0f} to {np.exp(high):.0f} characters are the middle half"
    return Guard(
        len(outputs), ids, bool(ids), f"{len(ids)} outputs are far shorter or longer than the others ({usual})"
    )


def _leakage(normal: Texts, instructions: Texts, references: Texts | None) -> Guard:
    """Outputs that hold at least half of the reference's runs of eight words which the instruction lacks."""
    if not references:
        return Guard(len(normal), (), False, "no references were given", checked=False)
    ids = []
    compared = 0
    for id_, text in normal.items():
        quoted = _runs(normalised(instructions.get(id_, "")))
        own = _runs(normalised(references.get(id_, ""))) - quoted
        compared += bool(own)
        if own and len(own & _runs(text)) >= _LEAKED_SHARE * len(own):
            ids.append(id_)
    found = f"{len(ids)} of {compared} outputs hold their reference word for word (references of {_RUN} words or more)"
    return Guard(len(normal), tuple(ids), bool(ids), found, checked=compared > 0)


def _runs(text: str) -> set[str]:
    words = text.split()
    return {" ".join(words[at : at + _RUN]) for at in range(len(words) - _RUN + 1)}


def _injection(outputs: Texts, instructions: Texts) -> Guard:
    """Outputs in which a pattern matches that does not match in the instruction."""
    names: Counter[str] = Counter()
    ids = []
    for id_, text in outputs.items():
        own = set(injections(text)) - set(injections(instructions.get(id_, "")))
        if own:
            ids.append(id_)
            names.update(own)
    kinds = ", ".join(f"{name} ({count})" for name, count in sorted(names.items()))
    return Guard(
        len(outputs), tuple(ids), bool(ids), f"{len(ids)} outputs speak to the judge" + (f": {kinds}" if kinds else "")
    )
