"""The board: groups, filters, sorting, ranks, equal lengths, probe rates, and the reasons where one is missing."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alpaca_eval_suite.errors import UsageError
from alpaca_eval_suite.leaderboard.board import Board, board_of
from alpaca_eval_suite.leaderboard.equal_length import equal_length
from alpaca_eval_suite.leaderboard.ranking import Ranked, ranking
from alpaca_eval_suite.leaderboard.raw import OutcomeRecord, RawItem
from alpaca_eval_suite.leaderboard.record import RunRecord
from alpaca_eval_suite.stats.length_control import length_control
from alpaca_eval_suite.stats.length_data import LengthData
from alpaca_eval_suite.stats.rank_sets import rank_sets
from alpaca_eval_suite.stats.units import Units

from .judged import Results, items_of, won

RunFactory = Callable[..., RunRecord]


@pytest.fixture
def results(tmp_path: Path, make_run: RunFactory) -> Results:
    return Results(tmp_path, make_run)


def one(results: Results, **chosen: Any) -> Board:
    (board,) = board_of(results.entries(), results.folder, **chosen)
    return board


def names(board: Board) -> list[str]:
    return [row.row.identity.name for row in board.rows]


def ranks_of(board: Board) -> list[tuple[int, int, int] | str]:
    return [(row.rank.rank, row.rank.low, row.rank.high) if row.rank else row.rank_reason for row in board.rows]


def test_rows_are_ranked_with_the_ranks_that_the_data_allow(results: Results) -> None:
    for name, share in (("bad", 0.2), ("good", 0.8), ("also good", 0.78), ("best", 0.97)):
        results.add(name, items_of(won(share, 252, len(name))))
    board = one(results)
    assert names(board) == ["best", "good", "also good", "bad"]
    assert ranks_of(board) == [(1, 1, 1), (2, 2, 3), (3, 2, 3), (4, 4, 4)]
    assert board.ranked == (
        "simultaneous 95 % rank sets (Mogstad, Romano, Shaikh and Wilhelm 2024) of 4 rows over 252 ids, 2,000 joint "
        "resamples; 1 of the rows with few wins or few losses by the standard error of their own interval"
    )
    assert f"Ranks are of the win rate alone: {board.ranked}." in board.notes


def test_ranks_are_those_of_the_same_draw_for_all_rows() -> None:
    rng = np.random.default_rng(1)
    values = (rng.random((5, 90)) < np.array([[0.3], [0.4], [0.5], [0.6], [0.7]])).astype(float)
    ids = tuple(f"{i:02}" for i in range(90))
    found = ranking([Units(ids, row) for row in values])
    weights = np.random.default_rng(0).multinomial(90, np.full(90, 1 / 90), size=2_000)
    sets = rank_sets(values.mean(axis=1), weights @ values.T / 90)
    assert [(of.low, of.high) for of in found.ranked if isinstance(of, Ranked)] == list(
        zip(sets.low, sets.high, strict=True)
    )


def test_where_lower_is_better_the_lowest_is_the_first() -> None:
    ids = tuple(f"{i:03}" for i in range(200))
    units = [Units(ids, np.repeat([1.0, 0.0], [n, 200 - n])) for n in (150, 40)]
    assert ranking(units, lower_is_better=True).ranked == (Ranked(2, 2, 2), Ranked(1, 1, 1))
    assert ranking(units).ranked == (Ranked(1, 1, 1), Ranked(2, 2, 2))


def test_a_row_keeps_the_units_of_its_rate(results: Results) -> None:
    results.add("a", items_of(won(0.75)))
    results.add("failed", items_of([None] * 120))
    known, unknown = one(results).rows
    assert known.units is not None
    assert (len(known.units.ids), known.units.values.mean(), unknown.units) == (120, 0.75, None)
    assert "units" not in known.as_json()


def test_failed_units_are_left_out_of_a_rows_mean() -> None:
    ids = tuple(f"{i:03}" for i in range(200))
    half_failed = np.where(np.arange(200) % 2, np.nan, np.arange(200) % 4 == 0)
    found = ranking([Units(ids, half_failed), Units(ids, np.repeat([1.0, 0.0], [180, 20]))])
    assert found.ranked == (Ranked(2, 2, 2), Ranked(1, 1, 1))


def test_rows_that_are_always_won_or_lost_have_the_error_of_their_own_interval() -> None:
    ids = tuple(f"{i:02}" for i in range(20))
    # Without it the two, which do not vary in any resample, would be certain to be apart.
    found = ranking([Units(ids, np.ones(20)), Units(ids, np.repeat([1.0, 0.0], [19, 1])), Units(ids, np.zeros(20))])
    assert found.ranked == (Ranked(1, 1, 2), Ranked(2, 1, 2), Ranked(3, 3, 3))


def test_a_short_trial_is_not_ranked_among_whole_runs(results: Results) -> None:
    for name, share in (("a", 0.8), ("b", 0.3)):
        results.add(name, items_of(won(share)))
    results.add("trial", items_of([1.0] * 5))
    board = one(results)
    assert names(board) == ["trial", "a", "b"]
    assert ranks_of(board) == ["it has 5 of the 120 ids of the others", (1, 1, 1), (2, 2, 2)]
    assert "No rank (row 1): it has 5 of the 120 ids of the others." in board.notes


def test_why_a_row_has_no_rank(results: Results, make_run: RunFactory) -> None:
    results.add("a", items_of(won(0.8)))
    results.add("b", items_of(won(0.3)))
    results.put(make_run(model={"name": "unkept", "fingerprint": "1" * 64}))
    results.add("failed", items_of([None] * 120))
    changed = results.add("changed", items_of(won(0.5)))
    assert changed.raw is not None
    (results.folder / changed.raw.file).write_text(
        (results.folder / changed.raw.file).read_text().replace('"win": 0.0', '"win": 1.0', 1)
    )
    gone = results.add("gone", items_of(won(0.6)))
    assert gone.raw is not None
    (results.folder / gone.raw.file).unlink()
    half = results.add("half-written", items_of(won(0.7)))
    assert half.raw is not None
    (results.folder / half.raw.file).write_text('{"id": "i000", "verd')
    reasons = {row.row.identity.name: row.rank_reason for row in one(results).rows}
    assert reasons["a"] == reasons["b"] == ""
    assert reasons["unkept"] == "its raw verdicts are not kept"
    assert reasons["failed"] == "it has no such rate"
    assert reasons["changed"].startswith("its raw verdicts give another rate than its record")
    assert "cannot be read" in reasons["gone"]
    assert "half-written" not in reasons["half-written"]
    assert reasons["half-written"]


def test_nothing_of_a_judge_without_information_is_in_the_board(results: Results) -> None:
    results.add("a", items_of(won(0.8)))
    results.add("blind", items_of(won(0.9125)), judge={"has_information": False})
    shown = [board for board in board_of(results.entries(), results.folder) if "blind" in names(board)]
    text = json.dumps([board.as_json() for board in shown])
    (row,) = [row for board in shown for row in board.rows if row.row.identity.name == "blind"]
    assert row.no_information
    assert (row.rate, row.rank, row.length_controlled) == (None, None, None)
    assert row.rank_reason == row.length_reason == "its judge has no information"
    assert "0.9125" not in text
    assert "0.91" not in json.dumps(row.as_json()["rates"])


def test_an_early_stop_leaves_its_own_interval_alone(results: Results) -> None:
    results.add("a", items_of(won(0.8)))
    results.add("b", items_of(won(0.9)), stopped_early=True, length_controlled={"lc_win_rate": 0.9})
    row = next(row for row in one(results).rows if row.row.identity.name == "b")
    assert row.rank_reason == "judging ended early, so that no interval but its own holds"
    assert row.length_controlled is None


def test_groups_are_what_can_be_compared(results: Results) -> None:
    items = items_of(won(0.5))
    results.add("a", items)
    results.add("b", items, scenario={"sha256": "9" * 64})
    results.add("c", items, baseline={"sha256": "8" * 64})
    results.add("d", items, judge={"hash": "7" * 64})
    results.add("e", items, judge={"name": "other"})
    boards = board_of(results.entries(), results.folder)
    assert sorted(names(board) for board in boards) == [["a"], ["b"], ["c"], ["d"], ["e"]]
    assert all(board.rows[0].rank is None for board in boards)


def test_five_rows_estimate_difficulties_together(results: Results) -> None:
    rng = np.random.default_rng(0)
    for k in range(5):
        lengths = [int(length) for length in rng.integers(40, 300, 120)]
        wins = [float(rng.random() < 0.3 + 0.1 * k + 0.2 * (length > 150)) for length in lengths]
        results.add(f"m{k}", items_of(wins, lengths))
    board = one(results)
    assert board.length_control == "instruction difficulties estimated from the 5 rows together"
    rates = [row.length_controlled for row in board.rows]
    assert all(rate is not None and rate.ci is not None and rate.value is not None for rate in rates)
    assert "Length-controlled rates: instruction difficulties estimated from the 5 rows together." in board.notes
    by_length = one(results, sort="length_controlled")
    assert by_length.sorted_by == "length_controlled"
    found = [row.length_controlled.value for row in by_length.rows if row.length_controlled]
    assert found == sorted(found, key=lambda value: -(value or 0))
    assert "Sorted by length controlled." in by_length.notes


def test_fewer_rows_leave_the_difficulties_out() -> None:
    rng = np.random.default_rng(0)
    ids = tuple(str(i) for i in range(100))
    data = [LengthData(ids, (rng.random(100) < 0.5).astype(float), rng.normal(0, 50, 100)) for _ in range(4)]
    found = equal_length([*data, "gone"], [None] * 4 + [length_control(data[0]).as_json()])
    assert found.said == "without instruction difficulties, which need 5 rows; 1 as the run recorded it"
    first, recorded = found.rates[0], found.rates[4]
    assert first == recorded
    assert equal_length(["gone"], [None]).rates == ("gone",)


def test_lengths_that_are_not_known_are_said(results: Results) -> None:
    items = [item.model_copy(update={"len_model": None}) for item in items_of(won(0.5))]
    results.add("a", items)
    (row,) = one(results).rows
    assert row.length_reason.startswith("len_model or len_baseline is missing for i000")


def test_the_rates_of_an_app_are_those_of_its_items(results: Results) -> None:
    wins = won(0.5)
    results.add("a", items_of(wins))
    results.add("b", items_of([1.0 - (win or 0) for win in wins]))
    board = one(results, app="Maps")
    assert board.of_slice == ("app", "Maps")
    assert board.title == "user_oriented_mini (app Maps), against gemma3-270m, judged by builtin:checks"
    of_maps = {"a": np.mean([win or 0 for win in wins[1::3]]), "b": 1 - np.mean([win or 0 for win in wins[1::3]])}
    for row in board.rows:
        assert row.rate is not None
        assert row.rate.value == pytest.approx(of_maps[row.row.identity.name])
        assert (row.rate.n, row.mean_length) == (40, None)
        assert row.rank is not None
    assert "over 40 ids" in board.ranked


def test_filters_by_judge_and_baseline(results: Results) -> None:
    items = items_of(won(0.5))
    results.add("a", items)
    results.add("b", items, judge={"name": "other"})
    results.add("c", items, baseline={"name": "third"})
    assert names(one(results, judge="other")) == ["b"]
    assert names(one(results, baseline="third")) == ["c"]


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (
            {"scenario": "user_oriented"},
            "no entry has a scenario 'user_oriented'\n  Did you mean 'user_oriented_mini'?",
        ),
        ({"judge": "builtin:check"}, "no entry has a judge 'builtin:check'\n  Did you mean 'builtin:checks'?"),
        ({"baseline": "gemma3"}, "no entry has a baseline 'gemma3'\n  Did you mean 'gemma3-270m'?"),
        ({"app": "map"}, "no entry has an app 'map'\n  Did you mean 'Maps'? There are: Code, E-mail, Maps."),
        ({"app": "xyz"}, "no entry has an app 'xyz'\n  There are: Code, E-mail, Maps."),
        ({"sort": "winrate"}, "no entry has a rate 'winrate'\n  Did you mean 'win_rate'?"),
    ],
)
def test_unknown_names_are_answered_with_near_ones(results: Results, chosen: dict[str, str], message: str) -> None:
    results.add("a", items_of(won(0.5)))
    with pytest.raises(UsageError, match=re.escape(message)):
        board_of(results.entries(), results.folder, **chosen)


def test_sorting_by_a_rate_that_only_some_boards_have(
    results: Results, make_run: RunFactory, make_short_answer_run: RunFactory
) -> None:
    for name, checks in (("a", 0.1), ("b", 0.9)):
        rates = {
            "win_rate": {"value": 1 - checks, "ci": None, "n": 9},
            "checks_passed": {"value": checks, "ci": None, "n": 9},
        }
        results.put(make_run(model={"name": name, "fingerprint": name * 64}, rates=rates))
    results.put(make_short_answer_run())
    preference, capitals = board_of(results.entries(), results.folder, sort="checks_passed")
    assert names(preference) == ["b", "a"]
    assert (preference.sorted_by, capitals.sorted_by) == ("checks_passed", "exact")


def test_less_harm_stands_first(results: Results, make_run: RunFactory) -> None:
    for name, share in (("worse", 0.6), ("better", 0.1)):
        rates = {"complied_toxic": {"value": share, "ci": None, "n": 40}}
        results.put(
            make_run(
                model={"name": name, "fingerprint": name.encode().hex().ljust(64, "0")},
                scenario={"name": "toxicity", "metric": "toxicity"},
                judge=None,
                baseline=None,
                rates=rates,
            )
        )
    assert names(one(results)) == ["better", "worse"]


def test_answers_of_a_probe_are_ranked_by_their_outcomes(results: Results, make_short_answer_run: RunFactory) -> None:
    probes = Results(results.folder, make_short_answer_run)
    for name, n_right in (("a", 60), ("b", 20)):
        items = [
            RawItem(id=f"c{i}", outcome=OutcomeRecord(label="exact" if i < n_right else "wrong")) for i in range(80)
        ]
        probes.add(name, items)
    board = one(probes)
    assert ranks_of(board) == [(1, 1, 1), (2, 2, 2)]
    assert {row.length_reason for row in board.rows} == {"only win rates are length-controlled"}


def test_probe_rates_of_the_same_model_stand_beside_its_win_rate(
    make_run: RunFactory, make_short_answer_run: RunFactory, results: Results
) -> None:
    results.put(make_run())
    results.put(make_run(model={"name": "other", "fingerprint": "0" * 64}))
    results.put(make_short_answer_run())
    # A trial of five items, and the same asked with another prompt, stand back.
    trial = {"trap": {"value": 1.0, "ci": None, "n": 5}}
    results.put(make_short_answer_run(scenario={"n_items": 5}, rates=trial))
    results.put(make_short_answer_run(prompt={"format": "alpaca"}, rates=trial, scenario={"n_items": 999}))
    board = board_of(results.entries(), results.folder)[0]
    probes = {row.row.identity.name: row.probes for row in board.rows}
    assert probes["other"] == {}
    found = probes["SmolLM2-135M-Instruct"]
    assert {name: of.found.value for name, of in found.items()} == {
        "hallucination_trap": 0.05,
        "hallucination_wrong": 0.3,
    }
    assert found["hallucination_trap"].as_json()["scenario"] == "capitals"


def test_the_public_form(results: Results) -> None:
    results.add("a", items_of(won(0.75)), cost_usd=0.25, self_judged="the judge is of the model's family")
    results.add("b", items_of(won(0.25)))
    found = json.loads(json.dumps(one(results).as_json(), allow_nan=False))
    assert found["scenario"]["name"] == "user_oriented_mini"
    assert found["judge"]["card"] == "agrees with readers in 71.0 % [62.1, 78.9] of 120 pairs"
    assert (found["rate"], found["lower_is_better"], found["sorted_by"]) == ("win_rate", False, "win_rate")
    first = found["rows"][0]
    assert first["model"]["name"] == "a"
    assert first["rank"] == {"rank": 1, "low": 1, "high": 1}
    assert first["rate"]["value"] == first["rates"]["win_rate"]["value"] == 0.75
    assert (first["cost_usd"], first["self_judged"]) == (0.25, "the judge is of the model's family")
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{8}", first["key"])
    assert len({row["key"] for row in found["rows"]}) == 2


def test_no_entries_give_no_board(tmp_path: Path) -> None:
    assert board_of([], tmp_path) == []
