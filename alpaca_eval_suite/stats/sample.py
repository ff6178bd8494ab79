"""Which judged ids people are to label: drawn at random, and recorded before anyone labels them.

>>> draw_sample(["a", "b", "c", "d"], n=2, seed=0).ids
('c', 'a')
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from alpaca_eval_suite.errors import SuiteError, UsageError
from alpaca_eval_suite.files import read_text, sha256_text, write_json

_NAMED = 10


@dataclass(frozen=True)
class Sample:
    """`ids` in the order drawn (any beginning of them is a random sample too), of `n_judged` judged ids.

    `judged_sha256` is of the sorted judged ids: a sample of other ids is no sample of these.
    """

    ids: tuple[str, ...]
    seed: int
    n_judged: int
    judged_sha256: str

    def as_json(self) -> dict[str, Any]:
        """The form on disk."""
        return {**asdict(self), "n": len(self.ids), "ids": list(self.ids)}


def draw_sample(judged: Iterable[str], *, n: int, seed: int) -> Sample:
    """The first `n` of a random order of the judged ids; a larger n with the same seed adds to the same sample.

    Raises UsageError unless 2 <= n <= the number of ids.
    """
    ids = sorted(set(judged))
    if not 2 <= n <= len(ids):
        raise UsageError(f"{n} of {len(ids)} judged ids cannot be drawn", next_step=f"Say --n from 2 to {len(ids)}.")
    order = np.random.default_rng(seed).permutation(len(ids))[:n]
    return Sample(tuple(ids[place] for place in order.tolist()), seed, len(ids), _hash(ids))


def sample_path(verdicts: Path) -> Path:
    """Where the sample of a file of verdicts is kept: beside it."""
    return verdicts.with_name(f"{verdicts.stem}.sample.json")


def record_sample(path: Path, sample: Sample) -> None:
    """Write the sample. Raises UsageError when one is there already that this one does not only add to.

    A sample that could be drawn again until it pleases would be no random one.
    """
    if path.exists():
        old = read_sample(path)
        if old.judged_sha256 != sample.judged_sha256 or sample.ids[: len(old.ids)] != old.ids:
            raise UsageError(
                f"holds another sample already ({len(old.ids)} ids, seed {old.seed})",
                where=str(path),
                next_step="Label that one, or draw more with its seed; if nobody has labelled it, delete the file.",
            )
    write_json(path, sample.as_json())


def read_sample(path: Path) -> Sample:
    """The recorded sample. Raises SuiteError when the file is no record of a sample."""
    try:
        row = json.loads(read_text(path))
        ids = tuple(row["ids"])
        if not all(isinstance(id_, str) for id_ in ids):
            raise TypeError("ids must be strings")
        return Sample(ids, int(row["seed"]), int(row["n_judged"]), str(row["judged_sha256"]))
    except (ValueError, KeyError, TypeError) as error:
        raise SuiteError(
            f"is no record of a sample ({error!r})", where=str(path), next_step="alpaca-suite stats sample writes one."
        ) from error


def check_labelled(labelled: Iterable[str], judged: Iterable[str], sample: Sample | None) -> None:
    """Refuse labels that are no random sample of the judged ids; `sample` None assumes that they are.

    Raises SuiteError naming the first ten ids: labelled but not judged, labelled but not drawn, or left out so
    that the labelled ids are not the first of the sample (what people skip is not left out at random).
    """
    labelled, judged = set(labelled), sorted(set(judged))
    _refuse("labelled ids that were not judged", sorted(labelled - set(judged)), "Give the verdicts on them as well.")
    if sample is None:
        return
    if sample.judged_sha256 != _hash(judged):
        raise SuiteError(
            f"the sample was drawn from {sample.n_judged} other ids than these {len(judged)} judged ones",
            next_step="Give the verdicts that it was drawn from, or --assume-random if that makes no difference.",
        )
    outside = sorted(labelled - set(sample.ids))
    _refuse("labelled ids outside the sample", outside, "Take them out: chosen ids are no random sample.")
    first = sample.ids[: len(labelled)]
    skipped = [id_ for id_ in first if id_ not in labelled]
    _refuse(
        "sampled ids without a label before others with one",
        skipped,
        "Label them too: what is skipped is seldom skipped at random. Or say --assume-random.",
    )


def _refuse(what: str, ids: Sequence[str], next_step: str) -> None:
    if ids:
        more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
        raise SuiteError(f"{what}: {', '.join(ids[:_NAMED])}{more}", next_step=next_step)


def _hash(ids: Sequence[str]) -> str:
    return sha256_text("\n".join(ids))
