"""One run of HELM's own scenarios as its folder holds it: what was asked and answered, and each answer's statistics."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.files import read_text
from alpaca_eval_suite.leaderboard.importers.shared import bad, number, object_at, text, text_or_none, whole

STATS_FILE = "per_instance_stats.json"

_ACCOUNTS = frozenset({"batch_size", "logprob", "max_prob", "predicted_index", "prompt_truncated"})
_ACCOUNTS_OF = ("num_", "finish_reason_", "training_", "inference_")
"""Statistics that say how an answer was made, not how good it is."""

_MAIN = "test"
_AGAIN = "It was cut off or edited: run the same helm-run again, its answers are in the cache."


@dataclass
class Asked:
    """One instance: its texts, the first answer, and its scores, {NAME: {trial: value}}."""

    id: str
    split: str
    instruction: str | None = None
    references: tuple[str, ...] = ()
    prompt: str | tuple[dict[str, Any], ...] | None = None
    output: str | None = None
    scores: dict[str, dict[int, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class HelmRun:
    """A run: its name, adapter and groups, the instances in HELM's order, and what was seen of the answers.

    HELM never puts the splits of a scenario together: where there is `test` beside another, it alone is taken, and
    `n_other_splits` instances are left out. `overall`: what HELM reports over the instances. `n_perturbed`: statistics
    of changed copies of instances, left out.
    """

    name: str
    adapter: Mapping[str, Any]
    instances: tuple[Asked, ...]
    overall: Mapping[str, float]
    n_perturbed: int
    n_other_splits: int
    seconds: float | None
    made: Mapping[str, str]

    @property
    def names(self) -> list[str]:
        """The scores' names, in the order in which the instances name them first."""
        return list(dict.fromkeys(name for asked in self.instances for name in asked.scores))


def read_run(folder: Path) -> HelmRun:
    """The run in `folder`. Raises SuiteError naming the file and key for one that is missing, half-written or of
    another form, and for statistics of which none is a score."""
    spec, state = _object(folder / "run_spec.json"), _object(folder / "scenario_state.json")
    rows, overall = _list(folder / STATS_FILE), _list(folder / "stats.json")
    answered = _Answers(str(folder / "scenario_state.json"))
    for row in _items(state, "request_states"):
        answered.add(row)
    n_perturbed = _add_scores(answered.instances, rows, str(folder / STATS_FILE))
    where = str(folder / "run_spec.json")
    name = text_or_none(spec.get("name"))
    if not name:
        raise bad("name", "must be the run's name", where)
    scored = [asked for asked in answered.instances.values() if asked.scores]
    has_test = any(asked.split == _MAIN for asked in scored)
    instances = tuple(asked for asked in scored if not has_test or asked.split == _MAIN)
    if not instances:
        raise SuiteError(
            "holds no score of single answers",
            where=str(folder / STATS_FILE),
            next_step="Some scenarios have figures over all answers alone, which cannot be imported.",
        )
    return HelmRun(
        name=name,
        adapter=object_at(spec, "adapter_spec", where),
        instances=instances,
        overall=dict(_values(overall, str(folder / "stats.json"), {asked.split for asked in instances})),
        n_perturbed=n_perturbed,
        n_other_splits=len(scored) - len(instances),
        seconds=answered.seconds,
        made={key: ", ".join(sorted(values)) for key, values in answered.made.items()},
    )


