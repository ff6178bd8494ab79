import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.models.checkpoint import Checkpoint

Tiny = Callable[..., Path]


def edit_json(path: Path, **values: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_a_whole_checkpoint_opens(tiny: Tiny) -> None:
    folder = tiny("my-model")
    checkpoint = Checkpoint.open(str(folder))
    assert checkpoint.name == "my-model"
    assert checkpoint.config["model_type"] == "llama"
    assert checkpoint.weights == (folder.resolve() / "model.safetensors",)
    assert checkpoint.dtype == "float32"
    assert len(checkpoint.fingerprint) == 64


def test_the_stored_dtype_is_that_of_most_weights(tiny: Tiny, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    folder = tiny()
    save_file({"a": torch.zeros(64, dtype=torch.bfloat16), "b": torch.zeros(4)}, folder / "model.safetensors")
    assert Checkpoint.open(folder).dtype == "bfloat16"


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="does not exist") as caught:
        Checkpoint.open(tmp_path / "none")
    assert caught.value.where == str(tmp_path / "none")


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "model").write_text("x")
    with pytest.raises(SuiteError, match="is not a folder"):
        Checkpoint.open(tmp_path / "model")


def test_pickled_weights_alone_are_refused_and_not_opened(tiny: Tiny, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple:
            return (Path.touch, (tmp_path / "executed",))

    folder = tiny()
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(SuiteError, match="pickled weights are refused") as caught:
        Checkpoint.open(folder)
    assert "pytorch_model.bin" in str(caught.value.where)
    assert "save_pretrained" in str(caught.value.next_step)
    assert not (tmp_path / "executed").exists()


def test_pickled_weights_beside_safetensors_are_ignored(tiny: Tiny) -> None:
    folder = tiny()
    before = Checkpoint.open(folder).fingerprint
    (folder / "pytorch_model.bin").write_bytes(b"whatever")
    assert Checkpoint.open(folder).fingerprint == before


def test_no_weights_at_all(tiny: Tiny) -> None:
    folder = tiny()
    (folder / "model.safetensors").unlink()
    with pytest.raises(SuiteError, match=r"holds no model\.safetensors"):
        Checkpoint.open(folder)


def test_a_git_lfs_pointer_says_git_lfs_pull(tiny: Tiny) -> None:
    folder = tiny()
    (folder / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n")
    with pytest.raises(SuiteError, match="Git LFS pointer") as caught:
        Checkpoint.open(folder)
    assert "git lfs pull" in str(caught.value.next_step)


def test_truncated_weights_name_both_sizes(tiny: Tiny) -> None:
    path = tiny() / "model.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    with pytest.raises(SuiteError, match=f"has {len(whole) - 100:,} bytes, its header says {len(whole):,}"):
        Checkpoint.open(path.parent)


@pytest.mark.parametrize("content", [b"", b"abc", b"\xff" * 40, (8).to_bytes(8, "little") + b"not json"], ids=repr)
def test_weights_that_are_no_safetensors(tiny: Tiny, content: bytes) -> None:
    path = tiny() / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(SuiteError, match="not a readable safetensors file"):
        Checkpoint.open(path.parent)


def shard(folder: Path) -> Path:
    """Split the one weight file of `folder` into two shards with an index."""
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = sorted(tensors)
    weight_map = {}
    for number, part in enumerate((names[::2], names[1::2]), 1):
        file = f"model-0000{number}-of-00002.safetensors"
        save_file({name: tensors[name] for name in part}, folder / file, metadata={"format": "pt"})
        weight_map.update(dict.fromkeys(part, file))
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    return index


def test_shards_are_all_found(tiny: Tiny) -> None:
    folder = tiny()
    shard(folder)
    assert [path.name for path in Checkpoint.open(folder).weights] == [
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
    ]


def test_a_missing_shard_is_named(tiny: Tiny) -> None:
    folder = tiny()
    shard(folder)
    (folder / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(SuiteError, match=r"model-00002-of-00002\.safetensors: is named in"):
        Checkpoint.open(folder)


def test_an_index_that_points_out_of_the_folder_is_refused(tiny: Tiny) -> None:
    folder = tiny()
    index = shard(folder)
    index.write_text(json.dumps({"weight_map": {"a": "../elsewhere.safetensors"}}))
    with pytest.raises(SuiteError, match="not a file of this folder"):
        Checkpoint.open(folder)


def test_a_damaged_index(tiny: Tiny) -> None:
    folder = tiny()
    shard(folder).write_text('{"weight_map": [1')
    with pytest.raises(SuiteError, match="not a readable index"):
        Checkpoint.open(folder)


def test_a_missing_tokenizer(tiny: Tiny) -> None:
    folder = tiny()
    (folder / "tokenizer.json").unlink()
    with pytest.raises(SuiteError, match="holds no tokenizer"):
        Checkpoint.open(folder)


@pytest.mark.parametrize("files", [("vocab.json", "merges.txt"), ("tokenizer.model",), ("qwen.tiktoken",)])
def test_other_kinds_of_tokenizer_files_are_enough(tiny: Tiny, files: tuple[str, ...]) -> None:
    folder = tiny()
    (folder / "tokenizer.json").unlink()
    for name in files:
        (folder / name).write_text("{}")
    assert Checkpoint.open(folder).folder == folder.resolve()


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json"])
def test_code_that_comes_with_a_checkpoint_is_refused(tiny: Tiny, name: str) -> None:
    folder = tiny()
    edit_json(folder / name, auto_map={"AutoModelForCausalLM": "modeling.Model"})
    with pytest.raises(SuiteError, match="code of its own") as caught:
        Checkpoint.open(folder)
    assert str(caught.value.where).endswith(name)


def test_a_missing_configuration(tiny: Tiny) -> None:
    folder = tiny()
    (folder / "config.json").unlink()
    with pytest.raises(SuiteError, match=r"config\.json: is missing"):
        Checkpoint.open(folder)


@pytest.mark.parametrize(("text", "said"), [("{", "not valid JSON"), ("[]", "not a JSON object"), ("{}", "model_type")])
def test_a_damaged_configuration(tiny: Tiny, text: str, said: str) -> None:
    folder = tiny()
    (folder / "config.json").write_text(text)
    with pytest.raises(SuiteError, match=said):
        Checkpoint.open(folder)


def test_a_link_to_the_folder_is_the_same_checkpoint(tiny: Tiny, tmp_path: Path) -> None:
    folder = tiny()
    (tmp_path / "link").symlink_to(folder)
    assert Checkpoint.open(tmp_path / "link").folder == folder.resolve()
    shutil.rmtree(folder)
    with pytest.raises(SuiteError, match="does not exist"):
        Checkpoint.open(tmp_path / "link")
