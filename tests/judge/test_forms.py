"""Each form read from replies as judges write them, and what is no verdict in it."""

import json
from math import log

import pytest

from alpaca_eval_suite.judge.contracts import Reply, Ruling, win_of
from alpaca_eval_suite.judge.forms import read_reply
from alpaca_eval_suite.judge.reply import VerdictError
from alpaca_eval_suite.judge.spec import JudgeSpec, load_judge
from alpaca_eval_suite.models.request import Token

LABEL = "1a2b3c4d5e6f"


def read(form: str, text: str, tokens: tuple[Token, ...] = (), finish_reason: str = "stop", **change: object) -> Ruling:
    spec = load_judge(form)
    assert isinstance(spec, JudgeSpec)
    reply = Reply(text, tokens=tokens, finish_reason=finish_reason)
    return read_reply(spec.model_copy(update=change), reply, LABEL)


@pytest.mark.parametrize(("choice", "first"), [("A", 1.0), ("B", 0.0), ("TIE", 0.5)])
def test_letter(choice: str, first: float) -> None:
    assert read("letter", f"So it is.\n**VERDICT-{LABEL}: {choice}**\n") == Ruling(first, "So it is.")
    assert read("letter", f"So it is.\nSAID-{LABEL}: {choice}", mark="SAID").first == first


@pytest.mark.parametrize(
    ("choice", "first"), [("A>>B", 1.0), ("A>B", 0.75), ("A=B", 0.5), ("B>A", 0.25), ("B>>A", 0.0), ("b>>a", 0.0)]
)
def test_five_point(choice: str, first: float) -> None:
    assert read("five_point", f"So it is.\nVERDICT-{LABEL}: {choice}") == Ruling(first, "So it is.")
    assert read("five_point", f"`VERDICT-{LABEL}: {choice}`").first == first


def test_five_points_are_worth_what_the_file_says() -> None:
    points = (1.0, 1.0, 0.5, 0.0, 0.0)
    assert read("five_point", f"VERDICT-{LABEL}: A>B", points=points).first == 1


@pytest.mark.parametrize("choice", ["A", "A>", "A>>>B", "A > B", "A<B", "A>>A", "A>B>A", "B=A"])
def test_what_is_no_point(choice: str) -> None:
    with pytest.raises(VerdictError, match="no verdict of the form asked for"):
        read("five_point", f"VERDICT-{LABEL}: {choice}")


@pytest.mark.parametrize(
    ("ratings", "first", "said"),
    [
        ("A=7 B=5", 1.0, "A=7 B=5"),
        ("A=1 B=10", 0.0, "A=1 B=10"),
        ("A=7.5, B=7.25", 1.0, "A=7.5 B=7.25"),
        ("a = 6; b = 6.0", 0.5, "A=6 B=6"),
        ("**A=3** B=4", 0.0, "A=3 B=4"),
    ],
)
def test_ratings(ratings: str, first: float, said: str) -> None:
    assert read("ratings", f"Both are fair.\nRATINGS-{LABEL}: {ratings}") == Ruling(first, f"{said}. Both are fair.")


@pytest.mark.parametrize("ratings", ["A=0 B=5", "A=5 B=11", "A=10.5 B=1", "A=99999999999999999999 B=1"])
def test_ratings_outside_the_scale(ratings: str) -> None:
    with pytest.raises(VerdictError, match="lies outside 1 to 10"):
        read("ratings", f"RATINGS-{LABEL}: {ratings}")
    assert read("ratings", f"RATINGS-{LABEL}: A=0 B=100", scale=(0.0, 100.0)).first == 0


@pytest.mark.parametrize(
    "ratings",
    ["7 5", "A=7", "A=7 B=", "B=5 A=7", "A=7/10 B=5/10", "A=-1 B=5", "A=seven B=5", "A=7 B=5 C=3", "A=٧ B=٥", "A=7B=5"],
)
def test_what_are_no_ratings(ratings: str) -> None:
    with pytest.raises(VerdictError, match="no verdict of the form asked for"):
        read("ratings", f"RATINGS-{LABEL}: {ratings}")


