import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpaca_eval_suite.models.thinking import Parts, opens_thought, split_thought, stage_of


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Paris.", Parts("", "Paris.")),
        ("", Parts("", "")),
        (" Paris.\n", Parts("", " Paris.\n")),  # without a thought nothing is touched
        ("<think>It is Paris.</think>\n\nParis.", Parts("It is Paris.", "Paris.")),
        ("\n<think>\nA\nB\n</think>Paris.", Parts("A\nB", "Paris.")),
        ("<think>\n\n</think>\n\nParis.", Parts("", "Paris.")),  # thinking switched off
        ("It is Paris.</think>Paris.", Parts("It is Paris.", "Paris.")),  # the template had opened it
        ("<think>It is", Parts("It is", "", unfinished=True)),
        ("<think>", Parts("", "", unfinished=True)),
        ("<think>A</think>B</think>C", Parts("A", "B</think>C")),
        ("The mark is <think>.", Parts("", "The mark is <think>.")),
        ("<thinking>A", Parts("", "<thinking>A")),
    ],
)
def test_thought_and_answer(text: str, parts: Parts) -> None:
    assert split_thought(text) == parts


@given(st.text(), st.text())
def test_whatever_is_thought_the_answer_is_found(thought: str, answer: str) -> None:
    inner = thought.replace("</think>", "")
    assert split_thought(f"<think>{inner}</think>{answer}").answer == answer.lstrip()


@given(st.text(alphabet="<think>/ a", max_size=20))
def test_the_stage_of_a_growing_text_never_goes_back(text: str) -> None:
    order = ("undecided", "thinking", "answering")
    stages = [order.index(stage_of(text[:length])) for length in range(len(text) + 1)]
    assert stages == sorted(stages)
    assert (order[stages[-1]] == "thinking") == split_thought(text).unfinished


@pytest.mark.parametrize(
    ("prompt", "opens"),
    [
        ("user\nHi\nassistant\n<think>\n", True),
        ("assistant\n<think>", True),
        ("<think>\n\n</think>\n\n", False),
        ("Hi", False),
    ],
)
def test_prompts_that_open_a_thought(prompt: str, opens: bool) -> None:
    assert opens_thought(prompt) is opens
