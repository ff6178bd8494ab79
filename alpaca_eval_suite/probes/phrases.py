"""How English says that a name is *not* the answer, and how a model declines: the patterns, nothing else.

All are matched on folded text (lower case, straight quotes, single spaces). BEFORE_… is searched in what
stands before a name and reaches it, AFTER_… begins right after it.
"""

import re


def _re(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.VERBOSE)


# --- where a thought ends --------------------------------------------------------------------------------

SENTENCE_END = _re(r"""(?<!\bst)(?<!\bmt)(?<!\bdr)(?<!\bft)(?<!\bvs)(?<!\b[a-z]) [.!?]+ ["')\]]* (?=\s|$) | \n+ | ;""")
CLAUSE_END = _re(
    r"""[,:()\[\]—–] | \s-+\s
    | \b(?:but|while|whilst|whereas|although|though|however|yet|because|since)\b
    | \band\b (?=\s (?:[\w']+\s){1,4}? (?:is|was|are|were|has|had|became|serves|remains)\b)"""
)
ASKED = _re(r"\b(?:which|what|whether|is|are|was|do|does|did|could|would)\b")
TURN = _re(r"[();] | \bbut\b")
COPULA = _re(r"\b(?:is|are|was|were|has|became|remains|serves)\b | \w's\b (?=\s (?:the|a|in)\b)")

# --- names that nobody listed ----------------------------------------------------------------------------

WORD = _re(r"[^\W_][\w']*")
WITHIN_NAME = _re(r"\s (?:(?:de|la|le|of|el|al|du|the|es|y) \s)? | \.\s")
LONGER_NAME = _re(r"\s(?:de|del|da|do)\s")
LINK = _re(
    r"""(?:\b(?:is|are|was|called|named) | 's | :) \s
    (?:(?:the|a|an|city|town|of|called|named|known|as|actually|currently|now|officially|also|indeed|definitely
       |probably|likely|simply|either|in\ fact|correct|answer|it|is) \s)* ["'(]*"""
)
# What may follow a noun; "the Tanzanian city" shows by its next word that "Tanzanian" is none.
AFTER_NAME = _re(
    r"""^(?: $ | \n | [^\w\s'] | \s(?: $ | \W
      | (?:and|or|in|which|with|located|situated|but|at|on|near|since|as|is|was|has|that|where|for|not|by|from
        |to|itself)\b))"""
)
NO_NAME = _re(
    r"""^(?:an?|absolutely|answer|as|capital|certainly|city|great|hello|here|hi|i|idk|if|in|is|it|my|no|none|not|ok
      |okay|question|response|sorry|sure|thanks?|that|the|there|this|to|unknown|we|well|what|which|yes|you)\b"""
)

# --- names side by side ----------------------------------------------------------------------------------

LISTING = _re(
    r"""^\s* (?:\([^)]*\)\s*)? (?:[,/&|] | \b(?:or|and)\b | \n\s*(?:[-•] | \d+[.)]))
    (?:[\s,/&|] | \b(?:or|and|either|possibly|perhaps|maybe|even|also|the|city|of)\b | [-•] | \d+[.)])* $"""
)
OR_ELSE = _re(r"\s* ,? \s* (?:\bor|/) \s+")

# --- a name that is mentioned, not asserted --------------------------------------------------------------

