"""Logs of inspect_ai: one that it wrote itself, and others in its form."""

import json
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.leaderboard.importers import read_inspect
from alpaca_eval_suite.leaderboard.importers.inspect_sample import value_of

from .conftest import HOSTILE, Write, log, only, sample

OWN_LOG = Path(__file__).parent / "data" / "sums.eval"
"""Written by inspect_ai 0.3.285 with a model that says what it is told: 4 samples, 2 epochs, 3 scorers."""


def zipped(folder: Path, members: dict[str, object]) -> Path:
    path = folder / "2026-01-31_sums.eval"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, value in members.items():
            archive.writestr(name, value if isinstance(value, str) else json.dumps(value))
    return path


def test_a_log_that_inspect_wrote() -> None:
    pytest.importorskip("zstandard")
    (compared, pairs), (scored, items) = read_inspect(OWN_LOG)
    # What the log itself reports, over both epochs.
    assert scored.rates["match"].value == 0.75
    assert scored.rates["brevity"].value == 0.8125
    assert (scored.rates["match"].n, scored.scenario.metric) == (4, "match")
    assert items[3].key == {"scores": {"match": [0.0, 1.0], "brevity": [0.25, 1.0]}}
    assert items[0].slices == {"topic": "even"}
    assert (scored.decoding.temperature, scored.decoding.max_tokens) == (0.0, 32)
    assert scored.versions["inspect_ai"] == "0.3.285"
    assert scored.date == "2026-11-25T02:48:10+00:00"
    # The scorer `against` compares with the outputs of "two".
    assert compared.rates["win_rate"].value == 0.75
    assert compared.baseline is not None
    assert compared.baseline.name == "two"
    assert compared.judge is not None
    assert (compared.judge.name, compared.judge.agreement) == ("ruler", "not calibrated")
    assert [(one.seed, one.win, one.order) for one in pairs[3].verdicts] == [
        (0, 0.0, "model_first"),
        (1, 1.0, "model_first"),
    ]
    assert pairs[3].baseline_output == "22"


def test_without_zstandard_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.version_info >= (3, 14):
        pytest.skip("this Python unpacks Zstandard itself")
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(SuiteError, match="pip install zstandard"):
        list(read_inspect(OWN_LOG))


def test_values_as_inspect_counts_them() -> None:
    letters = {"C": 1, "I": 0, "P": 0.5, "N": 0, "yes": 1, "No": 0, "TRUE": 1, "0.25": 0.25, True: 1, 3: 3}
    assert {value: value_of(value) for value in letters} == letters
    for odd in ("A", "", "nan", "inf", float("nan"), None, [1], {}, 10**400):
        assert value_of(odd) is None


def test_scores_become_rates(write_log: Write) -> None:
    values = ["C", "I", "P", "N", "C", "C"]
    run, items = only(read_inspect(write_log([sample(i, value) for i, value in enumerate(values)])))
    assert run.rates["match"].value == pytest.approx(3.5 / 6)
    assert (run.rates["match"].n, run.rates["match"].n_failed) == (6, 0)
    assert run.source == "inspect_ai"
    assert run.scenario.name == "sums"
    assert run.model.name == "openai/gpt-9"
    assert run.model.served_id == "gpt-9-2031-01-01"
    assert run.model.fingerprint is None
    assert (run.decoding.temperature, run.decoding.max_tokens, run.decoding.stop) == (0.7, 64, ("END",))
    assert items[1].prompt == (
        {"role": "system", "content": "Be short."},
        {"role": "user", "content": "What is 1 + 1?"},
    )
    assert items[1].output == "4"
    assert run.slices["topic"]["even"]["match"].value == pytest.approx(2.5 / 3)


def test_yes_and_no_have_wilsons_interval(write_log: Write) -> None:
    run, _ = only(read_inspect(write_log([sample(i, "CI"[i % 2]) for i in range(20)])))
    ci = run.rates["match"].ci
    assert ci is not None
    assert ci.method == "wilson"


def test_epochs_are_averaged_and_what_is_missing_is_left_out(write_log: Write) -> None:
    rows = [sample(0, "C", 1), sample(0, "I", 2), sample(1, "C", 1), sample(1, "C", 2, error={"message": "lost"})]
    run, items = only(read_inspect(write_log(rows)))
    assert [item.key["scores"]["match"] for item in items] == [[1, 0], [1, None]]
    assert run.rates["match"].value == 0.75
    assert any("2 times" in note for note in run.notes)
    assert any("1 answers ended in an error" in note for note in run.notes)


