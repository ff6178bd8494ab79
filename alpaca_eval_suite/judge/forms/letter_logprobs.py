"""One letter, A or B, and how sure the judge is of it: P(A) / (P(A) + P(B)) from the log-probabilities of its token.

The whole reply is that letter, so there is no room for a label. What must not happen is kept out in two ways: a reply
that says anything else is no verdict, and a pair of which one answer is itself nothing but such a letter is not asked.
"""

from math import exp

from alpaca_eval_suite.judge.contracts import Reply, Ruling
from alpaca_eval_suite.judge.forms.letter import CHOICES, FIRST, Choice
from alpaca_eval_suite.judge.reply import VerdictError, after_thoughts, without_emphasis
from alpaca_eval_suite.judge.schema import JudgeSpec
from alpaca_eval_suite.models.request import Token
from alpaca_eval_suite.models.thinking import CLOSE

TOP_LOGPROBS = 20
"""As many as OpenAI's and vLLM's servers give."""

# What tokenizers of several kinds put for the space before a word.
_SPACES = " \t\r\n▁Ġ"
# A word of several tokens is known by the first of them.
_BEGINNINGS: dict[str, Choice] = {"A": "A", "B": "B", "T": "TIE", "TI": "TIE", "TIE": "TIE"}


def read(spec: JudgeSpec, reply: Reply, label: str) -> Ruling:
    """The value is continuous, unless the judge's file wants the letter alone; where a server gave no
    log-probabilities it is that of the letter too, and says so.

    Raises VerdictError when the reply is anything but one letter, when a tie is not allowed, or when less than
    `min_mass` of the probability lies on the letters.
    """
    choice = _choice(reply.text)
    if choice == "TIE" and not spec.ties:
        raise VerdictError("the judge says tie, which it was not to say")
    if not spec.continuous:
        return Ruling(FIRST[choice])
    if not reply.tokens:
        return Ruling(FIRST[choice], "no log-probabilities were given: the letter alone counts")
    mass = _masses(_verdict_token(reply.tokens))
    a, b, tie = mass["A"], mass["B"], mass["TIE"] if spec.ties else 0.0
    total = a + b + tie
    if not total >= spec.min_mass:  # a NaN is too little as well
        raise VerdictError(f"{total:.3f} of the probability lies on the letters, less than {spec.min_mass:g}")
    said = f"A {a:.3f}, B {b:.3f}" + (f", TIE {tie:.3f}" if spec.ties else "")
    return Ruling((a + tie / 2) / total, said)


def is_verdict(answer: str) -> bool:
    """Whether an answer to be judged is, repeated by the judge, a verdict of this form."""
    try:
        _choice(answer)
    except VerdictError:
        return False
    return True


def _choice(text: str) -> Choice:
    said = without_emphasis(after_thoughts(text)).upper()
    if said not in CHOICES:
        raise VerdictError(f"the reply is not one letter: {said[:80]!r}")
    return said


def _verdict_token(tokens: tuple[Token, ...]) -> Token:
    """The first token after a thought that is more than white space."""
    text = "".join(token.text for token in tokens)
    answer, place = text.rfind(CLOSE) + len(CLOSE) if CLOSE in text else 0, 0
    for token in tokens:
        if place >= answer and token.text.strip(_SPACES):
            return token
        place += len(token.text)
    raise VerdictError("there is no token with the letter")


def _masses(token: Token) -> dict[Choice, float]:
    """The probability of each choice, over upper and lower case, with and without a space before it."""
    masses: dict[Choice, float] = dict.fromkeys(CHOICES, 0.0)
    for text, logprob in {token.text: token.logprob, **token.top}.items():
        choice = _BEGINNINGS.get(text.strip(_SPACES).upper())
        if choice is not None:
            masses[choice] += exp(min(logprob, 0.0))
    return masses
