"""Length control: simulated truth, data that cannot be controlled, and the joins."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.stats.difficulty import estimate_difficulty
from alpaca_eval_suite.stats.length_control import length_control, peer_length_control
from alpaca_eval_suite.stats.length_data import LengthData, read_auxiliary, read_difficulty
from alpaca_eval_suite.stats.logistic import sigmoid
from alpaca_eval_suite.types import Preference


def simulated(a: float, b: float, seed: int = 0, n: int = 4000, c: float = 0.0) -> tuple[LengthData, dict[str, float]]:
    """A model whose win is drawn from σ(a + b·tanh(length) + c·γ), and which writes longer than the baseline."""
    rng = np.random.default_rng(seed)
    difference = rng.normal(300, 400, n)
    gamma = rng.normal(0, 1, n)
    chances = sigmoid(a + b * np.tanh(difference / difference.std(ddof=1)) + c * gamma)
    ids = tuple(f"{number:04}" for number in range(n))
    wins = (rng.random(n) < chances).astype(float)
    return LengthData(ids, wins, difference), dict(zip(ids, gamma.tolist(), strict=True))


def test_the_advantage_of_length_is_taken_out() -> None:
    data, _ = simulated(a=-0.5, b=1.5)
    found = length_control(data, refits=200)
    truth = float(sigmoid(np.array([-0.5]))[0])
    assert found.win_rate is not None
    assert found.win_rate > truth + 0.1
    assert found.lc_win_rate == pytest.approx(truth, abs=0.03)
    assert found.ci is not None
    assert found.ci.low < truth < found.ci.high
    assert found.length_effect == pytest.approx(1.5, abs=0.3)
    assert (found.difficulty, found.difficulty_effect) == ("left out", None)


def test_difficulties_are_used_when_given() -> None:
    data, gamma = simulated(a=-0.5, b=1.0, c=1.2)
    found = length_control(data, difficulty=gamma, refits=50)
    truth = float(sigmoid(-0.5 + 1.2 * np.array(list(gamma.values()))).mean())
    assert found.lc_win_rate == pytest.approx(truth, abs=0.03)
    assert found.difficulty_effect == pytest.approx(1.2, abs=0.2)
    assert found.difficulty == "given"


def test_equal_lengths_leave_the_win_rate_as_it_is() -> None:
    data, _ = simulated(a=0.3, b=0.0, n=400)
    found = length_control(replace(data, difference=np.zeros(400)), refits=200)
    assert found.lc_win_rate == pytest.approx(found.win_rate, abs=1e-4)
    raw_se = float(data.wins.std(ddof=1)) / 20
    assert found.se == pytest.approx(raw_se, rel=0.2)


def test_the_same_difference_everywhere_cannot_be_told_from_the_model() -> None:
    data, _ = simulated(a=0.0, b=0.0, n=100)
    found = length_control(replace(data, difference=np.full(100, 25.0)))
    assert (found.lc_win_rate, found.ci) == (None, None)
    assert "every length differs by 25 characters" in found.reason


def test_all_ties() -> None:
    data, _ = simulated(a=0.0, b=0.0, n=100)
    found = length_control(replace(data, wins=np.full(100, 0.5)))
    assert found.lc_win_rate == pytest.approx(0.5, abs=1e-9)
    assert found.ci is None
    assert "all 100 units are equal" in found.reason


@pytest.mark.parametrize(("win", "word"), [(1.0, "won"), (0.0, "lost")])
def test_all_won_or_all_lost(win: float, word: str) -> None:
    data, _ = simulated(a=0.0, b=0.0, n=100)
    found = length_control(replace(data, wins=np.full(100, win)))
    assert (found.win_rate, found.lc_win_rate, found.se, found.ci) == (win, None, None, None)
    assert f"all 100 units are {word}" in found.reason


def test_lengths_that_separate_wins_from_losses() -> None:
    data, _ = simulated(a=0.0, b=0.0, n=100)
    found = length_control(replace(data, wins=(data.difference > 300).astype(float)))
    assert (found.lc_win_rate, found.ci) == (None, None)
    assert "separate wins from losses" in found.reason


def test_one_unit_and_none() -> None:
    one = LengthData.of([Preference("a", 1.0, len_model=5, len_baseline=4)])
    assert length_control(one).reason == "1 valid unit: the fit needs at least 10"
    failed = LengthData.of([Preference("a", None, len_model=5, len_baseline=4)])
    found = length_control(failed)
    assert (found.n, found.n_failed, found.win_rate, found.reason) == (0, 1, None, "there are no valid units")


def test_missing_lengths_are_named() -> None:
    data = LengthData.of(
        [Preference(str(n), float(n % 2), len_model=n if n != 7 else None, len_baseline=4) for n in range(40)]
    )
    assert length_control(data).reason == "len_model or len_baseline is missing for 7"


def test_few_wins_make_the_interval_doubtful() -> None:
    data, _ = simulated(a=0.0, b=0.0, n=200)
    wins = np.zeros(200)
    wins[::40] = 1.0
    found = length_control(replace(data, wins=wins), refits=100)
    assert found.ci is not None
    assert found.ci.method == "percentile over 100 refits (doubtful: 5 wins, 15 of each are needed)"


def test_orders_are_averaged_and_failures_counted() -> None:
    prefs = [
        Preference("a", 1.0, order="model_first", len_model=30, len_baseline=10),
        Preference("a", 0.0, order="baseline_first", len_model=30, len_baseline=10),
        Preference("b", None, len_model=5, len_baseline=10),
    ]
    data = LengthData.of(prefs)
    assert (data.ids, data.wins[0], data.difference.tolist(), data.n_failed) == (("a", "b"), 0.5, [20.0, -5.0], 1)


def test_difficulties_are_joined_on_id_and_missing_ones_named() -> None:
    data, gamma = simulated(a=-0.5, b=1.0, c=1.2, n=300)
    backwards = dict(reversed(gamma.items()))
    expected = length_control(data, difficulty=gamma, refits=20).lc_win_rate
    assert length_control(data, difficulty=backwards, refits=20).lc_win_rate == expected
    with pytest.raises(SuiteError, match="no difficulty for 0003, 0005"):
        length_control(data, difficulty={id_: g for id_, g in gamma.items() if id_ not in ("0003", "0005")})


def test_the_peer_joins_by_position() -> None:
    data, gamma = simulated(a=-0.5, b=1.0, c=1.2, n=300)
    shifted = dict(list(gamma.items())[1:] + list(gamma.items())[:1])
    right = peer_length_control(data, difficulty=gamma, refits=20)
    wrong = peer_length_control(data, difficulty=shifted, refits=20)
    assert right.lc_win_rate == right.lc_win_rate_by_id == wrong.lc_win_rate_by_id
    assert wrong.lc_win_rate != right.lc_win_rate
    short = peer_length_control(data, difficulty=dict(list(gamma.items())[:200]), refits=20)
    assert (short.lc_win_rate, short.reason) == (
        None,
        "300 rows, but the difficulties have 200: they cannot be joined by position",
    )


def test_the_peer_puts_a_model_against_itself_at_a_half() -> None:
    itself = [Preference(str(n), 0.5, model="m", baseline="m", len_model=9, len_baseline=9) for n in range(20)]
    assert peer_length_control(LengthData.of(itself)).lc_win_rate == 0.5


def test_the_peer_counts_the_length_of_a_failed_row() -> None:
    data, gamma = simulated(a=-0.5, b=1.0, c=1.2, n=300)
    wins = data.wins.copy()
    wins[10] = np.nan
    found = peer_length_control(replace(data, wins=wins), difficulty=gamma, refits=20)
    longer = data.difference.copy()
    longer[10] = 50_000.0
    other = peer_length_control(replace(data, wins=wins, difference=longer), difficulty=gamma, refits=20)
    assert (found.n, found.n_failed) == (299, 1)
    assert found.lc_win_rate != other.lc_win_rate
    ours = [
        length_control(replace(data, wins=wins, difference=difference), refits=20).lc_win_rate
        for difference in (data.difference, longer)
    ]
    assert ours[0] == ours[1]


def test_difficulties_estimated_from_several_models() -> None:
    rng = np.random.default_rng(0)
    n, models = 400, []
    gamma = rng.normal(0, 1.5, n)
    ids = tuple(f"{number:03}" for number in range(n))
    for ability in np.linspace(-1.5, 1.5, 12):
        difference = rng.normal(100, 300, n)
        chances = sigmoid(ability + 0.8 * np.tanh(difference / difference.std(ddof=1)) + gamma)
        models.append(LengthData(ids, (rng.random(n) < chances).astype(float), difference))
    found = estimate_difficulty(models)
    assert np.corrcoef(list(found.values()), gamma)[0, 1] > 0.85
    assert np.mean(list(found.values())) == pytest.approx(0.0, abs=1e-9)
    again = estimate_difficulty(models[::-1])
    assert list(again.values()) == pytest.approx(list(found.values()), abs=1e-4)
    with pytest.raises(ValueError, match="at least 5"):
        estimate_difficulty(models[:4])


@settings(max_examples=20, deadline=None)
@given(
    wins=st.lists(st.sampled_from([0.0, 0.3, 0.5, 1.0]), min_size=1, max_size=60),
    lengths=st.lists(st.integers(-50, 50), min_size=60, max_size=60),
)
def test_every_figure_is_finite_or_none_with_a_reason(wins: list[float], lengths: list[int]) -> None:
    data = LengthData.of(
        [Preference(str(n), win, len_model=100 + lengths[n], len_baseline=100) for n, win in enumerate(wins)]
    )
    for found in (length_control(data, refits=30), peer_length_control(data, refits=30)):
        figures = [found.lc_win_rate, found.se] + ([found.ci.low, found.ci.high] if found.ci else [])
        assert all(figure is None or np.isfinite(figure) for figure in figures)
        assert found.reason or None not in figures
        assert found.lc_win_rate is None or 0 <= found.lc_win_rate <= 1


def test_swapping_model_and_baseline_mirrors_the_rate() -> None:
    data, gamma = simulated(a=-0.5, b=1.0, c=1.2, n=300)
    mirrored = replace(data, wins=1 - data.wins, difference=-data.difference)
    one = length_control(data, difficulty=gamma, refits=20).lc_win_rate
    other = length_control(mirrored, difficulty={id_: -value for id_, value in gamma.items()}, refits=20).lc_win_rate
    assert one is not None
    assert other == pytest.approx(1 - one, abs=1e-7)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("id,difficulty\na,1\n", "has no column instruction_difficulty"),
        ("name,instruction_difficulty\na,1\n", r"has no column id \(or index\)"),
        ("id,instruction_difficulty\na,1\na,2\n", ":3: the id 'a' stands twice"),
        ("id,instruction_difficulty\na,much\n", ":2: 'instruction_difficulty' must be a number, not 'much'"),
        ("id,instruction_difficulty\na,nan\n", ":2: 'instruction_difficulty' must be finite"),
        ("id,instruction_difficulty\na\n", ":2: has not the 2 fields"),
        ("id,instruction_difficulty\n", "holds no rows"),
        ("<html><body>Not found</body></html>", "has no column"),
    ],
)
def test_a_bad_difficulty_file(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "d.csv"
    path.write_text(text)
    with pytest.raises(SuiteError, match=problem):
        read_difficulty(path)


def test_auxiliary_rows_are_read_with_their_sign_and_weight(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    header = "model,index,preference,std_delta_len,instruction_difficulty,not_gamed_baseline\n"
    path.write_text(header + "long,0,0.7,-1.5,0.2,False\nshort,0,0.4,1.0,0.2,False\nshort,1,0.4,1.0,-1,True\n")
    found = read_auxiliary(path)
    assert (found.ids, found.length.tolist(), found.n_models) == (("0", "0", "1"), [1.5, -1.0, -1.0], 2)
    assert found.weights.tolist() == [0.1, 0.1, 1.0]
    assert found.difficulties() == {"0": 0.2, "1": -1.0}
    path.write_text(header + "long,0,1.7,-1.5,0.2,False\n")
    with pytest.raises(SuiteError, match=r"'preference' must lie in \[0, 1\], not 1.7"):
        read_auxiliary(path)
    path.write_text(header + "long,0,0.7,-1.5,0.2,no\n")
    with pytest.raises(SuiteError, match="must be True or False"):
        read_auxiliary(path)
