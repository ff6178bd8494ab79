"""The verdict cache: its keys, several processes and a kill, and that nothing wrong with the file stops judging."""

import dataclasses
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.judge import cache as cache_module
from alpaca_eval_suite.judge import cache_file
from alpaca_eval_suite.judge.cache import Entry, VerdictCache, call_key, default_path
from alpaca_eval_suite.judge.cache_file import on_network
from alpaca_eval_suite.judge.contracts import Reply, Ruling
from alpaca_eval_suite.models.request import GenerationRequest, Message, Token

REPLY = Reply(
    "because.\nVERDICT-1a: A",
    "eos",
    (Token("A", -0.25, {"A": -0.25, "B": -1.5}),),
    prompt_tokens=120,
    completion_tokens=9,
    served_id="cmpl-1",
    system_fingerprint="fp_1",
    fallbacks=("logprobs are not given",),
)
IDENTITY = {"address": "https://api.test/v1", "model": "judge-1"}
REQUEST = GenerationRequest("Which is better?", 16)


def entry(text: str = "A", **meta: Any) -> Entry:
    return Entry(dataclasses.replace(REPLY, text=text), Ruling(1.0), **{"judge": "j", "judge_hash": "h" * 64, **meta})


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def cache(tmp_path: Path, said: list[str]) -> Iterator[VerdictCache]:
    cache = VerdictCache(tmp_path / "folder" / "verdicts.sqlite3", notice=said.append)
    yield cache
    cache.close()


# Keys


