"""AlpacaEval's published results: annotations, folders, leaderboards."""

import json
from pathlib import Path

import pytest

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.leaderboard.importers import read_alpaca_eval
from alpaca_eval_suite.leaderboard.raw import ids_hash
from alpaca_eval_suite.leaderboard.recompute import with_figures
from alpaca_eval_suite.prompts import instruction_id

from .conftest import HOSTILE, Write, annotation, only

PREFERENCES = [2, 1, 0, 1.5, 1.25, None]


def test_annotations_become_preferences(write_annotations: Write) -> None:
    run, items = only(read_alpaca_eval(write_annotations([annotation(i, p) for i, p in enumerate(PREFERENCES)])))
    assert [item.verdicts[0].win for item in items] == [1, 0, 0.5, 0.5, 0.25, None]
    assert items[0].id == instruction_id("Name colour number 0.")
    assert run.rates["win_rate"].value == pytest.approx(2.25 / 5)
    assert (run.rates["win_rate"].n, run.rates["win_rate"].n_failed) == (5, 1)
    assert set(run.slices["dataset"]) == {"even", "odd"}
    assert run.cost_usd == pytest.approx(0.06)
    assert (items[1].output, items[1].baseline_output) == ("blueblue", "red")


def test_what_is_not_known_is_null_and_said(write_annotations: Write) -> None:
    run, _ = only(read_alpaca_eval(write_annotations([annotation(i, 2) for i in range(4)])))
    assert run.source == "alpaca_eval"
    assert (run.model.fingerprint, run.decoding.temperature, run.decoding.max_tokens, run.prompt.sha256) == (
        None, None, None, "",
    )  # fmt: skip
    assert run.judge is not None
    assert run.judge.agreement == "not calibrated"
    assert run.judge.orders == "single"
    assert "no run of this suite" in run.notes[0]


def test_the_same_file_gives_the_same_record(write_annotations: Write) -> None:
    path = write_annotations([annotation(i, 1 + i % 2) for i in range(40)])
    first, second = only(read_alpaca_eval(path)), only(read_alpaca_eval(path))
    assert first == second
    assert with_figures(*first).rates == first[0].rates


def test_an_order_of_rows_does_not_change_the_data(write_annotations: Write) -> None:
    rows = [annotation(i, 2) for i in range(5)]
    one, _ = only(read_alpaca_eval(write_annotations(rows)))
    other, _ = only(read_alpaca_eval(write_annotations(rows[::-1])))
    assert one.scenario == other.scenario


def test_a_short_file_belongs_to_the_set_that_holds_it(write_annotations: Write, tmp_path: Path) -> None:
    write_annotations([annotation(i, 2) for i in range(6)], "results/a/judge/annotations.json")
    write_annotations([annotation(i, 2, generator_2="b") for i in range(4)], "results/b/judge/annotations.json")
    whole, short = sorted((run for run, _ in read_alpaca_eval(tmp_path)), key=lambda run: -run.scenario.n_items)
    assert (whole.scenario.sha256, whole.scenario.name) == (short.scenario.sha256, short.scenario.name)
    assert (whole.scenario.n_items, short.scenario.n_items) == (6, 4)
    assert any("2 of the 6 instructions" in note for note in short.notes)
    assert not any("instructions have no row" in note for note in whole.notes)


def test_a_file_of_outputs_beside_it_tells_the_set(write_annotations: Write, tmp_path: Path) -> None:
    path = write_annotations([annotation(i, 2) for i in range(4)])
    outputs = [{"instruction": f"Name colour number {i}.", "output": "x"} for i in range(6)]
    (path.parent.parent / "model_outputs.json").write_text(json.dumps(outputs))
    run, items = only(read_alpaca_eval(path))
    assert run.scenario.sha256 == ids_hash(instruction_id(row["instruction"]) for row in outputs)
    assert len(items) == 4


def test_several_judges_in_one_file_are_several_runs(write_annotations: Write) -> None:
    rows = [annotation(i, 2, annotator=judge) for judge in ("one", "two") for i in range(3)]
    assert [run.judge.name for run, _ in read_alpaca_eval(write_annotations(rows)) if run.judge] == ["one", "two"]


