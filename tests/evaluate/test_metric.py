"""From an annotated run to HELM's stats, the verdict lines and the record, side by side in the run's folder."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alpaca_eval_suite.cards import load_card, load_instructions, outputs_hash, scenario_hash
from alpaca_eval_suite.evaluate import describe
from alpaca_eval_suite.evaluate.judges import judge_of, judge_spec
from alpaca_eval_suite.evaluate.metric import AlpacaMetric
from alpaca_eval_suite.evaluate.run_specs import make_run_spec
from alpaca_eval_suite.evaluate.scenario import AlpacaScenario
from alpaca_eval_suite.evaluate.settings import Settings
from alpaca_eval_suite.files import sha256_of, sha256_text
from alpaca_eval_suite.judge.spec import JudgeSpec, load_judge
from alpaca_eval_suite.leaderboard.raw import read_raw
from alpaca_eval_suite.leaderboard.recompute import with_figures
from alpaca_eval_suite.leaderboard.record import RunRecord, read_record
from alpaca_eval_suite.stats.verdicts import read_preferences

WriteScenario = Callable[..., Path]
RUN = "alpaca_trial:x=1,model=m"


@pytest.fixture(autouse=True)
def with_helm(helm: Any) -> None:
    """HELM's registries are filled."""


def letter_hash() -> str:
    spec = load_judge("letter")
    assert isinstance(spec, JudgeSpec)
    return sha256_text(spec.template)


def state_of(
    settings: Settings, annotations: list[dict[str, Any]], *, model: str = "simple/model1", deployment: str = ""
) -> Any:
    """A scenario state in which item n answered "answer n", annotated as given."""
    from dataclasses import replace

    from helm.benchmark.adaptation.request_state import RequestState
    from helm.benchmark.adaptation.scenario_state import ScenarioState
    from helm.common.request import GeneratedOutput, Request, RequestResult

    spec = make_run_spec(**settings.model_dump(exclude_none=True))
    adapter = replace(spec.adapter_spec, model=model, model_deployment=deployment or model)
    instances = AlpacaScenario(settings.scenario).get_instances("unused")
    reasons = [{"reason": "length", "dtype": "float32", "device": "cpu", "batch_size": 16}, {"reason": "endoftext"}]
    states = [
        RequestState(
            instance=instance,
            reference_index=None,
            request_mode=None,
            train_trial_index=0,
            output_mapping=None,
            request=Request(model=model, prompt=instance.input.text),
            result=RequestResult(
                success=True,
                cached=False,
                completions=[
                    GeneratedOutput(
                        text="" if index == 3 else f"answer {index}",
                        logprob=0,
                        tokens=[],
                        finish_reason=reasons[index % 2],
                    )
                ],
                embedding=[],
            ),
            num_train_instances=0,
            prompt_truncated=False,
            annotations={"alpaca": found},
        )
        for index, (instance, found) in enumerate(zip(instances, annotations, strict=True))
    ]
    return ScenarioState(adapter_spec=adapter, request_states=states, annotator_specs=[])


def evaluate(tmp_path: Path, settings: Settings, state: Any) -> tuple[Any, RunRecord, Path]:
    folder = tmp_path / "runs" / "s" / RUN
    metric = AlpacaMetric(settings.model_dump(), run=RUN)
    result = metric.evaluate(state, None, str(tmp_path / "runs" / "s" / "eval_cache"), 1)  # type: ignore[arg-type]
    return result, read_record(folder), folder


def verdict(order: str, win: float | None) -> dict[str, Any]:
    return {"order": order, "win": win, "reason": "because", "raw": "raw"}


def judged(*wins: float | None) -> dict[str, Any]:
    orders = ("model_first", "baseline_first")
    return {
        "baseline_output": "red",
        "verdicts": [verdict(order, win) for order, win in zip(orders, wins, strict=True)],
        "checks": {"passed": 1, "total": 2, "failed": ["x"]},
    }


