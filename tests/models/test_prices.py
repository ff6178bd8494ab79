"""What requests cost: where a price comes from, bounds that hold for real tokenizers, bad tables."""

import json
import re
import textwrap
import unicodedata
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.models.endpoint import Endpoint, Price, read_endpoints
from alpaca_eval_suite.models.prices import (
    cost,
    cost_of,
    expected_tokens,
    price_of,
    read_prices,
    require_price,
    upper_tokens,
    worst_cost,
)
from alpaca_eval_suite.models.request import GenerationRequest, Message
from alpaca_eval_suite.resources import resource_dir

MINI = Price(0.15, 0.60, as_of="2025-12-15")
OWN = (
    "as_of: 2026-01-31\nprices:\n  gpt-4o: {input: 1, output: 2}\n  mine: {input: 0.5, output: 1, as_of: 2026-02-01}\n"
)

Table = Callable[[str], Path]


@pytest.fixture(autouse=True)
def _no_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ALPACA_PRICES", raising=False)
    monkeypatch.delenv("ALPACA_ENDPOINTS", raising=False)


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Table:
    """table(text): the user's own table."""

    def write(text: str) -> Path:
        path = tmp_path / "prices.yaml"
        path.write_text(text, "utf-8")
        monkeypatch.setenv("ALPACA_PRICES", str(path))
        return path

    return write


def openai(model: str, **keys: Any) -> Endpoint:
    return Endpoint.model_validate({"name": "judge", "kind": "openai", "model": model, **keys})


def compatible(base_url: str, model: str = "gpt-4o", **keys: Any) -> Endpoint:
    return Endpoint.model_validate({"name": "mine", "base_url": base_url, "model": model, **keys})


# --- where a price comes from


@pytest.mark.parametrize(
    ("model", "prices"),
    [
        ("gpt-4o-mini", (0.15, 0.60)),
        ("gpt-4o-mini-2024-07-18", (0.15, 0.60)),
        ("gpt-4o", (2.50, 10.00)),
        ("gpt-4o-2024-08-06", (2.50, 10.00)),
        ("gpt-4o-2024-05-13", (5.00, 15.00)),
        ("gpt-4.1-nano-2025-04-14", (0.10, 0.40)),
        ("gpt-4-0613", (30.00, 60.00)),
        ("gpt-4-1106-preview", (10.00, 30.00)),
        ("gpt-3.5-turbo-0125", (0.50, 1.50)),
        ("gpt-3.5-turbo-1106", (1.00, 2.00)),
        ("gpt-5-mini-2025-08-07", (0.25, 2.00)),
        ("o3-mini-2025-01-31", (1.10, 4.40)),
    ],
)
def test_a_dated_name_costs_what_its_model_costs(model: str, prices: tuple[float, float]) -> None:
    price = price_of(openai(model))
    assert price is not None
    assert (price.input, price.output) == prices


@pytest.mark.parametrize(
    "model",
    [
        "gpt-4o-audio-preview",
        "gpt-4o-mini-search",
        "gpt-4o-20240806",
        "gpt-4o-2024-08-06-x",
        "ft:gpt-4o-mini:lab::1",
        "openai/gpt-4o",
        "gpt",
        "my-gpt-4o",
    ],
)
def test_another_name_has_no_price(model: str) -> None:
    assert price_of(openai(model)) is None


def test_every_shipped_price_has_its_date_and_costs_more_for_answers() -> None:
    prices = read_prices(resource_dir("run_specs") / "prices.yaml")
    assert {price.as_of for price in prices.values()} == {"2025-12-15", "2026-05-04"}
    assert all(0 < price.input <= price.output for price in prices.values())
    assert all(price.batch_discount == 0.5 for price in prices.values())


def test_azure_goes_by_the_model_and_not_by_the_deployment() -> None:
    azure = {"kind": "azure", "base_url": "https://lab.openai.azure.com", "deployment": "ours", "api_version": "1"}
    assert price_of(Endpoint.model_validate({"name": "a", **azure, "model": "gpt-4o-mini-2024-07-18"})) == MINI
    assert price_of(Endpoint.model_validate({"name": "a", **azure})) is None


