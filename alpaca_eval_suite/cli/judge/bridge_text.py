"""A bridge between two judges for a person: its record in lines."""

from collections.abc import Iterator, Mapping
from typing import Any

from alpaca_eval_suite.leaderboard.cells import percent, plain

Record = Mapping[str, Any]

_MOST_SLICES = 20


def bridge_lines(record: Record) -> Iterator[str]:
    """Rates in percent, differences in points, all with their 95 % intervals."""
    for side in ("old", "new"):
        yield from _judge(side, record[side])
    yield _differences(record)
    yield _anchor(record)
    for model in record["models"]:
        yield from _model(model)
    yield f"all: NEW − OLD {_points(record['difference'])}"
    agreement = f"same output preferred in {_rate(record['agreement'])} of {record['n_units']} units"
    yield f"{agreement}, kappa {_number(record['kappa'])}"
    yield from _confusion(record["confusion"])
    yield from _slices(record["slices"])
    yield from _many_models(record)
    blind = [side.upper() for side in ("old", "new") if record[side]["information"]["informative"] is False]
    if blind and record["conversions"]:
        yield f"no conversion: the verdicts of {' and '.join(blind)} hold no information; the figures are in the JSON"
        return
    for conversion in record["conversions"]:
        yield _conversion(conversion)


def _judge(side: str, found: Record) -> Iterator[str]:
    file = f" (verdicts: {plain(found['verdicts'])})" if found["verdicts"] else ""
    for judge in found["judges"]:
        hash_ = f" {judge['hash'][:12]}" if judge["hash"] else ""
        yield f"{side.upper()}: {plain(judge['name'])}{hash_}{file}: {plain(judge['card'])}"
    if found["information"]["informative"] is False:
        yield f"  {found['information']['reason']}"


def _differences(record: Record) -> str:
    parts = []
    if record["differ_in"]:
        parts.append(f"they differ in {', '.join(record['differ_in'])}")
    if unknown := record["not_known_whether_they_differ_in"]:
        parts.append(f"not known whether they differ in {', '.join(unknown)}")
    return "; ".join(parts) or "the same model, form and template"


def _anchor(record: Record) -> str:
    anchor = record["anchor"]
    why = {
        "whole": "all that either was asked about",
        "drawn": f"drawn at random from {anchor['drawn_from']}",
        "recorded": "a random sample by the record beside the verdicts",
        "assumed": "a random sample, it was said",
    }
    return f"anchor: {anchor['n']} ids, {why[anchor['random']]}"


def _model(model: Record) -> Iterator[str]:
    failed = f", failed {model['n_failed']}" if model["n_failed"] else ""
    yield f"{plain(model['model'])} against {plain(model['baseline'])} (n {model['n']}{failed})"
    yield f"  OLD {_rate(model['old'])}, NEW {_rate(model['new'])}, NEW − OLD {_points(model['difference'])}"
    for one in model["converted"]:
        of, other = ("OLD", "NEW") if one["of"] == "old" else ("NEW", "OLD")
        failed = f", {one['n_failed']} failed and counted 0.5" if one["n_failed"] else ""
        yield (
            f"  on all {one['n']} ids that {other} judged, {of} would give {_rate(one['win_rate'])} "
            f"({other} gives {_rate(one['judged'])}, weight {one['lambda']:.2f}{failed})"
        )
        if one["win_rate"]["reason"]:
            yield f"    from {of}'s verdicts on the anchor alone: {plain(one['win_rate']['reason'])}"


def _confusion(confusion: Record) -> Iterator[str]:
    yield "OLD's verdict (rows) and NEW's, % of all units:"
    yield "        " + "".join(f"{new:>22}" for new in next(iter(confusion.values())))
    for old, row in confusion.items():
        yield f"  {old:<6}" + "".join(f"{_rate(share, unit=''):>22}" for share in row.values())


def _slices(slices: list[Record]) -> Iterator[str]:
    if not slices:
        return
    yield "NEW − OLD by slice, p adjusted for all of them (Holm):"
    # The least likely by chance first: they are what one looks for.
    for one in sorted(slices, key=lambda one: float(one["p_value"]))[:_MOST_SLICES]:
        yield f"  {plain(one['key'])} {plain(one['value'])}: {_points(one['difference'])}, p {_p_value(one['p_holm'])}"
    if len(slices) > _MOST_SLICES:
        yield f"  and {len(slices) - _MOST_SLICES} more, which are in the JSON"


def _many_models(record: Record) -> Iterator[str]:
    ranks = record["ranks"]
    if ranks["tau"]["value"] is not None:
        yield (
            f"ranks of {len(record['models'])} models: Kendall's tau {_number(ranks['tau'])}; of {ranks['n_pairs']} "
            f"pairs {ranks['n_sure']} have an order that both are sure of, {ranks['n_opposite']} of these opposite"
        )
    line = record["line"]
    if line is None:
        yield f"no line between the two: {record['no_line']}"
        return
    yield (
        f"line through {line['n_models']} models: logit NEW = {_number(line['intercept'])} + "
        f"{_number(line['slope'])} · logit OLD"
    )


def _conversion(found: Record) -> str:
    ends = f" [{percent(found['ci']['low'])}, {percent(found['ci']['high'])}]" if found["ci"] else " [no interval]"
    text = f"OLD's {percent(found['old'])} is NEW's {percent(found['new'])}{ends}"
    if found["by"] != "line":
        return f"{text}, if all models move alike ({plain(found['reason'])})"
    other = found["ci_another_model"]
    beyond = "; no model of the anchor has such a rate" if found["extrapolated"] else ""
    return (
        f"{text} on the line through these models; for another model "
        f"[{percent(other['low'])}, {percent(other['high'])}]{beyond}"
    )


def _rate(found: Record, unit: str = " %") -> str:
    if found["value"] is None:
        return "–"
    ends = f"[{percent(found['ci']['low'])}, {percent(found['ci']['high'])}]" if found["ci"] else "[no interval]"
    return f"{percent(found['value'])} {ends}{unit}"


def _points(found: Record) -> str:
    if found["value"] is None:
        return "–"
    ends = f"[{_signed(found['ci']['low'])}, {_signed(found['ci']['high'])}]" if found["ci"] else "[no interval]"
    return f"{_signed(found['value'])} {ends} points"


def _signed(share: float) -> str:
    # A rounded zero has no sign.
    return f"{100 * share:+.1f}" if round(100 * share, 1) else "0.0"


def _number(found: Record) -> str:
    if found["value"] is None:
        return "–"
    ends = f"[{found['ci']['low']:.2f}, {found['ci']['high']:.2f}]" if found["ci"] else "[no interval]"
    return f"{found['value']:.2f} {ends}"


def _p_value(p_value: float) -> str:
    return f"{p_value:.3f}" if p_value >= 0.001 else "< 0.001"
