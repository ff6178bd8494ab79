"""`alpaca-suite judge run`, `reparse`, `list`, `show` against a real server: what is printed, what is kept."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from alpaca_eval_suite.cli.judge.progress import progress_text
from alpaca_eval_suite.cli.main import main
from alpaca_eval_suite.judge import run_setup
from alpaca_eval_suite.judge.judged import Progress
from alpaca_eval_suite.models import endpoint_client, event_loop
from alpaca_eval_suite.stats.sequential import sequential
from alpaca_eval_suite.stats.units import units
from alpaca_eval_suite.stats.verdicts import read_preferences
from alpaca_eval_suite.types import Preference

_QUESTION = re.compile(
    r"<answer-A-(\w+)>\n(?P<a>.*?)\n</answer-A-\1>.*?<answer-B-\1>\n(?P<b>.*?)\n</answer-B-\1>", re.DOTALL
)
PRICE = {"input": 1.0, "output": 2.0}
Judge = Callable[..., int]


def rows(outputs: dict[str, str], model: str) -> str:
    return "".join(
        json.dumps({"id": id_, "instruction": f"Do {id_}.", "output": output, "model": model}) + "\n"
        for id_, output in outputs.items()
    )


@pytest.fixture
def judge(in_folder: Path, server: Any, fake_openai: Any, monkeypatch: pytest.MonkeyPatch) -> Judge:
    """judge(*options): the command on two files of 12 pairs, of which the model's are longer in 8."""
    ours = {f"i{n:02}": "a longer answer" if n < 8 else "short" for n in range(12)}
    theirs = dict.fromkeys(ours, "an answer")
    Path("mine.jsonl").write_text(rows(ours, "mine"))
    Path("theirs.jsonl").write_text(rows(theirs, "theirs"))
    describe(server)
    for name in ("ALPACA_ENDPOINTS", "ALPACA_OFFLINE", "ALPACA_PRICES", "ALPACA_JUDGE_CARDS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ALPACA_VERDICT_CACHE", str(in_folder / "verdicts.sqlite3"))
    monkeypatch.setattr(endpoint_client, "_backoff", lambda tries: 0.001)
    server.answer = lambda seen: fake_openai.chat(say(seen.body))

    def run(*options: str, judge: str = "endpoint/judge") -> int:
        files = ["--model-outputs", "mine.jsonl", "--baseline-outputs", "theirs.jsonl"]
        return main(["judge", "run", *files, "--judge", judge, *options])

    return run


def describe(server: Any, **keys: Any) -> None:
    described = {"base_url": server.base_url, "model": "judge-1", **keys}
    Path("endpoints.yaml").write_text(yaml.safe_dump({"endpoints": {"judge": described}}))


def say(body: Any) -> str:
    """The longer answer wins."""
    found = _QUESTION.search(body["messages"][-1]["content"])
    assert found is not None
    a, b = len(found["a"]), len(found["b"])
    return f"The longer one.\nVERDICT-{found[1]}: {'TIE' if a == b else 'A' if a > b else 'B'}"


