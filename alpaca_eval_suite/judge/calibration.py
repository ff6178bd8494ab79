"""Measuring a judge: its verdicts on labelled and on perturbed pairs, and the card that they make."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

from alpaca_eval_suite.errors import PartialError
from alpaca_eval_suite.files import sha256_text
from alpaca_eval_suite.judge.builtin_judges import builtin_verdict
from alpaca_eval_suite.judge.cache import VerdictCache
from alpaca_eval_suite.judge.card import RECORDED, CostRecord, DataRecord, JudgeCard, file_name, recorded_hash
from alpaca_eval_suite.judge.estimate import Estimate
from alpaca_eval_suite.judge.judged import Judged, Watch
from alpaca_eval_suite.judge.labelled import LabelledData, LabelledPair, recorded_verdicts, sample, with_language
from alpaca_eval_suite.judge.measure import measure
from alpaca_eval_suite.judge.orders import precision_loss
from alpaca_eval_suite.judge.pairs import Pair
from alpaca_eval_suite.judge.perturb import PerturbedPair, perturbed, robustness
from alpaca_eval_suite.judge.run_setup import JUDGE, RunFiles, estimate_run
from alpaca_eval_suite.judge.work import Judge, plan_work
from alpaca_eval_suite.types import Preference
from alpaca_eval_suite.versions import versions_of

_PACKAGES = ("alpaca-eval-suite", "numpy")
_LOCAL_PACKAGES = ("torch", "transformers")
_FINGERPRINT = "fingerprint"
"""What only the identity of a local checkpoint has."""
_FIRST, _SECOND = "output_1", "output_2"


@dataclass(frozen=True)
class Material:
    """What a judge is measured on: labelled pairs, perturbed ones, and where they come from."""

    record: DataRecord
    pairs: Sequence[LabelledPair]
    made: Sequence[PerturbedPair]

    @property
    def questions(self) -> list[Pair]:
        """What the judge is asked: the labelled pairs, then the perturbed ones."""
        everything = (*self.pairs, *(one.pair for one in self.made))
        return [Pair(one.comparison, _FIRST, _SECOND) for one in everything]


def material_of(
    data: LabelledData, *, limit: int | None, perturb: int, seed: int, readers: str | None, source: str | None
) -> Material:
    """`limit` of the data's pairs, and `perturb` of those spoilt in each way; `readers` and `source` where the data
    does not say who labelled it and whose it is."""
    pairs = with_language(sample(data.pairs, limit, seed))
    record = DataRecord(
        name=data.name,
        sha256=data.sha256,
        n_pairs=len(data.pairs),
        readers=readers or data.readers,
        source=source or data.source,
        limit=len(pairs) if len(pairs) < len(data.pairs) else None,
        seed=seed,
    )
    return Material(record, pairs, perturbed(pairs, perturb, seed))


def name_of(judge: Judge) -> str:
    """The judge's name on its card: a local checkpoint by its folder's name, not its place on somebody's disk."""
    spec = judge.spec
    if spec.model is None or _FINGERPRINT not in judge.identity:
        return spec.name
    return spec.name.replace(spec.model, Path(spec.model).name)


def ledger_of(judge: Judge, folder: Path) -> Path:
    """Beside the card, and of the same name."""
    return _files(judge, folder).ledger


def estimate_of(judge: Judge, material: Material, folder: Path, cache: VerdictCache) -> Estimate:
    """What judging all of it will take; what stands in the ledger in `folder` or in the cache is answered already."""
    work = plan_work(material.questions, [judge], orders=None, seed=material.record.seed)
    return estimate_run(_files(judge, folder), work, cache, batch=False)[judge.name]


def verdicts_of_builtin(judge: Judge, material: Material) -> list[Preference]:
    """What a program of ours says of all of it. Raises what `builtin_verdict` does."""
    verdicts = []
    for pair in material.questions:
        found = builtin_verdict(str(judge.spec.model), pair.comparison)
        verdicts.append(Preference(pair.id, found.win, judge=judge.name, reason=found.reason))
    return verdicts


