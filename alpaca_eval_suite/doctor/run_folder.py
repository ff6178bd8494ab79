"""Why HELM's pages would be empty for an output folder, and what to do: reads what helm-run and helm-summarize left."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from alpaca_eval_suite.doctor.finding import Finding
from alpaca_eval_suite.errors import UsageError
from alpaca_eval_suite.leaderboard.record import RUN_FILE

_RUN_FILES = ("run_spec.json", "scenario.json", "scenario_state.json", "stats.json", "per_instance_stats.json")
_DISPLAY_FILES = ("display_predictions.json", "display_requests.json", "instances.json")
_SUMMARY_FILES = ("summary.json", "schema.json", "runs.json", "run_specs.json", "groups.json", "groups_metadata.json")
_OURS = "alpaca_"
_NOT_RUNS = ("groups", "eval_cache")
_SUMMARIZER = "alpaca_eval_suite.evaluate.summarizer.AlpacaSummarizer"
_AGAIN = "Run the same command again: answers come from the cache."


def check_output(folder: Path) -> list[Finding]:
    """Findings on HELM's output folder, one suite in it (runs/SUITE), or one run.

    Raises UsageError when the folder is none of these.
    """
    if not folder.is_dir():
        raise UsageError(
            "there is no such folder", where=str(folder), next_step="Give benchmark_output, or a suite in it."
        )
    if (folder / "runs").is_dir():
        suites = sorted(path for path in (folder / "runs").iterdir() if path.is_dir() and not path.is_symlink())
        if not suites:
            return [Finding(str(folder / "runs"), "fail", "holds no suite", "Run one first: alpaca-suite quickstart.")]
        return [finding for suite in suites for finding in _suite(suite)]
    if any((folder / name).is_file() for name in (*_RUN_FILES, RUN_FILE)):
        return [*_run(folder), *_display(folder)]
    if _runs_of(folder) or any((folder / name).is_file() for name in _SUMMARY_FILES):
        return list(_suite(folder))
    raise UsageError(
        "is neither HELM's output folder, nor a suite or a run in it", where=str(folder),
        next_step="Give benchmark_output, benchmark_output/runs/SUITE, or a folder of one run.",
    )  # fmt: skip


def _runs_of(suite: Path) -> list[Path]:
    return sorted(path for path in suite.iterdir() if path.is_dir() and path.name not in _NOT_RUNS)


def _suite(suite: Path) -> Iterator[Finding]:
    runs = _runs_of(suite)
    if not runs:
        yield Finding(
            f"Suite {suite.name}", "fail", "holds no run", f"Look into {suite / 'helm.log'}, and run it again."
        )
        return
    whole = []
    for run in runs:
        found = list(_run(run))
        yield from found
        if all(finding.state != "fail" for finding in found):
            whole.append(run)
    if whole:
        yield from _summary(suite, whole)


def _run(run: Path) -> Iterator[Finding]:
    """One run by itself: whether it ended, and whether its files are whole."""
    name = f"Run {run.name}"
    missing = [file for file in _RUN_FILES if not (run / file).is_file()]
    half = [file for file in _RUN_FILES if file not in missing and _json(run / file) is None]
    if half:
        yield Finding(
            name, "fail", f"{', '.join(half)}: half-written", f"The disk was full, or it was stopped. {_AGAIN}"
        )
    elif missing:
        yield Finding(name, "fail", f"did not end: {', '.join(missing)} missing", _AGAIN)
    elif not _json(run / "stats.json"):
        advice = f"No metric counted anything: look into helm.log for an error. {_AGAIN}"
        yield Finding(name, "fail", "has no stats", advice)
    elif not _json(run / "scenario_state.json").get("request_states"):
        yield Finding(name, "fail", "has no answers", "Was --max-eval-instances 0, or the scenario empty? " + _AGAIN)
    elif run.name.startswith(_OURS) and not (run / RUN_FILE).is_file():
        advice = f"The leaderboard leaves it out. {_AGAIN}"
        yield Finding(name, "warn", f"has no {RUN_FILE}: it is not of this version of the suite", advice)
    else:
        yield Finding(name, "ok", "ended, its files are whole")


def _display(run: Path) -> Iterator[Finding]:
    """What the page of one run shows: made by helm-summarize, from what helm-run wrote."""
    name = f"Page of {run.name}"
    summarize = _summarize(run.parent)
    missing = [file for file in _DISPLAY_FILES if not (run / file).is_file()]
    if missing:
        yield Finding(name, "fail", f"would be empty: {', '.join(missing)} missing", summarize)
    elif half := [file for file in _DISPLAY_FILES if _json(run / file) is None]:
        yield Finding(name, "fail", f"would be empty: {', '.join(half)} half-written", summarize)
    elif run.name.startswith(_OURS) and _shown(run) != _answered(run):
        yield Finding(name, "fail", "would show an older run: it was run again after helm-summarize", summarize)


def _summary(suite: Path, runs: list[Path]) -> Iterator[Finding]:
    """The tables of a suite, and whether they know every run."""
    name, summarize = f"Suite {suite.name}", _summarize(suite)
    missing = [file for file in _SUMMARY_FILES if not (suite / file).is_file()]
    if len(missing) == len(_SUMMARY_FILES):
        yield Finding(name, "fail", "helm-summarize was not run: the pages would be empty", summarize)
        return
    if missing:
        yield Finding(name, "fail", f"helm-summarize did not end: {', '.join(missing)} missing", summarize)
        return
    if half := [file for file in _SUMMARY_FILES if _json(suite / file) is None]:
        yield Finding(name, "fail", f"{', '.join(half)}: half-written", summarize)
        return
    # Content is compared, not times: a copied folder has any order of times, and the same numbers need no new tables.
    listed = {Path(str(run["run_path"])).name: run.get("stats") for run in _json(suite / "runs.json")}
    unknown = [run for run in runs if run.name not in listed]
    newer = [run for run in runs if run not in unknown and listed[run.name] != _json(run / "stats.json")]
    for which, what in ((unknown, "not in the tables"), (newer, "with other numbers than the tables")):
        if which:
            names = ", ".join(run.name for run in which)
            yield Finding(name, "fail", f"helm-summarize is older than the runs: {names} {what}", summarize)
    problems = False
    for run in runs:
        if run in unknown or run in newer:
            continue
        found = [*_groups(suite, run), *_display(run)]
        problems = problems or bool(found)
        yield from found
    if not (unknown or newer or problems):
        plural = "run" if len(runs) == 1 else "runs"
        look = f"helm-server --suite {suite.name} --output-path {suite.parent.parent}"
        yield Finding(name, "ok", f"summarised, {len(runs)} {plural} in its tables; look at it with {look}")


def _groups(suite: Path, run: Path) -> Iterator[Finding]:
    """Whether the schema has a group for the run, with columns that the run fills."""
    name, summarize = f"Page of {run.name}", _summarize(suite)
    schema = _json(suite / "schema.json")
    columns = {group["name"]: {metric["name"] for metric in group["metrics"]} for group in schema["metric_groups"]}
    groups = {group["name"]: group.get("metric_groups", []) for group in schema["run_groups"]}
    mine = [group for group in _json(run / "run_spec.json")["groups"] if group in groups]
    if not mine:
        advice = f"Another summarizer or schema was used. {summarize}"
        yield Finding(name, "fail", "the schema has no group for it, so no table shows it", advice)
        return
    counted = {stat["name"]["name"] for stat in _json(run / "stats.json")}
    shown = {column for group in mine for kind in groups[group] for column in columns.get(kind, ())}
    if not shown & counted:
        yield Finding(name, "fail", f"the group {mine[0]} has no column that the run fills", summarize)


def _summarize(suite: Path) -> str:
    output = suite.parent.parent
    return f"Type: helm-summarize --suite {suite.name} --output-path {output} --summarizer-class-name {_SUMMARIZER}"


def _json(path: Path) -> Any:
    """The content of a JSON file; None when it is cut off or no JSON."""
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None


def _answered(run: Path) -> list[tuple[Any, ...]]:
    """Items, answers and what was said of them, as helm-run left them."""
    states = _json(run / "scenario_state.json")["request_states"]
    texts = [(state.get("result") or {}).get("completions") or [{"text": ""}] for state in states]
    return [
        (state.get("instance", {}).get("id"), text[0]["text"], state.get("annotations"))
        for state, text in zip(states, texts, strict=True)
    ]


def _shown(run: Path) -> list[tuple[Any, ...]]:
    """The same as the page shows it."""
    rows = _json(run / "display_predictions.json")
    return [(row.get("instance_id"), row.get("predicted_text"), row.get("annotations")) for row in rows]
