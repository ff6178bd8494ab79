"""The random sample of ids: drawn once, recorded, and everything else refused."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.stats.sample import check_labelled, draw_sample, read_sample, record_sample, sample_path

IDS = [f"{n:03}" for n in range(100)]


def test_the_same_seed_gives_the_same_ids_in_any_order_of_the_verdicts() -> None:
    assert draw_sample(IDS, n=10, seed=3) == draw_sample(IDS[::-1] + IDS, n=10, seed=3)
    assert draw_sample(IDS, n=10, seed=3) != draw_sample(IDS, n=10, seed=4)


@given(n=st.integers(2, 99), seed=st.integers(0, 1000))
def test_a_larger_sample_begins_with_the_smaller(n: int, seed: int) -> None:
    smaller, larger = draw_sample(IDS, n=n, seed=seed), draw_sample(IDS, n=n + 1, seed=seed)
    assert larger.ids[:n] == smaller.ids
    assert len(set(larger.ids)) == n + 1


@pytest.mark.parametrize("n", [1, 0, -5, 101])
def test_more_than_there_are_or_too_few(n: int) -> None:
    with pytest.raises(UsageError, match=f"{n} of 100 judged ids cannot be drawn"):
        draw_sample(IDS, n=n, seed=0)


def test_written_and_read_again(tmp_path: Path) -> None:
    path = sample_path(tmp_path / "preferences.jsonl")
    assert path.name == "preferences.sample.json"
    sample = draw_sample(IDS, n=10, seed=3)
    record_sample(path, sample)
    assert read_sample(path) == sample
    record_sample(path, draw_sample(IDS, n=20, seed=3))
    assert len(read_sample(path).ids) == 20


def test_a_sample_is_not_drawn_until_it_pleases(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    record_sample(path, draw_sample(IDS, n=10, seed=3))
    for other in (draw_sample(IDS, n=10, seed=4), draw_sample(IDS[1:], n=10, seed=3), draw_sample(IDS, n=5, seed=3)):
        with pytest.raises(UsageError, match="holds another sample already"):
            record_sample(path, other)


@pytest.mark.parametrize("text", ["", "[]", '{"ids": ["a"]}', '{"ids": [1], "seed": 1, "n_judged": 2}', "id,win\n"])
def test_what_is_no_record(tmp_path: Path, text: str) -> None:
    (tmp_path / "s.json").write_text(text)
    with pytest.raises(SuiteError, match="is no record of a sample"):
        read_sample(tmp_path / "s.json")


def test_labels_of_the_whole_sample_or_of_its_beginning_are_taken() -> None:
    sample = draw_sample(IDS, n=10, seed=3)
    check_labelled(sample.ids, IDS, sample)
    check_labelled(sample.ids[:6], IDS, sample)


def test_labels_that_are_no_random_sample_are_refused() -> None:
    sample = draw_sample(IDS, n=10, seed=3)
    outside = next(id_ for id_ in IDS if id_ not in sample.ids)
    with pytest.raises(SuiteError, match=f"labelled ids outside the sample: {outside}"):
        check_labelled([*sample.ids, outside], IDS, sample)
    with pytest.raises(SuiteError, match=f"without a label before others with one: {sample.ids[4]}"):
        check_labelled([id_ for id_ in sample.ids if id_ != sample.ids[4]], IDS, sample)
    with pytest.raises(SuiteError, match="drawn from 100 other ids than these 99"):
        check_labelled(sample.ids, [id_ for id_ in IDS if id_ != outside], sample)


def test_labels_without_verdicts_are_refused_whatever_is_assumed() -> None:
    with pytest.raises(SuiteError, match=r"labelled ids that were not judged: x00, x01, x02, .* and 2 more"):
        check_labelled([f"x{n:02}" for n in range(12)], IDS, None)
