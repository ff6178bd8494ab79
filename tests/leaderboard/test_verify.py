"""An entry that says what its raw file says passes; one digit that was changed, in either of them, does not."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from alpaca_eval_suite.cli.main import main
from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.files import sha256_of
from alpaca_eval_suite.leaderboard import verify as module
from alpaca_eval_suite.leaderboard.entry import checksum_of
from alpaca_eval_suite.leaderboard.raw import RawItem, Vote
from alpaca_eval_suite.leaderboard.recompute import COUNTED
from alpaca_eval_suite.leaderboard.record import RunRecord
from alpaca_eval_suite.leaderboard.verify import Difference, EntryCheck, verify, verify_entry

from .made import JUDGE, compared_items, paired_items, put_into, read_items

RunFactory = Callable[..., RunRecord]
Place = tuple[str | int, ...]

MADE_AGAIN = (*(key for key in COUNTED if key != "panel"), "panel.agreement")


@pytest.fixture
def compared(make_run: RunFactory, tmp_path: Path) -> Path:
    """An entry of one run of pairs that a judge compared."""
    judge = {"name": JUDGE, "has_information": False, "agreement": "not calibrated", "calibrated": False}
    return put_into(tmp_path / "results", make_run(judge=judge, seed=3), compared_items())


def probe_run(make_run: RunFactory, metric: str, **more: Any) -> RunRecord:
    return make_run(baseline=None, scenario={"name": metric, "metric": metric}, **more)


def load(entry: Path) -> Any:
    return json.loads(entry.read_text("utf-8"))


def save(entry: Path, value: Any, *, sealed: bool = True) -> None:
    """Write the entry; `sealed`: with the checksum that belongs to it, as a careful forger would."""
    seal = {"checksum": checksum_of(value)} if sealed else {}
    entry.write_text(json.dumps({**value, **seal}), "utf-8")


def leaves(value: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    if isinstance(value, dict | list):
        for key, of in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(of, (*place, key))
    else:
        yield place, value


def put(value: Any, place: Place, new: Any) -> Any:
    copy = json.loads(json.dumps(value))
    of = copy
    for key in place[:-1]:
        of = of[key]
    of[place[-1]] = new
    return copy


def dotted(place: Place) -> str:
    return ".".join(map(str, place))


def difference(entry: Path) -> Difference | None:
    return verify_entry(entry).first_difference


def test_an_entry_as_it_was_built_is_verified(compared: Path) -> None:
    (check,) = verify(compared.parent)
    assert check.verified
    (run,) = check.runs
    assert "6 rates, 12 rates of slices, 2 means, with their intervals" in run.checked
    assert run.checked[0].startswith("the hash of raw/SmolLM2-135M-Instruct-a1b2c3d4-")
    assert run.unchecked == ("what was noted while it ran: model, settings, versions, date",)
    assert check.checked == ("the checksum over all of it",)


@pytest.mark.parametrize(
    ("metric", "items", "judged"),
    [("short_answer", read_items(), True), ("stereotypes", paired_items(), False), ("misinformation", [], False)],
)
def test_runs_of_probes_are_verified(
    make_run: RunFactory, tmp_path: Path, metric: str, items: list[RawItem], judged: bool
) -> None:
    judge = {"has_information": None, "orders": "single"} if judged else None
    entry = put_into(tmp_path, probe_run(make_run, metric, judge=judge), items or read_items()[:3])
    check = verify_entry(entry)
    assert check.verified, check
    assert bool(load(entry)["runs"][0]["differences"]) == (metric == "stereotypes")


@pytest.fixture
def made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers are made again once for each run that differs in what they are made from."""
    make, known = module.with_scores, {}

    def remembered(run: RunRecord, items: list[RawItem]) -> RunRecord:
        key = run.model_dump_json(exclude=set(COUNTED)) + str(run.panel and run.panel.combine) + repr(items)
        if key not in known:
            known[key] = make(run, items)
        return known[key].model_copy()

    monkeypatch.setattr(module, "with_scores", remembered)


