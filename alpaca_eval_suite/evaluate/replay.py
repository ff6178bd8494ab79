"""Outputs that exist already, inside HELM: `outputs/SCENARIO/PATH` answers each prompt with what the file says.

`outputs/SCENARIO/PATH@NAME` calls the model NAME where the rows do not, or otherwise. The file's content is the
identity, as a checkpoint's is. How the outputs were made is not known, so nothing is said of it: no prompt, no
decoding, no rate of answers that were cut off.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from helm.benchmark.model_deployment_registry import ClientSpec, ModelDeployment
from helm.clients.client import Client
from helm.common.request import EMBEDDING_UNAVAILABLE_REQUEST_RESULT, GeneratedOutput, Request, RequestResult
from helm.proxy.retry import NonRetriableException

from alpaca_eval_suite.cards import OutputsFile, load_card, load_instructions, match_outputs, outputs_hash, read_outputs
from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.evaluate import progress
from alpaca_eval_suite.evaluate.scenario import request_text
from alpaca_eval_suite.prompts import PROMPT_FORMATS
from alpaca_eval_suite.types import Instruction

PREFIX = "outputs/"
UNKNOWN = "unknown"
"""The form of the prompt that outputs from a file answered."""

_HOW = "A model of this kind is written outputs/SCENARIO/PATH."


@dataclass(frozen=True)
class Replayed:
    """What `outputs/SCENARIO/PATH` stands for: a file of outputs for one scenario, and the SHA-256 of the file."""

    scenario: str
    outputs: OutputsFile
    sha256: str

    @property
    def deployment(self) -> str:
        """The name without the place of the file on somebody's disk."""
        return f"{PREFIX}{self.scenario}/{self.outputs.path.name}"


def deployment_name(scenario: str, path: Path, model: str | None = None) -> str:
    """The HELM deployment for a file of outputs. Raises SuiteError where `open_outputs` and `answers_of` do."""
    load_card(scenario)
    if not path.expanduser().is_file():
        raise UsageError("there is no such file", where=str(path), next_step="Give a file of outputs.")
    name = f"{PREFIX}{scenario}/{path.expanduser().resolve()}" + (f"@{model}" if model else "")
    answers_of(name)
    return name


def deployment(name: str) -> ModelDeployment:
    """The deployment of `outputs/SCENARIO/PATH`. Raises SuiteError where `open_outputs` and `answers_of` do."""
    answers_of(name)
    return ModelDeployment(
        name=name,
        # HELM calls a model by the last two parts of its deployment's name.
        model_name="/".join(name.split("/")[-2:]),
        client_spec=ClientSpec(f"{__name__}.ReplayClient", {"deployment": name}),
    )


@lru_cache(maxsize=32)
def open_outputs(name: str) -> Replayed:
    """The file behind `outputs/SCENARIO/PATH` or `outputs/SCENARIO/PATH@NAME`. Raises SuiteError when it is not one."""
    scenario, _, place = name.removeprefix(PREFIX).partition("/")
    load_card(scenario)
    for path, model in _readings(place):
        if path.is_file():
            outputs = read_outputs(path, model)
            return Replayed(scenario, outputs, outputs_hash(outputs))
    raise UsageError("there is no such file", where=place or name, next_step=_HOW)


def _readings(place: str) -> Iterator[tuple[Path, str | None]]:
    """The ways to read PATH@NAME: a path may hold an @ too, so the longest path goes first."""
    path, name = place, ""
    while path:
        yield Path(path).expanduser(), name or None
        path, _, rest = path.rpartition("@")
        name = f"{rest}@{name}" if name else rest


@lru_cache(maxsize=32)
def answers_of(name: str) -> dict[str, str]:
    """The output for each prompt of the scenario, in every form of the prompt.

    Raises SuiteError for outputs that do not fit the items (see match_outputs), and for items that ask the same but
    have different outputs: HELM tells requests apart by what they ask.
    """
    replayed = open_outputs(name)
    items = load_instructions(load_card(replayed.scenario))
    found = match_outputs(replayed.outputs, items)
    answers: dict[str, str] = {}
    first: dict[str, Instruction] = {}
    for prompt_format in PROMPT_FORMATS:
        for item in items:
            text = request_text(item, prompt_format)  # type: ignore[arg-type]
            other = first.setdefault(text, item)
            if answers.setdefault(text, found[item.id].output) != found[item.id].output:
                raise SuiteError(
                    f"the items {other.id} and {item.id} of {replayed.scenario} ask the same, but their outputs differ",
                    where=str(replayed.outputs.path),
                    next_step="Keep one of the two items.",
                )
    return answers


class ReplayClient(Client):  # type: ignore[misc]
    """Answers HELM's requests from a file; nothing is generated and nothing is cached."""

    def __init__(self, deployment: str) -> None:
        self._replayed = open_outputs(deployment)
        self._answers = answers_of(deployment)

    def make_request(self, request: Request) -> RequestResult:
        """HELM's contract. Raises NonRetriableException, with a SuiteError behind it, for a prompt of no item."""
        if request.embedding:
            return EMBEDDING_UNAVAILABLE_REQUEST_RESULT
        progress.check_stop()
        asked = request.messages[-1]["content"] if request.messages else request.prompt
        if asked not in self._answers:
            raise NonRetriableException("no output for a prompt") from SuiteError(
                f"holds no output for what was asked: {asked[:200]!r}",
                where=str(self._replayed.outputs.path),
                next_step=f"It answers the scenario {self._replayed.scenario} only, and its prompts as they are.",
            )
        progress.done("answer")
        text = self._answers[asked]
        return RequestResult(
            success=True,
            cached=False,
            request_time=0.0,
            request_datetime=int(time.time()),
            completions=[GeneratedOutput(text=text, logprob=0.0, tokens=[]) for _ in range(request.num_completions)],
            embedding=[],
        )
