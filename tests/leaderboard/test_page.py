"""The page without a browser: what stands in its files, and what happens to bad input."""

import base64
import hashlib
import importlib.util
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from alpaca_eval_suite.cli.leaderboard.page import page_command
from alpaca_eval_suite.errors import MissingExtraError, PartialError, SuiteError
from alpaca_eval_suite.leaderboard.board import Board, board_of
from alpaca_eval_suite.leaderboard.entry import write_entries
from alpaca_eval_suite.leaderboard.page import build as build_module
from alpaca_eval_suite.leaderboard.page.build import build_page
from alpaca_eval_suite.leaderboard.page.details import detail_file, items_of
from alpaca_eval_suite.leaderboard.page.head_to_head import head_to_head
from alpaca_eval_suite.leaderboard.page.html import MODULES, json_block, page_html
from alpaca_eval_suite.leaderboard.page.library import library
from alpaca_eval_suite.leaderboard.page.payload import Pairs, Sources, payload_of
from alpaca_eval_suite.leaderboard.raw import RawItem
from alpaca_eval_suite.leaderboard.record import RunRecord
from alpaca_eval_suite.stats.compare import compare
from alpaca_eval_suite.stats.units import Units

ASSETS = Path(build_module.__file__).parent / "assets"
HOSTILE = "</script><!--<script>alert(1)</script>\u2028\u202e\ud800&amp;{{script}}"


def made_up() -> ModuleType:
    """benchmarks/page.py, which makes entries up."""
    path = Path(__file__).parents[2] / "benchmarks" / "page.py"
    spec = importlib.util.spec_from_file_location("benchmarks_page", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three models on twelve instances; the plot library is a short stand-in."""
    monkeypatch.setattr(build_module, "library", lambda: "// plots")
    folder = tmp_path / "results"
    write_entries(folder, made_up().synthetic(folder, 3, 12), {})
    return folder


def boards_in(results: Path) -> list[Board]:
    from alpaca_eval_suite.leaderboard.table import load

    return board_of(load(results), results)


def received(script: str) -> tuple[str, Any]:
    """What a file of details hands to the page: the call's two arguments, the second one parsed."""
    name, text = json.loads(f"[{script.strip().removeprefix('alpacaDetails(').removesuffix(')')}]")
    return name, json.loads(text)


def payload_in(page: Path) -> Any:
    html = page.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    assert found
    return json.loads(found[1])


def test_every_instance_is_beside_the_page_and_what_is_common_stands_once(results: Path, tmp_path: Path) -> None:
    built = build_page(boards_in(results), results, tmp_path / "page")
    assert built.problems == ()
    board = next(board for board in payload_in(built.page)["boards"] if board["metric"] == "preference")
    shared = _details(built.page, board["shared"])
    assert len(shared) == 12
    assert {"instruction", "baseline_output"} <= set(shared["item-0000"])
    for row in board["rows"]:
        items = _details(built.page, row["details"])["items"]
        assert [item["id"] for item in items] == sorted(shared)
        assert all("instruction" not in item and item["prompt"] and len(item["verdicts"]) == 2 for item in items)
        values = [item["value"] for item in items]
        assert np.mean(values) == pytest.approx(row["cells"][2][0], abs=1e-6)


def _details(page: Path, source: dict[str, Any]) -> Any:
    script = (page.parent / "details" / source["file"]).read_text(encoding="utf-8")
    name, value = received(script)
    assert name == source["file"]
    return value


def test_a_run_keeps_what_others_say_differently_of_an_id() -> None:
    run = RunRecord.model_validate(made_up()._run("m", "preference", {}, 2))
    shared: dict[str, Any] = {}
    items_of(run, [RawItem(id="a", instruction="one", baseline_output="b")], shared)
    (other,) = items_of(run, [RawItem(id="a", instruction="two")], shared)
    assert {**shared["a"], **other}["instruction"] == "two"
    assert {**shared["a"], **other}["baseline_output"] is None


def test_the_checksum_is_of_the_text_that_the_page_receives() -> None:
    file = detail_file("abc", {"output": HOSTILE})
    name, value = received(file.script)
    text = json.loads(f"[{file.script.strip()[len('alpacaDetails(') : -1]}]")[1]
    assert (name, value) == (file.name, {"output": HOSTILE})
    assert hashlib.sha256(text.encode("utf-8")).hexdigest() == file.sha256
    assert len(text.encode("utf-16-le")) // 2 == file.characters
    assert file.sha256[:8] in file.name


def test_what_stands_in_the_page_cannot_leave_its_place() -> None:
    html = page_html({"boards": [HOSTILE]}, "x = '</script><!--'")
    assert html.lower().count("</script") == 3  # of data, library and script
    assert "<!--" not in html
    block = re.search(r'id="data">(.*?)</script>', html, re.DOTALL)
    assert block
    assert json.loads(block[1]) == {"boards": [HOSTILE]}
    html.encode("utf-8")
    assert json.loads(json_block({"a": HOSTILE})) == {"a": HOSTILE}


def test_the_policy_names_the_scripts_that_are_there() -> None:
    html = page_html({"boards": []}, "plots()")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert policy
    scripts = re.findall(r'<script type="(?:module|text/plain)"[^>]*>(.*?)</script>', html, re.DOTALL)
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)
    assert style
    for text in (*scripts, style[1]):
        assert base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() in policy[1]
    assert "unsafe" not in policy[1]
    assert "http" not in policy[1]


