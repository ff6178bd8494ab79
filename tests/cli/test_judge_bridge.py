"""`alpaca-suite judge bridge`: two files, a file and a judge behind a real server, two judges; what is said."""

import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from alpaca_eval_suite.cli.main import main
from alpaca_eval_suite.models import endpoint_client

_QUESTION = re.compile(
    r"<answer-A-(\w+)>\n(?P<a>.*?)\n</answer-A-\1>.*?<answer-B-\1>\n(?P<b>.*?)\n</answer-B-\1>", re.DOTALL
)
PRICE = {"input": 1.0, "output": 2.0}
IDS = [f"i{n:03}" for n in range(200)]
Bridge = Callable[..., int]


def write(path: str, rows: list[dict[str, Any]]) -> None:
    Path(path).write_text("".join(json.dumps(row) + "\n" for row in rows))


def verdict_rows(judge: str, wins: dict[str, float], model: str = "mine", **keys: Any) -> list[dict[str, Any]]:
    """Both orders, which agree."""
    return [
        {"id": id_, "win": win, "model": model, "baseline": "theirs", "judge": judge, "order": order, **keys}
        for id_, win in wins.items()
        for order in ("model_first", "baseline_first")
    ]


def wins(rate: float, seed: int, ids: list[str] = IDS) -> dict[str, float]:
    generator = random.Random(seed)
    return {id_: float(generator.random() < rate) for id_ in ids}


