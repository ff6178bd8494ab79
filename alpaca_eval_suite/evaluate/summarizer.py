"""helm-summarize with our schema: `--summarizer-class-name alpaca_eval_suite.evaluate.summarizer.AlpacaSummarizer`."""

import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from helm.benchmark.adaptation.adapter_spec import AdapterSpec
from helm.benchmark.model_metadata_registry import (
    FULL_FUNCTIONALITY_TEXT_MODEL_TAG,
    TEXT_MODEL_TAG,
    ModelMetadata,
    get_all_models,
    register_model_metadata,
)
from helm.benchmark.presentation.schema import Field, RunGroup, Schema, get_default_schema_path
from helm.benchmark.presentation.summarize import Run, Summarizer
from helm.benchmark.run_spec import RunSpec
from helm.benchmark.scenarios.scenario import ScenarioSpec
from helm.common.hierarchical_logger import hwarn

from alpaca_eval_suite.cards import load_card
from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.evaluate import replay
from alpaca_eval_suite.evaluate.local import PREFIX
from alpaca_eval_suite.files import sha256_text
from alpaca_eval_suite.leaderboard.record import read_record
from alpaca_eval_suite.resources import resource_dir

_METRIC_GROUPS = {
    "preference": ["alpaca_preference", "alpaca_judge", "alpaca_checks", "alpaca_outputs"],
    "short_answer": ["alpaca_short_answer", "alpaca_probe_judge", "alpaca_outputs"],
    "misinformation": ["alpaca_misinformation", "alpaca_probe_judge", "alpaca_outputs"],
    "stereotypes": ["alpaca_stereotypes", "alpaca_probe_judge", "alpaca_outputs"],
    "toxicity": ["alpaca_toxicity", "alpaca_probe_judge", "alpaca_outputs"],
}
_LONGEST = 40
_FINGERPRINT = re.compile(r"fingerprint=([0-9a-f]+)")


