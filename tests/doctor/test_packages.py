"""Versions: what meets a requirement, what is missing, what clashes."""

import pytest

from alpaca_eval_suite.doctor import packages
from alpaca_eval_suite.doctor.ask import Asked, ask_python
from alpaca_eval_suite.doctor.packages import (
    clashes,
    installed,
    own_findings,
    python_finding,
    requirements_of,
    torchvision_finding,
)
from alpaca_eval_suite.doctor.requirements import Requirement, parse

OURS = [
    parse(line)
    for line in (
        "click>=8.1",
        "PyYAML>=6.0",
        "colorama; sys_platform == 'win32'",
        "accelerate>=1.0; extra == 'helm'",
        "crfm-helm<0.6,>=0.5.16; extra == 'helm'",
        "ruff>=0.9; extra == 'dev'",
    )
]
BASE = {"alpaca-eval-suite": "0.1.0", "click": "8.5.1", "pyyaml": "6.0.2"}


@pytest.mark.parametrize(
    ("line", "requirement"),
    [
        ("click>=8.1", Requirement("click", ">=8.1")),
        ("Types_PyYAML>=6.0; extra == 'dev'", Requirement("types-pyyaml", ">=6.0", "dev")),
        ('x[b,c] (>=1,<2); extra == "e"', Requirement("x", ">=1,<2", "e")),
        ("x>=1; python_version < '3.12' and extra == 'e'", Requirement("x", ">=1", "e", conditional=True)),
        ("x", Requirement("x", "")),
    ],
)
def test_lines_of_metadata(line: str, requirement: Requirement) -> None:
    assert parse(line) == requirement


@pytest.mark.parametrize(
    ("version", "versions", "met"),
    [
        ("2.13.0+cpu", ">=2.6", True),
        ("1.15.0", ">=1.0", True),
        ("0.25.0", ">=1.0", False),
        ("0.5.16", "<0.6,>=0.5.16", True),
        ("0.6.0", "<0.6,>=0.5.16", False),
        ("3.6.0", "~=3.1", True),
        ("4.0.0", "~=3.1", False),
        ("3.0.9", "~=3.1", False),
        ("0.18.4", "~=0.18.0", True),
        ("0.19.0", "~=0.18.0", False),
        ("3.9.0", "!=3.9.0,~=3.7", False),
        ("3.9.1", "!=3.9.0,~=3.7", True),
        ("1.0", "==1.0.0", True),
        ("1.4.2", "==1.*", True),
        ("2.0", "==1.*", False),
        ("5.0.0rc1", ">=5.0", True),
        ("1.0", "", True),
        ("1.0", "===weird", True),
    ],
)
def test_versions(version: str, versions: str, met: bool) -> None:
    assert Requirement("x", versions).is_met_by(version) is met


@pytest.mark.parametrize(("version", "state"), [((3, 10), "fail"), ((3, 11), "ok"), ((3, 12), "ok"), ((3, 13), "warn")])
def test_python(version: tuple[int, int], state: str) -> None:
    assert python_finding(version).state == state


@pytest.mark.parametrize(
    ("beside", "states"),
    [
        ({}, {"Extra [helm]": "warn", "Extra [dev]": "ok"}),
        ({"accelerate": "1.15.0"}, {"Extra [helm]": "fail", "Extra [dev]": "ok"}),
        ({"accelerate": "1.15.0", "crfm-helm": "0.5.16"}, {"Extra [helm]": "ok", "Extra [dev]": "ok"}),
    ],
)
def test_extras(beside: dict[str, str], states: dict[str, str]) -> None:
    found = {finding.name: finding for finding in own_findings({**BASE, **beside}, OURS)}
    assert {name: finding.state for name, finding in found.items()} == {"alpaca-eval-suite": "ok", **states}
    if states["Extra [helm]"] != "ok":
        assert "pip install 'alpaca-eval-suite[helm]'" in found["Extra [helm]"].advice


def test_a_base_package_is_missing() -> None:
    [ours, *_] = own_findings({"alpaca-eval-suite": "0.1.0", "click": "8"}, OURS)
    assert (ours.state, ours.detail) == ("fail", "0.1.0, without pyyaml")


def test_from_source_without_an_installation() -> None:
    assert [finding.state for finding in own_findings({}, [])] == ["fail"]


def test_accelerate_as_helms_own_extras_pin_it() -> None:
    [finding] = clashes({**BASE, "accelerate": "0.34.2"}, OURS, [])
    assert (finding.name, finding.state) == ("accelerate", "fail")
    assert "0.34.2 is installed, alpaca-eval-suite needs >=1.0 (crfm-helm's own extras" in finding.detail
    assert finding.advice == "Type: pip install 'accelerate>=1.0'"


def test_what_helm_needs_counts_too_but_not_its_extras_nor_torchvision() -> None:
    helms = [parse(line) for line in ("datasets~=3.1", "torchvision<3", "openai~=2.8; extra == 'openai'")]
    versions = {"datasets": "4.0.0", "torchvision": "9", "openai": "3.54.0", "vllm": "0.33.0"}
    assert [(finding.name, finding.state) for finding in clashes(versions, [], helms)] == [
        ("datasets", "fail"),
        ("vllm", "warn"),
    ]


def test_nothing_clashes() -> None:
    assert [finding.state for finding in clashes(BASE, OURS, [])] == ["ok"]


def test_a_torchvision_that_does_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    said = "RuntimeError: operator torchvision::nms does not exist"
    monkeypatch.setattr(packages, "ask_python", lambda code: Asked(error=said))
    [finding] = torchvision_finding({"torchvision": "0.28.0", "torch": "2.13.0+cpu"})
    assert finding.state == "fail"
    assert said in finding.detail
    assert "pip uninstall torchvision" in finding.advice
    assert list(torchvision_finding({"torch": "2.13.0"})) == []
    monkeypatch.setattr(packages, "ask_python", lambda code: Asked())
    assert [finding.state for finding in torchvision_finding({"torchvision": "1", "torch": "2"})] == ["ok"]


def test_this_environment_is_read() -> None:
    versions = installed()
    assert "pytest" in versions
    assert {"click", "numpy"} <= {one.name for one in requirements_of("alpaca-eval-suite")}
    assert requirements_of("no-such-package-at-all") == []


def test_python_is_asked_in_a_process_of_its_own() -> None:
    assert ask_python("print('noise'); print('[1, 2]')") == Asked([1, 2])
    assert ask_python("pass") == Asked()
    assert ask_python("raise ValueError('broken')").error == "ValueError: broken"
    assert ask_python("import os; os._exit(3)").error == "ended with code 3"
