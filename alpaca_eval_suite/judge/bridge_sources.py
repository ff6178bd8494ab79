"""Where a bridge's verdicts come from: two judges, to be asked or with a file of verdicts, and the anchor of both."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.files import read_rows, read_text, sha256_text
from alpaca_eval_suite.judge.asker_kinds import Notice
from alpaca_eval_suite.judge.bridge import ModelUnits
from alpaca_eval_suite.judge.combined import Combine, combined_units
from alpaca_eval_suite.judge.pairs import Pair, Pairs
from alpaca_eval_suite.judge.run_setup import load_judges
from alpaca_eval_suite.judge.work import Judge
from alpaca_eval_suite.stats.sample import Sample, check_labelled, draw_sample, read_sample, sample_path
from alpaca_eval_suite.stats.verdicts import read_preferences
from alpaca_eval_suite.types import Preference

Randomness = Literal["whole", "drawn", "recorded", "assumed"]
"""Why the anchor is a random sample: it is all there is, we drew it, its drawing is on record, somebody says so."""

_DEFAULT_PAIR = (Preference("", None).model, Preference("", None).baseline)
_JUDGE_FILES = (".yaml", ".yml")
_TRAITS = ("model", "form", "template_sha256")
_LISTED = 5


@dataclass(frozen=True)
class JudgeFacts:
    """What is known of a judge; of a file of verdicts that may be the name alone."""

    name: str
    hash: str | None = None
    model: str | None = None
    form: str | None = None
    template_sha256: str | None = None


@dataclass(frozen=True)
class Source:
    """OLD or NEW. `judges` are to be asked, or else `verdicts` are those of `file`; several judges are one together."""

    facts: tuple[JudgeFacts, ...]
    combine: Combine = "mean"
    judges: tuple[Judge, ...] = ()
    verdicts: tuple[Preference, ...] = ()
    file: Path | None = None

    @property
    def name(self) -> str:
        """The names of its judges."""
        return " + ".join(one.name for one in self.facts)

    def of(self, model: str, baseline: str) -> list[Preference]:
        """The file's verdicts on one pair. A file with ids and wins alone is of any."""
        pairs = {(one.model, one.baseline) for one in self.verdicts}
        if pairs == {_DEFAULT_PAIR}:
            return [replace(one, model=model, baseline=baseline) for one in self.verdicts]
        return [one for one in self.verdicts if (one.model, one.baseline) == (model, baseline)]


def source_of(name: str, notice: Notice) -> Source:
    """The judge, panel or file of verdicts that `name` stands for.

    Raises UsageError for an unknown judge, SuiteError for a file that cannot be read or holds no verdicts.
    """
    path = Path(name).expanduser()
    if not path.is_file() or path.suffix in _JUDGE_FILES:
        found = load_judges([name], combine=None, notice=notice)
        return Source(tuple(map(_facts_of, found.judges)), found.combine, found.judges)
    verdicts = tuple(read_preferences(path))
    if not verdicts:
        raise SuiteError("holds no verdicts", where=str(path))
    return Source(_facts_in(path, sorted({one.judge for one in verdicts})), verdicts=verdicts, file=path)


def differing(old: Source, new: Source) -> tuple[list[str], list[str]]:
    """In which of model, form and template the two differ, and of which that is not known."""
    differ, unknown = [], []
    for trait in _TRAITS:
        of_old, of_new = ({getattr(one, trait) for one in source.facts} for source in (old, new))
        named = trait.removesuffix("_sha256")
        if None in of_old | of_new:
            unknown.append(named)
        elif of_old != of_new:
            differ.append(named)
    return differ, unknown


def draw_anchor(models: Sequence[Pairs], sources: Sequence[Source], *, n: int | None, seed: int) -> Sample:
    """The ids that the judges are to be asked about: `n` (None: all) of those that all models and files have.

    Raises UsageError where there are not so many, SuiteError where a file has no verdicts on a model.
    """
    common: set[str] | None = None
    for pairs in models:
        ids = {pair.id for pair in pairs.pairs}
        for source in sources:
            if source.file is not None:
                ids &= {one.id for one in _verdicts_on(source, pairs.model, pairs.baseline)}
        common = ids if common is None else common & ids
    if not common or len(common) < 2:
        raise SuiteError(
            f"{len(common or ())} ids are common to all outputs and verdicts",
            next_step="Were the outputs and verdicts made from the same instructions, with the same ids?",
        )
    return draw_sample(common, n=len(common) if n is None else n, seed=seed)


def anchor_pairs(models: Sequence[Pairs], anchor: Sample) -> dict[str, tuple[int, Pair]]:
    """What the judges are asked, in one go: the place of the model and the pair, by an id that no other pair has."""
    wanted = set(anchor.ids)
    return {
        f"{pairs.model}/{pair.id}": (place, pair)
        for place, pairs in enumerate(models)
        for pair in pairs.pairs
        if pair.id in wanted
    }


def renamed(pairs: Mapping[str, tuple[int, Pair]]) -> list[Pair]:
    """The pairs under those ids. A question does not hold the id, so cached verdicts are found."""
    return [
        replace(pair, comparison=replace(pair.comparison, instruction=replace(pair.comparison.instruction, id=id_)))
        for id_, (_, pair) in pairs.items()
    ]