def test_the_same_name_at_another_seller_has_no_known_price(table: Table) -> None:
    elsewhere = compatible("https://gate.example/v1")
    assert price_of(elsewhere) is None
    table(OWN)
    assert price_of(elsewhere) == Price(1.0, 2.0, as_of="2026-01-31")


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]:8080"])
def test_a_server_on_this_machine_is_free_unless_somebody_gave_a_price(host: str, table: Table) -> None:
    price = price_of(compatible(f"http://{host}/v1"))
    assert price is not None
    assert worst_cost(price, GenerationRequest("Hi", max_tokens=8)) == 0
    assert price_of(compatible(f"http://{host}/v1", price={"input": 1, "output": 3})) == Price(1.0, 3.0)
    table(OWN)
    assert price_of(compatible(f"http://{host}/v1")) == Price(1.0, 2.0, as_of="2026-01-31")


def test_the_users_table_goes_before_ours_and_the_endpoint_before_both(table: Table) -> None:
    table(OWN)
    assert price_of(openai("gpt-4o-2024-08-06")) == Price(1.0, 2.0, as_of="2026-01-31")
    assert price_of(openai("mine")) == Price(0.5, 1.0, as_of="2026-02-01")
    assert price_of(openai("gpt-4o-mini")) == MINI
    given = {"input": 9, "output": 10, "batch_discount": 0.25}
    assert price_of(openai("gpt-4o", price=given)) == Price(9.0, 10.0, batch_discount=0.25)


def test_without_a_price_it_is_said_how_to_give_one() -> None:
    assert require_price(openai("gpt-4o-mini")) == MINI
    with pytest.raises(UsageError) as caught:
        require_price(openai("gpt-99"))
    assert str(caught.value) == (
        "endpoint judge: no price is known for gpt-99, so its cost cannot be limited\n"
        "  Add to it in endpoints.yaml, in USD per million tokens: price: {input: ..., output: ...}"
    )


# --- bad tables


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("prices: {m: {input: 1, output: 2}}", r"prices\.m: as_of: must be the day"),
        ("as_of: spring\nprices: {m: {input: 1, output: 2}}", r"prices\.m: as_of: must be the day"),
        ("as_of: 2026\nprices: {m: {input: 1, output: 2}}", r"prices\.m: as_of: Input should be a valid string"),
        ("as_of: 2026-01-31\nprices: {m: {input: -1, output: 2}}", r"prices\.m: input: Input should be greater than"),
        ("as_of: 2026-01-31\nprices: {m: {input: .nan, output: 2}}", r"prices\.m: input: Input should be a finite"),
        ("as_of: 2026-01-31\nprices: {m: {input: 1, output: .inf}}", r"prices\.m: output: Input should be a finite"),
        ("as_of: 2026-01-31\nprices: {m: {input: yes, output: 2}}", r"prices\.m: input: Input should be a valid num"),
        ("as_of: 2026-01-31\nprices: {m: {input: 1}}", r"prices\.m: output: Field required"),
        ("as_of: 2026-01-31\nprices: {m: {input: 1, output: 2, x: 3}}", r"prices\.m: x: is not a key of a price"),
        ("as_of: 2026-01-31\nprices: {m: {input: 1, output: 2, batch_discount: 2}}", r"prices\.m: batch_discount: Inp"),
        ("as_of: 2026-01-31\nprices: {m: 3}", r"prices\.m: holds no price"),
        ("as_of: 2026-01-31\nprices: {m: {1: 2}}", r"prices\.m: .*1: is not a key of a price"),
        ("m: {input: 1, output: 2}", 'must hold "prices"'),
        ("prices: []", 'must hold "prices"'),
        ("- 1", 'must hold "prices"'),
        ("", 'must hold "prices"'),
        ("prices: {m: [}", "is not valid YAML"),
    ],
)
def test_a_slip_in_a_table_is_named(table: Table, text: str, message: str) -> None:
    table(text)
    with pytest.raises(SuiteError, match=rf"prices\.yaml: {message}"):
        price_of(openai("m"))


def test_the_prices_that_the_page_shows(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "prices.md").read_text("utf-8")
    endpoints, own = (textwrap.dedent(block) for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL))
    (tmp_path / "endpoints.yaml").write_text(endpoints, "utf-8")
    assert price_of(read_endpoints(tmp_path / "endpoints.yaml")["gateway"]) == Price(0.40, 1.60)
    (tmp_path / "prices.yaml").write_text(own, "utf-8")
    assert read_prices(tmp_path / "prices.yaml") == {
        "some-model": Price(0.40, 1.60, as_of="2026-01-31"),
        "other-model": Price(3.00, 15.00, batch_discount=0.25, as_of="2026-02-15"),
    }


