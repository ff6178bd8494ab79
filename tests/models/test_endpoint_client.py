"""One request to a real HTTP server: what is sent, what comes of the answer, what is tried again, what is refused."""

import asyncio
import logging
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.models import endpoint_state
from alpaca_eval_suite.models.blocking_endpoint import BlockingEndpointClient
from alpaca_eval_suite.models.endpoint import Endpoint
from alpaca_eval_suite.models.endpoint_client import EndpointClient
from alpaca_eval_suite.models.endpoint_dialect import RemoteGeneration, Usage
from alpaca_eval_suite.models.endpoint_errors import BlockedError, LostAnswerError
from alpaca_eval_suite.models.request import GenerationRequest, Message, TooLongError

SECRET = "sk-Abc123-very-secret"
ASK = GenerationRequest("The capital of Tanzania?", max_tokens=8)

AZURE = {"kind": "azure", "deployment": "my-gpt", "api_version": "2024-10-21", "api_key_env": "MINE"}
SCHEMA = {"type": "object", "properties": {"better": {"enum": ["A", "B"]}}, "required": ["better"]}
STRUCTURED = GenerationRequest("A or B?", max_tokens=8, json_schema=SCHEMA)

Client = Callable[..., BlockingEndpointClient]


class Watch:
    """What a client said and how long it would have slept."""

    def __init__(self) -> None:
        self.notices: list[str] = []
        self.sleeps: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def client(server: Any, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """client(**keys of the endpoint): asks the server of this test, and never really sleeps."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "ALPACA_OFFLINE", "ALPACA_ENDPOINTS"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("MINE", SECRET)

    made = []

    def make(**keys: Any) -> BlockingEndpointClient:
        endpoint = Endpoint.model_validate({"name": "mine", "base_url": server.base_url, "model": "asked-1", **keys})
        made.append(BlockingEndpointClient(endpoint, notice=watch.notices.append, sleep=watch.sleep))
        return made[-1]

    yield make
    for one in made:
        one.close()


# --- what is sent, what comes back


def test_a_chat(client: Client, server: Any, watch: Watch) -> None:
    answer = client().complete(ASK)
    assert (answer.text, answer.finish_reason, answer.served_id) == ("Dodoma.", "stop", "served-1")
    assert (answer.usage, answer.system_fingerprint, answer.fallbacks) == (Usage(5, 2), None, ())
    (seen,) = server.seen
    assert (seen.method, seen.path) == ("POST", "/v1/chat/completions")
    assert seen.body == {
        "model": "asked-1",
        "messages": [{"role": "user", "content": "The capital of Tanzania?"}],
        "max_tokens": 8,
        "temperature": 0.0,
    }
    assert (watch.notices, watch.sleeps) == ([], [])


def test_everything_that_can_be_asked(client: Client, server: Any, fake_openai: ModuleType) -> None:
    tops = [{"token": "A", "logprob": -0.1}, {"token": "B", "logprob": -2.5}]
    told = {"content": [{"token": "A", "logprob": -0.1, "top_logprobs": tops}]}
    reply = fake_openai.chat("A", system_fingerprint="fp_1")
    reply.body["choices"][0] |= {"logprobs": told, "finish_reason": "length"}
    server.then(reply)
    messages = (Message("system", "Be brief."), Message("user", "A or B?"))
    asked = {"temperature": 0.7, "top_p": 0.9, "top_k": 5, "stop": ("\n",), "seed": 2**40 + 3, "top_logprobs": 2}
    answer = client().complete(GenerationRequest(messages, max_tokens=1, **asked))
    assert server.seen[0].body == {
        "model": "asked-1",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "A or B?"}],
        "max_tokens": 1,
        "temperature": 0.7,
        "top_p": 0.9,
        "top_k": 5,
        "stop": ["\n"],
        "seed": 3,
        "logprobs": True,
        "top_logprobs": 2,
    }
    assert (answer.finish_reason, answer.system_fingerprint) == ("length", "fp_1")
    assert [(token.text, token.logprob, token.top) for token in answer.tokens] == [("A", -0.1, {"A": -0.1, "B": -2.5})]


def test_plain_completions(client: Client, server: Any, fake_openai: ModuleType) -> None:
    told = {"tokens": [" Dodoma"], "token_logprobs": [-0.2], "top_logprobs": [{" Dodoma": -0.2}]}
    reply = fake_openai.completion(" Dodoma")
    reply.body["choices"][0]["logprobs"] = told
    server.then(reply)
    answer = client(api="completions").complete(GenerationRequest("The capital is", max_tokens=1, top_logprobs=1))
    (seen,) = server.seen
    assert (seen.path, seen.body["prompt"], seen.body["logprobs"]) == ("/v1/completions", "The capital is", 1)
    assert "messages" not in seen.body
    assert (answer.text, answer.finish_reason, answer.tokens[0].logprob) == (" Dodoma", "length", -0.2)


def test_a_completions_endpoint_cannot_chat(client: Client, server: Any) -> None:
    with pytest.raises(UsageError, match=r"endpoint mine: takes plain text \(api: completions\)"):
        client(api="completions").complete(GenerationRequest((Message("user", "Hi"),), max_tokens=1))
    with pytest.raises(UsageError, match="cannot give a prompt back"):
        client().complete(GenerationRequest("Hi", max_tokens=1, echo_prompt=True))
    assert server.seen == []


def test_azure(client: Client, server: Any) -> None:
    client(**AZURE, base_url=server.root, model="gpt-4o").complete(ASK)
    (seen,) = server.seen
    assert seen.path == "/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21"
    assert seen.headers["api-key"] == SECRET
    assert "authorization" not in seen.headers


def test_key_and_headers(client: Client, server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "of another service")
    client(api_key_env="MINE", headers={"X-Tier": "batch"}).complete(ASK)
    client().complete(ASK)
    with_key, without = server.seen
    assert (with_key.headers["authorization"], with_key.headers["x-tier"]) == (f"Bearer {SECRET}", "batch")
    assert "authorization" not in without.headers


def test_content_in_parts_a_refusal_and_thoughts(client: Client, server: Any, fake_openai: ModuleType) -> None:
    parts, refused, thinking = (fake_openai.chat("") for _ in range(3))
    parts.body["choices"][0]["message"]["content"] = [{"type": "text", "text": "Dodo"}, {"type": "text", "text": "ma"}]
    refused.body["choices"][0]["message"] |= {"content": None, "refusal": "I cannot help with that."}
    thinking.body["choices"][0]["message"] |= {"content": "Dodoma", "reasoning_content": "Not Dar es Salaam."}
    server.then(parts, refused, thinking)
    assert [client().complete(ASK).text for _ in range(2)] == ["Dodoma", "I cannot help with that."]
    answer = client().complete(ASK)
    assert (answer.text, answer.thought) == ("Dodoma", "Not Dar es Salaam.")


def test_half_of_a_surrogate_pair_is_sent_as_a_question_mark(client: Client, server: Any) -> None:
    client().complete(GenerationRequest("a\ud83d", max_tokens=1))
    assert server.seen[0].body["messages"][0]["content"] == "a?"


def test_thoughts_have_their_tokens_and_are_not_cut(client: Client, server: Any, fake_openai: ModuleType) -> None:
    server.then(fake_openai.chat("<think>one\ntwo</think>three\nfour"))
    request = GenerationRequest("?", max_tokens=8, thinking_tokens=100, stop=("\n",))
    answer = client().complete(request)
    assert server.seen[0].body["max_tokens"] == 108
    assert answer.text == "<think>one\ntwo</think>three"


# --- what a server refuses is had in another way, and said once


def refuses(fake_openai: ModuleType, *names: str, message: str = "Unsupported parameter: '{0}'.", **keys: Any) -> Any:
    def answer(seen: Any) -> Any:
        for name in names:
            if name in seen.body:
                return fake_openai.error(400, message.format(name), **{k: v.format(name) for k, v in keys.items()})
        return fake_openai.chat("One. Two.")

    return answer


@pytest.mark.parametrize(
    ("name", "request_of", "sent_instead"),
    [
        ("max_tokens", {}, {"max_completion_tokens": 8}),
        ("temperature", {}, {}),
        ("top_p", {"temperature": 0.5, "top_p": 0.5}, {}),
        ("seed", {"temperature": 0.5, "seed": 1}, {}),
        ("stop", {"stop": (" Two",)}, {}),
        ("logprobs", {"top_logprobs": 3}, {}),
        ("top_logprobs", {"top_logprobs": 3}, {}),
    ],
)
@pytest.mark.parametrize("code", [{"code": "unsupported_parameter", "param": "{0}"}, {}])
def test_a_refused_setting(
    client: Client, server: Any, watch: Watch, fake_openai: ModuleType,
    name: str, request_of: dict[str, Any], sent_instead: dict[str, Any], code: dict[str, str],
) -> None:  # fmt: skip
    server.answer = refuses(fake_openai, name, **code)
    mine = client()
    request = GenerationRequest("Count.", max_tokens=8, **request_of)
    first, second = mine.complete(request), mine.complete(request)
    assert len(server.seen) == 3  # it is asked in the old way once only
    body = server.seen[-1].body
    assert name not in body
    assert body.items() >= sent_instead.items()
    assert len(watch.notices) == 1
    assert first.fallbacks == second.fallbacks == tuple(watch.notices)
    assert first.text == ("One." if name == "stop" else "One. Two.")
    assert watch.sleeps == []


def test_several_refused_settings(client: Client, server: Any, watch: Watch, fake_openai: ModuleType) -> None:
    """As OpenAI's reasoning models do."""
    server.answer = refuses(fake_openai, "max_tokens", "temperature", "stop", code="unsupported_value", param="{0}")
    answer = client().complete(GenerationRequest("Count.", max_tokens=8, stop=(" Two",)))
    assert len(server.seen) == 4
    assert len(answer.fallbacks) == len(watch.notices) == 3
    assert server.seen[-1].body.keys() == {"model", "messages", "max_completion_tokens"}


def test_fastapi_names_the_field_elsewhere(client: Client, server: Any, watch: Watch, fake_openai: ModuleType) -> None:
    detail = [{"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]
    server.then(fake_openai.Reply(422, {"detail": detail}), fake_openai.chat("One."))
    client().complete(GenerationRequest("Count.", max_tokens=8, temperature=1.0, seed=1))
    assert watch.notices == ["the seed is refused; samples cannot be made again"]


def test_a_value_too_large_is_no_refusal_of_the_setting(client: Client, server: Any, fake_openai: ModuleType) -> None:
    server.then(
        fake_openai.error(400, "max_tokens is too large: 8. This model supports at most 4.", param="max_tokens")
    )
    with pytest.raises(SuiteError, match=r"did not accept the request \(400: max_tokens is too large"):
        client().complete(ASK)
    assert len(server.seen) == 1


def test_what_cannot_be_done_without_is_an_error(client: Client, server: Any, fake_openai: ModuleType) -> None:
    server.answer = refuses(fake_openai, "max_tokens", "max_completion_tokens", param="{0}")
    with pytest.raises(SuiteError, match="Unsupported parameter: 'max_completion_tokens'"):
        client().complete(ASK)
    server.answer = refuses(fake_openai, "top_k", param="{0}")
    with pytest.raises(SuiteError, match="Unsupported parameter: 'top_k'"):
        client().complete(GenerationRequest("?", max_tokens=8, top_k=3))


def test_stop_strings_that_are_passed_over_in_silence(client: Client, server: Any, fake_openai: ModuleType) -> None:
    server.then(fake_openai.chat("One. Two."))
    answer = client().complete(GenerationRequest("Count.", max_tokens=8, stop=(" Two",)))
    assert (answer.text, answer.finish_reason) == ("One.", "stop")
    assert answer.fallbacks == ("stop strings are passed over by the server; answers are cut at them here",)


def test_log_probabilities_that_are_passed_over_in_silence(client: Client) -> None:
    answer = client().complete(GenerationRequest("A or B?", max_tokens=1, top_logprobs=2))
    assert answer.fallbacks == ("log-probabilities are passed over by the server; there are none",)


def test_a_schema_is_sent(client: Client, server: Any, watch: Watch) -> None:
    assert client().complete(STRUCTURED).fallbacks == ()
    assert server.seen[0].body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA},
    }
    assert watch.notices == []


@pytest.mark.parametrize(
    ("status", "body"),
    [
        # OpenAI's older models, Azure's older API versions, DeepSeek, Groq, Mistral, servers on FastAPI
        (400, {"error": {"message": "Invalid parameter: 'response_format' of type 'json_schema' is not supported with "
                         "this model.", "param": "response_format", "code": None}}),
        (400, {"error": {"code": "BadRequest", "message": "response_format value as json_schema is enabled only for "
                         "api versions 2024-08-01-preview and later"}}),
        (400, {"error": {"message": "This response_format type is unavailable now", "param": None, "code": "x"}}),
        (400, {"error": {"message": "This model does not support response format `json_schema`."}}),
        (422, {"detail": [{"loc": ["body", "response_format", "type"], "msg": "Input should be 'text' or "
                           "'json_object'"}]}),
        (422, {"detail": [{"loc": ["body", "response_format"], "msg": "Extra inputs are not permitted"}]}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("keys", [{}, AZURE])
def test_a_refused_schema(
    client: Client, server: Any, watch: Watch, fake_openai: ModuleType, status: int, body: Any, keys: Any
) -> None:
    server.answer = lambda seen: (
        fake_openai.Reply(status, body) if "response_format" in seen.body else fake_openai.chat('{"better": "A"}')
    )
    mine = client(**keys)
    answers = [mine.complete(STRUCTURED) for _ in range(2)]
    assert len(server.seen) == 3
    assert watch.notices == ["structured output is refused; the form of answers is left to the model"]
    assert {answer.fallbacks for answer in answers} == {tuple(watch.notices)}
    assert mine.complete(ASK).fallbacks == ()  # nothing was asked that is refused


def test_a_schema_that_is_wrong_is_an_error(client: Client, server: Any, fake_openai: ModuleType) -> None:
    server.then(
        fake_openai.error(400, "Invalid schema for response_format 'answer': 'x' is no type.", param="response_format")
    )
    with pytest.raises(SuiteError, match=r"did not accept the request \(400: Invalid schema for response_format"):
        client().complete(STRUCTURED)
    assert len(server.seen) == 1


# --- what is learnt is shared by all who ask the same


def test_another_client_knows_what_is_refused(
    client: Client, server: Any, watch: Watch, fake_openai: ModuleType
) -> None:
    server.answer = refuses(fake_openai, "max_tokens", param="{0}")
    for name in ("mine", "yours"):
        assert len(client(name=name).complete(ASK).fallbacks) == 1
    assert len(server.seen) == 3
    assert len(watch.notices) == 2  # each says it once: who reads one may not read the other
    client(model="asked-2").complete(ASK)
    assert len(server.seen) == 5  # another model may take more


def together(*clients: BlockingEndpointClient, requests: int = 12) -> list[RemoteGeneration]:
    """So many requests at a time by each client; they have threads of their own."""
    with ThreadPoolExecutor(requests * len(clients)) as pool:
        return list(pool.map(lambda index: clients[index % len(clients)].complete(ASK), range(requests * len(clients))))


def test_clients_share_the_places(client: Client, server: Any, fake_openai: ModuleType) -> None:
    reply = fake_openai.chat("Yes.")
    server.then(fake_openai.Reply(body=reply.body, after=0.01))
    together(client(concurrency=3), client(name="other", concurrency=3))
    assert (server.most_open, len(server.seen)) == (3, 24)


def test_a_server_that_asks_to_slow_down_gets_fewer_at_a_time(
    client: Client, server: Any, fake_openai: ModuleType
) -> None:
    """It takes four at a time, and never says for how long to wait."""
    body = fake_openai.chat("Yes.").body

    def answer(seen: Any) -> Any:
        return fake_openai.error(429, "Slow down.") if server.open > 4 else fake_openai.Reply(body=body, after=0.01)

    server.answer = answer
    mine = client()
    together(mine, requests=32)
    refused = len(server.seen) - 32
    assert refused > 0
    known = endpoint_state.known_of(endpoint_state.place_of(mine.endpoint), 64)
    assert 1 <= known.limiter.window < 16


def test_while_others_are_answered_a_request_goes_on_asking(
    client: Client, server: Any, watch: Watch, fake_openai: ModuleType
) -> None:
    def answer(seen: Any) -> Any:
        unlucky = "unlucky" in str(seen.body) and len(server.seen) < 20
        return fake_openai.error(429, "Slow down.") if unlucky else fake_openai.chat("Yes.")

    server.answer = answer
    mine = client()

    async def sleep_while_another_asks(seconds: float) -> None:
        watch.sleeps.append(seconds)
        await other.complete(ASK)

    other = EndpointClient(mine.endpoint, sleep=watch.sleep)

    async def main() -> str:
        unlucky = EndpointClient(mine.endpoint, sleep=sleep_while_another_asks)
        try:
            return (await unlucky.complete(GenerationRequest("unlucky", max_tokens=1))).text
        finally:
            await asyncio.gather(unlucky.close(), other.close())

    assert asyncio.run(main()) == "Yes."
    assert len([seen for seen in server.seen if "unlucky" in str(seen.body)]) > 6


def test_a_pause_is_kept_by_all(client: Client, server: Any, watch: Watch, fake_openai: ModuleType) -> None:
    server.then(fake_openai.error(429, "Slow down.", headers={"Retry-After": "30"}), fake_openai.chat("Yes."))
    client().complete(ASK)
    client(name="other").complete(ASK)
    assert len(watch.sleeps) == 2
    assert all(25 < slept < 35 for slept in watch.sleeps)


# --- what may pass is tried again


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 529])
def test_a_passing_fault(client: Client, server: Any, watch: Watch, fake_openai: ModuleType, status: int) -> None:
    server.then(fake_openai.error(status, "Not now."), fake_openai.error(status, "Not now."), fake_openai.chat("Yes."))
    assert client().complete(ASK).text == "Yes."
    assert len(server.seen) == 3
    assert 0.5 <= watch.sleeps[0] <= 1.5
    assert 1 <= watch.sleeps[1] <= 2


def test_a_connection_torn_down(client: Client, server: Any, watch: Watch, fake_openai: ModuleType) -> None:
    server.then(fake_openai.Reply(reset=True), fake_openai.chat("Yes."))
    assert client().complete(ASK).text == "Yes."
    assert len(watch.sleeps) == 1


@pytest.mark.parametrize("length", [None, "500"])
def test_json_cut_off(client: Client, server: Any, fake_openai: ModuleType, length: str | None) -> None:
    headers = {"Content-Length": length} if length else {}
    server.then(fake_openai.Reply(body='{"choices": [{"mess', headers=headers), fake_openai.chat("Yes."))
    assert client().complete(ASK).text == "Yes."


@pytest.mark.parametrize(
    ("header", "at_least"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "1.5"}, 1.5),
        ({"retry-after-ms": "2500", "Retry-After": "60"}, 2.5),
        ({"Retry-After": "in 40 seconds, as a date"}, 20),
        ({"Retry-After": "soon"}, 0),
    ],
)
def test_retry_after_is_honoured(
    client: Client, server: Any, watch: Watch, fake_openai: ModuleType, header: dict[str, str], at_least: float
) -> None:
    if "as a date" in header["Retry-After"]:  # of the moment of the test: collecting may be minutes ago
        header = {"Retry-After": format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True)}
    server.then(fake_openai.error(429, "Slow down.", headers=header), fake_openai.chat("Yes."))
    client().complete(ASK)
    (slept,) = watch.sleeps
    assert at_least <= slept <= at_least + 22


