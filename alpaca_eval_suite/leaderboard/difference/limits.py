"""What the data do not tell of a difference, in words."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from alpaca_eval_suite.leaderboard.cells import plain
from alpaca_eval_suite.leaderboard.difference.recorded import recorded
from alpaca_eval_suite.leaderboard.difference.sides import Side
from alpaca_eval_suite.leaderboard.difference.split import ENOUGH, NOISE, Part
from alpaca_eval_suite.leaderboard.difference.texts import State, Texts
from alpaca_eval_suite.leaderboard.raw import RawItem

RECORD = "record"

LABELS = {
    RECORD: "records (do not follow from the raw verdicts)",
    "ties": "tie rule",
    "failures": "failures",
    "items": "items that only one has",
    "orders": "orders, position bias",
    "prompt": "prompt",
    "outputs": "outputs, decoding",
    "prompt_or_outputs": "outputs, prompt or decoding",
    "baseline": "baseline's outputs",
    "other_orders": "orders that are not shared",
    "judge": "judge",
    NOISE: "noise",
}
"""The causes as people call them."""

_MAKES_OUTPUTS = ("model.", "decoding.", "versions.")


@dataclass(frozen=True)
class Known:
    """What limits what can be said; see explain.Explanation and tabulate.Tabulated."""

    mine: Side
    published: Side
    parts: Sequence[Part]
    judge: State
    texts: Mapping[str, Texts] = field(default_factory=dict)
    n_other_orders: int = 0
    n_both: int = 0

    @property
    def sides(self) -> tuple[tuple[str, Side], tuple[str, Side]]:
        """Both, with what they are called."""
        return ("mine", self.mine), ("published", self.published)


def limits(known: Known) -> tuple[str, ...]:
    """A sentence for each thing that is not known."""
    found = [*_of_files(known), *_of_rules(known)]
    if known.texts:
        found += [*_of_texts(known), *_of_judging(known), *_of_bundles(known)]
    elif known.mine.items is None or known.published.items is None:
        found.append(
            "Outputs, prompt, decoding, baseline's outputs, judge, orders and noise cannot be told apart without the "
            "raw verdicts of both; what is recorded to differ is listed."
        )
    else:
        found.append("Nothing can be told apart: a run has no unit that the published rule counts.")
    return tuple(found)


def label_of(causes: Sequence[str]) -> str:
    """The causes of one part, as people call them."""
    return " + ".join(LABELS[cause] for cause in causes)


def _of_files(known: Known) -> Iterator[str]:
    for name, side in known.sides:
        if side.items is None:
            yield f"The {_entry(name)} holds no raw verdicts ({plain(side.missing)}): only its record is compared."
        if side.changed:
            yield f"The raw file of the {_entry(name)} was changed after it was written (leaderboard verify says more)."


def _of_rules(known: Known) -> Iterator[str]:
    for name, side in known.sides:
        if side.known_rule is not None:
            continue
        if side.items is None:
            yield (
                f"How the {_entry(name)} counts ties and failures does not follow from what it records: taken as "
                f"{side.rule.words()}."
            )
        else:
            yield (
                f"The recorded rate of the {_entry(name)} does not follow from its raw verdicts by any rule for ties "
                "and failures (leaderboard verify says more)."
            )


def _of_texts(known: Known) -> Iterator[str]:
    n = len(known.texts["outputs"].states)
    for key, what in (("outputs", "outputs"), ("baseline", "baseline's outputs")):
        unknown = known.texts[key].count(State.UNKNOWN)
        if unknown:
            holders = _without(known, "output" if key == "outputs" else "baseline_output")
            yield f"The {what} of {unknown} of {n} shared ids are not known ({holders}): there they may differ."
    other = [id_ for id_, state in known.texts["outputs"].states.items() if state is not State.SAME]
    prompts = [known.texts["prompt"].states[id_] for id_ in other]
    if unknown := prompts.count(State.UNKNOWN):
        yield (
            f"Whether the prompts are the same is not known for {unknown} of the {len(other)} ids whose outputs "
            f"differ, or may: there prompt and decoding cannot be told apart."
        )
    if State.DIFFERENT in prompts:
        differ = [of.key for of in recorded(known.mine.run, known.published.run) if of.state is State.DIFFERENT]
        if listed := [key for key in differ if key.startswith(_MAKES_OUTPUTS)]:
            yield f"Where the prompt differs, so does what made the outputs ({', '.join(listed)}): one part holds both."


def _of_judging(known: Known) -> Iterator[str]:
    if known.judge is State.UNKNOWN:
        yield (
            "Whether the judge is the same is not known: the names are, but its question or the model behind it is "
            "not recorded in both. It is taken as one that may differ."
        )
    if known.n_other_orders:
        yield (
            f"{known.n_other_orders} shared ids were shown in orders that have none in common, or that are not known: "
            "a liking of the judge for one place cannot be taken out there."
        )
    if known.judge is not State.SAME and any(part.causes == ("judge",) and part.n_ids for part in known.parts):
        yield (
            "The judge's part is measured where the pairs are the same, and taken to be as large where they are not; "
            "noise is in its interval."
        )


def _of_bundles(known: Known) -> Iterator[str]:
    for part in known.parts:
        if len(part.causes) < 2:
            continue
        names = label_of(part.causes)
        if NOISE in part.causes:
            yield f"Only {known.n_both} ids are counted in both, {ENOUGH} are needed: {names} cannot be told apart."
        else:
            yield f"{names} cannot be told apart: they differ, or may differ, on the same ids."


def _entry(name: str) -> str:
    return "published entry" if name == "published" else "entry of mine"


def _without(known: Known, key: str) -> str:
    """Which of the two entries lack this text somewhere."""
    lacking = [name for name, side in known.sides if _lacks(side.items or {}, key)]
    if len(lacking) == 1:
        return f"the {_entry(lacking[0])} has none"
    return "neither entry has any" if lacking else "some are missing"


def _lacks(items: Mapping[str, RawItem], key: str) -> bool:
    return all(getattr(item, key) is None for item in items.values())
