"""The annotator: what can be said of each answer beside it — checks, outcome, verdicts — kept where HELM shows it."""

import itertools
import threading
from dataclasses import dataclass, replace
from typing import Any

from helm.benchmark.adaptation.request_state import RequestState
from helm.benchmark.annotation.annotator import Annotator
from helm.benchmark.model_deployment_registry import get_model_deployment
from helm.clients.auto_client import AutoClient
from helm.common.cache import CacheConfig
from helm.common.request import GeneratedOutput, Request, RequestResult

from alpaca_eval_suite.cards import load_instructions, match_outputs
from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.evaluate import progress
from alpaca_eval_suite.evaluate.local import PREFIX, check_room
from alpaca_eval_suite.evaluate.scenario import instruction_of
from alpaca_eval_suite.evaluate.settings import NONE, Settings, single_order
from alpaca_eval_suite.judge.builtin import NAME as BUILTIN
from alpaca_eval_suite.judge.builtin import judge_by_checks
from alpaca_eval_suite.judge.checks import parse_checks, run_checks
from alpaca_eval_suite.judge.pairwise import JudgePrompt, VerdictError, pairwise_prompt, read_ruling, win_of
from alpaca_eval_suite.probes.registry import probe_of
from alpaca_eval_suite.types import Comparison, Instruction, Order

_GIVE_UP_AFTER = 20
_JUDGE_TOKENS = 400


@dataclass(frozen=True)
class _Verdict:
    """One line of preferences.jsonl to be: `raw` is the judge's whole reply."""

    order: Order
    win: float | None
    reason: str
    raw: str = ""

    def as_json(self) -> dict[str, Any]:
        return {"order": self.order, "win": self.win, "reason": self.reason, "raw": self.raw}


