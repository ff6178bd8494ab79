"""Which of a fixed set of languages a text is written in."""

import unicodedata
from collections import Counter
from functools import lru_cache
from typing import Literal, get_args

LatinLanguage = Literal["de", "en", "es", "fr", "it", "nl", "pt"]
ScriptLanguage = Literal["ar", "el", "he", "hi", "ja", "ko", "ru", "th", "zh"]
Language = LatinLanguage | ScriptLanguage
"""ISO 639-1 codes that can be told apart. Those of `ScriptLanguage` are told by their script alone: Ukrainian
passes for Russian, Persian for Arabic."""

_BY_SCRIPT = {
    "ARABIC": "ar",
    "GREEK": "el",
    "HEBREW": "he",
    "DEVANAGARI": "hi",
    "HANGUL": "ko",
    "CYRILLIC": "ru",
    "THAI": "th",
    "CJK": "zh",
}
_KANA = ("HIRAGANA", "KATAKANA")
# Japanese mixes kana with Chinese characters; even dense text has a fifth of kana, Chinese text has none.
_KANA_SHARE = 0.1
# As much as the classifier needs by far; it walks byte by byte.
_SAMPLE = 20_000


def language_of(text: str) -> str | None:
    """The code of the language most of `text` is in, or None when it holds no letter of a known script.

    The script of most letters decides; among languages in Latin letters py3langid does, restricted to
    `LatinLanguage`. Under about twenty letters its guess is weak.
    """
    sample = text[:_SAMPLE]
    names = [_script(character) for character in sample if character.isalpha()]
    scripts = Counter("CJK" if name in _KANA else name for name in names)
    if not scripts:
        return None
    script = scripts.most_common(1)[0][0]
    if script == "LATIN":
        return _latin_language(sample)
    if script == "CJK" and sum(name in _KANA for name in names) >= _KANA_SHARE * scripts["CJK"]:
        return "ja"
    return _BY_SCRIPT.get(script)


@lru_cache(maxsize=4096)
def _script(character: str) -> str:
    name = unicodedata.name(unicodedata.normalize("NFKC", character)[0], "")
    return name.split(" ")[0].split("-")[0]


def _latin_language(text: str) -> str | None:
    from py3langid import langid

    clean = text.encode("utf-8", "replace").decode("utf-8")
    codes = get_args(LatinLanguage)
    # All languages are ranked and ours picked out, because restricting the library's classifier would change
    # it for everything else in the process.
    return next((str(code) for code, _ in langid.rank(clean) if code in codes), None)
