"""endpoints.yaml: what it may hold, how addresses are understood, where keys come from."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.models.endpoint import (
    Endpoint,
    Price,
    endpoints_file,
    find_endpoint,
    read_endpoints,
    read_key,
    usable_endpoint,
)

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """write(name=keys, ...): an endpoints.yaml in the working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ALPACA_ENDPOINTS", raising=False)
    monkeypatch.delenv("ALPACA_OFFLINE", raising=False)

    def make(**endpoints: Any) -> Path:
        path = tmp_path / "endpoints.yaml"
        path.write_text(yaml.safe_dump({"endpoints": endpoints}), "utf-8")
        return path

    return make


def url_of(base_url: str, **keys: Any) -> str:
    return Endpoint(name="x", base_url=base_url, **{"model": "m", **keys}).url


@pytest.mark.parametrize(
    "base_url",
    [
        "http://127.0.0.1:8080",
        "http://127.0.0.1:8080/",
        "http://127.0.0.1:8080/v1",
        "http://127.0.0.1:8080/v1/",
        "http://127.0.0.1:8080//v1//",
        "http://127.0.0.1:8080/v1/v1",
        "http://127.0.0.1:8080/v1/chat/completions",
        "http://127.0.0.1:8080/v1/chat/completions/",
        "http://127.0.0.1:8080/v1/completions",
        "http://127.0.0.1:8080/v1/models",
        "  http://127.0.0.1:8080/v1 ",
    ],
)
def test_one_server_however_its_address_is_written(base_url: str) -> None:
    assert url_of(base_url) == "http://127.0.0.1:8080/v1/chat/completions"
    assert url_of(base_url, api="completions") == "http://127.0.0.1:8080/v1/completions"


def test_a_path_that_a_gateway_wants_is_kept() -> None:
    assert (
        url_of("https://Gate.example/api/v1beta/openai/") == "https://gate.example/api/v1beta/openai/chat/completions"
    )


AZURE = "https://lab.openai.azure.com/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21"


@pytest.mark.parametrize(
    "keys",
    [
        {"base_url": "https://lab.openai.azure.com", "deployment": "my-gpt", "api_version": "2024-10-21"},
        {"base_url": "https://lab.openai.azure.com/", "deployment": "my-gpt", "api_version": "2024-10-21"},
        {"base_url": "https://lab.openai.azure.com/openai", "deployment": "my-gpt", "api_version": "2024-10-21"},
        {"base_url": AZURE},
    ],
)
def test_azure_addresses(write: Write, keys: dict[str, str]) -> None:
    write(azure={"kind": "azure", **keys})
    endpoint = find_endpoint("azure")
    assert endpoint.url == AZURE
    assert (endpoint.model, endpoint.api_key_env) == ("my-gpt", "AZURE_OPENAI_API_KEY")


def test_a_version_without_quotes_is_a_date_to_yaml(write: Write, tmp_path: Path) -> None:
    write().write_text(
        "endpoints: {a: {kind: azure, base_url: 'https://lab.openai.azure.com', deployment: my-gpt, "
        "api_version: 2024-10-21}}"
    )
    assert find_endpoint("a").url == AZURE