def test_a_judge_of_the_family_is_told_without_the_programs_name(write_annotations: Write) -> None:
    rows = [annotation(i, 2, generator_1="gpt4_1106_preview", generator_2="alpaca-7b") for i in range(3)]
    run, _ = only(read_alpaca_eval(write_annotations(rows)))
    assert run.self_judged == "the judge is of the baseline's family (gpt)"


LEADERBOARD = """,win_rate,standard_error,n_wins,n_wins_base,n_draws,n_total,mode,avg_length,length_controlled_winrate
painter,50.0,0.0,0,0,805,805,minimal,300,50.0
my-model,{win_rate},{se},3,1,0,4,minimal,400,
known,97.7,0.51,783,16,5,804,verified,2049,89.86
"""


def table(folder: Path, win_rate: float = 75.0, se: float = 25.0, name: str = "leaderboard.csv") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(LEADERBOARD.format(win_rate=win_rate, se=se))
    return path


def test_published_rows_without_verdicts(tmp_path: Path) -> None:
    path = table(tmp_path, name="alpaca_eval_gpt4_leaderboard.csv")
    found = {run.model.name: (run, items) for run, items in read_alpaca_eval(path)}
    assert set(found) == {"my-model", "known"}  # the baseline's own row is a half by definition
    run, items = found["known"]
    assert items == []
    rate = run.rates["win_rate"]
    assert rate.value == pytest.approx(0.977)
    assert rate.ci is not None
    assert rate.ci.method == "published normal"
    assert rate.ci.low == pytest.approx(0.977 - 1.959964 * 0.0051)
    assert rate.ci.high == pytest.approx(0.977 + 1.959964 * 0.0051)
    assert run.baseline is not None
    assert run.baseline.name == "painter"
    assert run.judge is not None
    assert run.judge.name == "alpaca_eval_gpt4"
    assert run.numbers["published_length_controlled"] == pytest.approx(0.8986)
    assert run.length_controlled is None
    assert "as published, not recomputed" in run.notes[0]
    assert run.raw is None


def test_published_and_recomputed_agree_without_a_word(write_annotations: Write) -> None:
    path = write_annotations([annotation(i, p) for i, p in enumerate([2, 2, 2, 1])])
    table(path.parent)
    run, _ = only(read_alpaca_eval(path))
    assert not [note for note in run.notes if "published" in note]


@pytest.mark.parametrize(
    ("win_rate", "se", "named"), [(75.02, 25.0, "win rate is 75.02 %"), (75.0, 24.9, "standard error is 24.90 %")]
)
def test_a_published_figure_that_does_not_follow_is_noted(
    write_annotations: Write, win_rate: float, se: float, named: str
) -> None:
    path = write_annotations([annotation(i, p) for i, p in enumerate([2, 2, 2, 1])])
    table(path.parent, win_rate, se)
    run, _ = only(read_alpaca_eval(path))
    assert [note for note in run.notes if named in note and "follows from these verdicts" in note]


def test_a_folder_gives_verdicts_first_and_published_rows_once(write_annotations: Write, tmp_path: Path) -> None:
    path = write_annotations([annotation(i, p) for i, p in enumerate([2, 2, 2, 1])])
    table(path.parent)
    table(tmp_path / "leaderboards", name="alpaca_eval_gpt4_leaderboard.csv")
    (tmp_path / "leaderboards" / "evaluators_leaderboard.csv").write_text("judge,Human agreement\nx,70\n")
    found = [(run.model.name, len(items)) for run, items in read_alpaca_eval(tmp_path)]
    assert found == [("my-model", 4), ("known", 0)]


def test_published_rows_have_the_baseline_that_the_annotations_name(write_annotations: Write, tmp_path: Path) -> None:
    path = write_annotations([annotation(i, 2, generator_1="painter_2031") for i in range(4)])
    table(path.parent)
    assert {run.baseline.name for run, _ in read_alpaca_eval(tmp_path) if run.baseline} == {"painter_2031"}


