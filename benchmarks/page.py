"""The leaderboard page of many models: how long it takes to build, how large it is, how fast it opens and sorts.

    python benchmarks/page.py                  # 70 models x 805 instances
    python benchmarks/page.py 1000 805         # as many as you like; needs Chromium and playwright
    python benchmarks/page.py 70 805 --keep OUT

The models are made up: verdicts drawn at random, outputs of some hundred words. Prints seconds and sizes, and exits
with 1 where a target is missed: below 8 MB, sorted table in 2 s (3 s from 200 models on), sort and filter in 100 ms.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from alpaca_eval_suite.files import sha256_of
from alpaca_eval_suite.leaderboard.board import board_of
from alpaca_eval_suite.leaderboard.entry import Entry, Identity
from alpaca_eval_suite.leaderboard.page.build import build_page
from alpaca_eval_suite.leaderboard.raw import RawItem, write_raw
from alpaca_eval_suite.leaderboard.record import RunRecord

CHROMIUM = "/usr/bin/chromium"
MANY = 200
_WORDS = ("the", "a", "model", "of", "answer", "more", "than", "clear", "first", "then", "water", "city", "time")


def synthetic(results: Path, n_models: int, n_ids: int, *, seed: int = 0) -> list[Entry]:
    """Entries of made-up models with the raw files that their rates follow from, in the folder `results`.

    Each was judged in both orders; the first stands in for hallucination and toxicity as well.
    """
    rng = np.random.default_rng(seed)
    ids = [f"item-{number:04}" for number in range(n_ids)]
    asked = {id_: f"Instruction {id_}: {_text(rng, 20)}" for id_ in ids}
    baseline = {id_: _text(rng, 100) for id_ in ids}
    return [
        _entry(results, f"model-{number:04}", ids, asked, baseline, rng.beta(2, 3), rng) for number in range(n_models)
    ]


def _text(rng: np.random.Generator, words: int) -> str:
    return " ".join(_WORDS[place] for place in rng.integers(0, len(_WORDS), rng.integers(words // 2, 2 * words)))


def _entry(
    results: Path,
    name: str,
    ids: list[str],
    asked: dict[str, str],
    baseline: dict[str, str],
    p: float,
    rng: np.random.Generator,
) -> Entry:
    wins = (rng.random((len(ids), 2)) < p).astype(float)
    items = [
        RawItem.model_validate(
            {
                "id": id_,
                "instruction": asked[id_],
                "prompt": f"Below is an instruction.\n\n{asked[id_]}\n\nResponse:",
                "output": f"{_text(rng, 60)}.\n\n{baseline[id_][:200]} {_text(rng, 40)}",
                "baseline_output": baseline[id_],
                "verdicts": [
                    {"judge": "judge-model", "order": order, "win": win, "reason": _text(rng, 15)}
                    for order, win in zip(("model_first", "baseline_first"), pair, strict=True)
                ],
            }
        )
        for id_, pair in zip(ids, wins.tolist(), strict=True)
    ]
    file = f"raw/{name}.jsonl"
    write_raw(results / file, items)
    raw = {"file": file, "sha256": sha256_of(results / file), "n_lines": len(items)}
    lengths = {
        "mean_length": _mean_length(items),
        "mean_length_baseline": float(np.mean([*map(len, baseline.values())])),
    }
    main = _run(
        name,
        "preference",
        {"win_rate": _rate(wins.mean(axis=1)), "order_consistency": _rate(wins[:, 0] == wins[:, 1])},
        len(ids),
    )
    main |= {"raw": raw, "numbers": lengths, "baseline": {"name": "baseline-model", "sha256": "22" * 32}}
    main |= {
        "judge": _JUDGE,
        "cost_usd": float(rng.uniform(0, 9)),
        "guards": ["one output for all"] if p < 0.08 else [],
    }
    probes = [
        _run(
            name,
            "short_answer",
            {"trap": _rate(rng.random(195) < 0.2), "wrong": _rate(rng.random(195) < p)},
            195,
            "capitals",
        ),
        _run(name, "toxicity", {"complied_toxic": _rate(rng.random(80) < p / 4)}, 80),
    ]
    runs = [RunRecord.model_validate(run) for run in (main, *probes)]
    return Entry(**Identity.of(runs[0].model)._asdict(), runs=tuple(runs))


_JUDGE = {
    "name": "judge-model",
    "template_sha256": "44" * 32,
    "orders": "both",
    "seed": 0,
    "calibrated": True,
    "agreement": "agrees with readers in 70 % [66, 74] of 400 pairs",
}


def _run(name: str, metric: str, rates: dict[str, Any], n_items: int, scenario: str | None = None) -> dict[str, Any]:
    return {
        "run": f"{scenario or metric}:model={name}",
        "date": "2026-01-31T12:00:00+00:00",
        "scenario": {
            "name": scenario or metric,
            "sha256": "11" * 32,
            "metric": metric,
            "licence": "CC0-1.0",
            "n_items": n_items,
        },
        "model": {
            "name": name,
            "deployment": f"made-up/{name}",
            "fingerprint": f"{abs(hash(name)) % 16**8:08x}" + "0" * 56,
        },
        "prompt": {"format": "alpaca", "sha256": "33" * 32},
        "decoding": {"max_tokens": 512, "temperature": 0.0},
        "rates": rates,
    }


def _rate(values: Any) -> dict[str, Any]:
    values = np.asarray(values, dtype=float)
    mean, half = float(values.mean()), 1.96 * float(values.std(ddof=1)) / len(values) ** 0.5
    ci = {"low": max(0.0, mean - half), "high": min(1.0, mean + half), "level": 0.95, "method": "t"}
    return {"value": mean, "ci": ci, "n": len(values), "n_failed": 0}


def _mean_length(items: list[RawItem]) -> float:
    return float(np.mean([len(item.output or "") for item in items]))


def opened(page: Path) -> dict[str, float]:
    """`timed` in a browser of its own."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        seconds = timed(browser, page)
        browser.close()
    return seconds


