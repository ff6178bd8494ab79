"""Fitting Bradley–Terry and Davidson models to many resamples at a time.

P(i beats j) = σ(θ_i − θ_j) for fractional responses (Bradley and Terry 1952, Biometrika 39), or with ties
P(win) : P(tie) : P(loss) = e^(d/2) : e^δ : e^(−d/2), d = θ_i − θ_j (Davidson 1970, JASA 65, ν = e^δ). Both are
exponential families with S, half the wins less losses, and T, the ties, as statistics; Newton's method on their
likelihood. Separated data are fitted with Jeffreys' prior, the penalty ½ log|information| of Firth (1993),
"Bias reduction of maximum likelihood estimates", Biometrika 80.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_ITERATIONS = 100
_CHEAP_ITERATIONS = 40  # with one inverse for all resamples
_STEP = 2.0  # the longest step in log-odds: from far away Newton's own can overshoot
_TOLERANCE = 1e-9
_BLOCK = 1_000_000  # numbers in an array of a block: 8 MB


@dataclass(frozen=True)
class Games:
    """What was won between pairs of models, in one or many resamples (axis 0).

    Pair p is of the models `first[p]` and `second[p]`, each pair once. `score[b, p]` is the sum over its units of
    win − ½, as the first model has it; `ties[b, p]` counts its ties; `n[b, p]` all its units.
    """

    first: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]
    n_models: int
    score: FloatArray
    ties: FloatArray
    n: FloatArray

    def part(self, which: npt.NDArray[np.int64] | BoolArray | slice) -> "Games":
        """The same pairs in some of the resamples."""
        return Games(self.first, self.second, self.n_models, self.score[which], self.ties[which], self.n[which])


@dataclass(frozen=True)
class Fit:
    """`theta[b, i]`: the log-odds of model i in resample b, model 0 being 0; `delta[b]`: Davidson's log ν."""

    theta: FloatArray
    delta: FloatArray


