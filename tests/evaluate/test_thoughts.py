"""Thoughts at the boundary to HELM: what is judged, what its pages show, what counts as cut off."""

from typing import Any

import pytest
from helm.common.request import GeneratedOutput, Request, Thinking

from alpaca_eval_suite.evaluate.thoughts import (
    budget_mark,
    budget_of,
    cut_off_thinking,
    output_text,
    settled,
)
from alpaca_eval_suite.leaderboard.raw import RawItem
from alpaca_eval_suite.models.thinking import ThinkingMode


def made(text: str, reason: str | None = "endoftext", thinking: str | None = None) -> GeneratedOutput:
    return GeneratedOutput(
        text=text,
        logprob=0,
        tokens=[],
        finish_reason=None if reason is None else {"reason": reason, "dtype": "float32"},
        thinking=Thinking(text=thinking) if thinking else None,
    )


def seen(completion: GeneratedOutput, mode: ThinkingMode = "strip") -> tuple[str, str | None, Any, bool | None]:
    """(text, thought, finish reason, whether cut off within the thought) of the settled completion."""
    after = settled(completion, mode)
    thought = after.thinking.text if after.thinking else None
    return after.text, thought, (after.finish_reason or {}).get("reason"), cut_off_thinking(after, mode)


def test_a_thought_is_shown_beside_the_answer() -> None:
    assert seen(made("<think>Hm.</think>\n\nParis.")) == ("Paris.", "Hm.", "endoftext", False)


def test_a_thought_may_be_kept() -> None:
    text = "<think>Hm.</think>\n\nParis."
    assert seen(made(text), "keep") == (text, None, "endoftext", False)
    assert RawItem(id="a", output=text).answer("keep") == "Paris."


@pytest.mark.parametrize("mode", ["strip", "keep"])
def test_an_answer_without_a_thought_is_the_same_object(mode: ThinkingMode) -> None:
    completion = made("Paris.", "length")
    assert settled(completion, mode) is completion
    assert cut_off_thinking(completion, mode) is None


@pytest.mark.parametrize("reason", ["length", "thinking", None])
def test_cut_off_while_thinking_is_an_empty_answer(reason: str | None) -> None:
    assert seen(made("<think>Hm, it", reason)) == ("", "Hm, it", "thinking", True)
    assert seen(made("<think>Hm, it", reason), "keep")[2:] == ("thinking", True)
    assert RawItem(id="a", output="<think>Hm, it").answer("keep") == ""


def test_an_end_within_the_thought_is_no_answer_but_was_not_cut_off() -> None:
    assert seen(made("<think>Hm.", "endoftext")) == ("", "Hm.", "endoftext", False)


def test_thoughts_that_a_server_sends_apart() -> None:
    assert seen(made("Paris.", "stop", thinking="Hm.")) == ("Paris.", "Hm.", "stop", False)
    assert seen(made("", "length", thinking="Hm, it")) == ("", "Hm, it", "thinking", True)
    assert seen(made("<think>B</think>C", "stop", thinking="A")) == ("C", "A\n\nB", "stop", False)


def test_settling_twice_changes_nothing() -> None:
    for completion in (made("<think>Hm.</think>Paris."), made("<think>Hm", "length"), made("Paris.")):
        once = settled(completion, "strip")
        assert settled(once, "strip") == once


def test_other_facts_of_how_it_was_made_stay() -> None:
    assert settled(made("<think>Hm", "length"), "strip").finish_reason == {"reason": "thinking", "dtype": "float32"}


def test_a_baselines_text_is_treated_alike() -> None:
    assert output_text("<think>Hm.</think>Paris.", "strip") == "Paris."
    assert output_text("<think>Hm.</think>Paris.", "keep") == "<think>Hm.</think>Paris."


@pytest.mark.parametrize("tokens", [0, 1, 512])
def test_the_budget_reaches_the_client_through_a_request(tokens: int) -> None:
    assert budget_of(Request(model="x/y", random=budget_mark(tokens))) == tokens


def test_other_uses_of_random_are_no_budget() -> None:
    assert budget_mark(0) is None
    assert budget_of(Request(model="x/y", random="attempt 1")) == 0