def ask_judge(
    judge: Judge,
    material: Material,
    folder: Path,
    cache: VerdictCache,
    *,
    cap: float | None,
    retry_failed: bool,
    watch: Watch,
) -> tuple[Judged, float]:
    """The judge's verdicts, and the seconds that they took; every answer is in the ledger before it is used.

    Raises what `judge_pairs` does, and PartialError where verdicts are missing: the money is used up, or no answer
    came. The ledger in `folder` keeps what is there.
    """
    from alpaca_eval_suite.judge.engine import judge_pairs
    from alpaca_eval_suite.models import event_loop
    from alpaca_eval_suite.models.ledger import Ledger

    place = ledger_of(judge, folder)
    started = monotonic()

    async def judging(ledger: Ledger) -> Judged:
        try:
            return await judge_pairs(
                material.questions,
                [judge],
                ledger=ledger,
                cache=cache,
                seed=material.record.seed,
                cap=cap,
                retry_failed=retry_failed,
                watch=watch,
            )
        finally:
            if judge.asker is not None:
                await judge.asker.close()

    of = {f"{JUDGE}{judge.name}": {"hash": judge.hash, "identity": dict(judge.identity)}}
    with Ledger.open(place, of) as ledger:
        judged = event_loop.run(judging(ledger))
    if judged.stopped:
        raise _missing(judged.n_missing, "the money of --max-cost is used up", "with a higher --max-cost", place)
    if judged.no_answer:
        raise _missing(judged.no_answer, "no answer came", "later", place)
    return judged, monotonic() - started


def _missing(number: int, why: str, how: str, ledger: Path) -> PartialError:
    return PartialError(
        f"{number:,} verdicts are missing ({why}), so there is no card yet",
        where=str(ledger),
        next_step=f"Run the same command again {how}: what was answered is kept and not paid again.",
    )


def _files(judge: Judge, folder: Path) -> RunFiles:
    card = folder / Path(file_name(name_of(judge), judge.hash)).stem
    return RunFiles(card, card, card)


def card_of_judge(
    judge: Judge,
    material: Material,
    verdicts: Sequence[Preference],
    *,
    judged: Judged | None = None,
    cost: CostRecord | None = None,
) -> JudgeCard:
    """The card of a judge whose verdicts on `material` these are; `judged` says how they came about."""
    spec = judge.spec
    ids = {pair.id for pair in material.pairs}
    of_pairs = [verdict for verdict in verdicts if verdict.id in ids]
    tally = judged.tallies[judge.name] if judged else None
    return JudgeCard(
        name=name_of(judge),
        hash=judge.hash,
        identity=dict(judge.identity),
        template_sha256=sha256_text(spec.template) if spec.template else None,
        form=spec.form,
        orders=spec.orders,
        decoding={} if spec.is_builtin else spec.decoding.model_dump(mode="json"),
        served=tuple(sorted(tally.served)) if tally else (),
        fallbacks=tuple(sorted(tally.fallbacks)) if tally else (),
        data=material.record,
        measures=measure(material.pairs, of_pairs),
        single_order_se_ratio=precision_loss(of_pairs),
        perturbations=robustness(material.made, (verdict for verdict in verdicts if verdict.id not in ids)),
        cost=cost,
        date=_now(),
        versions=versions_of((*_PACKAGES, *_LOCAL_PACKAGES) if _FINGERPRINT in judge.identity else _PACKAGES),
    )


def card_of_recorded(name: str, material: Material) -> JudgeCard:
    """The card of a judge whose verdicts came with the pairs. Raises UsageError where they did not."""
    data = material.record
    verdicts = recorded_verdicts(material.pairs, name)
    return JudgeCard(
        name=f"{RECORDED}{name}",
        hash=recorded_hash(name, data.sha256),
        identity={"recorded": name, "pairs_sha256": data.sha256},
        template_sha256=None,
        form="recorded",
        orders="single",
        decoding={},
        data=data,
        measures=measure(material.pairs, verdicts),
        date=_now(),
        versions=versions_of(_PACKAGES),
    )


def cost_of_judging(judge: Judge, judged: Judged, seconds: float, before: JudgeCard | None) -> CostRecord:
    """What the verdicts took. Where all of them were known already the time is that of the card `before`."""
    tally = judged.tallies[judge.name]
    n_verdicts = len(judged.preferences)
    usd = None if judge.price is None else tally.cost
    if not tally.asked and before and before.cost:
        seconds, n_timed = before.cost.seconds or 0.0, before.cost.n_timed
    else:
        n_timed = tally.asked
    return CostRecord(n_verdicts=n_verdicts, usd=usd, seconds=round(seconds, 1) if n_timed else None, n_timed=n_timed)


def as_json(card: JudgeCard) -> Mapping[str, Any]:
    """The card's fields, with what follows from them."""
    cost = card.cost
    return {
        **card.model_dump(mode="json"),
        "has_information": card.has_information,
        "usd_per_1000": cost.usd_per_1000 if cost else None,
        "seconds_per_1000": cost.seconds_per_1000 if cost else None,
        "sentence": card.sentence(),
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