@pytest.mark.usefixtures("made_once")
@pytest.mark.parametrize("metric", ["preference", "short_answer", "stereotypes", "panel"])
def test_each_number_that_is_changed_is_found(make_run: RunFactory, tmp_path: Path, metric: str) -> None:
    """Even where the checksum was made to fit: the raw file says otherwise."""
    if metric in ("preference", "panel"):
        items = compared_items()
        run = make_run(judge={"name": JUDGE, "has_information": False})
        if metric == "panel":
            other = [one.model_copy(update={"judge": "other", "win": 1.0}) for one in items[0].verdicts]
            items[0] = items[0].model_copy(update={"verdicts": (*items[0].verdicts, *other)})
            one = run.model_dump()["judge"]
            run = make_run(panel={"combine": "mean", "judges": [one, {**one, "name": "other"}]})
    else:
        items = read_items() if metric == "short_answer" else paired_items()
        run = probe_run(make_run, metric, judge=None)
    entry = put_into(tmp_path / "results", run, items)
    whole, flipped = load(entry), 0
    assert verify_entry(entry).verified
    for place, value in leaves(whole):
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        key = dotted(place[2:])
        is_made_again = place[0] == "runs" and key.startswith(MADE_AGAIN)
        changed = value + (1 if isinstance(value, int) else 1e-6)
        save(entry, put(whole, place, changed), sealed=is_made_again)
        found = verify_entry(entry)
        assert not found.verified, dotted(place)
        if is_made_again:
            flipped += 1
            assert found.first_difference is not None
            assert (found.first_difference.key, found.first_difference.stored) == (dotted(place), changed)
            assert found.first_difference.recomputed == pytest.approx(value, abs=1e-12)
    assert flipped > 40


@pytest.mark.usefixtures("made_once")
def test_every_other_key_that_is_changed_breaks_the_checksum(compared: Path) -> None:
    whole = load(compared)
    for place, value in leaves(whole):
        if isinstance(value, str) and place != ("checksum",):
            digit = next((at for at, char in enumerate(value) if char.isdigit()), None)
            changed = (
                f"{value}x" if digit is None else f"{value[:digit]}{(int(value[digit]) + 1) % 10}{value[digit + 1 :]}"
            )
            save(compared, put(whole, place, changed), sealed=False)
            assert not verify_entry(compared).verified, dotted(place)
    save(compared, {**whole, "checksum": "0" * 64}, sealed=False)
    assert difference(compared) == Difference("checksum", "0" * 64, whole["checksum"])


def test_what_is_hidden_or_added_is_found(compared: Path) -> None:
    whole = load(compared)
    (run,) = whole["runs"]
    assert run["guards"] == ["empty_output"]
    changes: dict[str, Any] = {
        "guards": [],
        "win_rate": None,
        "slices": {},
        "rates": {name: rate for name, rate in run["rates"].items() if name != "first_shown"},
        "differences": {"lean": run["rates"]["win_rate"]},
        "seed": 4,
    }
    for key, value in changes.items():
        save(compared, put(whole, ("runs", 0, key), value))
        assert difference(compared) is not None, key


@pytest.mark.parametrize("said", [True, None])
def test_a_blind_judge_may_not_be_called_informative(make_run: RunFactory, tmp_path: Path, said: bool | None) -> None:
    """It always prefers the output that is shown first."""
    items = [
        item.model_copy(
            update={
                "verdicts": tuple(
                    one.model_copy(update={"win": float(one.order == "model_first")}) for one in item.verdicts
                )
            }
        )
        for item in compared_items()
    ]
    entry = put_into(tmp_path, make_run(judge={"name": JUDGE, "has_information": False}), items)
    assert verify_entry(entry).verified
    save(entry, put(load(entry), ("runs", 0, "judge", "has_information"), said))
    assert difference(entry) == Difference("runs.0.judge.has_information", said, False)


def raw_file(entry: Path, number: int = 0) -> Path:
    return entry.parent / load(entry)["runs"][number]["raw"]["file"]


