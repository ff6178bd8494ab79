"""From run folders to a leaderboard: what is found, left out, merged, and kept when something is cut off."""

import errno
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.files import sha256_of
from alpaca_eval_suite.leaderboard.build import Found, build
from alpaca_eval_suite.leaderboard.entry import read_entries
from alpaca_eval_suite.leaderboard.raw import RawItem, raw_record, read_raw, write_raw
from alpaca_eval_suite.leaderboard.record import RAW_FILE, RUN_FILE, RunRecord, write_record

RunFactory = Callable[..., RunRecord]

ENTRY = "SmolLM2-135M-Instruct-a1b2c3d4.json"


def refuse(message: str) -> None:
    raise AssertionError(f"unexpected warning: {message}")


def put(helm: Path, run: RunRecord, suite: str = "s1", *, raw: bool = True) -> Path:
    """Write `run` as HELM would lay it out, with a raw file; returns its folder."""
    folder = helm / "runs" / suite / run.run
    if raw:
        items = [RawItem(id="i1", instruction=f"of {run.run}", output=run.date)]
        write_raw(folder / RAW_FILE, items)
        run = run.model_copy(update={"raw": raw_record(RAW_FILE, items)})
    write_record(folder, run)
    return folder


def raw_files(out: Path) -> list[str]:
    return sorted(f"raw/{path.name}" for path in (out / "raw").iterdir())


def content(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def names(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


def test_all_runs_of_all_suites(make_run: RunFactory, make_short_answer_run: RunFactory, tmp_path: Path) -> None:
    helm, out = tmp_path / "benchmark_output", tmp_path / "results"
    put(helm, make_run())
    put(helm, make_short_answer_run(), "s2")
    written = build(helm, out, warn=refuse)
    assert names(written) == [ENTRY, "leaderboard.md", "leaderboard.csv"]
    assert sorted(names(list(out.iterdir()))) == sorted([*names(written), "raw"])
    (entry,) = read_entries(out).values()
    assert {run.scenario.name for run in entry.runs} == {"user_oriented_mini", "capitals"}
    assert "| 1 | SmolLM2-135M-Instruct (a1b2c3d4) | capitals |" in (out / "leaderboard.md").read_text()
    assert len((out / "leaderboard.csv").read_text().splitlines()) == 3


def test_building_twice_gives_the_same_bytes(make_run: RunFactory, tmp_path: Path) -> None:
    put(tmp_path, make_run())
    put(tmp_path, make_run(run="alpaca_other", model={"fingerprint": "ff" * 32}))
    first = {path: path.read_bytes() for path in build(tmp_path, tmp_path / "out", warn=refuse)}
    assert {path: path.read_bytes() for path in build(tmp_path, tmp_path / "out", warn=refuse)} == first


def test_one_suite_alone(make_run: RunFactory, make_short_answer_run: RunFactory, tmp_path: Path) -> None:
    put(tmp_path, make_run())
    put(tmp_path, make_short_answer_run(), "s2")
    build(tmp_path, tmp_path / "out", suites=["s2"], warn=refuse)
    (entry,) = read_entries(tmp_path / "out").values()
    assert [run.scenario.name for run in entry.runs] == ["capitals"]


def test_results_of_earlier_builds_are_kept(
    make_run: RunFactory, make_short_answer_run: RunFactory, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    put(tmp_path / "a", make_run())
    put(tmp_path / "a", make_run(run="alpaca_x", model={"name": "other", "fingerprint": "ee" * 32}))
    build(tmp_path / "a", out, warn=refuse)
    other = out / "other-eeeeeeee.json"
    before = other.stat().st_mtime_ns
    put(tmp_path / "b", make_short_answer_run())
    assert names(build(tmp_path / "b", out, warn=refuse)) == [ENTRY, "leaderboard.md", "leaderboard.csv"]
    assert other.stat().st_mtime_ns == before
    entries = {entry.name: entry for entry in read_entries(out).values()}
    assert {run.scenario.name for run in entries["SmolLM2-135M-Instruct"].runs} == {
        "user_oriented_mini",
        "capitals",
    }
    assert "other (eeeeeeee)" in (out / "leaderboard.md").read_text()


def test_an_older_run_does_not_replace_what_results_hold(make_run: RunFactory, tmp_path: Path) -> None:
    out, warnings = tmp_path / "out", []
    put(tmp_path / "new", make_run(date="2026-02-01T00:00:00+00:00"))
    build(tmp_path / "new", out, warn=refuse)
    before = (out / ENTRY).read_bytes()
    put(tmp_path / "old", make_run(date="2026-01-01T00:00:00+00:00"))
    build(tmp_path / "old", out, warn=warnings.append)
    assert (out / ENTRY).read_bytes() == before
    assert len(warnings) == 1
    assert "is left out: the same was run again on 2026-02-01" in warnings[0]


def test_a_linked_suite_is_met_once(make_run: RunFactory, tmp_path: Path) -> None:
    put(tmp_path, make_run())
    put(tmp_path, make_run(run="alpaca_unfinished")).joinpath(RUN_FILE).unlink()
    os.symlink(tmp_path / "runs" / "s1", tmp_path / "runs" / "latest")
    warnings: list[str] = []
    build(tmp_path, tmp_path / "out", warn=warnings.append)
    assert len(warnings) == 1
    build(tmp_path, tmp_path / "out", suites=["latest"], warn=warnings.append)
    assert len(warnings) == 2


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda file: file.unlink(), "it is not finished (alpaca_run.json is missing)"),
        (lambda file: file.write_bytes(file.read_bytes()[:200]), "is not a run record of version 2"),
        (lambda file: file.write_bytes(b""), "is not a run record of version 2"),
        (lambda file: file.write_bytes(b"\xff\xfe"), "is not UTF-8 text"),
        (lambda file: file.write_text(file.read_text().replace("2026-01-31T12", "soon")), "the date 'soon"),
    ],
)
def test_a_half_written_run_is_left_out_and_named(
    make_run: RunFactory, tmp_path: Path, spoil: Callable[[Path], object], why: str
) -> None:
    put(tmp_path, make_run())
    folder = put(tmp_path, make_run(run="alpaca_half", model={"fingerprint": "ff" * 32}))
    spoil(folder / RUN_FILE)
    warnings: list[str] = []
    written = build(tmp_path, tmp_path / "out", warn=warnings.append)
    assert names(written) == [ENTRY, "leaderboard.md", "leaderboard.csv"]
    assert len(warnings) == 1
    assert warnings[0].startswith(f"{folder} is left out: ")
    assert why in warnings[0]


