"""Endpoints through HELM's own processes: model and judge by two servers, each with its own address and key."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from alpaca_eval_suite.models.blocking_endpoint import BlockingEndpointClient
from alpaca_eval_suite.models.endpoint import Endpoint
from alpaca_eval_suite.models.request import GenerationRequest

WriteScenario = Callable[..., Path]

KEYS = {"MODEL_KEY": "sk-of-the-model-0001", "JUDGE_KEY": "sk-of-the-judge-0002"}


def describe(place: Any, **endpoints: Any) -> None:
    (place.folder / "endpoints.yaml").write_text(yaml.safe_dump({"endpoints": endpoints}))


@pytest.fixture
def judge(fake_openai: ModuleType) -> Any:
    """A second server: it prefers the answer with the word, and names its model as it likes."""
    fake = fake_openai.FakeServer()
    fake.served = "judge-2024-07-18"

    def answer(seen: Any) -> Any:
        text = seen.body["messages"][0]["content"]
        label = re.search(r"<answer-A-(\w+)>", text)[1]  # type: ignore[index]
        first = text.partition(f"<answer-A-{label}>")[2].partition(f"</answer-A-{label}>")[0]
        second = text.partition(f"<answer-B-{label}>")[2].partition(f"</answer-B-{label}>")[0]
        ours, theirs = "Response" in first, "Response" in second
        choice = "TIE" if ours == theirs else "A" if ours else "B"
        return fake_openai.chat(f"Clear.\nVERDICT-{label}: {choice}", model=fake.served)

    fake.answer = answer
    yield fake
    fake.close()


def no_key_in(folder: Path) -> bool:
    """Whether neither key stands in any file that the run wrote, caches and logs included."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(path.suffix == ".sqlite" for path in files)
    return not any(key.encode() in path.read_bytes() for path in files for key in KEYS.values())


def test_model_and_judge_by_endpoints(
    place: Any, write_scenario: WriteScenario, server: Any, judge: Any, fake_openai: ModuleType
) -> None:
    write_scenario(6)
    describe(
        place,
        model={"base_url": server.root, "model": "served-1", "api_key_env": "MODEL_KEY", "api": "completions"},
        judge={"base_url": judge.base_url, "model": "judge", "api_key_env": "JUDGE_KEY"},
    )
    server.answer = lambda seen: fake_openai.completion("Response: green")
    options = ("--judge", "endpoint/judge", "--results", "results")
    done = place.eval("endpoint/model", *options, **KEYS)
    assert done.returncode == 0, done.stderr
    assert "Time:" not in done.stdout  # nobody knows how fast a server is

    # Each got its own key and what its kind of API takes.
    assert (len(server.seen), len(judge.seen)) == (6, 12)
    assert {seen.headers["authorization"] for seen in server.seen} == {"Bearer sk-of-the-model-0001"}
    assert {seen.headers["authorization"] for seen in judge.seen} == {"Bearer sk-of-the-judge-0002"}
    assert server.seen[0].path == "/v1/completions"
    assert server.seen[0].body["prompt"].startswith("Below is an instruction")
    assert [turn["role"] for turn in judge.seen[0].body["messages"]] == ["user"]

    run = place.the_run()
    record = run.record
    assert (record.model.name, record.model.served_id, record.judge.name, record.judge.served_id) == (
        "endpoint/model", "served-1", "letter@endpoint/judge", "judge-2024-07-18",
    )  # fmt: skip
    assert record.rates["win_rate"].value == 0.75  # three wins, three ties
    assert record.rates["cut_off"].value == 1.0  # the server said "length"
    (note,) = record.notes
    assert note.startswith("endpoint/judge: asked for judge, the server named judge-2024-07-18")
    assert done.stderr.count(note) == 1
    assert note in done.stdout
    verdict = run.states[0]["annotations"]["alpaca"]["verdicts"][0]
    assert verdict["served"] == {
        "served_id": "judge-2024-07-18", "system_fingerprint": None, "fallbacks": [], "cached": False,
    }  # fmt: skip
    assert re.search(r",endpoint=[0-9a-f]{12}", record.run)
    assert no_key_in(place.folder)

    # Again: all from the cache. Then the judge's alias moves on while new items are judged.
    assert place.eval("endpoint/model", *options, **KEYS).returncode == 0
    assert (len(server.seen), len(judge.seen)) == (6, 12)
    judge.served = "judge-2025-01-01"
    server.answer = lambda seen: fake_openai.completion("Response: green" if "number 0" in str(seen.body) else "red")
    describe(
        place,
        model={"base_url": server.root, "model": "served-1", "api": "completions", "headers": {"X-Other": "1"}},
        judge={"base_url": judge.base_url, "model": "judge", "api_key_env": "JUDGE_KEY"},
    )
    done = place.eval("endpoint/model", *options, "--output-path", "second", **KEYS)
    assert done.returncode == 0, done.stderr
    record = place.the_run("second").record
    assert record.judge.served_id == "judge-2024-07-18, judge-2025-01-01"
    assert any("the model behind the name has changed" in note for note in record.notes)
    assert "the model behind the name has changed" in done.stderr


