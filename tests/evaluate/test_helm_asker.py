"""HELM's deployments as judges: who they are, how they are asked, what becomes of what they say."""

import asyncio
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from alpaca_eval_suite.cli.judge.helm import ask_through_helm
from alpaca_eval_suite.errors import MissingExtraError, SuiteError, UsageError
from alpaca_eval_suite.evaluate import helm_asker
from alpaca_eval_suite.evaluate.helm_asker import HelmAsker
from alpaca_eval_suite.judge import asker_kinds, askers
from alpaca_eval_suite.models.endpoint_errors import BlockedError
from alpaca_eval_suite.models.request import GenerationRequest, Message

pytestmark = pytest.mark.usefixtures("helm")

REQUEST = GenerationRequest((Message("user", "Which?"),), max_tokens=7)


class Client:
    """Answers with a result, or raises."""

    def __init__(self, result: Any) -> None:
        self.result = result
        self.requests: list[Any] = []

    def make_request(self, request: Any) -> Any:
        self.requests.append(request)
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


def said(text: str = "A", **fields: Any) -> Any:
    from helm.common.request import GeneratedOutput, RequestResult

    reason = fields.pop("finish_reason", None)
    completions = [GeneratedOutput(text=text, logprob=0, tokens=[], finish_reason=reason)]
    return RequestResult(**{"success": True, "cached": False, "completions": completions, "embedding": [], **fields})


def ask(result: Any, request: GenerationRequest = REQUEST) -> tuple[Any, Any]:
    client = Client(result)
    reply = asyncio.run(HelmAsker("helm/simple/model1", client).ask(request))  # type: ignore[arg-type]
    return reply, client.requests[0]


@pytest.fixture
def registered() -> Iterator[Any]:
    """registered(name, **args): a deployment of a server's, gone after the test."""
    from helm.benchmark import model_deployment_registry as registry

    before = dict(registry.DEPLOYMENT_NAME_TO_MODEL_DEPLOYMENT), list(registry.ALL_MODEL_DEPLOYMENTS)

    def register(name: str, **arguments: Any) -> None:
        spec = registry.ClientSpec("helm.clients.openai_client.OpenAIClient", arguments)
        registry.register_model_deployment(registry.ModelDeployment(name=name, client_spec=spec))

    yield register
    registry.DEPLOYMENT_NAME_TO_MODEL_DEPLOYMENT.clear()
    registry.DEPLOYMENT_NAME_TO_MODEL_DEPLOYMENT.update(before[0])
    registry.ALL_MODEL_DEPLOYMENTS[:] = before[1]


def test_the_identity_knows_the_address_and_no_key(registered: Any) -> None:
    def identity(**arguments: Any) -> Any:
        registered("lab/judge", **arguments)
        return HelmAsker("helm/lab/judge").identity

    first = identity(base_url="http://127.0.0.1:1/v1", api_key="sk-secret-1")
    assert identity(base_url="http://127.0.0.1:1/v1", api_key="sk-secret-2") == first
    assert identity(base_url="http://127.0.0.1:2/v1", api_key="sk-secret-1") != first
    assert identity(base_url="http://127.0.0.1:1/v1", openai_model_name="other") != first
    assert first["helm"] == "lab/judge"
    assert "secret" not in str(first)


def test_one_message_is_a_prompt_and_several_are_messages() -> None:
    reply, request = ask(said("VERDICT", finish_reason={"reason": "endoftext"}))
    assert (reply.text, reply.finish_reason, reply.fallbacks) == ("VERDICT", "endoftext", ())
    assert (request.model_deployment, request.prompt, request.messages) == ("simple/model1", "Which?", None)
    assert (request.max_tokens, request.temperature) == (7, 0.0)
    two = GenerationRequest((Message("system", "Be fair."), Message("user", "Which?")), 7, thinking_tokens=100)
    _, request = ask(said(), two)
    assert (request.prompt, request.max_tokens) == ("", 107)
    assert [turn["role"] for turn in request.messages] == ["system", "user"]


def test_what_it_cannot_give_is_said() -> None:
    reply, _ = ask(said(), GenerationRequest(REQUEST.prompt, 7, top_logprobs=20, json_schema={"type": "object"}))
    assert len(reply.fallbacks) == 2
    assert reply.tokens == ()
    assert "log-probabilities" in reply.fallbacks[0]


def test_failures() -> None:
    from helm.common.request import ErrorFlags

    flags = ErrorFlags(is_retriable=False, is_fatal=False)
    with pytest.raises(BlockedError, match="filtered"):
        ask(said(success=False, completions=[], error="filtered", error_flags=flags))
    with pytest.raises(SuiteError, match="it did not answer: quota"):
        ask(said(success=False, completions=[], error="quota"))
    with pytest.raises(SuiteError, match="it did not answer"):
        ask(said(completions=[]))
    with pytest.raises(SuiteError, match="it could not be asked"):
        ask(RuntimeError("no key"))


def test_a_question_that_nobody_waits_for_harms_nothing() -> None:
    go_on = threading.Event()

    class Slow(Client):
        def make_request(self, request: Any) -> Any:
            go_on.wait(10)
            return self.result

    async def leave() -> None:
        asked = asyncio.create_task(HelmAsker("helm/simple/model1", Slow(said())).ask(REQUEST))  # type: ignore[arg-type]
        await asyncio.sleep(0.05)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        go_on.set()
        await asyncio.sleep(0.05)

    asyncio.run(leave())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("helm/nobody/judge", "HELM knows no deployment 'nobody/judge'"),
        ("helm/alpaca/x", "alpaca/x is none of HELM's own deployments"),
        ("helm/endpoint/x", "endpoint/x is none of HELM's own deployments"),
    ],
)
def test_who_cannot_be_asked(name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        HelmAsker(name)


def test_offline_a_service_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALPACA_OFFLINE", "1")
    with pytest.raises(SuiteError, match="ALPACA_OFFLINE"):
        HelmAsker("helm/openai/gpt-4-0613")
    assert HelmAsker("helm/simple/model1").name == "helm/simple/model1"


def test_its_own_client_answers(monkeypatch: pytest.MonkeyPatch, tmp_path: Any, capsys: Any) -> None:
    """Outside a run of HELM's: nothing is printed, nothing is written."""
    monkeypatch.chdir(tmp_path)
    asker = helm_asker.of_prod_env("helm/simple/model1")
    assert asyncio.run(asker.ask(REQUEST)).text
    assert capsys.readouterr().out == ""
    assert list(tmp_path.iterdir()) == []


def test_without_helm_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asker_kinds, "factories", {})
    ask_through_helm()
    assert askers.asker_of("helm/simple/model1").name == "helm/simple/model1"
    monkeypatch.setitem(sys.modules, "alpaca_eval_suite.evaluate.helm_asker", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'alpaca-eval-suite\[helm\]'"):
        askers.asker_of("helm/openai/gpt-4-0613")
