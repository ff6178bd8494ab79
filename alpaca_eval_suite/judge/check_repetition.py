"""Two ways in which weak models fail whatever the task: going round in circles, and handing back the prompt.

The constants were set on answers of eight published models to 252 everyday instructions (2,016 texts) and on
the reference answers of `user_oriented_mini`; CHECKS.md there gives the figures.
"""

import re
from collections import Counter
from collections.abc import Sequence

from alpaca_eval_suite.judge.check_text import shorten, words

# A line of five words or more that stands three times is a loop; shorter ones ("}", "| --- |", "Breakfast at
# the hotel") recur in code, tables and plans.
_LINE_WORDS = 5
_LINE_TIMES = 3
_GRAM = 4
# One phrase of four words said at least three times and making up this share of all phrases: a loop of up to
# six words. Under 20 phrases (about two sentences) shares say nothing.
_PHRASE_SHARE = 0.15
_PHRASE_TIMES = 3
_PHRASES_NEEDED = 20
# The share of phrases that stood before in the same text: catches loops of whole sentences and paragraphs.
_OLD_SHARE = 0.4
# Different words among 100 words on end: 34 to 75 in answers that do not loop (5th to 95th percentile), under
# 24 in three quarters of those that do.
# A window, because the ratio of a whole text falls with its length.
_WINDOW = 100
_DISTINCT_SHARE = 0.25
# One character 30 times on end is a stuck decoder, unless it draws a rule or a table.
_STUCK = re.compile(r"([^\s\-=_*.~#|+─━═])\1{29,}")


def repetition_in(text: str) -> str | None:
    """One sentence on how `text` repeats itself, or None when it does not."""
    tokens = words(text)
    if stuck := _STUCK.search(text):
        return f"The character {stuck[1]!r} stands {len(stuck[0])} times on end."
    return _repeated_line(text) or _repeated_phrases(tokens) or _few_words(tokens)


def _repeated_line(text: str) -> str | None:
    counts = Counter(" ".join(words(line)) for line in text.splitlines())
    for line, times in counts.most_common():
        if times < _LINE_TIMES:
            break
        if line.count(" ") >= _LINE_WORDS - 1:
            return f"The line “{shorten(line)}” stands {times} times."
    return None


def _repeated_phrases(tokens: Sequence[str]) -> str | None:
    phrases = _grams(tokens, _GRAM)
    if len(phrases) < _PHRASES_NEEDED:
        return None
    counts = Counter(phrases)
    phrase, times = counts.most_common(1)[0]
    if times >= _PHRASE_TIMES and times / len(phrases) > _PHRASE_SHARE:
        return f"The phrase “{' '.join(phrase)}” stands {times} times."
    old = 1 - len(counts) / len(phrases)
    return f"{old:.0%} of its phrases repeat earlier ones." if old > _OLD_SHARE else None


def _few_words(tokens: Sequence[str]) -> str | None:
    if len(tokens) < _WINDOW:
        return None
    starts = range(0, len(tokens) - _WINDOW + 1, _WINDOW // 2)
    fewest = min(len(set(tokens[start : start + _WINDOW])) for start in starts)
    if fewest / _WINDOW < _DISTINCT_SHARE:
        return f"One stretch of {_WINDOW} words has only {fewest} different ones."
    return None


# Eight words in a row are hardly ever shared by chance; over half of an answer made of such runs is a copy.
_COPY_GRAM = 8
_COPY_SHARE = 0.5


def copied_share(output: str, *, instruction: str, input: str) -> float:
    """How much of `output` is copied from the prompt: its word 8-grams found there, from 0 to 1.

    An output too short for an 8-gram is a copy (1) only when it is the whole instruction or the whole input:
    a short answer may rightly be quoted from the input.
    """
    tokens = words(output)
    sources = [words(instruction), words(input)]
    if len(tokens) < _COPY_GRAM:
        return float(bool(tokens) and tokens in sources)
    known = set(_grams([*sources[0], *sources[1]], _COPY_GRAM))
    grams = _grams(tokens, _COPY_GRAM)
    return sum(gram in known for gram in grams) / len(grams)


def is_echo(share: float) -> bool:
    """Whether an output with this `copied_share` counts as a copy of its prompt."""
    return share > _COPY_SHARE


def _grams(tokens: Sequence[str], n: int) -> list[tuple[str, ...]]:
    return list(zip(*(tokens[start:] for start in range(n)), strict=False))
