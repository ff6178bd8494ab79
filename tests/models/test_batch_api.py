"""Batches at a real HTTP server: made, looked at, read in another order, in part, after a kill, and refused."""

import asyncio
import importlib.util
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import pytest

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.models import batch_api, batch_file, endpoint_state
from alpaca_eval_suite.models.batch_api import BatchFailedError, BatchState, cancel, find, poll, results, submit
from alpaca_eval_suite.models.batch_file import bodies_of, chunks, line_of, read_answers
from alpaca_eval_suite.models.endpoint import Endpoint
from alpaca_eval_suite.models.endpoint_client import EndpointClient
from alpaca_eval_suite.models.endpoint_dialect import RemoteGeneration, Usage
from alpaca_eval_suite.models.endpoint_errors import LostAnswerError, Refusal
from alpaca_eval_suite.models.request import GenerationRequest

T = TypeVar("T")
SECRET = "sk-Abc123"
REQUESTS = {f"k{index}": GenerationRequest(f"Question {index}?", max_tokens=8, stop=("#",)) for index in range(4)}

Ask = Callable[[Callable[[EndpointClient], Coroutine[Any, Any, T]]], T]


def _load_server() -> ModuleType:
    spec = importlib.util.spec_from_file_location("batch_server", Path(__file__).parent / "batch_server.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


batch_server = _load_server()


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("ALPACA_OFFLINE", "ALPACA_ENDPOINTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MINE", SECRET)
    monkeypatch.setattr(batch_api, "_FILE_WAIT", 0.01)
    monkeypatch.setattr(batch_api, "_LOST_WAIT", 0.01)
    endpoint_state.forget()
    yield
    endpoint_state.forget()


@pytest.fixture
def served(fake_openai: ModuleType) -> Iterator[Any]:
    """A server whose answers repeat the question."""
    fake = batch_server.BatchServer(
        lambda key, body: batch_server.answered(key, fake_openai.chat(body["messages"][0]["content"]).body)
    )
    yield fake
    fake.close()


def endpoint_of(server: Any, **keys: Any) -> Endpoint:
    given = {"name": "mine", "base_url": server.root, "model": "asked-1", "api_key_env": "MINE"}
    return Endpoint.model_validate({**given, **keys})


def azure_of(server: Any) -> Endpoint:
    return endpoint_of(server, kind="azure", deployment="ours", api_version="2024-10-21", model="gpt-4o-2024-08-06")


def ask(endpoint: Endpoint, what: Callable[[EndpointClient], Coroutine[Any, Any, T]]) -> T:
    """What a fresh client is answered: nothing is known but what the server knows."""

    async def run() -> T:
        async def no_sleep(_: float) -> None:
            return None

        client = EndpointClient(endpoint, sleep=no_sleep)
        try:
            return await what(client)
        finally:
            await client.close()

    return asyncio.run(run())


def start(endpoint: Endpoint, label: str | None = "one") -> str:
    return ask(endpoint, lambda client: submit(client, bodies_of(endpoint, REQUESTS), label=label))


def wait_for(endpoint: Endpoint, batch_id: str) -> list[BatchState]:
    """All states up to the last."""
    states = [ask(endpoint, lambda client: poll(client, batch_id))]
    while states[-1].running:
        states.append(ask(endpoint, lambda client: poll(client, batch_id)))
    return states


def answers_of(endpoint: Endpoint, batch_id: str) -> batch_file.Answers:
    return ask(endpoint, lambda client: results(client, batch_id, REQUESTS))


# --- the usual way


def test_from_requests_to_answers_that_come_in_another_order(served: Any) -> None:
    mine = endpoint_of(served)
    batch_id = start(mine)
    assert [state.status for state in wait_for(mine, batch_id)] == ["in_progress", "finalizing", "completed"]
    assert ask(mine, lambda client: poll(client, batch_id)) == BatchState("completed", done=4, total=4, failed=0)
    answers = answers_of(mine, batch_id)
    assert list(answers) == ["k3", "k2", "k1", "k0"]
    for key, request in REQUESTS.items():
        expected = RemoteGeneration(str(request.prompt), "stop", Usage(5, 2), "served-1", None)
        assert answers[key] == expected
    assert served.seen[:2] == ["POST /v1/files", "POST /v1/batches"]
    assert set(served.keys) == {f"Bearer {SECRET}"}


def test_what_is_sent(served: Any) -> None:
    mine = endpoint_of(served)
    batch_id = start(mine)
    batch = served.batches[batch_id]
    assert (batch["endpoint"], batch["completion_window"]) == ("/v1/chat/completions", "24h")
    assert served.files[batch["input_file_id"]]["filename"] == "alpaca-one.jsonl"
    lines = served.lines()
    assert [line["custom_id"] for line in lines] == list(REQUESTS)
    assert lines[0] == {
        "custom_id": "k0",
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": bodies_of(mine, REQUESTS)["k0"],
    }
    assert lines[0]["body"]["messages"] == [{"role": "user", "content": "Question 0?"}]


def test_what_the_server_is_known_to_refuse_is_not_sent(served: Any) -> None:
    mine = endpoint_of(served)
    endpoint_state.known_of(endpoint_state.place_of(mine), 64).refused.add("max_tokens")
    body = bodies_of(mine, REQUESTS)["k0"]
    assert ("max_tokens" in body, body["max_completion_tokens"]) == (False, 8)


def test_azures_form(served: Any) -> None:
    served.azure = True
    azure = azure_of(served)
    batch_id = start(azure)
    assert served.seen[:3] == [
        "POST /openai/files?api-version=2024-10-21",
        "GET /openai/files/file-0?api-version=2024-10-21",  # it was pending
        "POST /openai/batches?api-version=2024-10-21",
    ]
    assert served.batches[batch_id]["endpoint"] == "/chat/completions"
    assert {(line["url"], line["body"]["model"]) for line in served.lines()} == {("/chat/completions", "ours")}
    states = wait_for(azure, batch_id)
    assert states[0] == BatchState("in_progress", done=0, total=0, failed=0)
    assert states[-1] == BatchState("completed", done=4, total=4, failed=0)
    assert answers_of(azure, batch_id).keys() == REQUESTS.keys()
    assert ask(azure, lambda client: find(client, "one")) == batch_id
    assert set(served.keys) == {SECRET}


@pytest.mark.parametrize("text", ["line\u2028separator", "snow ☃", "half \ud800", 'quote " and \\ and \n'])
def test_any_text_is_one_line_and_comes_back(served: Any, text: str) -> None:
    mine = endpoint_of(served)
    requests = {"k": GenerationRequest(text, max_tokens=8)}
    batch_id = ask(mine, lambda client: submit(client, bodies_of(mine, requests)))
    assert len(served.contents["file-0"].decode().splitlines()) == 1  # at every end of a line that Unicode knows
    wait_for(mine, batch_id)
    answers = ask(mine, lambda client: results(client, batch_id, requests))
    assert answers["k"].text == text.encode("utf-8", "replace").decode("utf-8")  # type: ignore[union-attr]


# --- answers in part


def test_lines_that_failed_are_refusals(served: Any, fake_openai: ModuleType) -> None:
    plain = served.answer
    lines = {
        "k0": lambda: batch_server.answered("k0", fake_openai.error(400, "No such option", param="stop").body, 400),
        "k1": lambda: batch_server.answered("k1", fake_openai.error(429, "Slow down").body, 429),
        "k2": lambda: batch_server.answered("k2", {"text": "not a completion"}),
    }
    served.answer = lambda key, body: lines[key]() if key in lines else plain(key, body)
    mine = endpoint_of(served)
    batch_id = start(mine)
    assert wait_for(mine, batch_id)[-1] == BatchState("completed", done=2, total=4, failed=2)
    answers = answers_of(mine, batch_id)
    assert answers["k0"] == Refusal(400, "No such option", param="stop")
    assert answers["k1"] == Refusal(429, "Slow down")
    assert answers["k2"] == Refusal(
        200, 'answered in another form than OpenAI\'s: JSON without "choices" (it has: text)'
    )
    assert [answers[key].passing for key in ("k0", "k1", "k2")] == [False, True, False]  # type: ignore[union-attr]
    assert isinstance(answers["k3"], RemoteGeneration)


@pytest.mark.parametrize(("ends", "code"), [("expired", "batch_expired"), ("cancelled", "batch_cancelled")])
def test_a_batch_that_ended_before_its_time_keeps_what_it_has(served: Any, ends: str, code: str) -> None:
    plain = served.answer
    late = {"k1": batch_server.unanswered("k1", code, "No time."), "k2": None}
    served.answer = lambda key, body: late[key] if key in late else plain(key, body)
    served.ends = ends
    mine = endpoint_of(served)
    batch_id = start(mine)
    assert wait_for(mine, batch_id)[-1] == BatchState(ends, done=2, total=4, failed=1)
    answers = answers_of(mine, batch_id)
    assert sorted(answers) == ["k0", "k1", "k3"]  # the service never came to k2
    assert answers["k1"] == Refusal(408, "No time.", code=code)
    assert answers["k1"].passing


def test_a_batch_that_is_cancelled(served: Any) -> None:
    mine = endpoint_of(served)
    batch_id = start(mine)
    assert ask(mine, lambda client: cancel(client, batch_id)).status == "cancelling"
    assert wait_for(mine, batch_id)[-1].status == "cancelled"
    assert answers_of(mine, batch_id).keys() == REQUESTS.keys()


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ('"response": null, "error": {"code": "odd", "message": "?"}', Refusal(500, "?", None, "odd")),
        ('"response": null, "error": null', Refusal(500, "neither an answer nor a reason")),
        (
            '"response": {"status_code": 0, "body": {}}, "error": {"code": "request_timeout", "message": "Late."}',
            Refusal(408, "Late.", None, "request_timeout"),
        ),
        ('"response": {"status_code": 500, "body": null}', Refusal(500, "None")),
    ],
)
def test_odd_lines(served: Any, parts: str, expected: Refusal) -> None:
    line = f'{{"custom_id": "k0", {parts}}}'
    assert read_answers(endpoint_of(served), "here", line, REQUESTS) == {"k0": expected}


