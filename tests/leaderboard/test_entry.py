"""Entries: whose runs they hold, how they are merged, where they are written."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.leaderboard.entry import (
    Entry,
    Identity,
    checksum_of,
    file_name,
    merge,
    read_entries,
    read_entry,
    run_key,
    write_entries,
)
from alpaca_eval_suite.leaderboard.record import RunRecord

RunFactory = Callable[..., RunRecord]

FINGERPRINT = "a1b2c3d4" + "0" * 56
OLDER, NEWER = "2026-01-01T00:00:00+00:00", "2026-02-01T00:00:00+00:00"


def refuse(message: str) -> None:
    raise AssertionError(f"unexpected warning: {message}")


def identity(name: str, fingerprint: str | None = FINGERPRINT, served_id: str | None = None) -> Identity:
    return Identity(name, fingerprint, served_id)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("SmolLM2-135M-Instruct", "SmolLM2-135M-Instruct-a1b2c3d4.json"),
        ("org/model", "org-model-a1b2c3d4.json"),
        ("../../etc/passwd", "etc-passwd-a1b2c3d4.json"),
        ("..", "model-a1b2c3d4.json"),
        ("", "model-a1b2c3d4.json"),
        (".hidden", "hidden-a1b2c3d4.json"),
        ("C:\\models\\x y", "C-models-x-y-a1b2c3d4.json"),
        ("Modèle Éä", "Modele-Ea-a1b2c3d4.json"),
        ("模型", "model-a1b2c3d4.json"),
        ("a\x00b\nc", "a-b-c-a1b2c3d4.json"),
        ("/very/long/" + "x" * 300 + "/checkpoint-3", "x" * 47 + "-checkpoint-3-a1b2c3d4.json"),
    ],
)
def test_file_names_are_safe(name: str, expected: str) -> None:
    assert file_name(identity(name)) == expected


@given(st.text(max_size=400), st.none() | st.text(max_size=80))
def test_no_name_leaves_the_folder(name: str, served_id: str | None) -> None:
    found = file_name(Identity(name, None, served_id))
    assert Path(found).name == found
    assert not found.startswith((".", "-"))
    assert ".." not in found
    assert found.isascii()
    assert len(found) <= 75


def test_a_fingerprint_that_is_no_hash_is_hashed() -> None:
    assert file_name(identity("m", "../../x")) == file_name(identity("m", "../../x"))
    assert "/" not in file_name(identity("m", "../../x"))
    assert file_name(identity("m", "../../x")) != file_name(identity("m", "../../y"))


def test_a_taken_name_gets_a_longer_one() -> None:
    first = file_name(identity("a/b"))
    second = file_name(identity("a-b"), {first.casefold()})
    assert first == "a-b-a1b2c3d4.json"
    assert second != first
    assert second.startswith("a-b-a1b2c3d4-")


def test_a_fingerprint_decides_over_a_served_id(make_run: RunFactory) -> None:
    local = make_run(model={"served_id": "told"}).model
    remote = make_run(model={"fingerprint": None, "served_id": "gpt-2026-01-01"}).model
    assert Identity.of(local) == ("SmolLM2-135M-Instruct", FINGERPRINT, None)
    assert Identity.of(remote) == ("SmolLM2-135M-Instruct", None, "gpt-2026-01-01")


def test_same_name_other_fingerprint_is_another_entry(make_run: RunFactory, tmp_path: Path) -> None:
    entries = merge([], [make_run(), make_run(model={"fingerprint": "ff" * 32})], refuse)
    assert len(entries) == 2
    paths = write_entries(tmp_path, entries, {})
    assert [path.name for path in paths] == [
        "SmolLM2-135M-Instruct-a1b2c3d4.json",
        "SmolLM2-135M-Instruct-ffffffff.json",
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"scenario": {"name": "user_oriented"}},
        {"scenario": {"sha256": "99" * 32}},
        {"scenario": {"n_items": 5}},
        {"baseline": {"name": "other"}},
        {"baseline": {"sha256": None}},
        {"baseline": None},
        {"judge": {"name": "gpt"}},
        {"judge": {"template_sha256": "77" * 32}},
        {"judge": {"hash": "66" * 32}},
        {"source": "judge_run"},
        {"panel": {"combine": "majority", "judges": []}},
        {"judge": {"orders": "model_first"}},
        {"judge": {"seed": 1}},
        {"judge": {"served_id": "gpt-4o-2024-08-06"}},
        {"baseline": {"served_id": "gpt-4o-2024-08-06"}},
        {"judge": None},
        {"prompt": {"format": "alpaca"}},
        {"prompt": {"sha256": "88" * 32}},
        {"decoding": {"max_tokens": 20}},
        {"decoding": {"temperature": 0.7}},
    ],
)
def test_another_result_is_kept_beside(make_run: RunFactory, changes: dict[str, object]) -> None:
    run, other = make_run(), make_run(**changes, date=NEWER)
    (entry,) = merge(merge([], [run], refuse), [other], refuse)
    assert run in entry.runs
    assert other in entry.runs


@pytest.mark.parametrize(
    "changes",
    [
        {"model": {"dtype": "bfloat16", "device": "cuda", "batch_size": "64"}},
        {"judge": {"agreement": "measured anew", "has_information": False}},
        {"rates": {"win_rate": {"value": 0.9, "ci": None, "n": 60}}},
        {"versions": {"torch": "9"}},
        {"run": "another_name_of_the_run"},
        {"raw": {"file": "raw/other.jsonl", "sha256": "55" * 32, "n_lines": 60}},
        {"cost_usd": 1.5, "guards": ["empty_output"], "self_judged": "the judge is the model itself"},
    ],
)
def test_the_same_run_again_replaces_the_older(make_run: RunFactory, changes: dict[str, object]) -> None:
    old, new = make_run(date=OLDER), make_run(**changes, date=NEWER)
    assert run_key(old) == run_key(new)
    (entry,) = merge(merge([], [old], refuse), [new], refuse)
    assert entry.runs == (new,)


def test_an_older_run_never_replaces_a_newer_one(make_run: RunFactory) -> None:
    warnings: list[str] = []
    old, new = make_run(run="old", date=OLDER), make_run(run="new", date=NEWER)
    (entry,) = merge(merge([], [new], refuse), [old], warnings.append)
    assert entry.runs == (new,)
    assert warnings == [f"old of {OLDER} is left out: the same was run again on {NEWER}"]


def test_dates_are_compared_as_moments(make_run: RunFactory) -> None:
    # 01:00 at +05:00 is 20:00 the day before in UTC, though its text sorts later; no zone means UTC.
    first = make_run(run="first", date="2026-01-02T01:00:00+05:00")
    second = make_run(run="second", date="2026-01-01T23:00:00")
    (entry,) = merge(merge([], [first], refuse), [second], refuse)
    assert entry.runs == (second,)


def test_of_one_date_the_later_given_stands(make_run: RunFactory) -> None:
    first, second = make_run(run="first"), make_run(run="second")
    (entry,) = merge([], [first, second], refuse)
    assert entry.runs == (second,)


def test_merging_again_changes_nothing(make_run: RunFactory, make_short_answer_run: RunFactory) -> None:
    runs = [make_run(), make_short_answer_run(), make_run(model={"fingerprint": "ff" * 32})]
    once = merge([], runs, refuse)
    assert merge(once, runs, refuse) == once
    assert merge([], reversed(runs), refuse) == once


def test_a_date_that_cannot_be_read_is_named(make_run: RunFactory) -> None:
    with pytest.raises(SuiteError, match=r"the date 'yesterday' is not of the form 2026-01-31T12:00:00"):
        merge([], [make_run(date=OLDER), make_run(date="yesterday")], refuse)


def test_an_entry_survives_writing_and_reading(make_run: RunFactory, tmp_path: Path) -> None:
    (entry,) = merge([], [make_run(versions={"torch": "2.13"})], refuse)
    (path,) = write_entries(tmp_path, [entry], {})
    assert read_entry(path) == entry
    written = json.loads(path.read_text())
    assert written["schema_version"] == 2
    assert written["fingerprint"] == FINGERPRINT
    (run,) = written["runs"]
    assert run["rates"]["win_rate"] == {
        "value": 0.5212,
        "ci": {"low": 0.45, "high": 0.593, "level": 0.95, "method": "bca"},
        "n": 58,
        "n_failed": 2,
    }
    assert run["model"]["dtype"] == "float32"
    assert run["prompt"]["sha256"] == "22" * 32


def test_an_entry_stays_in_the_file_it_was_found_in(make_run: RunFactory, tmp_path: Path) -> None:
    (entry,) = merge([], [make_run()], refuse)
    (path,) = write_entries(tmp_path, [entry], {})
    renamed = path.rename(tmp_path / "my-model.json")
    known = read_entries(tmp_path)
    assert write_entries(tmp_path, list(known.values()), known) == [renamed]
    assert list(tmp_path.glob("*.json")) == [renamed]


def test_models_whose_slugs_are_alike_get_two_files(make_run: RunFactory, tmp_path: Path) -> None:
    # The case alone differs in the third: one file on some file systems.
    runs = [make_run(model={"name": name}) for name in ("a/b", "a-b", "A-B")]
    paths = write_entries(tmp_path, merge([], runs, refuse), {})
    assert len({path.name.casefold() for path in paths}) == 3
    assert {entry.name for entry in read_entries(tmp_path).values()} == {"a/b", "a-b", "A-B"}


def test_two_files_with_one_model_are_an_error(make_run: RunFactory, tmp_path: Path) -> None:
    (path,) = write_entries(tmp_path, merge([], [make_run()], refuse), {})
    (tmp_path / "copy.json").write_text(path.read_text())
    with pytest.raises(SuiteError, match=r"copy.json: holds the same model as SmolLM2-135M-Instruct-a1b2c3d4.json"):
        read_entries(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[: len(text) // 2], "Invalid JSON"),
        (lambda text: "", "Invalid JSON"),
        (lambda text: "[]", "is not a leaderboard entry of version 2"),
        (
            lambda text: text.replace('"schema_version": 2', '"schema_version": 3', 1),
            "is of schema_version 3, this program reads 1 to 2",
        ),
        (lambda text: text.replace('"source": "helm"', '"source": "rumour"', 1), r"runs\.0\.source"),
        (lambda text: text.replace('"n": 58', '"n": "many"', 1), r"runs\.0\.rates\.win_rate\.n"),
        (lambda text: text.replace('"licence"', '"surprise"', 1), r"runs\.0\.scenario"),
        (lambda text: text.replace("a1b2c3d4", "ffffffff", 1), "is of another model"),
        (
            lambda text: text.replace("2026-01-31T12:00:00+00:00", "soon"),
            "the date 'soon' is not of the form",
        ),
        (lambda text: text.replace("0.5212", "NaN"), "NaN|finite"),
    ],
)
def test_a_file_that_is_no_entry_is_named(
    make_run: RunFactory, tmp_path: Path, change: Callable[[str], str], message: str
) -> None:
    (path,) = write_entries(tmp_path, merge([], [make_run()], refuse), {})
    path.write_text(change(path.read_text()))
    with pytest.raises(SuiteError, match=message) as caught:
        read_entries(tmp_path)
    assert caught.value.where == str(path)
    assert "Nothing was changed" in str(caught.value)


def test_a_run_may_not_stand_twice_in_an_entry(make_run: RunFactory, tmp_path: Path) -> None:
    (entry,) = merge([], [make_run()], refuse)
    doubled = {**entry.model_dump(mode="json"), "runs": [entry.runs[0].model_dump(mode="json")] * 2}
    path = tmp_path / "twice.json"
    path.write_text(json.dumps(doubled))
    with pytest.raises(SuiteError, match=r"the run 'alpaca_user_oriented_mini:judge=builtin' stands twice"):
        read_entry(path)


@pytest.mark.parametrize(
    "file", ["/etc/passwd", "../raw/x.jsonl", "raw/../../x", "", "C:\\x.jsonl", "raw\\x.jsonl", "c:x.jsonl"]
)
def test_a_raw_file_lies_below_the_entry(make_run: RunFactory, file: str) -> None:
    with pytest.raises(ValueError, match="is not a file below the folder of the entry"):
        make_run(raw={"file": file, "sha256": "55" * 32, "n_lines": 1})


def test_all_files_that_are_no_entries_can_be_reported(make_run: RunFactory, tmp_path: Path) -> None:
    (path,) = write_entries(tmp_path, merge([], [make_run()], refuse), {})
    (tmp_path / "a.json").write_text("{")
    (tmp_path / "z.json").write_text(path.read_text())
    problems: list[SuiteError] = []
    assert list(read_entries(tmp_path, problems.append)) == [path]
    assert [Path(problem.where or "").name for problem in problems] == ["a.json", "z.json"]


def test_the_checksum_is_over_every_other_key(make_run: RunFactory, tmp_path: Path) -> None:
    (entry,) = merge([], [make_run()], refuse)
    (path,) = write_entries(tmp_path, [entry], {})
    written = json.loads(path.read_text())
    assert written["checksum"] == checksum_of(written) == entry.checksum
    assert checksum_of({**written, "name": "other"}) != entry.checksum
    # As anybody can make it, without this program.
    rest = {key: value for key, value in written.items() if key != "checksum"}
    canonical = json.dumps(rest, sort_keys=True, separators=(",", ":"))
    assert hashlib.sha256(canonical.encode()).hexdigest() == entry.checksum


def test_names_with_half_a_surrogate_pair_survive(make_run: RunFactory, tmp_path: Path) -> None:
    (entry,) = merge([], [make_run(model={"name": "a\ud83d"})], refuse)
    (path,) = write_entries(tmp_path, [entry], {})
    assert read_entry(path) == entry


def test_a_cut_off_write_leaves_the_old_entry(make_run: RunFactory, tmp_path: Path) -> None:
    (entry,) = merge([], [make_run()], refuse)
    (path,) = write_entries(tmp_path, [entry], {})
    # What write_atomic leaves behind when it is killed before the file is renamed.
    (tmp_path / f".{path.name}.x7k2").write_text('{"schema_version": 1, "na')
    (tmp_path / ".half.json").write_text("{")
    assert read_entries(tmp_path) == {path: entry}


def test_a_folder_that_is_not_there_holds_no_entries(tmp_path: Path) -> None:
    assert read_entries(tmp_path / "nowhere") == {}


def test_entries_are_json_of_one_model_each(make_run: RunFactory) -> None:
    with pytest.raises(ValueError, match="is of another model"):
        Entry(name="other", fingerprint=FINGERPRINT, runs=(make_run(),))