def fit(games: Games, *, davidson: bool, jeffreys: bool, start: Fit | None = None) -> Fit:
    """The estimates of each resample, from `start` (one row: the estimate that they are resamples of) or zeros.

    Every resample must be connected, and without `jeffreys` not separated. Raises ValueError where Newton's
    method does not converge.
    """
    parameters = np.zeros((len(games.n), games.n_models + davidson))
    left = np.ones(len(games.n), dtype=np.bool_)
    if start is not None:
        parameters[:, : games.n_models] = start.theta
        if davidson:
            parameters[:, -1] = start.delta
        if not jeffreys:
            left = _by_one_inverse(games, parameters, davidson)
    rows = max(1, _BLOCK // parameters.shape[1] ** 2)
    remaining = np.flatnonzero(left)
    for at in range(0, len(remaining), rows):
        block = remaining[at : at + rows]
        parameters[block] = _by_newton(games.part(block), parameters[block], davidson, jeffreys)
    delta = parameters[:, -1] if davidson else np.zeros(len(parameters))
    return Fit(parameters[:, : games.n_models], delta)


def information(games: Games, at: Fit, *, davidson: bool) -> FloatArray:
    """The information matrices (resample, parameter, parameter); model 0, the anchor, is no parameter."""
    moments = _moments(at.theta[:, games.first] - at.theta[:, games.second], at.delta, davidson)
    return _information(games, moments, davidson)


def expected(games: Games, at: Fit, *, davidson: bool) -> tuple[FloatArray, FloatArray]:
    """The mean of a unit's (S, T) for each resample and pair."""
    return _means(at.theta[:, games.first] - at.theta[:, games.second], at.delta, davidson)


def connected_parts(games: Games) -> npt.NDArray[np.int64]:
    """For one row of games: the number of the part of the comparison graph that each model lies in."""
    return _components(games, games.n[0] > 0, games.n[0] > 0, "weak")


def strong_parts(games: Games) -> npt.NDArray[np.int64]:
    """For one row of games: the number of the group that each model lies in, groups being models of which each has
    won something from each other, through others at least. Between groups only a prior gives a finite distance."""
    won, lost = _won_and_lost(games)
    return _components(games, won[0], lost[0], "strong")


def separated(games: Games, *, davidson: bool) -> BoolArray:
    """For each resample, whether no finite estimate exists without a prior.

    There is one exactly when each model has won something from the rest, through others at least: the graph of
    "has a part of a win against" is strongly connected (Ford 1957). Davidson's δ needs some ties, and not only.
    """
    won, lost = _won_and_lost(games)
    # Where every pair that was played has gone both ways, connected is strongly connected.
    doubtful = ((won ^ lost) | (games.n <= 0)).any(axis=1)
    found = np.zeros(len(games.n), dtype=np.bool_)
    for b in np.flatnonzero(doubtful):
        found[b] = _components(games, won[b], lost[b], "strong").max() > 0
    if davidson:
        ties = games.ties.sum(axis=1)
        found |= (ties <= 0) | (ties >= games.n.sum(axis=1))
    return found


def disconnected(games: Games) -> BoolArray:
    """For each resample, whether the models compared in it do not hang together."""
    found = np.zeros(len(games.n), dtype=np.bool_)
    for b in np.flatnonzero((games.n <= 0).any(axis=1)):
        played = games.n[b] > 0
        found[b] = _components(games, played, played, "weak").max() > 0
    return found


def _won_and_lost(games: Games) -> tuple[BoolArray, BoolArray]:
    """For each pair, whether its first model has a part of a win, and its second."""
    return games.n / 2 + games.score > _TOLERANCE, games.n / 2 - games.score > _TOLERANCE


def _components(games: Games, forwards: BoolArray, backwards: BoolArray, kind: str) -> npt.NDArray[np.int64]:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    start = np.concatenate([games.first[forwards], games.second[backwards]])
    end = np.concatenate([games.second[forwards], games.first[backwards]])
    graph = coo_array((np.ones(len(start)), (start, end)), shape=(games.n_models, games.n_models))
    labels: npt.NDArray[np.int64] = connected_components(graph.tocsr(), directed=True, connection=kind)[1]
    return labels


@dataclass(frozen=True)
class _Moments:
    """Moments of one unit's S and T: means, variances, covariance, third cumulants."""

    s: FloatArray
    t: FloatArray
    ss: FloatArray
    st: FloatArray
    tt: FloatArray
    sss: FloatArray
    sst: FloatArray
    stt: FloatArray
    ttt: FloatArray


def _shares(d: FloatArray, delta: FloatArray, davidson: bool) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The probabilities of win, tie and loss."""
    if not davidson:
        win = 1 / (1 + np.exp(-np.clip(d, -500, 500)))
        return win, np.zeros_like(win), 1 - win
    highest = np.maximum(np.abs(d) / 2, delta[:, None])
    win, loss, tie = np.exp(d / 2 - highest), np.exp(-d / 2 - highest), np.exp(delta[:, None] - highest)
    total = win + loss + tie
    return win / total, tie / total, loss / total


def _means(d: FloatArray, delta: FloatArray, davidson: bool) -> tuple[FloatArray, FloatArray]:
    win, tie, loss = _shares(d, delta, davidson)
    return (win - loss) / 2, tie


def _moments(d: FloatArray, delta: FloatArray, davidson: bool) -> _Moments:
    win, tie, loss = _shares(d, delta, davidson)
    s = (win - loss) / 2
    ss = (win + loss) / 4 - s**2
    # With S in {½, −½, 0} and T = 1 exactly where S = 0, every higher moment comes back to these.
    return _Moments(
        s=s,
        t=tie,
        ss=ss,
        st=-s * tie,
        tt=tie * (1 - tie),
        sss=s / 4 - 3 * s * (win + loss) / 4 + 2 * s**3,
        sst=tie * (2 * s**2 - (win + loss) / 4),
        stt=-s * tie * (1 - 2 * tie),
        ttt=tie * (1 - tie) * (1 - 2 * tie),
    )


def _information(games: Games, m: _Moments, davidson: bool) -> FloatArray:
    rows, k = len(games.n), games.n_models
    first, second = games.first, games.second
    matrices = np.zeros((rows, k + davidson, k + davidson))
    weight = games.n * m.ss
    matrices[:, first, second] = -weight
    matrices[:, second, first] = -weight
    matrices[:, range(k), range(k)] = weight @ np.abs(_design(games))
    if davidson:
        matrices[:, :k, k] = matrices[:, k, :k] = (games.n * m.st) @ _design(games)
        matrices[:, k, k] = (games.n * m.tt).sum(axis=1)
    return matrices[:, 1:, 1:]


def _design(games: Games) -> FloatArray:
    design = np.zeros((len(games.first), games.n_models))
    pairs = np.arange(len(games.first))
    design[pairs, games.first] = 1.0
    design[pairs, games.second] = -1.0
    return design


def _gradient(
    games: Games, parameters: FloatArray, davidson: bool, more: tuple[FloatArray, FloatArray] | None = None
) -> FloatArray:
    """The gradient by each parameter but the anchor's; `more` is added to each pair's score and ties."""
    k, design = games.n_models, _design(games)
    delta = parameters[:, -1] if davidson else np.zeros(len(parameters))
    s, t = _means(parameters[:, :k] @ design.T, delta, davidson)
    score = games.score - games.n * s + (more[0] if more else 0.0)
    by_theta: FloatArray = (score @ design)[:, 1:]
    if not davidson:
        return by_theta
    ties = games.ties - games.n * t + (more[1] if more else 0.0)
    return np.concatenate([by_theta, ties.sum(axis=1, keepdims=True)], axis=1)


def _by_one_inverse(games: Games, parameters: FloatArray, davidson: bool) -> BoolArray:
    """Fit resamples in place from their common start, all with the inverse of one information matrix, which is near
    enough for most of them; returns which are left (those are at the start again)."""
    mean = Games(
        games.first, games.second, games.n_models, *(of.mean(axis=0)[None] for of in (games.score, games.ties, games.n))
    )
    k = games.n_models
    start = Fit(parameters[:1, :k], parameters[:1, -1] if davidson else np.zeros(1))
    inverse = np.linalg.inv(information(mean, start, davidson=davidson)[0])
    left = np.ones(len(parameters), dtype=np.bool_)
    rows = max(1, _BLOCK // len(games.first))
    for at in range(0, len(parameters), rows):
        part, found = games.part(slice(at, at + rows)), parameters[at : at + rows].copy()
        longest = np.full(len(found), np.inf)
        for _ in range(_CHEAP_ITERATIONS):
            step = _gradient(part, found, davidson) @ inverse
            found[:, 1:] += np.clip(step, -_STEP, _STEP)
            longest = np.abs(step).max(axis=1, initial=0.0)
            if longest.max() < _TOLERANCE:
                break
        done = longest < _TOLERANCE
        parameters[at : at + rows][done] = found[done]
        left[at : at + rows] = ~done
    return left


def _by_newton(games: Games, parameters: FloatArray, davidson: bool, jeffreys: bool) -> FloatArray:
    k, found = games.n_models, parameters.copy()
    for _ in range(_ITERATIONS):
        delta = found[:, -1] if davidson else np.zeros(len(found))
        m = _moments(found[:, games.first] - found[:, games.second], delta, davidson)
        matrices, more = _information(games, m, davidson), None
        if jeffreys:
            more_score, more_ties, more_n = _prior(games, m, matrices, davidson)
            more = more_score, more_ties
            # The prior is worth as many units more as the leverage; without them the steps are too long.
            matrices = _information(replace(games, n=games.n + more_n), m, davidson)
        gradient = _gradient(games, found, davidson, more)
        step = np.linalg.solve(matrices, gradient[:, :, None])[:, :, 0]
        longest = np.abs(step).max(axis=1, initial=0.0)
        found[:, 1:] += step * np.minimum(1.0, _STEP / np.maximum(longest, _STEP))[:, None]
        if longest.max() < _TOLERANCE:
            return found
    raise ValueError(f"no estimate of {k} models after {_ITERATIONS} steps")


def _prior(
    games: Games, m: _Moments, matrices: FloatArray, davidson: bool
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The gradient of ½ log|information| by each pair's d and by δ (half the trace of inverse times derivative),
    and each pair's leverage."""
    k = games.n_models
    inverse = np.zeros((len(games.n), k + davidson, k + davidson))
    inverse[:, 1:, 1:] = np.linalg.inv(matrices)
    first, second = games.first, games.second
    spread = inverse[:, first, first] + inverse[:, second, second] - 2 * inverse[:, first, second]
    by_d, by_delta, leverage = m.sss * spread, np.zeros_like(spread), m.ss * spread
    if davidson:
        mixed = inverse[:, first, k] - inverse[:, second, k]
        own = inverse[:, k, k][:, None]
        by_d = by_d + 2 * m.sst * mixed + m.stt * own
        by_delta = m.sst * spread + 2 * m.stt * mixed + m.ttt * own
        leverage = leverage + 2 * m.st * mixed + m.tt * own
    return games.n * by_d / 2, games.n * by_delta / 2, games.n * leverage
