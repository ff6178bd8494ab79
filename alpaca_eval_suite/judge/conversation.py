"""What a judge is shown of the request: one message, or a conversation with each turn between marks of its own."""

from alpaca_eval_suite.judge.reply import sendable
from alpaca_eval_suite.prompts import chat_message
from alpaca_eval_suite.types import Instruction

_ABOUT = (
    "This is a conversation of {n} turns, in their order. The answers to be judged are answers to its last turn; they "
    "must fit what was said before."
)


def request_texts(item: Instruction) -> tuple[str, ...]:
    """Everything that was said to get the answers, for the label of the question to be made from."""
    before = (part for turn in item.earlier for part in (turn.role, turn.content))
    return (*map(sendable, before), sendable(chat_message(item.instruction, item.input)))


def request_shown(item: Instruction, label: str) -> str:
    """The request as the judge reads it. The marks of a conversation's turns carry `label`, which nobody in the
    conversation could know."""
    last = sendable(chat_message(item.instruction, item.input))
    if not item.earlier:
        return last
    said = [*((turn.role, sendable(turn.content)) for turn in item.earlier), ("user", last)]
    turns = [
        f"<turn-{number}-{role}-{label}>\n{content}\n</turn-{number}-{role}-{label}>"
        for number, (role, content) in enumerate(said, 1)
    ]
    return "\n\n".join([_ABOUT.format(n=len(said)), *turns])
