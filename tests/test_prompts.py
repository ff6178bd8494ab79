"""The bytes of the Alpaca prompt, and filling in without interpreting what is filled in."""

from hypothesis import given, settings
from hypothesis import strategies as st

from alpaca_eval_suite.prompts import (
    ALPACA_WITH_INPUT,
    ALPACA_WITHOUT_INPUT,
    PROMPT_FORMATS,
    alpaca_prompt,
    chat_message,
    fill,
    prompt_hash,
)

# Source: Taori et al. 2023, "Stanford Alpaca", README, section "Data Release" (the two templates), and
# PROMPT_DICT of its train.py.
WITH_INPUT = b"""Below is an instruction that describes a task, paired with an input that provides \
further context. Write a response that appropriately completes the request.

### Instruction:
Translate into French.

### Input:
The sea

### Response:"""
WITHOUT_INPUT = b"""Below is an instruction that describes a task. \
Write a response that appropriately completes the request.

### Instruction:
Name a prime number.

### Response:"""


def test_exact_bytes_with_input() -> None:
    assert alpaca_prompt("Translate into French.", "The sea").encode() == WITH_INPUT


def test_exact_bytes_without_input() -> None:
    assert alpaca_prompt("Name a prime number.").encode() == WITHOUT_INPUT
    assert alpaca_prompt("Name a prime number.", "").encode() == WITHOUT_INPUT


def test_white_space_is_an_input_as_in_the_original() -> None:
    assert "### Input:\n \n\n" in alpaca_prompt("Say hello.", " ")


def test_chat_message() -> None:
    assert chat_message("Translate.", "The sea") == "Translate.\n\nThe sea"
    assert chat_message("Say hello.") == "Say hello."


def test_prompt_formats() -> None:
    assert PROMPT_FORMATS == ("alpaca", "chat")


def test_braces_in_texts_are_not_interpreted() -> None:
    prompt = alpaca_prompt("Explain {input} and {0} and {instruction} and {{x}}", "a {instruction} \\1 \\g<0>")
    assert "### Instruction:\nExplain {input} and {0} and {instruction} and {{x}}\n" in prompt
    assert "### Input:\na {instruction} \\1 \\g<0>\n" in prompt


def test_fill_repeats_and_leaves_other_braces() -> None:
    assert fill("{a}-{b}-{a} {c} { a } {} {{a}}", a="1", b="{a}") == "1-{a}-1 {c} { a } {} {1}"
    assert fill("nothing {a}") == "nothing {a}"


@settings(deadline=None)
@given(instruction=st.text(), input=st.text(min_size=1))
def test_texts_stand_in_the_prompt_as_they_are(instruction: str, input: str) -> None:
    before, middle, after = ALPACA_WITH_INPUT.replace("{instruction}", "\0").replace("{input}", "\0").split("\0")
    assert alpaca_prompt(instruction, input) == before + instruction + middle + input + after
    assert alpaca_prompt(instruction) == ALPACA_WITHOUT_INPUT.replace("{instruction}", instruction)


def test_prompt_hash_tells_the_formats_apart() -> None:
    """Golden: SHA-256 of the two templates with a NUL between them, and of the words "chat template"."""
    assert prompt_hash("alpaca") == "832d55b5e3033cb5130c245e2702c185118e49b2c4ce033ae4bafd753f2d779a"
    # printf 'chat template' | sha256sum
    assert prompt_hash("chat") == "12b6fb2696cbbfcbf95ae97fa3218fd91ff5f1be054eb25a5904a9864bbed26f"