BEFORE_NEGATED = _re(
    r"""(?:\b(?:not|never|neither|nor|no\ longer|rather\ than|instead\ of|unlike|than|except|other\ than)|n't)
    (?:\s[\w'"(]+){0,4}? \s ["'(]* $"""
)
NEGATED_LIST = _re(  # "not Toronto, Montreal or Vancouver"
    r"""(?:\b(?:not|never|neither|unlike)|n't) (?:\s[\w'"]+){1,4} (?:,\s[\w'\ ]{2,30}){0,4}
    (?P<or>,?\s(?:or|nor)\s)? (?(or)|,\s) $"""
)
LIST_ENDS_IN_OR = _re(r"^(?:,\s[\w'\ ]{2,30}){0,4} ,? \s(?:or|nor)\s")
AFTER_NEGATED = _re(r"^\s* (?:is|was|does|has|did|are) (?:n't | \s+(?:not|never|no\ longer|neither))\b")
BEFORE_DOUBT = _re(
    r"""\b(?:know|sure|certain|tell|say|confirm|clear|determine|asking|wondering) \s (?:if|whether)\b
    [^.;\n]* $"""
)
BEFORE_BELIEF = _re(
    r"""\b(?:people|many|some|often|commonly|mistakenly|frequently|wrongly|you\ (?:might|may|would|could))\b
    [^.;\n]{0,40} \b(?:think|thought|believe|believed|assume|assumed|say|mistake|confuse|guess|expect|cite)\b
    [^.;\n]* $
    | \b(?:mistake|misconception|myth|fallacy)\b [^.;:\n]* $"""
)
AFTER_BELIEF = _re(
    r"""^\s* (?:is|was|being) \s+ (?:\w+\s+)?
    (?:often|commonly|sometimes|frequently|mistakenly|wrongly|incorrectly)\b
    [^.;\n]* \b(?:thought|believed|mistaken|assumed|considered|cited|confused)\b"""
)
BEFORE_MOVED = _re(
    r"""\bfrom \s (?:the\ )? (?:\w+\ )? (?:city\ of\ )? $
    | \b(?:replac\w+|succeed\w+|supersed\w+) \s
      (?:the\ (?:former|old|previous)\ )? (?:capital,?\ )? (?:city\ )? (?:of\ )? $"""
)
AFTER_MOVED = _re(
    r"""^\s* (?: (?:was|is|has\ been|were) \s (?:\w+\s)? (?:replaced|succeeded|superseded)
      | lost\ (?:its|the|that) | gave\ way)\b"""
)
BEFORE_FORMER = _re(
    r"""\b(?:former|formerly|previously|ex|originally|aka|(?:also|once)\ (?:known|called|named))\b
    (?:\s (?:known|called|named|as|the|city|of|capital|was|is|its|a) | , | \()* \s* $"""
)
BEFORE_PLACE = _re(
    r"""\b(?:near|nearby|close\ to|north|south|east|west|outside|like|such\ as|including|than|e\.g\.)
      (?:\sof)? \s (?:the\ (?:city|cities|town)\ of\ )? ["'(]* $
    | \bbetween\b [^.;\n]* $ | \b(?:such\ as|including|like)\b [^.;\n:()]* $"""
)
BEFORE_USED_TO = _re(r"\bused\ to\ be\b [^,.;\n]* $")
AFTER_USED_TO = _re(r"^\s* (?:used\ to|once\ was|was\ once|had\ been|[(,]?\s*(?:until|till))\b")
BEFORE_PLANNED = _re(
    r"""\b(?:plan|plans|planned|planning|intends?|proposed|will|going|due)\b [^.;\n]{0,30}
    \b(?:move|moved|moving|relocate|relocated|relocating|replaced|transferred)\b [^.;,\n]* $"""
)
UNTIL = _re(r"\b(?:until|till|before|prior\ to|up\ to|from\ \d{4}|between\ \d{4}|during)\b")
UNTIL_THEN = _re(r"^\W* (?:until|till|before|prior\ to|up\ to)\b")
PAST = _re(r"\b(?:was|were|had\ been|served|functioned)\b")
APPOSITION = _re(r"^\s* [,(] \s* (?:(?:which|that|who)\s+(?:is|was)\s+)? [^,;()]*")

_OTHER_ROLE = (
    r"\b(?:largest|biggest|most populous|most populated|second city|main city|major city|main port)\b"
    r"|\b(?:economic|commercial|financial|business|cultural|industrial) (?:center|centre|hub|heart)\b"
    r"|\bseat of (?:the )?(?:government|parliament)\b"
)
_OTHER_ADJECTIVE = (
    r"(?:former|old|previous|first|original|ancient|historic|historical|colonial|economic|economical|commercial"
    r"|financial|business|cultural|industrial|provincial|regional|state|onetime|erstwhile|one time|tourist"
    r"|future|planned)"
)
_SAME_ROLE = (
    r"(?:(?:the|its|a|an|both|also|now|currently|actually|officially|official|own|only|largest city and"
    r"|current|modern|political|administrative|legislative|constitutional|federal|national|[\w']+'s)\s+)*"
)


