"""What is printed beside `builtin:checks` is what its labelled pairs give, and the controls are what they say."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.judge.agreement import (
    Agreement,
    LabelledPair,
    Share,
    agreement_of,
    longer_wins,
    measure,
    measure_readers,
    read_pairs,
)

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("checks_agreement", ROOT / "benchmarks" / "checks_agreement.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pair(first: str, second: str, *labels: int) -> LabelledPair:
    return LabelledPair("p", "i", first, second, {f"reader_{n}": label for n, label in enumerate(labels)})


def test_the_stored_agreement_is_what_the_labelled_pairs_give(benchmark: ModuleType) -> None:
    stored = agreement_of("builtin:checks")
    assert stored == benchmark.measured(), "run benchmarks/checks_agreement.py --write"
    assert stored is not None
    assert stored.n_pairs >= 100
    assert "language model" in stored.readers


def test_an_unknown_judge_has_no_agreement() -> None:
    assert agreement_of("openai/gpt-4o") is None


def test_shares_of_readers_labels() -> None:
    pairs = [pair("long answer", "short", 1, 1), pair("x", "longer", 1, 2), pair("a", "b", 0, 0)]
    assert measure(pairs, longer_wins).estimate == pytest.approx((1 + 0.5 + 1) / 3)
    assert measure(pairs, lambda _: 0).estimate == pytest.approx(1 / 3)
    assert measure_readers(pairs).estimate == pytest.approx(2 / 3)


@pytest.mark.parametrize(("low", "informative"), [(0.41, True), (0.39, False)])
def test_a_judge_must_lie_above_every_control(low: float, informative: bool) -> None:
    def share(value: float, low: float = 0.0) -> Share:
        return Share(value=value, low=low, high=1.0, method="bca")

    agreement = Agreement(
        judge="j",
        n_pairs=100,
        readers="people",
        labels_sha256="0" * 64,
        agreement=share(0.5, low),
        readers_agree=share(0.8),
        longer_wins=share(0.3),
        always_first=share(0.2),
        always_tie=share(0.2),  # a coin then agrees in 0.4
        on_decided=share(0.6),
        n_decided=80,
    )
    assert agreement.has_information is informative
    assert "50 % [" in agreement.sentence()


@pytest.mark.parametrize("row", [{"id": "p"}, {"labels": {}}, {"labels": {"a": 3}}, {"labels": {"a": "one"}}])
def test_a_bad_row_is_named(tmp_path: Path, row: dict[str, object]) -> None:
    good = {"id": "p", "item": "i", "output_1": "a", "output_2": "b", "labels": {"a": 1}}
    path = tmp_path / "pairs.jsonl"
    bad = row if row == {"id": "p"} else {**good, **row}
    path.write_text(json.dumps(good) + "\n" + json.dumps(bad) + "\n")
    with pytest.raises(SuiteError, match=r"pairs\.jsonl:2"):
        read_pairs(path)
