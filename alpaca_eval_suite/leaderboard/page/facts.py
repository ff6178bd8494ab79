"""What the page says of one run besides its figures: settings, identity, and what makes its figures doubtful."""

from alpaca_eval_suite.leaderboard.board import BoardRow
from alpaca_eval_suite.leaderboard.record import RunRecord

_SHORT_HASH = 12


def flags_of(row: BoardRow) -> tuple[str, ...]:
    """What a reader must see beside the figures, one short text each."""
    flags = [*row.guards]
    if row.no_information:
        flags.append("judge gave no information")
    if row.self_judged:
        flags.append(f"self-judged: {row.self_judged}")
    if row.row.run.prompt.mismatch:
        flags.append("asked with another prompt than in training")
    if row.row.run.stopped_early:
        flags.append("judging stopped early")
    return tuple(flags)


def facts_of(row: BoardRow) -> list[tuple[str, str]]:
    """(what, text) for everything that repeating the run needs and no column shows."""
    run = row.row.run
    facts = [
        ("Model", run.model.name),
        ("Fingerprint", run.model.fingerprint),
        ("Served as", run.model.served_id),
        ("Deployment", run.model.deployment),
        ("Machine", ", ".join(filter(None, (run.model.dtype, run.model.device)))),
        ("Prompt", f"{run.prompt.format} {run.prompt.sha256[:_SHORT_HASH]}".strip()),
        ("Decoding", _decoding(run)),
        ("Baseline", _baseline(run)),
        ("Judge", _judge(run)),
        ("Data", f"{run.scenario.name} {run.scenario.sha256[:_SHORT_HASH]}, {run.scenario.n_items} items"),
        ("Length of the baseline", f"{row.mean_length_baseline:.0f}" if row.mean_length_baseline else None),
        ("Run", run.run),
        ("Date", run.date),
        ("Source", run.source),
        ("Versions", ", ".join(f"{name} {version}" for name, version in run.versions.items())),
    ]
    return [(what, text) for what, text in facts if text]


def _decoding(run: RunRecord) -> str:
    how = run.decoding
    if how.max_tokens is None and how.temperature is None:
        return "not known"
    stop = ", ".join(map(repr, how.stop)) or "none"
    return f"max_tokens {how.max_tokens}, temperature {how.temperature}, stop {stop}, thoughts {how.thinking}"


def _baseline(run: RunRecord) -> str | None:
    if run.baseline is None:
        return None
    return " ".join(filter(None, (run.baseline.name, (run.baseline.sha256 or "")[:_SHORT_HASH])))


def _judge(run: RunRecord) -> str | None:
    if run.judge is None:
        return None
    served = f", served as {run.judge.served_id}" if run.judge.served_id else ""
    return f"{run.judge.name}{served}, orders {run.judge.orders}, seed {run.judge.seed}"