def test_lines_of_other_requests_are_passed_over(served: Any) -> None:
    text = '{"custom_id": "other"}\n{"custom_id": ["k0"]}\n{}\n\n'
    assert read_answers(endpoint_of(served), "here", text, REQUESTS) == {}


@pytest.mark.parametrize("cut", [10, -3])
def test_results_that_are_cut_off_are_an_error_and_not_fewer_answers(served: Any, cut: int) -> None:
    mine = endpoint_of(served)
    batch_id = start(mine)
    wait_for(mine, batch_id)
    name = served.batches[batch_id]["output_file_id"]
    whole = served.contents[name]
    served.contents[name] = whole[:cut]
    with pytest.raises(SuiteError, match=r"batch batch_0: its results did not come whole .*\n  Run the same command"):
        answers_of(mine, batch_id)
    served.contents[name] = whole
    assert len(answers_of(mine, batch_id)) == 4


# --- what does not come to answers


def test_results_before_their_time(served: Any) -> None:
    mine = endpoint_of(served)
    batch_id = start(mine)
    with pytest.raises(
        SuiteError, match=r"endpoint mine: batch batch_0: is not ready \(in_progress, 0 of 0 answered\)"
    ):
        answers_of(mine, batch_id)


def test_a_batch_that_is_refused_as_a_whole(served: Any) -> None:
    served.ends = "failed"
    served.problems = [{"code": "token_limit_exceeded", "message": "Enqueued token limit reached.", "line": None}]
    mine = endpoint_of(served)
    batch_id = start(mine)
    state = wait_for(mine, batch_id)[-1]
    assert (state.status, state.problems) == ("failed", ("Enqueued token limit reached.",))
    with pytest.raises(
        BatchFailedError, match=r"refused by the service \(Enqueued token limit reached\.\)\n  Nothing was"
    ):
        answers_of(mine, batch_id)
    assert ask(mine, lambda client: find(client, "one")) is None  # it may be made again under the same label