def other(value: object) -> Any:
    """A value that a field could have in place of `value`."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 0.5 if isinstance(value, float) and value < 0.5 else value + 1 if value < 1 else value / 2
        case str():
            return value + " "
        case tuple():
            return (*value, "END")
    return {"type": "object"} if value is None else None


@pytest.mark.parametrize("name", [one.name for one in dataclasses.fields(GenerationRequest)])
def test_every_field_of_a_request_changes_the_key(name: str) -> None:
    value = {"max_tokens": 17, "top_k": 5, "seed": 3}.get(name, other(getattr(REQUEST, name)))
    changed = dataclasses.replace(REQUEST, **{name: value})
    assert call_key(IDENTITY, changed) != call_key(IDENTITY, REQUEST)


@pytest.mark.parametrize(
    "identity", [{}, {**IDENTITY, "model": "judge-2"}, {**IDENTITY, "fingerprint": None}, {"a": IDENTITY}]
)
def test_the_identity_changes_the_key(identity: dict[str, Any]) -> None:
    assert call_key(identity, REQUEST) != call_key(IDENTITY, REQUEST)


def test_what_is_one_question_has_one_key() -> None:
    key = call_key(IDENTITY, REQUEST)
    assert re.fullmatch("[0-9a-f]{64}", key)
    assert call_key(MappingProxyType(dict(reversed(IDENTITY.items()))), REQUEST) == key
    assert call_key(IDENTITY, dataclasses.replace(REQUEST, temperature=0, top_p=1)) == key


def test_prompts_that_print_alike_have_keys_of_their_own() -> None:
    prompts = ["Hello", (Message("user", "Hello"),), (Message("system", "Hello"),), (Message("user", "Hel\ud800lo"),)]
    prompts += [(Message("user", "Hel"), Message("user", "lo")), '[{"role": "user", "content": "Hello"}]']
    assert len({call_key(IDENTITY, GenerationRequest(prompt, 16)) for prompt in prompts}) == len(prompts)


def test_the_order_of_a_schema_counts_because_a_model_answers_in_it() -> None:
    if "json_schema" not in {one.name for one in dataclasses.fields(GenerationRequest)}:
        pytest.skip("requests have no schema")
    schemas = [{"reason": {}, "verdict": {}}, {"verdict": {}, "reason": {}}]
    keys = {call_key(IDENTITY, dataclasses.replace(REQUEST, json_schema=MappingProxyType(one))) for one in schemas}
    assert len(keys) == 2


# Keeping


def test_what_is_put_comes_back_whole(cache: VerdictCache, said: list[str]) -> None:
    cache.put_many({"a": entry(), "b": entry("B \ud800 \x00 é")})
    assert cache.get_many(["a", "b", "c"]) == {"a": entry().reply, "b": entry("B \ud800 \x00 é").reply}
    assert VerdictCache(cache.path).get_many(["a"]) == {"a": entry().reply}
    assert not said


def test_nothing_is_made_by_looking(cache: VerdictCache) -> None:
    assert cache.get_many(["a"]) == {}
    assert cache.known(["a"]) == set()
    assert list(cache.export()) == []
    assert cache.prune(judge="j") == 0
    assert cache.stats().as_json() | {"path": ""} == {
        "path": "", "bytes": 0, "oldest": None, "newest": None, "judges": (), "entries": 0, "saved": 0,
    }  # fmt: skip
    cache.put_many({})
    assert not cache.path.parent.exists()


def test_a_later_answer_replaces_an_earlier_one(cache: VerdictCache) -> None:
    cache.put_many({"a": entry("A")})
    cache.put_many({"a": entry("B", judge="k")})
    assert cache.get_many(["a"])["a"].text == "B"
    assert [(one.judge, one.entries) for one in cache.stats().judges] == [("k", 1)]


def test_thousands_at_once(cache: VerdictCache) -> None:
    entries = {f"{number:064x}": entry(str(number)) for number in range(3000)}
    cache.put_many(entries)
    assert {key: reply.text for key, reply in cache.get_many(entries).items()} == {
        key: one.reply.text for key, one in entries.items()
    }
    assert [row["key"] for row in cache.export()] == sorted(entries)


def test_stats_count_use_and_what_it_saved(cache: VerdictCache) -> None:
    old = datetime(2026, 1, 31, 13, tzinfo=UTC)
    cache.put_many({"a": entry(cost=0.25, date=old), "b": entry(cost=0.5, judge="k"), "c": entry(cost=None)})
    cache.known(["a", "b"])  # an estimate is no use
    cache.get_many(["a", "b"])
    cache.get_many(["a", "c", "z"])
    stats = cache.stats()
    assert [(one.judge, one.entries, one.paid, one.hits, one.saved) for one in stats.judges] == [
        ("j", 2, 0.25, 3, 0.5),
        ("k", 1, 0.5, 1, 0.5),
    ]
    assert (stats.entries, stats.saved, stats.oldest) == (3, 1.0, "2026-01-31T13:00:00+00:00")
    assert stats.newest is not None
    assert datetime.now(UTC) - datetime.fromisoformat(stats.newest) < timedelta(minutes=1)
    assert stats.bytes >= cache.path.stat().st_size > 0


def test_prune_by_age_and_by_judge(cache: VerdictCache) -> None:
    old = datetime.now(UTC) - timedelta(days=100)
    cache.put_many({"a": entry(date=old), "b": entry(date=old, judge="k"), "c": entry(judge_hash="f" * 64)})
    border = datetime.now(UTC) - timedelta(days=90)
    assert cache.prune(before=border, dry_run=True) == 2
    assert cache.known("abc") == set("abc")
    assert cache.prune(before=border, judge="k") == 1
    assert cache.known("abc") == set("ac")
    assert cache.prune(judge="f" * 64) == 1
    assert cache.prune(judge="unknown") == 0
    assert cache.known("abc") == {"a"}
    with pytest.raises(UsageError, match="which entries"):
        cache.prune()


def test_prune_gives_the_space_back(cache: VerdictCache) -> None:
    cache.put_many({str(number): entry("long " * 500) for number in range(500)})
    before = cache.stats().bytes
    assert cache.prune(judge="j") == 500
    assert cache.stats().bytes < before / 20


def test_the_default_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ALPACA_VERDICT_CACHE", raising=False)
    monkeypatch.setenv("ALPACA_CACHE_DIR", str(tmp_path))
    assert default_path() == VerdictCache().path == tmp_path / "verdicts.sqlite3"
    monkeypatch.setenv("ALPACA_VERDICT_CACHE", "~/own.sqlite3")
    assert default_path() == Path.home() / "own.sqlite3"


# Several at once

WORKER = """
import os, sys
from alpaca_eval_suite.judge.cache import Entry, VerdictCache
from alpaca_eval_suite.judge.contracts import Reply, Ruling
from pathlib import Path
worker, n = sys.argv[2], int(sys.argv[3])
cache = VerdictCache(Path(sys.argv[1]), notice=lambda text: os.write(2, text.encode()))
for number in range(n):
    key = f"{worker}-{number}"
    cache.put_many({key: Entry(Reply(key * 40), Ruling(0.0), worker, "0" * 64, 0.5)})
    os.write(1, (key + "\\n").encode())
    assert cache.get_many([key])[key].text == key * 40
    cache.get_many([f"{other}-{number}" for other in "abcd"])
