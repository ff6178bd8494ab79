"""A judge's card: what it was measured to be worth, kept under the hash of the judge, shown beside its numbers.

A card is of one judge exactly: another template, model or decoding is another hash, and has no card until it is
measured itself.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.files import read_rows, read_text, sha256_text, write_atomic
from alpaca_eval_suite.judge.measure import Measures
from alpaca_eval_suite.judge.perturb import Robustness
from alpaca_eval_suite.judge.schema import BUILTINS, JudgeSpec
from alpaca_eval_suite.judge.spec import load_judge
from alpaca_eval_suite.judge.work import Judge
from alpaca_eval_suite.resources import resource_dir
from alpaca_eval_suite.stats.totals import Estimate

SCHEMA_VERSION = 1
NOT_CALIBRATED = "not calibrated"
"""What stands beside the numbers of a judge without a card."""

CARDS_VARIABLE = "ALPACA_JUDGE_CARDS"
OWN_CARDS = Path("judge_cards")
"""Where `judge calibrate` puts a card, in the current folder."""

RECORDED = "recorded:"
"""What the name of a judge begins with whose verdicts came with the labelled pairs."""

_HASH_DIGITS = 12
_HASH = re.compile(r"^[0-9a-f]{64}$")
_NO_NAME = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_NAME = 80


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class DataRecord(_Record):
    """What was labelled, by whom. `n_pairs` is of the whole file; `limit` and `seed` say which were judged."""

    name: str
    sha256: str
    n_pairs: int
    readers: str
    source: str = ""
    limit: int | None = None
    seed: int = 0


class CostRecord(_Record):
    """What `n_verdicts` took, of which `seconds` counts those that were made and not taken from a cache.

    `usd` is None where no price is known.
    """

    n_verdicts: int
    usd: float | None
    seconds: float | None
    n_timed: int = 0

    @property
    def usd_per_1000(self) -> float | None:
        """US dollars for 1,000 verdicts."""
        return None if self.usd is None or not self.n_verdicts else 1000 * self.usd / self.n_verdicts

    @property
    def seconds_per_1000(self) -> float | None:
        """Seconds for 1,000 verdicts, as many at once as the measuring run had open."""
        return None if self.seconds is None or not self.n_timed else 1000 * self.seconds / self.n_timed


class JudgeCard(_Record):
    """A judge and what it was measured to be worth.

    `identity`: what tells its model from another (address and name, or fingerprint). `template_sha256` is None for
    judges that are asked nothing. `served`: what its server called the model; `fallbacks`: what the server refused,
    and what was done instead. `perturbations` by kind, see judge/perturb.py. `single_order_se_ratio`: how many
    times the standard error of a win rate grows when each pair is asked in one order only.
    """

    schema_version: Literal[1] = 1
    name: str
    hash: str = Field(pattern=_HASH.pattern)
    identity: dict[str, Any]
    template_sha256: str | None
    form: str
    orders: str
    decoding: dict[str, Any]
    served: tuple[str, ...] = ()
    fallbacks: tuple[str, ...] = ()
    data: DataRecord
    measures: Measures
    single_order_se_ratio: float | None = None
    perturbations: dict[str, Robustness] = Field(default_factory=dict)
    cost: CostRecord | None = None
    date: str
    versions: dict[str, str] = Field(default_factory=dict)

    @property
    def has_information(self) -> bool:
        """Whether the judge is above the controls that do not read, see `Measures`."""
        return self.measures.has_information

    def sentence(self) -> str:
        """One line to stand beside the judge's numbers."""
        found = self.measures
        controls = found.controls
        decided = (
            f", and in {share_text(found.on_decided)} of the {found.on_decided.n} in which readers prefer one"
            if found.on_decided.n
            else ""
        )
        return (
            f"agrees with readers in {share_text(found.accuracy_all)} of {found.n_pairs} pairs (readers with each "
            f"other {share_text(found.ceiling)}, 'longer wins' {share_text(controls['longer_wins'])}, 'always a tie' "
            f"{share_text(controls['always_tie'])}){decided}; readers: {self.data.readers}"
        )


def file_name(name: str, judge_hash: str) -> str:
    """NAME-HASH.json, the name without what a file's name cannot hold."""
    safe = _NO_NAME.sub("-", name).strip("-.")[:_LONGEST_NAME]
    return f"{safe}-{judge_hash[:_HASH_DIGITS]}.json"


def share_text(share: Estimate) -> str:
    """A share in percent with its interval: 53 % [46, 60]; a dash where there is none."""
    if share.value is None:
        return "–"
    if share.ci is None:
        return f"{100 * share.value:.0f} %"
    return f"{100 * share.value:.0f} % [{100 * share.ci.low:.0f}, {100 * share.ci.high:.0f}]"


def recorded_hash(judge: str, data_sha256: str) -> str:
    """The hash of a judge of whom only the verdicts in a file are known."""
    return sha256_text(f"{RECORDED}{judge}\0{data_sha256}")


def write_card(folder: Path, card: JudgeCard) -> Path:
    """Write the card into the folder, atomically, over an older one of the same judge; the file comes back."""
    path = folder / file_name(card.name, card.hash)
    write_atomic(path, card.model_dump_json(indent=2) + "\n")
    return path


def read_card(path: Path) -> JudgeCard:
    """The card of a file. Raises SuiteError when it is none, or one of another version."""
    try:
        return JudgeCard.model_validate_json(read_text(path))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise SuiteError(
            f"is not a judge's card of version {SCHEMA_VERSION} ({place}: {first['msg']})",
            where=str(path),
            next_step="Measure the judge again: alpaca-suite judge calibrate.",
        ) from error


def card_folders() -> list[Path]:
    """Where cards are looked for, first found first: $ALPACA_JUDGE_CARDS, ./judge_cards, those that are shipped."""
    own = [Path(part).expanduser() for part in os.environ.get(CARDS_VARIABLE, "").split(os.pathsep) if part]
    return [*own, OWN_CARDS, resource_dir("run_specs") / "judges" / "cards"]


def card_of(judge: str) -> JudgeCard | None:
    """The card of the judge with this hash (64 hex digits), or of the built-in or recorded judge of this name.

    None where there is none: then its numbers are "not calibrated". The name of any other judge finds nothing, since
    it does not say which model and template stand behind it. Raises SuiteError for a card that cannot be read.
    """
    if _HASH.fullmatch(judge):
        return next((card for card in _cards(f"*-{judge[:_HASH_DIGITS]}.json") if card.hash == judge), None)
    if judge in BUILTINS:
        spec = load_judge(judge)
        return card_of(Judge(spec).hash) if isinstance(spec, JudgeSpec) else None
    if judge.startswith(RECORDED):
        return next((card for card in _cards("recorded-*.json") if card.name == judge), None)
    return None


def card_of_verdicts(path: Path, judge: str) -> JudgeCard | None:
    """The card of the judge of this name in a file of verdicts: by the hash that its lines carry.

    None where they carry several, or none and the name alone says nothing.
    """
    hashes = {row.get("judge_hash") for _, row in read_rows(path) if row.get("judge") == judge}
    if hashes <= {None}:
        return card_of(judge)
    (first, *others) = hashes
    return card_of(first) if isinstance(first, str) and not others else None


def _cards(pattern: str) -> Iterator[JudgeCard]:
    for folder in card_folders():
        for path in sorted(folder.glob(pattern)):
            yield read_card(path)
