"""`alpaca-suite judge calibrate`: a card from a real server, nothing paid twice, and what is wrong said clearly."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from alpaca_eval_suite.cli.main import main
from alpaca_eval_suite.judge.card import card_of

Run = Callable[..., int]

N_PAIRS = 30
LONG, SHORT = "a well-made answer with several words", "brief"


def pairs(n: int = N_PAIRS) -> list[dict[str, Any]]:
    """Two readers who prefer the long answer, which stands first in every other pair; the recorded judge is right
    but for pair 0, on which it failed."""
    rows = []
    for number in range(n):
        first = number % 2 == 0
        label = 1 if first else 2
        rows.append(
            {
                "id": f"p{number:02}",
                "instruction": f"Describe the number {number} in your own words, please.",
                "input": "",
                "output_1": LONG if first else SHORT,
                "output_2": SHORT if first else LONG,
                "labels": {"eva": label, "tom": label},
                "judges": {"old": label if number else None},
                "slices": {"app": "even" if first else "odd"},
            }
        )
    return rows


def write(rows: list[dict[str, Any]], name: str = "human.jsonl") -> str:
    Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return name


@pytest.fixture
def judge(server: Any, fake_openai: Any, in_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A server that prefers the answer with more words, as `letter@endpoint/judge`; one answer costs a cent at most."""
    monkeypatch.setenv("ALPACA_VERDICT_CACHE", str(in_folder / "verdicts.sqlite3"))
    endpoint = {
        "kind": "compatible",
        "base_url": server.base_url,
        "model": "judge-1",
        "price": {"input": 1.0, "output": 2.0},
    }
    Path("endpoints.yaml").write_text(yaml.safe_dump({"endpoints": {"judge": endpoint}}))

    def answer(seen: Any) -> Any:
        return fake_openai.chat(verdict(seen.body["messages"][-1]["content"]))

    server.answer = answer
    write(pairs())
    return server


def verdict(question: str) -> str:
    """The reply to the question of the form `letter`: A where the longer answer is shown first."""
    first, second = question.find(LONG), question.find(SHORT)
    mark = question.rpartition("VERDICT-")[2].split(":")[0]
    return f"By length.\nVERDICT-{mark}: {'A' if 0 <= first < second else 'B'}"


def calibrate(*arguments: str) -> int:
    return main(["judge", "calibrate", "--pairs", "human.jsonl", *arguments])


def of_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    capsys.readouterr()
    assert calibrate(*arguments, "--json") == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def test_a_judge_behind_a_server(judge: Any, capsys: pytest.CaptureFixture[str]) -> None:
    found = of_json(capsys, "--judge", "letter@endpoint/judge", "--perturb", "0")
    measures = found["measures"]
    assert measures["accuracy_all"]["value"] == 1.0
    assert measures["order_consistency"]["value"] == 1.0
    assert measures["controls"]["longer_wins"]["value"] == 1.0
    assert measures["slices"]["app"]["odd"]["accuracy_all"]["n"] == N_PAIRS // 2
    assert found["has_information"] is False  # it does what "longer wins" does
    assert found["data"]["readers"] == "2 (eva, tom)"
    assert found["served"] == ["served-1"]
    assert found["cost"]["n_verdicts"] == 2 * N_PAIRS == len(judge.seen)
    assert found["usd_per_1000"] > 0
    assert found["seconds_per_1000"] > 0
    card = card_of(found["hash"])
    assert card is not None
    assert found["sentence"] == card.sentence()
    assert found["file"] == f"judge_cards/letter-endpoint-judge-{card.hash[:12]}.json"
    assert Path(found["file"]).with_suffix(".ledger").is_dir()