def test_a_wait_of_an_hour_is_told_and_not_waited(
    client: Client, server: Any, watch: Watch, fake_openai: ModuleType
) -> None:
    server.then(fake_openai.error(429, "Daily limit.", headers={"Retry-After": "3600"}))
    with pytest.raises(SuiteError, match=r"asks to come back in 3600 seconds \(429: Daily limit"):
        client().complete(ASK)
    assert watch.sleeps == []


def test_a_fault_that_stays(client: Client, server: Any, watch: Watch, fake_openai: ModuleType) -> None:
    server.then(fake_openai.error(500, "Out of memory."))
    with pytest.raises(
        SuiteError, match=rf"endpoint mine \({server.base_url}/chat/completions\): failed 6 times \(500: O"
    ):
        client().complete(ASK)
    assert len(server.seen) == 6
    assert len(watch.sleeps) == 5


def test_nobody_listens(client: Client, server: Any, watch: Watch) -> None:
    server.close()
    with pytest.raises(SuiteError, match=r"could not be reached, or hung up \(.*; 6 tries\)\n  Is the server running"):
        client().complete(ASK)
    assert len(watch.sleeps) == 5


def test_a_server_that_says_nothing(client: Client, server: Any, fake_openai: ModuleType) -> None:
    def slowly(seen: Any) -> Any:
        time.sleep(0.4)
        return fake_openai.chat("Yes.")

    server.answer = slowly
    with pytest.raises(SuiteError, match=r"said nothing for 0\.1 seconds, 2 times\n  A slow server needs"):
        client(timeout=0.1).complete(ASK)
    assert client(timeout=5).complete(ASK).text == "Yes."