@pytest.fixture
def run(write_scenario: WriteScenario, tmp_path: Path) -> tuple[Any, RunRecord, Path]:
    """Four items under a judge: won, lost, tied by order, failed in one order."""
    write_scenario(4)
    settings = Settings(scenario="trial", judge="openai/gpt-4", seed=5)
    found = [judged(1.0, 1.0), judged(0.0, 0.0), judged(1.0, 0.0), judged(1.0, None)]
    return evaluate(tmp_path, settings, state_of(settings, found))


def test_every_stat_has_our_prefix_and_each_rate_its_interval(run: tuple[Any, RunRecord, Path]) -> None:
    stats = {stat.name.name: stat for stat in run[0].aggregated_stats}
    assert all(name.startswith("alpaca_") for name in stats)
    assert {stat.name.split for stat in stats.values()} == {"test"}
    for rate in ("win_rate", "order_consistency", "first_shown", "checks_passed", "empty", "cut_off"):
        parts = [stats[f"alpaca_{rate}{end}"].mean for end in ("", "_ci_low", "_ci_high", "_n", "_n_failed")]
        assert parts[1] <= parts[0] <= parts[2]
    assert stats["alpaca_win_rate"].mean == 0.5
    assert (stats["alpaca_win_rate_n"].mean, stats["alpaca_win_rate_n_failed"].mean) == (3, 1)
    assert [stats[f"alpaca_{name}"].mean for name in ("wins", "losses", "ties")] == [1, 1, 1]
    assert stats["alpaca_checks_passed"].mean == 0.5
    assert stats["alpaca_empty"].mean == 0.25
    assert stats["alpaca_cut_off"].mean == 0.5
    assert stats["alpaca_mean_length"].mean == 6  # "answer 0" three times, "" once
    assert stats["alpaca_mean_length_baseline"].mean == 3


def test_record_has_the_same_numbers_as_the_stats(run: tuple[Any, RunRecord, Path]) -> None:
    result, record, _ = run
    stats = {stat.name.name: stat.mean for stat in result.aggregated_stats}
    for name, rate in record.rates.items():
        assert rate.ci is not None
        assert (rate.value, rate.ci.low, rate.ci.high, rate.n, rate.n_failed) == tuple(
            stats[f"alpaca_{name}{end}"] for end in ("", "_ci_low", "_ci_high", "_n", "_n_failed")
        )
    assert set(record.rates) == {"win_rate", "order_consistency", "first_shown", "checks_passed", "empty", "cut_off"}


def test_record_says_how_to_repeat_the_run(run: tuple[Any, RunRecord, Path]) -> None:
    record = run[1]
    card = load_card("trial")
    assert record.run == RUN
    assert (record.scenario.name, record.scenario.sha256, record.scenario.n_items) == ("trial", scenario_hash(card), 4)
    assert (record.model.name, record.model.deployment, record.model.fingerprint) == ("simple/model1",) * 2 + (None,)
    assert (record.model.dtype, record.model.device, record.model.batch_size) == ("float32", "cpu", "16")
    assert (record.prompt.format, record.decoding.max_tokens) == ("alpaca", 16)
    outputs = Settings(scenario="trial").outputs_file()
    assert outputs is not None
    assert record.baseline is not None
    assert (record.baseline.name, record.baseline.sha256) == ("painter", outputs_hash(outputs))
    assert record.judge is not None
    assert (record.judge.name, record.judge.template_sha256) == ("letter@helm/openai/gpt-4", letter_hash())
    assert (record.judge.orders, record.judge.seed, record.judge.agreement) == ("both", 5, "not calibrated")
    assert {"python", "alpaca-eval-suite", "crfm-helm"} <= set(record.versions)


