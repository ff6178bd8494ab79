"""The annotator: what can be said of each answer beside it — checks, outcome, verdicts — kept where HELM shows it."""

from dataclasses import replace
from typing import Any

from helm.benchmark.adaptation.request_state import RequestState
from helm.benchmark.annotation.annotator import Annotator
from helm.benchmark.model_deployment_registry import get_model_deployment
from helm.clients.auto_client import AutoClient
from helm.common.cache import CacheConfig
from helm.common.request import GeneratedOutput, Request

from alpaca_eval_suite.cards import load_instructions, match_outputs
from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.evaluate import progress
from alpaca_eval_suite.evaluate.asking import AskedJudge
from alpaca_eval_suite.evaluate.client import check_room
from alpaca_eval_suite.evaluate.judges import judge_of, public_name
from alpaca_eval_suite.evaluate.scenario import instruction_of
from alpaca_eval_suite.evaluate.served import served_of
from alpaca_eval_suite.evaluate.settings import Settings
from alpaca_eval_suite.evaluate.thoughts import output_text, settled
from alpaca_eval_suite.judge.answers import Answer
from alpaca_eval_suite.judge.builtin_judges import builtin_verdict
from alpaca_eval_suite.judge.checks import parse_checks, run_checks
from alpaca_eval_suite.judge.labelling import labelling_prompt
from alpaca_eval_suite.judge.orders import orders_of
from alpaca_eval_suite.judge.schema import JudgeSpec
from alpaca_eval_suite.probes.outcome import Outcome
from alpaca_eval_suite.probes.registry import Probe, probe_of
from alpaca_eval_suite.types import Comparison, Instruction, Order


class AlpacaAnnotator(Annotator):  # type: ignore[misc]
    """Checks, outcomes, pairwise verdicts. A verdict that fails is null; twenty failures and nothing else stop it."""

    name = "alpaca"

    def __init__(self, settings: dict[str, Any], auto_client: AutoClient, cache_config: CacheConfig) -> None:
        self._settings = Settings.model_validate(settings)
        self._client = auto_client
        self._cache = cache_config
        card = self._settings.card
        self._items = load_instructions(card)
        self._probe = probe_of(card.metric)
        outputs = self._settings.outputs_file()
        self._outputs = match_outputs(outputs, self._items) if outputs else {}
        self._baseline = self._settings.baseline_deployment()
        self._spec = self._settings.judge_spec()
        self._asked = _asked(self._settings, auto_client)
        self._orders = orders_of([item.id for item in self._items], self._settings.orders, self._settings.seed)

    def annotate(self, request_state: RequestState) -> dict[str, Any]:
        """Everything known of one answer, as a dict that HELM stores and shows with the instance."""
        progress.check_stop()
        check_room(self._cache)
        item = instruction_of(request_state.instance)
        if not request_state.result.completions:
            # A service that says "success" and gives nothing; HELM's pages need something to show.
            request_state.result.completions = [GeneratedOutput(text="", logprob=0, tokens=[])]
        completion = settled(request_state.result.completions[0], self._settings.thinking)
        request_state.result.completions[0] = completion
        output = completion.text
        found: dict[str, Any] = {}
        if self._probe is not None:
            outcome = self._probe.read(item, output)
            found["answer"] = {"outcome": outcome.label, "reason": outcome.reason, "score": outcome.score}
            if self._asked is not None:
                found["answer"] |= self._labelled(self._probe, self._asked, item, output, outcome)
        if "checks" in item.key:
            report = run_checks(
                parse_checks(item.key["checks"]), instruction=item.instruction, input=item.input, output=output
            )
            found["checks"] = {
                "passed": report.passed,
                "total": report.total,
                "failed": [f"{result.name}: {result.detail}" for result in report.results if not result.passed],
            }
        if self._probe is None and self._spec is not None:
            baseline_output, served = self._baseline_output(request_state.request, item)
            comparison = Comparison(item, output, baseline_output)
            found["baseline_output"] = baseline_output
            if served:
                found["baseline_served"] = served
            found["verdicts"] = self._verdicts(self._spec, comparison)
        return found

    def _baseline_output(self, request: Request, item: Instruction) -> tuple[str, dict[str, Any] | None]:
        """The text, and what an endpoint says of it."""
        if self._baseline is None:
            return output_text(self._outputs[item.id].output, self._settings.thinking), None
        model = get_model_deployment(self._baseline).model_name
        with progress.aside():
            result = self._client.make_request(replace(request, model_deployment=self._baseline, model=model))
        progress.done("baseline answer", cached=result.cached)
        if not result.success and (result.error_flags is None or result.error_flags.is_fatal is not False):
            raise SuiteError(
                f"the baseline {self._baseline} did not answer ({result.error})",
                next_step="Answers made so far are in the cache; mend the cause and run the same command again.",
            )
        text = str(result.completions[0].text) if result.completions else ""
        return output_text(text, self._settings.thinking), served_of(result)

    def _verdicts(self, spec: JudgeSpec, comparison: Comparison) -> list[dict[str, Any]]:
        """The lines of preferences.jsonl to be, as far as they are known here, each with the judge's reply."""
        if self._asked is None:
            # A program of ours looks at no order, so there is none to be biased by.
            found = builtin_verdict(str(spec.model), comparison)
            progress.done("verdict")
            return [{"order": "single", "win": found.win, "reason": found.reason, "raw": ""}]
        return [self._compare(self._asked, comparison, order) for order in self._orders[comparison.instruction.id]]

    def _compare(self, judge: AskedJudge, comparison: Comparison, order: Order) -> dict[str, Any]:
        asked = judge.compare(comparison, order)
        found = Answer("", kept=asked.cut).outcome(asked.said or asked.reason, order)
        return {"order": order, "win": found.win, "reason": found.reason, **asked.kept}

    def _labelled(
        self, probe: Probe, judge: AskedJudge, item: Instruction, output: str, rule: Outcome
    ) -> dict[str, Any]:
        """The judge's label in the rule's place, None where the judge failed; the rule's is kept beside it."""
        meanings = probe.meanings_for(item)
        prompt = labelling_prompt(item, output, meanings, probe.known(item), self._settings.seed)
        asked = judge.label(prompt, list(meanings))
        label = None if asked.said is None else asked.said.label
        by_rule = {"label": rule.label, "reason": rule.reason}
        return {"outcome": label, "reason": asked.reason, **asked.kept, "rule": by_rule}


def _asked(settings: Settings, client: AutoClient) -> AskedJudge | None:
    """The judge to be asked; None where nobody judges, or a program of ours."""
    spec, judge_hash = settings.judge_spec(), settings.judge_hash()
    if spec is None or judge_hash is None:
        return None
    judge = judge_of(spec, client)
    if judge.asker is None:
        return None
    name = public_name(spec, labels=not settings.compares)
    return AskedJudge(judge, judge.asker, name=name, judge_hash=judge_hash, seed=settings.seed)
