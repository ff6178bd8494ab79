"""Everything that a run checks, told at once: each slip of a scenario on its own, and nothing of a good one."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alpaca_eval_suite.cards import list_cards
from alpaca_eval_suite.evaluate.validate import problems_of
from alpaca_eval_suite.resources import resource_dir

WriteScenario = Callable[..., Path]
CHECK = [{"check": "contains", "any": ["x"]}]


def told(folder: Path) -> list[str]:
    return [f"{one.where}: {one.what}".replace(str(folder), "") for one in problems_of(folder)]


def item(name: str, **keys: Any) -> dict[str, Any]:
    return {"id": name, "instruction": "Say.", "topic": "a", "checks": CHECK, **keys}


@pytest.mark.parametrize("name", ["capitals", "misinformation", "stereotypes", "toxicity", "user_oriented_mini"])
def test_our_own_scenarios_have_no_problem(name: str) -> None:
    assert name in list_cards()
    assert problems_of(resource_dir("scenarios") / name) == []


def test_a_good_one_wherever_it_lies(
    write_scenario: WriteScenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_scenario()
    monkeypatch.setenv("ALPACA_SCENARIOS", "")
    assert problems_of(folder) == []
    monkeypatch.chdir(folder)
    assert problems_of(Path()) == []


def test_every_slip_of_a_card(write_scenario: WriteScenario) -> None:
    folder = write_scenario(lisence="x", licence=None, metric="taste")
    assert told(folder) == [
        "/card.yaml: licence: Field required",
        "/card.yaml: metric: Input should be 'preference', 'short_answer', 'misinformation', 'stereotypes' or "
        "'toxicity'",
        "/card.yaml: lisence: is not a key of a card",
    ]


def test_every_slip_in_the_rows_and_the_checks(write_scenario: WriteScenario) -> None:
    rows = [
        item("a", instruction="", topic=None),
        item("b", checks=[{"check": "contain"}]),
        item("b"),
        item("c", checks=5),
        item("d", checks=[]),
        {"id": "e", "instruction": "x"},
    ]
    folder = write_scenario(items=rows, outputs=[])
    assert [text.partition(" (")[0].partition("; ")[0] for text in told(folder)] == [
        "/data.jsonl:1: 'instruction' is empty or not text",
        "/data.jsonl:1: 'topic' is neither text nor a number",
        "/data.jsonl:3: the id 'b' stands twice",
        "/data.jsonl:6: has no 'topic'",
        "/data.jsonl:6: has no 'checks'",
        "trial, b, check 1: Input tag 'contain' found using 'check' does not match any of the expected tags: "
        + told(folder)[5].split("expected tags: ")[1].partition(" (")[0].partition("; ")[0],
        "trial, c, checks: is not a list",
        "trial, d, checks: there is no check",
    ]


def test_every_slip_of_a_baseline(write_scenario: WriteScenario) -> None:
    outputs = [
        {"id": "t0", "output": "x"},
        {"id": "t0", "output": "y"},
        {"id": "t1", "output": None},
        {"id": "t9", "output": "z"},
    ]
    folder = write_scenario(3, outputs=outputs)
    assert told(folder) == [
        "/baseline.jsonl:2: the id 't0' stands twice",
        "/baseline.jsonl:3: 'output' is missing or not text",
        "/baseline.jsonl: outputs for items that the scenario does not have: t9",
        "/baseline.jsonl: no output for: t1, t2",
    ]


def test_what_a_probe_needs(write_scenario: WriteScenario) -> None:
    columns = {"key": {"answers": "answers", "traps": "traps"}}
    rows = [
        item("a", answers=["Paris"], traps=[]),
        item("b", answers=[], traps=[]),
        item("c", answers=["Paris"], traps=["paris"]),
        item("d", answers="Paris", traps=[]),
    ]
    folder = write_scenario(items=rows, columns=columns, metric="short_answer", baseline=None)
    assert told(folder) == [
        "trial, b: answers is empty",
        "trial, c: 'paris' is both answer and trap",
        "trial, d: answers is not a list",
    ]


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (lambda folder: (folder / "card.yaml").unlink(), "/card.yaml: cannot be read"),
        (lambda folder: (folder / "card.yaml").write_text("a: [1"), "/card.yaml: is not valid YAML"),
        (lambda folder: (folder / "data.jsonl").unlink(), "/data.jsonl: is missing"),
        (lambda folder: (folder / "data.jsonl").write_bytes(b"\xff"), "/data.jsonl: is not UTF-8 text"),
        (lambda folder: (folder / "data.jsonl").write_text(""), "/data.jsonl: holds no rows"),
        (lambda folder: (folder / "baseline.jsonl").unlink(), "/baseline.jsonl: is missing"),
    ],
)
def test_files_that_are_missing_or_broken(
    write_scenario: WriteScenario, spoil: Callable[[Path], Any], what: str
) -> None:
    folder = write_scenario()
    spoil(folder)
    [problem] = told(folder)[:1]
    assert problem.startswith(what)


def test_a_wrong_checksum(write_scenario: WriteScenario) -> None:
    [problem] = told(write_scenario(data={"file": "data.jsonl", "sha256": "0" * 64}))
    assert problem.startswith("/data.jsonl: has the SHA-256 ")


def test_no_helm_is_needed(write_scenario: WriteScenario) -> None:
    import subprocess

    folder = write_scenario()
    code = (
        "import sys; from pathlib import Path; sys.modules['helm'] = None; sys.modules['torch'] = None\n"
        f"from alpaca_eval_suite.evaluate.validate import problems_of; print(problems_of(Path({str(folder)!r})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[]\n", "")