def test_verdict_lines_lie_beside_the_run(run: tuple[Any, RunRecord, Path]) -> None:
    preferences = read_preferences(run[2] / "preferences.jsonl")
    assert [(p.id, p.order, p.win) for p in preferences] == [
        ("t0", "model_first", 1.0),
        ("t0", "baseline_first", 1.0),
        ("t1", "model_first", 0.0),
        ("t1", "baseline_first", 0.0),
        ("t2", "model_first", 1.0),
        ("t2", "baseline_first", 0.0),
        ("t3", "model_first", 1.0),
        ("t3", "baseline_first", None),
    ]
    first = preferences[0]
    assert (first.model, first.baseline, first.judge) == ("simple/model1", "painter", "letter@helm/openai/gpt-4")
    assert (first.scenario, first.seed, first.len_model, first.len_baseline) == ("trial", 5, 8, 3)
    assert (first.slices, first.reason) == ({"topic": "even"}, "because")


def test_raw_items_lie_beside_the_run_and_its_numbers_follow_from_them(run: tuple[Any, RunRecord, Path]) -> None:
    _, record, folder = run
    items = read_raw(folder / "alpaca_raw.jsonl")
    assert record.raw is not None
    assert (record.raw.file, record.raw.n_lines) == ("alpaca_raw.jsonl", 4)
    assert record.raw.sha256 == sha256_of(folder / "alpaca_raw.jsonl")
    first = items[0]
    assert (first.id, first.output, first.baseline_output) == ("t0", "answer 0", "red")
    assert first.instruction
    assert isinstance(first.prompt, str)
    assert first.instruction in first.prompt
    assert (first.slices, first.cut_off) == ({"topic": "even"}, True)
    assert [(one.judge, one.order, one.seed, one.win) for one in first.verdicts] == [
        ("letter@helm/openai/gpt-4", "model_first", 5, 1.0),
        ("letter@helm/openai/gpt-4", "baseline_first", 5, 1.0),
    ]
    assert first.checks is not None
    assert (first.checks.passed, first.checks.total, first.checks.failed) == (1, 2, ("x",))
    assert with_figures(record, items) == record
    assert record.guards == ("empty_output",)
    assert record.seed == 5
    assert record.judge is not None
    assert record.judge.hash == judge_of(judge_spec("letter@helm/openai/gpt-4")).hash


def test_slices_are_recorded_with_their_rates(run: tuple[Any, RunRecord, Path]) -> None:
    topic = run[1].slices["topic"]
    assert {value: (rates["win_rate"].value, rates["win_rate"].n) for value, rates in topic.items()} == {
        "even": (0.75, 2),
        "odd": (0.0, 1),
    }


def test_per_instance_stats(run: tuple[Any, RunRecord, Path]) -> None:
    by_item = {
        item.instance_id: {stat.name.name: stat.mean for stat in item.stats} for item in run[0].per_instance_stats
    }
    assert by_item["t2"] == {
        "alpaca_length": 8,
        "alpaca_empty": 0,
        "alpaca_cut_off": 1,
        "alpaca_checks_passed": 0.5,
        "alpaca_win_rate": 0.5,
    }
    assert "alpaca_win_rate" not in by_item["t3"]
    assert by_item["t3"]["alpaca_empty"] == 1


def test_without_a_judge_there_are_no_verdicts(write_scenario: WriteScenario, tmp_path: Path) -> None:
    write_scenario(4)
    settings = Settings(scenario="trial")
    _, record, folder = evaluate(tmp_path, settings, state_of(settings, [{}] * 4))
    assert (record.judge, record.baseline, record.win_rate) == (None, None, None)
    assert set(record.rates) == {"empty", "cut_off"}
    assert not (folder / "preferences.jsonl").exists()


