"""The annotator: what can be said of each answer beside it — checks, outcome, verdicts — kept where HELM shows it."""

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
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
from alpaca_eval_suite.evaluate.client import check_room
from alpaca_eval_suite.evaluate.local import PREFIX
from alpaca_eval_suite.evaluate.scenario import instruction_of
from alpaca_eval_suite.evaluate.served import served_of
from alpaca_eval_suite.evaluate.settings import NONE, Settings, single_order
from alpaca_eval_suite.evaluate.thoughts import output_text, settled
from alpaca_eval_suite.judge.builtin import NAME as BUILTIN
from alpaca_eval_suite.judge.builtin import judge_by_checks
from alpaca_eval_suite.judge.checks import parse_checks, run_checks
from alpaca_eval_suite.judge.labelling import Labelled, labelling_prompt, read_label
from alpaca_eval_suite.judge.pairwise import Ruling, pairwise_prompt, read_ruling, win_of
from alpaca_eval_suite.judge.reply import JudgePrompt, VerdictError
from alpaca_eval_suite.models.thinking import split_thought
from alpaca_eval_suite.probes.outcome import Outcome
from alpaca_eval_suite.probes.registry import Probe, probe_of
from alpaca_eval_suite.types import Comparison, Instruction, Order

_GIVE_UP_AFTER = 20
_JUDGE_TOKENS = 400

_Read = Callable[[str], Ruling | Labelled]
"""Reads a judge's reply; raises VerdictError when it cannot."""


@dataclass(frozen=True)
class _Asked:
    """What a judge said: `raw` is the whole reply; `said` is None where it failed, and `reason` then says how.
    `kept` is what is stored of every reply: its text and, of an endpoint, what that says of it."""

    said: Ruling | Labelled | None
    reason: str
    kept: dict[str, Any]


@dataclass(frozen=True)
class _Verdict:
    """One line of preferences.jsonl to be; `kept` as in `_Asked`."""

    order: Order
    win: float | None
    reason: str
    kept: dict[str, Any] = field(default_factory=lambda: {"raw": ""})

    def as_json(self) -> dict[str, Any]:
        return {"order": self.order, "win": self.win, "reason": self.reason, **self.kept}


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
        completion = settled(request_state.result.completions[0], self._settings.thinking)
        request_state.result.completions[0] = completion
        output = completion.text
        found: dict[str, Any] = {}
        if self._probe is not None:
            outcome = self._probe.read(item, output)
            found["answer"] = {"outcome": outcome.label, "reason": outcome.reason, "score": outcome.score}
            if self._settings.judge != NONE:
                found["answer"] |= self._labelled(self._probe, item, output, outcome)
        if "checks" in item.key:
            report = run_checks(
                parse_checks(item.key["checks"]), instruction=item.instruction, input=item.input, output=output
            )
            found["checks"] = {
                "passed": report.passed,
                "total": report.total,
                "failed": [f"{result.name}: {result.detail}" for result in report.results if not result.passed],
            }
        if self._probe is None and self._settings.judge != NONE:
            baseline_output, served = self._baseline_output(request_state.request, item)
            comparison = Comparison(item, output, baseline_output)
            found["baseline_output"] = baseline_output
            if served:
                found["baseline_served"] = served
            found["verdicts"] = [verdict.as_json() for verdict in self._verdicts(comparison)]
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

    def _verdicts(self, comparison: Comparison) -> list[_Verdict]:
        if self._settings.judge == BUILTIN:
            # Checks look at one output at a time: there is no order to be biased by.
            outcome = judge_by_checks(parse_checks(comparison.instruction.key["checks"]), comparison)
            progress.done("verdict")
            return [_Verdict("single", outcome.win, outcome.reason)]
        orders: list[Order] = ["model_first", "baseline_first"]
        if self._settings.orders == "single":
            orders = [single_order(self._settings, comparison.instruction)]
        return [self._compare(comparison, order) for order in orders]

    def _compare(self, comparison: Comparison, order: Order) -> _Verdict:
        prompt = pairwise_prompt(comparison, order, self._settings.seed)
        asked = self._ask(prompt, lambda reply: read_ruling(reply, prompt.label))
        win = win_of(asked.said.choice, order) if isinstance(asked.said, Ruling) else None
        return _Verdict(order, win, asked.reason, asked.kept)

    def _labelled(self, probe: Probe, item: Instruction, output: str, rule: Outcome) -> dict[str, Any]:
        """The judge's label in the rule's place, None where the judge failed; the rule's is kept beside it."""
        meanings = probe.meanings_for(item)
        prompt = labelling_prompt(item, output, meanings, probe.known(item), self._settings.seed)
        asked = self._ask(prompt, lambda reply: read_label(reply, prompt.label, list(meanings)))
        label = asked.said.label if isinstance(asked.said, Labelled) else None
        by_rule = {"label": rule.label, "reason": rule.reason}
        return {"outcome": label, "reason": asked.reason, **asked.kept, "rule": by_rule}

    def _ask(self, prompt: JudgePrompt, read: _Read) -> _Asked:
        progress.check_stop()
        self._failures.check()
        kept: dict[str, Any] = {"raw": ""}
        try:
            result = self._reply(prompt, read)
            reply = result.completions[0].text
            kept["raw"] = reply
            if served := served_of(result):
                kept["served"] = served
            said = read(split_thought(reply).answer)
        except progress.Stopped:
            raise
        # One bad reply must not cost a run of hours; `_Failures` stops a judge that never works.
        except Exception as error:
            self._failures.count(error)
            progress.done("verdict")
            progress.done("failed verdict")
            return _Asked(None, f"{type(error).__name__}: {error}"[:600], kept)
        self._failures.worked()
        progress.done("verdict", cached=result.cached)
        return _Asked(said, said.reason, kept)

    def _reply(self, prompt: JudgePrompt, read: _Read) -> RequestResult:
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
            if not result.cached or local or _readable(result.completions[0].text, read):
                break
            # `random` is HELM's word for another sample: a place of its own in the cache.
            request = replace(request, random=f"attempt {attempt}")
        return result


def _readable(reply: str, read: _Read) -> bool:
    try:
        read(split_thought(reply).answer)
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