"""


def work(path: Path, worker: str, n: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WORKER, str(path), worker, str(n)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_four_processes_and_a_kill_lose_nothing_that_was_kept(tmp_path: Path) -> None:
    path = tmp_path / "verdicts.sqlite3"
    workers = {name: work(path, name, 2000) for name in "abcd"}
    killed = workers["d"]
    assert killed.stdout
    kept = [killed.stdout.readline().strip() for _ in range(500)]
    killed.send_signal(signal.SIGKILL)
    results = {name: worker.communicate(timeout=300) for name, worker in workers.items()}
    assert all((workers[name].returncode, results[name][1]) == (0, "") for name in "abc")
    kept += results["d"][0].split()
    kept += [f"{name}-{number}" for name in "abc" for number in range(2000)]

    cache = VerdictCache(path)
    assert cache.known(kept) == set(kept)
    of_killed = {one.judge: one.entries for one in cache.stats().judges}["d"]
    assert len(results["d"][0].split()) + 500 <= of_killed <= 2000
    cache.close()
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_many_processes_make_one_file(tmp_path: Path) -> None:
    path = tmp_path / "verdicts.sqlite3"
    workers = [work(path, name, 1) for name in "abcdefgh"]
    assert [worker.communicate(timeout=300)[1] for worker in workers] == [""] * 8
    assert VerdictCache(path).known(f"{name}-0" for name in "abcdefgh") == {f"{name}-0" for name in "abcdefgh"}


def test_threads_share_one_cache(cache: VerdictCache, said: list[str]) -> None:
    def use(thread: int) -> None:
        for number in range(50):
            key = f"{thread}-{number}"
            cache.put_many({key: entry(key)})
            assert cache.get_many([key])[key].text == key

    threads = [threading.Thread(target=use, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (cache.stats().entries, said) == (400, [])


def test_a_fork_has_a_connection_of_its_own(cache: VerdictCache) -> None:
    cache.put_many({"a": entry()})
    if (child := os.fork()) == 0:
        cache.put_many({"b": entry()})
        os._exit(0 if cache.known("ab") == {"a", "b"} else 1)
    assert os.waitpid(child, 0)[1] == 0
    cache.put_many({"c": entry()})
    assert cache.known("abc") == set("abc")


def test_a_batch_is_kept_whole_or_not_at_all(cache: VerdictCache, said: list[str]) -> None:
    cache.put_many({"a": entry("first")})
    cache.put_many({"a": entry("second"), "b": dataclasses.replace(entry(), judge_hash=None)})  # type: ignore[arg-type]
    assert cache.get_many("ab")["a"].text == "first"
    assert cache.known("ab") == {"a"}
    assert "NOT NULL" in said[0]


def test_another_process_in_the_way_is_waited_for(cache: VerdictCache, said: list[str]) -> None:
    cache.put_many({"a": entry()})
    holder = sqlite3.connect(cache.path, isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN IMMEDIATE")
    threading.Timer(0.2, lambda: holder.execute("COMMIT")).start()
    cache.put_many({"b": entry()})
    assert (cache.known("ab"), said) == ({"a", "b"}, [])
    holder.close()


def test_waiting_has_an_end(cache: VerdictCache, said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    cache.put_many({"a": entry()})
    cache.close()
    monkeypatch.setattr(cache_file, "WAIT_S", 0.1)
    holder = sqlite3.connect(cache.path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    started = time.monotonic()
    for key in "bcdefgh":
        cache.put_many({key: entry()})
    assert time.monotonic() - started < 2  # the first waits; the others leave the cache alone
    assert len(said) == 1
    assert "locked" in said[0]
    assert "Another process" in said[0]
    assert cache.known("ab") == {"a"}  # reading does not wait
    holder.execute("COMMIT")
    holder.close()
    monkeypatch.setattr(cache_module, "PAUSE_S", 0.0)
    cache._pauses["written"] = 0.0  # a minute later
    cache.put_many({"b": entry()})
    assert cache.known("ab") == {"a", "b"}


# What is wrong with a file never stops judging


def check_it_is_left_alone(cache: VerdictCache, said: list[str], reason: str, *, reads: bool = False) -> None:
    assert cache.get_many(["a"]) == ({"a": entry().reply} if reads else {})
    cache.put_many({"b": entry()})
    cache.put_many({"c": entry()})
    assert cache.get_many(["a"]) == ({"a": entry().reply} if reads else {})
    assert len(said) == 1
    assert reason in said[0]
    assert str(cache.path) in said[0]
    assert "judging goes on" in said[0]


@pytest.mark.parametrize("content", [b"no database, but long enough " * 200, b"x"])
def test_a_file_of_something_else(cache: VerdictCache, said: list[str], content: bytes) -> None:
    cache.path.parent.mkdir()
    cache.path.write_bytes(content)
    check_it_is_left_alone(cache, said, "not a database")
    assert cache.path.read_bytes() == content
    for action in (cache.stats, lambda: list(cache.export()), lambda: cache.prune(judge="j")):
        with pytest.raises(SuiteError, match="not a database"):
            action()


def test_a_damaged_file(cache: VerdictCache, said: list[str]) -> None:
    cache.put_many({f"{number:064x}": entry("long " * 100) for number in range(500)})
    cache.close()
    size = cache.path.stat().st_size
    with cache.path.open("r+b") as stream:
        for place in range(8192, size, 4096):
            stream.seek(place)
            stream.write(b"\xff" * 512)
    check_it_is_left_alone(cache, said, "malformed")
    assert "delete it" in said[0]


def test_a_damaged_entry_is_no_entry(cache: VerdictCache, said: list[str]) -> None:
    cache.put_many({key: entry() for key in "abcd"})
    cache.close()
    connection = sqlite3.connect(cache.path)
    for key, reply in {"a": "{", "b": "[]", "c": '{"text": "A", "tokens": [], "fallbacks": [], "new": 1}'}.items():
        connection.execute("UPDATE verdict SET reply = ? WHERE key = ?", [reply, key])
    connection.commit()
    connection.close()
    assert (set(cache.get_many("abcd")), said) == ({"d"}, [])
    assert [row["key"] for row in cache.export()] == ["d"]


def test_another_programs_database_is_not_touched(cache: VerdictCache, said: list[str]) -> None:
    cache.path.parent.mkdir()
    connection = sqlite3.connect(cache.path)
    connection.execute("CREATE TABLE bookmark (address TEXT)")
    connection.commit()
    connection.close()
    content = cache.path.read_bytes()
    check_it_is_left_alone(cache, said, "something else")
    assert cache.path.read_bytes() == content


def test_a_newer_file_is_left_as_it_is(cache: VerdictCache, said: list[str]) -> None:
    cache.put_many({"a": entry()})
    cache.close()
    connection = sqlite3.connect(cache.path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    check_it_is_left_alone(cache, said, "newer version")


def test_an_older_file_is_brought_up_to_date(cache: VerdictCache, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.put_many({"a": entry()})
    cache.close()
    more = (("ALTER TABLE verdict ADD COLUMN colour TEXT", "UPDATE verdict SET colour = 'red'"),)
    monkeypatch.setattr(cache_file, "MIGRATIONS", cache_file.MIGRATIONS + more)
    assert cache.get_many("a") == {"a": entry().reply}
    cache.close()
    connection = sqlite3.connect(cache.path)
    assert connection.execute("SELECT colour FROM verdict").fetchall() == [("red",)]
    assert connection.execute("PRAGMA user_version").fetchone() == (2,)
    connection.close()


def test_a_folder_in_its_place(cache: VerdictCache, said: list[str]) -> None:
    cache.path.mkdir(parents=True)
    check_it_is_left_alone(cache, said, "unable to open")


def test_a_file_in_the_folders_place(cache: VerdictCache, said: list[str]) -> None:
    cache.path.parent.write_text("")
    check_it_is_left_alone(cache, said, "File exists")


@pytest.fixture
def powerless() -> Iterator[None]:
    """Without the rights that an administrator has over files."""
    if (me := os.geteuid()) == 0:
        os.seteuid(65534)
    yield
    os.seteuid(me)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everyone can reach, unlike those of pytest."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_a_read_only_file_is_read_where_sqlite_can(
    journal: str, open_folder: Path, said: list[str], request: pytest.FixtureRequest
) -> None:
    writer = VerdictCache(open_folder / "verdicts.sqlite3")
    writer.put_many({"a": entry()})
    writer.close()
    connection = sqlite3.connect(writer.path)
    connection.execute(f"PRAGMA journal_mode = {journal}")
    connection.close()
    writer.path.chmod(0o444)
    open_folder.chmod(0o555)
    request.getfixturevalue("powerless")
    reader = VerdictCache(writer.path, notice=said.append)
    check_it_is_left_alone(reader, said, "readonly", reads=journal == "delete")


def test_a_read_only_folder(open_folder: Path, said: list[str], request: pytest.FixtureRequest) -> None:
    open_folder.chmod(0o555)
    request.getfixturevalue("powerless")
    check_it_is_left_alone(VerdictCache(open_folder / "new" / "v.sqlite3", notice=said.append), said, "Permission")


FULL_DISK = """
import resource, sys
from pathlib import Path
from alpaca_eval_suite.judge.cache import Entry, VerdictCache
from alpaca_eval_suite.judge.contracts import Reply, Ruling
cache = VerdictCache(Path(sys.argv[1]), notice=lambda text: print(text, file=sys.stderr))
cache.put_many({"a": Entry(Reply("A"), Ruling(1.0), "j", "0" * 64)})
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
for number in range(50):
    cache.put_many({f"b{number}": Entry(Reply("long " * 2000), Ruling(1.0), "j", "0" * 64)})