def lines(path: str = "preferences.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def test_verdicts_record_and_report(judge: Judge, server: Any, capsys: pytest.CaptureFixture[str]) -> None:
    describe(server, price=PRICE)
    assert judge() == 0
    said = capsys.readouterr()
    assert said.out.splitlines()[0] == "mine against theirs"
    assert "  win rate: 66.7 [" in said.out
    assert "(n 12, failed 0; 95 % wilson" in said.out
    assert "  wins 8, ties 0, losses 4" in said.out
    assert "judge letter@endpoint/judge: not calibrated" in said.out
    assert "the two orders agree in 100.0% of 12 pairs" in said.out
    assert "verdicts: 24 asked now" in said.out
    assert "served by served-1" in said.out
    assert "spent: $0.0002" in said.out
    # With every id judged nothing is left to chance: the sequence closes on the rate.
    assert said.err.splitlines()[-1] == (
        "24 of 24 verdicts, $0.0002, running rate 66.7 [66.7, 66.7] % after 12 of 12 ids"
    )
    verdicts = read_preferences("preferences.jsonl")
    assert [one.id for one in verdicts] == [f"i{n:02}" for n in range(12) for _ in range(2)]
    record = json.loads(Path("preferences.run.json").read_text())
    assert record["win_rate"]["win_rate"] == pytest.approx(8 / 12)
    [of_judge] = record["judges"]
    assert {row["judge_hash"] for row in lines()} == {of_judge["hash"]}
    assert of_judge["identity"]["url"] == server.base_url + "/chat/completions"
    assert (of_judge["served_ids"], of_judge["orders"]) == (["served-1"], "both")
    assert of_judge["price"] == {"input": 1.0, "output": 2.0, "as_of": ""}
    assert record["spent_usd"] == pytest.approx(24 * (5 + 2 * 2) / 1e6)
    assert of_judge["cost_usd"] == pytest.approx(record["spent_usd"])
    assert len(record["model"]["sha256"]) == len(of_judge["template_sha256"]) == 64
    assert record["versions"]["alpaca-eval-suite"]


def test_the_same_command_again_asks_nothing_and_gives_the_same_bytes(judge: Judge, server: Any) -> None:
    assert judge() == 0
    first, asked = Path("preferences.jsonl").read_bytes(), len(server.seen)
    assert judge() == 0
    assert judge("--no-cache") == 0
    assert (Path("preferences.jsonl").read_bytes(), len(server.seen)) == (first, asked)
    assert judge("--out", "other.jsonl") == 0
    assert (Path("other.jsonl").read_bytes(), len(server.seen)) == (first, asked)
    assert json.loads(Path("other.run.json").read_text())["judges"][0]["verdicts"]["from_cache"] == 24
    assert judge("--out", "third.jsonl", "--no-cache") == 0
    assert len(server.seen) == 2 * asked


def test_dry_run_asks_and_writes_nothing(judge: Judge, server: Any, capsys: pytest.CaptureFixture[str]) -> None:
    describe(server, price=PRICE)
    assert judge("--dry-run") == 0
    said = capsys.readouterr().out
    assert said.startswith(
        "12 pairs, 24 verdicts\nletter@endpoint/judge:\n  24 questions: 0 answered already, 24 to be"
    )
    assert "cost: about $0.0" in said
    assert server.seen == []
    assert not Path("preferences.jsonl.ledger").exists()
    assert judge("--dry-run", "--json", "--orders", "balanced") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["verdicts"], found["in_all"]["calls"]) == (12, 12)
    assert judge() == 0
    capsys.readouterr()
    assert judge("--dry-run") == 0
    assert "24 answered already, nothing to be asked or paid" in capsys.readouterr().out


def test_one_order_states_what_it_costs(judge: Judge, capsys: pytest.CaptureFixture[str]) -> None:
    assert judge("--orders", "balanced") == 0
    said = capsys.readouterr().out
    assert "shown once, in an order drawn at random: its interval is wider than with both orders" in said
    assert judge("--orders", "single") == 0
    assert "a liking for the first place stays in the rate" in capsys.readouterr().out