def test_runs_of_helm_that_are_not_ours_are_passed_over(make_run: RunFactory, tmp_path: Path) -> None:
    put(tmp_path, make_run())
    (tmp_path / "runs" / "s1" / "mmlu:subject=anatomy").mkdir()
    (tmp_path / "runs" / "s1" / "groups").mkdir()
    (tmp_path / "runs" / "s1" / "summary.json").write_text("{}")
    assert len(build(tmp_path, tmp_path / "out", warn=refuse)) == 3


def test_nothing_to_build_from_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"there is no such folder\n  Run one first: alpaca-suite quickstart"):
        build(tmp_path, tmp_path / "out", warn=refuse)
    (tmp_path / "runs" / "s1").mkdir(parents=True)
    with pytest.raises(SuiteError, match=r"holds no finished run\n  Run one first: alpaca-suite quickstart"):
        build(tmp_path, tmp_path / "out", warn=refuse)
    assert not (tmp_path / "out").exists()


def test_half_written_runs_alone_are_counted(tmp_path: Path) -> None:
    (tmp_path / "runs" / "s1" / "alpaca_half").mkdir(parents=True)
    with pytest.raises(SuiteError, match=r"runs/s1: holds no finished run \(1 unfinished\)"):
        build(tmp_path, tmp_path / "out", suites=["s1"], warn=lambda message: None)


@pytest.mark.parametrize("suite", ["s3", "../runs/s1", "", "."])
def test_an_unknown_suite_is_a_usage_error(make_run: RunFactory, tmp_path: Path, suite: str) -> None:
    put(tmp_path, make_run())
    with pytest.raises(UsageError, match=r"there is no suite .*\n  .*There are: s1\.") as caught:
        build(tmp_path, tmp_path / "out", suites=[suite], warn=refuse)
    assert caught.value.exit_code == 2


def test_a_spoiled_entry_stops_before_anything_is_written(make_run: RunFactory, tmp_path: Path) -> None:
    out = tmp_path / "out"
    put(tmp_path / "a", make_run())
    build(tmp_path / "a", out, warn=refuse)
    (out / ENTRY).write_bytes((out / ENTRY).read_bytes()[:300])
    before = content(out)
    put(tmp_path / "b", make_run(model={"fingerprint": "ff" * 32}))
    with pytest.raises(SuiteError, match=f"{ENTRY}: is not a leaderboard entry") as caught:
        build(tmp_path / "b", out, warn=refuse)
    assert "Nothing was changed" in str(caught.value)
    assert content(out) == before


