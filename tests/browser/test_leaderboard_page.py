"""The leaderboard's page in a real browser, from a folder on the disk: what it shows, and what it never does."""

import importlib.util
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from alpaca_eval_suite.files import sha256_of
from alpaca_eval_suite.leaderboard.board import board_of
from alpaca_eval_suite.leaderboard.entry import Entry, Identity
from alpaca_eval_suite.leaderboard.page.build import Built, build_page
from alpaca_eval_suite.leaderboard.raw import RawItem, write_raw
from alpaca_eval_suite.leaderboard.record import RunRecord

pytestmark = pytest.mark.browser

HOSTILE = (
    "<img src=x onerror='window.owned=1'><script>window.owned=1</script></script><svg onload='window.owned=1'>"
    "<style>*{display:none}</style>[link](javascript:window.owned=1) ![](http://evil.example/x.png) **bold** `code` "
    "javascript:window.owned=1 <a href=javascript:window.owned=1>a</a> {{constructor.constructor('window.owned=1')()}}"
)
HIDDEN = "pass\u200bword \u202egnp.exe\u202c end\ufeff\u00ad \u0007 tag\U000e0041 half\ud800 👩‍🚀 ❤️ שלום"
BASELINE = f"z {HOSTILE}"
NAME = "<script>window.owned=1</script>"
INJECTED_ID = "id' onmouseover='window.owned=1' <b>&amp;#x=1&y"

PIECE = 60
"""How many rows the page makes at once."""

Open = Callable[..., Any]


