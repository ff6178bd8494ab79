"""The file of a bridge: who the two judges are, what the anchor is, and every figure, for pages to use later."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from alpaca_eval_suite.files import sha256_text
from alpaca_eval_suite.judge.bridge import ModelUnits
from alpaca_eval_suite.judge.bridge_line import Converted
from alpaca_eval_suite.judge.bridge_result import Bridge
from alpaca_eval_suite.judge.bridge_sources import JudgeFacts, Randomness, Source, differing
from alpaca_eval_suite.judge.card import NOT_CALIBRATED, card_of
from alpaca_eval_suite.stats.position import Information, has_information
from alpaca_eval_suite.stats.sample import Sample
from alpaca_eval_suite.types import Preference

SCHEMA_VERSION = 1


def bridge_record(
    found: Bridge,
    old: Source,
    new: Source,
    models: Sequence[ModelUnits],
    *,
    asked: Sequence[Preference] = (),
    drawn: Sample | None = None,
    random: Randomness,
    texts_sha256: str | None = None,
    rates: Sequence[float] = (),
    spent: float | None = None,
) -> dict[str, Any]:
    """Plain JSON; rates are fractions. `rates`: OLD's, to be converted. `texts_sha256`: of all that was judged."""
    ids = sorted({id_ for model in models for id_ in model.anchor})
    differ, unknown = differing(old, new)
    return {
        "schema_version": SCHEMA_VERSION,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "old": _side(old, asked, ids),
        "new": _side(new, asked, ids),
        "differ_in": differ,
        "not_known_whether_they_differ_in": unknown,
        "anchor": {
            "n": len(ids),
            "ids_sha256": sha256_text("\n".join(ids)),
            "texts_sha256": texts_sha256,
            "random": random,
            "seed": drawn.seed if drawn else None,
            "drawn_from": drawn.n_judged if drawn else None,
        },
        **found.as_json(),
        "conversions": [_conversion(found, rate) for rate in rates],
        "spent_usd": spent,
        "versions": {name: version(name) for name in ("alpaca-eval-suite", "numpy")},
    }


def _conversion(found: Bridge, rate: float) -> dict[str, Any]:
    converted = found.convert(rate)
    if isinstance(converted, Converted):
        return {"by": "line", **converted.as_json(), "reason": ""}
    ci = converted.ci.as_json() if converted.ci else None
    figures = {"old": rate, "new": converted.value, "ci": ci, "ci_another_model": None, "extrapolated": None}
    return {"by": "mean difference", **figures, "reason": converted.reason}


def _side(source: Source, asked: Sequence[Preference], ids: Sequence[str]) -> dict[str, Any]:
    names = {one.name for one in source.facts}
    here = set(ids)
    verdicts = source.verdicts or [one for one in asked if one.judge in names]
    information = has_information(one for one in verdicts if one.id in here)
    return {
        "judges": [{**asdict(one), "card": _card(one)} for one in source.facts],
        "combine": source.combine,
        "verdicts": source.file.name if source.file else None,
        "information": _information(information),
    }


def _card(judge: JudgeFacts) -> str:
    card = card_of(judge.hash or judge.name)
    return card.sentence() if card else NOT_CALIBRATED


def _information(found: Information) -> Mapping[str, Any]:
    return {
        "informative": found.informative,
        "reason": found.reason,
        "order_consistency": found.consistency.as_json(),
        "floor": found.floor,
    }
