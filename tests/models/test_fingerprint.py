import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from alpaca_eval_suite.models import fingerprint as module
from alpaca_eval_suite.models.fingerprint import fingerprint, short

Tiny = Callable[..., Path]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ALPACA_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def change_one_weight(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    name = min(tensors)
    tensors[name].view(-1)[0] += 0.125
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def test_it_is_a_sha256_and_short_is_its_beginning(tiny: Tiny) -> None:
    full = fingerprint(tiny())
    assert len(full) == 64
    assert set(full) <= set("0123456789abcdef")
    assert short(full) == full[:12]


def test_two_folders_of_the_same_name_differ(tiny: Tiny) -> None:
    assert fingerprint(tiny("a/model", seed=1)) != fingerprint(tiny("b/model", seed=2))


def test_a_retrained_folder_differs_by_one_weight(tiny: Tiny) -> None:
    folder = tiny()
    before = fingerprint(folder)
    change_one_weight(folder)
    assert fingerprint(folder) != before


def test_a_copied_moved_or_touched_folder_is_the_same(tiny: Tiny, tmp_path: Path) -> None:
    folder = tiny()
    before = fingerprint(folder)
    copied = shutil.copytree(folder, tmp_path / "elsewhere" / "other-name")
    os.utime(copied / "model.safetensors", (1, 1))
    assert fingerprint(copied) == before
    assert fingerprint(shutil.move(folder, tmp_path / "moved")) == before


@pytest.mark.parametrize(
    "name", ["config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"]
)
def test_every_file_that_changes_answers_counts(tiny: Tiny, name: str) -> None:
    folder = tiny()
    before = fingerprint(folder)
    with (folder / name).open("a") as stream:
        stream.write(" ")
    assert fingerprint(folder) != before


@pytest.mark.parametrize("name", ["README.md", "optimizer.pt", "trainer_state.json", "pytorch_model.bin", ".DS_Store"])
def test_files_that_change_no_answer_do_not_count(tiny: Tiny, name: str) -> None:
    folder = tiny()
    before = fingerprint(folder)
    (folder / name).write_text("anything")
    assert fingerprint(folder) == before


def test_exchanged_contents_of_two_files_differ(tmp_path: Path) -> None:
    for folder, first, second in (("a", "x", "y"), ("b", "y", "x")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "config.json").write_text(first)
        (tmp_path / folder / "tokenizer.json").write_text(second)
    assert fingerprint(tmp_path / "a") != fingerprint(tmp_path / "b")


def test_golden_value(tmp_path: Path) -> None:
    """SHA-256 over "name, NUL, SHA-256 of the content, newline" in the order of the names, by sha256sum."""
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "vocab.json").write_text("[]")
    # printf 'config.json\0%s\nvocab.json\0%s\n' $(printf '{}' | sha256sum) $(printf '[]' | sha256sum) | sha256sum
    assert fingerprint(tmp_path) == "5ea53cd3d5ca1830a9bb982df093dc1660dd2c1141ddb7d2206233d75ad8860d"


def test_shards_that_the_index_does_not_name_do_not_count(tmp_path: Path) -> None:
    index = {"weight_map": {"a": "1.safetensors", "b": "2.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    for name in ("1", "2", "3"):
        (tmp_path / f"{name}.safetensors").write_text(name)
    before = fingerprint(tmp_path)
    (tmp_path / "3.safetensors").write_text("changed")
    assert fingerprint(tmp_path) == before
    (tmp_path / "2.safetensors").write_text("changed")
    assert fingerprint(tmp_path) != before


def large(folder: Path, content: bytes, age: float = 60) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "model.safetensors"
    path.write_bytes(content * (1 << 20))
    old = path.stat().st_mtime - age
    os.utime(path, (old, old))
    return path


def test_the_hash_of_a_large_file_is_remembered(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    large(tmp_path / "m", b"ab")
    first = fingerprint(tmp_path / "m")
    hashed: list[Path] = []
    monkeypatch.setattr(module, "sha256_of", lambda path: hashed.append(path) or "0" * 64)
    assert fingerprint(tmp_path / "m") == first
    assert hashed == []
    assert len(list((cache / "hashes").iterdir())) == 1


def test_a_changed_large_file_is_hashed_again(tmp_path: Path) -> None:
    large(tmp_path / "m", b"ab")
    first = fingerprint(tmp_path / "m")
    large(tmp_path / "m", b"cd", age=30)
    assert fingerprint(tmp_path / "m") != first


def test_a_file_written_a_moment_ago_is_not_remembered(tmp_path: Path, cache: Path) -> None:
    large(tmp_path / "m", b"ab", age=0)
    fingerprint(tmp_path / "m")
    assert not (cache / "hashes").exists()


def test_a_damaged_memory_is_not_believed(tmp_path: Path, cache: Path) -> None:
    large(tmp_path / "m", b"ab")
    first = fingerprint(tmp_path / "m")
    for path in (cache / "hashes").iterdir():
        path.write_text("half a ha")
    assert fingerprint(tmp_path / "m") == first


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    large(tmp_path / "m", b"ab")
    first = fingerprint(tmp_path / "m")
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ALPACA_CACHE_DIR", str(tmp_path / "file"))
    assert fingerprint(tmp_path / "m") == first
