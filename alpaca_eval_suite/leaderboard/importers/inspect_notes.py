"""What a reader of an imported inspect_ai run must know: how it ended, what failed, where the log's figures differ."""

import json
from collections.abc import Sequence

from alpaca_eval_suite.leaderboard.importers.inspect_log import InspectLog
from alpaca_eval_suite.leaderboard.importers.inspect_record import ByEpoch
from alpaca_eval_suite.leaderboard.importers.scores import score_name
from alpaca_eval_suite.leaderboard.importers.shared import NOTICED, number, percent, text
from alpaca_eval_suite.leaderboard.record import RunRecord

_FROM = (
    "Imported from a log of inspect_ai, no run of this suite: the fingerprint of the model is not known. What the "
    "prompt's hash is over are the steps that made the prompt."
)


def notes_of_log(log: InspectLog, samples: ByEpoch, epochs: int) -> list[str]:
    """Where the run is from, how it ended, and what is missing."""
    notes = [_FROM]
    if epochs > 1:
        notes.append(
            f"Each sample was answered {epochs} times; its value is the mean of them; the texts are the first's."
        )
    status = log.header.get("status")
    if status != "success":
        notes.append(f"The run ended with the status {text(status)!r}.")
    missing = sum(not of_id for of_id in samples.values())
    if missing:
        notes.append(f"{missing} of {len(samples)} samples are not in the log, and count as failed.")
    failed = sum(sample.failed for of_id in samples.values() for sample in of_id)
    if failed:
        notes.append(f"{failed} answers ended in an error, and count as failed.")
    config = log.header["eval"].get("config")
    if isinstance(config, dict) and config.get("limit") is not None:
        notes.append(f"The samples were limited to {text(json.dumps(config['limit']))}.")
    return notes


def notes_of_values(samples: ByEpoch, names: Sequence[str]) -> list[str]:
    """Scores that are no numbers, or none between 0 and 1."""
    notes = []
    for name in names:
        given = [one.scores[name] for of in samples.values() for one in of if name in one.scores and not one.failed]
        odd = [score.raw for score in given if score.value is None]
        if odd:
            shown = text(json.dumps(odd[0]))[:40]
            notes.append(f"{name}: {len(odd)} values are no numbers (the first is {shown}), and count as failed.")
        if any(score.value is not None and not 0 <= score.value <= 1 for score in given):
            notes.append(f"{name}: its values do not lie in [0, 1], so there is a mean and no rate.")
    return notes


def notes_of_figures(log: InspectLog, run: RunRecord, names: Sequence[str]) -> list[str]:
    """Where the log's own figures do not follow from its samples."""
    results = log.header.get("results")
    scores = results.get("scores") if isinstance(results, dict) else None
    notes = []
    for score in scores if isinstance(scores, list) else []:
        if not isinstance(score, dict):
            continue
        own, of = str(score.get("name")), str(score.get("scorer"))
        name = next((name for name in (own, f"{of}.{own}") if name in names), None)
        rate = run.rates.get(score_name(name)) if name else None
        metrics = score.get("metrics")
        for kind in ("accuracy", "mean"):
            metric = metrics.get(kind) if isinstance(metrics, dict) else None
            value = number(metric.get("value")) if isinstance(metric, dict) else None
            if value is None or rate is None or rate.value is None or abs(value - rate.value) <= NOTICED:
                continue
            reducer = f", over epochs by {text(score['reducer'])}" if score.get("reducer") else ""
            notes.append(
                f"{name}: the log reports {kind} {percent(value)}{reducer}; {percent(rate.value)} follows from its "
                "samples."
            )
    return notes
