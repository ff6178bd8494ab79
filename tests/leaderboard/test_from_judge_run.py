"""From `judge run` to an entry: the same numbers as its record, the outputs where they are still the same."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alpaca_eval_suite.cards import load_card, load_instructions, scenario_hash
from alpaca_eval_suite.cli.main import main
from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.files import sha256_of
from alpaca_eval_suite.leaderboard.entry import read_entries
from alpaca_eval_suite.leaderboard.from_judge_run import run_of_judging
from alpaca_eval_suite.leaderboard.raw import RawItem, ids_hash, read_raw
from alpaca_eval_suite.leaderboard.record import RunRecord
from alpaca_eval_suite.leaderboard.verify import verify

from .made import refuse

Judge = Callable[..., Path]


def words(n: int) -> str:
    return " ".join("x" * n)


def write_outputs(path: Path, model: str, outputs: dict[str, str]) -> None:
    rows = [
        {"id": id_, "instruction": f"Do {id_}.", "output": output, "model": model, "slices": {"app": id_[-1]}}
        for id_, output in outputs.items()
    ]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))


@pytest.fixture
def judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Judge:
    """judge(*options): `judge run` on 40 pairs by judges of ours; the model's output is longer in 30, alike in 4."""
    monkeypatch.chdir(tmp_path)
    for name in ("ALPACA_ENDPOINTS", "ALPACA_JUDGE_CARDS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ALPACA_VERDICT_CACHE", str(tmp_path / "verdicts.sqlite3"))
    ids = [f"i{n:02}" for n in range(40)]
    write_outputs(Path("mine.jsonl"), "mine", {id_: words(90 if n < 30 else 50) for n, id_ in enumerate(ids)})
    write_outputs(Path("theirs.jsonl"), "theirs", {id_: words(50 if n < 34 else 70) for n, id_ in enumerate(ids)})

    def run(*options: str, judges: tuple[str, ...] = ("builtin:longer",)) -> Path:
        named = [word for name in judges for word in ("--judge", name)]
        files = ["--model-outputs", "mine.jsonl", "--baseline-outputs", "theirs.jsonl"]
        assert main(["judge", "run", *files, *named, *options]) == 0
        return Path("preferences.jsonl")

    return run


def made(path: Path, **options: Any) -> tuple[RunRecord, list[RawItem]]:
    return run_of_judging(path, **{"scenario": None, "warn": refuse, **options})


def test_the_numbers_are_those_of_the_record(judge: Judge) -> None:
    path = judge()
    run, items = made(path)
    record = json.loads(Path("preferences.run.json").read_text())
    assert run.win_rate == record["win_rate"]
    assert run.rates["win_rate"].value == record["win_rate"]["win_rate"] == (30 + 4 / 2) / 40
    assert (run.source, run.date, run.cost_usd, run.self_judged) == (
        "judge_run",
        record["date"],
        record["spent_usd"],
        None,
    )
    assert (run.model.name, run.model.deployment) == ("mine", "outputs/mine.jsonl")
    assert run.model.fingerprint == sha256_of(Path("mine.jsonl"))
    assert run.baseline is not None
    assert (run.baseline.name, run.baseline.sha256) == ("theirs", sha256_of(Path("theirs.jsonl")))
    assert run.judge is not None
    assert (run.judge.name, run.judge.hash, run.judge.orders) == (
        "builtin:longer",
        record["judges"][0]["hash"],
        "single",
    )
    assert run.scenario.name == "pairs"
    assert run.scenario.sha256 == ids_hash(item.id for item in items)
    assert set(run.slices["app"]) == set("0123456789")
    assert run.rates["empty"].n == 40
    first = items[0]
    assert (first.id, first.instruction, first.output, first.baseline_output) == (
        "i00",
        "Do i00.",
        words(90),
        words(50),
    )
    assert [(one.judge, one.win) for one in first.verdicts] == [("builtin:longer", 1.0)]


def test_built_and_verified(judge: Judge) -> None:
    path = judge()
    assert main(["leaderboard", "build", "--judge-run", str(path)]) == 0
    ((entry, found),) = read_entries(Path("results")).items()
    assert entry.name == f"mine-{sha256_of(Path('mine.jsonl'))[:8]}.json"
    assert found.runs[0].raw is not None
    assert len(read_raw(Path("results") / found.runs[0].raw.file)) == 40
    assert verify(Path("results"))[0].verified
    before = entry.read_bytes()
    assert main(["leaderboard", "build", "--judge-run", str(path)]) == 0
    assert entry.read_bytes() == before