class _Answers:
    """The instances and answers of a scenario state, met one by one."""

    def __init__(self, where: str) -> None:
        self.instances: dict[str, Asked] = {}
        self.seconds: float | None = None
        self.made: dict[str, set[str]] = {}
        self._where = where

    def add(self, row: Any) -> None:
        """A request state. Perturbed copies of instances are passed over."""
        if not isinstance(row, dict):
            raise bad("request_states", "must be a list of objects", self._where)
        instance, result = object_at(row, "instance", self._where), object_at(row, "result", self._where)
        seconds = number(result.get("request_datetime"))
        if seconds is not None:
            self.seconds = max(seconds, self.seconds or seconds)
        first = next((one for one in _items(result, "completions")[:1] if isinstance(one, dict)), {})
        for key, value in object_at(first, "finish_reason", self._where).items():
            if key in ("dtype", "device", "batch_size"):
                self.made.setdefault(key, set()).add(text(value))
        id_ = text_or_none(instance.get("id"))
        if instance.get("perturbation") or not id_ or id_ in self.instances:
            return
        request = object_at(row, "request", self._where)
        given = row.get("reference_index") is not None  # likelihoods of given answers were compared
        self.instances[id_] = Asked(
            id=id_,
            split=text_or_none(instance.get("split")) or "",
            instruction=text_or_none(object_at(instance, "input", self._where).get("text")),
            references=tuple(json.dumps(reference, sort_keys=True) for reference in _items(instance, "references")),
            prompt=_messages(_items(request, "messages")) or text_or_none(request.get("prompt")),
            output=None if given else text_or_none(first.get("text")),
        )


def _messages(given: list[Any]) -> tuple[dict[str, Any], ...]:
    return tuple(
        {"role": text(turn.get("role", "")), "content": text(turn.get("content", ""))}
        for turn in given
        if isinstance(turn, dict)
    )


def _add_scores(instances: Mapping[str, Asked], rows: list[Any], where: str) -> int:
    """Put each score beside its instance; gives how many rows belong to perturbed copies and were left out.

    Raises SuiteError for a row of an instance that was not asked, and for a score that has two values in one trial.
    """
    n_perturbed = 0
    for row in rows:
        if not isinstance(row, dict) or not isinstance(row.get("stats"), list):
            raise bad("stats", "must be a list", where)
        if row.get("perturbation"):
            n_perturbed += 1
            continue
        id_, trial = text_or_none(row.get("instance_id")), whole(row.get("train_trial_index")) or 0
        if id_ is None or id_ not in instances:
            what = f"has statistics of {id_!r}, which scenario_state.json does not have"
            raise SuiteError(what, where=where, next_step=_AGAIN)
        for name, value in _values(row["stats"], where):
            trials = instances[id_].scores.setdefault(name, {})
            if trials.setdefault(trial, value) != value:
                raise SuiteError(f"{name} of {id_!r} has two values in trial {trial}", where=where, next_step=_AGAIN)
    return n_perturbed


def _values(stats: list[Any], where: str, splits: Collection[str] | None = None) -> list[tuple[str, float]]:
    """The scores among statistics, name and value, of these `splits` alone where some are given.

    One of perturbed copies, or that counted nothing, is none.
    """
    found = []
    for stat in stats:
        if not isinstance(stat, dict):
            raise bad("stats", "must hold objects", where)
        of = object_at(stat, "name", where)
        name, value = text_or_none(of.get("name")), number(stat.get("mean"))
        if not name or value is None or of.get("perturbation"):
            continue
        if splits is not None and (text_or_none(of.get("split")) or "") not in splits:
            continue
        if name in _ACCOUNTS or name.startswith(_ACCOUNTS_OF):
            continue
        part = text_or_none(of.get("sub_split"))
        found.append((f"{name} ({part})" if part else name, value))
    return found


def _items(of: Mapping[str, Any], key: str) -> list[Any]:
    """The list under `key`, empty where there is none."""
    found = of.get(key)
    return found if isinstance(found, list) else []


def _object(path: Path) -> dict[str, Any]:
    found = _json(path)
    if not isinstance(found, dict):
        raise SuiteError("is no object", where=str(path), next_step=_AGAIN)
    return found


def _list(path: Path) -> list[Any]:
    found = _json(path)
    if not isinstance(found, list):
        raise SuiteError("is no list", where=str(path), next_step=_AGAIN)
    return found


def _json(path: Path) -> Any:
    """The file's JSON; HELM writes NaN for a value that does not exist, which is none here."""
    try:
        return json.loads(read_text(path), parse_constant=lambda _: None)
    except (ValueError, RecursionError) as error:
        raise SuiteError(f"is not valid JSON ({error})", where=str(path), next_step=_AGAIN) from error