def test_every_digit_of_the_raw_file_counts(compared: Path) -> None:
    raw = raw_file(compared)
    text = raw.read_text("utf-8")
    stored = load(compared)["runs"][0]["raw"]["sha256"]
    for at in [place for place, char in enumerate(text) if char.isdigit()][::25]:
        raw.write_text(f"{text[:at]}{(int(text[at]) + 1) % 10}{text[at + 1 :]}", "utf-8")
        found = difference(compared)
        assert found is not None
        assert (found.key, found.stored, found.recomputed) == ("runs.0.raw.sha256", stored, sha256_of(raw))


@pytest.mark.parametrize("at", range(0, 24, 5))
def test_a_verdict_that_is_turned_round_with_every_hash_made_to_fit_is_found(compared: Path, at: int) -> None:
    raw = raw_file(compared)
    rows = [json.loads(line) for line in raw.read_text("utf-8").splitlines()]
    rows[at]["verdicts"][0]["win"] = 1 - rows[at]["verdicts"][0]["win"]
    raw.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    save(compared, put(load(compared), ("runs", 0, "raw", "sha256"), sha256_of(raw)))
    found = difference(compared)
    assert found is not None
    assert found.key.startswith("runs.0.rates.win_rate")


@pytest.mark.parametrize(
    ("spoil", "key", "why"),
    [
        (lambda raw: raw.unlink(), "runs.0.raw", "cannot be read"),
        (lambda raw: raw.write_text(""), "runs.0.raw.sha256", ""),
        (lambda raw: raw.write_bytes(raw.read_bytes()[:-20]), "runs.0.raw.sha256", ""),
    ],
)
def test_a_raw_file_that_is_gone_or_half_written_is_a_difference(
    compared: Path, spoil: Callable[[Path], object], key: str, why: str
) -> None:
    spoil(raw_file(compared))
    found = difference(compared)
    assert found is not None
    assert found.key == key
    assert why in str(found.recomputed)


@pytest.mark.parametrize(
    "change",
    [
        lambda row: row.pop("key"),
        lambda row: row["key"].update(side="first"),
        lambda row: row["key"].update(pair=[]),
        lambda row: row["outcome"].update(label=None),
        lambda row: row["outcome"].update(score="high"),
    ],
)
def test_lines_from_which_no_numbers_can_be_made_are_a_difference(
    make_run: RunFactory, tmp_path: Path, change: Callable[[Any], object]
) -> None:
    entry = put_into(tmp_path, probe_run(make_run, "stereotypes", judge=None), paired_items())
    raw = raw_file(entry)
    rows = [json.loads(line) for line in raw.read_text("utf-8").splitlines()]
    change(rows[1])
    raw.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    save(entry, put(load(entry), ("runs", 0, "raw", "sha256"), sha256_of(raw)))
    found = difference(entry)
    assert found is not None
    assert found.key == "runs.0.raw"


def test_lines_that_are_left_out_are_missed(compared: Path) -> None:
    raw = raw_file(compared)
    raw.write_text("".join(raw.read_text("utf-8").splitlines(keepends=True)[:-1]), "utf-8")
    save(compared, put(load(compared), ("runs", 0, "raw", "sha256"), sha256_of(raw)))
    assert difference(compared) == Difference("runs.0.raw.n_lines", 24, 23)


def test_the_length_controlled_rate_with_difficulties_from_elsewhere_is_not_checked(compared: Path) -> None:
    whole = load(compared)
    assert whole["runs"][0]["length_controlled"]["difficulty"] == "left out"
    elsewhere = {**whole["runs"][0]["length_controlled"], "difficulty": "given", "lc_win_rate": 0.9}
    save(compared, put(whole, ("runs", 0, "length_controlled"), elsewhere))
    (run,) = verify_entry(compared).runs
    assert run.checked
    assert run.unchecked[0] == "the length-controlled rate: it was made with difficulties from elsewhere"


