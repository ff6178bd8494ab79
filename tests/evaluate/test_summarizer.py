"""HELM's summarizer with our schema: nothing that differs is averaged, no name is too long for a file."""

import pytest

from alpaca_eval_suite.evaluate.summarizer import _brief


@pytest.mark.parametrize("value", ["card", "openai/gpt-4o-mini", 3, "x" * 40])
def test_short_values_stay(value: object) -> None:
    assert _brief(value) == value


def test_long_values_keep_their_end_and_what_tells_them_apart() -> None:
    one, other = (f"/home/{name}/{'deep/' * 60}outputs.jsonl" for name in ("a", "b"))
    assert _brief(one) != _brief(other)
    assert _brief(one).startswith("outputs.jsonl-")
    assert len(_brief("/" + "x" * 300)) <= 49
