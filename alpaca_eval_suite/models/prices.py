"""What requests cost: prices and their dates, a bound that is never passed, and an estimate.

A price comes from `price` of the endpoint, else from the user's own table ($ALPACA_PRICES), else a server on this
machine is free, else from run_specs/prices.yaml, which knows the services of kind openai and azure only: the same
name elsewhere is another seller's. docs/prices.md says the same at more length.
"""

import json
import os
import re
import unicodedata
from functools import partial
from pathlib import Path
from typing import Any, TypeGuard

from pydantic import ValidationError

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.models.endpoint import Endpoint, Price, endpoints_file, problems_in, read_yaml
from alpaca_eval_suite.models.request import GenerationRequest
from alpaca_eval_suite.offline import is_loopback
from alpaca_eval_suite.resources import resource_dir

_HOW_TO = "docs/prices.md shows how a table of prices is written."
_DATED = re.compile(r"(-\d{4}-\d{2}-\d{2}|-\d{4})?")
_FREE = Price(input=0.0, output=0.0)

# What a chat template puts around each message (marks, its role), and around all of them (a system prompt of its own,
# the start of the answer): 4 to 8 and up to some 100 tokens in the templates that were looked at.
_MARKS_PER_MESSAGE = 16
_MARKS_PER_REQUEST = 256
_EXPECTED_MARKS = 4
_BYTES_PER_TOKEN = 4


def price_of(endpoint: Endpoint) -> Price | None:
    """What the endpoint asks; None where nobody knows. Raises SuiteError for a table that cannot be read."""
    if endpoint.price is not None:
        return endpoint.price
    if (own := os.environ.get("ALPACA_PRICES")) and (price := _find(Path(own).expanduser(), endpoint.model)):
        return price
    if is_loopback(endpoint.host):
        return _FREE
    return _find(resource_dir("run_specs") / "prices.yaml", endpoint.model) if endpoint.kind != "compatible" else None


def require_price(endpoint: Endpoint) -> Price:
    """`price_of`, where money is to be limited. Raises UsageError that says how to give a price."""
    price = price_of(endpoint)
    if price is None:
        raise UsageError(
            f"no price is known for {endpoint.model}, so its cost cannot be limited",
            where=f"endpoint {endpoint.name}",
            next_step=f"Add to it in {endpoints_file()}, in USD per million tokens: price: {{input: ..., output: ...}}",
        )
    return price


def read_prices(path: Path) -> dict[str, Price]:
    """The table in `path` by name of the model. Raises SuiteError naming file, model and key."""
    raw = read_yaml(path, _HOW_TO)
    listed = raw.get("prices") if isinstance(raw, dict) else None
    if not isinstance(listed, dict) or not raw.keys() <= {"as_of", "prices"}:
        raise SuiteError('must hold "prices" with names below it, and "as_of"', where=str(path), next_step=_HOW_TO)
    shared = {"as_of": raw["as_of"]} if "as_of" in raw else {}
    return {str(name): _price(f"{path}: prices.{name}", shared, values) for name, values in listed.items()}


def _price(where: str, shared: dict[str, Any], values: Any) -> Price:
    fail = partial(SuiteError, where=where, next_step=_HOW_TO)
    if not isinstance(values, dict):
        raise fail("holds no price: write {input: ..., output: ...}, in USD per million tokens")
    try:
        price = Price(**{**shared, **{str(key): value for key, value in values.items()}})
    except ValidationError as error:
        raise fail(problems_in(error, "a price")) from None
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", price.as_of):
        raise fail("as_of: must be the day on which this price was known, such as 2026-01-31, here or at the top")
    return price


def _find(path: Path, model: str) -> Price | None:
    """The price of the longest name that is the model's, or the model's without a date at its end."""
    prices = read_prices(path)
    fitting = [name for name in prices if model.startswith(name) and _DATED.fullmatch(model[len(name) :])]
    return prices[max(fitting, key=len)] if fitting else None


def cost(price: Price, prompt_tokens: int, completion_tokens: int, *, batch: bool = False) -> float:
    """USD for so many tokens."""
    full = (price.input * prompt_tokens + price.output * completion_tokens) / 1e6
    return full * (1 - price.batch_discount) if batch else full


def worst_cost(price: Price, request: GenerationRequest, batch: bool = False) -> float:
    """USD that the request cannot cost more than: every byte a token, every token of the answer used."""
    return cost(price, upper_tokens(request), _most_tokens(request), batch=batch)


def cost_of(
    price: Price,
    prompt_tokens: int | None,
    completion_tokens: int | None,
    request: GenerationRequest,
    text: str,
    *,
    batch: bool = False,
) -> float:
    """USD for an answer by the server's count of tokens.

    What the server does not count (None, or a number that is none) is charged as its bound: it may think unseen, and
    cuts what it says at a stop string, so `text` bounds nothing from above. But a server that heeds no limit is
    charged for a `text` that is longer.
    """
    prompt = prompt_tokens if _is_count(prompt_tokens) else upper_tokens(request)
    longest = max(_most_tokens(request), _quarter(_bytes(text)))
    answer = completion_tokens if _is_count(completion_tokens) else longest
    return cost(price, prompt, answer, batch=batch)


def _is_count(told: Any) -> TypeGuard[int]:
    return isinstance(told, int) and 0 <= told < 10**9


def _most_tokens(request: GenerationRequest) -> int:
    return request.max_tokens + request.thinking_tokens


def upper_tokens(request: GenerationRequest) -> int:
    """A number that the prompt's tokens do not pass, for byte-level and SentencePiece tokenizers.

    No token is shorter than a byte of the text that it is made from. That text may have been normalised first, so the
    longest of Unicode's normal forms counts. To it come 16 tokens a message and 256 a request for what templates put
    around them; a server whose template holds a longer system prompt of its own is not covered. A JSON schema counts
    as the bytes of its indented text.
    """
    texts = _texts(request)
    return sum(map(_most_bytes, texts)) + _MARKS_PER_MESSAGE * len(texts) + _MARKS_PER_REQUEST


def expected_tokens(request: GenerationRequest) -> int:
    """An estimate of the prompt's tokens: a quarter of its UTF-8 bytes, and 4 a message.

    That is a quarter of the characters of Latin text, half of Greek, Cyrillic, Arabic and Hebrew ones, three quarters
    of Chinese ones. It is at least a quarter of the true number, whatever the text.
    """
    texts = _texts(request)
    return _quarter(sum(map(_bytes, texts))) + _EXPECTED_MARKS * len(texts)


def _texts(request: GenerationRequest) -> list[str]:
    """What the prompt is made of: roles and contents of messages, and the schema that some services put into it."""
    prompt = request.prompt
    texts = [prompt] if isinstance(prompt, str) else [f"{turn.role}\n{turn.content}" for turn in prompt]
    schema = getattr(request, "json_schema", None)
    return texts if schema is None else [*texts, json.dumps(schema, indent=2, ensure_ascii=False)]


def _most_bytes(text: str) -> int:
    if text.isascii():
        return len(text)
    # The decomposed forms are at least as long as the composed ones.
    return max(_bytes(form) for form in (text, unicodedata.normalize("NFD", text), unicodedata.normalize("NFKD", text)))


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def _quarter(n_bytes: int) -> int:
    return -(-n_bytes // _BYTES_PER_TOKEN)
