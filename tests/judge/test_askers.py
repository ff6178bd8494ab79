"""Who answers for a judge's model: endpoints, checkpoints, what is registered from above."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import yaml

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.judge import asker_kinds, askers
from alpaca_eval_suite.judge.asker_kinds import register_asker
from alpaca_eval_suite.judge.askers import FREE, EndpointAsker, LocalAsker, asker_of, price_for
from alpaca_eval_suite.models.request import GenerationRequest, Message

QUESTION = GenerationRequest((Message("user", "Which is better, A or B?"),), max_tokens=4)


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("ALPACA_OFFLINE", "ALPACA_PRICES", "ALPACA_DTYPE", "ALPACA_DEVICE", "ALPACA_BATCH_SIZE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ALPACA_ENDPOINTS", str(tmp_path / "endpoints.yaml"))
    monkeypatch.setattr(asker_kinds, "factories", {})


def describe(tmp_path: Path, **keys: Any) -> None:
    (tmp_path / "endpoints.yaml").write_text(yaml.safe_dump({"endpoints": {"judge": {"model": "judge-1", **keys}}}))


def ask(asker: Any, request: GenerationRequest = QUESTION) -> Any:
    async def one() -> Any:
        try:
            return await asker.ask(request)
        finally:
            await asker.close()

    return asyncio.run(one())


def test_an_endpoint(server: Any, fake_openai: Any, tmp_path: Path) -> None:
    describe(tmp_path, base_url=server.base_url, concurrency=3, price={"input": 1, "output": 2})
    server.answer = lambda seen: fake_openai.chat("A", system_fingerprint="fp_1")
    asker = asker_of("endpoint/judge")
    assert isinstance(asker, EndpointAsker)
    assert (asker.name, asker.concurrency) == ("endpoint/judge", 3)
    assert asker.identity == {"url": f"{server.base_url}/chat/completions", "model": "judge-1", "headers": {}}
    price = price_for(asker)
    assert price is not None
    assert (price.input, price.output) == (1, 2)
    assert server.seen == []
    reply = ask(asker)
    assert (reply.text, reply.served_id, reply.system_fingerprint) == ("A", "served-1", "fp_1")
    assert (reply.prompt_tokens, reply.completion_tokens) == (5, 2)


def test_what_a_server_refuses_is_said(server: Any, fake_openai: Any, tmp_path: Path) -> None:
    describe(tmp_path, base_url=server.base_url)
    server.then(
        fake_openai.error(400, "Unsupported parameter: 'logprobs'", param="logprobs", code="unsupported_parameter"),
        fake_openai.chat("A"),
    )
    notes: list[str] = []
    request = GenerationRequest(QUESTION.prompt, max_tokens=4, top_logprobs=5)
    reply = ask(asker_of("endpoint/judge", notice=notes.append), request)
    assert reply.fallbacks == tuple(notes) == ("log-probabilities are refused; there are none",)
    assert reply.tokens == ()


def test_unknown_endpoints_and_missing_keys(tmp_path: Path) -> None:
    describe(tmp_path, base_url="http://127.0.0.1:9/v1", api_key_env="NO_SUCH_KEY")
    with pytest.raises(UsageError, match="NO_SUCH_KEY"):
        asker_of("endpoint/judge")
    with pytest.raises(UsageError, match="has no endpoint 'jugde'"):
        asker_of("endpoint/jugde")


def test_a_folder_without_a_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(SuiteError):
        asker_of(str(tmp_path))


def test_what_is_registered_from_above_answers_for_its_prefix(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs HELM"):
        asker_of("helm/org/model")
    made: list[str] = []

    class Other:
        name, identity, concurrency = "other", {"other": 1}, 1

        async def ask(self, request: GenerationRequest, *, in_doubt: Any = None) -> Any: ...

        async def close(self) -> None: ...

    def factory(model: str, notice: Any) -> Other:
        made.append(model)
        return Other()

    register_asker("helm/", factory)
    other = asker_of("helm/org/model")
    assert made == ["helm/org/model"]
    assert price_for(other) is None


@pytest.mark.slow
def test_a_checkpoint_on_this_machine(make_checkpoint: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    monkeypatch.setenv("ALPACA_BATCH_SIZE", "2")
    folder, copy, other = make_checkpoint("one"), make_checkpoint("two"), make_checkpoint("three", retrained=True)
    asker = asker_of(str(folder))
    assert isinstance(asker, LocalAsker)
    assert asker.concurrency == 4
    assert price_for(asker) == FREE
    assert asker.identity == asker_of(str(copy)).identity != asker_of(str(other)).identity
    request = GenerationRequest(QUESTION.prompt, max_tokens=4, top_logprobs=5)
    reply = ask(asker, request)
    assert len(reply.tokens) == reply.completion_tokens
    assert all(token.top for token in reply.tokens)
    assert reply.prompt_tokens


def test_a_batch_size_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALPACA_BATCH_SIZE", "many")
    with pytest.raises(UsageError, match="ALPACA_BATCH_SIZE must be a whole number"):
        askers._batch_size()