def test_the_scripts_make_no_markup_and_no_code_from_text() -> None:
    assert {path.stem for path in ASSETS.glob("*.js")} == set(MODULES)
    code = "\n".join((ASSETS / f"{name}.js").read_text(encoding="utf-8") for name in MODULES)
    for word in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "Function(",
        "http:",
        "fetch",
    ):
        assert word not in code.replace("fetch() cannot", "")
    lines = [line.strip() for line in code.splitlines()]
    assert len([line for line in lines if line and not line.startswith(("//", "/**"))]) < 900


def test_withheld_rates_stay_out_of_the_page(results: Path) -> None:
    board = next(board for board in boards_in(results) if board.metric == "preference")
    rows = tuple(replace(row, rate=None, no_information=True) for row in board.rows)
    (shown,) = payload_of([(replace(board, rows=rows), Pairs(), Sources(None, {}))])["boards"]
    keys = [column["key"] for column in shown["columns"]]
    for row in shown["rows"]:
        assert row["cells"][keys.index("win_rate")] is None
        assert "no information" in row["reasons"][str(keys.index("win_rate"))]
        assert "judge gave no information" in row["flags"]
    assert "forest" not in shown["views"]


def test_raw_files_that_are_missing_or_others_are_named(results: Path, tmp_path: Path) -> None:
    (results / "raw" / "model-0000.jsonl").unlink()
    with (results / "raw" / "model-0001.jsonl").open("a", encoding="utf-8") as stream:
        stream.write('{"id": "more"}\n')
    built = build_page(boards_in(results), results, tmp_path / "page")
    assert len(built.problems) == 2
    assert any("model-0000" in problem for problem in built.problems)
    assert any("SHA-256" in problem for problem in built.problems)
    board = next(board for board in payload_in(built.page)["boards"] if board["metric"] == "preference")
    assert [row["details"] is None for row in sorted(board["rows"], key=lambda row: row["model"])] == [
        True,
        True,
        False,
    ]


