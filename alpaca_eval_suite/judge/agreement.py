"""How often a judge says what readers said of the same pairs: measured once, kept as a file, shown beside its numbers.

run_specs/judges/<judge>.agreement.json is made by benchmarks/checks_agreement.py from labelled pairs.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.files import read_rows, read_text
from alpaca_eval_suite.resources import resource_dir
from alpaca_eval_suite.stats.proportion import mean_rate
from alpaca_eval_suite.types import Rate

Label = int
"""1 the first output is better, 2 the second, 0 neither."""


@dataclass(frozen=True)
class LabelledPair:
    """Two outputs to one item, and what each reader said of them; `item` is the item's id in its scenario."""

    id: str
    item: str
    output_1: str
    output_2: str
    labels: Mapping[str, Label]


class Share(BaseModel):
    """A share of pairs with its interval."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: float
    low: float
    high: float
    method: str

    @classmethod
    def of(cls, rate: Rate) -> "Share":
        """Raises ValueError for a rate over no pairs."""
        if rate.estimate is None or rate.interval is None:
            raise ValueError("there are no pairs")
        return cls(value=rate.estimate, low=rate.interval.low, high=rate.interval.high, method=rate.interval.method)

    def __str__(self) -> str:
        return f"{100 * self.value:.0f} % [{100 * self.low:.0f}, {100 * self.high:.0f}]"


class Agreement(BaseModel):
    """A judge's measured agreement: mean over readers of the share of pairs with the reader's own label (of three).

    `readers_agree` is the readers among themselves: what a judge can hope for. `longer_wins`, `always_first` and
    `always_tie` are controls that do not look at what is said. `on_decided` is over the pairs in which every
    reader prefers one output.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    judge: str
    n_pairs: int
    readers: str
    labels_sha256: str
    agreement: Share
    readers_agree: Share
    longer_wins: Share
    always_first: Share
    always_tie: Share
    on_decided: Share
    n_decided: int

    @property
    def has_information(self) -> bool:
        """Whether the lower end of the agreement is above "longer wins", "always the first" and a coin.

        A coin never says tie, so it agrees in half of what is not a tie to the readers.
        """
        coin = (1 - self.always_tie.value) / 2
        return self.agreement.low > max(coin, self.longer_wins.value, self.always_first.value)

    def sentence(self) -> str:
        """One line to stand beside the judge's numbers."""
        return (
            f"agrees with readers in {self.agreement} of {self.n_pairs} pairs "
            f"(readers with each other {self.readers_agree}, 'longer wins' {self.longer_wins}, 'always a tie' "
            f"{self.always_tie}), and in {self.on_decided} of the {self.n_decided} in which readers prefer one; "
            f"readers: {self.readers}"
        )


def agreement_of(judge: str) -> Agreement | None:
    """The measured agreement of `judge`, or None: then its numbers are "not calibrated".

    Raises SuiteError when the file is there but not readable.
    """
    path = resource_dir("run_specs") / "judges" / f"{judge.replace(':', '-').replace('/', '_')}.agreement.json"
    if not path.is_file():
        return None
    try:
        return Agreement.model_validate_json(read_text(path))
    except ValidationError as error:
        raise SuiteError("is not a judge's agreement", where=str(path)) from error


def read_pairs(path: Path) -> list[LabelledPair]:
    """Pairs from JSON Lines: id, item, output_1, output_2, labels {reader: 1|2|0}. Raises SuiteError on a bad row."""
    pairs = [_pair(where, row) for where, row in read_rows(path)]
    if not pairs:
        raise SuiteError("holds no pairs", where=str(path))
    return pairs


def _pair(where: str, row: Mapping[str, Any]) -> LabelledPair:
    try:
        labels = {str(reader): int(label) for reader, label in row["labels"].items()}
        pair = LabelledPair(str(row["id"]), str(row["item"]), row["output_1"], row["output_2"], labels)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SuiteError(f"is not a labelled pair ({error!r})", where=where) from error
    if not labels or not set(labels.values()) <= {0, 1, 2}:
        raise SuiteError("labels must be 1, 2 or 0, of at least one reader", where=where)
    return pair


def measure(pairs: Sequence[LabelledPair], judge: Callable[[LabelledPair], Label]) -> Rate:
    """The share of readers' labels that `judge` gives too, with an interval that resamples pairs."""
    return mean_rate([_share(judge(pair), list(pair.labels.values())) for pair in pairs])


def measure_readers(pairs: Sequence[LabelledPair]) -> Rate:
    """How often two readers of a pair agree: the mean over pairs of readers. Needs two labels a pair."""
    return mean_rate([_readers_share(list(pair.labels.values())) for pair in pairs])


def longer_wins(pair: LabelledPair) -> Label:
    """The control: the output with more characters is better."""
    first, second = len(pair.output_1), len(pair.output_2)
    return 0 if first == second else 1 if first > second else 2


def _share(label: Label, labels: Sequence[Label]) -> float:
    return mean(float(label == other) for other in labels)


def _readers_share(labels: Sequence[Label]) -> float:
    return mean(_share(label, [*labels[:index], *labels[index + 1 :]]) for index, label in enumerate(labels))
