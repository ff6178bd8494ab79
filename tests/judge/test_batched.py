"""Judging by the batch API at a real server: one question alone, the rest in a batch, taken up again after any end."""

import asyncio
import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.judge import batched
from alpaca_eval_suite.judge.askers import EndpointAsker
from alpaca_eval_suite.judge.engine import judge_pairs
from alpaca_eval_suite.judge.judged import Judged
from alpaca_eval_suite.models import endpoint_state
from alpaca_eval_suite.models.endpoint import Endpoint, Price
from alpaca_eval_suite.models.ledger import Ledger

TESTS = Path(__file__).parents[1]
PRICE = Price(input=1000.0, output=1000.0)
OUTPUTS = [("long enough", "short"), ("no", "longer"), ("same", "size"), ("a b c", "d")]


def module(place: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(Path(place).stem, TESTS / place)
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


batch_server = module("models/batch_server.py")
scripted = module("judge/scripted.py")


class Server(batch_server.BatchServer):  # type: ignore[misc, name-defined]
    """A judge who likes the longer answer, alone and in batches; `asked`: how many questions came alone."""

    def __init__(self) -> None:
        super().__init__(lambda key, body: batch_server.answered(key, self.payload(body)))
        self.asked = 0

    def payload(self, body: Any) -> dict[str, Any]:
        found = scripted._QUESTION.search(body["messages"][-1]["content"])
        text = scripted.longer(found[1], found["a"], found["b"])
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 400, "completion_tokens": 100}
        return {"object": "chat.completion", "model": "served-1", "choices": [choice], "usage": usage}

    def reply(self, method: str, target: str, kind: str, raw: bytes) -> tuple[int, Any]:
        if target.endswith("/chat/completions"):
            self.asked += 1
            return 200, self.payload(json.loads(raw))
        answer: tuple[int, Any] = super().reply(method, target, kind, raw)
        return answer


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.delenv("ALPACA_OFFLINE", raising=False)
    monkeypatch.setattr(batched, "POLL_S", 0.01)
    endpoint_state.forget()
    fake = Server()
    yield fake
    fake.close()


def judged_by(server: Server, folder: Path, *, stop_after: float | None = None) -> Judged:
    endpoint = Endpoint(name="judge", base_url=f"{server.root}/v1", model="judge-1", price=PRICE)

    async def run() -> Judged:
        asker = EndpointAsker(endpoint)
        judge = scripted.judge_of(asker, price=PRICE)
        with Ledger.open(folder, {"of": "test"}) as ledger:
            try:
                judging = judge_pairs(scripted.pairs_of(OUTPUTS), [judge], ledger=ledger, cap=100.0, batch=True)
                return await asyncio.wait_for(judging, stop_after)
            finally:
                await asker.close()

    return asyncio.run(run())


def wins(judged: Judged) -> list[float | None]:
    return [one.win for one in judged.preferences]


def test_all_but_the_first_question_at_half_the_price(server: Server, tmp_path: Path) -> None:
    judged = judged_by(server, tmp_path / "ledger")
    assert wins(judged) == [1, 1, 0, 0, 0.5, 0.5, 1, 1]
    assert (server.asked, len(server.batches), len(server.charged)) == (1, 1, 7)
    assert judged.spent == pytest.approx(0.5 + 7 * 0.25)


def test_whoever_comes_later_takes_up_the_same_batch(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as slow:
        slow.setattr(batched, "POLL_S", 60.0)
        with pytest.raises(TimeoutError):
            judged_by(server, tmp_path / "ledger", stop_after=1.0)
    assert len(server.batches) == 1
    judged = judged_by(server, tmp_path / "ledger")
    assert wins(judged) == [1, 1, 0, 0, 0.5, 0.5, 1, 1]
    assert (server.asked, len(server.batches)) == (1, 1)
    assert judged.spent == pytest.approx(0.5 + 7 * 0.25)  # what was lost is known by now
    again = judged_by(server, tmp_path / "ledger")
    assert list(again.preferences) == list(judged.preferences)
    assert (server.asked, len(server.batches)) == (1, 1)


def test_what_the_batch_did_not_come_to_is_asked_alone(server: Server, tmp_path: Path) -> None:
    answer = server.answer
    left: list[str] = []

    def mostly(key: str, body: Any) -> Any:
        if len(left) < 2:
            left.append(key)
            return batch_server.unanswered(key, "batch_expired")
        return answer(key, body)

    server.answer = mostly
    judged = judged_by(server, tmp_path / "ledger")
    assert wins(judged) == [1, 1, 0, 0, 0.5, 0.5, 1, 1]
    assert server.asked == 1 + 2
    assert judged.spent == pytest.approx(3 * 0.5 + 5 * 0.25)


def test_a_batch_that_is_refused_costs_nothing(server: Server, tmp_path: Path) -> None:
    server.ends = "failed"
    with pytest.raises(SuiteError, match="was refused by the service"):
        judged_by(server, tmp_path / "ledger")
    server.ends = "completed"
    judged = judged_by(server, tmp_path / "ledger")
    assert wins(judged) == [1, 1, 0, 0, 0.5, 0.5, 1, 1]
    assert judged.spent == pytest.approx(2 * 0.5 + 6 * 0.25)


def test_a_judge_without_a_batch_api(tmp_path: Path) -> None:
    async def run() -> Judged:
        with Ledger.open(tmp_path / "ledger", {"of": "test"}) as ledger:
            judge = scripted.judge_of(scripted.ScriptedAsker())
            return await judge_pairs(scripted.pairs_of(OUTPUTS), [judge], ledger=ledger, batch=True)

    with pytest.raises(UsageError, match="endpoint/scripted has no batch API"):
        asyncio.run(run())
