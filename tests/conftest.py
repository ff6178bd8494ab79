"""Shared by the tests of evaluate/ and the integration tests: a made-up scenario, a tiny real checkpoint."""

import importlib.util
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

WriteScenario = Callable[..., Path]
MakeCheckpoint = Callable[..., Path]

CARD: dict[str, Any] = {
    "name": "trial",
    "title": "Trial",
    "description": "Colours.",
    "source": "written for this test",
    "licence": "CC0-1.0",
    "metric": "preference",
    "data": {"file": "data.jsonl"},
    "columns": {"slices": {"topic": "topic"}, "key": {"checks": "checks"}},
    "decoding": {"max_tokens": 16},
    "baseline": {
        "name": "painter",
        "licence": "CC0-1.0",
        "source": "written for this test",
        "data": {"file": "baseline.jsonl"},
        "columns": {"id": "id", "output": "output"},
    },
}
OUTPUTS = ("red", "Response: blue")
"""The baseline's, for even and odd items. The only check asks for the word "Response", which is all that
`simple/model1` says to an Alpaca prompt: it wins the even items and ties the odd ones."""


def rows(n_items: int) -> list[dict[str, Any]]:
    """Items t0, t1, ...; odd ones have an input."""
    return [
        {
            "id": f"t{index}",
            "instruction": f"Name colour number {index}.",
            "input": "Not {black}." if index % 2 else "",
            "topic": "odd" if index % 2 else "even",
            "checks": [{"check": "contains", "any": ["Response"]}],
        }
        for index in range(n_items)
    ]


def jsonl(values: list[dict[str, Any]]) -> str:
    """JSON Lines."""
    return "".join(json.dumps(value) + "\n" for value in values)


@pytest.fixture
def write_scenario(tmp_path: Path) -> WriteScenario:
    """write_scenario(n_items, **keys of the card): a folder under tmp_path/scenarios; a key that is None is left out.

    `items` and `outputs` replace the rows of the data file and of the baseline.
    """

    def write(
        n_items: int = 6,
        *,
        items: list[dict[str, Any]] | None = None,
        outputs: list[dict[str, Any]] | None = None,
        **keys: Any,
    ) -> Path:
        card: Mapping[str, Any] = {key: value for key, value in (CARD | keys).items() if value is not None}
        folder = tmp_path / "scenarios" / card["name"]
        folder.mkdir(parents=True, exist_ok=True)
        items = rows(n_items) if items is None else items
        if outputs is None:
            outputs = [{"id": row["id"], "output": OUTPUTS[index % 2]} for index, row in enumerate(items)]
        (folder / "card.yaml").write_text(yaml.safe_dump(dict(card)), "utf-8")
        (folder / "data.jsonl").write_text(jsonl(items), "utf-8")
        (folder / "baseline.jsonl").write_text(jsonl(outputs), "utf-8")
        return folder

    return write


def _models() -> ModuleType:
    """tests/models/conftest.py, which knows how to make tiny checkpoints."""
    return _module("models/conftest.py")


def _module(place: str) -> ModuleType:
    """A file of tests/ as a module."""
    path = Path(__file__).parent / place
    spec = importlib.util.spec_from_file_location("tests_" + path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def checkpoint_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Llama with random weights, made once."""
    folder = tmp_path_factory.mktemp("checkpoint") / "tiny"
    models = _models()
    models.save_tiny_model(folder, context=2048)
    models.save_tiny_tokenizer(folder, template=models.CHAT_TEMPLATE)
    return folder


@pytest.fixture
def make_checkpoint(checkpoint_template: Path, tmp_path: Path) -> MakeCheckpoint:
    """make_checkpoint(place, retrained=False, without=(names of files,)): a copy under tmp_path."""

    def make(place: str = "tiny", *, retrained: bool = False, without: tuple[str, ...] = ()) -> Path:
        folder = tmp_path / place
        shutil.copytree(checkpoint_template, folder, dirs_exist_ok=True)
        for name in without:
            (folder / name).unlink()
        if retrained:
            retrain(folder)
        return folder

    return make


@pytest.fixture(scope="session")
def fake_openai() -> ModuleType:
    """tests/fake_openai.py: replies of servers."""
    return _module("fake_openai.py")


@pytest.fixture
def server(fake_openai: ModuleType) -> Iterator[Any]:
    """A server on a free port of this machine, until the test ends."""
    fake = fake_openai.FakeServer()
    yield fake
    fake.close()


def retrain(folder: Path) -> None:
    """Other weights under the same name: the rows of the output layer change places."""
    from safetensors.numpy import load_file, save_file

    path = folder / "model.safetensors"
    weights = load_file(path)
    weights["lm_head.weight"] = weights["lm_head.weight"][::-1].copy()
    save_file(weights, path, metadata={"format": "pt"})