print(len(cache.known([f"b{number}" for number in range(50)])))
assert cache.get_many(["a"])["a"].text == "A"
"""


def test_a_disk_that_takes_no_more(tmp_path: Path) -> None:
    path = tmp_path / "verdicts.sqlite3"
    done = subprocess.run([sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True, check=True)
    assert 0 < int(done.stdout) < 50
    assert done.stderr.count("judging goes on") == 1
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()


# File systems


def test_without_a_write_ahead_log(cache: VerdictCache, said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    real = sqlite3.connect
    # A way of locking that has no shared memory, as network disks have none.
    monkeypatch.setattr(
        sqlite3, "connect", lambda path, **options: real(f"file:{path}?vfs=unix-dotfile", uri=True, **options)
    )
    cache.put_many({"a": entry()})
    cache.close()
    cache.put_many({"b": entry()})
    assert cache.known("ab") == {"a", "b"}
    assert len(said) == 1
    assert "write-ahead log" in said[0]


def test_on_a_network_disk_the_journal_is_a_plain_one(
    cache: VerdictCache, said: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mounts").write_text(f"/dev/sda / ext4 rw 0 0\nserver:/home {tmp_path.resolve()} nfs4 rw 0 0\n")
    monkeypatch.setattr(cache_file, "_MOUNTS", tmp_path / "mounts")
    cache.put_many({"a": entry()})
    connection = sqlite3.connect(cache.path)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    connection.close()
    assert "write-ahead log" in said[0]


@pytest.mark.parametrize(
    ("path", "network"),
    [
        ("/home/ann/c", True),
        ("/home/ann/local/c", False),
        ("/homes/c", False),
        ("/my disk/c", True),
        ("/c", False),
        ("/twice/c", False),
        ("/ssh/c", True),
        ("/drive/c", False),
    ],
)
def test_which_disks_are_shared(path: str, network: bool) -> None:
    mounts = """/dev/sda / ext4 rw 0 0
server:/home /home nfs4 rw,vers=4.2 0 0
/dev/sdb /home/ann/local xfs rw 0 0
//server/disk /my\\040disk cifs rw 0 0
server:/twice /twice nfs rw 0 0
/dev/sdc /twice ext4 rw 0 0
ann@server: /ssh fuse.sshfs rw 0 0
/dev/sdd /drive fuseblk rw 0 0
"""
    assert on_network(Path(path), mounts) is network
    assert not on_network(Path(path), "")


def test_export_holds_everything_in_plain_json(cache: VerdictCache) -> None:
    cache.put_many({"a": entry(cost=0.5, date=datetime(2026, 1, 31, tzinfo=UTC))})
    [row] = [json.loads(json.dumps(row)) for row in cache.export()]
    assert Reply.from_json(row.pop("reply")) == entry().reply
    assert row == {
        "key": "a", "judge": "j", "judge_hash": "h" * 64, "cost": 0.5, "date": "2026-01-31T00:00:00+00:00", "hits": 0,
    }  # fmt: skip