@pytest.fixture
def folder(in_folder: Path, server: Any, fake_openai: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """200 outputs of two models and a baseline, a server whose judge likes the longer answer, an old judge's file."""
    for name in ("ALPACA_ENDPOINTS", "ALPACA_OFFLINE", "ALPACA_PRICES", "ALPACA_JUDGE_CARDS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ALPACA_VERDICT_CACHE", str(in_folder / "verdicts.sqlite3"))
    monkeypatch.setattr(endpoint_client, "_backoff", lambda tries: 0.001)
    describe(server)
    server.answer = lambda seen: fake_openai.chat(longer(seen.body))
    for model, seed in (("mine", 1), ("other", 2), ("theirs", 3)):
        generator = random.Random(seed)
        write(
            f"{model}.jsonl",
            [
                {
                    "id": id_,
                    "instruction": f"Do {id_}.",
                    "output": model[0] * generator.randint(1, 60),
                    "model": model,
                    "slices": {"app": "mail" if n % 2 else "code"},
                }
                for n, id_ in enumerate(IDS)
            ],
        )
    write("old.jsonl", verdict_rows("letter@endpoint/retired", wins(0.7, 4)))
    return in_folder


def describe(server: Any, **keys: Any) -> None:
    described = {"base_url": server.base_url, "model": "judge-1", **keys}
    Path("endpoints.yaml").write_text(yaml.safe_dump({"endpoints": {"new": described, "newer": described}}))


def longer(body: Any) -> str:
    found = _QUESTION.search(body["messages"][-1]["content"])
    assert found is not None
    a, b = len(found["a"]), len(found["b"])
    return f"VERDICT-{found[1]}: {'TIE' if a == b else 'A' if a > b else 'B'}"


def bridge(*words: str) -> int:
    return main(["judge", "bridge", *words])


ASKED = ("--model-outputs", "mine.jsonl", "--baseline-outputs", "theirs.jsonl")


def test_two_files(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write("new.jsonl", verdict_rows("ratings@endpoint/retired", wins(0.7, 4, IDS[:150]) | wins(0.5, 5, IDS[150:])))
    assert bridge("old.jsonl", "new.jsonl", "--convert", "52.0") == 0
    said = capsys.readouterr().out
    assert "OLD: letter@endpoint/retired (verdicts: old.jsonl): not calibrated" in said
    assert "not known whether they differ in form, template" in said
    assert "anchor: 200 ids, all that either was asked about" in said
    assert "mine against theirs (n 200)" in said
    assert re.search(r"OLD's 52\.0 is NEW's \d\d\.\d \[\d\d\.\d, \d\d\.\d\], if all models move alike", said)
    assert not (folder / "bridge.json").exists()


def test_five_models_have_a_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows: dict[str, list[dict[str, Any]]] = {"old": [], "new": []}
    for n in range(5):
        for judge, shift in (("old", 0.0), ("new", -0.08)):
            of_model = wins(0.2 + 0.15 * n + shift, 10 + n)
            rows[judge] += verdict_rows(judge, of_model, f"m{n}", slices={"app": "mail"})
    for judge in rows:
        write(f"{judge}.jsonl", rows[judge])
    assert bridge("old.jsonl", "new.jsonl", "--convert", "52%", "--convert", "98", "--out", "b.json") == 0
    said = capsys.readouterr().out
    assert "line through 5 models: logit NEW = " in said
    assert "ranks of 5 models: Kendall's tau 1.00 [" in said
    assert "app mail: -" in said
    found = re.search(r"OLD's 52\.0 is NEW's (\d\d\.\d) \[.*?\] on the line through these models; for another", said)
    assert found is not None
    assert float(found[1]) == pytest.approx(44, abs=4)
    assert "OLD's 98.0 is NEW's" in said
    assert "no model of the anchor has such a rate" in said
    kept = json.loads(Path("b.json").read_text())
    assert [one["by"] for one in kept["conversions"]] == ["line", "line"]
    assert kept["line"]["table"][9]["old"] == 0.5


def test_a_file_and_a_judge(folder: Path, server: Any, capsys: pytest.CaptureFixture[str]) -> None:
    describe(server, price=PRICE)
    assert bridge("old.jsonl", "endpoint/new", *ASKED, "--n", "60", "--seed", "3", "--max-cost", "1") == 0
    said = capsys.readouterr().out
    assert len(server.seen) == 120
    assert "anchor: 60 ids, drawn at random from 200" in said
    assert "on all 200 ids that OLD judged, NEW would give" in said
    assert "they differ in model" in said
    record = json.loads(Path("bridge.json").read_text())
    assert record["anchor"]["random"] == "drawn"
    assert (record["anchor"]["n"], record["anchor"]["seed"], record["anchor"]["drawn_from"]) == (60, 3, 200)
    assert re.fullmatch(r"[0-9a-f]{64}", record["anchor"]["texts_sha256"])
    assert re.fullmatch(r"[0-9a-f]{64}", record["new"]["judges"][0]["hash"])
    assert record["new"]["information"]["informative"] is True
    assert record["spent_usd"] == pytest.approx(120 * 9 / 1e6)
    assert {(one["key"], one["value"]) for one in record["slices"]} == {("app", "code"), ("app", "mail")}
    truth = [len(ours) > len(theirs) for ours, theirs in zip(texts("mine"), texts("theirs"), strict=True)]
    [found] = record["models"][0]["converted"]
    assert found["win_rate"]["ci"]["low"] < sum(truth) / 200 < found["win_rate"]["ci"]["high"]
    # Again: everything is known, and a larger anchor only asks for what is new.
    assert bridge("old.jsonl", "endpoint/new", *ASKED, "--n", "60", "--seed", "3") == 0
    assert len(server.seen) == 120
    assert bridge("old.jsonl", "endpoint/new", *ASKED, "--n", "80", "--seed", "3") == 0
    assert len(server.seen) == 160


def texts(model: str) -> list[str]:
    return [json.loads(line)["output"] for line in Path(f"{model}.jsonl").read_text().splitlines()]


def test_two_judges_and_two_models(folder: Path, server: Any, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--model-outputs", "mine.jsonl", "--model-outputs", "other.jsonl", "--baseline-outputs", "theirs.jsonl")
    assert bridge("endpoint/new", "builtin:longer", *words, "--n", "30", "--json") == 0
    record = json.loads(capsys.readouterr().out)
    assert len(server.seen) == 2 * 30 * 2
    assert [one["model"] for one in record["models"]] == ["mine", "other"]
    assert record["differ_in"] == ["model", "form", "template"]
    assert record["models"][0]["converted"] == []
    assert record["no_line"] == "2 models, a line needs 5"
    assert record["anchor"]["random"] == "whole"
    # A run by `judge run` finds in the cache what the bridge asked.
    assert main(["judge", "run", *ASKED, "--judge", "endpoint/new", "--no-cache", "--dry-run"]) == 0
    assert main(["judge", "run", *ASKED, "--judge", "endpoint/new", "--dry-run"]) == 0
    assert "400 questions: 60 answered already" in capsys.readouterr().out


def test_the_record_of_a_run_tells_template_and_form(
    folder: Path, server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["judge", "run", *ASKED, "--judge", "endpoint/new", "--out", "run.jsonl"]) == 0
    assert bridge("run.jsonl", "letter@endpoint/newer", *ASKED, "--n", "20", "--json") == 0
    record = json.loads(capsys.readouterr().out.partition("\n{")[2].join(["{", ""]))
    assert record["differ_in"] == ["model"]
    assert record["not_known_whether_they_differ_in"] == []
    assert record["agreement"]["value"] == 1.0


def test_dry_run(folder: Path, server: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert bridge("old.jsonl", "endpoint/new", *ASKED, "--n", "60", "--dry-run") == 0
    said = capsys.readouterr().out
    assert "ids: 60, models: 1, judges to be asked: 1" in said
    assert "120 questions: 0 answered already, 120 to be asked" in said
    assert server.seen == []
    assert not Path("bridge.json").exists()


def test_the_money_ends(folder: Path, server: Any, capsys: pytest.CaptureFixture[str]) -> None:
    describe(server, price=PRICE)
    assert bridge("old.jsonl", "endpoint/new", *ASKED, "--n", "60", "--max-cost", "0.0026") == 3
    said = capsys.readouterr().err
    assert "the money of --max-cost is used up" in said
    assert "so there is no bridge yet" in said
    asked = len(server.seen)
    assert 0 < asked < 120
    assert bridge("old.jsonl", "endpoint/new", *ASKED, "--n", "60", "--max-cost", "1") == 0
    assert len(server.seen) == 120


def test_verdicts_that_fail(folder: Path, server: Any, fake_openai: Any, capsys: pytest.CaptureFixture[str]) -> None:
    def answer(seen: Any) -> Any:
        return fake_openai.chat("maybe" if "Do i00" in seen.body["messages"][-1]["content"] else longer(seen.body))

    server.answer = answer
    assert bridge("old.jsonl", "endpoint/new", *ASKED) == 3
    said = capsys.readouterr()
    assert "20 of 400 verdicts failed and are left out" in said.err
    assert "mine against theirs (n 190, failed 10)" in said.out


def test_an_anchor_that_may_have_been_chosen(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write("new.jsonl", verdict_rows("new", wins(0.5, 6, IDS[:80])))
    assert bridge("old.jsonl", "new.jsonl") == 1
    assert "no sample is recorded here, so the 80 of 200 ids of mine that both judged may" in capsys.readouterr().err
    assert bridge("old.jsonl", "new.jsonl", "--assume-random") == 0
    assert "anchor: 80 ids, a random sample, it was said" in capsys.readouterr().out


def test_an_anchor_on_record(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stats", "sample", "old.jsonl", "--n", "80", "--seed", "1"]) == 0
    drawn = capsys.readouterr().out.splitlines()
    write("new.jsonl", verdict_rows("new", wins(0.5, 6, drawn)))
    assert bridge("old.jsonl", "new.jsonl") == 0
    assert "anchor: 80 ids, a random sample by the record beside the verdicts" in capsys.readouterr().out
    write("new.jsonl", verdict_rows("new", wins(0.5, 6, drawn[1:])))
    assert bridge("old.jsonl", "new.jsonl") == 1
    assert "sampled ids without a label before others with one" in capsys.readouterr().err


def test_a_blind_judge_gives_no_conversion(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = verdict_rows("always-first", dict.fromkeys(IDS, 1.0))
    for row in rows:
        row["win"] = float(row["order"] == "model_first")
    write("new.jsonl", rows)
    assert bridge("old.jsonl", "new.jsonl", "--convert", "52") == 0
    said = capsys.readouterr().out
    assert "no conversion: the verdicts of NEW hold no information" in said
    assert "OLD's 52.0" not in said


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("old.jsonl", "endpoint/new"), 2, "is to be asked about 0 models"),
        (("old.jsonl", "endpoint/nobody", *ASKED), 2, "nobody"),
        (("old.jsonl", "missing.jsonl"), 2, "missing.jsonl"),
        (("old.jsonl", "old.jsonl", *ASKED), 2, "nobody is asked"),
        (("endpoint/new", "endpoint/new", *ASKED), 2, "share a judge"),
        (("old.jsonl", "endpoint/new", *ASKED, "--n", "500"), 2, "500 of 200"),
        (("old.jsonl", "old.jsonl", "--convert", "0.52"), 2, "'0.52' is no rate in percent"),
        (("old.jsonl", "old.jsonl", "--convert", "half"), 2, "'half' is no rate in percent"),
        (("old.jsonl", "endpoint/new", *ASKED, "--max-cost", "1", "--model-outputs", "mine.jsonl"), 2, "given twice"),
        (("old.jsonl", "endpoint/new", "--model-outputs", "other.jsonl", "--baseline-outputs", "theirs.jsonl"), 1,
         "holds no verdicts on other against theirs, but on mine against theirs"),
        (("old.jsonl", "elsewhere.jsonl"), 1, "the two hold verdicts on different models"),
    ],
)  # fmt: skip
def test_bad_input(
    folder: Path, words: tuple[str, ...], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write("elsewhere.jsonl", verdict_rows("new", wins(0.5, 7), "elsewhere"))
    assert bridge(*words) == code
    said = capsys.readouterr().err
    assert message in said
    assert "Traceback" not in said
