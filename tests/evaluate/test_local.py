"""Local checkpoints behind HELM's client contract and HELM's real SQLite cache."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.evaluate import local, progress
from alpaca_eval_suite.evaluate.local import LocalCheckpointClient, deployment, fingerprint_of_deployment

MakeCheckpoint = Callable[..., Path]
Client = Callable[..., LocalCheckpointClient]


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    local.open_checkpoint.cache_clear()
    for name in ("ALPACA_DTYPE", "ALPACA_DEVICE", "ALPACA_BATCH_SIZE", "ALPACA_DETERMINISTIC", "ALPACA_BASE_MODEL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def cache_file(tmp_path: Path) -> Path:
    return tmp_path / "cache.sqlite"


@pytest.fixture
def client(cache_file: Path) -> Client:
    """A client as AutoClient makes it, always on the same cache."""
    from helm.common.cache import SqliteCacheConfig

    def make(folder: Path) -> LocalCheckpointClient:
        return LocalCheckpointClient(SqliteCacheConfig(str(cache_file)), deployment=f"alpaca/{folder}")

    return make


def ask(client: LocalCheckpointClient, **fields: Any) -> Any:
    from helm.common.request import Request

    if "messages" not in fields:
        fields = {"prompt": "Say something.", **fields}
    return client.make_request(Request(**{"model": "x/tiny", "max_tokens": 8, "temperature": 0.0, **fields}))


def text_of(result: Any) -> str:
    return str(result.completions[0].text)


def stored(cache_file: Path) -> int:
    if not cache_file.exists():
        return 0
    connection = sqlite3.connect(cache_file)
    try:
        return int(connection.execute("select count(*) from unnamed").fetchone()[0])
    except sqlite3.OperationalError:  # no table: nothing was ever kept
        return 0
    finally:
        connection.close()


def test_two_checkpoints_of_the_same_name_never_share_an_answer(
    client: Client, make_checkpoint: MakeCheckpoint
) -> None:
    one = client(make_checkpoint("a/same/tiny"))
    other = client(make_checkpoint("b/same/tiny", retrained=True))
    first, second, again = ask(one), ask(other), ask(one)
    assert [result.cached for result in (first, second, again)] == [False, False, True]
    assert text_of(first) != text_of(second)
    assert text_of(again) == text_of(first)


def test_a_retrained_folder_is_another_model(client: Client, make_checkpoint: MakeCheckpoint) -> None:
    folder = make_checkpoint("tiny")
    before = ask(client(folder))
    make_checkpoint("tiny", retrained=True)
    local.open_checkpoint.cache_clear()  # another process would begin so
    after = ask(client(folder))
    assert after.cached is False
    assert text_of(after) != text_of(before)


def test_the_same_weights_elsewhere_are_the_same_model(client: Client, make_checkpoint: MakeCheckpoint) -> None:
    ask(client(make_checkpoint("here/tiny")))
    assert ask(client(make_checkpoint("there/renamed"))).cached is True


@pytest.mark.parametrize(
    "change",
    [
        {"max_tokens": 9},
        {"temperature": 0.5},
        {"temperature": 0.5, "top_p": 0.9},
        {"stop_sequences": ["x"]},
        {"num_completions": 2},
        {"echo_prompt": True},
        {"random": "1"},
        {"prompt": "Say something. "},
        {"messages": [{"role": "user", "content": "Say something."}]},
    ],
)
def test_key_holds_whatever_changes_the_answer(
    client: Client, make_checkpoint: MakeCheckpoint, change: dict[str, Any]
) -> None:
    model = client(make_checkpoint("tiny"))
    ask(model)
    assert ask(model, **change).cached is False
    assert ask(model, **change).cached is True


def test_key_holds_the_arithmetic(
    client: Client, make_checkpoint: MakeCheckpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_checkpoint("tiny")
    ask(client(folder))
    monkeypatch.setenv("ALPACA_DTYPE", "bfloat16")
    result = ask(client(folder))
    assert result.cached is False
    assert result.completions[0].finish_reason["dtype"] == "bfloat16"


def test_batch_size_is_noted_and_no_part_of_the_key(
    client: Client, make_checkpoint: MakeCheckpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_checkpoint("tiny")
    made = {"dtype": "float32", "device": "cpu", "batch_size": 16}
    assert ask(client(folder)).completions[0].finish_reason == {"reason": "length", **made}
    monkeypatch.setenv("ALPACA_BATCH_SIZE", "2")
    result = ask(client(folder))
    assert result.cached is True
    assert result.completions[0].finish_reason["batch_size"] == 16


def test_tokens_and_logprobs_make_up_the_answer(client: Client, make_checkpoint: MakeCheckpoint) -> None:
    completion = ask(client(make_checkpoint("tiny"))).completions[0]
    assert len(completion.tokens) == 8
    assert "".join(token.text for token in completion.tokens) == completion.text
    assert completion.logprob == pytest.approx(sum(token.logprob for token in completion.tokens))
    assert completion.logprob < 0


def test_samples_are_seeded_by_the_request(client: Client, make_checkpoint: MakeCheckpoint, cache_file: Path) -> None:
    folder = make_checkpoint("tiny")

    def sample(**fields: Any) -> list[str]:
        cache_file.unlink(missing_ok=True)
        return [c.text for c in ask(client(folder), temperature=1.0, num_completions=2, **fields).completions]

    first = sample()
    assert first[0] != first[1]
    assert sample() == first
    assert sample(random="other") != first


def test_a_prompt_too_long_is_one_empty_answer_and_is_not_kept(
    client: Client, make_checkpoint: MakeCheckpoint, cache_file: Path
) -> None:
    result = ask(client(make_checkpoint("tiny")), prompt="x" * 3000)
    assert result.success is False
    assert (result.error_flags.is_retriable, result.error_flags.is_fatal) == (False, False)
    assert "3,001 tokens" in result.error
    assert stored(cache_file) == 0


def test_a_failure_is_not_kept(client: Client, make_checkpoint: MakeCheckpoint, cache_file: Path) -> None:
    from helm.proxy.retry import NonRetriableException

    folder = make_checkpoint("tiny", without=("chat_template.jinja",))
    with pytest.raises(NonRetriableException, match="the tokenizer holds no chat template") as caught:
        ask(client(folder), messages=[{"role": "user", "content": "Hi"}])
    assert isinstance(caught.value.__cause__, SuiteError)
    assert stored(cache_file) == 0


def test_a_full_disk_is_told_before_anything_is_generated(
    client: Client, make_checkpoint: MakeCheckpoint, cache_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from helm.proxy.retry import NonRetriableException

    model = client(make_checkpoint("tiny"))
    monkeypatch.setattr("alpaca_eval_suite.evaluate.client._ROOM", 1 << 62)
    with pytest.raises(NonRetriableException, match=r"cache\.sqlite: the disk is full"):
        ask(model)
    assert stored(cache_file) == 0


def test_embeddings_are_not_offered(client: Client, make_checkpoint: MakeCheckpoint) -> None:
    assert ask(client(make_checkpoint("tiny")), embedding=True).success is False


@pytest.mark.parametrize("raw", ["0", "-1", "many", "1.5", ""])
def test_batch_size_must_be_a_number(
    client: Client, make_checkpoint: MakeCheckpoint, monkeypatch: pytest.MonkeyPatch, raw: str
) -> None:
    monkeypatch.setenv("ALPACA_BATCH_SIZE", raw)
    with pytest.raises(UsageError, match="ALPACA_BATCH_SIZE must be a whole number above 0"):
        client(make_checkpoint("tiny"))


def test_progress_tells_what_came_from_the_cache(client: Client, make_checkpoint: MakeCheckpoint) -> None:
    model = client(make_checkpoint("tiny"))
    seen: list[tuple[str, bool]] = []
    progress.watch(lambda what, cached: seen.append((what, cached)))
    ask(model)
    ask(model)
    with progress.aside():  # a judge's or a baseline's work is no answer
        ask(model)
    ask(model)
    assert seen == [("answer", False), ("answer", True), ("answer", True)]


def test_nothing_begins_after_the_word_to_stop(
    client: Client, make_checkpoint: MakeCheckpoint, cache_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alpaca_eval_suite.models import batching

    model = client(make_checkpoint("tiny"))
    load = batching.get_model

    def stopped_while_loading(*args: Any, **options: Any) -> Any:
        progress.request_stop()
        return load(*args, **options)

    monkeypatch.setattr(batching, "get_model", stopped_while_loading)
    for _ in range(2):
        with pytest.raises(progress.Stopped):
            ask(model)
    assert stored(cache_file) == 0


def test_deployments_of_paths(make_checkpoint: MakeCheckpoint) -> None:
    folder = make_checkpoint("one/tiny")
    made = deployment(f"alpaca/{folder}")
    assert (made.name, made.model_name, made.tokenizer_name) == (f"alpaca/{folder}", "one/tiny", None)
    assert made.client_spec.args == {"deployment": f"alpaca/{folder}"}
    assert fingerprint_of_deployment("openai/gpt-4") is None
    assert len(fingerprint_of_deployment(made.name) or "") == 12


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("alpaca/nowhere", "there is no folder 'nowhere' here, and no embedded model of that name"),
        ("alpaca//no/where", "/no/where: does not exist"),
    ],
)
def test_no_such_checkpoint(name: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SuiteError, match=message):
        deployment(name)


# Adapters


def test_an_adapter_folder_is_a_model(
    client: Client, make_checkpoint: MakeCheckpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    base = make_checkpoint("base")
    torch.manual_seed(0)
    wrapped = get_peft_model(AutoModelForCausalLM.from_pretrained(base), LoraConfig(target_modules=["q_proj"]))
    for name, parameter in wrapped.named_parameters():
        if "lora_B" in name:
            parameter.data.normal_(0, 1)
    wrapped.save_pretrained(tmp_path / "adapter")
    plain, adapted = ask(client(base)), ask(client(tmp_path / "adapter"))
    assert (plain.cached, adapted.cached) == (False, False)
    assert text_of(plain) != text_of(adapted)
    assert ask(client(tmp_path / "adapter")).cached is True
    assert fingerprint_of_deployment(f"alpaca/{tmp_path / 'adapter'}") not in (
        None,
        fingerprint_of_deployment(f"alpaca/{base}"),
    )


# Thoughts


def test_a_budget_for_thoughts_reaches_the_model_and_the_key(client: Client, make_checkpoint: MakeCheckpoint) -> None:
    from alpaca_eval_suite.evaluate.thoughts import budget_mark

    model = client(make_checkpoint("tiny"))
    first = ask(model)
    again = ask(model, max_tokens=8 + 5, random=budget_mark(5))
    # This model does not think: the answer has its 8 tokens, as before.
    assert (text_of(again), again.cached) == (text_of(first), False)
    assert ask(model, max_tokens=8 + 5, random=budget_mark(5)).cached is True


THINKING_TEMPLATE = "{{ messages[0]['content'] }}{% if add_generation_prompt %}<think>\n{% endif %}"


def test_a_template_that_opens_the_thought_is_told_in_the_text(client: Client, make_checkpoint: MakeCheckpoint) -> None:
    folder = make_checkpoint("tiny")
    (folder / "chat_template.jinja").write_text(THINKING_TEMPLATE)
    completion = ask(client(folder), messages=[{"role": "user", "content": "Hi"}]).completions[0]
    assert completion.text.startswith("<think>")
    assert completion.finish_reason["reason"] == "thinking"
    assert "<think>" not in ask(client(folder)).completions[0].text


# Determinism


@pytest.fixture
def deterministic(monkeypatch: pytest.MonkeyPatch) -> Any:
    import torch

    monkeypatch.setenv("ALPACA_DETERMINISTIC", "1")
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    yield
    torch.use_deterministic_algorithms(False)


def test_deterministic_in_float32_on_a_cpu_changes_no_answer(
    client: Client, make_checkpoint: MakeCheckpoint, request: pytest.FixtureRequest
) -> None:
    folder = make_checkpoint("tiny")
    ask(client(folder))
    request.getfixturevalue("deterministic")
    assert ask(client(folder)).cached is True


def test_deterministic_in_bfloat16_answers_one_at_a_time_and_anew(
    client: Client, make_checkpoint: MakeCheckpoint, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    import torch

    from alpaca_eval_suite.models import batching

    monkeypatch.setattr(batching, "_models", {})
    monkeypatch.setenv("ALPACA_DTYPE", "bfloat16")
    folder = make_checkpoint("tiny")
    ask(client(folder))
    request.getfixturevalue("deterministic")
    monkeypatch.setattr(batching, "_models", {})  # a process of its own begins so
    result = ask(client(folder))
    assert (result.cached, result.completions[0].finish_reason["batch_size"]) == (False, 1)
    assert torch.are_deterministic_algorithms_enabled()
    assert torch.backends.cuda.matmul.allow_tf32 is False
    assert ask(client(folder)).cached is True


def test_deterministic_is_yes_or_no(
    client: Client, make_checkpoint: MakeCheckpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALPACA_DETERMINISTIC", "yes")
    with pytest.raises(UsageError, match="ALPACA_DETERMINISTIC must be 1 or 0, not 'yes'"):
        client(make_checkpoint("tiny"))
