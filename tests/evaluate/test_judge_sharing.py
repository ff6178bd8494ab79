"""Judges behind an endpoint and on this machine, asked in a run of HELM's: every form, and one cache for everybody."""

import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from alpaca_eval_suite.cards import load_card, load_instructions
from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.evaluate import progress
from alpaca_eval_suite.evaluate.annotator import AlpacaAnnotator
from alpaca_eval_suite.evaluate.scenario import AlpacaScenario
from alpaca_eval_suite.evaluate.settings import Settings
from alpaca_eval_suite.judge.cache import VerdictCache
from alpaca_eval_suite.judge.engine import judge_pairs
from alpaca_eval_suite.judge.pairs import Pair
from alpaca_eval_suite.judge.run_setup import load_judges
from alpaca_eval_suite.models import endpoint_client
from alpaca_eval_suite.models.ledger import Ledger
from alpaca_eval_suite.types import Comparison

pytestmark = pytest.mark.usefixtures("helm")

WriteScenario = Callable[..., Path]
FORMS = ("letter", "letter_logprobs", "ratings", "reasoning_json", "five_point")
OURS, THEIRS = "a long answer of ours", "short"


def reply_to(body: dict[str, Any], fake: ModuleType) -> Any:
    """The longer answer is better, in the form that the question asks for."""
    text = body["messages"][-1]["content"]
    label = re.search(r"<answer-A-(\w+)>", text)[1]  # type: ignore[index]
    first, second = (re.search(rf"<answer-{x}-{label}>\n(.*?)\n</answer-{x}", text, re.S)[1] for x in "AB")  # type: ignore[index]
    a = len(first) > len(second)
    letter = "A" if a else "B"
    end = text.rpartition("</answer-B")[2]
    if "A>>B" in end:
        return fake.chat(f"Clear.\nVERDICT-{label}: {'A>>B' if a else 'B>>A'}")
    if "RATINGS" in end:
        return fake.chat(f"Clear.\nRATINGS-{label}: {'A=9 B=2' if a else 'A=2 B=9'}")
    if f'"verdict_{label}"' in end:
        assert body["response_format"]["type"] == "json_schema"
        return fake.chat(json.dumps({"reasoning": "Clear.", f"verdict_{label}": letter}))
    if f"VERDICT-{label}" in end:
        return fake.chat(f"Clear.\nVERDICT-{label}: {letter}")
    assert body["logprobs"] is True
    top = [{"token": letter, "logprob": -0.105}, {"token": "B" if a else "A", "logprob": -2.303}]
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": letter},
        "finish_reason": "stop",
        "logprobs": {"content": [{"token": letter, "logprob": -0.105, "top_logprobs": top}]},
    }
    return fake.Reply(body={"object": "chat.completion", "model": "served-1", "choices": [choice]})