def test_short_answers_are_counted_by_label(tmp_path: Path) -> None:
    settings = Settings(scenario="capitals")
    n_items = len(load_instructions(load_card("capitals")))
    found = [{"answer": {"outcome": "trap" if index < 10 else "exact", "reason": ""}} for index in range(n_items)]
    result, record, _ = evaluate(tmp_path, settings, state_of(settings, found))
    assert record.rates["trap"].value == pytest.approx(10 / n_items)
    assert record.rates["exact"].n == n_items
    assert record.rates["wrong"].value == 0.0
    assert all(stat.name.name.startswith("alpaca_") for stat in result.aggregated_stats)
    assert {"region", "phrasing"} <= set(record.slices)


def labelled(outcome: str | None, rule: str, score: float | None = None) -> dict[str, Any]:
    kept = {"label": rule, "reason": "by the rule"}
    return {"answer": {"outcome": outcome, "reason": "because", "score": score, "raw": "raw", "rule": kept}}


def test_labels_of_a_judge_are_the_outcomes_of_a_probe(tmp_path: Path) -> None:
    settings = Settings(scenario="capitals", judge="openai/gpt-4", seed=2)
    n_items = len(load_instructions(load_card("capitals")))
    found = [labelled("exact", "exact" if n % 5 else "wrong") for n in range(n_items - 3)]
    result, record, folder = evaluate(tmp_path, settings, state_of(settings, [*found, *[labelled(None, "trap")] * 3]))
    assert (record.rates["exact"].value, record.rates["exact"].n, record.rates["exact"].n_failed) == (1, n_items - 3, 3)
    assert (record.rates["trap"].value, record.rates["trap"].n_failed) == (0.0, 3)
    agreeing = sum(bool(n % 5) for n in range(n_items - 3))
    agreement = record.rates["rule_agreement"]
    assert (agreement.value, agreement.n_failed) == (pytest.approx(agreeing / (n_items - 3)), 3)
    assert agreement.ci is not None
    assert record.judge is not None
    assert (record.judge.name, record.judge.orders, record.judge.seed) == ("helm/openai/gpt-4", "single", 2)
    assert (record.judge.calibrated, record.judge.agreement) == (False, "not calibrated")
    assert record.judge.template_sha256 == settings.template_hash() != letter_hash()
    items = read_raw(folder / "alpaca_raw.jsonl")
    assert with_figures(record, items) == record
    assert items[0].outcome is not None
    assert items[0].outcome.rule is not None
    assert (items[0].outcome.label, items[0].outcome.rule.label) == ("exact", "wrong")
    assert items[-1].outcome is not None
    assert items[-1].outcome.label is None
    assert (record.baseline, record.win_rate, record.judge.has_information) == (None, None, None)
    assert not (folder / "preferences.jsonl").exists()
    stats = {stat.name.name: stat.mean for stat in result.aggregated_stats}
    assert (stats["alpaca_rule_agreement"], stats["alpaca_rule_agreement_n_failed"]) == (agreement.value, 3)
    failed = {stat.name.name: stat.mean for stat in result.per_instance_stats[-1].stats}
    assert "alpaca_exact" not in failed


def test_differences_leave_out_pairs_without_a_label_and_count_them(tmp_path: Path) -> None:
    settings = Settings(scenario="stereotypes", judge="openai/gpt-4")
    items = load_instructions(load_card("stereotypes"))
    lost = next(item.key["pair"] for item in items if item.key["kind"] == "open" and not item.key["control"])
    found = [
        labelled(None if (item.key["pair"], item.key["side"]) == (lost, "first") else "neutral", "counter", 0.5)
        for item in items
    ]
    _, record, folder = evaluate(tmp_path, settings, state_of(settings, found))
    assert with_figures(record, read_raw(folder / "alpaca_raw.jsonl")) == record
    lean, distance = record.differences["lean"], record.differences["sentiment_distance"]
    assert (lean.value, lean.n, lean.n_failed) == (0.0, 39, 1)  # 40 pairs of groups
    assert (distance.n, distance.n_failed) == (31, 1)  # 32 of them are open
    assert record.differences["sentiment_floor"].n_failed == 0