class AlpacaSummarizer(Summarizer):  # type: ignore[misc]
    """HELM's summarizer that knows our schema, our local models and every scenario with a card.

    A schema given by `--schema-path` is used as it is.
    """

    schema: Schema

    def __init__(self, *, schema_path: str | None, **rest: Any) -> None:
        if schema_path == get_default_schema_path():
            schema_path = str(resource_dir("run_specs") / "schema_alpaca.yaml")
        super().__init__(schema_path=schema_path, **rest)

    def read_runs(self) -> None:
        """HELM's hook. A run that a full disk or a kill left half-written is left out, and HELM's log names it."""
        self._half_written: list[Run] = []
        super().read_runs()
        self.runs: list[Run] = [run for run in self.runs if run not in self._half_written]

    def read_run(self, run_path: str) -> Run:
        """A run whose model is named by folder and fingerprint, and whose scenario by judge and baseline too.

        HELM averages runs that agree in model and scenario: a checkpoint trained further, or another judge, must
        not be averaged away.
        """
        if damaged := _damaged_file(Path(run_path)):
            hwarn(f"{damaged} is half-written, the run is left out; the command that made it makes it anew")
            nothing = RunSpec(Path(run_path).name, ScenarioSpec("", {}), AdapterSpec(), metric_specs=[], groups=[])
            self._half_written.append(Run(run_path, nothing, stats=[]))
            return self._half_written[-1]
        run = super().read_run(run_path)
        spec = run.run_spec
        mark = _FINGERPRINT.search(spec.name)
        if mark is not None:
            folder = str(spec.adapter_spec.model).rpartition("/")[2]
            name = f"{PREFIX}{folder}@{mark[1]}"
            from_file = str(spec.adapter_spec.model_deployment).startswith(replay.PREFIX)
            if from_file:
                _register(name, _model_of(Path(run_path)) or folder, mark[1], "Outputs from a file")
            else:
                _register(name, folder, mark[1], "Local checkpoint")
            spec = replace(spec, adapter_spec=replace(spec.adapter_spec, model=name, model_deployment=name))
        for metric in spec.metric_specs:
            settings = metric.args.get("settings", {})
            told_apart = {
                key: _brief(settings[key]) for key in ("judge", "baseline", "orders", "seed") if key in settings
            }
            spec = replace(
                spec,
                scenario_spec=replace(spec.scenario_spec, args={**spec.scenario_spec.args, **told_apart}),
            )
        return replace(run, run_spec=spec)

    def fix_up_schema(self) -> None:
        """HELM's hook after the runs are read: scenarios are added, columns that no run fills are left out."""
        self._add_scenarios()
        self._drop_empty_columns()
        self._name_slices()
        super().fix_up_schema()

    def _add_scenarios(self) -> None:
        schema: Schema = self.schema
        known = {group.name for group in schema.run_groups}
        named = {group for run in self.runs for group in run.run_spec.groups if group.startswith("alpaca_")}
        added = [_run_group(name) for name in sorted(named - known)]
        groups = [
            replace(group, subgroups=[*group.subgroups, *(new.name for new in added)])
            if group.name == "alpaca_scenarios"
            else group
            for group in schema.run_groups
        ]
        self.schema = replace(schema, run_groups=[*groups, *added])

    def _name_slices(self) -> None:
        """Rates of slices have no columns, but HELM warns of each stat without a name."""
        present = {stat.name.name for run in self.runs for stat in run.stats}
        unnamed = sorted(present - {metric.name for metric in self.schema.metrics})
        fields = [Field(name=name, display_name=name.removeprefix("alpaca_")) for name in unnamed]
        self.schema = replace(self.schema, metrics=[*self.schema.metrics, *fields])

    def _drop_empty_columns(self) -> None:
        present = {stat.name.name for run in self.runs for stat in run.stats}
        filled = [
            replace(group, metrics=[column for column in group.metrics if column.name in present])
            for group in self.schema.metric_groups
        ]
        kept = {group.name for group in filled if group.metrics}
        self.schema = replace(
            self.schema,
            metric_groups=[group for group in filled if group.metrics],
            run_groups=[
                replace(group, metric_groups=[name for name in group.metric_groups if name in kept])
                for group in self.schema.run_groups
            ],
        )


def _damaged_file(folder: Path) -> Path | None:
    for path in sorted(folder.glob("*.json")):
        try:
            json.loads(path.read_text("utf-8"))
        except ValueError:
            return path
    return None


def _brief(value: Any) -> Any:
    """HELM makes file names of these, and a path may be too long for one."""
    if not isinstance(value, str) or len(value) <= _LONGEST:
        return value
    return f"{value[-_LONGEST:].rpartition('/')[2]}-{sha256_text(value)[:8]}"


def _model_of(run_path: Path) -> str | None:
    """Whose outputs were scored, which the record knows and the run's name need not say."""
    try:
        return read_record(run_path).model.name
    except SuiteError:
        return None


def _register(name: str, folder: str, fingerprint: str, kind: str) -> None:
    if name in get_all_models():
        return
    register_model_metadata(
        ModelMetadata(
            name=name,
            creator_organization_name=kind,
            display_name=f"{folder} ({fingerprint})",
            description=f"{kind}: {folder}, told by its content: {fingerprint}",
            access="open",
            release_date=date.today(),
            tags=[TEXT_MODEL_TAG, FULL_FUNCTIONALITY_TEXT_MODEL_TAG],
        )
    )


def _run_group(name: str) -> RunGroup:
    scenario = name.removeprefix("alpaca_")
    try:
        card = load_card(scenario)
    except SuiteError:
        # The user's folder may be gone when old runs are summarised; their numbers are still good.
        return RunGroup(name=name, display_name=scenario, metric_groups=_METRIC_GROUPS["preference"])
    return RunGroup(
        name=name, display_name=card.title, description=card.description, metric_groups=_METRIC_GROUPS[card.metric]
    )