@pytest.mark.parametrize(
    ("fault", "doubts"),
    [
        ("reset", 1),
        ("cut off", 1),
        ("truncated", 1),
        ("silence", 1),
        ("too many", 0),
        ("failed", 0),
    ],
)
def test_an_answer_that_may_have_been_made_is_in_doubt(
    client: Client, server: Any, fake_openai: ModuleType, fault: str, doubts: int
) -> None:
    faults = {
        "reset": fake_openai.Reply(reset=True),
        "cut off": fake_openai.Reply(body='{"choices": [{"mess'),
        "truncated": fake_openai.Reply(body='{"choices": [', headers={"Content-Length": "500"}),
        "silence": fake_openai.Reply(after=0.3),
        "too many": fake_openai.error(429, "Slow down."),
        "failed": fake_openai.error(500, "Out of memory."),
    }
    server.then(faults[fault], fake_openai.chat("Yes."))
    calls: list[str] = []

    async def complete(forbid: bool) -> str:
        async def at_once(seconds: float) -> None:
            pass

        def in_doubt() -> None:
            calls.append(fault)
            if forbid:
                raise LookupError("not again")

        asking = EndpointClient(client(timeout=0.1 if fault == "silence" else 9).endpoint, sleep=at_once)
        try:
            return (await asking.complete(ASK, in_doubt=in_doubt)).text
        finally:
            await asking.close()

    assert asyncio.run(complete(forbid=False)) == "Yes."
    assert len(calls) == doubts
    server.then(faults[fault], fake_openai.chat("Yes."))
    before = len(server.seen)
    if doubts:
        with pytest.raises(LookupError, match="not again"):
            asyncio.run(complete(forbid=True))
        assert len(server.seen) == before + 1


