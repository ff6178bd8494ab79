"""What each cause moves the rate by, where several differ on different ids: least squares over cells of ids.

A cell holds the ids on which the same causes differ. The difference d of an id's two units is taken to be the sum of
the effects of what differs there, so that d = Z·effect + rest; a cause's part is its effect times the share of ids
on which it differs. With one cause alone this is the mean of d over its ids times their share. A cause whose effect
does not follow from the cells is put together with those that it cannot be told from.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Groups:
    """The causes as far as they can be told apart.

    `cells` (K, P): which causes differ in each cell. `cell_of`: the cell of each id. `members`: the columns of each
    part; `names`: their names.
    """

    cells: FloatArray
    cell_of: npt.NDArray[np.int64]
    members: tuple[tuple[int, ...], ...]
    names: tuple[tuple[str, ...], ...]


def groups_of(causes: Mapping[str, npt.NDArray[np.bool_]], enough: int) -> Groups:
    """The cells of the causes (one array over ids each), and which causes can be told apart by them.

    A cell of fewer than `enough` ids tells no two causes apart that stand together on all other ids: an effect
    measured there would be said of all.
    """
    names = list(causes)
    differs = np.column_stack(list(causes.values())).astype(np.float64)
    cells, cell_of, counts = np.unique(differs, axis=0, return_inverse=True, return_counts=True)
    cell_of = cell_of.reshape(-1)
    large = cells[counts >= enough]
    together = [j for j in range(len(names)) if cells[:, j].any() and not _told_apart(j, cells, large)]
    members: list[tuple[int, ...]] = [(j,) for j in range(len(names)) if j not in together]
    if together:
        members.append(tuple(together))
    members.sort(key=lambda of: of[0])
    return Groups(cells, cell_of, tuple(members), tuple(tuple(names[j] for j in of) for of in members))


def _told_apart(j: int, cells: FloatArray, large: FloatArray) -> bool:
    rows = large if large[:, j].any() else cells
    others = np.delete(rows, j, axis=1)
    return _rank(others) < _rank(rows)


def _rank(matrix: FloatArray) -> int:
    return int(np.linalg.matrix_rank(matrix)) if matrix.size else 0


def contributions(groups: Groups, sums: FloatArray, counts: FloatArray) -> FloatArray:
    """The part of each group (…, G) from the cells' sums of d (…, K) and their numbers of ids (…, K)."""
    z = groups.cells
    normal = np.einsum("kp,...k,kq->...pq", z, counts, z)
    effects = np.einsum("...pq,...q->...p", np.linalg.pinv(normal, rcond=1e-9, hermitian=True), sums @ z)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = (counts @ z) / counts.sum(axis=-1, keepdims=True)
    by_cause = effects * shares
    return np.stack([by_cause[..., list(of)].sum(axis=-1) for of in groups.members], axis=-1)
