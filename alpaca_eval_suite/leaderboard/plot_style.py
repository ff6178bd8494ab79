"""How plots look, and how a figure becomes bytes: the same figure the same bytes.

Colours are of Okabe and Ito (2008), which colour-blind people tell apart; whatever they say a marker's shape or a
line's style says too, so that it holds in greyscale.
"""

import io
import warnings
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Literal

from alpaca_eval_suite.errors import MissingExtraError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Form = Literal["svg", "png"]

BLUE, VERMILLION, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
INK, GREY, BAND = "#222222", "#6b6b6b", "#e8e8e8"

_LINE = 0.142  # inches, of the small print below a figure
_SMALL_AN_INCH, _LARGE_AN_INCH = 17.5, 10.5  # characters
_PNG_DPI = 200

_STYLE: Any = {
    "svg.hashsalt": "alpaca-eval-suite",
    "svg.fonttype": "none",  # text stays text
    "text.parse_math": False,  # a dollar sign in a model's name is no formula
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "figure.facecolor": "white",
}


def drawn(draw: Callable[[], "Figure"], form: Form) -> bytes:
    """The figure that `draw` makes, in our style. Raises MissingExtraError where matplotlib is not installed."""
    with _styled(), warnings.catch_warnings():
        # A name in a script that the font lacks is shown as boxes in a PNG; in an SVG it is text.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure = draw()
        stream = io.BytesIO()
        metadata = {"Date": None, "Creator": None} if form == "svg" else {"Software": None}
        figure.savefig(stream, format=form, dpi=_PNG_DPI, metadata=metadata)
    return stream.getvalue()


def _styled() -> AbstractContextManager[None]:
    try:
        import matplotlib
    except ImportError as error:
        raise MissingExtraError("plots", "a plot") from error
    return matplotlib.rc_context(_STYLE)


def framed(
    size: tuple[float, float],
    title: str,
    small_print: Sequence[str],
    *,
    left: float,
    right: float,
    legend: bool = False,
) -> "tuple[Figure, Axes]":
    """A figure around axes of `size` inches, with room for names to their `left` and figures to their `right`; the
    title above (and room for a `legend` below it), each of the lines of small print below, broken at need."""
    from matplotlib.figure import Figure

    width = left + size[0] + right
    broken = [part for line in small_print for part in wrap(line, int(_SMALL_AN_INCH * (width - 0.2)))]
    headline = wrap(title, int(_LARGE_AN_INCH * (width - 0.2)))
    below, above = 0.55 + len(broken) * _LINE, 0.17 + 0.18 * len(headline) + 0.22 * legend
    height = below + size[1] + above
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((left / width, below / height, size[0] / width, size[1] / height))
    figure.text(0.1 / width, 1 - 0.08 / height, "\n".join(headline), va="top", fontsize=11, fontweight="bold")
    figure.text(0.1 / width, 0.06 / height, "\n".join(broken), va="bottom", fontsize=7.5, color=GREY, linespacing=1.3)
    return figure, axes


def room_for(texts: Sequence[str]) -> float:
    """Inches that the longest of the texts takes beside the axes."""
    return 0.2 + 0.078 * max((len(text) for text in texts), default=0)