def test_openai_needs_a_model_only(write: Write) -> None:
    write(judge={"kind": "openai", "model": "gpt-4o-mini-2024-07-18"})
    endpoint = find_endpoint("judge")
    assert endpoint.url == "https://api.openai.com/v1/chat/completions"
    assert (endpoint.api_key_env, endpoint.api, endpoint.timeout) == ("OPENAI_API_KEY", "chat", 600.0)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"model": "m"}, "base_url: Field required"),
        ({"base_url": "http://x/v1"}, "model: Field required"),
        ({"base_url": "127.0.0.1:8080", "model": "m"}, "base_url: must be a whole address"),
        ({"base_url": "ftp://x", "model": "m"}, "base_url: must be a whole address"),
        ({"base_url": "http://x:port/v1", "model": "m"}, "base_url: Port could not be cast"),
        ({"base_url": "http://x/v1?a=1", "model": "m"}, r"base_url: must end before any \?"),
        ({"base_url": "http://x/v1", "model": "m", "modell": "m"}, "modell: is not a key of an endpoint"),
        ({"base_url": "http://x/v1", "model": "m", "kind": "ollama"}, "kind: Input should be 'openai', 'azure' or"),
        ({"base_url": "http://x/v1", "model": "m", "api_version": "1"}, "api_version: only for kind azure"),
        ({"base_url": "http://x", "deployment": "d", "kind": "azure"}, "api_version: Field required for kind azure"),
        ({"base_url": "http://x/v1", "model": "m", "timeout": 0}, "timeout: Input should be greater than 0"),
        ({"base_url": "http://x/v1", "model": "m", "headers": {"a": "b\nc"}}, "headers: 'a' is not a header"),
        ("http://x/v1", "holds no description"),
    ],
)
def test_a_slip_is_named(write: Write, keys: Any, message: str) -> None:
    write(mine=keys)
    with pytest.raises(SuiteError, match=rf"endpoints\.yaml: endpoints\.mine: .*{message}"):
        read_endpoints()


SECRET = "sk-Abc123"


@pytest.mark.parametrize(
    "keys",
    [
        {"api_key": SECRET},
        {"api_key_env": SECRET},
        {"api_key_env": "0123456789abcdef"},
        {"base_url": f"http://user:{SECRET}@x/v1"},
        {"base_url": f"http://x/v1?key={SECRET}"},
        {"headers": {"Authorization": f"Bearer {SECRET}"}},
        {"headers": {"X-Api-Key": SECRET}},
        {"headers": {"Cookie": SECRET}},
    ],
)
def test_a_key_in_the_file_is_refused_and_never_repeated(write: Write, keys: dict[str, Any]) -> None:
    write(mine={"base_url": "http://x/v1", "model": "m", **keys})
    with pytest.raises(SuiteError) as caught:
        read_endpoints()
    assert SECRET not in str(caught.value)
    assert "0123456789abcdef" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["- a\n- b\n", "endpoints: []\n", "mine: {model: m}\n", "", "endpoints: {a: {}}\nx: 1\n"]
)
def test_a_file_of_another_form(write: Write, tmp_path: Path, text: str) -> None:
    write().write_text(text)
    with pytest.raises(SuiteError, match='must hold the one key "endpoints"'):
        read_endpoints()


def test_yaml_that_cannot_be_read(write: Write) -> None:
    write().write_text("endpoints: {a: [}\n")
    with pytest.raises(SuiteError, match="is not valid YAML"):
        read_endpoints()


@pytest.mark.parametrize("name", ["a/b", "a b", "a,b", "a=b", "-a", ""])
def test_names_that_run_entries_cannot_hold(write: Write, name: str) -> None:
    write(**{name: {"base_url": "http://x/v1", "model": "m"}})
    with pytest.raises(SuiteError, match="a name has letters, digits"):
        read_endpoints()


def test_an_unknown_name_lists_those_that_there_are(write: Write) -> None:
    write(judge={"base_url": "http://x", "model": "m"}, model={"base_url": "http://x", "model": "m"})
    with pytest.raises(UsageError, match=r"has no endpoint 'jugde'\n  Did you mean 'judge'\? It has: judge, model\."):
        find_endpoint("jugde")


