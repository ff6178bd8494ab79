"""An explanation as text for a terminal: rates in percent, differences in points."""

from collections.abc import Iterator
from typing import Any

from alpaca_eval_suite.leaderboard.cells import EMPTY, percent, plain, shortened
from alpaca_eval_suite.leaderboard.difference.explain import Explanation
from alpaca_eval_suite.leaderboard.difference.limits import LABELS, RECORD, label_of
from alpaca_eval_suite.leaderboard.difference.sides import Side
from alpaca_eval_suite.leaderboard.difference.split import NOISE, Part
from alpaca_eval_suite.leaderboard.difference.texts import Example, State, Texts
from alpaca_eval_suite.leaderboard.rows import title_of
from alpaca_eval_suite.types import Interval, Rate

_TEXTS = {"prompt": "prompts", "outputs": "outputs", "baseline": "baseline's outputs"}


def to_text(found: Explanation) -> str:
    """The whole explanation, a line each thing, without a last line end."""
    blocks = [
        list(_rates(found)),
        list(_parts(found)),
        list(_texts(found)),
        list(_judging(found)),
        list(_recorded(found)),
        [f"not known: {sentence}" for sentence in found.unknown],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _rates(found: Explanation) -> Iterator[str]:
    for name, side in (("mine", found.mine), ("published", found.published)):
        yield f"{name:<10} {_rate(side)}  {side.row.model}: {title_of(side.run)}"
    noise = found.noise
    yield f"{'difference':<10} {_points(found.difference)} {_ends(found.interval)} points of {_rate_name(found)}"
    if noise.p_value is None:
        yield f"{'':<10} no test: {noise.reason}"
        return
    words = "within noise" if noise.within else "more than noise"
    least = noise.minimum_detectable_difference
    size = f"; a difference of {percent(least)} is found 8 times in 10" if least is not None else ""
    yield f"{'':<10} {words}: p {noise.p_value:.2g}{size} ({noise.test})"


def _rate_name(found: Explanation) -> str:
    return plain(found.mine.row.kind.headline.replace("_", " "))


def _rate(side: Side) -> str:
    rate = side.rate
    ends = f"[{percent(rate.ci.low)}, {percent(rate.ci.high)}]" if rate.ci else "[no interval]"
    return f"{percent(side.value)} {ends}, n {rate.n}, failed {rate.n_failed}"


def _parts(found: Explanation) -> Iterator[str]:
    """The parts that are there, with the rate after each step from mine to published; then those that are not."""
    shown = [part for part in found.parts if part.n_ids or part.value]
    labels = {id(part): label_of(part.causes) if len(part.causes) < 6 else "everything else" for part in shown}
    width = max((len(label) for label in labels.values()), default=0)
    rate = found.mine.value
    yield f"{'part':<{width}}  points  95 % interval    ids  rate then"
    for part in shown:
        rate -= part.value
        yield (
            f"{labels[id(part)]:<{width}}  {_points(part.value):>6}  {_ends(part.interval):<15}  {_n(part):>4}  "
            f"{percent(rate)}{_method(part)}"
        )
    # Noise is in the intervals even where nothing but noise is left to have a part of its own.
    hidden = {RECORD, NOISE, "other_orders", "prompt_or_outputs"}
    if any("prompt_or_outputs" in part.causes for part in shown):
        hidden |= {"prompt", "outputs"}
    absent = [cause for part in found.parts if part not in shown for cause in part.causes]
    none = [LABELS[cause] for cause in absent if cause not in hidden]
    if none:
        yield f"no part in it: {', '.join(none)}"
    if found.mine.rule != found.published.rule:
        yield f"counted: mine with {found.mine.rule.words()}; published with {found.published.rule.words()}"
    else:
        yield f"counted: both with {found.mine.rule.words()}"


def _n(part: Part) -> str:
    return str(part.n_ids) if part.n_ids else ""


def _method(part: Part) -> str:
    return f"  ({part.interval.method})" if part.interval and part.interval.method != "bca" else ""


def _texts(found: Explanation) -> Iterator[str]:
    for key, name in _TEXTS.items():
        of = found.texts.get(key)
        if of is None or not of.states:
            continue
        yield f"{name}: {_counts(of)}"
        if key == "prompt":
            for example in of.examples:
                yield from _example(example)


def _counts(of: Texts) -> str:
    words = {State.SAME: "the same", State.DIFFERENT: "different", State.UNKNOWN: "not known"}
    counted = [f"{of.count(state)} {word}" for state, word in words.items() if of.count(state)]
    return f"{', '.join(counted)} of {len(of.states)}"


def _example(of: Example) -> Iterator[str]:
    yield f"  {plain(of.id)}: differ from character {of.at} on ({of.lengths[0]} and {of.lengths[1]} characters)"
    # ascii() shows what cannot be seen: blanks, line ends, zero-width characters.
    yield f"    mine      {of.mine!a}"
    yield f"    published {of.published!a}"


def _judging(found: Explanation) -> Iterator[str]:
    if found.verdicts is not None:
        of = found.verdicts
        flips = ", ".join(f"{number} {flip}" for flip, number in of.flips.items()) or "none"
        yield f"verdicts on the same pairs: {_of_rate(of.agreement)} agree; mine to published: {flips}"
    for name, rate in found.first_shown.items():
        if rate is not None:
            yield f"the output shown first wins ({name}): {_of_rate(rate)}"


def _of_rate(rate: Rate) -> str:
    ends = f" [{percent(rate.interval.low)}, {percent(rate.interval.high)}]" if rate.interval else ""
    return f"{percent(rate.estimate or 0.0)} %{ends} of {rate.n}"


def _recorded(found: Explanation) -> Iterator[str]:
    differ = [of for of in found.recorded if of.state is State.DIFFERENT]
    half = [of.key for of in found.recorded if of.state is State.UNKNOWN]
    if differ:
        yield "recorded to differ:"
    for of in differ:
        yield f"  {of.key}: {_value(of.mine)} | {_value(of.published)}"
    if half:
        yield f"recorded in one only: {', '.join(plain(key) for key in half)}"


def _value(value: Any) -> str:
    return shortened(plain(str(value)))


def _points(value: float) -> str:
    return f"{100 * value:+.1f}"


def _ends(interval: Interval | None) -> str:
    return f"[{100 * interval.low:+.1f}, {100 * interval.high:+.1f}]" if interval else EMPTY