@pytest.mark.parametrize("change", ["gone", "changed"])
def test_without_the_outputs_the_raw_file_holds_no_texts(judge: Judge, change: str) -> None:
    path = judge()
    whole, _ = made(path)
    theirs = Path("theirs.jsonl")
    theirs.rename("moved.jsonl")
    if change == "changed":
        theirs.write_text("{}")
    warnings: list[str] = []
    run, items = made(path, warn=warnings.append)
    why = {"gone": "is not here", "changed": "has changed"}[change]
    assert len(warnings) == 1
    assert f"theirs.jsonl, the outputs of theirs, {why}" in warnings[0]
    assert (items[0].output, items[0].len_model, items[0].len_baseline) == (None, 179, 99)
    assert run.rates["win_rate"] == whole.rates["win_rate"]
    assert run.numbers == whole.numbers
    assert run.scenario == whole.scenario
    assert "empty" not in run.rates
    again, items = made(path, outputs=[Path("moved.jsonl")])
    assert (again, items[0].output) == (whole, words(90))


def test_a_run_that_ended_as_decided_has_the_sequence_as_its_interval(judge: Judge) -> None:
    path = judge("--stop-when-decided", "--seed", "3")
    record = json.loads(Path("preferences.run.json").read_text())
    n = record["sequence"]["decided_at"]
    assert n < 40
    run, items = made(path)
    rate, look = run.rates["win_rate"], record["sequence"]["looks"][0]
    assert rate.ci is not None
    assert (rate.value, rate.ci.low, rate.ci.high, rate.n) == (look["win_rate"], look["low"], look["high"], n)
    assert rate.ci.method == f"confidence sequence by betting (ended as decided at {n} of 40 ids)"
    assert (run.win_rate, run.length_controlled, run.stopped_early) == (None, None, True)
    assert not any("win_rate" in rates for values in run.slices.values() for rates in values.values())
    assert (len(items), run.scenario.n_items) == (40, 40)
    assert main(["leaderboard", "build", "--judge-run", str(path)]) == 0
    assert verify(Path("results"))[0].verified
    Path("mine.jsonl").unlink()
    with pytest.raises(SuiteError, match=r"outputs that it judged are not to be found\n.*--outputs mine.jsonl"):
        made(path, warn=lambda message: None)


@pytest.mark.parametrize(("combine", "n"), [("mean", 40), ("majority", 4)])
def test_several_judges_are_a_panel(judge: Judge, server: Any, fake_openai: Any, combine: str, n: int) -> None:
    """One prefers the longer output, the other always the first: they agree in the ties alone."""
    Path("endpoints.yaml").write_text(f"endpoints: {{judge: {{base_url: '{server.base_url}', model: judge-1}}}}")
    server.answer = lambda seen: fake_openai.chat(_first_wins(seen.body))
    path = judge("--combine", combine, judges=("builtin:longer", "endpoint/judge"))
    record = json.loads(Path("preferences.run.json").read_text())
    run, _ = made(path)
    assert run.win_rate == record["win_rate"]
    assert run.rates["win_rate"].n == n
    assert run.judge is not None
    assert run.judge.name == "builtin:longer, letter@endpoint/judge"
    assert (run.judge.orders, run.judge.agreement) == ("mixed", f"not calibrated: 2 judges together ({combine})")
    assert run.panel is not None
    assert run.panel.combine == combine
    assert [one.hash for one in run.panel.judges] == [one["hash"] for one in record["judges"]]
    assert run.panel.agreement == record["agreement_among_judges"]
    assert main(["leaderboard", "build", "--judge-run", str(path)]) == 0
    assert verify(Path("results"))[0].verified


def _first_wins(body: Any) -> str:
    found = re.search(r"<answer-A-(\w+)>", body["messages"][-1]["content"])
    assert found is not None
    return f"VERDICT-{found[1]}: A"


