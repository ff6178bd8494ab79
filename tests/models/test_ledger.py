"""One ledger: what counts as done, failed, spent and held; what must be the same; who may use it."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from alpaca_eval_suite.errors import PartialError, SuiteError
from alpaca_eval_suite.models import ledger_segments
from alpaca_eval_suite.models.ledger import BudgetExhausted, Claim, Ledger
from alpaca_eval_suite.models.ledger_lines import VERSION, encode
from alpaca_eval_suite.models.ledger_reading import LedgerReading
from alpaca_eval_suite.models.liveness import Owner, machine

ABOUT = {"judge": "a" * 64, "files": ["one", "two"]}


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "ledger", ABOUT) as opened:
        yield opened


@pytest.fixture
def dead(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    """A process that all others see as killed; to a test it still does as it is told."""
    with monkeypatch.context() as patch:
        patch.setattr(ledger_segments, "this_process", lambda: Owner(machine(), 2**22 + 1, "0"))
        opened = Ledger.open(ledger.folder, ABOUT)
    yield opened
    opened._stop.set()
    opened._writer.close()


def claims(*keys: str, cost: float = 0.1) -> list[Claim]:
    return [Claim(key, cost) for key in keys]


def settle(ledger: Ledger, key: str, cost: float) -> None:
    ledger.sent(key)
    ledger.record(key, {"text": key}, cost)


def test_a_result_is_there_for_everybody_and_for_good(ledger: Ledger) -> None:
    value = {"text": "Ä\u2028 \ud800 \x00", "tokens": [], "logprob": -1.25, "none": None}
    assert ledger.claim(claims("a"), None) == ["a"]
    assert (ledger.spent, ledger.reserved) == (0, 0.1)
    ledger.sent("a")
    assert (ledger.spent, ledger.reserved) == (0, 0.1)
    ledger.record("a", value, 0.04)
    assert (ledger.spent, ledger.reserved) == (0.04, 0)
    assert ledger.claim(claims("a"), None) == []
    with Ledger.open(ledger.folder, ABOUT) as other:
        assert dict(other.values) == dict(ledger.values) == {"a": value}
        assert (other.spent, other.reserved, other.others_alive()) == (0.04, 0, 1)
        assert other.claim(claims("a"), None) == []


def test_the_first_that_are_free_and_fit(ledger: Ledger) -> None:
    with Ledger.open(ledger.folder, ABOUT) as other:
        assert other.claim(claims("b"), 1.0) == ["b"]
        assert ledger.claim(claims("a", "a", "b", "c", "d"), 1.0, limit=2) == ["a", "c"]
        dear = [Claim("d", 0.8), Claim("e", 0.1)]
        assert ledger.claim(dear, 1.0) == [], "a cheap one behind a dear one is not taken first"
        assert not ledger.exhausted, "something may come back"
        assert other.claim(claims("e", "f", cost=0.4), 1.0) == ["e"]


def test_exhausted_only_when_nothing_can_come_back(ledger: Ledger) -> None:
    assert ledger.claim(claims("a", "b", "c", "d"), 0.3) == ["a", "b", "c"], "0.1 three times is 0.3"
    assert ledger.claim(claims("d"), 0.3) == []
    assert not ledger.exhausted
    for key in "abc":
        settle(ledger, key, 0.05)
    assert ledger.claim(claims("d", "e"), 0.3) == ["d"]
    settle(ledger, "d", 0.1)
    assert ledger.claim(claims("e"), 0.3) == []
    assert ledger.exhausted
    assert ledger.claim(claims("e", cost=0.05), 0.3) == ["e"]
    assert not ledger.exhausted


def test_nothing_is_written_for_what_is_no_cost_or_no_json(ledger: Ledger) -> None:
    before = ledger._writer.path.read_bytes()
    for cost in (float("nan"), float("inf"), -1.0):
        with pytest.raises(ValueError, match="no cost"):
            ledger.claim(claims("a", cost=cost), 1.0)
        with pytest.raises(ValueError, match="no cost"):
            ledger.record("a", {}, cost)
    with pytest.raises(ValueError, match="JSON"):
        ledger.record("a", {"score": float("nan")}, 0.0)
    with pytest.raises(TypeError):
        ledger.note("kind", object())
    assert ledger._writer.path.read_bytes() == before


def test_a_cached_result_costs_nothing_now(ledger: Ledger) -> None:
    ledger.record("a", {"text": "A"}, 0.5, paid=False)
    assert ledger.spent == 0
    assert "a" in ledger.values


def test_a_doubt_counts_in_full_and_reserves_again(ledger: Ledger) -> None:
    assert ledger.claim(claims("a"), 0.25) == ["a"]
    ledger.sent("a")
    ledger.doubt("a")
    assert (ledger.spent, ledger.reserved) == (0.1, 0.1)
    with pytest.raises(BudgetExhausted, match="--max-cost") as refused:
        ledger.doubt("a")
    assert isinstance(refused.value, PartialError)
    assert (ledger.spent, ledger.reserved) == (0.2, 0)
    assert ledger.claim(claims("a"), 0.25) == []
    assert ledger.exhausted
    assert LedgerReading(ledger.folder).spent == 0.2


def test_a_failure_costs_nothing_and_may_be_tried_again(ledger: Ledger) -> None:
    ledger.claim(claims("a", "b"), None)
    for key in "ab":
        ledger.sent(key)
        ledger.fail(key, "400: too long")
    assert ledger.failures == {"a": "400: too long", "b": "400: too long"}
    assert (ledger.spent, ledger.reserved) == (0, 0)
    assert ledger.claim(claims("a"), None) == ["a"]
    settle(ledger, "a", 0.01)
    assert ledger.failures == LedgerReading(ledger.folder).failures == {"b": "400: too long"}


def test_release_leaves_what_was_sent(ledger: Ledger) -> None:
    ledger.claim(claims("a", "b"), None)
    ledger.sent("a")
    ledger.release(["a", "b", "unknown"])
    assert ledger.reserved == 0.1
    with pytest.raises(KeyError):
        ledger.sent("b")


def test_what_the_dead_claimed_is_free_and_what_they_sent_counts(ledger: Ledger, dead: Ledger) -> None:
    assert dead.claim(claims("a", "b", "c"), None) == ["a", "b", "c"]
    settle(dead, "a", 0.02)
    dead.sent("b")
    ledger.refresh()
    assert (ledger.spent, ledger.reserved, ledger.others_alive()) == (0.12, 0, 0)
    assert ledger.lost == {"b": 0.1}
    assert ledger.claim(claims("a", "b", "c"), 0.4) == ["b", "c"]
    settle(ledger, "b", 0.03)
    assert (ledger.spent, ledger.lost) == (0.15, {})


def test_close_gives_back_and_counts_in_full(ledger: Ledger) -> None:
    with Ledger.open(ledger.folder, ABOUT) as other:
        other.claim(claims("a", "b"), None)
        other.sent("a")
    ledger.refresh()
    assert (ledger.spent, ledger.reserved, other.spent) == (0.1, 0, 0.1)
    assert ledger.claim(claims("b"), None) == ["b"]
    other.close()
    with pytest.raises(RuntimeError, match="closed"):
        other.claim(claims("c"), None)


def test_the_answer_to_a_dead_processs_batch_takes_the_place_of_its_worst_cost(ledger: Ledger, dead: Ledger) -> None:
    dead.claim(claims("a", "b"), None)
    dead.note("batch", {"id": "batch_1", "keys": ["a", "b"]})
    dead.sent("a")
    dead.sent("b")
    ledger.refresh()
    assert ledger.spent == 0.2
    assert ledger.notes("batch") == [{"id": "batch_1", "keys": ["a", "b"]}]
    assert ledger.notes("other") == []
    with Ledger.open(ledger.folder, ABOUT) as other:
        ledger.record("a", {}, 0.01)
        other.record("a", {}, 0.01)  # it fetched the same batch before it could know
        other.record("b", {}, 0.01)
        for reading in (ledger, other, LedgerReading(ledger.folder)):
            reading.refresh()
            assert reading.spent == 0.02


def test_of_two_results_all_see_the_same(ledger: Ledger) -> None:
    with Ledger.open(ledger.folder, ABOUT) as other:
        for first, second in ((ledger, other), (other, ledger)):
            first.record(first._name, {"by": first._name}, 0)
            second.record(first._name, {"by": second._name}, 0)
        for reading in (ledger, other, LedgerReading(ledger.folder)):
            reading.refresh()
            assert {value["by"] for value in reading.values.values()} == {max(ledger._name, other._name)}


def test_many_threads(ledger: Ledger) -> None:
    def work(number: int) -> None:
        keys = [f"{number}-{count}" for count in range(25)]
        for key in ledger.claim(claims(*keys, "shared", cost=0.001), 1.0):
            settle(ledger, key, 0.001)

    threads = [Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ledger.values) == 201
    assert LedgerReading(ledger.folder).spent == ledger.spent == pytest.approx(0.201)


def test_the_ledger_of_something_else(ledger: Ledger) -> None:
    with pytest.raises(SuiteError, match="another run") as refused:
        Ledger.open(ledger.folder, {"judge": "b" * 64, "files": ("one", "two"), "seed": 7})
    assert f'judge was "{"a" * 58}…, is "{"b" * 58}…' in str(refused.value)
    assert "seed was not given, is 7" in str(refused.value)
    assert "files" not in str(refused.value)
    assert len(list(ledger.folder.glob("segment-*"))) == 1


def test_two_kinds_begun_at_once(ledger: Ledger) -> None:
    """Both found no about.json, and the second one's took the place of the first one's."""
    (ledger.folder / "about.json").write_text('{"judge": "other"}')
    with pytest.raises(SuiteError, match="another ledger") as refused:
        Ledger.open(ledger.folder, {"judge": "other"})
    assert ledger._name in str(refused.value)
    (ledger.folder / "segment-2.jsonl").write_bytes(
        encode({"do": "open", "version": 1, "about": "other", "machine": "m", "pid": 1, "started": ""})
    )
    with pytest.raises(SuiteError, match="another ledger"):
        ledger.claim(claims("a"), None)


@pytest.mark.parametrize(
    ("text", "message"), [(None, "no ledger"), ("{", "damaged"), ("[]", "no JSON object"), ("\xff", "UTF-8")]
)
def test_a_folder_that_is_no_ledger(tmp_path: Path, text: str | None, message: str) -> None:
    if text is not None:
        (tmp_path / "about.json").write_text(text, encoding="latin-1")
    with pytest.raises(SuiteError, match=message):
        LedgerReading(tmp_path)


def test_a_newer_version(ledger: Ledger) -> None:
    newer = ledger.folder / "segment-1.jsonl"
    newer.write_bytes(encode({"do": "open", "version": VERSION + 1}))
    with pytest.raises(SuiteError, match="newer version"):
        ledger.refresh()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_is_refused_and_leaves_the_parents_ledger_alone(ledger: Ledger) -> None:
    ledger.claim(claims("a"), None)
    child = os.fork()
    if child == 0:
        try:
            with ledger:
                ledger.sent("a")
        except RuntimeError as error:
            os._exit(42 if "fork" in str(error) else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 42
    settle(ledger, "a", 0.01)
    assert dict(LedgerReading(ledger.folder).values) == {"a": {"text": "a"}}


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be deleted there")
def test_a_segment_deleted_while_in_use(ledger: Ledger) -> None:
    ledger._writer.path.unlink()
    with pytest.raises(SuiteError, match="deleted while in use"):
        ledger.claim(claims("a"), None)
