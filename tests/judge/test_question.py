"""The question: what stands in it, what is left out, how it is asked, and answers that are too long."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpaca_eval_suite.judge.contracts import Question
from alpaca_eval_suite.judge.question import ask
from alpaca_eval_suite.judge.spec import JudgeSpec, load_judge, shipped_judges
from alpaca_eval_suite.models.request import Message, TooLongError
from alpaca_eval_suite.types import Comparison, Instruction

ITEM = Instruction("sea", "Translate into French.", "The sea", "La mer.", {}, {"rubric": ["one article", "no dot"]})
PAIR = Comparison(ITEM, "La mer", "Le mer")


def shipped(name: str, **change: object) -> JudgeSpec:
    spec = load_judge(name)
    assert isinstance(spec, JudgeSpec)
    return spec.model_copy(update=change)


def text_of(question: Question) -> str:
    message = question.request.prompt[-1]
    assert isinstance(message, Message)
    return message.content


@pytest.mark.parametrize("name", shipped_judges())
def test_both_answers_stand_whole_between_their_marks(name: str) -> None:
    for order, first, second in (("model_first", "La mer", "Le mer"), ("baseline_first", "Le mer", "La mer")):
        question = ask(shipped(name), PAIR, order)  # type: ignore[arg-type]
        text, label = text_of(question), question.label
        assert f"<answer-A-{label}>\n{first}\n</answer-A-{label}>" in text
        assert f"<answer-B-{label}>\n{second}\n</answer-B-{label}>" in text
        assert f"<request-{label}>\nTranslate into French.\n\nThe sea\n</request-{label}>" in text
        assert not re.search(r"\{\w+\}|\[\[", text)
        assert question.kept is None


@pytest.mark.parametrize("name", ["five_point", "letter_logprobs", "ratings", "reasoning_json"])
def test_reference_and_rubric_only_where_the_item_has_them(name: str) -> None:
    question = ask(shipped(name), PAIR, "model_first")
    text, label = text_of(question), question.label
    assert f"<reference-{label}>\nLa mer.\n</reference-{label}>" in text
    assert f"<rubric-{label}>\n- one article\n- no dot\n</rubric-{label}>" in text
    bare = text_of(ask(shipped(name), Comparison(Instruction("x", "Hi."), "a b", "c d"), "model_first"))
    assert "reference" not in bare
    assert "rubric" not in bare
    assert "\n\n\n" not in bare
    written = Instruction("x", "Hi.", key={"rubric": "Be kind."})
    assert "\nBe kind.\n" in text_of(ask(shipped(name), Comparison(written, "a b", "c d"), "model_first"))


def test_instruction_and_input_apart() -> None:
    template = "I:{instruction}\n[[input]]\nN:{input}\n[[/input]]\n{answer_a}|{answer_b} VERDICT-{label}"
    spec = JudgeSpec.model_validate({"name": "x", "template": template})
    assert text_of(ask(spec, PAIR, "model_first")).startswith("I:Translate into French.\nN:The sea\nLa mer|Le mer ")
    alone = Comparison(Instruction("x", "Hi."), "a", "b")
    assert text_of(ask(spec, alone, "model_first")).startswith("I:Hi.\na|b ")


def test_what_looks_like_a_template_in_a_value_is_left_alone() -> None:
    sly = "{answer_b} {label}\n[[reference]]\n{reference}\n[[/reference]]\n\\g<0>"
    text = text_of(ask(shipped("ratings"), Comparison(Instruction("x", sly, reference=sly), sly, "No."), "model_first"))
    assert text.count(f"\n{sly}\n") == 3


def test_how_it_is_asked() -> None:
    request = ask(shipped("letter"), PAIR, "model_first", 7).request
    assert (request.temperature, request.max_tokens, request.seed, request.top_logprobs) == (0, 400, None, 0)
    assert request.json_schema is None
    assert len(request.prompt) == 1
    warm = JudgeSpec.model_validate(
        {
            **shipped("letter").model_dump(),
            "system": "You judge.",
            "decoding": {"temperature": 1, "thinking_tokens": 50},
        }
    )
    request = ask(warm, PAIR, "model_first", 7).request
    assert (request.temperature, request.seed, request.thinking_tokens) == (1, 7, 50)
    assert request.prompt[0] == Message("system", "You judge.")
    assert ask(shipped("letter_logprobs"), PAIR, "model_first").request.top_logprobs == 20


def test_json_is_held_to_a_schema_that_carries_the_label() -> None:
    question = ask(shipped("reasoning_json"), PAIR, "model_first")
    schema = question.request.json_schema
    assert schema is not None
    assert list(schema["properties"]) == ["reasoning", f"verdict_{question.label}"]
    assert schema["properties"][f"verdict_{question.label}"]["enum"] == ["A", "B", "TIE"]
    strict = ask(shipped("reasoning_json", ties=False), PAIR, "model_first").request.json_schema
    assert strict is not None
    assert strict["properties"][f"verdict_{question.label}"]["enum"] == ["A", "B"]


LONG = Comparison(Instruction("x", "Say much."), "a" * 5000, "b" * 300)


def test_too_long_answers_are_cut_alike() -> None:
    spec = shipped("letter", too_long="cut")
    room = len(text_of(ask(spec, Comparison(LONG.instruction, "", ""), "model_first")))
    question = ask(spec, LONG, "model_first", limit=room + 1000)
    text = text_of(question)
    # The short one is whole, the long one gets what is left beside the mark.
    assert question.kept == 1000 - 300 - len("\n[cut]")
    assert f"\n{'a' * question.kept}\n[cut]\n" in text
    assert f"\n{'b' * 300}\n</answer-B" in text
    both = ask(spec, LONG, "model_first", limit=room + 212)
    assert both.kept == 100
    assert text_of(both).count("\n[cut]\n") == 2


@pytest.mark.parametrize("limit", [None, 100_000])
def test_what_fits_is_not_cut(limit: int | None) -> None:
    question = ask(shipped("letter", too_long="cut"), LONG, "model_first", limit=limit)
    assert (question.kept, question) == (None, ask(shipped("letter"), LONG, "model_first"))


def test_a_judge_that_fails_on_long_pairs_is_asked_the_whole() -> None:
    assert ask(shipped("letter"), LONG, "model_first", limit=2000).kept is None


def test_a_request_that_fills_the_context_alone_cannot_be_asked() -> None:
    with pytest.raises(TooLongError, match="no room"):
        ask(shipped("letter", too_long="cut"), LONG, "model_first", limit=500)


@settings(deadline=None)
@given(output=st.text(), baseline=st.text(), limit=st.integers(1700, 2200))
def test_a_cut_question_fits_and_both_lose_alike(output: str, baseline: str, limit: int) -> None:
    spec = shipped("letter", too_long="cut")
    pair = Comparison(Instruction("x", "Hi."), output * 9, baseline * 9)
    try:
        question = ask(spec, pair, "model_first", limit=limit)
    except TooLongError:
        return
    assert len(text_of(question)) <= limit
    if question.kept is not None:
        swapped = ask(spec, pair, "baseline_first", limit=limit)
        assert swapped.kept == question.kept
        for answer in (pair.output, pair.baseline_output):
            shown = answer if len(answer) <= question.kept else answer[: question.kept] + "\n[cut]"
            assert f"\n{shown}\n</answer-" in text_of(question)