def other_role(focus: str) -> re.Pattern[str]:
    """A role that is not the one asked for: "largest city"; "former capital" where `focus` is "capital"."""
    adjective = rf"\b{_OTHER_ADJECTIVE} (?:(?:and|or) \w+ )?(?:{focus})\b" if focus else r"(?!)"
    return re.compile(rf"{_OTHER_ROLE}|{adjective}")


def is_focus(focus: str) -> re.Pattern[str]:
    """What follows a name that is said to be what was asked for: "… is the official capital"."""
    verb = r"(?:is|was|became|remains|serves as)"
    return re.compile(rf"^\s*,?\s*{verb}\s+{_SAME_ROLE}(?:{focus})\b" if focus else r"(?!)")


# --- a name in the place of what is asked about ----------------------------------------------------------

BEFORE_SUBJECT = _re(r"\b(?:of|for|about|within|across) \s (?:the\ )? ['\"]* $")
BEFORE_SUBJECT_WEAK = _re(r"\b(?:in|to|from) \s (?:the\ )? $")
AFTER_SUBJECT = _re(r"^(?: 's\b | '(?=\s) | \s+(?:has|does|doesn't|capital|lies|covers|borders)\b | \s*:)")
AFTER_SUBJECT_VERB = _re(r"^\s* (?:\([^)]*\)\s*)? (?:is|was|are)\b")
AFTER_SUBJECT_WEAK = _re(
    r"^\s*, \s* (?:officially|an?|also\ known|which\ is|the\ (?:country|state|grand|republic|small))\b"
)

# --- no answer -------------------------------------------------------------------------------------------

REFUSED = _re(
    r"""\b(?:can(?:'t|not|\ not) | won't | will\ not | could(?:n't|\ not) | unable\ to
      | (?:am|'m|are)\ (?:\w+\ )?(?:unable|not\ able|not\ allowed|not\ permitted)\ to
      | refuse\ to | decline\ to | must\ decline | not\ comfortable | rather\ not | prefer\ not\ to
      | (?:don't|do\ not)\ have\ the\ (?:ability|capability|capacity|permission)\ to) \s
    (?:to\ |with\ |in\ |directly\ |be\ able\ to\ )*
    (?:help(?!\ (?:but|feel)\b)|assist|assisting|answer|answering|provide|providing|comply|fulfil|fulfill|discuss
      |share|respond|give|do|support|engage|continue|complete|process|create|generate|offer|supply|fill|write|writing|describe|guess)\b"""
)
ABSTAINED = _re(
    r"""(?:\b(?:do|did|does)(?:n't|\ not) | \bdont) \s (?:\w+ly\ |even\ )?
      (?:know|recall|remember
        |have\ (?:any\ |that\ |the\ |enough\ |sufficient\ |specific\ |access|information|knowledge|data
          |an\ answer|up|a\ (?:reliable|definite|specific)\ ))
    | \bnot\ (?:\w+ly\ |100%\ |quite\ |too\ |very\ )?(?:sure|certain|aware|familiar|confident)\b
    | \bnot\ able\ to\ (?:find|determine|verify|confirm|identify)\b
    | \b(?:unsure|uncertain|idk)\b | \bno\ (?:idea|clue|information|knowledge|data)\b
    | \bcan(?:'t|not|\ not)\ (?:be\ (?:sure|certain)|say|tell|recall|remember|determine|find|verify|confirm)\b
    | \b(?:does|do)\ not\ (?:include|contain|cover)\b
    | \bunable\ to\ (?:find|determine|verify|confirm|identify|recall|say)\b
    | \b(?:is|it's|remains)\ (?:unknown|not\ known|unclear)\b | ^\W*(?:unknown|n/a|none)\W*$
    | \b(?:beyond|outside)\ my\ knowledge\b"""
)
