"""From run folders to a leaderboard: what is found, left out, merged, and kept when something is cut off."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.leaderboard.build import build
from alpaca_eval_suite.leaderboard.entry import read_entries
from alpaca_eval_suite.leaderboard.record import RUN_FILE, RunRecord, write_record

RunFactory = Callable[..., RunRecord]

ENTRY = "SmolLM2-135M-Instruct-a1b2c3d4.json"


def refuse(message: str) -> None:
    raise AssertionError(f"unexpected warning: {message}")


def put(helm: Path, run: RunRecord, suite: str = "s1") -> Path:
    """Write `run` as HELM would lay it out; returns its folder."""
    folder = helm / "runs" / suite / run.run
    write_record(folder, run)
    return folder


def names(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


def test_all_runs_of_all_suites(make_run: RunFactory, make_short_answer_run: RunFactory, tmp_path: Path) -> None:
    helm, out = tmp_path / "benchmark_output", tmp_path / "results"
    put(helm, make_run())
    put(helm, make_short_answer_run(), "s2")
    written = build(helm, out, warn=refuse)
    assert names(written) == [ENTRY, "leaderboard.md", "leaderboard.csv"]
    assert sorted(names(list(out.iterdir()))) == sorted(names(written))
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
        (lambda file: file.write_bytes(file.read_bytes()[:200]), "is not a run record of version 1"),
        (lambda file: file.write_bytes(b""), "is not a run record of version 1"),
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
    before = {path: path.read_bytes() for path in out.iterdir()}
    put(tmp_path / "b", make_run(model={"fingerprint": "ff" * 32}))
    with pytest.raises(SuiteError, match=f"{ENTRY}: is not a leaderboard entry") as caught:
        build(tmp_path / "b", out, warn=refuse)
    assert "Nothing was changed" in str(caught.value)
    assert {path: path.read_bytes() for path in out.iterdir()} == before


def test_what_a_killed_build_left_does_no_harm(make_run: RunFactory, tmp_path: Path) -> None:
    out = tmp_path / "out"
    put(tmp_path, make_run())
    build(tmp_path, out, warn=refuse)
    expected = {path.name: path.read_bytes() for path in out.iterdir()}
    # Killed after the entries and before the tables, with a temporary file half written.
    (out / "leaderboard.md").unlink()
    (out / f".{ENTRY}.k3j2").write_text('{"schema_ver')
    build(tmp_path, out, warn=refuse)
    (out / f".{ENTRY}.k3j2").unlink()
    assert {path.name: path.read_bytes() for path in out.iterdir()} == expected


def test_a_full_disk_leaves_the_old_files(
    make_run: RunFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    put(tmp_path, make_run())
    build(tmp_path, out, warn=refuse)
    before = {path: path.read_bytes() for path in out.iterdir()}

    def no_space(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    put(tmp_path, make_run(date="2026-03-01T00:00:00+00:00"))
    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(SuiteError, match=f"{ENTRY}: cannot be written .No space left on device"):
        build(tmp_path, out, warn=refuse)
    assert {path: path.read_bytes() for path in out.iterdir()} == before


def test_by_default_warnings_are_logged(make_run: RunFactory, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    put(tmp_path, make_run())
    (tmp_path / "runs" / "s1" / "alpaca_half").mkdir()
    build(tmp_path, tmp_path / "out")
    folder = tmp_path / "runs" / "s1" / "alpaca_half"
    assert [record.getMessage() for record in caplog.records] == [
        f"{folder} is left out: it is not finished (alpaca_run.json is missing)"
    ]
