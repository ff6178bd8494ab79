"""Atomic writes and rows whose line is named: what a full disk or a broken file does to a user."""

import errno
import gzip
import hashlib
import json
import math
import os
import shutil
import stat
import subprocess
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.files import parse_rows, read_rows, read_text, sha256_of, sha256_text, write_atomic, write_json


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if shutil.which("mount") is None:
        pytest.skip("there is no mount command")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("mounting a small disk needs root")
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def rows_of(path: Path) -> list[tuple[str, dict[str, object]]]:
    return list(read_rows(path))


def test_write_makes_folders_and_leaves_one_file(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "text.txt"
    write_atomic(path, "první\r\nzweite\n")
    assert path.read_bytes() == "první\r\nzweite\n".encode()
    write_atomic(path, "new")
    assert path.read_text() == "new"
    assert os.listdir(path.parent) == ["text.txt"]


def test_write_heeds_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        write_atomic(tmp_path / "private.txt", "x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "private.txt").stat().st_mode) == 0o600


def test_full_disk_leaves_the_old_file(small_disk: Path) -> None:
    path = small_disk / "entry.json"
    write_atomic(path, "old")
    with pytest.raises(SuiteError) as caught:
        write_atomic(path, "x" * 200_000)
    assert caught.value.where == str(path)
    assert "No space left on device" in caught.value.what
    assert "Free some space" in str(caught.value.next_step)
    assert path.read_text() == "old"
    assert os.listdir(small_disk) == ["entry.json"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_fault_at_any_step_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    path = tmp_path / "entry.json"
    write_atomic(path, "old")

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(SuiteError, match="No space left on device"):
        write_atomic(path, "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["entry.json"]


def test_ctrl_c_leaves_no_temporary_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomic(tmp_path / "entry.json", "new")
    assert os.listdir(tmp_path) == []


def test_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("")
    with pytest.raises(SuiteError, match=r"results/entry\.json: cannot be written"):
        write_atomic(tmp_path / "results" / "entry.json", "x")


def test_json_is_readable_and_never_holds_nan(tmp_path: Path) -> None:
    path = tmp_path / "entry.json"
    write_json(path, {"name": "Ålesund", "rate": 0.5})
    assert path.read_text("utf-8") == '{\n  "name": "Ålesund",\n  "rate": 0.5\n}\n'
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(path, {"rate": math.nan})
    assert json.loads(path.read_text("utf-8"))["rate"] == 0.5


@settings(deadline=None)
@given(text=st.text(st.characters(codec=None)))
def test_json_comes_back_whatever_the_text(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("json") / "entry.json"
    write_json(path, {"output": text})
    assert json.loads(path.read_text("utf-8")) == {"output": text}


def test_read_text_drops_the_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbfabc")
    assert read_text(path) == "abc"


@pytest.mark.parametrize(
    ("content", "byte"),
    [
        (gzip.compress(b'{"id": "1"}'), 1),
        ('{"id": "café"}'.encode("latin-1"), 11),
        ('{"id": "1"}'.encode("utf-16"), 0),
    ],
    ids=["gzip", "latin-1", "utf-16"],
)
def test_what_is_not_utf8_is_named(tmp_path: Path, content: bytes, byte: int) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(content)
    with pytest.raises(SuiteError) as caught:
        rows_of(path)
    assert str(caught.value) == (
        f"{path}: is not UTF-8 text (byte {byte})\n  Save it as UTF-8; a compressed file must be unpacked first."
    )


@pytest.mark.parametrize("name", ["missing.jsonl", "."])
def test_what_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with pytest.raises(SuiteError, match="cannot be read") as caught:
        read_text(path)
    assert caught.value.where == str(path)
    with pytest.raises(SuiteError, match="cannot be read"):
        sha256_of(path)


def test_rows_of_json_lines_with_bom_crlf_and_blank_lines(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"id": 1}\r\n\r\n  \r\n{"id": 2}')
    assert rows_of(path) == [(f"{path}:1", {"id": 1}), (f"{path}:4", {"id": 2})]


def test_a_line_separator_inside_a_text_ends_no_row(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text('{"id": "a\u2028b\x85c"}\n', "utf-8")
    assert rows_of(path) == [(f"{path}:1", {"id": "a\u2028b\x85c"})]


def test_rows_of_one_list(tmp_path: Path) -> None:
    path = tmp_path / "data.json"
    path.write_text(' \n[{"id": 1},\n {"id": 2}]\n')
    assert rows_of(path) == [(f"{path}[0]", {"id": 1}), (f"{path}[1]", {"id": 2})]


@pytest.mark.parametrize(
    ("content", "where", "what"),
    [
        ('{"id": 1}\n{"id": 2', ":2", "is not valid JSON"),
        ('{"id": 1}\n\n"text"\n', ":3", "is not a JSON object"),
        ('{"id": 1}\n[1]\n', ":2", "is not a JSON object"),
        ("null\n", ":1", "is not a JSON object"),
        ('[{"id": 1}, 5]', "[1]", "is not a JSON object"),
        # A string that holds JSON is a string still.
        ('["{\\"id\\": 1}"]', "[0]", "is not a JSON object"),
        ('[{"id": 1}', "", "is not valid JSON"),
        ('[{"id": 1}]\n{"id": 2}', "", "is not valid JSON"),
        ('[{"id": 1} {"id": 2}]', "", "is not valid JSON"),
        ('[{"id": 1},]', "", "is not valid JSON"),
        ('[{"id": 1},\n{"id": ', "", "is not valid JSON"),
        ("[" * 200_000, "", "is not valid JSON"),
        ('{"a":' * 200_000, ":1", "is not valid JSON"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, content: str, where: str, what: str) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text(content)
    with pytest.raises(SuiteError) as caught:
        rows_of(path)
    assert caught.value.where == f"{path}{where}"
    assert caught.value.what.startswith(what)


def test_rows_before_the_bad_one_are_given(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text('{"id": 1}\n{"id"')
    rows = read_rows(path)
    assert next(rows) == (f"{path}:1", {"id": 1})
    with pytest.raises(SuiteError, match="half-written last line"):
        next(rows)


ROW = json.dumps({"id": "1", "output": "x" * 1000}, indent=1)


@pytest.mark.parametrize(
    ("before", "row", "between", "after"),
    [("", ROW.replace("\n", ""), "\n", "\n"), ("[\n", ROW, ",\n", "\n]\n")],
    ids=["JSON Lines", "one list"],
)
def test_a_file_of_any_size_is_read_row_by_row(tmp_path: Path, before: str, row: str, between: str, after: str) -> None:
    """Of 20 MB no more than a small part is ever in memory."""
    path = tmp_path / "data.jsonl"
    path.write_text(before + between.join([row] * 20_000) + after)
    tracemalloc.start()
    try:
        assert sum(1 for _ in read_rows(path)) == 20_000
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.lists(st.dictionaries(st.text(), JSON)), st.sampled_from([None, 0, 2]))
def test_a_list_is_what_json_makes_of_it(values: list[dict[str, object]], indent: int | None) -> None:
    text = json.dumps(values, indent=indent)
    assert [value for _, value in parse_rows("data", text)] == json.loads(text)


@pytest.mark.parametrize("line", [b'{"id": "caf\xe9"}', b'{"id": "caf\xc3'])
def test_bad_bytes_are_counted_from_the_start(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(b'{"id": "1"}\n' + line)
    with pytest.raises(SuiteError, match=r"is not UTF-8 text \(byte 23\)"):
        rows_of(path)


def test_an_empty_file_has_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(b"")
    assert rows_of(path) == []


def test_hashes(tmp_path: Path) -> None:
    # FIPS 180-2, appendix B.1: the digest of "abc".
    golden = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    assert sha256_text("abc") == sha256_of(path) == golden
    assert sha256_text("é") == hashlib.sha256(b"\xc3\xa9").hexdigest()