def test_the_error_says_whether_an_answer_may_be_lost(client: Client, server: Any, fake_openai: ModuleType) -> None:
    server.then(fake_openai.Reply(reset=True))
    with pytest.raises(LostAnswerError, match="hung up"):
        client().complete(ASK)
    server.close()
    with pytest.raises(SuiteError, match="could not be reached") as caught:
        client().complete(ASK)
    assert not isinstance(caught.value, LostAnswerError)


# --- other parts of the API


async def other_part(endpoint: Endpoint, *call: Any, raw: bool = False, **keys: Any) -> Any:
    async def at_once(seconds: float) -> None:
        pass

    asking = EndpointClient(endpoint, sleep=at_once)
    try:
        return await (asking.request_bytes if raw else asking.request_json)(*call, **keys)
    finally:
        await asking.close()


def test_files_and_batches(client: Client, server: Any, fake_openai: ModuleType) -> None:
    endpoint = client(api_key_env="MINE").endpoint
    server.then(
        fake_openai.error(500, "Not now."), fake_openai.Reply(body='{"id": "fi'), fake_openai.Reply(body={"id": "f"})
    )
    form = {"purpose": "batch", "file": ("batch.jsonl", b'{"custom_id": "1"}\n')}
    assert asyncio.run(other_part(endpoint, "POST", "/files", data=form)) == {"id": "f"}
    assert len(server.seen) == 3
    uploaded = server.seen[2]
    assert uploaded.headers["content-type"].startswith("multipart/form-data")
    assert 'name="purpose"' in uploaded.body
    assert 'filename="batch.jsonl"' in uploaded.body
    assert '{"custom_id": "1"}' in uploaded.body

    server.then(fake_openai.Reply(body={"id": "b"}))
    assert asyncio.run(other_part(endpoint, "POST", "/batches", json={"input_file_id": "f"})) == {"id": "b"}
    server.then(fake_openai.Reply(body='{"a": 1}\n{"a": 2}\n'))
    assert asyncio.run(other_part(endpoint, "GET", "/files/f/content", raw=True)) == b'{"a": 1}\n{"a": 2}\n'
    assert [(seen.method, seen.path) for seen in server.seen[2:]] == [
        ("POST", "/v1/files"), ("POST", "/v1/batches"), ("GET", "/v1/files/f/content"),
    ]  # fmt: skip
    assert {seen.headers["authorization"] for seen in server.seen} == {f"Bearer {SECRET}"}

    server.then(fake_openai.error(404, "Not Found"))
    with pytest.raises(SuiteError, match=r"endpoint mine \(.*/v1/batches/x\): has nothing at this address"):
        asyncio.run(other_part(endpoint, "GET", "/batches/x"))