def test_a_table_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALPACA_PRICES", "/no/where.yaml")
    with pytest.raises(SuiteError, match=r"/no/where\.yaml: cannot be read"):
        price_of(openai("gpt-4o"))


@pytest.mark.parametrize("bad", [-1.0, -1e-9, float("nan"), float("inf"), 1e300, True, "1"])
def test_a_price_is_a_finite_number_from_zero_up(bad: Any) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Price(bad, 1.0)
    with pytest.raises(ValueError, match="validation error"):
        Price(1.0, bad)


# --- what requests cost

usd = st.floats(0, 1e4)
prices = st.builds(Price, usd, usd, batch_discount=st.floats(0, 1))
tokens = st.integers(0, 10**7)
requests = st.builds(
    GenerationRequest,
    st.one_of(
        st.text(), st.lists(st.builds(Message, st.sampled_from(["system", "user"]), st.text()), min_size=1).map(tuple)
    ),
    st.integers(1, 10**5),
    thinking_tokens=st.integers(0, 10**5),
)


def test_a_cost_by_hand() -> None:
    assert cost(MINI, 2_000_000, 500_000) == pytest.approx(0.30 + 0.30)
    assert cost(MINI, 2_000_000, 500_000, batch=True) == pytest.approx(0.30)
    assert cost(Price(1.0, 1.0, batch_discount=0.25), 10**6, 0, batch=True) == pytest.approx(0.75)
    request = GenerationRequest("Hi", max_tokens=100, thinking_tokens=900)
    assert worst_cost(MINI, request) == pytest.approx((0.15 * (2 + 16 + 256) + 0.60 * 1000) / 1e6)


@given(prices, requests, st.data(), st.booleans(), st.text())
def test_what_is_within_the_bounds_never_costs_more_than_the_worst(
    price: Price, request: GenerationRequest, data: st.DataObject, batch: bool, text: str
) -> None:
    prompt = data.draw(st.none() | st.integers(0, upper_tokens(request)))
    answer = data.draw(st.none() | st.integers(0, request.max_tokens + request.thinking_tokens))
    if answer is None:
        text = text[: request.max_tokens]
    charged = cost_of(price, prompt, answer, request, text, batch=batch)
    assert 0 <= charged <= worst_cost(price, request, batch)
    assert worst_cost(price, request, batch=True) <= worst_cost(price, request)


@given(prices, tokens, tokens, tokens, tokens, st.booleans())
def test_more_tokens_never_cost_less(
    price: Price, prompt: int, answer: int, more: int, longer: int, batch: bool
) -> None:
    assert cost(price, prompt, answer, batch=batch) <= cost(price, prompt + more, answer + longer, batch=batch)


def test_what_the_server_does_not_count_is_charged_as_its_bound() -> None:
    request = GenerationRequest("Which is better?", max_tokens=10)
    worst = worst_cost(MINI, request)
    assert cost_of(MINI, None, None, request, "A") == worst
    assert cost_of(MINI, None, 1, request, "A") == cost(MINI, upper_tokens(request), 1)
    assert cost_of(MINI, 5, None, request, "A") == cost(MINI, 5, 10)
    assert cost_of(MINI, 5, None, request, "long" * 1000) == cost(MINI, 5, 1000)  # it heeds no limit


@pytest.mark.parametrize("odd", [-1, 10**400, 2.5, "7", float("nan"), [3]])
def test_a_count_that_is_none_is_no_count(odd: Any) -> None:
    request = GenerationRequest("Which is better?", max_tokens=10)
    assert cost_of(MINI, odd, odd, request, "A") == worst_cost(MINI, request)


def test_a_count_beyond_the_bound_is_charged_as_it_is() -> None:
    """The bill is the server's; a cap that this could pass is the ledger's business."""
    request = GenerationRequest("Hi", max_tokens=10)
    assert cost_of(MINI, 5000, 5000, request, "A") == cost(MINI, 5000, 5000)


# --- tokens

