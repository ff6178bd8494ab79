"""`alpaca-suite scenarios`: what a person sees, and what a script reads."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from alpaca_eval_suite.cli.main import main

OURS = [
    "alpaca_eval",
    "alpaca_eval_1",
    "capitals",
    "koala",
    "misinformation",
    "mt_bench_style",
    "stereotypes",
    "toxicity",
    "user_oriented",
    "user_oriented_mini",
    "vicuna",
]
QUIZ = "question,topic,answer,wrong\nCapital of France?,geo,Paris,Lyon|Nice\nCapital of Italy?,geo,Rome|Roma,\n"
NEW = ("scenarios", "new", "quiz", "--from", "quiz.csv", "--instruction", "question")
SHORT = (*NEW, "--metric", "short_answer", "--answers", "answer", "--traps", "wrong", "--slice", "topic")


@pytest.fixture(autouse=True)
def own_place(in_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALPACA_CACHE_DIR", str(in_folder / "cache"))
    monkeypatch.delenv("ALPACA_SCENARIOS", raising=False)
    monkeypatch.delenv("ALPACA_DATA_DIR", raising=False)
    Path("quiz.csv").write_text(QUIZ, "utf-8")


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    code = main(args)
    said = capsys.readouterr()
    return code, said.out, said.err


def test_list_is_one_name_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "scenarios", "list")
    lines = [line.split() for line in out.splitlines()]
    assert (code, err, [line[0] for line in lines]) == (0, "", OURS)
    assert lines[2] == ["capitals", "195", "items", "short_answer", "Apache-2.0", "data", "shipped"]
    assert lines[8][1:3] == ["170", "kB"]
    assert out.splitlines()[8].endswith("data to be downloaded")


def test_list_as_json(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Path("mine/broken")
    broken.mkdir(parents=True)
    (broken / "card.yaml").write_text("name: broken\n")
    monkeypatch.setenv("ALPACA_SCENARIOS", "mine")
    code, out, _ = run(capsys, "scenarios", "list", "--json")
    found = {one["name"]: one for one in json.loads(out)}
    assert (code, sorted(found)) == (0, sorted([*OURS, "broken"]))
    assert found["capitals"] == {
        "name": "capitals",
        "state": "shipped",
        "items": 195,
        "n_bytes": None,
        "metric": "short_answer",
        "licence": "Apache-2.0",
        "title": "Capitals of all countries (hallucination probe)",
        "baseline": None,
        "why": "",
    }
    assert (found["user_oriented"]["state"], found["user_oriented"]["n_bytes"]) == ("to be downloaded", 170193)
    assert found["broken"]["state"] == "broken"
    assert "licence: Field required" in found["broken"]["why"]


def test_show(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "scenarios", "show", "user_oriented_mini", "--items", "1")
    assert code == 0
    assert "Size      72 items" in out
    assert "Metric    preference: a judge compares each answer with a baseline's" in out
    assert "Columns   id, instruction, input, reference, slice app, key checks" in out
    assert "Baseline  gemma3-270m (" in out
    assert out.count("    asks: ") == 1
    assert "  alpaca-suite eval --model PATH_OF_A_CHECKPOINT --scenario user_oriented_mini" in out
    assert "ALPACA_SCENARIOS" not in out


def test_show_without_the_data(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "scenarios", "show", "user_oriented")
    assert code == 0
    assert "No item can be shown (data to be downloaded)." in out
    code, out, _ = run(capsys, "scenarios", "show", "user_oriented", "--json")
    shown = json.loads(out)
    assert (shown["name"], shown["first_items"], shown["state"]["state"]) == ("user_oriented", [], "to be downloaded")


def test_show_of_an_unknown_name(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "scenarios", "show", "capitols")
    assert code == 2
    assert "no scenario is named 'capitols'\n  Did you mean 'capitals'?" in err


def test_a_text_cannot_command_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("quiz.csv").write_text("question\nRed \x1b[31m alert\n")
    assert run(capsys, *NEW)[0] == 0
    monkeypatch.setenv("ALPACA_SCENARIOS", "scenarios")
    code, out, _ = run(capsys, "scenarios", "show", "quiz")
    assert code == 0
    assert "Red" in out
    assert "\x1b" not in out


@pytest.mark.parametrize("metric", ["short_answer", "preference"])
def test_new_makes_a_scenario_that_is_valid(capsys: pytest.CaptureFixture[str], metric: str) -> None:
    code, out, err = run(capsys, *(SHORT if metric == "short_answer" else (*NEW, "--reference", "answer")))
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == "wrote scenarios/quiz/card.yaml and scenarios/quiz/data.jsonl: 2 items"
    assert f"      export ALPACA_SCENARIOS={Path('scenarios').resolve()}" in out.splitlines()
    assert "      alpaca-suite eval --model PATH_OF_A_CHECKPOINT --scenario quiz" in out.splitlines()
    assert ("Name what to compare with" in out) == (metric == "preference")
    card = yaml.safe_load(Path("scenarios/quiz/card.yaml").read_text())
    assert (card["metric"], card["licence"], card["source"]) == (metric, "not stated", "quiz.csv")
    first = json.loads(Path("scenarios/quiz/data.jsonl").read_text().splitlines()[0])
    assert (first["id"], first["instruction"]) == ("1", "Capital of France?")
    if metric == "short_answer":
        assert (first["answers"], first["traps"], first["slices"]) == (["Paris"], ["Lyon", "Nice"], {"topic": "geo"})
    code, out, _ = run(capsys, "scenarios", "validate", "scenarios/quiz")
    assert (code, out) == (0, "scenarios/quiz: no problem\n")


def test_new_where_the_scenarios_are(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALPACA_SCENARIOS", "mine")
    code, out, _ = run(capsys, *SHORT, "--licence", "CC0-1.0")
    assert code == 0
    assert "export" not in out
    assert "under which licence" not in out
    assert run(capsys, "scenarios", "validate", "quiz")[:2] == (0, "quiz: no problem\n")
    assert run(capsys, *SHORT, "--out", "there")[0] == 0
    assert Path("there/quiz/card.yaml").is_file()


@pytest.mark.parametrize(
    ("content", "args", "code", "message"),
    [
        (QUIZ.replace("Italy", "Italië").encode("latin-1"), SHORT, 1, "is not UTF-8 text: byte 0xEB at position"),
        (QUIZ.replace("topic", "question").encode(), SHORT, 1, "two columns are named 'question'"),
        (QUIZ.encode(), (*NEW, "--metric", "short_answer"), 2, "Give --answers COLUMN."),
        (QUIZ.encode(), (*NEW, "--slice", "a=topic", "--slice", "a=answer"), 2, "a slice needs a name of its own"),
        (QUIZ.encode(), (*NEW, "--slice", "a.b=topic"), 2, "without a dot"),
        (QUIZ.encode(), ("scenarios", "new", "my quiz", "--from", "quiz.csv"), 2, "is no name of a scenario"),
    ],
)
def test_new_says_what_is_wrong(
    capsys: pytest.CaptureFixture[str], content: bytes, args: tuple[str, ...], code: int, message: str
) -> None:
    Path("quiz.csv").write_bytes(content)
    found, out, err = run(capsys, *args)
    assert (found, out) == (code, "")
    assert message in err
    assert not Path("scenarios").exists()


def test_new_names_every_bad_row_and_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    Path("quiz.csv").write_text("question,topic,answer,wrong\n,geo,Paris,\nCapital?,geo,,\nx,y\n")
    code, out, err = run(capsys, *SHORT)
    assert (code, out) == (
        1,
        "quiz.csv:4: has 2 cells, the header has 4. A cell that holds the delimiter must be in double quotes.\n",
    )
    Path("quiz.csv").write_text("question,topic,answer,wrong\n,geo,Paris,\nCapital?,geo,,\n")
    code, out, err = run(capsys, *SHORT)
    assert (code, out.splitlines(), err) == (
        1,
        [
            "quiz.csv:2: 'question' is empty. Fill it in, or drop the row.",
            "quiz.csv:3: 'answer' is empty. Fill it in, or drop the row.",
        ],
        "error: quiz.csv: 2 problems; nothing was written\n",
    )
    assert not Path("scenarios").exists()


def test_new_validates_what_it_wrote(capsys: pytest.CaptureFixture[str]) -> None:
    """An answer that is a trap too is no matter of the table's form, and a run would refuse it."""
    Path("quiz.csv").write_text("question,topic,answer,wrong\nCapital?,geo,Paris,paris\n")
    code, out, err = run(capsys, *SHORT)
    assert code == 1
    assert "quiz, 1: 'paris' is both answer and trap. Take it out of one of the two." in out
    assert err == "error: scenarios/quiz: 1 problem to be mended in what was written\n"


