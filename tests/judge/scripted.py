"""An asker for tests: it answers as it is told to, and remembers what it was asked."""

import asyncio
import re
from collections.abc import Callable, Iterable
from typing import Any

from alpaca_eval_suite.judge.contracts import InDoubt, Reply
from alpaca_eval_suite.judge.pairs import Pair
from alpaca_eval_suite.judge.schema import JudgeSpec
from alpaca_eval_suite.judge.spec import load_judge
from alpaca_eval_suite.judge.work import Judge
from alpaca_eval_suite.models.endpoint import Price
from alpaca_eval_suite.models.request import GenerationRequest
from alpaca_eval_suite.types import Comparison, Instruction

_QUESTION = re.compile(
    r"<answer-A-(\w+)>\n(?P<a>.*?)\n</answer-A-\1>.*?<answer-B-\1>\n(?P<b>.*?)\n</answer-B-\1>", re.DOTALL
)
Say = Callable[[str, str, str], str | Exception]
"""What is replied to (label, answer A, answer B); an exception is raised."""


def longer(label: str, a: str, b: str) -> str:
    """The verdict of a judge who likes the longer one, in letters."""
    choice = "TIE" if len(a) == len(b) else "A" if len(a) > len(b) else "B"
    return f"The longer one.\nVERDICT-{label}: {choice}"


class ScriptedAsker:
    """Says what `say` says; `asked` holds the questions, `most_open` how many were open at once.

    `doubts`: so many of the next attempts are lost on the way.
    """

    def __init__(self, say: Say = longer, *, name: str = "endpoint/scripted", concurrency: int = 4) -> None:
        self.name = name
        self.identity = {"scripted": name}
        self.concurrency = concurrency
        self.say = say
        self.asked: list[str] = []
        self.open = self.most_open = 0
        self.delay = 0.0
        self.tokens: tuple[int | None, int | None] = (100, 10)
        self.doubts = 0

    async def ask(self, request: GenerationRequest, *, in_doubt: InDoubt | None = None) -> Reply:
        prompt = request.prompt if isinstance(request.prompt, str) else request.prompt[-1].content
        found = _QUESTION.search(prompt)
        assert found is not None
        self.asked.append(prompt)
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            await asyncio.sleep(self.delay)
            while in_doubt is not None and self.doubts:
                self.doubts -= 1
                in_doubt()
            said = self.say(found[1], found["a"], found["b"])
        finally:
            self.open -= 1
        if isinstance(said, Exception):
            raise said
        return Reply(said, prompt_tokens=self.tokens[0], completion_tokens=self.tokens[1], served_id="served-1")

    async def close(self) -> None:
        pass


def judge_of(
    asker: Any, *, form: str = "letter", price: Price | None = None, name: str = "letter@endpoint/scripted", **keys: Any
) -> Judge:
    """A judge of a shipped form who is that asker."""
    spec = load_judge(form)
    assert isinstance(spec, JudgeSpec)
    return Judge(spec.model_copy(update={"name": name, "model": asker.name, **keys}), asker, price)


def pairs_of(outputs: Iterable[tuple[str, str]]) -> list[Pair]:
    """Pairs p0, p1, ... of a model's and a baseline's outputs."""
    return [
        Pair(Comparison(Instruction(f"p{n}", f"Do number {n}."), ours, theirs), "mine", "theirs")
        for n, (ours, theirs) in enumerate(outputs)
    ]