def test_files_and_batches_of_azure(client: Client, server: Any, fake_openai: ModuleType) -> None:
    server.then(fake_openai.Reply(body={}))
    endpoint = client(**AZURE, base_url=server.root).endpoint
    asyncio.run(other_part(endpoint, "GET", "/batches/b"))
    asyncio.run(other_part(endpoint, "GET", "/batches?limit=5"))
    assert [seen.path for seen in server.seen] == [
        "/openai/batches/b?api-version=2024-10-21", "/openai/batches?limit=5&api-version=2024-10-21",
    ]  # fmt: skip
    assert server.seen[0].headers["api-key"] == SECRET


# --- what stands is said so that a person can act


@pytest.mark.parametrize(
    ("status", "message", "keys", "expected"),
    [
        (401, "Incorrect API key provided.", {}, r"did not accept the key \(401.*\n.*environment variable MINE"),
        (403, "Project has no access.", {}, r"does not allow this \(403.*\n.*lack access to asked-1"),
        (
            404,
            "The model `asked-1` does not exist",
            {"code": "model_not_found"},
            r"serves no model 'asked-1'.*\n.*/v1/mod",
        ),
        (404, "Not Found", {}, r"has nothing at this address \(404: Not Found\)\n  Check base_url and api"),
        (400, "I do not know that role.", {}, r"did not accept the request \(400: I do not know"),
        (405, "Method Not Allowed", {}, r"did not accept the request \(405"),
        (429, "You exceeded your current quota", {"code": "insufficient_quota"}, "has no quota left for this key"),
    ],
)
def test_a_refusal_that_stands(
    client: Client, server: Any, watch: Watch, fake_openai: ModuleType,
    status: int, message: str, keys: dict[str, str], expected: str,
) -> None:  # fmt: skip
    server.then(fake_openai.error(status, message, **keys))
    with pytest.raises(SuiteError, match=rf"(?s)endpoint mine \(http.*: {expected}"):
        client(api_key_env="MINE").complete(ASK)
    assert len(server.seen) == 1
    assert watch.sleeps == []