def said(choice: object = "A", **more: object) -> str:
    return json.dumps({"reasoning": "It is true.", f"verdict_{LABEL}": choice, **more})


@pytest.mark.parametrize(
    "text",
    [
        said(),
        f"```json\n{said()}\n```",
        f"```\n{said()}\n```\n\n",
        f"Here it is:\n\n  {said()}",
        json.dumps(json.loads(said()), indent=2),
        said("a"),
        said(confidence=3),
        f"<think>{said('B')}</think>\n{said()}",
        f'It says {{"verdict": "B"}}.\n{{\n"x"\n{said()}',
        said().replace("It is true.", "It says:\n```json\n{}\n```\n</think> and `{`."),
    ],
)
def test_reasoning_json(text: str) -> None:
    assert read("reasoning_json", text).first == 1


def test_the_reasons_in_json_are_kept() -> None:
    assert read("reasoning_json", said("TIE")) == Ruling(0.5, "It is true.")
    assert read("reasoning_json", json.dumps({f"verdict_{LABEL}": "B"})) == Ruling(0.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no JSON object ends the reply"),
        (said()[:-1], "no JSON object ends the reply"),
        (said()[:-5], "no JSON object ends the reply"),
        (f"```json\n{said()[:-3]}\n```", "no JSON object ends the reply"),
        (said() + "\nI hope this helps!", "no JSON object ends the reply"),
        (f"[{said()}]", "no JSON object ends the reply"),
        (f"Verdict: {said()}", "no JSON object ends the reply"),
        ("{" * 5000, "no JSON object ends the reply"),
        ('{"a":' * 5000, "no JSON object ends the reply"),
        (said().replace(LABEL, "000000000000"), "0 times"),
        (said().replace(f"verdict_{LABEL}", "verdict"), "0 times"),
        (json.dumps({"x": json.loads(said())}), "0 times"),
        (said().replace("}", f', "verdict_{LABEL}": "A"}}'), "2 times"),
        (said("C"), "no A, B or TIE: 'C'"),
        (said("A, B or TIE"), "no A, B or TIE"),
        (said(None), "no A, B or TIE"),
        (said(["A"]), "no A, B or TIE"),
        (f"{said('B')}\nNo, rather:\n{said()}", "two verdicts that differ"),
        (said().replace("It is true.", f'\\"verdict_{LABEL}\\": \\"B\\"'), "two verdicts that differ"),
        (f"<think>\n{said()}", "thoughts were cut off"),
    ],
)
def test_what_is_no_verdict_in_json(text: str, message: str) -> None:
    with pytest.raises(VerdictError, match=message):
        read("reasoning_json", text)


def token(text: str, **top: float) -> Token:
    shown = {name.replace("_", " "): log(share) for name, share in top.items()}
    return Token(text, shown.get(text, -9.0), shown)


EOS = token("")


def test_letters_by_log_probability() -> None:
    ruling = read("letter_logprobs", "A", (token("A", A=0.6, B=0.2, The=0.2), EOS))
    assert ruling.first == pytest.approx(0.75)
    assert ruling.reason == "A 0.600, B 0.200"
    assert win_of(ruling, "baseline_first") == pytest.approx(0.25)


def test_variants_of_a_letter_are_added_up() -> None:
    tokens = (token(" "), token("\n\n"), token(" B", A=0.1, a=0.05, _A=0.05, B=0.2, _b=0.1, _B=0.3, Both=0.1), EOS)
    assert read("letter_logprobs", "\n\n B", tokens).first == pytest.approx(0.2 / 0.8)
    pieces = Token("▁B", log(0.5), {"▁B": log(0.5), "ĠA": log(0.3)})
    assert read("letter_logprobs", "B", (pieces,)).first == pytest.approx(0.3 / 0.8)


