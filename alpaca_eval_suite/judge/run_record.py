"""The record of a run, OUT.run.json: what was judged, by whom, at what price, and what it comes to."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from alpaca_eval_suite.files import sha256_text
from alpaca_eval_suite.judge.canary_drift import Drift
from alpaca_eval_suite.judge.card import NOT_CALIBRATED, JudgeCard, card_of
from alpaca_eval_suite.judge.combined import combined_units, values_by_judge
from alpaca_eval_suite.judge.families import self_judged
from alpaca_eval_suite.judge.judged import Judged, Tally
from alpaca_eval_suite.judge.pairs import Pairs
from alpaca_eval_suite.judge.panel import panel_agreement
from alpaca_eval_suite.judge.run_setup import Judges, RunFiles, model_names
from alpaca_eval_suite.judge.schema import Orders
from alpaca_eval_suite.judge.work import Judge
from alpaca_eval_suite.stats.position import Information, first_shown_rate, has_information
from alpaca_eval_suite.stats.units import Units, units
from alpaca_eval_suite.stats.win_rate import win_rate
from alpaca_eval_suite.types import Preference
from alpaca_eval_suite.versions import versions_of

_PACKAGES = ("alpaca-eval-suite", "numpy", "scipy", "aiohttp", "torch", "transformers")


def run_record(
    files: RunFiles,
    pairs: Pairs,
    judges: Judges,
    judged: Judged,
    *,
    about: Mapping[str, Any],
    spent: float,
    canaries: Mapping[str, Drift],
    orders: Orders | None,
    seconds: float,
    notes: Sequence[str],
) -> dict[str, Any]:
    """Everything to trace and repeat the run, and its figures; plain JSON.

    `spent` in USD by everybody, canaries included, which are there by the judge's name; `notes` came up while it ran.
    """
    names = model_names(judges.judges)
    of_judges = [
        {**_judge_record(judge, judged, pairs, names[judge.name], orders), "canary": _canary(canaries.get(judge.name))}
        for judge in judges.judges
    ]
    return {
        "schema_version": 1,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "model": {"name": pairs.model, "outputs": files.model_outputs.name, "sha256": about["model_outputs_sha256"]},
        "baseline": {
            "name": pairs.baseline,
            "outputs": files.baseline_outputs.name,
            "sha256": about["baseline_outputs_sha256"],
        },
        "n_pairs": len(pairs.pairs),
        "ids_left_out": pairs.left_out,
        "seed": judged.work.seed,
        "combine": judges.combine,
        "panel": judges.panel,
        "judges": of_judges,
        **_result(judges, judged, of_judges),
        "verdicts": {
            "judged": len(judged.preferences),
            "failed": judged.failed,
            "no_answer": judged.no_answer,
            "missing": judged.n_missing,
            "stopped": judged.stopped or None,
        },
        "spent_usd": spent if _priced(judges.judges) else None,
        "lost_usd": judged.lost,
        "seconds": round(seconds, 3),
        "notes": [*pairs.notes(), *notes, *judged.damaged],
        "versions": versions_of(_PACKAGES),
    }


def _result(judges: Judges, judged: Judged, of_judges: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The rate of all judges together. After an early stop there is the sequence and no other interval."""
    informed = [record["information"]["informative"] for record in of_judges]
    result: dict[str, Any] = {
        "informative": False if False in informed and True not in informed else None if None in informed else True,
        "win_rate": None,
        "sequence": None,
        "agreement_among_judges": None,
    }
    if judged.sequence is not None:
        found = judged.sequence.as_json()
        result["sequence"] = {**found, "looks": found["looks"][-1:], "decided_at": judged.sequence.decided_at}
        last = judged.sequence.looks[(judged.sequence.decided_at or 1) - 1]
        result["sequence"]["looks"] = [asdict(last)]
    else:
        result["win_rate"] = win_rate(_units(judged.preferences, judges)).as_json()
    if len(judges.judges) > 1 and judged.preferences:
        result["agreement_among_judges"] = panel_agreement(values_by_judge(judged.preferences), rng=0).as_json()
    return result


def _units(preferences: Sequence[Preference], judges: Judges) -> Units:
    return combined_units(preferences, judges.combine) if preferences else units([])


def _judge_record(judge: Judge, judged: Judged, pairs: Pairs, model_name: str, orders: Orders | None) -> dict[str, Any]:
    own = [preference for preference in judged.preferences if preference.judge == judge.name]
    spec, tally, card = judge.spec, judged.tallies[judge.name], card_of(judge.hash)
    information = has_information(own)
    return {
        "name": judge.name,
        "hash": judge.hash,
        "model": spec.model,
        "form": spec.form,
        "template_sha256": sha256_text(spec.template) if spec.template else None,
        "decoding": spec.decoding.model_dump(mode="json"),
        "identity": dict(judge.identity),
        "orders": "single" if spec.is_builtin else orders or spec.orders,
        "card": card.sentence() if card else NOT_CALIBRATED,
        "calibrated": card is not None,
        "self_judged": self_judged(model_name, pairs.model, pairs.baseline),
        "information": _information(information, card),
        "first_shown": first_shown_rate(own).as_json(),
        "precision": _precision(spec.is_builtin, orders or spec.orders, card),
        # After an early stop no other interval is given.
        "win_rate": win_rate(units(own)).as_json() if judged.sequence is None else None,
        "price": None if judge.price is None else _price(judge),
        **_tally(tally),
    }


def _information(found: Information, card: JudgeCard | None) -> dict[str, Any]:
    """Below the floor by its own orders, or by its card: what it judged is no information."""
    informative, reason = found.informative, found.reason
    if card is not None and not card.has_information:
        informative = False
        reason = f"no information: by its card it is not above judges who do not read; {found.reason}"
    return {
        "informative": informative,
        "reason": reason,
        "order_consistency": found.consistency.as_json(),
        "floor": found.floor,
    }


def _precision(builtin: bool, orders: Orders, card: JudgeCard | None) -> str | None:
    """What one order a pair costs in precision, in a sentence; None with both."""
    if builtin or orders == "both":
        return None
    told = (
        f"its standard error is about {card.single_order_se_ratio:.2f} times that of both orders (from its card)"
        if card is not None and card.single_order_se_ratio is not None
        else "its interval is wider than with both orders, by how much is not known without a card of this judge"
    )
    if orders == "single":
        return f"each pair was shown once, the model first: a liking for the first place stays in the rate; {told}"
    return f"each pair was shown once, in an order drawn at random: {told}"


def _canary(drift: Drift | None) -> dict[str, Any] | None:
    return None if drift is None else {**drift.as_json(), "message": drift.message()}


def _price(judge: Judge) -> dict[str, Any]:
    assert judge.price is not None
    return {"input": judge.price.input, "output": judge.price.output, "as_of": judge.price.as_of}


def _tally(tally: Tally) -> dict[str, Any]:
    return {
        "verdicts": {
            "asked": tally.asked,
            "from_cache": tally.cached,
            "from_ledger": tally.kept,
            "by_other_processes": tally.others,
            "failed": tally.failed,
        },
        "cost_usd": tally.cost,
        "prompt_tokens": tally.prompt_tokens,
        "answer_tokens": tally.completion_tokens,
        "served_ids": sorted(name for name in tally.served if name),
        "fallbacks": sorted(tally.fallbacks),
    }


def _priced(judges: Sequence[Judge]) -> bool:
    return all(judge.price is not None for judge in judges)
