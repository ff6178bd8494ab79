"""Cut lines, flipped bits, full disks: reported with their place, never counted as a result."""

import itertools
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.models.ledger import Claim, Ledger
from alpaca_eval_suite.models.ledger_account import Book
from alpaca_eval_suite.models.ledger_lines import DamagedLineError, decode, encode
from alpaca_eval_suite.models.ledger_reading import LedgerReading

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "ledger", {}) as opened:
        yield opened


def pay(ledger: Ledger, *keys: str) -> None:
    for key in ledger.claim([Claim(key, 0.1) for key in keys], None):
        ledger.sent(key)
        ledger.record(key, {"text": f"of {key}"}, 0.05)


@pytest.fixture(scope="module")
def segment() -> bytes:
    """Every kind of line, by a process that ended."""
    with TemporaryDirectory() as folder:
        with Ledger.open(Path(folder), {}) as ledger:
            pay(ledger, *"abcdef")
            ledger.claim([Claim("x", 0.1), Claim("y", 0.1), Claim("z", 0.1)], None)
            ledger.sent("x")
            ledger.doubt("x")
            ledger.sent("y")
            ledger.fail("y", "why")
            ledger.release(["z"])
            ledger.note("batch", {"id": "1"})
        return ledger._writer.path.read_bytes()


def read(segment: bytes) -> LedgerReading:
    with TemporaryDirectory() as folder:
        Path(folder, "about.json").write_text("{}")
        Path(folder, "segment-1.jsonl").write_bytes(segment)
        return LedgerReading(Path(folder))


@given(st.dictionaries(st.text(), JSON))
def test_lines_come_back(fields: dict[str, object]) -> None:
    event = {**fields, "do": "note"}
    line = encode(event)
    assert line.count(b"\n") == 1
    assert decode(line) == event


@given(st.binary(max_size=80))
def test_anything_else_is_damaged(line: bytes) -> None:
    with pytest.raises(DamagedLineError):
        decode(line)


@given(st.data())
def test_whatever_a_whole_line_says_it_is_counted_or_refused(data: st.DataObject) -> None:
    names = ["do", "key", "keys", "cost", "paid", "value", "reason", "kind", "data", "sent_by"]
    event = data.draw(st.fixed_dictionaries({}, optional=dict.fromkeys(names, JSON)))
    event["do"] = data.draw(st.sampled_from(["claim", "sent", "doubt", "release", "fail", "result", "note", "?"]))
    book = Book()
    try:
        book.apply("segment-1.jsonl", event, encode(event))
    except (KeyError, TypeError, AttributeError, ValueError):
        assert not book.values
    assert book.spent >= 0
    assert all(isinstance(value, dict) for value in book.values.values())


@settings(deadline=None)
@given(st.data())
def test_cut_anywhere(segment: bytes, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(segment)))
    reading = read(segment[:cut])
    assert reading.damaged == []
    assert len(reading.values) == segment[: segment.rfind(b"\n", 0, cut) + 1].count(b'"do":"result"')


@settings(deadline=None)
@given(st.data())
def test_bits_flipped_anywhere(segment: bytes, data: st.DataObject) -> None:
    whole = read(segment)
    damaged = bytearray(segment)
    place = data.draw(st.integers(0, len(segment) - 2))
    usual = st.integers(0x20, 0xFF) | st.just(ord("\n"))
    damaged[place] = data.draw(usual.filter(lambda byte: byte != segment[place]))
    reading = read(bytes(damaged))
    for key, value in reading.values.items():
        assert value == whole.values[key]
    assert len(reading.values) >= 5
    line = segment[:place].count(b"\n") + 1
    places = [problem.where.rpartition(":")[2] for problem in reading.damaged]
    assert places == ([str(line), str(line + 1)] if damaged[place] == ord("\n") else [str(line)])


def test_a_damaged_result_is_named_and_counts_as_lost(ledger: Ledger) -> None:
    with Ledger.open(ledger.folder, {}) as other:
        pay(other, "a", "b")
    path = other._writer.path
    path.write_bytes(path.read_bytes().replace(b"of a", b"of x"))
    reading = LedgerReading(ledger.folder)
    assert dict(reading.values) == {"b": {"text": "of b"}}
    assert reading.spent == pytest.approx(0.15), "the request left, so it may have been charged in full"
    [problem] = reading.damaged
    assert problem.where == f"{path}:4"
    assert "counts for nothing" in str(problem)