def units_of_sources(
    old: Source, new: Source, models: Sequence[tuple[str, str]], asked: Sequence[Preference]
) -> list[ModelUnits]:
    """Both judges' units on each (model, baseline); `asked` are the verdicts of those who were asked."""
    found = []
    for model, baseline in models:
        sides = []
        for source in (old, new):
            names = {judge.name for judge in source.judges}
            verdicts = (
                [one for one in asked if one.judge in names and (one.model, one.baseline) == (model, baseline)]
                if source.file is None
                else _verdicts_on(source, model, baseline)
            )
            sides.append(combined_units(verdicts, source.combine))
        found.append(ModelUnits(model, baseline, *sides))
    return found


def models_of_files(old: Source, new: Source) -> list[tuple[str, str]]:
    """The models and baselines that both files hold. Raises SuiteError where there are none."""
    of_old, of_new = ({(one.model, one.baseline) for one in source.verdicts} for source in (old, new))
    both = sorted(of_old & of_new)
    if not both:
        raise SuiteError(
            f"the two hold verdicts on different models: {_listed(of_old)}; and {_listed(of_new)}",
            where=f"{old.file} and {new.file}",
            next_step="A bridge needs verdicts of both judges on the same model and baseline.",
        )
    return both


def slices_of(old: Source, new: Source, pairs: Sequence[Pairs]) -> dict[str, Mapping[str, str]]:
    """The slices of each id, from wherever they are known."""
    of_verdicts = {one.id: one.slices for source in (old, new) for one in source.verdicts if one.slices}
    items = (pair.comparison.instruction for one in pairs for pair in one.pairs)
    return of_verdicts | {item.id: item.slices for item in items if item.slices}


def why_random(
    models: Sequence[ModelUnits], old: Source, new: Source, drawn: Sample | None, *, assume_random: bool
) -> Randomness:
    """Why the anchor is a random sample of what either judge was asked about.

    Raises SuiteError where it may have been chosen, as `stats calibrate` does.
    """
    reason: Randomness = "whole"
    for model in models:
        anchor = model.anchor
        for judged, source in ((model.old, old), (model.new, new)):
            if len(judged.ids) == len(anchor):
                continue
            if assume_random:
                reason = "assumed"
            elif drawn is not None and drawn.n_judged == len(judged.ids):  # drawn from its ids, all of them
                reason = "drawn"
            else:
                _check_record(model.model, anchor, judged.ids, source)
                reason = "recorded"
    return reason


def texts_hash(pairs: Mapping[str, tuple[int, Pair]]) -> str:
    """SHA-256 of all that is judged: instructions and outputs."""
    whole = [(pair.id, pair.model, pair.baseline, asdict(pair.comparison)) for _, pair in pairs.values()]
    return sha256_text(json.dumps(sorted(whole, key=lambda one: one[:3]), sort_keys=True, default=str))


def _check_record(model: str, anchor: Sequence[str], judged: Sequence[str], source: Source) -> None:
    path = sample_path(source.file) if source.file is not None else None
    if path is None or not path.exists():
        raise SuiteError(
            f"no sample is recorded here, so the {len(anchor)} of {len(judged)} ids of {model} that both judged "
            "may have been chosen",
            where=str(path or source.name),
            next_step="Let the bridge draw them (--n with outputs), draw them with 'alpaca-suite stats sample', "
            "or say --assume-random.",
        )
    check_labelled(anchor, judged, read_sample(path))


def _verdicts_on(source: Source, model: str, baseline: str) -> list[Preference]:
    found = source.of(model, baseline)
    if not found:
        raise SuiteError(
            f"holds no verdicts on {model} against {baseline}, but on "
            f"{_listed({(one.model, one.baseline) for one in source.verdicts})}",
            where=str(source.file),
            next_step="Give the outputs that it is about; names come from the outputs' rows, else from their files.",
        )
    return found


def _listed(pairs: set[tuple[str, str]]) -> str:
    shown = [f"{model} against {baseline}" for model, baseline in sorted(pairs)[:_LISTED]]
    return ", ".join(shown) + (", …" if len(pairs) > _LISTED else "")


def _facts_of(judge: Judge) -> JudgeFacts:
    spec = judge.spec
    template = sha256_text(spec.template) if spec.template else None
    return JudgeFacts(judge.name, judge.hash, spec.model, spec.form, template or spec.model)


def _facts_in(path: Path, names: Sequence[str]) -> tuple[JudgeFacts, ...]:
    """From the record beside the file, else from its lines and the judges' names."""
    hashes = {str(row.get("judge")): row["judge_hash"] for _, row in read_rows(path) if "judge_hash" in row}
    recorded = _recorded(path.with_name(f"{path.stem}.run.json"))
    facts = []
    for name in names:
        hash_ = hashes.get(name)
        if hash_ is not None and (known := recorded.get(hash_)) is not None:
            facts.append(JudgeFacts(name, hash_, known["model"], known["form"], known["template_sha256"]))
        else:
            _, at, model = name.partition("@")
            facts.append(JudgeFacts(name, hash_, model if at else None, None))
    return tuple(facts)


def _recorded(path: Path) -> dict[str, Mapping[str, Any]]:
    """The judges of a run's record, by hash; none where there is no readable record."""
    if not path.is_file():
        return {}
    try:
        return {one["hash"]: one for one in json.loads(read_text(path))["judges"]}
    except (ValueError, KeyError, TypeError):
        return {}