def test_the_scenario_may_be_named(judge: Judge, write_trial: Callable[[list[str]], None]) -> None:
    path = judge()
    assert made(path, scenario="my questions")[0].scenario.name == "my questions"
    write_trial([f"i{n:02}" for n in range(50)])
    run, items = made(path, scenario="trial")
    card = load_card("trial")
    assert len(load_instructions(card)) == 50
    assert (run.scenario.sha256, run.scenario.licence) == (scenario_hash(card), "CC0-1.0")
    assert run.scenario.n_items == len(items) == 40
    write_trial(["other"])
    warnings: list[str] = []
    run, items = made(path, scenario="trial", warn=warnings.append)
    assert run.scenario.sha256 == ids_hash(item.id for item in items)
    assert warnings[0].startswith("scenario trial: it has no item 'i00'; the results are kept apart")


@pytest.fixture
def write_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[list[str]], None]:
    """write_trial(ids): the scenario `trial` of these items."""
    monkeypatch.setenv("ALPACA_SCENARIOS", str(tmp_path / "scenarios"))
    folder = tmp_path / "scenarios" / "trial"

    def write(ids: list[str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "card.yaml").write_text(
            "{name: trial, title: t, description: d, source: s, licence: CC0-1.0, metric: preference, "
            "data: {file: data.jsonl}, columns: {id: id, instruction: instruction}}"
        )
        rows = [{"id": id_, "instruction": f"Do {id_}."} for id_ in ids]
        (folder / "data.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))

    return write


def test_notes_tell_what_the_run_came_upon(judge: Judge) -> None:
    path = judge()
    record = Path("preferences.run.json")
    told = json.loads(record.read_text())
    told["notes"] = ["A note."]
    told["judges"][0] |= {
        "fallbacks": ["asked without logprobs"],
        "precision": "each pair was shown once",
        "canary": {"changed": True, "message": "canary: THE JUDGE HAS CHANGED"},
        "self_judged": "the judge is of the model's family (x)",
        "served_ids": ["m-1", "m-2"],
    }
    told["verdicts"] |= {"stopped": "budget", "missing": 7}
    record.write_text(json.dumps(told))
    run, _ = made(path)
    assert run.notes == (
        "A note.",
        "builtin:longer: asked without logprobs.",
        "builtin:longer: each pair was shown once.",
        "builtin:longer: canary: THE JUDGE HAS CHANGED.",
        "Judging ended at its limit of money: 7 verdicts are missing.",
    )
    assert run.self_judged == "builtin:longer: the judge is of the model's family (x)"
    assert run.judge is not None
    assert run.judge.served_id == "m-1, m-2"


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda: Path("preferences.jsonl").unlink(), "there is no such file"),
        (lambda: Path("preferences.run.json").unlink(), r"has no record beside it \(preferences.run.json\)"),
        (lambda: Path("preferences.run.json").write_text("{"), r"is not the record of a judge run \(Invalid JSON"),
        (lambda: cut("preferences.run.json", 300), "is not the record of a judge run"),
        (lambda: Path("preferences.run.json").write_text("{}"), "schema_version: Field required"),
        (lambda: edit(lambda told: told.update(schema_version=2)), "schema_version: Input should be 1"),
        (lambda: edit(lambda told: told["model"].update(name="other")), "holds verdicts of mine / theirs"),
        (lambda: edit(lambda told: told["judges"][0].update(name="gpt")), "of which its record is not"),
        (lambda: drop_last_line(), "holds 39 verdicts, its record counts 40"),
        (lambda: cut("preferences.jsonl", 1000), "is not valid JSON"),
    ],
)
def test_what_does_not_belong_together_is_refused(judge: Judge, spoil: Callable[[], Any], message: str) -> None:
    path = judge()
    spoil()
    with pytest.raises(SuiteError, match=message):
        made(path)
    assert main(["leaderboard", "build", "--judge-run", str(path)]) == 1
    assert not list(Path("results").glob("*.json"))


def cut(name: str, size: int) -> None:
    Path(name).write_bytes(Path(name).read_bytes()[:size])


def drop_last_line() -> None:
    path = Path("preferences.jsonl")
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))


def edit(change: Callable[[Any], object]) -> None:
    record = Path("preferences.run.json")
    told = json.loads(record.read_text())
    change(told)
    record.write_text(json.dumps(told))
