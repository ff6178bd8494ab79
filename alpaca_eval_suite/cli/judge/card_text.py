"""A judge's card for a person: every figure beside the ceiling and the controls."""

from collections.abc import Iterator

from alpaca_eval_suite.judge.card import JudgeCard
from alpaca_eval_suite.judge.estimate import duration, usd
from alpaca_eval_suite.leaderboard.cells import plain
from alpaca_eval_suite.stats.totals import Estimate

_WIDTH = 48
_CONTROLS = {
    "coin": "a coin",
    "always_first": "always the first",
    "always_tie": "always a tie",
    "longer_wins": "'longer wins'",
}
_PERTURBED = {
    "padding": "prefers the answer to itself with padding",
    "echo": "prefers the answer to the instruction repeated",
    "off_topic": "prefers the answer to another request's",
    "identical": "calls an answer and itself a tie",
}


def card_lines(card: JudgeCard) -> Iterator[str]:
    """The card, a line a figure; rates and differences in percent with their 95 % intervals."""
    found, data = card.measures, card.data
    yield f"{plain(card.name)} ({card.hash[:12]})"
    yield (
        f"  on {found.n_pairs} of {data.n_pairs} pairs of {plain(data.name)}, about {found.n_items} items; "
        f"failed {found.n_failed}"
    )
    yield f"  readers: {plain(data.readers)}" + (f"; source: {plain(data.source)}" if data.source else "")
    yield "agreement with readers, %"
    yield _line("accuracy, failures counted wrong", found.accuracy_all)
    yield _line("accuracy of valid verdicts", found.accuracy_valid)
    yield _line("where every reader prefers one", found.on_decided)
    yield _line("ceiling: a reader with the others", found.ceiling)
    yield _line("two readers with each other", found.readers_agree)
    for name, words in _CONTROLS.items():
        yield _line(f"control: {words}", found.controls[name], f"judge above it by {_figure(found.above[name])}")
    yield _line("Cohen's kappa", found.kappa, scale=1)
    yield "biases, %"
    yield _line("same verdict in both orders", found.order_consistency)
    yield _line("the first shown wins (50: no bias)", found.first_shown)
    if card.single_order_se_ratio is not None:
        yield f"  {'one order only widens intervals by':<{_WIDTH}} {card.single_order_se_ratio:.2f} times"
    yield _line("length bias (0: none)", found.length_bias)
    yield _line("the longer wins", found.longer_with_judge, f"with readers {_figure(found.longer_with_readers)}")
    yield _line("ties", found.judge_ties, f"of readers {_figure(found.reader_ties)}")
    if card.perturbations:
        yield "spoilt answers, % right"
    for kind, words in _PERTURBED.items():
        if kind in card.perturbations:
            of_kind = card.perturbations[kind]
            wrong = "" if kind == "identical" else f"the other way {_figure(of_kind.wrong)}"
            yield _line(words, of_kind.right, wrong)
    yield from _slices(card)
    yield from _cost(card)
    yield _verdict(card)


def _slices(card: JudgeCard) -> Iterator[str]:
    for key, values in card.measures.slices.items():
        yield f"accuracy by {plain(key)}, %"
        for value, of in values.items():
            yield _line(plain(value), of.accuracy_all, f"ceiling {_figure(of.ceiling)}, n {of.accuracy_all.n}")


def _cost(card: JudgeCard) -> Iterator[str]:
    if card.cost is None:
        return
    money, time = card.cost.usd_per_1000, card.cost.seconds_per_1000
    yield (
        f"1,000 verdicts: {'cost not known' if money is None else usd(money)}, "
        f"{'time not known' if time is None else duration(time)}"
    )


def _verdict(card: JudgeCard) -> str:
    if card.has_information:
        return "above a coin, always the first and 'longer wins'"
    return "no information: not shown to be above a coin, always the first and 'longer wins'"


def _line(words: str, figure: Estimate, beside: str = "", scale: float = 100) -> str:
    text = f"  {words:<{_WIDTH}} {_figure(figure, scale)}"
    return f"{text}; {beside}" if beside else text


def _figure(figure: Estimate, scale: float = 100) -> str:
    if figure.value is None:
        return "–"
    digits = 1 if scale > 1 else 2
    ends = (
        f"[{scale * figure.ci.low:.{digits}f}, {scale * figure.ci.high:.{digits}f}]" if figure.ci else "[no interval]"
    )
    return f"{scale * figure.value:.{digits}f} {ends}"
