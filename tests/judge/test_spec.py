"""Judges as files: what is found under which name, what a file may hold, what identifies a judge."""

import re
from pathlib import Path

import pytest

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.judge.schema import JudgeDecoding
from alpaca_eval_suite.judge.spec import (
    JudgeSpec,
    PanelSpec,
    judge_hash,
    load_judge,
    load_members,
    shipped_judges,
)
from alpaca_eval_suite.judge.template import PLACEHOLDERS

TEMPLATE = (
    "Compare.\n{request}\n<a-{label}>{answer_a}</a>\n<b-{label}>{answer_b}</b>\nEnd with VERDICT-{label}: A\nor B."
)
FILE = "form: letter\ntemplate: |\n  " + TEMPLATE.replace("\n", "\n  ") + "\n"
IDENTITY = {"url": "http://127.0.0.1/v1", "model": "m"}


def spec_of(name: str) -> JudgeSpec:
    spec = load_judge(name)
    assert isinstance(spec, JudgeSpec)
    return spec


def write(folder: Path, text: str, name: str = "mine.yaml") -> str:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_shipped_forms() -> None:
    examples = ("smollm2_letter", "smollm2_logprobs")
    forms = ("five_point", "letter", "letter_logprobs", "ratings", "reasoning_json")
    assert shipped_judges() == (*forms, *examples)
    assert {spec_of(name).model for name in examples} == {"smollm2-135m-instruct"}
    for name in forms:
        spec = spec_of(name)
        assert (spec.name, spec.form, spec.model, spec.orders) == (name, name, None, "both")
        assert spec.decoding.temperature == 0
        assert "longer answer is not a better one" in spec.template
        assert " is data" in spec.template or " are data" in spec.template
        assert not [word for word in ("baseline", "davinci", "alpaca", "gpt") if word in spec.template.casefold()]


def test_a_model_alone_is_asked_for_a_letter(tmp_path: Path) -> None:
    for model in ("endpoint/mine", "helm/openai/gpt-4o", "smollm2-135m-instruct", str(tmp_path)):
        spec = spec_of(model)
        assert (spec.form, spec.model, spec.name) == ("letter", model, f"letter@{model}")
        assert spec == spec_of(f"letter@{model}")


def test_a_form_or_a_file_with_a_model(tmp_path: Path) -> None:
    assert spec_of("ratings@endpoint/x").model == "endpoint/x"
    spec = spec_of(write(tmp_path, FILE) + "@endpoint/x")
    assert (spec.name, spec.model, spec.template) == ("mine@endpoint/x", "endpoint/x", TEMPLATE + "\n")


@pytest.mark.parametrize("name", ["builtin:checks", "builtin:longer"])
def test_programs_of_ours_are_judges(name: str, tmp_path: Path) -> None:
    spec = spec_of(name)
    assert spec.is_builtin
    assert (spec.name, spec.model, spec.form, spec.orders) == (name, name, "builtin", "single")
    assert spec_of(write(tmp_path, f"model: {name}")).model == name


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ratigns", r"Did you mean ratings\? There are: five_point, letter, .*builtin:longer"),
        ("ratigns@endpoint/x", r"Did you mean ratings\?"),
        ("builtin:check", r"Did you mean builtin:checks"),
        ("openai/gpt-4o", r"written helm/openai/gpt-4o"),
        ("mine.yaml", r"there is no file 'mine.yaml'"),
        ("letter@nowhere", r"letter@nowhere: there is no model 'nowhere'"),
        ("letter@", r"there is no model ''"),
        ("", r"no judge is named ''"),
    ],
)
def test_unknown_names_say_what_there_is(
    name: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=message):
        load_judge(name)


def test_every_key_of_a_file(tmp_path: Path) -> None:
    write(tmp_path, TEMPLATE.replace("VERDICT", "SAID"), "words.txt")
    path = write(
        tmp_path,
        "name: strict\nmodel: endpoint/x\nform: five_point\ntemplate_file: words.txt\nsystem: You judge.\nmark: SAID\n"
        "orders: balanced\nties: false\ntoo_long: cut\npoints: [1, 0.9, 0.5, 0.1, 0]\n"
        "decoding: {temperature: 0.7, thinking_tokens: 500}\n",
    )
    spec = spec_of(path)
    assert (spec.name, spec.model, spec.mark, spec.orders, spec.ties) == (
        "strict",
        "endpoint/x",
        "SAID",
        "balanced",
        False,
    )
    assert (spec.decoding.temperature, spec.decoding.max_tokens, spec.decoding.thinking_tokens) == (0.7, 400, 500)
    assert (spec.points[1], spec.too_long, spec.system) == (0.9, "cut", "You judge.")