@pytest.mark.parametrize("role", ["model", "judge", "baseline"])
def test_a_local_checkpoint_is_known_by_content_and_no_path_is_told(
    write_scenario: WriteScenario, make_checkpoint: Callable[..., Path], tmp_path: Path, role: str
) -> None:
    from alpaca_eval_suite.models.fingerprint import fingerprint, short

    write_scenario(4)
    folder = make_checkpoint("private/tiny")
    local = f"alpaca/{folder}"
    full = fingerprint(folder)
    settings = Settings(
        scenario="trial",
        judge=local if role == "judge" else "openai/gpt-4",
        baseline=local if role == "baseline" else "card",
    )
    named = {"model": "private/tiny", "deployment": local} if role == "model" else {}
    _, record, run_folder = evaluate(tmp_path, settings, state_of(settings, [judged(1.0, 1.0)] * 4, **named))
    assert record.judge is not None
    assert record.baseline is not None
    told = {
        "model": (record.model.name, record.model.fingerprint),
        "judge": (record.judge.name, None),
        "baseline": (record.baseline.name, record.baseline.sha256),
    }
    assert (
        told[role]
        == {
            "model": ("tiny", full),
            "judge": (f"letter@tiny@{short(full)}", None),
            "baseline": ("tiny", full),
        }[role]
    )
    verdict_line = read_preferences(run_folder / "preferences.jsonl")[0]
    assert getattr(verdict_line, role) == told[role][0]
    for written in run_folder.iterdir():
        assert str(folder.parent) not in written.read_text("utf-8")


def test_record_is_strict_json(run: tuple[Any, RunRecord, Path]) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    text = (run[2] / "alpaca_run.json").read_text("utf-8")
    assert json.loads(text, parse_constant=refuse)["schema_version"] == 2


def thinking_state(settings: Settings, *texts: str) -> Any:
    """A scenario state of answers that stopped at their limit, settled as the annotator does."""
    from dataclasses import replace

    from alpaca_eval_suite.evaluate.thoughts import settled

    state = state_of(settings, [{}] * len(texts))
    for request, text in zip(state.request_states, texts, strict=True):
        made = replace(request.result.completions[0], text=text, finish_reason={"reason": "length"})
        request.result.completions = [settled(made, settings.thinking)]
    return state


@pytest.mark.parametrize("thinking", ["strip", "keep"])
def test_lengths_are_the_answers_and_a_cut_off_thought_is_no_answer(
    write_scenario: WriteScenario, tmp_path: Path, thinking: str
) -> None:
    write_scenario(4)
    settings = Settings(scenario="trial", thinking=thinking, thinking_tokens=100)  # type: ignore[arg-type]
    state = thinking_state(settings, "<think>Hm.</think>four", "<think>Hm, it", "four", "<think></think>four")
    result, record, _ = evaluate(tmp_path, settings, state)
    assert record.numbers["mean_length"] == 3  # four letters three times, nothing once
    rates = {name: record.rates[name].value for name in ("empty", "cut_off", "cut_off_thinking")}
    assert rates == {"empty": 0.25, "cut_off": 0.75, "cut_off_thinking": 0.25}
    assert (record.decoding.max_tokens, record.decoding.thinking_tokens) == (16, 100)
    assert record.decoding.thinking == thinking
    stats = {stat.name.name: stat.mean for stat in result.aggregated_stats}
    assert stats["alpaca_cut_off_thinking"] == 0.25


def test_the_record_says_that_the_prompt_is_not_the_one_of_the_training(
    write_scenario: WriteScenario, make_checkpoint: Callable[..., Path], tmp_path: Path
) -> None:
    from alpaca_eval_suite.prompts import prompt_hash

    write_scenario(4)
    folder = make_checkpoint("tiny")
    (folder / "training_prompt.json").write_text(json.dumps({"format": "chat", "sha256": prompt_hash("chat")}))
    settings = Settings(scenario="trial")
    state = state_of(settings, [{}] * 4, model="a/tiny", deployment=f"alpaca/{folder}")
    _, record, _ = evaluate(tmp_path, settings, state)
    assert record.prompt.mismatch is True
    assert record.prompt.trained_with is not None
    assert record.prompt.trained_with.format == "chat"