def test_failures_count(write_log: Write) -> None:
    rows = [sample(0), sample(1, scores={}), sample(2, error={"message": "lost"})]
    path = write_log(rows, eval={"dataset": {"name": "sums", "sample_ids": ["q0", "q1", "q2", "q3"]}}, status="error")
    run, items = only(read_inspect(path))
    assert (run.rates["match"].n, run.rates["match"].n_failed) == (1, 3)
    assert len(items) == 4
    assert items[2].output is None
    assert any("'error'" in note for note in run.notes)
    assert any("1 of 4 samples are not in the log" in note for note in run.notes)


def test_values_that_are_no_rate(write_log: Write) -> None:
    scores = {"grade": {"value": 7}, "of": {"value": {"fact": 1, "style": 0.5}}, "letter": {"value": "B"}}
    run, _ = only(read_inspect(write_log([sample(i, scores=scores) for i in range(4)])))
    assert run.numbers["mean grade"] == 7
    assert "grade" not in run.rates
    assert (run.rates["of.fact"].value, run.rates["of.style"].value) == (1, 0.5)
    assert (run.rates["letter"].n, run.rates["letter"].n_failed) == (0, 4)
    assert any('letter: 4 values are no numbers (the first is "B")' in note for note in run.notes)


def test_a_score_does_not_take_the_name_of_another_rate(write_log: Write) -> None:
    run, _ = only(read_inspect(write_log([sample(i, scores={"empty": {"value": "C"}}) for i in range(3)])))
    assert (run.rates["empty"].value, run.rates["empty (score)"].value) == (0, 1)


def test_figures_of_the_log_are_compared(write_log: Write) -> None:
    def results(value: float) -> dict[str, object]:
        return {"scores": [{"name": "match", "scorer": "match", "metrics": {"accuracy": {"value": value}}}]}

    rows = [sample(i, "CI"[i % 2]) for i in range(4)]
    agreeing, _ = only(read_inspect(write_log(rows, results=results(0.5))))
    assert not any("reports" in note for note in agreeing.notes)
    differing, _ = only(read_inspect(write_log(rows, results=results(0.75))))
    assert any("reports accuracy 75.00 %; 50.00 % follows" in note for note in differing.notes)


@pytest.mark.parametrize(
    ("options", "judge", "related"),
    [
        ({"model": "anthropic/claude-9"}, "model_graded_qa@anthropic/claude-9", None),
        ({"model": "openai/gpt-4o"}, "model_graded_qa@openai/gpt-4o", "the judge is of the model's family (gpt)"),
        ({}, "model_graded_qa@openai/gpt-4", "the judge is the model itself"),
    ],
)
def test_a_model_that_graded_is_a_judge(
    write_log: Write, options: dict[str, object], judge: str, related: str | None
) -> None:
    rows = [sample(i, scores={"model_graded_qa": {"value": "C"}}) for i in range(3)]
    scorers = [{"name": "model_graded_qa", "options": options}]
    run, _ = only(read_inspect(write_log(rows, eval={"scorers": scorers, "model": "openai/gpt-4"})))
    assert run.judge is not None
    assert (run.judge.name, run.judge.agreement, run.self_judged) == (judge, "not calibrated", related)


def test_comparisons_with_two_baselines_are_refused(write_log: Write) -> None:
    rows = [sample(i, scores={"better": {"value": "C", "metadata": {"baseline": name}}}) for i, name in enumerate("ab")]
    with pytest.raises(SuiteError, match=r"\[1\].*'b'.*'a'"):
        list(read_inspect(write_log(rows)))


def test_contents_in_parts_and_attachments(write_log: Write) -> None:
    parts = [{"type": "reasoning", "reasoning": "hm"}, {"type": "text", "text": "attachment://ab"}, {"type": "image"}]
    rows = [sample(0, input=[{"role": "user", "content": parts}], attachments={"ab": "Look:"})]
    _, items = only(read_inspect(write_log(rows)))
    assert items[0].instruction == "Look:\n[image]"


def test_the_zip_and_the_json_give_the_same_run(write_log: Write, tmp_path: Path) -> None:
    rows = [sample(i, "CIP"[i % 3]) for i in range(6)]
    header = log(rows)
    samples = header.pop("samples")
    members = {f"samples/{one['id']}_epoch_1.json": one for one in samples}
    of_zip = only(read_inspect(zipped(tmp_path, {"header.json": header, "_journal/start.json": {}, **members})))
    assert of_zip == only(read_inspect(write_log(rows)))


