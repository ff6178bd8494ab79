"""Samples of lm-evaluation-harness."""

import json
from pathlib import Path
from typing import Any

import pytest

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.leaderboard.board import board_of
from alpaca_eval_suite.leaderboard.build import build
from alpaca_eval_suite.leaderboard.importers import read_lm_eval
from alpaca_eval_suite.leaderboard.table import load

from .conftest import DATE, HOSTILE, Write, document, only

RESULTS: dict[str, Any] = {
    "results": {"sums": {"alias": "sums", "acc,none": 0.5, "acc_stderr,none": "N/A"}},
    "config": {
        "model": "hf",
        "model_args": {"pretrained": "organisation/model"},
        "model_sha": "ab" * 20,
        "model_dtype": "torch.bfloat16",
        "batch_size": "8",
        "device": "cuda",
    },
    "n-samples": {"sums": {"original": 30, "effective": 4}},
    "versions": {"sums": 1.0},
    "date": 1769860800.5,
    "lm_eval_version": "0.4.13",
    "transformers_version": "5.0.0",
    "model_name": "organisation/model",
}


def test_metrics_become_rates(write_samples: Write) -> None:
    path = write_samples([document(i, float(i % 2)) for i in range(4)], RESULTS)
    run, items = only(read_lm_eval(path))
    rate = run.rates["acc"]
    assert (rate.value, rate.n, rate.n_failed) == (0.5, 4, 0)
    assert rate.ci is not None
    assert rate.ci.method == "wilson"
    assert (run.source, run.scenario.name, run.scenario.metric) == ("lm_eval", "sums", "acc")
    assert (run.model.name, run.model.deployment, run.model.fingerprint) == (
        "organisation/model", "hf/organisation/model", None,
    )  # fmt: skip
    assert (run.model.dtype, run.model.device, run.model.batch_size) == ("torch.bfloat16", "cuda", "8")
    assert (run.decoding.max_tokens, run.decoding.temperature, run.decoding.stop) == (8, None, ("\n",))
    assert run.date == "2026-01-31T12:00:00+00:00"
    assert run.versions["lm_eval"] == "0.4.13"
    assert run.versions["task sums"] == "1.0"
    assert items[1].prompt == "Q: 1 + 1\nA:"
    assert (items[1].instruction, items[1].output) == ("What is 1 + 1?", "4")
    notes = " ".join(run.notes)
    assert "no run of this suite" in notes
    assert "4 of 30 documents" in notes
    assert "ab" * 20 in notes
    assert "reports" not in notes


def test_the_datas_hash_is_over_documents_and_targets(write_samples: Write) -> None:
    rows = [document(i) for i in range(4)]
    first, _ = only(read_lm_eval(write_samples(rows)))
    again, _ = only(read_lm_eval(write_samples([row | {"acc": 0.0} for row in rows[::-1]])))
    assert first.scenario.sha256 == again.scenario.sha256
    other_prompt, _ = only(read_lm_eval(write_samples([row | {"prompt_hash": "dd" * 32} for row in rows])))
    assert other_prompt.scenario.sha256 == first.scenario.sha256
    assert other_prompt.prompt.sha256 != first.prompt.sha256
    other_target, _ = only(read_lm_eval(write_samples([row | {"target_hash": "dd" * 32} for row in rows])))
    assert other_target.scenario.sha256 != first.scenario.sha256


def test_filters_are_metrics_of_their_own(write_samples: Write) -> None:
    rows = [
        document(i, filter=of, metrics=["exact_match"], exact_match=value)
        for of, value in (("strict-match", 0.0), ("flexible", 1.0))
        for i in range(3)
    ]
    run, items = only(read_lm_eval(write_samples(rows)))
    assert (run.rates["exact_match,strict-match"].value, run.rates["exact_match,flexible"].value) == (0, 1)
    assert run.scenario.metric == "exact_match,strict-match"
    assert len(items) == 3


def test_what_the_harness_does_not_average_is_said(write_samples: Write) -> None:
    rows = [document(i, metrics=["acc", "mcc", "bits"], mcc=[0, 1], bits=3.5) for i in range(4)]
    results = RESULTS | {"results": {"sums": {"acc,none": 0.75}}}
    run, _ = only(read_lm_eval(write_samples(rows, results)))
    assert run.rates.keys() >= {"acc"}
    assert not run.rates.keys() & {"mcc", "bits"}
    assert run.numbers["mean bits"] == 3.5
    notes = " ".join(run.notes)
    assert "acc: the harness reports 75.00 %; the mean over the documents is 100.00 %." in notes
    assert "not imported: mcc" in notes
    assert "a mean and no rate: bits" in notes


def test_likelihoods_are_no_answers(write_samples: Write) -> None:
    likelihoods = [[["-0.1", "False"]], [["-0.5", "True"]]]
    arguments = {"gen_args_0": {"arg_0": "Q", "arg_1": " yes"}, "gen_args_1": {"arg_0": "Q", "arg_1": " no"}}
    run, items = only(
        read_lm_eval(write_samples([document(i, resps=likelihoods, arguments=arguments) for i in range(3)]))
    )
    assert items[0].output is None
    assert run.decoding.max_tokens is None
    assert "empty" not in run.rates
    assert any("likelihoods" in note for note in run.notes)