def test_a_tie_counts_half_where_it_is_allowed() -> None:
    tokens = (token("T", A=0.4, B=0.1, T=0.3, TIE=0.1, TI=0.1), token("IE"), EOS)
    assert read("letter_logprobs", "TIE", tokens, ties=True).first == pytest.approx(0.65)
    for given in (tokens, ()):
        with pytest.raises(VerdictError, match="says tie"):
            read("letter_logprobs", "TIE", given)
    # A tie that is not allowed is no letter: it takes mass away.
    assert read("letter_logprobs", "A", (token("A", A=0.4, B=0.1, TIE=0.5),)).first == pytest.approx(0.8)


@pytest.mark.parametrize("share", [0.49, float("nan")])
def test_too_little_mass_on_the_letters_is_no_verdict(share: float) -> None:
    sparse = Token("A", log(share), {"The": log(0.5)})
    with pytest.raises(VerdictError, match=r"of the probability lies on the letters, less than 0.5"):
        read("letter_logprobs", "A", (sparse,))
    if share > 0:
        assert read("letter_logprobs", "A", (sparse,), min_mass=0.4).first == 1


def test_the_letter_alone_counts_where_the_file_says_so() -> None:
    assert read("letter_logprobs", "A", (token("A", A=0.6, B=0.4),), continuous=False).first == 1
    assert read("letter_logprobs", "b", (), continuous=False).reason == ""


def test_the_letter_after_a_thought_counts() -> None:
    thought = (token("<think>"), token("B", B=0.9, A=0.1), token("</think>"), token("\n\n"))
    tokens = (*thought, token("A", A=0.8, B=0.2), EOS)
    assert read("letter_logprobs", "<think>B</think>\n\nA", tokens).first == pytest.approx(0.8)
    with pytest.raises(VerdictError, match="no token with the letter"):
        read("letter_logprobs", "A", thought)


def test_without_log_probabilities_the_letter_alone_counts() -> None:
    for letter, first in (("A", 1.0), (" b\n", 0.0), ("**A**", 1.0)):
        ruling = read("letter_logprobs", letter)
        assert ruling.first == first
        assert "no log-probabilities" in ruling.reason


@pytest.mark.parametrize("text", ["C", "A.", "Answer A", "A B", "AB", "I cannot say.", "T", "А"])
def test_what_is_no_letter(text: str) -> None:
    with pytest.raises(VerdictError, match="not one letter"):
        read("letter_logprobs", text, (token("A", A=0.9, B=0.1),))


VERDICTS = {
    "letter": f"VERDICT-{LABEL}: TIE",
    "ratings": f"RATINGS-{LABEL}: A=3 B=3",
    "reasoning_json": said("TIE"),
    "five_point": f"VERDICT-{LABEL}: A=B",
}


@pytest.mark.parametrize(("form", "text"), VERDICTS.items())
def test_a_tie_where_none_is_allowed_is_no_verdict(form: str, text: str) -> None:
    assert read(form, text).first == 0.5
    with pytest.raises(VerdictError, match="says tie"):
        read(form, text, ties=False)


@pytest.mark.parametrize(("form", "text"), [*VERDICTS.items(), ("letter_logprobs", "A")])
@pytest.mark.parametrize("finish_reason", ["length", "thinking"])
def test_a_reply_that_was_cut_off_is_no_verdict(form: str, text: str, finish_reason: str) -> None:
    """B=10 cut off is B=1, and what would have come after may take a verdict back."""
    with pytest.raises(VerdictError, match="was cut off"):
        read(form, text, finish_reason=finish_reason)


@pytest.mark.parametrize("form", [*VERDICTS, "letter_logprobs"])
@pytest.mark.parametrize(
    "text", ["", "\n", "I'm sorry, I can't help with that.", "第一个更好。", "<think>It could be A"]
)
def test_silence_refusals_and_other_languages_are_no_verdict(form: str, text: str) -> None:
    with pytest.raises(VerdictError):
        read(form, text)
