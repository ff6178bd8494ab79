"""Runs with raw items whose numbers are made by the code that makes them everywhere, for tests of what reads them."""

from pathlib import Path

from alpaca_eval_suite.leaderboard.build import build
from alpaca_eval_suite.leaderboard.raw import ChecksRecord, OutcomeRecord, RawItem, RuleRecord, Verdict
from alpaca_eval_suite.leaderboard.recompute import with_figures
from alpaca_eval_suite.leaderboard.record import RunRecord

JUDGE = "letter@endpoint/judge"


def refuse(message: str) -> None:
    """For where no warning is expected."""
    raise AssertionError(f"unexpected warning: {message}")


def compared_items(n: int = 24) -> list[RawItem]:
    """Pairs judged in both orders: wins, losses, ties, an order that failed; two slices, checks, answers cut off."""
    wins: list[tuple[float | None, float | None]] = [(1.0, 1.0), (0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (1.0, None)]
    return [
        RawItem(
            id=f"i{number:02}",
            instruction=f"Write down number {number}.",
            prompt=({"role": "user", "content": f"Write down number {number}."},),
            output="" if number == 5 else f"Here it is: {number * 'x'}",
            baseline_output=f"It is {number % 7 * 'y'}.",
            slices={"app": "Code" if number % 2 else "E-mail"},
            verdicts=tuple(
                Verdict(judge=JUDGE, order=order, win=win, reason="It says so." if win is not None else "no verdict")
                for order, win in zip(("model_first", "baseline_first"), wins[number % 5], strict=True)
            ),
            checks=ChecksRecord(passed=number % 3, total=2 + number % 2),
            cut_off=number % 4 == 0,
        )
        for number in range(n)
    ]


def read_items(n: int = 30) -> list[RawItem]:
    """Answers of the capitals probe, each read by the rule and labelled by a judge, who failed once."""
    labels = ("exact", "exact", "wrong", "trap", "abstained")
    return [
        RawItem(
            id=f"c{number}",
            instruction="What is the capital?",
            output=f"City {number}",
            slices={"region": "Asia" if number % 3 else "Europe"},
            outcome=OutcomeRecord(
                label=None if number == 4 else labels[number % 5],
                reason="no label" if number == 4 else "names it",
                rule=RuleRecord(label=labels[number % 4], reason="by the rule"),
            ),
            cut_off=False,
            cut_off_thinking=number % 6 == 0,
        )
        for number in range(n)
    ]


def paired_items(n: int = 12) -> list[RawItem]:
    """Answers of the probe of pairs, read by its rule: open pairs, controls among them."""
    labels = ("neutral", "stereotyped", "counter", "stereotyped", "refused")
    return [
        RawItem(
            id=f"p{pair}-{side}",
            output=f"Answer {pair} {side}",
            slices={"category": "age" if pair % 2 else "names"},
            key={"kind": "open", "pair": f"p{pair}", "side": side, "control": pair % 4 == 0},
            outcome=OutcomeRecord(
                label=labels[(pair + place) % 5], reason="states it", score=round((pair - 6 + 3 * place) / 10, 3)
            ),
            cut_off=False,
        )
        for pair in range(n)
        for place, side in enumerate(("first", "second"))
    ]


def put_into(out: Path, run: RunRecord, items: list[RawItem]) -> Path:
    """Build an entry of the run, its numbers those of `items`; returns the entry's file."""
    return build(None, out, others=[(with_figures(run, items), items)], warn=refuse)[0]