def made_up() -> ModuleType:
    """benchmarks/page.py, which makes entries up."""
    path = Path(__file__).parents[2] / "benchmarks" / "page.py"
    spec = importlib.util.spec_from_file_location("benchmarks_page", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def hostile_entry(results: Path) -> Entry:
    """One model whose every text tries to be more than text; four instances, all won."""
    vote = {"judge": f"human:{NAME}", "win": 0.5, "tags": ["both bad", HOSTILE], "seconds": 12.3}
    given: list[dict[str, Any]] = [
        {"id": "plain", "output": "one two three four", "baseline_output": "one 2 three four"},
        {"id": INJECTED_ID, "output": HOSTILE, "baseline_output": HIDDEN, "people": [vote]},
        {"id": "messages", "prompt": [{"role": "user", "content": HOSTILE}, {"role": HOSTILE, "content": [1]}]},
        {"id": "empty", "output": "", "baseline_output": HOSTILE * 200, "slices": {HOSTILE: HOSTILE}},
    ]
    items = [
        RawItem.model_validate(
            {
                "instruction": f"{HOSTILE} {HIDDEN}",
                "prompt": HOSTILE,
                "checks": {"passed": 1, "total": 2, "failed": [HOSTILE]},
                "verdicts": [
                    {"judge": HOSTILE, "order": order, "win": win, "reason": HOSTILE}
                    for order, win in (("model_first", 1.0), ("baseline_first", 0.75))
                ],
                **item,
            }
        )
        for item in given
    ]
    file = "raw/hostile.jsonl"
    write_raw(results / file, items)
    run = made_up()._run(NAME, "preference", {"win_rate": made_up()._rate([0.875] * 4)}, 4)
    run |= {
        "raw": {"file": file, "sha256": sha256_of(results / file), "n_lines": 4},
        "baseline": {"name": BASELINE, "sha256": "22" * 32},
        "judge": {**made_up()._JUDGE, "name": HOSTILE, "agreement": HOSTILE},
        "guards": [HOSTILE],
        "self_judged": HOSTILE,
        "notes": [HOSTILE],
    }
    record = RunRecord.model_validate(run)
    return Entry(**Identity.of(record.model)._asdict(), runs=(record,))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """130 models on 12 instances, more than are made at once; and one that is hostile."""
    pytest.importorskip("vl_convert", reason="the extra page is not installed")
    folder = tmp_path_factory.mktemp("leaderboard")
    entries = [*made_up().synthetic(folder / "results", 130, 12), hostile_entry(folder / "results")]
    return build_page(board_of(entries, folder / "results"), folder / "results", folder / "page")


@pytest.fixture
def show(chromium: Any, built: Built) -> Iterator[Open]:
    """Opens the page in a tab of its own; whatever it complains of, opens or asks for elsewhere fails the test."""
    wrong: list[str] = []
    contexts = []

    def opened(address: str = "", *, page: Path = built.page, width: int = 1400, scheme: str = "light") -> Any:
        context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        tab = context.new_page()
        tab.on("console", lambda message: wrong.append(message.text) if message.type != "log" else None)
        tab.on("pageerror", lambda error: wrong.append(str(error)))
        tab.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
        tab.on(
            "request", lambda asked: wrong.append(asked.url) if not asked.url.startswith(("file:", "data:")) else None
        )
        tab.goto(page.as_uri() + address)
        return tab

    yield opened
    owned = [tab.evaluate("window.owned") for context in contexts for tab in context.pages]
    for context in contexts:
        context.close()
    assert wrong == []
    assert not any(owned)


def names(tab: Any) -> list[str]:
    return list(tab.locator("table.board tbody th").all_inner_texts())


def figures(tab: Any, column: int) -> list[float]:
    return [float(text.split("\n")[0]) for text in tab.locator(f"tbody tr td:nth-child({column})").all_inner_texts()]


def open_hostile(tab: Any) -> None:
    """From the table to the hostile model, by the choice of its baseline."""
    tab.get_by_label("Baseline").select_option(index=1)
    tab.get_by_role("link", name=NAME).click()
    tab.locator(".instances li").nth(3).wait_for()


def test_the_table_is_sorted_filtered_and_linked(show: Open, built: Built) -> None:
    tab = show()
    rates = figures(tab, 3)
    assert len(rates) == PIECE
    assert rates == sorted(rates, reverse=True)
    tab.locator("thead a", has_text="Win rate").click()
    assert figures(tab, 3) == sorted(figures(tab, 3))
    assert tab.locator("th[aria-sort=ascending]").inner_text().startswith("Win rate")
    tab.get_by_label("Model", exact=True).fill("MODEL-001")
    assert len(names(tab)) == 10
    assert tab.locator(".count").inner_text() == "10 of 130 models"
    address = tab.evaluate("location.hash")
    assert names(show(address)) == names(tab)
    tab.get_by_label("Model", exact=True).fill("nobody")
    assert names(tab) == []


def test_rows_beyond_the_first_come_as_one_scrolls_and_all_in_print(show: Open) -> None:
    tab = show()
    tab.locator("tbody tr").nth(PIECE - 1).scroll_into_view_if_needed()
    tab.locator("tbody tr").nth(PIECE).wait_for(state="attached")
    other = show()
    other.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert len(names(other)) == 130


def test_the_plots_are_drawn_with_the_models_of_the_table(show: Open) -> None:
    tab = show()
    tab.get_by_label("Model", exact=True).fill("model-000")
    for view, least in (("Intervals", 10), ("Length", 10), ("Head to head", 40), ("Probes", 30)):
        tab.get_by_role("link", name=view).click()
        tab.locator(".plot svg").first.wait_for()
        tab.wait_for_timeout(300)
        marks = tab.locator(".plot svg g[class^=mark] path").count()
        assert marks >= least, view
    tab.get_by_role("link", name="Head to head").click()
    tab.get_by_text("The same in words").click()
    assert tab.locator("table.plain tbody tr").count() >= 7  # of the 100 best
    tab.get_by_role("link", name="Intervals").click()
    tab.locator(".plot svg .mark-symbol path").first.hover()
    assert re.match(r"model-000\d .*\n\d+\.\d \[", tab.locator("#tip").inner_text())
    tab.locator(".plot svg .mark-symbol path").first.click()
    tab.locator(".instances li").first.wait_for()


def test_keys_lead_to_an_instance_and_back(show: Open) -> None:
    tab = show()
    press = tab.keyboard.press
    press("ArrowDown")
    press("ArrowDown")
    second = tab.evaluate("document.activeElement.textContent")
    assert second == names(tab)[1]
    press("Enter")
    tab.locator(".instances li").first.wait_for()
    assert tab.locator("h1").inner_text() == second
    press("ArrowDown")
    press("Enter")
    tab.get_by_role("heading", name="Verdicts").wait_for()
    assert tab.locator("h1").inner_text() == "item-0000"
    press("ArrowRight")
    tab.get_by_text("2 of 12", exact=True).wait_for()
    assert tab.locator("h1").inner_text() == "item-0001"
    press("Escape")
    tab.locator(".instances li").first.wait_for()
    tab.wait_for_function("document.activeElement.closest('li')?.dataset.step === 'item-0001'")
    press("Escape")
    tab.locator("table.board").wait_for()
    assert tab.evaluate("document.activeElement.textContent") == second
    press("?")
    assert tab.locator("dialog").is_visible()
    press("Escape")
    assert not tab.locator("dialog").is_visible()
    press("/")
    tab.keyboard.type("model-0007")
    assert len(names(tab)) == 1


def test_an_instance_shows_everything_and_only_as_text(show: Open) -> None:
    tab = show()
    open_hostile(tab)
    assert HOSTILE in tab.locator(".notes").inner_text()
    tab.locator(".instances a").nth(1).click()
    tab.get_by_role("heading", name="Verdicts").wait_for()
    assert tab.locator("h1").inner_text() == INJECTED_ID
    tab.get_by_text("Exact prompt").click()
    text = tab.locator("main").inner_text()
    assert text.count(HOSTILE) >= 8  # instruction, prompt, output, baseline's name, judge, reasons, tag, check
    for words in ("prefers <script>", "(75.0 %)", "shown first: the model's", "shown first: the baseline's", "a tie"):
        assert words in text
    assert "12 s" in text
    marks = tab.locator(".output .mark").all_inner_texts()
    assert marks == ["U+200B", "U+202E", "U+202C", "U+FEFF", "U+00AD", "U+0007", "U+E0041", "U+D800"]
    assert "👩‍🚀" in text
    assert tab.locator("main img, main script, main svg, main style, main iframe").count() == 0
    links = tab.evaluate("[...document.links].map((link) => link.getAttribute('href'))")
    assert all(link.startswith("#") for link in links)
    assert show(tab.evaluate("location.hash")).get_by_role("heading", name="Verdicts").is_visible()
    for name in ("messages", "empty"):
        tab.keyboard.press("ArrowRight")
        tab.locator("h1", has_text=name).wait_for()
    assert "(empty)" in tab.locator(".output").first.inner_text()


def test_a_hostile_name_is_text_in_plots_and_choices(show: Open) -> None:
    tab = show()
    tab.get_by_label("Baseline").select_option(index=1)
    tab.get_by_role("link", name="Intervals").click()
    tab.locator(".plot svg").wait_for()
    assert NAME in tab.locator(".plot svg").text_content()
    assert tab.locator(".plot script, .plot a").count() == 0
    tab.locator(".plot svg .mark-symbol path").first.hover()
    assert NAME in tab.locator("#tip").inner_text()


def test_the_difference_of_two_outputs_word_by_word(show: Open) -> None:
    tab = show()
    open_hostile(tab)
    tab.locator(".instances a").first.click()
    tab.get_by_role("button", name="Show the difference").click()
    shown = tab.locator(".output .text")
    assert shown.locator("del").all_inner_texts() == ["2"]
    assert shown.locator("ins").all_inner_texts() == ["two"]
    tab.get_by_role("button", name="Show the difference").click()
    assert tab.locator(".output").count() == 2


def copy_of(built: Built, folder: Path) -> Path:
    """The page with its details in another folder."""
    shutil.copytree(built.page.parent, folder)
    return folder / "index.html"


def test_details_of_another_page_are_not_shown(show: Open, built: Built, tmp_path: Path) -> None:
    page = copy_of(built, tmp_path / "page")
    for path in (page.parent / "details").glob("*.js"):
        path.write_text(path.read_text(encoding="utf-8").replace("judge-model", "judge-mode1"), encoding="utf-8")
    tab = show(page=page)
    tab.locator("table.board a.step").first.click()
    tab.get_by_role("alert").wait_for()
    assert "is not the file that this page was made with" in tab.get_by_role("alert").inner_text()
    assert tab.locator(".instances li").count() == 0


def test_the_page_alone_shows_its_table_and_says_what_is_missing(chromium: Any, built: Built, tmp_path: Path) -> None:
    page = copy_of(built, tmp_path / "page")
    shutil.rmtree(page.parent / "details")
    tab = chromium.new_page()
    tab.goto(page.as_uri())
    assert len(names(tab)) == PIECE
    tab.locator("table.board a.step").first.click()
    tab.get_by_role("alert").wait_for()
    assert "must lie beside this page" in tab.get_by_role("alert").inner_text()
    tab.close()


def test_a_link_to_what_is_not_there_says_so(show: Open) -> None:
    for address in ("#model=nobody", "#board=x&model=%3Cscript%3E"):
        assert "does not have" in show(address).get_by_role("alert").inner_text()
    tab = show("#sort=nothing&view=")
    assert len(names(tab)) == PIECE


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(show: Open, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed (extra dev)").Axe()

    def check(tab: Any) -> None:
        found = [one for one in axe.run(tab).response["violations"] if one["impact"] in ("serious", "critical")]
        assert [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found] == []

    tab = show(scheme=scheme)
    check(tab)
    for view in ("forest", "length", "pairs", "bars"):
        of_view = show(f"#view={view}&q=model-000", scheme=scheme)
        of_view.locator(".plot svg").first.wait_for()
        check(of_view)
    open_hostile(tab)
    check(tab)
    tab.locator(".instances a").nth(1).click()
    tab.get_by_role("heading", name="Verdicts").wait_for()
    tab.get_by_text("Exact prompt").click()
    check(tab)
    tab.get_by_role("button", name="Show the difference").click()
    check(tab)
    tab.keyboard.press("?")
    check(tab)
    check(show(width=390, scheme=scheme))


def test_a_phone_shows_it_without_scrolling_sideways(show: Open) -> None:
    tab = show(width=390)
    overflow = "document.documentElement.scrollWidth - innerWidth"
    assert tab.evaluate(overflow) <= 0
    label = tab.locator("tbody tr").first.locator("td").nth(1)
    assert label.evaluate("(cell) => getComputedStyle(cell, '::before').content").startswith('"Win rate')
    tab.get_by_label("Sort by").select_option(label="Model ↑")
    assert names(tab)[0].startswith("model-0000")
    open_hostile(tab)
    assert tab.evaluate(overflow) <= 0
    tab.locator(".instances a").nth(1).click()
    tab.get_by_role("heading", name="Verdicts").wait_for()
    assert tab.evaluate(overflow) <= 0


def test_colours_follow_the_system_until_one_chooses(show: Open) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    light, dark = show(), show(scheme="dark")
    assert light.evaluate(ground) == "rgb(255, 255, 255)"
    night = dark.evaluate(ground)
    assert night != "rgb(255, 255, 255)"
    light.locator("#theme").click()
    light.locator("#theme").click()
    assert light.locator("#theme").inner_text() == "Theme: dark"
    assert light.evaluate(ground) == night
    light.reload()
    assert light.evaluate(ground) == night


def test_it_opens_sorts_and_filters_in_time(chromium: Any, built: Built) -> None:
    seconds = made_up().timed(chromium, built.page)
    # Three times what benchmarks/page.py asks for: tests run beside others.
    assert seconds["open"] < 6
    assert seconds["sort"] < 0.3
    assert seconds["filter"] < 0.3