@pytest.fixture
def judge(
    server: Any, fake_openai: ModuleType, write_scenario: WriteScenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """The server behind endpoint/judge, which likes length, and a scenario of four items without checks."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy", "ALPACA_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(progress, "_said", set())
    monkeypatch.setattr(endpoint_client, "_backoff", lambda tries: 0.001)
    outputs = [{"id": f"t{n}", "output": THEIRS} for n in range(4)]
    write_scenario(4, outputs=outputs, columns={"slices": {}, "key": {}})
    described = {"base_url": server.base_url, "model": "judge-1"}
    Path("endpoints.yaml").write_text(yaml.safe_dump({"endpoints": {"judge": described}}))
    server.answer = lambda seen: reply_to(seen.body, fake_openai)
    return server


def helm_run(judge: str, output: str = OURS, *, n_items: int = 4, **settings: Any) -> list[dict[str, Any]]:
    """The annotations of a whole run in which the model said `output` to everything."""
    from helm.benchmark.adaptation.request_state import RequestState
    from helm.common.cache import BlackHoleCacheConfig
    from helm.common.request import GeneratedOutput, Request, RequestResult

    given = Settings(**{"scenario": "trial", "judge": judge, **settings})
    annotator = AlpacaAnnotator(given.model_dump(), auto_client=None, cache_config=BlackHoleCacheConfig())
    found = []
    for instance in AlpacaScenario(given.scenario).get_instances("unused")[:n_items]:
        answer = GeneratedOutput(text=output, logprob=0, tokens=[])
        state = RequestState(
            instance=instance,
            reference_index=None,
            request_mode=None,
            train_trial_index=0,
            output_mapping=None,
            request=Request(model="simple/model1", model_deployment="simple/model1", prompt=instance.input.text),
            result=RequestResult(success=True, cached=False, completions=[answer], embedding=[]),
            num_train_instances=0,
            prompt_truncated=False,
        )
        found.append(annotator.annotate(state))
    return found


def judge_run(judge: str, folder: Path) -> list[float | None]:
    """`alpaca-suite judge run` on the same pairs: the model's wins."""
    items = load_instructions(load_card("trial"))
    pairs = [Pair(Comparison(item, OURS, THEIRS), "model", "painter") for item in items]
    judges = load_judges([judge], combine=None, notice=lambda _: None).judges

    async def run() -> list[float | None]:
        with Ledger.open(folder, {}) as ledger:
            judged = await judge_pairs(pairs, judges, ledger=ledger, cache=VerdictCache())
        for one in judges:
            if one.asker is not None:
                await one.asker.close()
        return [preference.win for preference in judged.preferences]

    return asyncio.run(run())


@pytest.mark.parametrize("form", FORMS)
def test_each_form_and_whoever_asks_second_pays_nothing(judge: Any, tmp_path: Path, form: str) -> None:
    name = f"{form}@endpoint/judge"
    verdicts = [verdict for found in helm_run(name) for verdict in found["verdicts"]]
    expected = pytest.approx(0.9, abs=0.001) if form == "letter_logprobs" else 1.0
    assert [verdict["order"] for verdict in verdicts] == ["model_first", "baseline_first"] * 4
    assert [verdict["win"] for verdict in verdicts] == [expected] * 8
    assert verdicts[0]["raw"]
    assert verdicts[0]["served"]["served_id"] == "served-1"
    assert len(judge.seen) == 8
    assert judge_run(name, tmp_path / "ledger") == [expected] * 8
    again = [verdict for found in helm_run(name) for verdict in found["verdicts"]]
    assert [verdict["served"].pop("cached") for verdict in (*verdicts, *again)] == [False] * 8 + [True] * 8
    assert verdicts == again
    assert len(judge.seen) == 8


def test_what_judge_run_paid_for_is_not_asked_by_helm(judge: Any, tmp_path: Path) -> None:
    assert judge_run("letter@endpoint/judge", tmp_path / "ledger") == [1.0] * 8
    wins = [verdict["win"] for found in helm_run("endpoint/judge") for verdict in found["verdicts"]]
    assert wins == [1.0] * 8
    assert len(judge.seen) == 8
    helm_run("endpoint/judge", seed=1)  # another label, another question
    assert len(judge.seen) == 16


def test_a_verdict_that_failed_is_asked_anew(judge: Any, fake_openai: ModuleType) -> None:
    good, n_failing = judge.answer, 3
    judge.answer = lambda seen: fake_openai.chat("Hm.") if len(judge.seen) <= n_failing else good(seen)
    verdicts = [verdict for found in helm_run("endpoint/judge") for verdict in found["verdicts"]]
    assert [verdict["win"] for verdict in verdicts] == [None] * 3 + [1.0] * 5
    assert (verdicts[0]["raw"], verdicts[0]["served"]["served_id"]) == ("Hm.", "served-1")
    assert all(verdict["win"] for found in helm_run("endpoint/judge") for verdict in found["verdicts"])
    assert len(judge.seen) == 8 + 3


def test_a_server_without_log_probabilities_is_named(judge: Any, fake_openai: ModuleType) -> None:
    def refuse(seen: Any) -> Any:
        if "logprobs" in seen.body:
            return fake_openai.error(400, "logprobs is not supported by this model", param="logprobs")
        first = seen.body["messages"][-1]["content"].index(OURS) < seen.body["messages"][-1]["content"].index(THEIRS)
        return fake_openai.chat("A" if first else "B")

    judge.answer = refuse
    verdict = helm_run("letter_logprobs@endpoint/judge")[0]["verdicts"][0]
    assert verdict["win"] == 1.0
    assert verdict["reason"] == "no log-probabilities were given: the letter alone counts"
    assert verdict["served"]["fallbacks"] == ["log-probabilities are refused; there are none"]


def test_a_pair_that_is_too_long_fails_or_is_cut_alike(judge: Any, fake_openai: ModuleType) -> None:
    good = judge.answer

    def short_context(seen: Any) -> Any:
        if len(seen.body["messages"][-1]["content"]) > 4000:
            message = "This model's maximum context length is 1000 tokens."
            return fake_openai.error(400, message, code="context_length_exceeded")
        return good(seen)

    judge.answer = short_context
    long = "word " * 4000
    failed = helm_run("endpoint/judge", long)[0]["verdicts"][0]
    assert failed["win"] is None
    assert failed["reason"]
    Path("cutting.yaml").write_text("model: endpoint/judge\ntoo_long: cut\n")
    cut = helm_run("cutting.yaml", long)[0]["verdicts"][0]
    assert cut["win"] == 1.0
    assert re.match(r"\[both answers cut to \d+ characters\] Clear\.", cut["reason"])


def test_a_wrong_key_stops_the_run_with_the_servers_words(
    judge: Any, fake_openai: ModuleType, write_scenario: WriteScenario
) -> None:
    outputs = [{"id": f"t{n}", "output": THEIRS} for n in range(30)]
    write_scenario(30, outputs=outputs)
    judge.answer = lambda seen: fake_openai.error(401, "Incorrect API key provided")
    with pytest.raises(SuiteError, match=r"letter@endpoint/judge failed in each of the first 20 verdicts.*no answer: "):
        helm_run("endpoint/judge", n_items=30)
    assert len(judge.seen) == 20


def test_labels_are_kept_too(judge: Any, fake_openai: ModuleType) -> None:
    def label(seen: Any) -> Any:
        mark = re.search(r"LABEL-(\w+)", seen.body["messages"][-1]["content"])[1]  # type: ignore[index]
        return fake_openai.chat(f"It declines.\nLABEL-{mark}: refused")

    judge.answer = label
    for _ in range(2):
        found = helm_run("endpoint/judge", scenario="capitals")
        assert [one["answer"]["outcome"] for one in found] == ["refused"] * 4
    assert len(judge.seen) == 4
    assert found[0]["answer"]["served"]["cached"] is True
    (entries,) = VerdictCache().stats().judges
    assert (entries.judge, entries.entries) == ("endpoint/judge", 4)


def test_programs_of_ours_are_asked_nothing(judge: Any) -> None:
    found = helm_run("builtin:longer")
    assert [one["verdicts"][0]["win"] for one in found] == [1.0] * 4
    assert {(verdict["order"], len(one["verdicts"])) for one in found for verdict in one["verdicts"]} == {("single", 1)}
    assert judge.seen == []


def test_a_word_to_stop_ends_the_wait_for_a_judge(judge: Any, fake_openai: ModuleType) -> None:
    def stop(seen: Any) -> Any:
        progress.request_stop()
        return fake_openai.Reply(body="", after=1.0)

    judge.answer = stop
    with pytest.raises(progress.Stopped):
        helm_run("endpoint/judge")


def test_a_checkpoint_of_this_machine_judges(judge: Any, make_checkpoint: Callable[..., Path]) -> None:
    """The tiny one babbles: failures, counted, with what it said."""
    pytest.importorskip("torch")
    Path("tiny.yaml").write_text(f"model: {make_checkpoint('tiny')}\ndecoding: {{max_tokens: 4}}\n")
    for found in helm_run("tiny.yaml", orders="single"):
        (verdict,) = found["verdicts"]
        assert verdict["win"] is None
        assert "served" not in verdict
        assert "cut off at 4 tokens" in verdict["reason"] or "no verdict" in verdict["reason"]
