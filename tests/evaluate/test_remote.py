"""Endpoints inside HELM: the deployment, the cache's key, what is kept of an answer, what is told of it."""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.evaluate import progress, remote, served

pytestmark = pytest.mark.usefixtures("helm")

SECRET = "sk-Abc123-very-secret"
Write = Callable[..., None]


@pytest.fixture(autouse=True)
def own_notices(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """What is said in this test; no proxy, no keys, a folder of its own."""
    heard: list[str] = []
    monkeypatch.setattr(progress, "_said", set())
    monkeypatch.setattr(progress, "_readers", [heard.append])
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy", "ALPACA_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MINE", SECRET)
    monkeypatch.chdir(tmp_path)
    return heard


@pytest.fixture
def write(server: Any, tmp_path: Path) -> Write:
    """write(**keys): the endpoint "mine", which is this test's server."""

    def make(**keys: Any) -> None:
        described = {"base_url": server.base_url, "model": "asked-1", **keys}
        (tmp_path / "endpoints.yaml").write_text(yaml.safe_dump({"endpoints": {"mine": described}}))

    make()
    return make


@pytest.fixture
def client(write: Write, tmp_path: Path) -> Callable[[], remote.EndpointHelmClient]:
    """A client as AutoClient makes it, always on the same cache."""
    from helm.common.cache import SqliteCacheConfig

    return lambda: remote.EndpointHelmClient(SqliteCacheConfig(str(tmp_path / "cache.sqlite")), "endpoint/mine")


def ask(client: remote.EndpointHelmClient, **fields: Any) -> Any:
    from helm.common.request import Request

    if "messages" not in fields:
        fields = {"prompt": "Say something.", **fields}
    return client.make_request(Request(**{"model": "endpoint/mine", "max_tokens": 8, "temperature": 0.0, **fields}))


def cache_text(tmp_path: Path) -> str:
    connection = sqlite3.connect(tmp_path / "cache.sqlite")
    try:
        return str(connection.execute("select key, value from unnamed").fetchall())
    finally:
        connection.close()


def test_what_is_kept_of_an_answer(client: Any, server: Any, fake_openai: ModuleType) -> None:
    server.then(fake_openai.chat("Hi.", system_fingerprint="fp_1"))
    first, again = ask(client()), ask(client())
    (completion,) = first.completions
    assert (first.success, first.cached, again.cached) == (True, False, True)
    assert completion.text == again.completions[0].text == "Hi."
    expected = {"reason": "stop", "served_id": "served-1", "system_fingerprint": "fp_1", "fallbacks": []}
    assert completion.finish_reason == again.completions[0].finish_reason == expected
    assert served.served_of(again) == {
        "served_id": "served-1", "system_fingerprint": "fp_1", "fallbacks": [], "cached": True,
    }  # fmt: skip
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"max_tokens": 9},
        {"temperature": 0.5},
        {"temperature": 0.5, "top_p": 0.9},
        {"stop_sequences": ["x"]},
        {"num_completions": 2},
        {"random": "1"},
        {"prompt": "Say something. "},
        {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Say something."}]},
    ],
)
def test_the_key_holds_what_changes_the_answer(client: Any, change: dict[str, Any]) -> None:
    mine = client()
    ask(mine)
    assert ask(mine, **change).cached is False
    assert ask(mine, **change).cached is True


@pytest.mark.parametrize(
    ("change", "cached"),
    [
        ({"model": "asked-2"}, False),
        ({"api": "completions"}, False),
        ({"headers": {"X-Tier": "batch"}}, False),
        ({"timeout": 5, "api_key_env": "MINE"}, True),
    ],
)
def test_the_key_holds_the_endpoint(
    client: Any, write: Write, server: Any, fake_openai: ModuleType, change: dict[str, Any], cached: bool
) -> None:
    server.answer = lambda seen: fake_openai.completion("Hi") if "prompt" in seen.body else fake_openai.chat("Hi")
    ask(client())
    write(**change)
    assert ask(client()).cached is cached


def test_the_served_model_and_the_key_are_no_part_of_the_cache_key(
    client: Any, write: Write, server: Any, fake_openai: ModuleType, tmp_path: Path
) -> None:
    write(api_key_env="MINE")
    ask(client())
    assert server.seen[0].headers["authorization"] == f"Bearer {SECRET}"
    server.then(fake_openai.chat("Hi.", model="served-2"))
    assert ask(client()).cached is True
    assert SECRET not in cache_text(tmp_path)


def test_an_alias_is_told_once(client: Any, own_notices: list[str]) -> None:
    mine = client()
    ask(mine)
    ask(mine, prompt="Another.")
    assert own_notices == [
        "endpoint/mine: asked for asked-1, the server named served-1: the name asked for may move on."
    ]


def test_a_fallback_is_told_once_and_kept(
    client: Any, server: Any, fake_openai: ModuleType, own_notices: list[str]
) -> None:
    refused = fake_openai.error(400, "Unsupported parameter", param="max_tokens", code="unsupported_parameter")
    server.answer = lambda seen: refused if "max_tokens" in seen.body else fake_openai.chat("Hi.", model="asked-1")
    mine = client()
    result = ask(mine)
    ask(mine, prompt="Another.")
    (fallback,) = result.completions[0].finish_reason["fallbacks"]
    assert own_notices == [f"endpoint/mine: {fallback}."]
    assert "max_completion_tokens" in fallback