def test_a_judge_who_always_says_a_gives_no_information(
    judge: Judge, server: Any, fake_openai: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    server.answer = lambda seen: fake_openai.chat(re.sub(r"TIE|A$|B$", "A", say(seen.body)))
    assert judge() == 0
    said = capsys.readouterr().out
    assert "win rate: no information (n 12, failed 0); the raw figures are in the record" in said
    assert "the output shown first wins: 100.0" in said
    assert json.loads(Path("preferences.run.json").read_text())["win_rate"]["win_rate"] == 0.5


def test_self_judged_is_said(judge: Judge, server: Any, capsys: pytest.CaptureFixture[str]) -> None:
    describe(server, model="gpt-4o")
    assert judge("--model-name", "gpt-4o-2024-08-06") == 0
    assert "  self-judged: the judge is of the model's family (gpt)" in capsys.readouterr().out


def test_several_judges(judge: Judge, server: Any, fake_openai: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert judge("--judge", "builtin:longer", "--combine", "majority") == 0
    said = capsys.readouterr().out
    assert "the judges together: a strict majority of all of them; they take the same side in" in said
    assert "builtin:longer and letter@endpoint/judge: " in said
    assert len(lines()) == 36
    Path("panel.yaml").write_text("panel: [endpoint/judge, builtin:longer]\ncombine: majority\n")
    assert judge("--out", "p.jsonl", judge="panel.yaml") == 0
    record = json.loads(Path("p.run.json").read_text())
    assert (record["panel"], record["combine"], len(record["judges"])) == ("panel", "majority", 2)


def test_the_record_is_printed_as_json(judge: Judge, capsys: pytest.CaptureFixture[str]) -> None:
    assert judge("--json") == 0
    assert json.loads(capsys.readouterr().out) == json.loads(Path("preferences.run.json").read_text())


def test_stop_when_decided_prints_the_sequence_only(judge: Judge, capsys: pytest.CaptureFixture[str]) -> None:
    ours = {f"i{n:03}": "a longer answer" for n in range(300)}
    Path("mine.jsonl").write_text(rows(ours, "mine"))
    Path("theirs.jsonl").write_text(rows(dict.fromkeys(ours, "an answer"), "theirs"))
    assert judge("--stop-when-decided") == 0
    said = capsys.readouterr().out
    assert "  the model is preferred: decided after " in said
    assert "confidence sequence: [" in said
    assert "win rate" not in said
    record = json.loads(Path("preferences.run.json").read_text())
    assert record["win_rate"] is record["judges"][0]["win_rate"] is None
    assert len(lines()) == 2 * record["sequence"]["decided_at"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Both answers are good.", "the last line is no verdict of the form asked for"),
        ('{"reasoning": "The first is', "the last line is no verdict"),
        ("I'm sorry, I can't help with that.", "the last line is no verdict"),
        ("第一个回答更好。", "the last line is no verdict"),
        ("", "the judge said nothing"),
    ],
)
def test_replies_without_a_verdict(
    judge: Judge, server: Any, fake_openai: Any, capsys: pytest.CaptureFixture[str], text: str, why: str
) -> None:
    server.answer = lambda seen: fake_openai.chat(text)
    assert judge() == 1
    said = capsys.readouterr().err
    assert "judge letter@endpoint/judge: each of its first " in said
    assert why in said
    assert "judge reparse" in said
    assert not Path("preferences.jsonl").exists()

    def mostly(seen: Any) -> Any:
        question = seen.body["messages"][-1]["content"]
        return fake_openai.chat(text if "Do i00." in question else say(seen.body))

    server.answer = mostly
    assert judge("--out", "mostly.jsonl") == 3
    assert "2 of 24 verdicts failed, such as id i00: " in (said := capsys.readouterr().err)
    assert "--retry-failed asks again" in said
    assert [row["win"] for row in lines("mostly.jsonl")][:3] == [None, None, 1.0]
    asked = len(server.seen)
    server.answer = lambda seen: fake_openai.chat(say(seen.body))
    assert judge("--out", "mostly.jsonl") == 3
    assert len(server.seen) == asked
    assert judge("--out", "mostly.jsonl", "--retry-failed") == 0
    assert len(server.seen) == asked + 2


def test_few_pairs_that_all_fail(
    judge: Judge, server: Any, fake_openai: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    server.answer = lambda seen: fake_openai.chat("Hm.")
    for name in ("mine", "theirs"):
        Path(f"{name}.jsonl").write_text(rows({"a": f"{name} a", "b": f"{name} b"}, name))
    assert judge() == 1
    assert "4 of 4 verdicts failed" in capsys.readouterr().err
    assert [row["win"] for row in lines()] == [None] * 4


@pytest.mark.parametrize(
    ("status", "message", "keys", "expected"),
    [
        (401, "Incorrect API key provided", {"code": "invalid_api_key"}, "did not accept the key"),
        (404, "The model `judge-1` does not exist", {"code": "model_not_found"}, "serves no model 'judge-1'"),
        (429, "You exceeded your current quota", {"code": "insufficient_quota"}, "has no quota left"),
    ],
)
def test_what_no_question_can_pass_ends_it_at_once(
    judge: Judge,
    server: Any,
    fake_openai: Any,
    capsys: pytest.CaptureFixture[str],
    status: int,
    message: str,
    keys: dict[str, str],
    expected: str,
) -> None:
    server.answer = lambda seen: fake_openai.error(status, message, **keys)
    assert judge("--concurrency", "1") == 1
    said = capsys.readouterr().err
    assert message in said
    assert expected.split()[-1] in said
    assert "Traceback" not in said
    assert len(server.seen) == 1
    assert not Path("preferences.jsonl").exists()


def test_no_network(judge: Judge, server: Any, capsys: pytest.CaptureFixture[str]) -> None:
    server.close()
    assert judge() == 1
    assert "could not be reached" in capsys.readouterr().err


def test_a_missing_key(judge: Judge, server: Any, capsys: pytest.CaptureFixture[str]) -> None:
    describe(server, api_key_env="NO_SUCH_KEY")
    assert judge() == 2
    assert "NO_SUCH_KEY" in capsys.readouterr().err


def test_the_cap(judge: Judge, server: Any, fake_openai: Any, capsys: pytest.CaptureFixture[str]) -> None:
    describe(server, price={"input": 1000.0, "output": 1000.0})
    usage = {"prompt_tokens": 400, "completion_tokens": 100}
    server.answer = lambda seen: fake_openai.chat(say(seen.body), usage=usage)
    assert judge("--max-cost", "7") == 3
    said = capsys.readouterr().err
    found = re.search(r"used up \(\$([\d.]+) of \$7.00\): (\d+) verdicts are missing", said)
    assert found is not None
    assert float(found[1]) <= 7
    higher = re.search(r"--max-cost ([\d.]+) has them all; nothing is paid twice", said)
    assert higher is not None
    record = json.loads(Path("preferences.run.json").read_text())
    assert record["verdicts"]["missing"] == int(found[2]) == 24 - len(lines())
    assert record["verdicts"]["stopped"] == "budget"
    assert record["spent_usd"] == pytest.approx(0.5 * len(server.seen))
    assert judge("--max-cost", higher[1]) == 0
    assert len(server.seen) == 24


def test_a_cap_without_a_price(judge: Judge, server: Any, capsys: pytest.CaptureFixture[str]) -> None:
    describe(server, base_url="https://judge.example/v1")
    assert judge("--max-cost", "1") == 2
    assert "no price is known for judge-1, so its cost cannot be limited" in capsys.readouterr().err


def test_hosted_judges_are_asked_about_a_canary(
    judge: Judge, in_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, server: Any
) -> None:
    monkeypatch.setenv("ALPACA_CANARIES", str(in_folder / "canaries"))
    monkeypatch.setattr(run_setup, "is_loopback", lambda host: False)
    describe(server, price=PRICE)
    assert judge("--no-canary") == 0
    assert len(server.seen) == 24
    assert "canary" not in capsys.readouterr().out
    assert judge("--out", "other.jsonl", "--no-cache") == 0
    assert len(server.seen) > 48
    said = capsys.readouterr().out
    assert re.search(r"^  canary: ", said, re.MULTILINE)
    record = json.loads(Path("other.run.json").read_text())
    assert record["judges"][0]["canary"]["n_questions"] == len(server.seen) - 48
    assert record["spent_usd"] > record["judges"][0]["cost_usd"]
    assert len(lines("other.jsonl")) == 24
    asked = len(server.seen)
    assert judge("--out", "other.jsonl", "--no-cache") == 0
    assert len(server.seen) == asked  # who was not asked now is not looked at


def test_another_judges_ledger(judge: Judge, capsys: pytest.CaptureFixture[str]) -> None:
    assert judge() == 0
    capsys.readouterr()
    assert judge(judge="ratings@endpoint/judge") == 1
    said = capsys.readouterr().err
    assert "preferences.jsonl.ledger: is the ledger of another run: judge letter@endpoint/judge was" in said
    assert "judge ratings@endpoint/judge was not given, is" in said


def test_other_outputs_under_the_same_ledger(judge: Judge, capsys: pytest.CaptureFixture[str]) -> None:
    assert judge() == 0
    Path("mine.jsonl").write_text(Path("mine.jsonl").read_text().replace("short", "shorter"))
    assert judge() == 1
    assert "model_outputs_sha256 was" in capsys.readouterr().err


def test_a_file_of_something_else_is_not_overwritten(judge: Judge, capsys: pytest.CaptureFixture[str]) -> None:
    Path("preferences.jsonl").write_text("mine\n")
    assert judge() == 2
    assert "is there already, without the ledger of a run beside it" in capsys.readouterr().err
    assert Path("preferences.jsonl").read_text() == "mine\n"
    Path("folder").mkdir()
    assert judge("--out", "folder") == 2


def test_different_ids(judge: Judge, capsys: pytest.CaptureFixture[str]) -> None:
    text = Path("theirs.jsonl").read_text().splitlines(keepends=True)
    Path("theirs.jsonl").write_text("".join(text[2:]))
    assert judge() == 1
    said = capsys.readouterr().err
    assert "only in mine.jsonl (2): i00, i01" in said
    assert "--ids both judges the 10 that both files have" in said
    assert judge("--ids", "both") == 0
    assert "ids that only one of the files has were left out: 2" in capsys.readouterr().out
    assert len(lines()) == 20


def test_empty_outputs_are_judged_and_said(judge: Judge, capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine.jsonl").write_text(Path("mine.jsonl").read_text().replace("short", ""))
    assert judge() == 0
    assert "empty outputs of mine, which are judged as they are: 4" in capsys.readouterr().out


def test_a_template_with_an_unknown_field(judge: Judge, capsys: pytest.CaptureFixture[str]) -> None:
    Path("own.yaml").write_text(
        "form: letter\nmodel: endpoint/judge\ntemplate: '{answer_a} {answer_b} {colour} VERDICT-{label}: A'\n"
    )
    assert judge(judge="own.yaml") == 1
    assert "own.yaml: template: {colour} is no placeholder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--judge", "nobody"], "no judge is named 'nobody'"),
        (["--judge", "letter"], "the judge letter is a form without a model"),
        (["--judge", "endpoint/judge"], "the judge letter@endpoint/judge is named twice"),
        (["--judge", "letter@endpoint/none"], "has no endpoint 'none'"),
        (["--max-cost", "-1"], "-1"),
        (["--batch", "--retry-failed"], "exclude each other"),
    ],
)
def test_calls_that_are_wrong(
    judge: Judge, capsys: pytest.CaptureFixture[str], options: list[str], expected: str
) -> None:
    assert judge(*options) == 2
    assert expected in capsys.readouterr().err