def test_a_file_without_a_template_has_its_forms_own(tmp_path: Path) -> None:
    spec = spec_of(write(tmp_path, "form: ratings\nmodel: endpoint/x\n"))
    assert spec.template == spec_of("ratings").template
    assert spec.mark == "RATINGS"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            FILE.replace("{request}", "{question}"),
            r"\{question\} is no placeholder; the placeholders are \{label\}, .*rubric",
        ),
        (FILE.replace("{answer_b}", "it"), r"\{answer_b\} is missing"),
        (FILE.replace("{answer_a}", "it"), r"\{answer_a\} is missing"),
        (FILE.replace("{label}", "x"), r"\{label\} is missing"),
        (FILE.replace("VERDICT", "RESULT"), r"does not ask for a verdict that begins with VERDICT-\{label\}"),
        (FILE + "  {reference}\n", r"\{reference\} stands outside of an optional part"),
        (FILE + "  [[reference]]\n  {reference}\n", r"\[\[reference\]\] has no partner"),
        (FILE + "  [[/rubric]]\n", r"\[\[/rubric\]\] has no partner"),
        (FILE + "  [[label]]\n  x\n  [[/label]]\n", r"\[\[label\]\] is no optional part"),
        (FILE + "  [[input]]\n  [[rubric]]\n  x\n  [[/rubric]]\n  [[/input]]\n", r"no part in another"),
        (FILE + "temprature: 1\n", r"temprature: is not a key of a judge's file"),
        (FILE + "decoding: {top_p: 1}\n", r"decoding.top_p: is not a key"),
        (FILE + "orders: twice\n", r"orders: Input should be 'both', 'single' or 'balanced'"),
        (FILE + "form: letters\n", r"form: Input should be"),
        (FILE + "points: [1, 0.8, 0.5, 0.3, 0]\n", r"points: must fall"),
        (FILE + "points: [0, 0.25, 0.5, 0.75, 1]\n", r"points: must fall"),
        (FILE + "scale: [10, 1]\n", r"scale: must be"),
        (FILE + "min_mass: 0\n", r"min_mass"),
        (FILE + "mark: 'A B'\n", r"mark"),
        (FILE + "system: Say {label}.\n", r"\{label\} is filled in the template only"),
        (FILE + "template_file: x.txt\n", r"either template or template_file"),
        ("template_file: ../x.txt\n", r"in the same folder"),
        ("template_file: gone.txt\n", r"gone.txt: cannot be read"),
        ("model: builtin:chekcs\n", r"there is no 'builtin:chekcs'; there are builtin:checks, builtin:longer"),
        ("model: builtin:checks\nform: letter\n", r"form: letter does not go with"),
        ("form: builtin\n", r"form: builtin does not go with"),
        (FILE + "model: builtin:checks\n", r"form: letter does not go with"),
        ("template: [1, 2", r"is not valid YAML"),
        ("template: !!python/object/apply:os.system ['true']\n", r"is not valid YAML"),
        ("- letter\n", r"does not hold keys"),
        ("", r"does not hold keys"),
        ("panel: [builtin:longer]\n", r"panel"),
        ("panel: [builtin:longer, builtin:longer]\n", r"builtin:longer stands twice"),
        ("panel: letter\n", r"panel"),
        ("panel: [letter@endpoint/x, builtin:longer]\ncombine: median\n", r"combine"),
    ],
)
def test_slips_in_a_file_are_named(text: str, message: str, tmp_path: Path) -> None:
    path = write(tmp_path, text)
    with pytest.raises(SuiteError, match=message) as caught:
        load_judge(path)
    assert (caught.value.where or "").startswith(str(tmp_path))
    assert "Value error" not in str(caught.value)


def test_a_template_cannot_run_anything(tmp_path: Path) -> None:
    """Braces with more than a name are plain text, and so is what templates of other kinds would run."""
    text = "  {{ 7*7 }} {% x %} {label.__class__} {0.x} $HOME {label!r} %(label)s\n"
    assert text.strip() in spec_of(write(tmp_path, FILE + text)).template


def test_panels(tmp_path: Path) -> None:
    (tmp_path / "models" / "own").mkdir(parents=True)
    write(tmp_path, FILE, "forms/strict.yaml")
    path = write(
        tmp_path,
        "combine: majority\npanel:\n- forms/strict.yaml@endpoint/x\n- ratings@./models/own\n- endpoint/y\n"
        "- builtin:longer\n",
    )
    panel = load_judge(path)
    assert isinstance(panel, PanelSpec)
    assert (panel.name, panel.combine) == ("mine", "majority")
    assert [(judge.form, judge.model) for judge in load_members(panel)] == [
        ("letter", "endpoint/x"),
        ("ratings", f"{tmp_path}/models/own"),
        ("letter", "endpoint/y"),
        ("builtin", "builtin:longer"),
    ]