def test_no_file(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_endpoints() == {}
    with pytest.raises(UsageError, match=r"endpoints\.yaml: does not exist, so there is no endpoint 'judge'"):
        find_endpoint("judge")
    monkeypatch.setenv("ALPACA_ENDPOINTS", "/no/where.yaml")
    with pytest.raises(SuiteError, match="cannot be read"):
        read_endpoints()


def test_the_file_may_lie_elsewhere(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moved = tmp_path / "lab.yaml"
    write(judge={"base_url": "http://x", "model": "m"}).rename(moved)
    monkeypatch.setenv("ALPACA_ENDPOINTS", str(moved))
    assert endpoints_file() == moved
    assert find_endpoint("judge").model == "m"


def endpoint(**keys: Any) -> Endpoint:
    return Endpoint(**{"name": "mine", "base_url": "http://x/v1", "model": "m", **keys})


def test_the_key_comes_from_the_environment_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    assert read_key(endpoint()) is None  # a server of one's own is not sent somebody else's key
    monkeypatch.delenv("MINE", raising=False)
    with pytest.raises(UsageError, match="endpoint mine: the environment variable MINE, which should hold its key, is"):
        read_key(endpoint(api_key_env="MINE"))
    monkeypatch.setenv("MINE", f" {SECRET}\n")
    assert read_key(endpoint(api_key_env="MINE")) == SECRET


def test_a_key_that_cannot_be_sent_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINE", f"{SECRET}\nX-Injected: 1")
    with pytest.raises(UsageError, match="the key in MINE holds spaces") as caught:
        read_key(endpoint(api_key_env="MINE"))
    assert SECRET not in str(caught.value)


def test_identity_is_what_changes_an_answer() -> None:
    first = endpoint().identity()
    assert endpoint(name="other", timeout=1, api_key_env="MINE").identity() == first
    changed = [{"model": "n"}, {"base_url": "http://y/v1"}, {"api": "completions"}, {"headers": {"X-Tier": "1"}}]
    assert all(endpoint(**change).identity() != first for change in changed)
    assert endpoint(base_url="http://x/").identity() == first


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "[::1]:8080", "127.1.2.3"])
def test_offline_mode_lets_this_machine_be_asked(write: Write, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    write(mine={"base_url": f"http://{host}/v1", "model": "m"})
    monkeypatch.setenv("ALPACA_OFFLINE", "1")
    assert usable_endpoint("mine").host


def test_offline_mode_refuses_the_network(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write(mine={"base_url": "http://192.168.0.7/v1", "model": "m"})
    assert usable_endpoint("mine").host == "192.168.0.7"
    monkeypatch.setenv("ALPACA_OFFLINE", "1")
    with pytest.raises(SuiteError, match=r"endpoint mine: is on the network \(192\.168\.0\.7\), and ALPACA_OFFLINE is"):
        usable_endpoint("mine")


# --- price and concurrency


def test_a_price_and_a_concurrency_of_its_own(write: Write, tmp_path: Path) -> None:
    write().write_text(
        "endpoints: {a: {base_url: 'http://x', model: m, price: {input: 1, output: 2.5, as_of: 2026-01-31}, "
        "concurrency: 4}, b: {base_url: 'http://x', model: m}}"
    )
    first, second = read_endpoints().values()
    assert (first.price, first.concurrency) == (Price(1.0, 2.5, batch_discount=0.5, as_of="2026-01-31"), 4)
    assert (second.price, second.concurrency) == (None, 64)
    assert first.identity() == second.identity()


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"price": {"input": 1}}, "price.output: Field required"),
        ({"price": {"input": 1, "output": -2}}, "price.output: Input should be greater than or equal to 0"),
        ({"price": {"input": float("nan"), "output": 2}}, "price.input: Input should be a finite number"),
        ({"price": {"input": 1, "output": 2, "ouput": 3}}, "price.ouput: is not a key of a price"),
        ({"price": {"input": "0.1 USD", "output": 2}}, "price.input: Input should be a valid number"),
        ({"price": 3}, "price: Input should be a dictionary"),
        ({"concurrency": 0}, "concurrency: Input should be greater than or equal to 1"),
        ({"concurrency": 2.5}, "concurrency: Input should be a valid integer"),
    ],
)
def test_a_slip_in_a_price_is_named(write: Write, keys: dict[str, Any], message: str) -> None:
    write(mine={"base_url": "http://x", "model": "m", **keys})
    with pytest.raises(SuiteError, match=rf"endpoints\.mine: {message}"):
        read_endpoints()