def test_hostile_texts_stay_texts(write_annotations: Write) -> None:
    rows = [
        annotation(
            i, 2, output_2=HOSTILE + str(i), output_1=HOSTILE, generator_2="../../" + HOSTILE, raw_completion=HOSTILE
        )
        for i in range(3)
    ]
    run, items = only(read_alpaca_eval(write_annotations(rows)))
    run.model_dump_json().encode("utf-8")
    assert items[0].output == HOSTILE.replace("\ud800", "?") + "0"
    assert items[0].verdicts[0].reason.startswith("<script>")
    assert run.model.name.startswith("../../<script>")


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ({"preference": 3}, "neither in [1, 2] nor 0"),
        ({"preference": "2"}, "must be a number or null"),
        ({"preference": True}, "must be a number or null"),
        ({"instruction": None}, "is missing or no text"),
        ({"output_2": 7}, "is missing or no text"),
        ({"generator_2": ["x"]}, "must be a name"),
        ({"generator_2": "x" * 301}, "must be a name"),
        ({"instruction": "Name colour number 0."}, "stands twice"),
    ],
)
def test_a_bad_row_is_named(write_annotations: Write, keys: dict[str, object], problem: str) -> None:
    path = write_annotations([annotation(0, 2), annotation(1, 2) | keys])
    with pytest.raises(SuiteError, match=r"annotations\.json") as error:
        list(read_alpaca_eval(path))
    assert problem in str(error.value)
    assert "[1]" in str(error.value)


@pytest.mark.parametrize("text", ["[]", "", "[1]", '[{"instruction": "half', "nonsense", '{"a": 1}', "\xff"])
def test_a_damaged_file_of_annotations(tmp_path: Path, text: str) -> None:
    path = tmp_path / "annotations.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(SuiteError, match=r"annotations\.json"):
        list(read_alpaca_eval(path))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a,b\n1,2\n", "no column"),
        (",win_rate\nx,high\n", "must be a number, not 'high'"),
        (",win_rate\nx,nan\n", "is missing"),
        (",win_rate\nx,inf\n", "finite"),
        (",win_rate\nx,101\n", "must lie in"),
        (",win_rate,n_total\nx,50,1.5\n", "must be a count"),
        (",win_rate\nx,50,7\n", "more cells"),
        (",win_rate\n,50\n", "names no model"),
        (",win_rate\nx,50\nx,51\n", "stands twice"),
        (',win_rate\n"x,50\n', "not valid CSV"),
    ],
)
def test_a_damaged_leaderboard(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "judge_leaderboard.csv"
    path.write_text(text)
    with pytest.raises(SuiteError, match=r"judge_leaderboard\.csv") as error:
        list(read_alpaca_eval(path))
    assert problem in str(error.value)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        read_alpaca_eval(tmp_path / "missing")
    with pytest.raises(SuiteError, match="holds neither"):
        read_alpaca_eval(tmp_path)


REFERENCE = [{"index": i, "dataset": "koala", "instruction": f"Name colour number {i}."} for i in range(5)]


def reference(folder: Path, lines: list[dict[str, object]]) -> Path:
    (folder / "pairwise" / "judge").mkdir(parents=True)
    (folder / "instructions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in REFERENCE))
    (folder / "pairwise" / "judge" / "m.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def test_the_reference_form_has_lengths_without_texts(tmp_path: Path) -> None:
    lines = [
        {"index": i, "preference": p, "len_model": 10, "len_baseline": 20} for i, p in enumerate([2, 1, 1.5, None])
    ]
    run, items = only(read_alpaca_eval(reference(tmp_path, lines)))
    assert run.rates["win_rate"].value == 0.5
    assert run.numbers == {"mean_length": 10, "mean_length_baseline": 20}
    assert items[0].instruction == "Name colour number 0."
    assert items[0].output is None
    assert any("1 of the 5 instructions" in note for note in run.notes)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ({"index": 9, "preference": 2}, "is not in the file of instructions"),
        ({"index": 0, "preference": 1}, "stands twice"),
        ({"index": 1}, "is missing"),
    ],
)
def test_a_bad_line_of_the_reference_form(tmp_path: Path, line: dict[str, object], problem: str) -> None:
    with pytest.raises(SuiteError, match=r"m\.jsonl:2") as error:
        list(read_alpaca_eval(reference(tmp_path, [{"index": 0, "preference": 2}, line])))
    assert problem in str(error.value)