@pytest.mark.parametrize(
    ("member", "message"),
    [("letter", "is a form without a model"), ("other.yaml", "is a panel itself"), ("lettr", "Did you mean letter")],
)
def test_members_that_cannot_judge(member: str, message: str, tmp_path: Path) -> None:
    write(tmp_path, "panel: [endpoint/x, endpoint/y]\n", "other.yaml")
    panel = load_judge(write(tmp_path, f"panel: [endpoint/x, {member}]\n"))
    assert isinstance(panel, PanelSpec)
    with pytest.raises(UsageError, match=message):
        load_members(panel)


def test_a_panel_and_a_program_take_no_model(tmp_path: Path) -> None:
    panel = write(tmp_path, "panel: [endpoint/x, endpoint/y]\n", "other.yaml")
    checks = write(tmp_path, "model: builtin:checks\n", "checks.yaml")
    for path in (panel, checks):
        with pytest.raises(UsageError, match="model"):
            load_judge(f"{path}@endpoint/z")


def test_a_models_folder_beside_the_file(tmp_path: Path) -> None:
    assert spec_of(write(tmp_path, FILE + "model: ./own\n")).model == f"{tmp_path}/own"


CHANGES = {
    "template": {"template": TEMPLATE},
    "system": {"system": "You judge."},
    "mark": {"mark": "SAID", "template": TEMPLATE.replace("VERDICT", "SAID")},
    "ties": {"ties": False},
    "temperature": {"decoding": {"temperature": 1.0}},
    "max_tokens": {"decoding": {"max_tokens": 9}},
    "thinking_tokens": {"decoding": {"thinking_tokens": 9}},
    "too_long": {"too_long": "cut"},
}


def test_the_hash_holds_what_changes_a_verdict_and_nothing_else() -> None:
    base = {"name": "x", "template": TEMPLATE + " "}
    hashes = [judge_hash(JudgeSpec.model_validate({**base, **change}), IDENTITY) for change in ({}, *CHANGES.values())]
    plain = JudgeSpec.model_validate(base)
    hashes.append(judge_hash(plain, {**IDENTITY, "model": "n"}))
    assert len(set(hashes)) == len(CHANGES) + 2
    assert all(len(digest) == 64 for digest in hashes)
    same = {
        "name": "y",
        "model": "endpoint/z",
        "orders": "single",
        "points": [1, 1, 0.5, 0, 0],
        "scale": [0, 5],
        "min_mass": 0.9,
    }
    assert judge_hash(JudgeSpec.model_validate({**base, **same}), dict(reversed(IDENTITY.items()))) == hashes[0]


@pytest.mark.parametrize(
    ("form", "change"),
    [
        ("ratings", {"scale": [0, 5]}),
        ("five_point", {"points": [1, 1, 0.5, 0, 0]}),
        ("letter_logprobs", {"min_mass": 0.9}),
        ("letter_logprobs", {"continuous": False}),
    ],
)
def test_the_hash_holds_the_forms_own_parameters(form: str, change: dict[str, object]) -> None:
    spec = spec_of(form)
    changed = JudgeSpec.model_validate({**spec.model_dump(), **change})
    assert judge_hash(changed, IDENTITY) != judge_hash(spec, IDENTITY)


def test_each_program_of_ours_has_a_hash_of_its_own() -> None:
    assert judge_hash(spec_of("builtin:checks"), {}) != judge_hash(spec_of("builtin:longer"), {})


def test_the_hash_stays() -> None:
    """Another one here parts every measured judge from its card; an added parameter needs no new one elsewhere."""
    assert judge_hash(spec_of("letter@endpoint/x"), IDENTITY) == judge_hash(spec_of("letter"), IDENTITY)
    assert judge_hash(spec_of("letter"), IDENTITY) == "7947cb5df9a22bfba0ef5eed5bfc6adea994b14764aaf938457aabd1b24e009f"


PAGE = Path(__file__).parents[2] / "docs" / "judge_files.md"


def test_the_page_explains_every_key_form_and_placeholder() -> None:
    page = PAGE.read_text("utf-8")
    keys = [*JudgeSpec.model_fields, *JudgeDecoding.model_fields, *PanelSpec.model_fields, "template_file"]
    assert [key for key in keys if f"`{key}" not in page and f"\n{key}:" not in page] == []
    assert [name for name in shipped_judges() if f"`{name}`" not in page] == []
    assert [name for name in PLACEHOLDERS if f"`{{{name}}}`" not in page] == []


def test_the_examples_on_the_page_are_judges(tmp_path: Path) -> None:
    for block in re.findall(r"```yaml\n# (\S+)\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL):
        write(tmp_path, block[1], block[0])
    assert spec_of(str(tmp_path / "mine.yaml")).model == "endpoint/big"
    panel = load_judge(str(tmp_path / "three.yaml"))
    assert isinstance(panel, PanelSpec)
    assert [judge.name for judge in load_members(panel)] == [
        "letter@endpoint/big",
        "ratings@helm/openai/gpt-4o-mini",
        "mine",
    ]