def test_another_encoding(capsys: pytest.CaptureFixture[str]) -> None:
    Path("quiz.csv").write_bytes(QUIZ.replace("Italy", "Italië").encode("latin-1"))
    assert run(capsys, *SHORT, "--encoding", "latin-1")[0] == 0
    assert "Italië" in Path("scenarios/quiz/data.jsonl").read_text("utf-8")


def test_validate_prints_every_problem_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, *SHORT)
    with Path("scenarios/quiz/data.jsonl").open("a") as data:
        data.write(
            '{"id": "3"}\n{"id": "1", "instruction": "x", "answers": ["y"], "traps": [], "slices": {"topic": 1}}\n'
        )
    code, out, _ = run(capsys, "scenarios", "validate", "scenarios/quiz")
    lines = out.splitlines()
    assert code == 1
    assert [line.split("data.jsonl")[1].split(". ")[0] for line in lines[:-1]] == [
        ":3: has no 'instruction'",
        ":3: has no 'slices.topic'",
        ":3: has no 'answers'",
        ":3: has no 'traps'",
        ":4: the id '1' stands twice",
    ]
    assert lines[-1] == "scenarios/quiz: 5 problems"
    code, out, _ = run(capsys, "scenarios", "validate", "scenarios/quiz", "--json")
    shown = json.loads(out)
    assert (code, len(shown["problems"]), shown["problems"][0]["what"]) == (1, 5, "has no 'instruction'")


def test_validate_of_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "scenarios", "validate", "nowhere")
    assert code == 2
    assert "'nowhere' is neither a scenario nor a folder" in err
    Path("empty").mkdir()
    code, out, _ = run(capsys, "scenarios", "validate", "empty")
    assert code == 1
    assert "card.yaml: cannot be read" in out


def test_listing_loads_nothing_heavy() -> None:
    code = (
        "import sys; from alpaca_eval_suite.cli.main import main\nmain(['scenarios', 'list'])\n"
        "print([name for name in ('numpy', 'torch', 'transformers', 'helm', 'scipy', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
