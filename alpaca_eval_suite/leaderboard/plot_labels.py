"""Names beside the points of a scatter plot, none over another: a name that finds no room is left out."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from alpaca_eval_suite.leaderboard.cells import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.transforms import Bbox

Point = tuple[tuple[float, float], str]
Bar = tuple[float, float, float]
"""A vertical line: where, from and to."""

_PLACES = (
    (6, 0, "left", "center"),
    (-6, 0, "right", "center"),
    (0, 7, "center", "bottom"),
    (0, -7, "center", "top"),
    (5, 6, "left", "bottom"),
    (-5, 6, "right", "bottom"),
    (5, -6, "left", "top"),
    (-5, -6, "right", "top"),
)
_DOT = 4.0  # pixels around a point that a name must keep clear of


def place_labels(axes: "Axes", points: Sequence[Point], bars: Sequence[Bar]) -> None:
    """Name as many of the points as there is room for clear of other points and of the bars, the first ones first."""
    from matplotlib.transforms import Bbox

    frame = axes.get_window_extent()
    taken: list[Bbox] = []
    for at, _ in points:
        x, y = axes.transData.transform(at)
        taken.append(Bbox.from_extents(x - _DOT, y - _DOT, x + _DOT, y + _DOT))
    for x, low, high in bars:
        (left, bottom), (_, top) = axes.transData.transform([(x, low), (x, high)])
        taken.append(Bbox.from_extents(left - 1, bottom, left + 1, top))
    for at, name in points:
        for dx, dy, horizontal, vertical in _PLACES:
            text = axes.annotate(
                shortened(name), at, (dx, dy), textcoords="offset points", ha=horizontal, va=vertical, fontsize=7.5
            )
            box = text.get_window_extent()
            if _inside(box, frame) and not any(box.overlaps(other) for other in taken):
                taken.append(box)
                break
            text.remove()


def _inside(box: "Bbox", frame: "Bbox") -> bool:
    return bool(frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1)
