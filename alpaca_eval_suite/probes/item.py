"""The rule of a probe applied to an item of a scenario, whose key columns hold what the rule needs."""

from alpaca_eval_suite.probes.short_answer import Outcome, classify
from alpaca_eval_suite.types import Instruction


def read_short_answer(item: Instruction, output: str) -> Outcome:
    """How `output` answers `item`; its key has `answers`, and perhaps `traps` and `subject`.

    Raises SuiteError when they are not of the form that `classify` asks for.
    """
    return classify(
        output,
        answers=item.key.get("answers", ()),
        traps=item.key.get("traps", ()),
        subject=item.key.get("subject", ()),
        question=item.instruction,
    )