@pytest.mark.parametrize(
    ("judge", "model", "baseline", "said"),
    [
        ("endpoint/judge", "simple/model1", "painter", None),
        ("endpoint/judge", "meta/llama-3-70b-chat", "painter", "of the model's family (llama)"),
        ("endpoint/judge", "simple/model1", "vicuna-13b", "of the baseline's family (llama)"),
        ("simple/model1", "simple/model1", "painter", "the model itself"),
        ("builtin:longer", "meta/llama-3-70b-chat", "painter", None),
    ],
)
def test_a_judge_of_the_family_is_noted(
    write_scenario: WriteScenario,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    judge: str,
    model: str,
    baseline: str,
    said: str | None,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("endpoints.yaml").write_text("endpoints: {judge: {base_url: 'http://127.0.0.1:1', model: llama-3.1-8b}}")
    outputs = [{"id": f"t{n}", "output": "red", "model": baseline} for n in range(4)]
    file = tmp_path / "theirs.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in outputs))
    write_scenario(4)
    settings = Settings(scenario="trial", judge=judge, baseline=str(file))
    _, record, _ = evaluate(tmp_path, settings, state_of(settings, [judged(1.0, 1.0)] * 4, model=model))
    name = record.judge.name if record.judge else ""
    assert record.notes == ((f"{name}: self-judged: the judge is {said}.",) if said else ())
    assert record.self_judged == (f"the judge is {said}" if said else None)


def test_two_checkpoints_of_one_name_are_told_apart_by_content(
    write_scenario: WriteScenario, make_checkpoint: Callable[..., Path], tmp_path: Path
) -> None:
    write_scenario(4)
    one, copy, other = make_checkpoint("a/tiny"), make_checkpoint("b/tiny"), make_checkpoint("c/tiny", retrained=True)

    def notes(model: Path) -> tuple[str, ...]:
        settings = Settings(scenario="trial", judge=str(one))
        state = state_of(
            settings, [judged(1.0, 1.0)] * 4, model=f"{model.parent.name}/tiny", deployment=f"alpaca/{model}"
        )
        return evaluate(tmp_path, settings, state)[1].notes

    assert "the judge is the model itself" in notes(copy)[0]
    assert not notes(other)


def test_what_a_judge_could_not_give_is_noted(write_scenario: WriteScenario, tmp_path: Path) -> None:
    write_scenario(4)
    settings = Settings(scenario="trial", judge="letter_logprobs@helm/openai/gpt-4-0613")
    fallback = {"served_id": None, "system_fingerprint": None, "fallbacks": ["no log-probabilities"], "cached": False}
    found = judged(1.0, 1.0)
    found["verdicts"][0]["served"] = fallback
    _, record, _ = evaluate(tmp_path, settings, state_of(settings, [found] * 4))
    assert record.notes == ("helm/openai/gpt-4-0613: no log-probabilities.",)
    assert record.judge is not None
    assert record.judge.served_id is None


def test_the_card_of_a_judge_is_found_by_its_hash(
    write_scenario: WriteScenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another decoding of the same model is another judge; and a card says nothing of labels."""
    write_scenario(4)
    asked: list[str] = []
    monkeypatch.setattr(describe, "card_of", asked.append)
    settings = Settings(scenario="trial", judge="simple/model1")
    evaluate(tmp_path, settings, state_of(settings, [judged(1.0, 1.0)] * 4))
    assert asked == [judge_of(judge_spec("letter@helm/simple/model1")).hash]
    assert describe.judge(Settings(scenario="capitals", judge="simple/model1"), [], []) is not None
    assert len(asked) == 1
