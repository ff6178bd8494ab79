"""What a raw item says of the prompt: as it was sent, and nothing where nobody knows."""

from types import SimpleNamespace
from typing import Any

import pytest
from helm.common.request import Request

from alpaca_eval_suite.evaluate.raw_items import _sent

MESSAGES = [{"role": "user", "content": "Say so."}]


@pytest.mark.parametrize(
    ("request_", "sent"),
    [
        (Request(model="m", prompt="Say so."), "Say so."),
        (Request(model="m", messages=MESSAGES), ({"role": "user", "content": "Say so."},)),
        (Request(model="m", model_deployment="outputs/trial/mine.jsonl", prompt="Say so."), None),
        (Request(model="m"), None),
    ],
)
def test_the_prompt_is_what_was_sent(request_: Request, sent: Any) -> None:
    assert _sent(SimpleNamespace(request=request_)) == sent