def test_votes_are_verified(make_run: RunFactory, tmp_path: Path) -> None:
    items = [
        RawItem(id=f"v{n}", people=(Vote(judge="human:a", win=n % 2), Vote(judge="human:b", win=(n + 1) % 2)))
        for n in range(20)
    ]
    entry = put_into(tmp_path, make_run(source="votes", judge={"has_information": None}), items)
    assert verify_entry(entry).verified
    rates = load(entry)["runs"][0]["rates"]
    assert (list(rates), rates["win_rate"]["value"], rates["win_rate"]["n"]) == (["win_rate"], 0.5, 20)


def version_1(whole: Any) -> Any:
    """The entry as version 1 would have written it."""
    new = ("source", "panel", "seed", "stopped_early", "length_controlled", "guards", "self_judged", "cost_usd", "raw")
    runs = []
    for run in whole["runs"]:
        judge = {key: value for key, value in run["judge"].items() if key != "hash"}
        runs.append(
            {key: value for key, value in run.items() if key not in new} | {"schema_version": 1, "judge": judge}
        )
    return {key: value for key, value in whole.items() if key != "checksum"} | {"schema_version": 1, "runs": runs}


def test_what_has_no_raw_file_cannot_be_verified_and_is_said(
    compared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(compared, version_1(load(compared)), sealed=False)
    check = verify_entry(compared)
    assert (check.verified, check.first_difference) == (False, None)
    assert main(["leaderboard", "verify", str(compared)]) == 3
    said = capsys.readouterr()
    assert "could not be checked: any number: it has no raw file" in said.out
    assert "could not be checked: that the rest was not edited: it has no checksum" in said.out
    assert "1 of 1 runs have no raw file to be checked against" in said.err


def test_the_command_says_what_was_checked(compared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["leaderboard", "verify", str(compared.parent)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"{compared}: SmolLM2-135M-Instruct"
    assert said[1] == "  alpaca_user_oriented_mini:judge=builtin"
    assert "    checked: the win rate in full, and the guards" in said
    assert said[-1] == "  checked: the checksum over all of it"
    assert main(["leaderboard", "verify", str(compared), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["verified"] is True
    assert found["entries"][0]["runs"][0]["difference"] is None


def test_the_command_names_the_first_difference(compared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = load(compared)
    value = whole["runs"][0]["rates"]["win_rate"]["value"]
    save(compared, put(whole, ("runs", 0, "rates", "win_rate", "value"), 0.75))
    assert main(["leaderboard", "verify", str(compared)]) == 1
    said = capsys.readouterr()
    line = f"runs.0.rates.win_rate.value: stored 0.75, recomputed {value}"
    assert f"DIFFERS: {line}" in said.out
    assert f"{compared}: differs from its raw file: {line}" in said.err
    assert main(["leaderboard", "verify", str(compared), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)["entries"][0]["runs"][0]["difference"]
    assert found == {"key": "runs.0.rates.win_rate.value", "stored": 0.75, "recomputed": value}


def test_a_file_that_cannot_be_read_does_not_hide_the_others(
    compared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (compared.parent / "half.json").write_text(compared.read_text("utf-8")[:200])
    checks = verify(compared.parent)
    assert [isinstance(check, EntryCheck) and check.verified for check in checks] == [True, False]
    assert main(["leaderboard", "verify", str(compared.parent)]) == 1
    said = capsys.readouterr()
    assert "NOT READ: is not a leaderboard entry of version 2" in said.out
    assert "checked: the checksum over all of it" in said.out
    assert "half.json: is not a leaderboard entry" in said.err


def test_an_empty_folder_and_a_file_that_is_not_there_are_errors(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="holds no entries"):
        verify(tmp_path)
    with pytest.raises(SuiteError, match="there is no such file"):
        verify(tmp_path / "x.json")


def test_results_that_were_moved_as_a_whole_are_verified(compared: Path, tmp_path: Path) -> None:
    shutil.move(compared.parent, tmp_path / "elsewhere")
    assert verify(tmp_path / "elsewhere")[0].verified