def test_azure_without_such_a_deployment(client: Client, server: Any, fake_openai: ModuleType) -> None:
    server.then(
        fake_openai.error(404, "The API deployment for this resource does not exist.", code="DeploymentNotFound")
    )
    with pytest.raises(SuiteError, match="has no deployment 'my-gpt', or not in API version 2024-10-21"):
        client(**AZURE, base_url=server.root).complete(ASK)


def test_a_server_that_wants_a_key(client: Client, server: Any, fake_openai: ModuleType) -> None:
    server.then(fake_openai.error(401, "Invalid API Key"))
    with pytest.raises(SuiteError, match="It wants a key: put it into an environment variable"):
        client().complete(ASK)


@pytest.mark.parametrize(
    ("status", "message", "keys"),
    [
        (400, "This model's maximum context length is 2048 tokens.", {"code": "context_length_exceeded"}),
        (400, "the request exceeds the available context size, try increasing it", {}),
        (413, "Payload Too Large", {}),
    ],
)
def test_too_long_concerns_one_request(
    client: Client, server: Any, fake_openai: ModuleType, status: int, message: str, keys: dict[str, str]
) -> None:
    server.then(fake_openai.error(status, message, **keys))
    with pytest.raises(TooLongError, match="the prompt is too long"):
        client().complete(ASK)


