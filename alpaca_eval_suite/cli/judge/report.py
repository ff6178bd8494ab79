"""The end of `judge run` for a person: the rate with its interval, and what must be known of its judges."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from alpaca_eval_suite.judge.estimate import usd
from alpaca_eval_suite.leaderboard.cells import percent, plain, rate_text
from alpaca_eval_suite.leaderboard.record import RateRecord

if TYPE_CHECKING:
    from alpaca_eval_suite.judge.run_setup import RunFiles

Record = Mapping[str, Any]


def report_text(record: Record, files: "RunFiles") -> str:
    """The record in lines."""
    lines = [f"{plain(record['model']['name'])} against {plain(record['baseline']['name'])}"]
    if record["sequence"] is not None:
        lines += _sequence(record)
    else:
        lines += _rate(record["win_rate"], record["informative"] is False)
    for judge in record["judges"]:
        lines += _judge(judge, alone=len(record["judges"]) == 1)
    if (agreement := record["agreement_among_judges"]) is not None:
        lines += _agreement(agreement, record["combine"])
    lines += [f"note: {plain(note)}" for note in record["notes"]]
    lines.append(_money(record))
    lines.append(f"verdicts: {files.out}, record: {files.record}, ledger: {files.ledger}")
    return "\n".join(lines)


def _rate(found: Record, withheld: bool) -> Iterator[str]:
    counts = f"n {found['n']}, failed {found['n_failed']}"
    if withheld:
        yield f"  win rate: no information ({counts}); the raw figures are in the record"
        return
    rate = RateRecord(value=found["win_rate"], ci=found["ci"], n=found["n"], n_failed=found["n_failed"])
    if rate.ci is None:
        yield f"  win rate: {rate_text(rate)} ({counts}; {found['reason']})"
        return
    yield f"  win rate: {rate_text(rate)} % ({counts}; {100 * rate.ci.level:g} % {plain(rate.ci.method)})"
    yield f"  wins {found['wins']}, ties {found['ties']}, losses {found['losses']}"
    if found["n_failed"] and (worst := found["worst_case"]):
        yield f"  with every failed unit lost, or won: [{percent(worst['low'])}, {percent(worst['high'])}] %"


def _sequence(record: Record) -> Iterator[str]:
    found = record["sequence"]
    look = found["looks"][-1]
    counts = f"{look['n']} of {found['n_total']} ids, failed {found['n_failed']}"
    if record["informative"] is False:
        yield f"  stopped after {counts}; no information, the raw figures are in the record"
        return
    yield f"  the {found['decision']} is preferred: decided after {counts}"
    ends = f"[{percent(look['low'])}, {percent(look['high'])}] %"
    yield f"  {100 * found['level']:g} % confidence sequence: {ends}; after an early stop no other interval holds"


def _judge(judge: Record, *, alone: bool) -> Iterator[str]:
    yield f"judge {plain(judge['name'])}: {judge['card']}"
    if judge["self_judged"]:
        yield f"  self-judged: {plain(judge['self_judged'])}"
    if not alone and judge["win_rate"] is not None:
        yield from _rate(judge["win_rate"], judge["information"]["informative"] is False)
    if judge["form"] != "builtin":
        yield f"  both orders: {judge['information']['reason']}"
        first = judge["first_shown"]
        if first["value"] is not None:
            yield f"  the output shown first wins: {rate_text(RateRecord.model_validate(first))} %"
    if judge["precision"]:
        yield f"  {judge['precision']}"
    yield f"  {_counts(judge['verdicts'])}"
    if judge["served_ids"]:
        yield f"  served by {plain(', '.join(judge['served_ids']))}"
    if judge["canary"] is not None:
        yield f"  {plain(judge['canary']['message'])}"
    for fallback in judge["fallbacks"]:
        yield f"  {plain(fallback)}"


def _counts(verdicts: Record) -> str:
    words = {
        "asked": "asked now",
        "from_cache": "from the verdict cache",
        "from_ledger": "from this run's ledger",
        "by_other_processes": "by other processes",
        "failed": "failed",
    }
    found = [f"{verdicts[name]:,} {word}" for name, word in words.items() if verdicts[name]]
    return f"verdicts: {', '.join(found) or 'none'}"


def _agreement(agreement: Record, combine: str) -> Iterator[str]:
    word = "the mean of their values" if combine == "mean" else "a strict majority of all of them"
    yield f"the judges together: {word}; they take the same side in"
    for pair in agreement["pairs"]:
        rate = rate_text(RateRecord.model_validate({key: pair[key] for key in ("value", "ci", "n", "n_failed")}))
        yield f"  {plain(' and '.join(pair['judges']))}: {rate} % (n {pair['n']})"


def _money(record: Record) -> str:
    if record["spent_usd"] is None:
        return "spent: not known, because no price is"
    lost = f", of which {usd(record['lost_usd'])} for answers that were lost" if record["lost_usd"] else ""
    return f"spent: {usd(record['spent_usd'])}{lost}"