@pytest.mark.parametrize("code", ["context_length_exceeded", "content_filter"])
def test_what_concerns_one_prompt_is_an_empty_answer(
    client: Any, server: Any, fake_openai: ModuleType, code: str
) -> None:
    server.then(fake_openai.error(400, "No.", code=code))
    result = ask(client())
    assert (result.success, result.completions) == (False, [])
    assert (result.error_flags.is_retriable, result.error_flags.is_fatal) == (False, False)
    server.then(fake_openai.chat("Yes."))
    assert ask(client()).cached is False  # a failure is never kept


def test_a_failure_is_not_asked_again_by_helm(client: Any, server: Any, fake_openai: ModuleType) -> None:
    from helm.proxy.retry import NonRetriableException

    server.then(fake_openai.error(401, "Invalid key"))
    with pytest.raises(NonRetriableException, match="did not accept the key") as caught:
        ask(client())
    assert isinstance(caught.value.__cause__, SuiteError)
    assert len(server.seen) == 1


def test_waiting_ends_when_the_run_is_stopped(client: Any, server: Any, fake_openai: ModuleType) -> None:
    def stop_then_refuse(seen: Any) -> Any:
        progress.request_stop()
        return fake_openai.error(429, "Slow down.", headers={"Retry-After": "100"})

    server.answer = stop_then_refuse
    with pytest.raises(progress.Stopped):
        ask(client())
    assert len(server.seen) == 1


def test_a_silent_server_is_not_waited_for_when_the_run_is_stopped(
    client: Any, server: Any, fake_openai: ModuleType
) -> None:
    def stop_and_say_nothing(seen: Any) -> Any:
        progress.request_stop()
        return fake_openai.Reply(after=5)

    server.answer = stop_and_say_nothing
    start = time.perf_counter()
    with pytest.raises(progress.Stopped):
        ask(client())
    assert time.perf_counter() - start < 2


def test_thoughts_that_come_by_themselves(client: Any, server: Any, fake_openai: ModuleType) -> None:
    reply = fake_openai.chat("Dodoma")
    reply.body["choices"][0]["message"]["reasoning_content"] = "Not Dar."
    server.then(reply)
    assert ask(client()).completions[0].thinking.text == "Not Dar."


def test_embeddings_are_not_offered(client: Any) -> None:
    assert ask(client(), embedding=True).success is False


def test_deployments(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    from helm.benchmark.model_deployment_registry import get_model_deployment

    made = get_model_deployment("endpoint/mine")
    assert (made.name, made.model_name, made.client_spec.args) == (
        "endpoint/mine", "endpoint/mine", {"deployment": "endpoint/mine"},
    )  # fmt: skip
    with pytest.raises(UsageError, match=r"has no endpoint 'yours'\n  It has: mine\."):
        get_model_deployment("endpoint/yours")
    write(api_key_env="NOT_SET")
    with pytest.raises(UsageError, match="NOT_SET, which should hold its key, is not set"):
        get_model_deployment("endpoint/mine")


def test_the_mark_changes_with_what_the_name_means(write: Write) -> None:
    before = remote.endpoint_mark("endpoint/mine")
    write(model="asked-2")
    after = remote.endpoint_mark("endpoint/mine")
    assert before is not None
    assert after is not None
    assert (before != after, len(before)) == (True, 12)
    assert remote.endpoint_mark("openai/gpt-4o") is None
    assert remote.identity_of_deployment("openai/gpt-4o") == "openai/gpt-4o"
    assert remote.identity_of_deployment("endpoint/mine") == after


def test_a_completions_endpoint_and_the_chat_format(write: Write) -> None:
    write(api="completions")
    remote.check_endpoint("endpoint/mine")
    with pytest.raises(UsageError, match="Use --prompt-format alpaca, or set api: chat"):
        remote.check_endpoint("endpoint/mine", chat=True)


def test_notes_of_a_run(write: Write) -> None:
    def one(served_id: str | None, cached: bool, *fallbacks: str) -> dict[str, Any]:
        return {"served_id": served_id, "system_fingerprint": None, "fallbacks": list(fallbacks), "cached": cached}

    assert served.notes_of("endpoint/mine", [one("asked-1", False), one(None, False)]) == []
    assert served.notes_of("openai/gpt-4o", [one("x", False)]) == []
    found = served.notes_of("endpoint/mine", [one("b", False, "stop is refused"), one("a", True, "stop is refused")])
    assert [note.removeprefix("endpoint/mine: ")[:24] for note in found] == [
        "the server named several", "answers from the cache c", "stop is refused.",
    ]  # fmt: skip
    assert served.id_of([one("b", False), one("a", True), one(None, True)]) == "a, b"


def test_offline_mode_refuses_helms_own_services(monkeypatch: pytest.MonkeyPatch) -> None:
    remote.refuse_when_offline("openai/gpt-4o-mini-2024-07-18")
    monkeypatch.setenv("ALPACA_OFFLINE", "1")
    remote.refuse_when_offline("simple/model1")
    with pytest.raises(SuiteError, match=r"openai/gpt-4o-mini-2024-07-18: is on the network .* ALPACA_OFFLINE is set"):
        remote.refuse_when_offline("openai/gpt-4o-mini-2024-07-18")


def test_a_notice_without_a_reader_goes_to_stderr(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "_readers", [])
    progress.notice("mind the gap")
    progress.notice("mind the gap")
    assert capsys.readouterr().err == "warning: mind the gap\n"
