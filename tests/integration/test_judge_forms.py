"""Every shipped form of judge, asked of a real server of the llama.cpp family with the embedded model."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

PAIRS = {
    "Name the capital of France.": ("The capital of France is Paris.", "I like cheese."),
    "Say hello.": ("Hello!", "Hello, and welcome to this long story about a door."),
    "Add 2 and 3.": ("5", "The sum is 6."),
}
ASKED = 2 * len(PAIRS)


@pytest.fixture
def judged(place: Any, llama: Callable[..., str], embedded: Path) -> Callable[[str, str], list[dict[str, Any]]]:
    """judged(form, keys added to its file): the verdict lines."""
    described = {"base_url": llama(embedded), "model": "smollm2", "concurrency": 2}
    (place.folder / "endpoints.yaml").write_text(yaml.safe_dump({"endpoints": {"real": described}}))
    for side, name in enumerate(("mine", "theirs")):
        rows = [{"instruction": ask, "output": said[side], "generator": name} for ask, said in PAIRS.items()]
        (place.folder / f"{name}.json").write_text(json.dumps(rows))

    def run(form: str, keys: dict[str, Any]) -> list[dict[str, Any]]:
        shipped = Path(__file__).parents[2] / "run_specs" / "judges" / f"{form}.yaml"
        spec = yaml.safe_load(shipped.read_text())
        if "template_file" in spec:
            spec["template"] = (shipped.parent / spec.pop("template_file")).read_text()
        (place.folder / f"{form}.yaml").write_text(yaml.safe_dump({**spec, "model": "endpoint/real", **keys}))
        line = ["alpaca-suite", "judge", "run", "--model-outputs", "mine.json", "--baseline-outputs", "theirs.json"]
        done = place.run(
            *line, "--judge", f"{form}.yaml", "--out", f"{form}.jsonl", timeout=300,
            ALPACA_VERDICT_CACHE=str(place.folder / "verdicts.sqlite3"),
        )  # fmt: skip
        assert "Traceback" not in done.stderr
        verdicts = [json.loads(text) for text in (place.folder / f"{form}.jsonl").read_text().splitlines()]
        assert len(verdicts) == ASKED
        failed = sum(verdict["win"] is None for verdict in verdicts)
        assert done.returncode == (1 if failed == ASKED else 3 if failed else 0), done.stderr
        return verdicts

    return run


@pytest.mark.slow
def test_the_value_is_continuous_by_log_probabilities(judged: Callable[..., Any]) -> None:
    readable = [verdict for verdict in judged("letter_logprobs", {"min_mass": 1e-6}) if verdict["win"] is not None]
    assert readable
    assert all(0 < verdict["win"] < 1 and verdict["reason"].startswith("A 0.") for verdict in readable)


@pytest.mark.slow
def test_json_that_the_server_keeps_to(judged: Callable[..., Any]) -> None:
    """Its grammar makes even a small model write the form; what it may still do is never come to an end."""
    verdicts = judged("reasoning_json", {"decoding": {"max_tokens": 300}})
    readable = [verdict for verdict in verdicts if verdict["win"] is not None]
    assert readable
    assert {verdict["win"] for verdict in readable} <= {0.0, 0.5, 1.0}
    assert all("cut off" in verdict["reason"] for verdict in verdicts if verdict["win"] is None)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["letter", "ratings", "five_point"])
def test_forms_in_words(judged: Callable[..., Any], form: str) -> None:
    """So small a model seldom writes the label; it is a verdict of the form, or a failure with its reason."""
    for verdict in judged(form, {"decoding": {"max_tokens": 120}}):
        assert verdict["win"] in (None, 0.0, 0.25, 0.5, 0.75, 1.0)
        assert verdict["win"] is not None or verdict["reason"]
