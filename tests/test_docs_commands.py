"""README and docs are right: the commands, run entries, arguments, keys and variables that they name exist."""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import get_args

import click
import pytest
from pydantic import BaseModel

from alpaca_eval_suite.cards import load_card, load_instructions
from alpaca_eval_suite.cli.main import cli
from alpaca_eval_suite.errors import UsageError
from alpaca_eval_suite.evaluate import settings as settings_module
from alpaca_eval_suite.evaluate.plan import SUMMARIZER, Options, make_plan
from alpaca_eval_suite.evaluate.settings import Settings, make_settings
from alpaca_eval_suite.leaderboard.entry import Entry
from alpaca_eval_suite.leaderboard.record import RunRecord
from alpaca_eval_suite.stats import WinRate
from alpaca_eval_suite.types import Preference

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PROGRAMS = ("alpaca-suite", "helm-run", "helm-summarize", "helm-server")
CARD = """
{{name: {name}, title: t, description: d, source: s, licence: CC0-1.0, metric: preference, data: {{file: data.jsonl}},
  baseline: {{name: b, licence: CC0-1.0, source: s, data: {{file: data.jsonl}}, columns: {{id: id, output: output}}}}}}
"""


def text_of(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def endpoints_shown() -> str:
    """The endpoints.yaml that the page shows."""
    [shown] = re.findall(r"```yaml\n(endpoints:\n.*?)```", text_of("docs/run_specs.md"), re.DOTALL)
    return str(shown)


def command_lines() -> Iterator[tuple[str, list[str]]]:
    """(page and command, words) of every command in a bash block, continuation lines joined."""
    for page in PAGES:
        for block in re.findall(r"```bash\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
            for line in block.replace("\\\n", " ").splitlines():
                words = shlex.split(line, comments=True)
                while words and re.fullmatch(r"\w+=\S*", words[0]):
                    words.pop(0)
                if words and Path(words[0]).name in PROGRAMS:
                    yield f"{page.name}: {line}", [Path(words[0]).name, *words[1:]]


LINES = list(command_lines())


def lines_of(program: str) -> list[object]:
    return [pytest.param(words[1:], id=where) for where, words in LINES if words[0] == program]


def run_entries() -> list[str]:
    """Every run entry that the pages show: arguments of helm-run, lines of blocks, and examples in tables."""
    name = r"alpaca_(?:scenario|user_oriented_mini|user_oriented|capitals):[^\s`\"]+"
    found = {match for page in PAGES for match in re.findall(name, page.read_text("utf-8"))}
    # Names of runs look alike, and hold what no entry can.
    return sorted(entry for entry in found if "=" in entry and ",spec=" not in entry and "..." not in entry)


@pytest.fixture
def scenarios(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The scenarios of the pages that are not in the checkout as a whole, with one item each."""
    for name in ("user_oriented", "postcards", "quiz"):
        folder = tmp_path / "scenarios" / name
        folder.mkdir(parents=True)
        (folder / "card.yaml").write_text(CARD.format(name=name))
        (folder / "data.jsonl").write_text('{"id": "1", "instruction": "Say so.", "input": "", "output": "So."}\n')
    monkeypatch.setenv("ALPACA_SCENARIOS", str(tmp_path / "scenarios"))
    (tmp_path / "endpoints.yaml").write_text(endpoints_shown())
    for name in ("ALPACA_ENDPOINTS", "ALPACA_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "not-a-key")
    monkeypatch.chdir(tmp_path)


def parsed(entry: str) -> Settings:
    """The entry as HELM parses it and its run-spec function checks it."""
    from helm.benchmark.run_expander import RUN_EXPANDERS
    from helm.common.object_spec import parse_object_spec

    spec = parse_object_spec(entry)
    arguments = {key: value for key, value in spec.args.items() if key not in RUN_EXPANDERS}
    if spec.class_name != "alpaca_scenario":
        arguments["scenario"] = spec.class_name.removeprefix("alpaca_")
    return make_settings(**arguments)


def test_the_pages_show_commands() -> None:
    assert {words[0] for _, words in LINES} == set(PROGRAMS)
    assert len(run_entries()) > 10


@pytest.mark.parametrize("words", lines_of("alpaca-suite"))
def test_alpaca_suite_lines(words: list[str], scenarios: None) -> None:
    """Every command, option and value is known; click refuses what is not."""
    command: click.Command | None = cli
    with click.Context(cli) as context:
        while isinstance(command, click.Group):
            name, command, words = command.resolve_command(context, list(words))
            context = click.Context(command, info_name=name, parent=context) if command else context
        assert command is not None
        options = command.make_context(command.name, list(words)).params
    if command.name in ("eval", "quickstart"):
        asked = options.get("scenarios") or ("user_oriented_mini", "capitals")
        known = {field.name for field in fields(Options)}
        given = {key: value for key, value in options.items() if key in known and value is not None}
        # Folders and deployments of the pages are the reader's own.
        readers = {"model": "simple/model1", "outputs": None, "model_name": None}
        plan = make_plan(Options(**{**given, **readers, "scenarios": asked}))
        assert [stage.settings.scenario for stage in plan.stages] == list(asked)


@pytest.mark.parametrize("words", lines_of("helm-run"))
def test_helm_run_lines(words: list[str], scenarios: None) -> None:
    from helm.benchmark.run import build_parser

    options = build_parser().parse_args(words)
    assert options.run_entries or options.conf_paths
    assert options.models_to_run
    assert all(name.startswith("alpaca/") for name in options.models_to_run)
    for entry in options.run_entries:
        assert parsed(entry).scenario


@pytest.mark.parametrize("words", lines_of("helm-summarize"))
def test_helm_summarize_lines_name_our_summarizer(words: list[str]) -> None:
    assert words[words.index("--summarizer-class-name") + 1] == SUMMARIZER
    assert {word for word in words if word.startswith("--")} <= {"--suite", "--output-path", "--summarizer-class-name"}


@pytest.mark.parametrize("entry", run_entries())
def test_run_entries_are_accepted(entry: str, scenarios: None) -> None:
    assert parsed(entry).prompt_format in ("alpaca", "chat")


def test_the_summarizer_exists() -> None:
    from importlib import import_module

    module, _, name = SUMMARIZER.rpartition(".")
    assert isinstance(getattr(import_module(module), name), type)


def test_every_argument_of_a_run_spec_has_its_row() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", text_of("docs/run_specs.md"), re.MULTILINE)
    assert set(Settings.model_fields) <= set(rows)


def test_the_defaults_in_the_rows_are_right() -> None:
    text = text_of("docs/run_specs.md")
    for name in ("baseline", "orders", "seed", "prompt_format"):
        default = Settings.model_fields[name].default
        assert re.search(rf"^\| `{name}` \| `{default}`", text, re.MULTILINE), name
    for scenario in ("user_oriented", "user_oriented_mini", "capitals"):
        assert f"{load_card(scenario).decoding.max_tokens} for `{scenario}`" in text


def test_all_values_of_a_choice_are_named() -> None:
    text = text_of("docs/run_specs.md")
    values = {*get_args(settings_module.Orders), *get_args(settings_module.PromptFormat)}
    assert {value for value in values if f"`{value}`" not in text} == set()


def test_an_unknown_argument_is_refused_as_the_page_says() -> None:
    with pytest.raises(UsageError, match="sedd"):
        make_settings(scenario="capitals", sedd=1)


def test_the_names_that_helm_takes_are_those_of_its_expanders() -> None:
    from helm.benchmark.run_expander import RUN_EXPANDERS

    section = text_of("docs/run_specs.md").partition("## Names that HELM takes for itself")[2].partition("\n- ")[0]
    assert set(re.findall(r"`(\w+)`", section)) == set(RUN_EXPANDERS)
    assert set(Settings.model_fields).isdisjoint(RUN_EXPANDERS)


def nested_keys(model: type[BaseModel]) -> Iterator[str]:
    """The keys of a model and of every model in it."""
    for name, field in model.model_fields.items():
        yield name
        waiting = [field.annotation]
        while waiting:
            kind = waiting.pop()
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from nested_keys(kind)
            waiting += get_args(kind)


@pytest.mark.parametrize("model", [RunRecord, Entry])
def test_every_key_of_a_record_is_explained(model: type[BaseModel]) -> None:
    text = text_of("docs/results_format.md")
    assert sorted({key for key in nested_keys(model) if f"`{key}`" not in text}) == []


@pytest.mark.parametrize("kind", [Preference, WinRate])
def test_every_key_of_verdicts_and_win_rates_is_explained(kind: type) -> None:
    text = text_of("docs/results_format.md")
    assert [field.name for field in fields(kind) if f"`{field.name}`" not in text] == []


def test_the_printed_verdict_is_read(tmp_path: Path) -> None:
    from alpaca_eval_suite.stats import preference_to_json, read_preferences

    printed = re.findall(r"```json\n(.*?)```", text_of("docs/results_format.md"), re.DOTALL)[0]
    (tmp_path / "preferences.jsonl").write_text(printed)
    [preference] = read_preferences(tmp_path / "preferences.jsonl")
    assert preference_to_json(preference) == json.loads(printed)


def test_every_variable_of_ours_is_documented() -> None:
    code = "\n".join(path.read_text("utf-8") for path in (ROOT / "alpaca_eval_suite").rglob("*.py"))
    read = set(re.findall(r"""["'](ALPACA_[A-Z_]+[A-Z])["']""", code)) | set(re.findall(r"\$(ALPACA_[A-Z_]+)", code))
    documented = set(re.findall(r"^\| `(ALPACA_\w+)` \|", text_of("docs/run_specs.md"), re.MULTILINE))
    assert read == documented
    named = {name for page in PAGES for name in re.findall(r"\bALPACA_[A-Z_]+\b", page.read_text("utf-8"))}
    assert named <= documented


def test_the_deployment_that_the_page_shows_is_one_for_helm() -> None:
    import yaml
    from helm.benchmark.model_deployment_registry import ModelDeployment
    from helm.common.general import parse_hocon
    from helm.common.object_spec import get_class_by_name

    text = text_of("docs/judges.md")
    [shown] = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    [deployment] = yaml.safe_load(shown)["model_deployments"]
    assert ModelDeployment(name=deployment["name"], client_spec=None).host_organization == "mylab"  # type: ignore[arg-type]
    assert isinstance(get_class_by_name(deployment["client_spec"]["class_name"]), type)
    keys = [key for block in re.findall(r"```\n(\w+: \"\.\.\.\")\n```", text) for key in parse_hocon(block)]
    assert keys == ["openaiApiKey", "mylabApiKey"]


def test_the_endpoints_that_the_page_shows(scenarios: None) -> None:
    from alpaca_eval_suite.models.endpoint import Endpoint, read_endpoints

    urls = {name: endpoint.url for name, endpoint in read_endpoints().items()}
    assert urls["local"] == "http://127.0.0.1:8080/v1/chat/completions"
    assert urls["judge"] == "https://api.openai.com/v1/chat/completions"
    assert urls["lab"].endswith("/openai/deployments/our-gpt-4o/chat/completions?api-version=2024-10-21")
    section = text_of("docs/run_specs.md").partition("## Endpoints")[2].partition("\n## ")[0]
    assert [key for key in Endpoint.model_fields if key != "name" and f"`{key}`" not in section] == []


def test_links_between_pages_lead_somewhere() -> None:
    dead = []
    for page in [*PAGES, ROOT / "CONTRIBUTING.md"]:
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
            path, _, anchor = target.partition("#")
            if "://" in path:
                continue
            file = (page.parent / path).resolve() if path else page
            if not file.exists() or (anchor and anchor not in anchors(file)):
                dead.append(f"{page.name}: {target}")
    assert dead == []


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_counts_that_the_pages_name() -> None:
    assert len(load_instructions(load_card("user_oriented_mini"))) == 72
    assert len(load_instructions(load_card("capitals"))) == 195
    readme = text_of("README.md")
    assert "72 everyday instructions and 195 questions" in readme