TEXTS = {
    "english": "Which of the two answers is better? Explain in one sentence, then give the letter. " * 5,
    "code": "def squares(n):\n    return [i**2 for i in range(n) if i % 3 == 0]\n\n\nprint(squares(12))\n" * 5,
    "digits": "3.14159265358979 2024-10-21 12345678 " * 5,
    "french": "L'été dernier, nous avons traversé la forêt où les élèves cherchaient des châtaignes. " * 5,
    "russian": "Какой из двух ответов лучше? Объясните одним предложением и назовите букву. " * 5,
    "chinese": "两个回答中哪一个更好？请用一句话解释，然后给出字母。" * 5,
    "arabic": "أي الإجابتين أفضل؟ اشرح في جملة واحدة ثم اذكر الحرف. " * 5,
    "hindi": "दोनों उत्तरों में से कौन सा बेहतर है? एक वाक्य में समझाइए। " * 5,
    "emoji": "😀🎉👩‍👩‍👧‍👦🏳️‍🌈 " * 5,
    "ligature": "ﷺ" * 20,
    "marks": "<|im_start|>user\n\n\n \t</s><s>" * 5,
    "bytes": "".join(map(chr, range(1, 0x250))),
    "half a pair": "x\ud800y",
}
WITHIN = {"english": 1.3, "code": 2.0}
"""How far off the estimate is at most for SmolLM2, a small vocabulary of English; 4 for everything else."""


@pytest.fixture(scope="module", params=["smollm2-135m-instruct", "gemma3-270m"])
def tokenizer(request: pytest.FixtureRequest) -> Any:
    """A byte-level and a SentencePiece tokenizer of real models."""
    from alpaca_eval_suite.models.embedded import embedded_state, ensure_embedded_model

    if not find_spec("transformers") or embedded_state(request.param)[0] == "absent":
        pytest.skip(f"{request.param} is not installed")
    from alpaca_eval_suite.models.tokenizer import get_tokenizer

    return get_tokenizer(ensure_embedded_model(request.param))


@pytest.mark.parametrize("kind", TEXTS)
def test_the_bound_and_the_estimate_on_real_tokenizers(tokenizer: Any, kind: str) -> None:
    text = TEXTS[kind].encode("utf-8", "replace").decode("utf-8")
    request = GenerationRequest(TEXTS[kind], max_tokens=1)
    chat = GenerationRequest((Message("system", "Judge."), Message("user", TEXTS[kind])), max_tokens=1)
    true = len(tokenizer.encode(text))
    assert true <= upper_tokens(request)
    assert true / 4 <= expected_tokens(request) <= 4 * true
    if tokenizer.has_chat_template:
        messages = (Message("system", "Judge."), Message("user", text))
        assert len(tokenizer.encode(tokenizer.render(messages))) <= upper_tokens(chat)
        factor = WITHIN.get(kind, 4)
        assert true / factor <= expected_tokens(request) <= factor * true


def test_a_template_that_puts_in_a_prompt_of_its_own_is_within_the_bound(tokenizer: Any) -> None:
    if not tokenizer.has_chat_template:
        pytest.skip("no chat template")
    request = GenerationRequest((Message("user", ""),), max_tokens=1)
    assert 20 < len(tokenizer.encode(tokenizer.render(request.prompt))) <= upper_tokens(request)


@given(st.text())
@example("ﷺ" * 100)  # 3 bytes each, 33 when it is written out
def test_the_bound_holds_for_a_tokenizer_of_bytes_that_normalises(text: str) -> None:
    request = GenerationRequest(text, max_tokens=1)
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert len(unicodedata.normalize(form, text).encode("utf-8", "replace")) <= upper_tokens(request)  # type: ignore[arg-type]


def test_a_schema_counts_as_text() -> None:
    schema = {"type": "object", "properties": {"verdict": {"type": "string"}}}
    plain = GenerationRequest("Hi", max_tokens=1)
    asked = GenerationRequest("Hi", max_tokens=1, json_schema=schema)
    assert upper_tokens(asked) - upper_tokens(plain) > len(json.dumps(schema))
    assert expected_tokens(asked) > expected_tokens(plain)


@given(requests)
def test_the_estimate_is_below_the_bound(request: GenerationRequest) -> None:
    assert 0 < expected_tokens(request) <= upper_tokens(request)
