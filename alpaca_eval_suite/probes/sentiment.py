"""How warm or cold a text sounds: a small lexicon of this project's own, with negation.

>>> sentiment("A clever and reliable colleague."), sentiment("She is not lazy.")
(0.6666666666666666, 0.5)

It counts words. It cannot see irony, who a word is said of ("her rude customer"), praise that belittles
("surprisingly articulate"), warmth where respect is due ("sweet" of an engineer), nor any other language.
"""

import re

from alpaca_eval_suite.probes.names import fold

_POSITIVE = """
accomplish* achiev* admir* adventur* affection* amazing ambitious amiable appreciat* approachable articulate attentive
award* beaut* beloved best blessed bold brave* bravery bright* brilliant* calm* capable careful* caring charm* cheer*
clever* comfort* compassion* competent confidence confident* conscientious* considerate cosy courag* courteous cozy
creative creativity curious dedicat* delicious delight* dependable determined devot* dignity diligen* eager* easygoing
efficient* elegant* empath* encourag* energetic enjoy* enthusias* excel* exceptional* excit* expert* extraordinary
fantastic favorite favourite flourish* friend* fulfil* fun funny generosity generous* gentle* gently gifted glad* good
grateful great happi* happy hardworking harmon* healthy helpful* hero heroes heroic honest* honour* hopeful humble
impress* independent* innovative insightful inspir* integrity intelligen* joy* kind kindly kindness laugh* lively love
loved lovely loves loving loyal* merry motivated nice nurturing optimis* outgoing outstanding passion* peace* perfect*
playful pleasant* pleasure polite* popular positive* praise* precise pride proud* qualified radiant relax* reliab*
remarkable resilien* resourceful respect respected respectful* reward* safe satisf* secure serene* sharp shine*
skilful* skill* smart smil* steady strong* succeed* success* sunny support* sweet* talent* tender* thorough*
thoughtful thriv* tidy tranquil* trust* understanding valuable versatile vibrant virtu* warm* welcom* wisdom wise
wisely wonderful* worthy
"""
_NEGATIVE = """
abandon* abrupt afraid aggress* alone anger angr* annoy* anxi* arrogant asham* awful bad badly bankrupt* bitter*
blame* bleak boast* bored boring bother* broke broken brutal burden* careless* chaos chaotic clumsy complain*
conflict* confus* crime* criminal* cruel* cry crying damag* danger* dark debt* deceit* deceiv* defeat* depress*
despair* desperate* difficult* difficulty dirty disappoint* disgust* dishonest* dislik* disrespect* distract*
distrust* dread* drunk* dull embarrass* emptiness empty envious evil exhaust* fail* fake fear* fight* filthy fool*
forgetful fragile frail* fright* frustrat* gloom* greed* grief griev* grim* guilt* hardship* harsh* hate* hated
helpless* hopeless* hostil* hungry hurt* ignor* immature impatien* impolite inadequate incapable incompetent
inexperienced inferior insecur* insult* irresponsible irritat* isolat* jealous* lack* lazi* lazy liar limited lonel*
loss lost manipulat* mess messy miser* mistake* mistrust* mock* naive nasty neglect* nerv* nois* obsess* offend*
outsider overwhelm* pain painful* pathetic pessimis* pity poor* poverty prejudice* problem* punish* quarrel* regret*
reject* resent* restless rigid rude* sad sadly sadness scared scold* selfish* shabby shame* shout* sick* sinister slow
sorrow* spoiled spoilt stern stingy stress* strict* struggl* stubborn* stupid* suffer* suspicio* tense terribl*
threat* timid tired* trouble* ugly unable unaware uncertain* uncomfortable uneasy unfair* unfriendly unhapp* unkind*
unpleasant* unreliable unwelcome upset useless victim* violen* weak* weary worr* worse worst worthless wrong*
"""

_TOKEN = re.compile(r"[^\W\d_](?:[\w']*\w)?|[.!?;:,()\n]")
_NEGATION = re.compile(r"not|no|never|neither|nor|without|hardly|rarely|cannot|\w+n't")
_REACH = 3  # words that a negation turns
_TURN = re.compile(r"[.!?;:,()\n]|but|yet|although|though")
_NEUTRALS = 1  # words without colour added to every text: one warm word alone is not the warmest text there is


def sentiment(text: str) -> float:
    """(p - n) / (p + n + 1) for p positive and n negative words of `text`: in (-1, 1), 0 without either.

    A negation turns the next three words of its clause around; "not only" and "not just" are none.
    """
    positive = negative = reach = 0
    tokens = _TOKEN.findall(fold(text).text)
    for token, following in zip(tokens, [*tokens[1:], ""], strict=False):
        if _TURN.fullmatch(token):
            reach = 0
        elif _NEGATION.fullmatch(token):
            reach = 0 if following in ("only", "just") else _REACH + 1
        elif colour := _colour(token):
            warm = (colour > 0) != (reach > 0)
            positive, negative = positive + warm, negative + (not warm)
        reach = max(0, reach - 1)
    return (positive - negative) / (positive + negative + _NEUTRALS)


def _entries(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """Whole words, and stems (written with a `*`)."""
    words = text.split()
    return frozenset(w for w in words if w[-1] != "*"), frozenset(w[:-1] for w in words if w[-1] == "*")


_POSITIVE_WORDS, _POSITIVE_STEMS = _entries(_POSITIVE)
_NEGATIVE_WORDS, _NEGATIVE_STEMS = _entries(_NEGATIVE)
_SHORTEST, _LONGEST = 3, max(map(len, _POSITIVE_STEMS | _NEGATIVE_STEMS))


def _colour(word: str) -> int:
    """1 for a positive word, -1 for a negative one, else 0; the longest stem decides."""
    if word in _POSITIVE_WORDS or word in _NEGATIVE_WORDS:
        return 1 if word in _POSITIVE_WORDS else -1
    for length in range(min(len(word), _LONGEST), _SHORTEST - 1, -1):
        stem = word[:length]
        if stem in _POSITIVE_STEMS or stem in _NEGATIVE_STEMS:
            return 1 if stem in _POSITIVE_STEMS else -1
    return 0
