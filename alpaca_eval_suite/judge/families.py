"""Whose model is it: a judge that is the model, the baseline or a relative of theirs likes what is like itself.

Families go by name. A name that is not known belongs to none, so nothing is flagged by accident; and nothing is found
where a name says nothing (a fine-tuned checkpoint's folder).
"""

import re
from collections.abc import Mapping

# Made by one company only: with another family in the name ("claude2-alpaca-13b", "gpt4-x-alpaca") they are the source
# of the training texts, not of the weights.
_CLOSED = {
    "gpt": r"gpt-?[345]\b(?!-?all)|gpt-?(?:35|41|4o|4v)|chatgpt|gpt-oss|(?:text-|code-)?davinci"
    r"|o[134]$|o[134]-(?:mini|pro|preview|\d)",
    "claude": r"claude",
    "gemini": r"gemini|bard$|palm-?2|text-bison|chat-bison",
    "cohere": r"cohere|command(?:-r|-a|-light|-nightly|$)|aya\b",
}
_OPEN = {
    # What was trained on from LLaMA's weights counts as LLaMA.
    "llama": r"(?<!open-)(?<!tiny-)(?:code)?llama|alpaca|vicuna|koala|guanaco|tulu|ultra-?lm|baize|minotaur|longchat"
    r"|wizard-?lm-(?:7|13|30|70)b|nous-hermes-(?:7|13)b|nous-hermes-llama|stable-?beluga|orca-mini|xwin|pandalm",
    "mistral": r"mistral|mixtral|ministral|codestral|magistral|pixtral|zephyr|open-?hermes|starling|deita"
    r"|open-?chat-3",
    "qwen": r"qwen|qwq",
    "gemma": r"(?:code|med|pali|shield)?gemma",
    "smollm": r"smollm",
    "phi": r"phi-?[1234]",
    "falcon": r"falcon",
    "deepseek": r"deepseek",
    "yi": r"yi-(?:\d|large|medium|vision|spark)",
    "glm": r"(?:chat)?glm-?\d",
    "grok": r"grok\b",
    "olmo": r"olmoe?",
    "pythia": r"pythia|dolly|oasst-sft-4|gpt-neox",
    "gpt-j": r"gpt-?j|gpt4all-j",
    "gpt-2": r"gpt-?2|distilgpt2",
    "mpt": r"mpt-\d",
    "bloom": r"bloomz?",
    "internlm": r"internlm",
    "granite": r"granite",
    "nova": r"nova-(?:lite|micro|pro|premier)",
}
_PATTERNS = {name: re.compile(rf"(?<![a-z0-9])(?:{pattern})") for name, pattern in {**_OPEN, **_CLOSED}.items()}


def families_of(name: str) -> frozenset[str]:
    """The families that a model's name speaks of, empty where it is not known.

    Read from the last part of a path or of organisation/model: "alpaca/~/step-100" is a place, not an Alpaca.
    """
    plain = _plain(name)
    found = {family for family, pattern in _PATTERNS.items() if pattern.search(plain)}
    open_ones = found - _CLOSED.keys()
    return frozenset(open_ones or found)


def self_judged(judge: str, model: str, baseline: str, *, fingerprints: Mapping[str, str] | None = None) -> str | None:
    """Why the verdicts of `judge` are self-judged, None where nothing speaks for that.

    The names are those of models (an endpoint's own name for its model, a folder, a HELM deployment). `fingerprints`:
    those of local checkpoints, by name; with two of them what they say counts, not the names.
    """
    known = fingerprints or {}
    reasons = []
    for role, other in (("model", model), ("baseline", baseline)):
        if _is_same(judge, other, known):
            reasons.append(f"the judge is the {role} itself")
        elif shared := families_of(judge) & families_of(other):
            reasons.append(f"the judge is of the {role}'s family ({', '.join(sorted(shared))})")
    return "; ".join(reasons) or None


def _is_same(judge: str, other: str, fingerprints: Mapping[str, str]) -> bool:
    mine, others = fingerprints.get(judge), fingerprints.get(other)
    if mine and others:
        return mine == others
    if judge.casefold() == other.casefold():
        return True
    # organisation/gpt-4o and gpt-4o; but a/checkpoint-100 and b/checkpoint-100 need not be one.
    return bool(families_of(judge)) and _plain(judge) == _plain(other)


def _plain(name: str) -> str:
    """The last part of a name or path, in small letters, with "-" for all that parts words."""
    last = re.split(r"[/\\]", name.strip().rstrip("/\\"))[-1]
    return re.sub(r"[^a-z0-9]+", "-", last.casefold()).strip("-")
