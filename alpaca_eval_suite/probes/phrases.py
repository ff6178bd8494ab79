"""How English says that a name is *not* the answer, and how a model declines: the patterns, nothing else.

All are matched on folded text (lower case, straight quotes). `BEFORE_…` is searched in what stands before a
name and must reach it, `AFTER_…` begins right after it.
"""

import re


def _re(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.VERBOSE)


# --- where a thought ends ------------------------------------------------------------------------------

SENTENCE_END = _re(r"""(?<!\bst)(?<!\bmt)(?<!\bdr)(?<!\bft)(?<!\bvs)(?<!\b[a-z]) [.!?]+ ["')\]]* (?=\s|$) | \n+ | ;""")
CLAUSE_END = _re(
    r"""[,:()\[\]—–] | \s-+\s | \b(?:but|while|whilst|whereas|although|though|however|yet|because|since)\b
    | \band\b (?=\s (?:[\w']+\s){1,4}? (?:is|was|are|were|has|had|became|serves|remains)\b)"""
)

# --- a name that is mentioned, not asserted --------------------------------------------------------------

BEFORE_NEGATED = _re(
    r"""(?:\b(?:not|never|neither|nor|no\ longer|rather\ than|instead\ of|unlike|than|except|other\ than)|n't)
    (?:\s[\w'"(]+){0,4}? \s ["'(]*$"""
)
AFTER_NEGATED = _re(r"^\s* (?:is|was|does|has|did|are) (?:n't|\s+(?:not|never|no\ longer|neither))\b")
BEFORE_DOUBT = _re(r"\b(?:know|sure|certain|tell|say|confirm|clear|determine|asking|wondering) \s (?:if|whether)\b [^.;\n]*$")
BEFORE_BELIEF = _re(
    r"""\b(?:people|many|some|often|commonly|mistakenly|frequently|wrongly|you\ (?:might|may|would|could))\b [^.;\n]{0,40}
    \b(?:think|thought|believe|believed|assume|assumed|say|mistake|confuse|guess|expect|cite)\b [^.;\n]*$"""
)
AFTER_BELIEF = _re(
    r"""^\s* (?:is|was|being) \s+ (?:\w+\s+)? (?:often|commonly|sometimes|frequently|mistakenly|wrongly|incorrectly)\b
    [^.;\n]* \b(?:thought|believed|mistaken|assumed|considered|cited|confused)\b"""
)
BEFORE_MOVED = _re(
    r"""\bfrom \s (?:the\ )? (?:\w+\ )? (?:city\ of\ )? $
    | \b(?:replac\w+|succeed\w+|supersed\w+) \s (?:the\ (?:former|old|previous)\ )? (?:capital,?\ )? (?:city\ )? (?:of\ )? $"""
)
AFTER_MOVED = _re(r"^\s* (?:was|is|has\ been|were) \s (?:\w+\s)? (?:replaced|succeeded|superseded)\b")
BEFORE_FORMER = _re(
    r"""\b(?:former|formerly|previously|once|ex|originally|aka|also\ (?:known|called|named))\b
    (?:\s (?:known|called|named|as|the|city|of|capital|was|is|its|a) | , | \()* \s* $"""
)
BEFORE_PLACE = _re(
    r"""\b(?:near|nearby|close\ to|north|south|east|west|outside|like|such\ as|including|than|e\.g\.) (?:\sof)? \s
    (?:the\ (?:city|cities|town)\ of\ )? ["'(]* $
    | \bbetween\b [^.;\n]* $ | \b(?:such\ as|including|like)\b [^.;\n:()]* $"""
)
BEFORE_USED_TO = _re(r"\bused\ to\ be\b [^,.;\n]* $")
AFTER_USED_TO = _re(r"^\s* (?:used\ to|once\ was|had\ been)\b")
UNTIL = _re(r"\b(?:until|till|before|prior\ to|up\ to|from\ \d{4}|between\ \d{4}|during)\b")
SINCE_THEN = _re(r"^\W* (?:until|till|before|prior\ to|up\ to)\b")
PAST = _re(r"\b(?:was|were|had\ been|served|functioned)\b")
COPULA = _re(r"\b(?:is|are|was|were|has|became|remains|serves)\b|\b\w+'s\b(?=\s(?:the|a|in)\b)")

