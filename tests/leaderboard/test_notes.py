"""Notes on ranks, sorting and lengths; the others are tested with the tables they stand under (test_table.py)."""

from collections.abc import Callable
from pathlib import Path

from alpaca_eval_suite.leaderboard.board import board_of
from alpaca_eval_suite.leaderboard.notes import of_boards
from alpaca_eval_suite.leaderboard.record import RunRecord

from .judged import Results, items_of, won

RunFactory = Callable[..., RunRecord]


def test_what_boards_do_not_have_in_common_is_said_of_each(tmp_path: Path, make_run: RunFactory) -> None:
    results = Results(tmp_path, make_run)
    for name, share in (("a", 0.8), ("b", 0.3)):
        results.add(name, items_of(won(share)))
        results.add(name, items_of(won(share, 60)), judge={"name": "other"})
    notes = of_boards(board_of(results.entries(), tmp_path))
    ranks = [note for note in notes if note.startswith("Ranks are of the win rate alone")]
    assert len(ranks) == 2
    assert "(user_oriented_mini, against gemma3-270m, judged by builtin:checks)" in ranks[0]
    assert "over 120 ids" in ranks[0]
    assert "judged by other" in ranks[1]
    assert "over 60 ids" in ranks[1]
    lengths = [note for note in notes if note.startswith("Length-controlled rates")]
    assert lengths == ["Length-controlled rates: without instruction difficulties, which need 5 rows."]


def test_a_row_alone_needs_no_word_on_its_rank(tmp_path: Path, make_run: RunFactory) -> None:
    results = Results(tmp_path, make_run)
    results.put(make_run())
    assert of_boards(board_of(results.entries(), tmp_path)) == []


def test_rows_without_rank_are_numbered_as_the_table_numbers_them(tmp_path: Path, make_run: RunFactory) -> None:
    results = Results(tmp_path, make_run)
    results.put(make_run(judge={"name": "another"}))
    for name in "ab":
        results.put(make_run(model={"name": name, "fingerprint": name * 64}))
    assert of_boards(board_of(results.entries(), tmp_path)) == ["No rank (rows 2, 3): its raw verdicts are not kept."]
