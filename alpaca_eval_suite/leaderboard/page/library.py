"""The plot library of the page: Vega, Vega-Lite and vega-embed as one script, from the package that carries them."""

from alpaca_eval_suite.errors import MissingExtraError

_START = "globalThis.alpacaPlots(vegaEmbed);"


def library() -> str:
    """JavaScript that gives vegaEmbed to the page. Raises MissingExtraError without the extra [page]."""
    try:
        import vl_convert
    except ImportError as error:
        raise MissingExtraError("page", "The leaderboard page") from error
    return str(vl_convert.javascript_bundle(_START))