def test_a_batch_that_nobody_knows(served: Any) -> None:
    with pytest.raises(SuiteError, match=r"/v1/batches/batch_9\): .*404: no such object: /batches/batch_9"):
        ask(endpoint_of(served), lambda client: poll(client, "batch_9"))


def test_a_server_without_a_batch_api(served: Any, fake_openai: ModuleType) -> None:
    fake = fake_openai.FakeServer()
    fake.answer = lambda seen: fake_openai.Reply(body={"hello": 1})
    try:
        for what in (lambda c: poll(c, "b"), lambda c: find(c, "one")):
            with pytest.raises(SuiteError, match=r"another form than OpenAI's batch API .*\n  .*without --batch"):
                ask(endpoint_of(served, base_url=fake.base_url), what)
    finally:
        fake.close()


def test_a_status_that_is_not_known(served: Any) -> None:
    served.ends = "thinking"
    mine = endpoint_of(served)
    batch_id = start(mine)
    with pytest.raises(SuiteError, match="a batch with the status 'thinking'"):
        wait_for(mine, batch_id)


def test_a_file_that_the_service_cannot_read(served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    served.azure = True
    upload = served._upload
    monkeypatch.setattr(
        served, "_upload", lambda *parts: upload(*parts) | {"status": "error", "status_details": "Too many files."}
    )
    with pytest.raises(SuiteError, match=r"could not read the requests \(Too many files\.\)"):
        start(azure_of(served))
    assert served.batches == {}


# --- limits


def test_requests_are_cut_into_batches_that_the_service_takes(served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = endpoint_of(served)
    bodies = bodies_of(mine, REQUESTS)
    assert chunks(mine, bodies) == [bodies]
    assert chunks(mine, {}) == []
    monkeypatch.setattr(batch_file, "MOST_REQUESTS", 3)
    assert [list(part) for part in chunks(mine, bodies)] == [["k0", "k1", "k2"], ["k3"]]
    monkeypatch.setattr(batch_file, "MOST_BYTES", 2 * len(line_of(mine, "k0", bodies["k0"])))
    assert [list(part) for part in chunks(mine, bodies)] == [["k0", "k1"], ["k2", "k3"]]
    monkeypatch.setattr(batch_file, "MOST_BYTES", 10)
    assert [list(part) for part in chunks(mine, bodies)] == [["k0"], ["k1"], ["k2"], ["k3"]]


def test_too_much_or_nothing_is_refused_before_anything_is_sent(served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = endpoint_of(served)
    with pytest.raises(UsageError, match="a batch holds 1 to 50,000 requests and 200 MB, not 0 and"):
        ask(mine, lambda client: submit(client, {}))
    monkeypatch.setattr(batch_api, "MOST_REQUESTS", 3)
    with pytest.raises(UsageError, match="1 to 3 requests"):
        start(mine)
    assert served.seen == []


# --- never twice


def test_a_connection_lost_while_a_batch_is_made_makes_no_second_one(served: Any) -> None:
    served.before_batch = lambda: (0, None)
    mine = endpoint_of(served)
    assert start(mine) == "batch_0"
    assert list(served.batches) == ["batch_0"]


def test_an_answer_that_is_cut_off_makes_no_second_one_either(served: Any) -> None:
    served.before_batch = lambda: (200, b'{"id": "batch_')
    assert start(endpoint_of(served)) == "batch_0"
    assert list(served.batches) == ["batch_0"]


def test_a_lost_batch_that_is_not_listed_is_not_made_again(served: Any) -> None:
    def lose() -> tuple[int, None]:
        served.batches.clear()
        return 0, None

    served.before_batch = lose
    with pytest.raises(LostAnswerError, match=r"batch one: the connection was lost .*\n  Run the same command again"):
        start(endpoint_of(served))
    assert [seen for seen in served.seen if seen == "POST /v1/batches"] == ["POST /v1/batches"]


def test_a_fault_that_passes_is_tried_again(served: Any) -> None:
    faults = [(503, {"error": {"message": "busy"}})]
    made = served._make
    served._make = lambda wanted: faults.pop() if faults else made(wanted)
    assert start(endpoint_of(served)) == "batch_0"
    assert served.seen.count("POST /v1/batches") == 2


def test_find_goes_by_the_label_and_through_all_pages(served: Any) -> None:
    mine = endpoint_of(served)
    served.page = 1
    ids = {label: start(mine, label) for label in ("one", "two", "three")}
    assert {label: ask(mine, lambda c, label=label: find(c, label)) for label in ids} == ids
    assert ask(mine, lambda client: find(client, "four")) is None


_SUBMIT = """
import asyncio, sys
sys.path.insert(0, sys.argv[2])
from alpaca_eval_suite.models.batch_api import submit
from alpaca_eval_suite.models.endpoint import Endpoint
from alpaca_eval_suite.models.endpoint_client import EndpointClient
endpoint = Endpoint(name="mine", base_url=sys.argv[1], model="asked-1", api_key_env="MINE")
bodies = {f"k{n}": {"model": "asked-1", "messages": [{"role": "user", "content": f"Question {n}?"}]} for n in range(4)}
asyncio.run(submit(EndpointClient(endpoint), bodies, label="one"))
"""


def test_a_process_killed_while_it_submits_pays_once(served: Any) -> None:
    """The batch was made, its id never arrived: the next process finds it by its label and reads it."""
    child: list[subprocess.Popen[bytes]] = []

    def kill() -> tuple[int, None]:
        child[0].kill()
        child[0].wait()
        return 0, None

    served.before_batch = kill
    root = str(Path(batch_api.__file__).parents[2])
    child.append(subprocess.Popen([sys.executable, "-c", _SUBMIT, served.root, root]))
    deadline = time.monotonic() + 30
    while child[0].poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert child[0].returncode not in (0, None)
    mine = endpoint_of(served)
    found = ask(mine, lambda client: find(client, "one"))
    assert found == "batch_0"
    wait_for(mine, found)
    assert {key: answer.text for key, answer in answers_of(mine, found).items()} == {  # type: ignore[union-attr]
        key: request.prompt for key, request in REQUESTS.items()
    }
    assert sorted(served.charged) == list(REQUESTS)
