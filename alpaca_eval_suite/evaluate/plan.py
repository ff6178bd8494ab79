"""An evaluation as the three command lines that it stands for, checked before anything heavy begins."""

import shlex
from dataclasses import dataclass
from pathlib import Path

from alpaca_eval_suite.cards import load_card, load_instructions
from alpaca_eval_suite.errors import UsageError
from alpaca_eval_suite.evaluate import replay
from alpaca_eval_suite.evaluate.judges import judge_spec
from alpaca_eval_suite.evaluate.local import open_checkpoint
from alpaca_eval_suite.evaluate.remote import check_endpoint, endpoint_of
from alpaca_eval_suite.evaluate.settings import AUTO, NONE, Settings, make_settings
from alpaca_eval_suite.evaluate.trained_prompt import warning
from alpaca_eval_suite.judge.schema import Orders
from alpaca_eval_suite.models.embedded import EMBEDDED_MODELS

LOCAL = "alpaca/"
# Those that helm_plugin registers by name; any other runs as alpaca_scenario.
_OWN_RUN_SPECS = ("user_oriented", "user_oriented_mini", "capitals", "misinformation", "stereotypes", "toxicity")
SUMMARIZER = "alpaca_eval_suite.evaluate.summarizer.AlpacaSummarizer"

_BYTES_PER_SECOND = 27e9
"""Weights (as stored) times tokens a second at batch 16: 100 tokens of the embedded model, measured on 2 cores."""


@dataclass(frozen=True)
class Options:
    """What the person asked for. `model`: a checkpoint folder, an embedded model's name, or a HELM deployment.

    `outputs` is a file of outputs in the place of a model, for the one scenario that is named; `model_name` is whose
    they are, where the rows do not say it. `judge` compares; `probe_judge` labels the answers to probes in the place
    of their rules. `orders` None: as the judge's file says, which is both where it says nothing.
    """

    model: str | None
    scenarios: tuple[str, ...]
    outputs: Path | None = None
    model_name: str | None = None
    judge: str = "auto"
    probe_judge: str = NONE
    baseline: str = "card"
    orders: Orders | None = None
    seed: int = 0
    prompt_format: str = "alpaca"
    max_tokens: int | None = None
    thinking: str = "strip"
    thinking_tokens: int = 0
    limit: int | None = None
    suite: str = "alpaca"
    output_path: Path = Path("benchmark_output")
    results: Path = Path("results")
    threads: int = 32


@dataclass(frozen=True)
class Stage:
    """One scenario of the run: how many answers and verdicts it will take."""

    settings: Settings
    n_items: int

    @property
    def n_verdicts(self) -> int:
        """How often a judge is asked; a program of ours is asked once a pair, a probe's judge once an answer."""
        spec = self.settings.judge_spec()
        if spec is None:
            return 0
        twice = self.settings.orders == "both" and self.settings.compares and not spec.is_builtin
        return self.n_items * (2 if twice else 1)


@dataclass(frozen=True)
class Plan:
    """Everything a run needs to know before it starts."""

    options: Options
    deployment: str
    stages: tuple[Stage, ...]

    @property
    def entries(self) -> list[str]:
        """HELM's run entries, one a scenario."""
        return [_entry(stage.settings) for stage in self.stages]

    @property
    def suite(self) -> str:
        """The suite's name; a limited run never overwrites a whole one."""
        return f"{self.options.suite}-limit-{self.options.limit}" if self.options.limit else self.options.suite

    @property
    def suite_folder(self) -> Path:
        """Where HELM puts the runs."""
        return self.options.output_path / "runs" / self.suite

    @property
    def warnings(self) -> list[str]:
        """What should be known before the run: a prompt that is not the one of the training."""
        found = warning(self.deployment, self.stages[0].settings.prompt_format)
        return [found] if found else []

    def seconds_on_two_cores(self) -> float | None:
        """How long the answers take at most on two cores without a GPU, none from the cache; None for a server."""
        if not self.deployment.startswith(LOCAL):
            return None
        size = sum(path.stat().st_size for path in open_checkpoint(self.deployment).weights)
        tokens = sum(
            stage.n_items * (stage.settings.decoding.max_tokens + stage.settings.thinking_tokens)
            for stage in self.stages
        )
        return tokens * size / _BYTES_PER_SECOND

    def run_line(self) -> list[str]:
        """helm-run and its arguments."""
        limit = self.options.limit or max(stage.n_items for stage in self.stages)
        return [
            "helm-run",
            *("--run-entries", *self.entries),
            *("--models-to-run", self.deployment),
            *("--suite", self.suite),
            *("--max-eval-instances", str(limit)),
            *("--num-threads", str(self.options.threads)),
            *("--output-path", str(self.options.output_path)),
            "--exit-on-error",
        ]

    def summarize_line(self) -> list[str]:
        """helm-summarize and its arguments."""
        return [
            "helm-summarize",
            *("--suite", self.suite),
            *("--output-path", str(self.options.output_path)),
            *("--summarizer-class-name", SUMMARIZER),
        ]

    def build_line(self) -> list[str]:
        """The leaderboard's command."""
        return [
            *("alpaca-suite", "leaderboard", "build"),
            *("--runs", str(self.options.output_path)),
            *("--suite", self.suite),
            *("--out", str(self.options.results)),
        ]

    def lines(self) -> list[str]:
        """The three commands, ready to be typed."""
        return [shlex.join(line) for line in (self.run_line(), self.summarize_line(), self.build_line())]