def test_ctrl_c_says_how_to_go_on(
    judge: Judge, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(coroutine: Any, **_: Any) -> Any:
        coroutine.close()
        raise KeyboardInterrupt

    monkeypatch.setattr(event_loop, "run", interrupted)
    assert judge() == 130
    assert "What was answered is kept in preferences.jsonl.ledger; the same command goes on" in capsys.readouterr().err


def test_reparse_reads_with_a_mended_judge_and_a_run_finds_it(
    judge: Judge, server: Any, fake_openai: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    def rated(seen: Any) -> Any:
        label = re.findall(r"RATINGS-(\w+)", seen.body["messages"][-1]["content"])[-1]
        return fake_openai.chat(
            f"RATINGS-{label}: A=55 B={20 if 'longer' in seen.body['messages'][-1]['content'] else 70}"
        )

    server.answer = rated
    Path("own.yaml").write_text("form: ratings\nmodel: endpoint/judge\n")
    assert judge(judge="own.yaml") == 1  # a rating outside of 1 to 10, each time
    asked = len(server.seen)
    Path("own.yaml").write_text("form: ratings\nmodel: endpoint/judge\nscale: [1, 100]\n")
    capsys.readouterr()
    assert main(["judge", "reparse", "preferences.jsonl.ledger", "--out", "mended.jsonl", "--judge", "own.yaml"]) == 0
    said = capsys.readouterr().out
    assert f"{asked} verdicts read from preferences.jsonl.ledger, 0 of them cannot be read; no call made" in said
    assert all(row["win"] is not None for row in lines("mended.jsonl"))
    assert len(server.seen) == asked
    # The mended judge is another judge; what it has read already is in the cache.
    assert judge("--out", "whole.jsonl", judge="own.yaml") == 0
    assert len(server.seen) == 24
    whole = {(row["id"], row["order"]): row for row in lines("whole.jsonl")}
    assert all(whole[row["id"], row["order"]] == row for row in lines("mended.jsonl"))


def test_reparse_says_what_changed(
    judge: Judge, server: Any, fake_openai: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert judge() == 0
    before = Path("preferences.jsonl").read_bytes()
    capsys.readouterr()
    assert main(["judge", "reparse", "preferences.jsonl.ledger", "--out", "again.jsonl", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["verdicts"], found["compared"], found["mended"], found["broken"], found["changed"]) == (
        24,
        24,
        0,
        0,
        0,
    )
    assert Path("again.jsonl").read_bytes() == before
    Path("strict.yaml").write_text("form: letter\nmodel: endpoint/judge\nmark: JUDGED\n"
                                   "template: '{answer_a} {answer_b} JUDGED-{label}: A'\n")  # fmt: skip
    words = ["judge", "reparse", "preferences.jsonl.ledger", "--judge", "strict.yaml", "--out", "again.jsonl"]
    assert main(words) == 0
    assert "24 are verdicts no more" in capsys.readouterr().out


def test_reparse_of_something_else(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("x").mkdir()
    assert main(["judge", "reparse", "x", "--out", "y.jsonl"]) == 1
    assert "x: is no ledger" in capsys.readouterr().err


def test_list_and_show(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine.yaml").write_text("form: ratings\nmodel: endpoint/x\n")
    Path("other.yaml").write_text("colour: red\n")
    assert main(["judge", "list"]) == 0
    said = capsys.readouterr().out
    assert re.search(r"^letter +form letter, orders both, any model$", said, re.MULTILINE)
    assert re.search(r"^mine.yaml +form ratings, orders both, model endpoint/x$", said, re.MULTILINE)
    assert "other.yaml" not in said
    assert main(["judge", "list", "--json"]) == 0
    assert "builtin:checks" in {row["judge"] for row in json.loads(capsys.readouterr().out)}
    assert main(["judge", "show", "letter"]) == 0
    said = capsys.readouterr().out
    assert "It is Dodoma." in said
    assert re.search(r"^VERDICT-\w{12}: A$", said, re.MULTILINE)
    assert main(["judge", "show", "letters"]) == 2


def test_the_line_of_progress() -> None:
    verdicts = [Preference(f"p{n}", 1.0) for n in range(10)]
    found = sequential(units(verdicts), ids=[f"p{n}" for n in range(100)], seed=0)
    text = progress_text(Progress(50, 200, 10, 2, 0.5, 2.0, found), 20.0)
    assert text.startswith("50 of 200 verdicts, 2 failed, $0.5000 of $2.00, about 75 s left")
    assert progress_text(Progress(0, 200, 0, 0, 0.0, None), 0.0) == "0 of 200 verdicts"