def test_a_half_written_line_is_left_until_it_is_whole(ledger: Ledger) -> None:
    with Ledger.open(ledger.folder, {}) as other:
        line = encode({"do": "result", "key": "a", "cost": 0.0, "paid": True, "value": {}})
        for part in (line[:30], line[30:-1], line[-1:]):
            assert "a" not in ledger.values
            other._writer._file.write(part)
            ledger.refresh()
        assert "a" in ledger.values
    assert ledger.damaged == []


def test_a_hole_is_left_until_it_is_filled(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over a network the second page of a file may be seen before the first."""
    with Ledger.open(ledger.folder, {}) as other:
        path = other._writer.path
        before = path.read_bytes()
        pay(other, "a", "b")
        after = path.read_bytes()
        path.write_bytes(before + bytes(150) + after[len(before) + 150 :])
        ledger.refresh()
        assert len(ledger.values) == 0
        path.write_bytes(after)
        ledger.refresh()
        assert set(ledger.values) == {"a", "b"}
        path.write_bytes(after + bytes(20) + b"\n")
    ledger.refresh()
    assert ledger.damaged == []
    late = time.monotonic() + 20
    monkeypatch.setattr("alpaca_eval_suite.models.ledger_segments.monotonic", lambda: late)
    ledger.refresh()
    last = len(after.splitlines()) + 1
    assert [problem.where for problem in ledger.damaged] == [f"{path}:{last}"], "nobody fills it now"
    assert ledger.others_alive() == 0


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
def test_a_disk_that_is_full(ledger: Ledger) -> None:
    import resource

    pay(ledger, "a")
    ledger.claim([Claim("b", 0.1)], None)
    ledger.sent("b")
    size = ledger._writer.path.stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 50, hard))
    try:
        for _ in range(2):
            with pytest.raises(SuiteError, match="cannot be written") as full:
                ledger.record("b", {"text": "of b"}, 0.05)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "Free some space" in str(full.value)
    assert ledger._writer.path.stat().st_size == size + 50, "half a line stands there"
    assert (set(ledger.values), ledger.spent, ledger.reserved) == ({"a"}, 0.05, 0.1)
    ledger.record("b", {"text": "of b"}, 0.05)
    reading = LedgerReading(ledger.folder)
    assert dict(reading.values) == dict(ledger.values)
    assert set(reading.values) == {"a", "b"}
    assert reading.spent == ledger.spent == 0.1
    assert reading.damaged == []


def test_ctrl_c_in_the_middle_of_a_line(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the line was whole by then or not, the next one is not joined to it."""
    for cut, key in itertools.product((10, None), ("a", "b")):
        raw = ledger._writer._file

        class Interrupted:
            closed = False

            def write(self, line: bytes, raw=raw, cut=cut) -> int:  # type: ignore[no-untyped-def]
                raw.write(line[:cut])
                raise KeyboardInterrupt

        monkeypatch.setattr(ledger._writer, "_file", Interrupted())
        with pytest.raises(KeyboardInterrupt):
            ledger.record(f"interrupted {cut}", {}, 0)
        monkeypatch.undo()
        ledger.record(key, {}, 0)
    reading = LedgerReading(ledger.folder)
    assert set(reading.values) == {"a", "b", "interrupted None"}
    assert reading.damaged == []


def test_a_disk_that_cannot_make_it_safe(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(handle: int) -> None:
        raise OSError(5, "Input/output error")

    ledger.claim([Claim("a", 0.1)], None)
    ledger.sent("a")
    with monkeypatch.context() as patch:
        patch.setattr("alpaca_eval_suite.models.ledger_segments.os.fsync", refuse)
        ledger._beat()
        ledger.record("a", {}, 0.05)  # it is paid for: better written than not
        with pytest.raises(SuiteError, match="Input/output error"):
            ledger.claim([Claim("b", 0.1)], None)
    ledger._beat()
    assert ledger.claim([Claim("b", 0.1)], None) == ["b"]