def test_an_older_version_without_hashes_and_lists(write_samples: Write) -> None:
    rows = [
        {
            "doc_id": i,
            "doc": {"query": "Q"},
            "target": 0,
            "arguments": [["Q", {"until": "END", "temperature": 0.5, "max_new_tokens": 3}]],
            "resps": [["a"]],
            "filtered_resps": ["a"],
            "acc": i % 2 == 0,
        }
        for i in range(4)
    ]
    run, items = only(read_lm_eval(write_samples(rows)))
    assert run.rates["acc"].value == 0.5
    assert (run.decoding.temperature, run.decoding.max_tokens, run.decoding.stop) == (0.5, 3, ("END",))
    assert items[0].instruction == "Q"
    assert run.model.name == "my__model"
    assert any("There is no results_" in note for note in run.notes)


def test_a_path_of_somebodys_disk_is_not_told(write_samples: Write) -> None:
    results = RESULTS | {"model_name": "/home/somebody/secret/checkpoint-3/"}
    run, _ = only(read_lm_eval(write_samples([document(0)], results)))
    assert run.model.name == "checkpoint-3"
    assert "somebody" not in run.model_dump_json()


def test_a_results_file_with_nan(write_samples: Write) -> None:
    path = write_samples([document(0)])
    text = json.dumps(RESULTS).replace('"N/A"', "NaN").replace('"acc,none": 0.5', '"acc,none": -Infinity')
    (path.parent / f"results_{DATE}.json").write_text(text)
    assert only(read_lm_eval(path))[0].model.name == "organisation/model"


def test_hostile_texts_and_names(write_samples: Write) -> None:
    rows = [
        document(i, resps=[[HOSTILE]], doc={"question": HOSTILE}, metrics=["acc", "__proto__"], __proto__=1)
        for i in range(3)
    ]
    run, items = only(read_lm_eval(write_samples(rows, RESULTS | {"model_name": HOSTILE})))
    run.model_dump_json().encode("utf-8")
    assert items[0].output == HOSTILE.replace("\ud800", "?")
    assert "__proto__" in run.rates


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (document(0), "stands twice"),
        (document(0, filter="other", doc_hash="ee" * 32), "is another document"),
        (document(1, doc_id="1"), "key 'doc_id'"),
        (document(1, metrics="acc"), "must be a list of names"),
        (document(1, metrics=["f1"]), "key 'f1'"),
        (document(1, filter=3), "key 'filter'"),
    ],
)
def test_a_bad_line_is_named(write_samples: Write, row: dict[str, Any], problem: str) -> None:
    with pytest.raises(SuiteError, match=r"samples_sums.*jsonl:2") as error:
        list(read_lm_eval(write_samples([document(0), row])))
    assert problem in str(error.value)


@pytest.mark.parametrize(
    "text", ["", "nonsense", '{"doc_id": 0', "[1]", '{"doc_id": 0, "metrics": ["mcc"], "mcc": [0, 0]}']
)
def test_a_damaged_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "samples_sums.jsonl"
    path.write_text(text)
    with pytest.raises(SuiteError, match=r"samples_sums\.jsonl"):
        list(read_lm_eval(path))


@pytest.mark.parametrize("text", ["{", "[]", '{"config": {}}', '{"results": {}, "config": 3}'])
def test_a_damaged_results_file(write_samples: Write, text: str) -> None:
    path = write_samples([document(0)])
    (path.parent / f"results_{DATE}.json").write_text(text)
    with pytest.raises(SuiteError):
        list(read_lm_eval(path))


def test_a_folder_of_tasks(write_samples: Write, tmp_path: Path) -> None:
    path = write_samples([document(0)])
    (path.parent / f"samples_more_sums_{DATE}.jsonl").write_text(path.read_text())
    assert [run.scenario.name for run, _ in read_lm_eval(tmp_path)] == ["more_sums", "sums"]


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        list(read_lm_eval(tmp_path / "missing"))
    with pytest.raises(SuiteError, match="holds no samples"):
        list(read_lm_eval(tmp_path))


def test_two_models_stand_in_one_table_with_ranks(write_samples: Write, tmp_path: Path) -> None:
    """The task's own metric heads the table, whatever else was scored, and the documents' scores give the ranks."""
    for name, right in (("weak", 10), ("strong", 35)):
        rows = [document(i, float(i < right), metrics=["acc", "a_brevity"], a_brevity=0.5) for i in range(40)]
        samples = write_samples(rows, RESULTS | {"model_name": name})
        build(None, tmp_path / "results", others=read_lm_eval(samples))
    (board,) = board_of(load(tmp_path / "results"), tmp_path / "results")
    assert [row.model for row in board.rows] == ["strong", "weak"]
    assert [row.rate and row.rate.value for row in board.rows] == [35 / 40, 10 / 40]
    assert [(row.rank.low, row.rank.high) for row in board.rows if row.rank] == [(1, 1), (2, 2)]