def test_what_a_killed_build_left_does_no_harm(make_run: RunFactory, tmp_path: Path) -> None:
    out = tmp_path / "out"
    put(tmp_path, make_run())
    build(tmp_path, out, warn=refuse)
    expected = content(out)
    # Killed after the entries and before the tables, with a temporary file half written.
    (out / "leaderboard.md").unlink()
    (out / f".{ENTRY}.k3j2").write_text('{"schema_ver')
    build(tmp_path, out, warn=refuse)
    (out / f".{ENTRY}.k3j2").unlink()
    assert content(out) == expected


def test_a_full_disk_leaves_the_old_files(
    make_run: RunFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    put(tmp_path, make_run())
    build(tmp_path, out, warn=refuse)
    before = content(out)

    def no_space(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    put(tmp_path, make_run(date="2026-03-01T00:00:00+00:00"))
    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(SuiteError, match=r"raw/.*: cannot be written .No space left on device"):
        build(tmp_path, out, warn=refuse)
    assert content(out) == before


def test_by_default_warnings_are_logged(make_run: RunFactory, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    put(tmp_path, make_run())
    (tmp_path / "runs" / "s1" / "alpaca_half").mkdir()
    build(tmp_path, tmp_path / "out")
    folder = tmp_path / "runs" / "s1" / "alpaca_half"
    assert [record.getMessage() for record in caplog.records] == [
        f"{folder} is left out: it is not finished (alpaca_run.json is missing)"
    ]


def test_raw_files_lie_below_the_entries_and_are_named_by_them(
    make_run: RunFactory, make_short_answer_run: RunFactory, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    put(tmp_path, make_run())
    put(tmp_path, make_short_answer_run())
    build(tmp_path, out, warn=refuse)
    (entry,) = read_entries(out).values()
    assert sorted(run.raw.file for run in entry.runs if run.raw) == raw_files(out)
    for run in entry.runs:
        assert run.raw is not None
        assert run.raw.file.startswith("raw/SmolLM2-135M-Instruct-a1b2c3d4-")
        assert run.raw.sha256 == sha256_of(out / run.raw.file)
        assert [item.instruction for item in read_raw(out / run.raw.file)] == [f"of {run.run}"]


def test_the_raw_file_of_a_run_that_is_replaced_goes_with_it(make_run: RunFactory, tmp_path: Path) -> None:
    out = tmp_path / "out"
    put(tmp_path, make_run())
    build(tmp_path, out, warn=refuse)
    first = raw_files(out)
    put(tmp_path, make_run(date="2026-03-01T00:00:00+00:00"))
    build(tmp_path, out, warn=refuse)
    assert len(raw_files(out)) == 1
    assert raw_files(out) != first


def test_a_run_of_before_is_taken_without_a_raw_file_and_said(make_run: RunFactory, tmp_path: Path) -> None:
    out, warnings = tmp_path / "out", []
    put(tmp_path, make_run(), raw=False)
    build(tmp_path, out, warn=warnings.append)
    (entry,) = read_entries(out).values()
    assert entry.runs[0].raw is None
    assert warnings == [
        "without a raw file, so that the numbers cannot be verified: alpaca_user_oriented_mini:judge=builtin"
    ]


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda file: file.unlink(), "cannot be read"),
        (lambda file: file.write_text(file.read_text().replace("of ", "on ")), "was changed after the run"),
        (lambda file: file.write_bytes(file.read_bytes()[:10]), "was changed after the run"),
    ],
)
def test_a_raw_file_that_is_not_what_it_was_is_left_out(
    make_run: RunFactory, tmp_path: Path, spoil: Callable[[Path], object], why: str
) -> None:
    out, warnings = tmp_path / "out", []
    spoil(put(tmp_path, make_run()) / RAW_FILE)
    build(tmp_path, out, warn=warnings.append)
    assert why in warnings[0]
    assert warnings[0].endswith("it is left out")
    assert "cannot be verified" in warnings[1]
    assert read_entries(out)[out / ENTRY].runs[0].raw is None


def test_with_force_a_spoiled_entry_is_put_aside_and_not_lost(make_run: RunFactory, tmp_path: Path) -> None:
    out, warnings = tmp_path / "out", []
    put(tmp_path, make_run())
    build(tmp_path, out, warn=refuse)
    half = (out / ENTRY).read_bytes()[:300]
    for number in (1, 2):
        (out / ENTRY).write_bytes(half)
        build(tmp_path, out, force=True, warn=warnings.append)
        assert (out / f"{ENTRY}.unreadable-{number}").read_bytes() == half
        assert f"it is put aside as {ENTRY}.unreadable-{number}" in warnings[-1]
    assert len(read_entries(out)[out / ENTRY].runs) == 1


def test_an_entry_of_a_newer_version_is_never_written_over(make_run: RunFactory, tmp_path: Path) -> None:
    out = tmp_path / "out"
    put(tmp_path, make_run())
    build(tmp_path, out, warn=refuse)
    newer = (out / ENTRY).read_text().replace('"schema_version": 2', '"schema_version": 3', 1)
    (out / ENTRY).write_text(newer)
    before = content(out)
    with pytest.raises(SuiteError, match=r"is of schema_version 3.*\n.*Update: .*--force"):
        build(tmp_path, out, warn=refuse)
    assert content(out) == before


def test_a_run_of_a_newer_version_is_left_out(make_run: RunFactory, tmp_path: Path) -> None:
    put(tmp_path, make_run())
    folder = put(tmp_path, make_run(run="alpaca_newer"))
    record = folder / RUN_FILE
    record.write_text(record.read_text().replace('"schema_version": 2', '"schema_version": 3', 1))
    warnings: list[str] = []
    build(tmp_path, tmp_path / "out", warn=warnings.append)
    assert warnings == [f"{folder} is left out: is of schema_version 3, this program reads 1 to 2"]


def test_results_on_different_data_are_kept_apart_and_said(make_run: RunFactory, tmp_path: Path) -> None:
    warnings: list[str] = []
    put(tmp_path, make_run())
    put(tmp_path, make_run(run="alpaca_other", scenario={"sha256": "99" * 32}))
    build(tmp_path, tmp_path / "out", warn=warnings.append)
    assert len(read_entries(tmp_path / "out")[tmp_path / "out" / ENTRY].runs) == 2
    assert warnings == [
        "SmolLM2-135M-Instruct was run on different data of user_oriented_mini (11111111, 99999999): kept apart, "
        "not to be compared"
    ]


def test_runs_from_elsewhere_are_met_one_by_one(make_run: RunFactory, tmp_path: Path) -> None:
    out = tmp_path / "out"
    seen: list[int] = []

    def others() -> Iterator[Found]:
        for number in range(3):
            seen.append(len(raw_files(out)) if out.exists() else 0)
            run = make_run(model={"fingerprint": f"{number}" * 64})
            yield run, [RawItem(id="1", output=str(number))]

    build(None, out, others=others(), warn=refuse)
    assert seen == [0, 1, 2]
    assert len(read_entries(out)) == 3


def test_what_fails_halfway_leaves_nothing(make_run: RunFactory, tmp_path: Path) -> None:
    out = tmp_path / "out"

    def others() -> Iterator[Found]:
        yield make_run(), [RawItem(id="1")]
        raise SuiteError("the second is spoiled")

    with pytest.raises(SuiteError, match="the second is spoiled"):
        build(None, out, others=others(), warn=refuse)
    assert content(out) == {}


def test_nothing_given_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="nothing was given that holds a run"):
        build(None, tmp_path / "out", warn=refuse)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "<script>alert(1)</script>", "a/b\\c\x00", "=cmd()", "\u202eevil"]
)
def test_a_name_that_is_a_path_or_a_script_does_no_harm(make_run: RunFactory, tmp_path: Path, name: str) -> None:
    put(tmp_path, make_run(model={"name": name}))
    out = tmp_path / "deep" / "er" / "out"
    build(tmp_path, out, warn=refuse)
    (path,) = read_entries(out)
    assert path.parent == out
    assert re.fullmatch(r"[A-Za-z0-9._-]+\.json", path.name)
    assert all(re.fullmatch(r"raw/[A-Za-z0-9._-]+\.jsonl", file) for file in raw_files(out))
    assert "<script>" not in (out / "leaderboard.md").read_text()
    assert {file.name for file in (tmp_path / "deep").rglob("*") if file.is_file()} == {
        Path(file).name for file in content(out)
    }
