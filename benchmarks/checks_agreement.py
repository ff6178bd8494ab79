"""How often `builtin:checks` says what readers said; run: python benchmarks/checks_agreement.py [--write]

Reads scenarios/user_oriented_mini/agreement.jsonl: real pairs, labelled by reading, blind to the models. `--write`
puts the result where it is shown beside the judge's numbers (run_specs/judges/builtin-checks.agreement.json).
"""

import argparse
from functools import partial

from alpaca_eval_suite.cards import load_card, load_instructions
from alpaca_eval_suite.files import sha256_of, write_atomic
from alpaca_eval_suite.judge.agreement import (
    Agreement,
    Label,
    LabelledPair,
    Share,
    longer_wins,
    measure,
    measure_readers,
    read_pairs,
)
from alpaca_eval_suite.judge.builtin import NAME, judge_by_checks
from alpaca_eval_suite.judge.checks import parse_checks
from alpaca_eval_suite.resources import resource_dir
from alpaca_eval_suite.types import Comparison, Instruction

READERS = "two readings of every pair by a large language model (Claude, Anthropic), apart and blind to the models"
PAIRS = resource_dir("scenarios") / "user_oriented_mini" / "agreement.jsonl"
TARGET = resource_dir("run_specs") / "judges" / "builtin-checks.agreement.json"


def label_by_checks(items: dict[str, Instruction], pair: LabelledPair) -> Label:
    """1 or 2 for the output that passes the larger share of its checks, 0 for equal shares."""
    item = items[pair.item]
    comparison = Comparison(item, pair.output_1, pair.output_2)
    return {1.0: 1, 0.0: 2, 0.5: 0}[judge_by_checks(parse_checks(item.key["checks"]), comparison).win]


def measured() -> Agreement:
    """The agreement, from the labelled pairs and the checks as they are now."""
    items = {item.id: item for item in load_instructions(load_card("user_oriented_mini"))}
    pairs = read_pairs(PAIRS)
    return Agreement(
        judge=NAME,
        n_pairs=len(pairs),
        readers=READERS,
        labels_sha256=sha256_of(PAIRS),
        agreement=Share.of(measure(pairs, partial(label_by_checks, items))),
        readers_agree=Share.of(measure_readers(pairs)),
        longer_wins=Share.of(measure(pairs, longer_wins)),
        always_first=Share.of(measure(pairs, lambda _: 1)),
        always_tie=Share.of(measure(pairs, lambda _: 0)),
        on_decided=Share.of(measure(decided(pairs), partial(label_by_checks, items))),
        n_decided=len(decided(pairs)),
    )


def decided(pairs: list[LabelledPair]) -> list[LabelledPair]:
    """The pairs in which every reader prefers one output."""
    return [pair for pair in pairs if 0 not in pair.labels.values()]


def main() -> None:
    """Print the agreement, and write it when asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="Write the file that the tables read.")
    result = measured()
    print(f"{result.judge} {result.sentence()}")
    if parser.parse_args().write:
        write_atomic(TARGET, result.model_dump_json(indent=2) + "\n")
        print(f"wrote {TARGET.name}")


if __name__ == "__main__":
    main()
