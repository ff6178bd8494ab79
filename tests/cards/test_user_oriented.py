"""The 252 user-oriented instructions of Self-Instruct and the outputs published for them."""

import json
from pathlib import Path

import httpx
import pytest

from alpaca_eval_suite.cards import (
    Card,
    baseline_outputs,
    load_card,
    load_instructions,
    match_outputs,
    outputs_hash,
    read_outputs,
)

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
FOLDER = SHARED / "self_instruct_252"

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="the reference data is not beside the checkout"),
]


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Card:
    def no_network(*_: object, **__: object) -> None:
        raise AssertionError("the file lies in $ALPACA_DATA_DIR: nothing should be downloaded")

    monkeypatch.setattr(httpx, "Client", no_network)
    monkeypatch.delenv("ALPACA_SCENARIOS", raising=False)
    monkeypatch.setenv("ALPACA_DATA_DIR", str(SHARED))
    return load_card("user_oriented")


def test_all_252_load_with_their_ids_apps_and_texts(card: Card) -> None:
    items = load_instructions(card)
    rows = [json.loads(line) for line in (FOLDER / "user_oriented_instructions.jsonl").open(encoding="utf-8")]
    assert [item.id for item in items] == [f"user_oriented_task_{n}" for n in range(252)]
    for item, row in zip(items, rows, strict=True):
        assert item.slices == {"app": row["motivation_app"]}
        assert (item.instruction, item.input, item.reference) == (
            row["instruction"],
            row["instances"][0]["input"],
            row["instances"][0]["output"],
        )
    assert len({item.slices["app"] for item in items}) == 71
    assert sum(not item.input for item in items) == 44


def test_the_published_predictions_of_text_davinci_003_join_252_of_252(card: Card) -> None:
    items = load_instructions(card)
    assert card.baseline is not None
    outputs = baseline_outputs(card, card.baseline)
    found = match_outputs(outputs, items)
    assert (len(found), outputs.model) == (252, "text-davinci-003")
    assert outputs_hash(outputs) == card.baseline.data.sha256
    rows = [json.loads(line) for line in outputs.path.open(encoding="utf-8")]
    # The prediction file keeps the order of the instructions, which gives a second way to join it.
    assert [found[item.id].output for item in items] == [row["response"] for row in rows]


@pytest.mark.parametrize("name", ["alpaca-7b", "gpt4", "text_davinci_003", "vicuna-7b"])
def test_alpaca_eval_outputs_join_the_same_by_texts_as_by_id(card: Card, tmp_path: Path, name: str) -> None:
    items = load_instructions(card)
    path = FOLDER / "outputs" / f"{name}.jsonl"
    rows = [json.loads(line) for line in path.open(encoding="utf-8")]
    as_alpaca_eval = [
        {"instruction": row["instruction"], "output": row["output"], "generator": name} for row in reversed(rows)
    ]
    without_ids = tmp_path / "outputs.json"
    without_ids.write_text(json.dumps(as_alpaca_eval))
    by_id = match_outputs(read_outputs(path, name), items)
    assert len(by_id) == 252
    assert match_outputs(read_outputs(without_ids), items) == by_id