def test_a_filter_concerns_one_request(client: Client, server: Any, fake_openai: ModuleType) -> None:
    server.then(fake_openai.error(400, "The response was filtered", code="content_filter"))
    with pytest.raises(BlockedError, match="the service's filter refused the prompt"):
        client().complete(ASK)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {"model": "m", "message": {"content": "Hi"}, "done": True},
            "Ollama's own form; its address for OpenAI's ends",
        ),
        ({"generated_text": "Hi"}, r'JSON without "choices" \(it has: generated_text\)'),
        ({"choices": []}, 'JSON without "choices"'),
        ({"choices": [{"index": 0}]}, "a choice without text"),
        ({"error": "model not loaded"}, "an error: model not loaded"),
        (["Hi"], "a JSON list"),
    ],
)
def test_another_dialect(client: Client, server: Any, fake_openai: ModuleType, body: Any, expected: str) -> None:
    server.then(fake_openai.Reply(body=body))
    with pytest.raises(SuiteError, match=f"answered in another form than OpenAI's: {expected}"):
        client().complete(ASK)


def test_ollama_under_the_wrong_address(client: Client, server: Any, fake_openai: ModuleType) -> None:
    server.then(fake_openai.Reply(404, "404 page not found"))
    with pytest.raises(
        SuiteError, match=r"has nothing at this address \(404: 404 page .*\n.*want /v1 at the end; this e"
    ):
        client(base_url=f"{server.root}/api").complete(ASK)


@pytest.mark.parametrize("status", [200, 403])
def test_a_web_page_in_place_of_json(client: Client, server: Any, fake_openai: ModuleType, status: int) -> None:
    page = "<!DOCTYPE html><html><head><title>Log in &amp; go</title></head></html>"
    server.then(fake_openai.Reply(status, page, {"Content-Type": "text/html"}))
    with pytest.raises(SuiteError, match="a web page titled 'Log in & go'"):
        client().complete(ASK)
    assert len(server.seen) == 1


# --- where a key goes


def test_a_redirect_to_another_host_gets_nothing(client: Client, server: Any, fake_openai: ModuleType) -> None:
    other = fake_openai.FakeServer()
    try:
        server.then(fake_openai.Reply(307, "", {"Location": f"{other.base_url}/chat/completions"}))
        with pytest.raises(
            SuiteError, match=rf"sends requests on to another server \(http://127\.0\.0\.1:{other.port}\)"
        ):
            client(api_key_env="MINE").complete(ASK)
        assert other.seen == []
    finally:
        other.close()


def test_a_redirect_on_the_same_server_is_followed(client: Client, server: Any, fake_openai: ModuleType) -> None:
    server.then(fake_openai.Reply(308, "", {"Location": "/v1/chat/completions/"}), fake_openai.chat("Yes."))
    assert client(api_key_env="MINE").complete(ASK).text == "Yes."
    assert [seen.path for seen in server.seen] == ["/v1/chat/completions", "/v1/chat/completions/"]
    assert server.seen[1].body == server.seen[0].body


def test_a_circle_of_redirects(client: Client, server: Any, fake_openai: ModuleType) -> None:
    server.then(fake_openai.Reply(307, "", {"Location": "/v1/chat/completions"}))
    with pytest.raises(SuiteError, match="sends requests in a circle"):
        client().complete(ASK)


