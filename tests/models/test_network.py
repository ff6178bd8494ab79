from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.models.checkpoint import Checkpoint
from alpaca_eval_suite.models.local import LocalModel

Tiny = Callable[..., Path]


def load(folder: Path, **options: Any) -> LocalModel:
    return LocalModel.load(Checkpoint.open(folder), device="cpu", **options)


def test_weights_that_lack_a_tensor_are_not_filled_with_random_numbers(tiny: Tiny) -> None:
    from safetensors.torch import load_file, save_file

    folder = tiny()
    tensors = load_file(folder / "model.safetensors")
    del tensors["model.layers.1.mlp.up_proj.weight"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(SuiteError, match=r"the weights lack model\.layers\.1\.mlp\.up_proj\.weight"):
        load(folder)


def test_weights_of_another_shape_are_refused(tiny: Tiny) -> None:
    import json

    folder = tiny()
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "intermediate_size": 48}))
    with pytest.raises(SuiteError, match="cannot be loaded"):
        load(folder)


def test_an_unknown_model_type_is_refused(tiny: Tiny) -> None:
    import json

    folder = tiny()
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "model_type": "llama99"}))
    with pytest.raises(SuiteError, match="llama99"):
        load(folder)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"dtype": "int4"}, "'int4' is not a dtype"),
        ({"device": "tpu9"}, "'tpu9' is not a device"),
        ({"device": "cuda:99"}, "'cuda:99' is not available here"),
    ],
)
def test_an_unknown_dtype_or_device(tiny: Tiny, options: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        LocalModel.load(Checkpoint.open(tiny()), **options)


def test_auto_is_float32_on_a_cpu(tiny: Tiny) -> None:
    model = load(tiny())
    assert (model.dtype, model.device) == ("float32", "cpu")


def test_the_cores_are_those_of_the_container(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import torch

    from alpaca_eval_suite.models import network

    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 64)
    monkeypatch.setattr("os.sched_getaffinity", lambda _pid: set(range(8)), raising=False)
    monkeypatch.setattr(network, "_CPU_QUOTA", tmp_path / "cpu.max")
    assert network._usable_cores() == 8
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert network._usable_cores() == 8
    (tmp_path / "cpu.max").write_text("200000 100000\n")
    assert network._usable_cores() == 2
    (tmp_path / "cpu.max").write_text("20000 100000\n")
    assert network._usable_cores() == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "64")
    assert network._usable_cores() == 64
