"""What the two records say of model, prompt, decoding, baseline and judge: which keys are the same."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from alpaca_eval_suite.leaderboard.difference.texts import State
from alpaca_eval_suite.leaderboard.record import JudgeRecord, RunRecord


@dataclass(frozen=True)
class Recorded:
    """One key of the two records; a value is None where it is not known."""

    key: str
    mine: Any
    published: Any

    @property
    def state(self) -> State:
        """Whether the two are the same."""
        return State.of(self.mine, self.published)

    def as_json(self) -> dict[str, Any]:
        """{"key", "mine", "published", "state"}."""
        return {"key": self.key, "mine": self.mine, "published": self.published, "state": self.state.value}


_PARTS: dict[str, tuple[str, ...]] = {
    "scenario": ("name", "sha256", "n_items"),
    "model": ("name", "fingerprint", "served_id", "dtype", "device", "batch_size"),
    "prompt": ("format", "sha256"),
    "decoding": ("max_tokens", "temperature", "stop", "thinking", "thinking_tokens"),
    "baseline": ("name", "sha256", "served_id"),
    "judge": ("name", "hash", "served_id", "template_sha256", "orders", "seed"),
}


def recorded(mine: RunRecord, published: RunRecord) -> list[Recorded]:
    """Every key of the two records that can move a rate, and the versions of what made them."""
    a, b = mine.model_dump(mode="json"), published.model_dump(mode="json")
    found = [Recorded("source", a["source"], b["source"])]
    for part, keys in _PARTS.items():
        x, y = a[part] or {}, b[part] or {}
        found += [Recorded(f"{part}.{key}", _known(x, key), _known(y, key)) for key in keys]
    found.append(Recorded("panel", _panel(mine), _panel(published)))
    found.append(Recorded("stopped_early", mine.stopped_early, published.stopped_early))
    names = sorted(mine.versions.keys() | published.versions.keys())
    found += [Recorded(f"versions.{name}", mine.versions.get(name), published.versions.get(name)) for name in names]
    return [one for one in found if one.mine is not None or one.published is not None]


def _known(part: dict[str, Any], key: str) -> Any:
    value = part.get(key)
    # An unknown prompt is recorded as an empty hash and the word for it.
    return None if value in ("", "unknown") else value


def _panel(run: RunRecord) -> list[str] | None:
    return [run.panel.combine, *(judge.name for judge in run.panel.judges)] if run.panel else None


def same_judge(mine: RunRecord, published: RunRecord) -> State:
    """Whether the judge is the same: its hash where both have one, else name, question and served id.

    The orders and the seed do not belong to it. The same name alone does not make the same judge: with a question or
    a served model that is not known on one side, it is not known.
    """
    pairs = list(_judges(mine, published))
    states = {_judge(a, b) for a, b in pairs}
    if mine.combine != published.combine or State.DIFFERENT in states:
        return State.DIFFERENT
    return State.UNKNOWN if State.UNKNOWN in states else State.SAME


def _judges(mine: RunRecord, published: RunRecord) -> Iterator[tuple[JudgeRecord | None, JudgeRecord | None]]:
    if mine.panel is None and published.panel is None:
        yield mine.judge, published.judge
        return
    x, y = ({judge.name: judge for judge in run.panel.judges} if run.panel else {} for run in (mine, published))
    for name in sorted(x.keys() | y.keys()):
        yield x.get(name), y.get(name)


def _judge(a: JudgeRecord | None, b: JudgeRecord | None) -> State:
    if a is None and b is None:
        return State.SAME
    if a is None or b is None:
        return State.DIFFERENT
    served = State.of(a.served_id, b.served_id)
    if served is State.DIFFERENT:
        return State.DIFFERENT
    whole = State.of(a.hash, b.hash)
    if whole is not State.UNKNOWN:
        return whole
    if a.name != b.name:
        return State.DIFFERENT
    question = State.of(a.template_sha256, b.template_sha256)
    if question is not State.SAME:
        # A rule of this suite has no question.
        by_rule = a.template_sha256 is None and b.template_sha256 is None and a.name.startswith("builtin:")
        return State.SAME if by_rule else question
    return served