def test_nothing_is_paid_twice(judge: Any, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--judge", "letter@endpoint/judge", "--perturb", "0")
    part = of_json(capsys, *options, "--limit", "10")
    assert (part["data"]["limit"], part["data"]["n_pairs"], len(judge.seen)) == (10, N_PAIRS, 20)
    whole = of_json(capsys, *options)
    assert len(judge.seen) == 2 * N_PAIRS
    assert whole["data"]["limit"] is None
    Path("verdicts.sqlite3").unlink()
    again = of_json(capsys, *options)
    assert len(judge.seen) == 2 * N_PAIRS
    assert again["measures"] == whole["measures"]
    assert again["seconds_per_1000"] == whole["seconds_per_1000"]  # nothing was asked, so nothing was timed


def test_spoilt_answers(judge: Any, capsys: pytest.CaptureFixture[str]) -> None:
    found = of_json(capsys, "--judge", "letter@endpoint/judge", "--perturb", "5")
    assert {kind: of["n"] for kind, of in found["perturbations"].items()} == {
        "padding": 5,
        "echo": 5,
        "off_topic": 5,
        "identical": 5,
    }
    assert found["measures"]["n_pairs"] == N_PAIRS


def test_the_card_in_words(judge: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert calibrate("--judge", "letter@endpoint/judge", "--perturb", "3") == 0
    text, told = capsys.readouterr()
    assert "84 of 84 verdicts, $" in told
    assert "running rate" not in told  # which of two outputs stands first in a file is no model
    for words in (
        "letter@endpoint/judge (",
        "on 30 of 30 pairs of human.jsonl, about 30 items; failed 0",
        "readers: 2 (eva, tom)",
        "accuracy, failures counted wrong                 100.0 [",
        "ceiling: a reader with the others                100.0 [",
        "control: 'longer wins'                           100.0 [",
        "same verdict in both orders",
        "calls an answer and itself a tie",
        "accuracy by language, %\n  en  ",
        "1,000 verdicts: $",
        "no information: not shown to be above",
        "wrote judge_cards/letter-endpoint-judge-",
    ):
        assert words in text


def test_dry_run_asks_nobody(judge: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert calibrate("--judge", "letter@endpoint/judge", "--dry-run", "--perturb", "5") == 0
    text = capsys.readouterr().out
    assert text.startswith("30 labelled pairs and 20 with a spoilt answer\n")
    assert "answered already" in text
    assert "cost: about $" in text
    assert judge.seen == []
    assert not Path("judge_cards").exists()
    assert calibrate("--judge", "builtin:longer", "--dry-run") == 0
    assert "nothing to be asked or paid" in capsys.readouterr().out


def test_the_money_is_used_up(judge: Any, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--judge", "letter@endpoint/judge", "--perturb", "0")
    estimate = of_json(capsys, *options, "--dry-run")["estimate"]
    one_at_most = estimate["cost_usd"]["at_most"] / (2 * N_PAIRS)
    assert calibrate(*options, "--max-cost", f"{1.03 * one_at_most:.6f}") == 3
    assert "the money of --max-cost is used up), so there is no card yet" in capsys.readouterr().err
    asked = len(judge.seen)
    assert 0 < asked < 2 * N_PAIRS
    assert list(Path("judge_cards").glob("*.json")) == []
    of_json(capsys, *options, "--max-cost", "5")
    assert len(judge.seen) == 2 * N_PAIRS  # those that were asked are not asked again


def test_a_judge_that_says_nothing_readable(judge: Any, fake_openai: Any, capsys: pytest.CaptureFixture[str]) -> None:
    judge.answer = lambda seen: fake_openai.chat("I like both.")
    assert calibrate("--judge", "letter@endpoint/judge", "--perturb", "0") == 1
    assert "each of its first 20 verdicts failed" in capsys.readouterr().err
    assert list(Path("judge_cards").glob("*.json")) == []


def test_some_failed_verdicts_are_measured(judge: Any, fake_openai: Any, capsys: pytest.CaptureFixture[str]) -> None:
    def answer(seen: Any) -> Any:
        question = seen.body["messages"][-1]["content"]
        return fake_openai.chat("Both." if "number 7 " in question else verdict(question))

    judge.answer = answer
    found = of_json(capsys, "--judge", "letter@endpoint/judge", "--perturb", "0")
    measures = found["measures"]
    assert measures["n_failed"] == 1
    assert measures["accuracy_all"]["value"] == pytest.approx(29 / 30)
    assert measures["accuracy_valid"]["value"] == 1.0


def test_another_question_is_another_judge(judge: Any, capsys: pytest.CaptureFixture[str]) -> None:
    found = of_json(capsys, "--judge", "letter@endpoint/judge", "--perturb", "0", "--limit", "4")
    Path("strict.yaml").write_text("form: letter\nmodel: endpoint/judge\nsystem: Be strict.\n")
    other = of_json(capsys, "--judge", "strict.yaml", "--perturb", "0", "--limit", "4")
    assert found["hash"] != other["hash"]
    assert len(list(Path("judge_cards").glob("*.json"))) == 2


def test_the_card_stands_beside_win_rates(judge: Any, capsys: pytest.CaptureFixture[str]) -> None:
    found = of_json(capsys, "--judge", "letter@endpoint/judge", "--perturb", "0")

    def win_rate(**keys: str) -> Any:
        verdicts = [{"id": f"{n}", "win": float(n < 20), "judge": "letter@endpoint/judge", **keys} for n in range(40)]
        assert main(["stats", "win-rate", write(verdicts, "v.jsonl"), "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    carried = win_rate(judge_hash=found["hash"])
    assert (carried["calibrated"], carried["agreement"]) == (True, found["sentence"])
    assert carried["information"]["informative"] is False
    assert carried["information"]["reason"].startswith("no information: by its card")
    other = win_rate(judge_hash="0" * 64)
    assert (other["calibrated"], other["agreement"]) == (False, "not calibrated")
    assert win_rate()["calibrated"] is False  # a name says nothing of the model and the question


def test_a_local_checkpoint(make_checkpoint: Any, in_folder: Path, monkeypatch: pytest.MonkeyPatch,
                            capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    # Random weights say nothing that can be read, which is what the card then says.
    monkeypatch.setenv("ALPACA_VERDICT_CACHE", str(in_folder / "verdicts.sqlite3"))
    folder = make_checkpoint("mine/step-100")
    write(pairs())
    Path("short.yaml").write_text(f"form: letter\nmodel: {folder}\ndecoding: {{max_tokens: 4}}\n")
    found = of_json(capsys, "--judge", "short.yaml", "--limit", "4", "--perturb", "0")
    assert found["measures"]["n_failed"] == 4
    assert found["has_information"] is False
    assert (found["cost"]["usd"], found["cost"]["n_timed"]) == (0.0, 8)
    assert {"torch", "transformers"} <= found["versions"].keys()
    named = of_json(capsys, "--judge", f"letter@{folder}", "--limit", "2", "--perturb", "0")
    assert named["name"] == "letter@step-100"
    assert str(folder) not in json.dumps(named)


def test_recorded_verdicts(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(pairs())
    found = of_json(capsys, "--recorded", "old", "--readers", "two friends", "--source", "made up, CC0-1.0")
    assert (found["name"], found["form"], found["cost"]) == ("recorded:old", "recorded", None)
    assert found["measures"]["n_failed"] == 1
    assert found["measures"]["accuracy_all"]["value"] == pytest.approx(29 / 30)
    assert (found["data"]["readers"], found["data"]["source"]) == ("two friends", "made up, CC0-1.0")
    assert card_of("recorded:old") is not None
    assert found["perturbations"] == {}


def test_programs_of_ours(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(pairs())
    found = of_json(capsys, "--judge", "builtin:longer", "--perturb", "5")
    assert found["measures"]["accuracy_all"]["value"] == 1.0
    assert found["perturbations"]["padding"]["wrong"]["value"] == 1.0
    assert not list(Path("judge_cards").glob("*.ledger"))


def test_checks_need_their_items(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = {"eva": 1, "tom": 1}
    write([{"id": f"p{n}", "item": f"mini_{n:03}", "output_1": "x", "output_2": "", "labels": labels} for n in (1, 2)])
    assert calibrate("--judge", "builtin:checks") == 1
    assert "key 'instruction': is missing or no text" in capsys.readouterr().err
    found = of_json(capsys, "--judge", "builtin:checks", "--scenario", "user_oriented_mini")
    assert (found["measures"]["n_pairs"], found["data"]["readers"]) == (2, "2 (eva, tom)")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "say who is to be measured"),
        (("--judge", "builtin:longer", "--recorded", "old"), 2, "say who is to be measured"),
        (("--recorded", "new"), 2, "the pairs hold no verdicts of 'new'"),
        (("--recorded", "old", "--dry-run"), 2, "--recorded asks nobody"),
        (("--judge", "builtin:checks"), 2, "builtin:checks needs the checks of the items"),
        (("--judge", "leter@endpoint/judge"), 2, "no judge is named"),
        (("--judge", "letter"), 2, "is a form without a model"),
        (("--judge", "panel.yaml"), 2, "panel.yaml is a panel"),
        (("--judge", "letter@endpoint/nobody"), 2, "nobody"),
        (("--judge", "builtin:longer", "--scenario", "nowhere"), 2, "nowhere"),
        (("--judge", "builtin:longer", "--limit", "1"), 2, "--limit"),
    ],
)
def test_calls_that_are_wrong(
    judge: Any, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: int, message: str
) -> None:
    Path("panel.yaml").write_text("panel: [letter@endpoint/judge, builtin:longer]\n")
    assert calibrate(*arguments) == code
    printed = capsys.readouterr()
    assert message in printed.err
    assert printed.out == ""
    assert not Path("judge_cards").exists()


def test_a_wrong_file(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert calibrate("--judge", "builtin:longer") == 1
    assert "human.jsonl: cannot be read" in capsys.readouterr().err
    write([*pairs(2), {"id": "x"}])
    assert calibrate("--judge", "builtin:longer") == 1
    assert "human.jsonl:3" in capsys.readouterr().err