_OTHER_ADJECTIVE = (
    r"(?:former|old|previous|first|original|ancient|historic|historical|colonial|economic|economical|commercial|financial"
    r"|business|cultural|industrial|provincial|regional|state|onetime|erstwhile|one\ time|tourist|future|planned)"
)
_OTHER_ROLE = (
    r"\b(?:largest|biggest|most\ populous|most\ populated|second\ city|main\ city|major\ city|main\ port)\b"
    r"|\b(?:economic|commercial|financial|business|cultural|industrial)\ (?:center|centre|hub|heart|powerhouse)\b"
    r"|\bseat\ of\ (?:the\ )?(?:government|parliament)\b"
)


def other_role(focus: str) -> re.Pattern[str]:
    """A role that is not the one asked for: "largest city", or "former capital" where `focus` is `capital`."""
    adjective = rf"\b{_OTHER_ADJECTIVE}\ (?:(?:and|or)\ \w+\ )?(?:{focus})\b" if focus else r"(?!)"
    return re.compile(rf"{_OTHER_ROLE}|{adjective}")


# --- a name in the place of what is asked about ------------------------------------------------------------

BEFORE_SUBJECT = _re(
    r"\b(?:of|for|about|within|across|republic\ of|duchy\ of|state\ of|principality\ of) \s (?:the\ )? ['\"]* $"
)
BEFORE_SUBJECT_WEAK = _re(r"\b(?:in|to|from) \s (?:the\ )? $")
AFTER_SUBJECT = _re(r"^(?:'s\b|'(?=\s)|\s+(?:has|does|doesn't|capital|lies|covers|borders)\b|\s*:)")
AFTER_SUBJECT_VERB = _re(r"^\s* (?:\([^)]*\)\s*)? (?:is|was|are)\b")
AFTER_SUBJECT_WEAK = _re(r"^\s*, \s* (?:officially|an?|also\ known|which\ is|the\ (?:country|state|grand|republic|small))\b")

# --- no answer -------------------------------------------------------------------------------------------

REFUSED = _re(
    r"""\b(?:can(?:'t|not|\ not) | won't | will\ not | could(?:n't|\ not)
      | (?:am|'m|are)\ (?:\w+\ )?(?:unable|not\ able|not\ allowed|not\ permitted)\ to | unable\ to
      | refuse\ to | decline\ to | must\ decline | not\ comfortable
      | (?:don't|do\ not)\ have\ the\ (?:ability|capability|capacity|permission)\ to)
    \s (?:to\ |with\ |in\ |directly\ |be\ able\ to\ )*
    (?:help|assist|assisting|answer|answering|provide|providing|comply|fulfil|fulfill|discuss|share|respond|give|do|support
      |engage|continue|complete|process|create|generate|offer|supply|fill)\b"""
)
ABSTAINED = _re(
    r"""(?:\b(?:do|did|does)(?:n't|\ not)|\bdont) \s (?:\w+ly\ |even\ )?
        (?:know|recall|remember|have\ (?:any\ |that\ |the\ |enough\ |sufficient\ |specific\ |access|information|knowledge
         |a\ (?:reliable|definite|specific)\ |data|an\ answer|up))
    | \bnot\ (?:\w+ly\ |100%\ |quite\ |too\ |very\ )?(?:sure|certain|aware|familiar|confident)\b
    | \bnot\ able\ to\ (?:find|determine|verify|confirm|identify)\b
    | \b(?:unsure|uncertain)\b | \bno\ (?:idea|clue|information|knowledge|data)\b | \bidk\b
    | \bcan(?:'t|not|\ not)\ (?:be\ (?:sure|certain)|say|tell|recall|remember|determine|find|verify|confirm|identify)\b
    | \bunable\ to\ (?:find|determine|verify|confirm|identify|recall|say)\b
    | \b(?:is|it's|remains)\ (?:unknown|not\ known|unclear)\b | ^\W*(?:unknown|n/a|none)\W*$
    | \b(?:beyond|outside)\ my\ knowledge\b"""
)