def test_only_what_is_ours_is_replaced_or_taken_away(results: Path, tmp_path: Path) -> None:
    out = tmp_path / "page"
    (out / "details").mkdir(parents=True)
    (out / "index.html").write_text("<p>mine</p>", encoding="utf-8")
    (out / "details" / "notes.js").write_text("mine", encoding="utf-8")
    old = out / "details" / "00000000-11111111-22222222.js"
    old.write_text("old", encoding="utf-8")
    with pytest.raises(SuiteError, match="not a page of this leaderboard") as told:
        build_page(boards_in(results), results, out)
    assert "--force" in str(told.value)
    assert old.exists()
    first = build_page(boards_in(results), results, out, force=True)
    again = build_page(boards_in(results), results, out)
    assert first == again
    assert not old.exists()
    assert (out / "details" / "notes.js").exists()


def test_the_same_boards_give_the_same_bytes(results: Path, tmp_path: Path) -> None:
    pages = [build_page(boards_in(results), results, tmp_path / name) for name in ("a", "b")]
    assert pages[0].page.read_bytes() == pages[1].page.read_bytes()
    assert [path.name for path in pages[0].details] == [path.name for path in pages[1].details]


def test_without_the_extra_the_line_to_type_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(MissingExtraError, match=re.escape("alpaca-eval-suite[page]")):
        library()


def test_the_command_says_what_it_wrote_and_what_is_missing(results: Path, tmp_path: Path) -> None:
    line = ["--results", str(results), "--out", str(tmp_path / "page"), "--json"]
    done = CliRunner().invoke(page_command, line)
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert Path(told["page"]).exists()
    assert len(told["details"]) == 4
    (results / "raw" / "model-0000.jsonl").unlink()
    done = CliRunner().invoke(page_command, line)
    assert isinstance(done.exception, PartialError)
    assert "model-0000" in done.stderr


def units_of(values: Sequence[float], ids: Sequence[str] | None = None) -> Units:
    return Units(tuple(ids or (f"{i:04}" for i in range(len(values)))), np.array(values, dtype=float))


def test_head_to_head_is_the_paired_comparison() -> None:
    rng = np.random.default_rng(0)
    a, b = (rng.random(100) < 0.6).astype(float), (rng.random(100) < 0.4).astype(float)
    found = head_to_head([units_of(a), units_of(b)])
    one = compare(units_of(a), units_of(b), rng=0)
    assert found.difference[0, 1] == pytest.approx(one.difference)
    assert found.difference[1, 0] == pytest.approx(-found.difference[0, 1])
    assert one.p_value is not None
    assert bool(found.holds[0, 1]) == bool(found.holds[1, 0]) == (one.p_value <= 0.05)


def test_head_to_head_uses_the_ids_that_both_have() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.random(60), rng.random(60)
    a[:10] = np.nan
    names = [f"{i:04}" for i in range(60)]
    found = head_to_head([units_of(a), units_of(b[5:], names[5:]), units_of(b)])
    assert found.difference[0, 1] == pytest.approx(np.nanmean(a[10:] - b[10:]))
    assert found.difference[1, 2] == pytest.approx(0)
    assert not found.holds[1, 2]
    apart = head_to_head([units_of([1.0], ["x"]), units_of([0.0], ["y"])])
    assert np.isnan(apart.difference[0, 1])
    assert not apart.holds.any()


def test_head_to_head_keeps_the_error_of_all_pairs_together() -> None:
    rng = np.random.default_rng(2)
    draws = 60
    wrong = 0
    for _ in range(draws):
        rows = [units_of(rng.choice([0.0, 0.5, 1.0], 40)) for _ in range(6)]
        wrong += head_to_head(rows, draws=200).holds.any()
    assert wrong <= 8  # 3 expected; more than 8 has a chance of 0.4 %


def test_real_differences_among_many_are_found() -> None:
    rng = np.random.default_rng(3)
    rows = [units_of((rng.random(400) < p).astype(float)) for p in (0.2, 0.5, 0.8, 0.8)]
    holds = head_to_head(rows).holds
    assert holds[:2, 1:].any()
    assert holds[0, 1:].all()
    assert holds[1, 2:].all()
    assert not holds[2, 3]