def make_plan(options: Options) -> Plan:
    """Check everything that can be checked without running the model.

    Raises SuiteError or UsageError for an unknown model, scenario, judge or baseline, or data that is not there.
    """
    if not options.scenarios:
        raise UsageError("no scenario is named", next_step="Give --scenario NAME.")
    for name in (options.judge, options.probe_judge, options.baseline):
        if any(sign in name for sign in ",="):
            raise UsageError(
                "a comma or an equals sign in a name cannot be passed to HELM",
                where=name,
                next_step="Rename the file or give it through a link.",
            )
    if Path(options.suite).name != options.suite or options.suite in ("", ".."):
        raise UsageError(
            f"{options.suite!r} is no name of a suite",
            next_step="It is one folder under runs/; where those are is said by --output-path.",
        )
    deployment = _replayed(options) if options.outputs else _deployment(options.model or "")
    chat = options.prompt_format == "chat"
    for name in (deployment, options.baseline):
        check_endpoint(name, chat=chat)
    for name in (options.judge, options.probe_judge):
        if name not in (AUTO, NONE):
            check_endpoint(str(judge_spec(name).model), chat=True)
    orders = {} if options.orders is None else {"orders": options.orders}
    stages = []
    for name in options.scenarios:
        # The judge of pairs never takes a rule's place unasked: it would cost, and change what is measured.
        compares = load_card(name).metric == "preference"
        settings = make_settings(
            scenario=name,
            judge=options.judge if compares else options.probe_judge,
            baseline=options.baseline if compares else "card",
            seed=options.seed,
            prompt_format=options.prompt_format,
            max_tokens=options.max_tokens,
            thinking=options.thinking,
            thinking_tokens=options.thinking_tokens,
            **orders,
        )
        n_items = len(load_instructions(settings.card))
        stages.append(Stage(settings, min(n_items, options.limit or n_items)))
    return Plan(options, deployment, tuple(stages))


def _replayed(options: Options) -> str:
    if options.model or len(options.scenarios) != 1:
        raise UsageError(
            "outputs are scored in the place of a model, and on one scenario",
            next_step="Give --outputs FILE and --scenario NAME, without --model.",
        )
    return replay.deployment_name(options.scenarios[0], options.outputs or Path(), options.model_name)


def _deployment(model: str) -> str:
    if endpoint_of(model):
        return model
    name = model.removeprefix(LOCAL)
    folder = Path(name).expanduser()
    if folder.exists():
        return LOCAL + str(folder.resolve())
    if name in EMBEDDED_MODELS:
        return LOCAL + name
    if model.startswith(replay.PREFIX):
        replay.open_outputs(model)
        return model
    looks_like_folder = model.startswith((LOCAL, "/", ".", "~")) or model.count("/") != 1
    if looks_like_folder:
        raise UsageError(
            f"there is no folder {model!r}, and no embedded model of that name",
            next_step=f"Give a checkpoint folder, an embedded model ({', '.join(EMBEDDED_MODELS)}), or a HELM "
            "deployment (organisation/model).",
        )
    return model


def _entry(settings: Settings) -> str:
    """The shortest run entry that means these settings: defaults are left out."""
    known = settings.scenario in _OWN_RUN_SPECS
    spec = settings.judge_spec()
    own_orders = spec.orders if spec and settings.compares and not spec.is_builtin else "both"
    given = {
        "scenario": None if known else settings.scenario,
        "prompt_format": settings.prompt_format,
        "judge": settings.judge,
        "baseline": None if settings.baseline == "card" else settings.baseline,
        "orders": None if settings.orders == own_orders else settings.orders,
        "seed": settings.seed or None,
        "max_tokens": settings.max_tokens,
        "thinking": None if settings.thinking == "strip" else settings.thinking,
        "thinking_tokens": settings.thinking_tokens or None,
    }
    name = f"alpaca_{settings.scenario}" if known else "alpaca_scenario"
    return f"{name}:" + ",".join(f"{key}={value}" for key, value in given.items() if value is not None)
