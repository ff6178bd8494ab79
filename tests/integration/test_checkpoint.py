"""A local checkpoint through `alpaca-suite eval`: known by its content, generated once, refused with a reason."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alpaca_eval_suite.leaderboard.record import read_record
from alpaca_eval_suite.models.fingerprint import fingerprint, short

WriteScenario = Callable[..., Path]
MakeCheckpoint = Callable[..., Path]


@pytest.mark.slow
def test_generated_once_and_anew_after_training(
    place: Any, write_scenario: WriteScenario, make_checkpoint: MakeCheckpoint
) -> None:
    write_scenario(6)
    folder = make_checkpoint("work/models/tiny")
    done = place.eval("models/tiny")
    assert done.returncode == 0, done.stderr
    assert "answers: 6 of 6\n" in done.stderr
    first = place.the_run()
    mark = fingerprint(folder)
    assert first.folder.name.endswith(f",model=models_tiny,fingerprint={short(mark)}")
    model = first.record.model
    assert (model.name, model.fingerprint, model.deployment) == ("tiny", mark, "alpaca/tiny")
    assert (model.dtype, model.device, model.batch_size) == ("float32", "cpu", "16")
    assert (first.from_cache, len(place.kept())) == (0, 6)
    answers = first.answers

    done = place.eval("models/tiny")
    assert done.returncode == 0, done.stderr
    assert "answers: 6 of 6 (6 from the cache)" in done.stderr
    again = place.the_run()
    assert (again.from_cache, again.answers, len(place.kept())) == (6, answers, 6)

    make_checkpoint("work/models/tiny", retrained=True)
    done = place.helm_run(f"alpaca/{folder}")
    assert done.returncode == 0, done.stderr
    assert len(place.runs()) == 2
    assert len(place.kept()) == 12
    assert place.run("alpaca-suite", "leaderboard", "build").returncode == 0
    table = (place.folder / "results/leaderboard.md").read_text()
    assert short(mark)[:8] in table
    assert short(fingerprint(folder))[:8] in table


@pytest.mark.parametrize(
    ("without", "added", "options", "message"),
    [
        (("chat_template.jinja",), None, ("--prompt-format", "chat"), "the tokenizer holds no chat template"),
        (
            ("model.safetensors",),
            "pytorch_model.bin",
            (),
            "pytorch_model.bin: pickled weights are refused: unpickling can run any code",
        ),
        (("tokenizer.json",), None, (), "holds no tokenizer"),
        (("config.json",), None, (), "config.json: is missing"),
    ],
)
def test_what_cannot_be_run_says_why(
    place: Any,
    write_scenario: WriteScenario,
    make_checkpoint: MakeCheckpoint,
    without: tuple[str, ...],
    added: str | None,
    options: tuple[str, ...],
    message: str,
) -> None:
    write_scenario(2)
    folder = make_checkpoint("work/tiny", without=without)
    if added:
        (folder / added).write_bytes(b"\x80\x04.")
    done = place.eval("./tiny", *options)
    assert done.returncode in (1, 2)
    assert message in done.stderr
    assert str(folder) in done.stderr
    assert "\n  " in done.stderr  # a next step
    assert "Traceback" not in done.stderr + done.stdout
    assert place.runs() == []


@pytest.mark.slow
def test_a_checkpoint_judges_and_stands_in_for_the_baseline(
    place: Any, write_scenario: WriteScenario, make_checkpoint: MakeCheckpoint
) -> None:
    """Random weights say nothing that is a verdict; the baseline's outputs are generated on the fly."""
    write_scenario(3, baseline=None)
    other = make_checkpoint("work/other", retrained=True)
    make_checkpoint("work/tiny")
    done = place.eval("tiny", "--baseline", "alpaca/./other")
    assert done.returncode == 0, done.stderr
    assert "answers: 3 of 3\n" in done.stderr  # the baseline's are not counted as the model's
    run = place.the_run()
    assert (run.record.baseline.name, run.record.baseline.sha256) == ("other", fingerprint(other))
    assert len(place.kept()) == 6
    baseline = {state["instance"]["id"]: state["annotations"]["alpaca"]["baseline_output"] for state in run.states}
    assert baseline.keys() == run.answers.keys()
    assert baseline != run.answers

    done = place.helm_run(f"alpaca/{place.folder}/tiny", "baseline=alpaca/./other,judge=alpaca/./other")
    assert done.returncode == 0, done.stderr
    (judged,) = [Path(folder) for folder in place.runs() if folder != run.folder]
    assert ",judge=letter@._other,spec=" in judged.name
    record = read_record(judged)
    assert record.judge is not None
    assert record.judge.name == f"letter@other@{short(fingerprint(other))}"
    assert (record.rates["win_rate"].n, record.rates["win_rate"].n_failed) == (0, 3)
    assert len(place.kept()) == 6  # what a judge says is no answer