@pytest.mark.parametrize(
    ("options", "words", "code"),
    [
        (("--model", "endpoint/modle"), "has no endpoint 'modle'\n  Did you mean 'model'? It has: judge, model.", 2),
        (("--model", "simple/model1", "--judge", "endpoint/jugde"), "has no endpoint 'jugde'", 2),
        (("--model", "simple/model1", "--baseline", "endpoint/other"), "has no endpoint 'other'", 2),
        (("--model", "endpoint/judge"), "the environment variable JUDGE_KEY, which should hold its key, is not", 2),
        (("--model", "endpoint/model", "--prompt-format", "chat"), "takes plain text (api: completions)", 2),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_asked(
    place: Any, write_scenario: WriteScenario, server: Any, options: tuple[str, ...], words: str, code: int
) -> None:
    write_scenario(2)
    describe(
        place,
        model={"base_url": server.root, "model": "m", "api": "completions"},
        judge={"base_url": server.root, "model": "m", "api_key_env": "JUDGE_KEY"},
    )
    done = place.run("alpaca-suite", "eval", "--scenario", "trial", *options)
    assert (done.returncode, words in done.stderr) == (code, True), done.stderr
    assert server.seen == []


def test_a_wrong_key_stops_the_run_with_words(
    place: Any, write_scenario: WriteScenario, server: Any, fake_openai: ModuleType
) -> None:
    write_scenario(2)
    describe(place, model={"base_url": server.root, "model": "m", "api_key_env": "MODEL_KEY"})
    server.then(fake_openai.error(401, f"Incorrect API key provided: {KEYS['MODEL_KEY']}"))
    done = place.eval("endpoint/model", **KEYS)
    assert done.returncode == 1
    assert "did not accept the key (401: Incorrect API key provided: ***)" in done.stderr
    assert "Check the key in the environment variable MODEL_KEY" in done.stderr
    assert "Traceback" not in done.stderr
    assert not any(key in path.read_text(errors="replace") for key in KEYS.values()
                   for path in place.folder.rglob("helm.log"))  # fmt: skip


# --- a real server of the llama.cpp family

GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"


def in_float32(source: Path, target: Path) -> None:
    """The same model with the very weights that our checkpoint has: dequantised, rounded to bfloat16, as float32."""
    import numpy as np
    from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter
    from gguf.quants import dequantize

    reader = GGUFReader(source)
    writer = GGUFWriter(target, reader.fields["general.architecture"].contents())
    own = ("general.architecture", "general.file_type", "general.quantization_version")
    for field in reader.fields.values():
        if not field.name.startswith("GGUF.") and field.name not in own:
            inner = field.types[-1] if field.types[0] == GGUFValueType.ARRAY else None
            writer.add_key_value(field.name, field.contents(), field.types[0], sub_type=inner)
    writer.add_file_type(0)
    for tensor in reader.tensors:
        bits = dequantize(tensor.data, tensor.tensor_type).astype(np.float32).view(np.uint32).astype(np.uint64)
        rounded = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16 << 16).astype(np.uint32)
        writer.add_tensor(tensor.name, rounded.view(np.float32), raw_dtype=GGMLQuantizationType.F32)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.mark.slow
def test_a_real_server_as_model_and_judge(
    place: Any, write_scenario: WriteScenario, llama: Callable[..., str], embedded: Path
) -> None:
    """What the judge says is worth nothing here; that it is asked, and what is kept of it, is."""
    write_scenario(2)
    address = llama(embedded)
    described = {"base_url": address, "model": "smollm2"}
    describe(place, model=described, judge={**described, "base_url": f"{address}/v1/chat/completions"})
    done = place.run(
        *("alpaca-suite", "eval", "--model", "endpoint/model", "--judge", "endpoint/judge", "--scenario", "trial"),
        *("--prompt-format", "chat", "--max-tokens", "12"),
        timeout=500,
    )
    assert done.returncode in (0, 3), done.stderr
    run = place.the_run()
    record = run.record
    assert (record.model.served_id, record.judge.served_id) == (GGUF, GGUF)  # a file's name, not where it lay
    assert all(text.strip() for text in run.answers.values())
    assert len(run.preferences) == 4
    raw = [verdict["raw"] for state in run.states for verdict in state["annotations"]["alpaca"]["verdicts"]]
    assert all(raw)
    assert any(f"endpoint/model: asked for smollm2, the server named {GGUF}" in note for note in record.notes)


@pytest.mark.slow
def test_a_real_server_keeps_to_a_schema_and_gives_log_probabilities(
    llama: Callable[..., str], embedded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or says what it does not do; the model alone would not write this JSON."""
    monkeypatch.delenv("ALPACA_OFFLINE", raising=False)
    client = BlockingEndpointClient(Endpoint(name="real", base_url=llama(embedded), model="smollm2"))
    schema = {
        "type": "object",
        "properties": {"reason": {"type": "string", "maxLength": 20}, "better": {"enum": ["A", "B"]}},
        "required": ["reason", "better"],
        "additionalProperties": False,
    }
    try:
        structured = client.complete(GenerationRequest("Which is better?", max_tokens=64, json_schema=schema))
        letter = client.complete(GenerationRequest("Answer with A or B.", max_tokens=1, top_logprobs=5))
    finally:
        client.close()
    if not structured.fallbacks:
        assert set(json.loads(structured.text)) == {"reason", "better"}
    if not letter.fallbacks:
        (token,) = letter.tokens
        assert len(token.top) == 5
        assert token.logprob == max(token.top.values()) <= 0
        assert letter.text == token.text
    assert structured.fallbacks in ((), ("structured output is refused; the form of answers is left to the model",))
    assert all("log-probabilities are" in fallback for fallback in letter.fallbacks)
    print(f"structured output: {structured.fallbacks or 'works'}, log-probabilities: {letter.fallbacks or 'work'}")


@pytest.mark.slow
def test_the_same_weights_here_and_behind_the_server(
    place: Any, llama: Callable[..., str], embedded: Path, tmp_path: Path
) -> None:
    """Greedy answers in float32 to questions about capitals; docs/checkpoints.md has the figures over all 195."""
    in_float32(embedded, tmp_path / "smollm2.gguf")
    describe(place, model={"base_url": llama(tmp_path / "smollm2.gguf", "float32"), "model": "smollm2.gguf"})
    answers = []
    for model in ("smollm2-135m-instruct", "endpoint/model"):
        output = model.replace("/", "_")
        done = place.run(
            *("alpaca-suite", "eval", "--model", model, "--scenario", "capitals", "--prompt-format", "chat"),
            *("--limit", "20", "--dtype", "float32", "--device", "cpu", "--output-path", output),
            timeout=500,
        )
        assert done.returncode == 0, done.stderr
        (folder,) = place.runs(output, "alpaca-limit-20")
        states = json.loads((folder / "scenario_state.json").read_text())["request_states"]
        answers.append({state["instance"]["id"]: state["result"]["completions"][0]["text"] for state in states})
    here, there = answers
    assert here.keys() == there.keys()
    assert len(here) == 20
    assert sum(here[name] == there[name] for name in here) >= 19