def test_hostile_texts_and_names(write_log: Write) -> None:
    scores = {"__proto__": {"value": "C", "explanation": HOSTILE}, HOSTILE: {"value": "C"}}
    rows = [sample(i, id=f"../../{HOSTILE}{i}", input=HOSTILE, scores=scores) for i in range(3)]
    run, items = only(read_inspect(write_log(rows, eval={"task": HOSTILE, "model": HOSTILE})))
    run.model_dump_json().encode("utf-8")
    assert set(run.rates) >= {"__proto__", HOSTILE.replace("\ud800", "?")}
    assert items[0].instruction == HOSTILE.replace("\ud800", "?")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"version": 3}, "version 3"),
        ({"status": "started"}, "is not finished"),
        ({"eval": None}, "'eval' is missing"),
        ({"samples": []}, "holds no samples"),
        ({"samples": {}}, "must be a list"),
        ({"samples": [1]}, "is not a JSON object"),
        ({"samples": [sample(0), sample(0)]}, "stands twice"),
        ({"samples": [sample(0, id=None)]}, "key 'id'"),
        ({"samples": [sample(0, epoch="1")]}, "key 'epoch'"),
        ({"samples": [sample(0, scores=[1])]}, "key 'scores'"),
        ({"samples": [sample(0, scores={"match": 1})]}, "has no value"),
        ({"samples": [sample(0, scores=None)]}, "holds no scores"),
    ],
)
def test_a_damaged_log_is_named(tmp_path: Path, change: dict[str, object], problem: str) -> None:
    path = tmp_path / "1_sums.json"
    path.write_text(json.dumps(log([sample(0), sample(1)]) | change))
    with pytest.raises(SuiteError, match=r"1_sums\.json") as error:
        list(read_inspect(path))
    assert problem in str(error.value)


@pytest.mark.parametrize("text", ["", "[]", "{", "PK", '{"a": 1}', '{"eval": {}, "samples": [' + "[" * 100_000])
def test_a_file_that_is_no_log(tmp_path: Path, text: str) -> None:
    path = tmp_path / "1_sums.json"
    path.write_text(text)
    with pytest.raises(SuiteError, match=r"1_sums\.json"):
        list(read_inspect(path))


@pytest.mark.parametrize("kept", [0, 1, 100, 5000, 15_000, -30, -1])
def test_a_zip_that_was_cut_off(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "1_sums.eval"
    path.write_bytes(OWN_LOG.read_bytes()[:kept])
    with pytest.raises(SuiteError, match="not a whole zip file"):
        list(read_inspect(path))


def test_a_zip_with_flipped_bytes(tmp_path: Path) -> None:
    pytest.importorskip("zstandard")
    whole = OWN_LOG.read_bytes()
    path = tmp_path / "1_sums.eval"
    path.write_bytes(whole)
    as_it_was = list(read_inspect(path))
    refused = []
    for place in range(60, len(whole), 997):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            assert [items for _, items in read_inspect(path)] == [items for _, items in as_it_was]
        except SuiteError as error:  # anything else would be a traceback for the person at the terminal
            refused.append(str(error))
    assert refused
    assert all(path.name in said for said in refused)


def test_a_log_whose_run_was_killed(tmp_path: Path) -> None:
    path = zipped(tmp_path, {"_journal/start.json": {}, "samples/q0_epoch_1.json": sample(0)})
    with pytest.raises(SuiteError, match=r"it has no header\.json"):
        list(read_inspect(path))


def test_a_member_that_unpacks_to_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alpaca_eval_suite.leaderboard.importers.inspect_log._LARGEST", 1000)
    path = zipped(tmp_path, {"header.json": {"eval": {"task": "x" * 2000}}})
    with pytest.raises(SuiteError, match="is larger than"):
        list(read_inspect(path))


def test_a_folder_of_logs(write_log: Write, tmp_path: Path) -> None:
    write_log([sample(0)])
    shutil.copy(OWN_LOG, tmp_path / "2026-02-01_sums.eval")
    (tmp_path / "logs.json").write_text("{}")  # not a log: inspect_ai keeps a list of them under this name
    pytest.importorskip("zstandard")
    assert len(list(read_inspect(tmp_path))) == 3


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        list(read_inspect(tmp_path / "missing.eval"))
    with pytest.raises(SuiteError, match="holds no logs"):
        list(read_inspect(tmp_path))