class AlpacaAnnotator(Annotator):  # type: ignore[misc]
    """Checks, outcomes, pairwise verdicts. A verdict that fails is null; twenty failures and nothing else stop it."""

    name = "alpaca"

    def __init__(self, settings: dict[str, Any], auto_client: AutoClient, cache_config: CacheConfig) -> None:
        self._settings = Settings.model_validate(settings)
        self._client = auto_client
        self._cache = cache_config
        card = self._settings.card
        self._probe = probe_of(card.metric)
        outputs = self._settings.outputs_file()
        self._outputs = match_outputs(outputs, load_instructions(card)) if outputs else {}
        self._baseline = self._settings.baseline_deployment()
        self._failures = _Failures(self._settings.judge)

    def annotate(self, request_state: RequestState) -> dict[str, Any]:
        """Everything known of one answer, as a dict that HELM stores and shows with the instance."""
        progress.check_stop()
        check_room(self._cache)
        item = instruction_of(request_state.instance)
        if not request_state.result.completions:
            # A service that says "success" and gives nothing; HELM's pages need something to show.
            request_state.result.completions = [GeneratedOutput(text="", logprob=0, tokens=[])]
        output = request_state.result.completions[0].text
        found: dict[str, Any] = {}
        if self._probe is not None:
            outcome = self._probe.read(item, output)
            found["answer"] = {"outcome": outcome.label, "reason": outcome.reason, "score": outcome.score}
        if "checks" in item.key:
            report = run_checks(
                parse_checks(item.key["checks"]), instruction=item.instruction, input=item.input, output=output
            )
            found["checks"] = {
                "passed": report.passed,
                "total": report.total,
                "failed": [f"{result.name}: {result.detail}" for result in report.results if not result.passed],
            }
        if self._settings.judge != NONE:
            comparison = Comparison(item, output, self._baseline_output(request_state.request, item))
            found["baseline_output"] = comparison.baseline_output
            found["verdicts"] = [verdict.as_json() for verdict in self._verdicts(comparison)]
        return found

    def _baseline_output(self, request: Request, item: Instruction) -> str:
        if self._baseline is None:
            return self._outputs[item.id].output
        model = get_model_deployment(self._baseline).model_name
        with progress.aside():
            result = self._client.make_request(replace(request, model_deployment=self._baseline, model=model))
        progress.done("baseline answer", cached=result.cached)
        if not result.success and (result.error_flags is None or result.error_flags.is_fatal is not False):
            raise SuiteError(
                f"the baseline {self._baseline} did not answer ({result.error})",
                next_step="Answers made so far are in the cache; mend the cause and run the same command again.",
            )
        return str(result.completions[0].text) if result.completions else ""

    def _verdicts(self, comparison: Comparison) -> list[_Verdict]:
        if self._settings.judge == BUILTIN:
            # Checks look at one output at a time: there is no order to be biased by.
            outcome = judge_by_checks(parse_checks(comparison.instruction.key["checks"]), comparison)
            progress.done("verdict")
            return [_Verdict("single", outcome.win, outcome.reason)]
        orders: list[Order] = ["model_first", "baseline_first"]
        if self._settings.orders == "single":
            orders = [single_order(self._settings, comparison.instruction)]
        return [self._ask(comparison, order) for order in orders]

    def _ask(self, comparison: Comparison, order: Order) -> _Verdict:
        progress.check_stop()
        self._failures.check()
        prompt = pairwise_prompt(comparison, order, self._settings.seed)
        reply = ""
        try:
            result = self._reply(prompt)
            reply = result.completions[0].text
            ruling = read_ruling(reply, prompt.label)
        except progress.Stopped:
            raise
        # One bad reply must not cost a run of hours; `_Failures` stops a judge that never works.
        except Exception as error:
            self._failures.count(error)
            progress.done("verdict")
            progress.done("failed verdict")
            return _Verdict(order, None, f"{type(error).__name__}: {error}"[:600], reply)
        self._failures.worked()
        progress.done("verdict", cached=result.cached)
        return _Verdict(order, win_of(ruling.choice, order), ruling.reason, reply)

    def _reply(self, prompt: JudgePrompt) -> RequestResult:
        """What the judge says. HELM's cache keeps every reply: one without a verdict is passed over, and asked anew.

        Raises VerdictError when the judge does not answer.
        """
        judge = self._settings.judge
        local = judge.startswith(PREFIX)
        request = Request(
            model_deployment=judge,
            model=get_model_deployment(judge).model_name,
            temperature=0.0,
            max_tokens=_JUDGE_TOKENS,
            **({"messages": [{"role": "user", "content": prompt.text}]} if local else {"prompt": prompt.text}),
        )
        for attempt in itertools.count(1):
            with progress.aside():
                result = self._client.make_request(request)
            if not result.success or not result.completions:
                raise VerdictError(f"the judge did not answer: {result.error}")
            # A local judge would say the same again.
            if not result.cached or local or _readable(result.completions[0].text, prompt):
                break
            # `random` is HELM's word for another sample: a place of its own in the cache.
            request = replace(request, random=f"attempt {attempt}")
        return result


def _readable(reply: str, prompt: JudgePrompt) -> bool:
    try:
        read_ruling(reply, prompt.label)
    except VerdictError:
        return False
    return True


class _Failures:
    """Counts a judge's failures over all threads, and gives up when the first twenty verdicts all fail."""

    def __init__(self, judge: str) -> None:
        self._judge = judge
        self._lock = threading.Lock()
        self._failed = 0
        self._any_worked = False
        self._last: Exception | None = None

    def worked(self) -> None:
        with self._lock:
            self._any_worked = True

    def count(self, error: Exception) -> None:
        with self._lock:
            self._failed += 1
            self._last = error
        self.check()

    def check(self) -> None:
        """Raise SuiteError when the judge is given up."""
        with self._lock:
            if self._any_worked or self._failed < _GIVE_UP_AFTER:
                return
            last = self._last
        raise SuiteError(
            f"the judge {self._judge} failed in each of the first {_GIVE_UP_AFTER} verdicts; the last time: {last}",
            next_step="The answers are in the cache. Mend the judge (key, server, model name) or name another, "
            "and run the same command again.",
        ) from last