def test_the_key_is_in_no_message_and_no_log(
    client: Client, server: Any, fake_openai: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    mine = client(api_key_env="MINE")
    mine.complete(ASK)
    server.then(fake_openai.error(401, f"Incorrect API key provided: {SECRET}."))
    with pytest.raises(SuiteError, match=r"Incorrect API key provided: \*\*\*") as caught:
        mine.complete(ASK)
    assert SECRET not in str(caught.value) + caplog.text
    assert SECRET not in repr(mine.endpoint)


def test_a_key_that_an_answer_repeats_is_blotted_out(client: Client, server: Any, fake_openai: ModuleType) -> None:
    server.then(fake_openai.Reply(body={"error": f"no account for {SECRET}"}))
    with pytest.raises(SuiteError, match=r"an error: no account for \*\*\*"):
        client(api_key_env="MINE").complete(ASK)


def test_passwords_that_other_programs_keep_are_not_sent(
    client: Client, server: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password of-another-service\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    client().complete(ASK)
    assert "authorization" not in server.seen[0].headers


# --- proxies, certificates, offline mode


def test_a_proxy_that_refuses(
    client: Client, server: Any, fake_openai: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.then(fake_openai.Reply(403, "Forbidden by policy"))
    monkeypatch.setenv("HTTPS_PROXY", server.root)
    with pytest.raises(SuiteError, match=r"is behind a proxy that refuses \(403.*\n.*NO_PROXY=models\.example"):
        client(base_url="https://models.example/v1", api_key_env="MINE").complete(ASK)
    (seen,) = server.seen
    assert (seen.method, seen.path) == ("CONNECT", "models.example:443")
    assert "authorization" not in seen.headers


def test_a_proxy_that_wants_a_password(
    client: Client, server: Any, fake_openai: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.then(fake_openai.Reply(407, "Who are you?"))
    monkeypatch.setenv("HTTP_PROXY", server.root)
    with pytest.raises(SuiteError, match=r"is behind a proxy that wants a name and password \(407: Who are you\?\)"):
        client(base_url="http://models.example/v1").complete(ASK)


def test_a_proxy_is_used_but_never_for_this_machine(
    client: Client, server: Any, fake_openai: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = fake_openai.FakeServer()
    try:
        monkeypatch.setenv("HTTP_PROXY", proxy.root)
        assert client(base_url="http://models.example/v1").complete(ASK).text == "Dodoma."
        assert [seen.path for seen in proxy.seen] == ["http://models.example/v1/chat/completions"]
        client().complete(ASK)
        client(base_url=f"http://localhost:{server.port}").complete(ASK)
        assert (len(proxy.seen), len(server.seen)) == (1, 2)
    finally:
        proxy.close()


def test_addresses_that_no_proxy_names(
    client: Client, server: Any, fake_openai: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", server.root)
    client(base_url="http://models.example/v1").complete(ASK)
    assert len(server.seen) == 1
    monkeypatch.setenv("NO_PROXY", "other.example,.example")
    with pytest.raises(SuiteError, match="could not be reached"):
        client(base_url="http://models.example/v1").complete(ASK)
    assert len(server.seen) == 1


def test_a_proxy_of_another_kind(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://me:secret@127.0.0.1:1080")
    with pytest.raises(SuiteError, match=r"a proxy of another kind than HTTP \(socks5\)") as caught:
        client(base_url="https://models.example/v1")
    assert "secret" not in str(caught.value)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl, which makes the certificate, is not installed")
def test_a_certificate_of_ones_own(
    client: Client, watch: Watch, fake_openai: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bundle, key = tmp_path / "bundle.pem", tmp_path / "key.pem"
    line = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=lab"
    files = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(bundle)]
    subprocess.run([*line.split(), *files], check=True, capture_output=True)
    both = tmp_path / "both.pem"
    both.write_text(key.read_text() + bundle.read_text())
    server = fake_openai.FakeServer(both)
    try:
        address = f"https://127.0.0.1:{server.port}/v1"
        with pytest.raises(SuiteError, match=r"has a certificate that nobody known vouches for .*\n.*SSL_CERT_FILE"):
            client(base_url=address).complete(ASK)
        assert watch.sleeps == []
        monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
        assert client(base_url=address).complete(ASK).text == "Dodoma."
    finally:
        server.close()


def test_certificates_that_are_not_there(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/no/such/bundle.pem")
    with pytest.raises(SuiteError, match="the certificates that SSL_CERT_FILE or SSL_CERT_DIR names cannot be read"):
        client(base_url="https://127.0.0.1:1/v1")
    client()  # a server without https has none


def test_offline_mode(client: Client, server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    outside = client(base_url="http://192.0.2.1/v1")
    monkeypatch.setenv("ALPACA_OFFLINE", "1")
    assert client().complete(ASK).text == "Dodoma."
    with pytest.raises(SuiteError, match=r"is on the network \(192\.0\.2\.1\), and ALPACA_OFFLINE is set"):
        outside.complete(ASK)
