"""HELM's own pages in a real browser: our groups, intervals as columns, an instance with both verdicts."""

import socket
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep
from typing import Any

import pytest

from alpaca_eval_suite.leaderboard.record import RateRecord, read_record

pytestmark = pytest.mark.browser

WriteScenario = Callable[..., Path]
ServeJudge = Callable[..., Any]

HOSTILE = (
    '<img src="x" onerror="window.owned = 1"><script>window.owned = 1</script>'
    "[a link](javascript:window.owned=1) ${window.owned = 1}"
)
MODEL = "local/judge"  # one server plays the model, which says HOSTILE, and the judge


def says(a: str, b: str) -> str:
    """As a judge of two answers, the one with the word wins; as a model, an answer that tries to run code."""
    if not b:
        return f"Response: {HOSTILE}"
    ours, theirs = "Response" in a, "Response" in b
    return "TIE" if ours == theirs else "A" if ours else "B"


@contextmanager
def served(place: Any, suite: str) -> Iterator[str]:
    """helm-server as a process on a free port; gives its address once it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = place.start("helm-server", "--suite", suite, "--output-path", "benchmark_output", "--port", str(port))
    try:
        yield _ready(server, f"http://127.0.0.1:{port}/")
    finally:
        server.kill()
        server.communicate()


def _ready(server: subprocess.Popen[str], address: str) -> str:
    for _ in range(120):
        assert server.poll() is None, server.communicate()
        try:
            urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address, timeout=5).close()
        except OSError:
            sleep(0.5)
        else:
            return address
    raise AssertionError("helm-server did not answer within a minute")


@pytest.fixture
def site(place: Any, write_scenario: WriteScenario, serve_judge: ServeJudge) -> Iterator[tuple[str, Any]]:
    """Pages of four made-up items, judged in both orders, and of four capitals; the run's folder is beside them."""
    write_scenario(4)
    place.register(MODEL, serve_judge(says).base_url)
    done = place.eval(MODEL, "--scenario", "capitals", "--judge", MODEL, "--limit", "4")
    assert done.returncode == 0, done.stderr
    with served(place, "alpaca-limit-4") as address:
        yield address, place


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    """An empty page; a dialog that a script opens fails the test."""
    opened = chromium.new_page(viewport={"width": 1400, "height": 900})
    dialogs: list[str] = []
    opened.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    yield opened
    opened.close()
    assert dialogs == []


def only_row(page: Any) -> dict[str, str]:
    """The table's one row by column. HELM puts a sign for links behind some cells, which is left out."""
    page.locator("table tbody tr").first.wait_for()
    headers = [cell.strip() for cell in page.locator("table thead th").all_inner_texts()]
    cells = [cell.split("\n")[0].strip() for cell in page.locator("table tbody td").all_inner_texts()]
    return dict(zip(headers, cells, strict=True))


def shown(number: float) -> float:
    """As HELM rounds."""
    return float(f"{number:.3f}")


def check_rate(row: dict[str, str], title: str, rate: RateRecord) -> None:
    """The rate and the ends of its interval are columns side by side, and equal the record's."""
    assert rate.value is not None
    assert rate.ci is not None
    names = list(row)
    at = names.index(title)
    assert names[at : at + 3] == [title, f"{title} low", f"{title} high"]
    assert [float(row[name]) for name in names[at : at + 3]] == [
        shown(number) for number in (rate.value, rate.ci.low, rate.ci.high)
    ]


def test_helms_pages_show_groups_intervals_and_both_verdicts(page: Any, site: tuple[str, Any], tmp_path: Path) -> None:
    address, place = site
    capitals, trial = place.runs(suite="alpaca-limit-4")

    page.goto(f"{address}#/leaderboard")
    page.locator("table tbody tr").first.wait_for()
    groups = page.locator("select").first.locator("option").all_inner_texts()
    assert {"Alpaca scenarios", "User-oriented instructions, mini", "Capitals", "Toxicity", "Trial"} <= set(groups)

    page.goto(f"{address}#/groups/alpaca_trial")
    page.get_by_role("heading", name="Leaderboard: Trial").wait_for()
    row = only_row(page)
    rates = read_record(trial).rates
    assert row["Model"] == MODEL
    check_rate(row, "Win rate", rates["win_rate"])
    check_rate(row, "Consistency", rates["order_consistency"])
    check_rate(row, "First shown", rates["first_shown"])
    assert (row["Win rate n"], row["Win rate failed"]) == ("4", "0")
    assert [row[name] for name in ("Wins", "Losses", "Ties")] == ["2", "0", "2"]
    _looks_like_a_picture(page, tmp_path / "group.png")

    page.goto(f"{address}#/groups/alpaca_capitals")
    page.get_by_role("heading", name="Leaderboard: Capitals").wait_for()
    row = only_row(page)
    check_rate(row, "Right", read_record(capitals).rates["exact"])
    check_rate(row, "Trap", read_record(capitals).rates["trap"])

    page.goto(f"{address}#/runs")
    page.get_by_role("link", name="alpaca_trial").click()
    page.get_by_text("Instance id: t0").wait_for()
    _check_instance(page)
    _looks_like_a_picture(page, tmp_path / "instance.png")


def _check_instance(page: Any) -> None:
    visible = page.locator("body").inner_text()
    assert "Name colour number 0." in visible
    assert f"Response: {HOSTILE}" in visible
    closed = page.locator("details", has_text="View alpaca annotations").first
    closed.locator("summary").click()
    opened = closed.inner_text()
    for number, order in enumerate(("model_first", "baseline_first")):
        _, _, rest = opened.partition(f"verdicts[{number}].order\n")
        assert rest.startswith(order)
        for part, text in (("win", "1"), ("reason", "It is better."), ("raw", "It is better.\nVERDICT-")):
            assert rest.partition(f"verdicts[{number}].{part}\n")[2].startswith(text)
    # Shown as text, run by nobody.
    assert page.evaluate("window.owned") is None
    assert page.locator('img[src="x"]').count() == 0
    assert page.locator('a[href^="javascript:"]').count() == 0
    assert "window.owned" not in "".join(page.locator("script").all_inner_texts())


def _looks_like_a_picture(page: Any, path: Path) -> None:
    page.screenshot(path=path)
    assert path.stat().st_size > 10_000  # an empty page has about half of it