def timed(browser: Any, page: Path) -> dict[str, float]:
    """Seconds, each the median of three: until the sorted table stands, to sort it, to filter it, to draw a plot, to
    list a model's instances."""
    times: dict[str, list[float]] = {name: [] for name in ("open", "sort", "filter", "plot", "model")}
    for _ in range(3):
        tab = browser.new_page(viewport={"width": 1400, "height": 900})

        def clock(name: str, act: Callable[[], object], shown: str, tab: Any = tab) -> None:
            start = perf_counter()
            act()
            tab.locator(shown).first.wait_for()
            times[name].append(perf_counter() - start)

        clock("open", lambda tab=tab: tab.goto(page.as_uri()), "table.board tbody tr")
        times["sort"].append(tab.evaluate(_SORT) / 1000)
        times["filter"].append(tab.evaluate(_FILTER) / 1000)
        clock("plot", tab.locator(".views a:nth-child(2)").click, ".plot svg")
        tab.locator(".views a:nth-child(1)").click()
        clock("model", tab.locator("table.board a.step").first.click, ".instances li")
        tab.close()
    return {name: median(found) for name, found in times.items()}


# Milliseconds until the browser has laid out what the action changed.
_TIMED = "() => {{ const start = performance.now(); {} document.body.offsetHeight; return performance.now() - start; }}"
_SORT = _TIMED.format("document.querySelectorAll('thead a')[3].click();")
_FILTER = _TIMED.format(
    "const filter = document.getElementById('filter'); filter.value = 'model-00';"
    "filter.dispatchEvent(new Event('input', {bubbles: true}));"
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=int, nargs="?", default=70)
    parser.add_argument("ids", type=int, nargs="?", default=805)
    parser.add_argument("--keep", type=Path, help="Keep the page in this folder.")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results"
        out = given.keep or Path(folder) / "page"
        entries = synthetic(results, given.models, given.ids)
        start = perf_counter()
        boards = board_of(entries, results)
        ranked = perf_counter() - start
        built = build_page(boards, results, out)
        total = perf_counter() - start
        size = built.page.stat().st_size / 1e6
        details = sum(path.stat().st_size for path in built.details) / 1e6
        print(f"{given.models} models x {given.ids}: boards {ranked:.1f} s, page {total - ranked:.1f} s")
        print(f"index.html {size:.2f} MB, {len(built.details)} files of details {details:.0f} MB")
        seconds = opened(built.page)
    print("; ".join(f"{name} {1000 * value:.0f} ms" for name, value in seconds.items()))
    limit = 2.0 if given.models < MANY else 3.0
    return int(size > 8 or seconds["open"] > limit or seconds["sort"] > 0.1 or seconds["filter"] > 0.1)


if __name__ == "__main__":
    sys.exit(main())
