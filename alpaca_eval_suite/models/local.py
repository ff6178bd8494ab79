"""A local checkpoint that answers requests: a running batch that requests join and leave one by one.

    model = LocalModel.load(Checkpoint.open("my-checkpoint"))
    model.generate([GenerationRequest("The capital of Tanzania is", max_tokens=8)])[0].text

Rows are independent: in float32 an answer is the same alone and beside any batch mates, token for token.
Greedy decoding is the arg max of the raw logits; what generation_config.json says of sampling, penalties or
lengths plays no part, only its end-of-sequence tokens do.
"""

from collections.abc import Callable, Hashable, Sequence

import torch

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.models.checkpoint import Checkpoint
from alpaca_eval_suite.models.decoding import Row, choose
from alpaca_eval_suite.models.network import Network
from alpaca_eval_suite.models.request import Generation, GenerationRequest
from alpaca_eval_suite.models.tokenizer import CheckpointTokenizer

Take = Callable[[int, bool], Sequence[tuple[Hashable, GenerationRequest]]]
"""Called with (room, idle): at most `room` new requests, each under a key of the caller's. `idle`: nothing is
running, so it may wait; no request then means that serving ends."""

Give = Callable[[Hashable, Generation | SuiteError], None]
"""Called with a request's key and what came of it."""

_PADDED = 1.3  # prompts are read in together while padding makes at most this many times their tokens
_TOGETHER = 4096  # and at most so many tokens, padding included, which bounds the memory


class LocalModel:
    """One loaded checkpoint; `dtype`, `device` and `batch_size` are what was chosen.

    For one thread at a time: many threads go through `batching.Batcher`. `encode`, `decode`,
    `token_strings` and `count_tokens` are the tokenizer's and safe everywhere.
    """

    def __init__(
        self, checkpoint: Checkpoint, network: Network, tokenizer: CheckpointTokenizer, batch_size: int
    ) -> None:
        self.checkpoint = checkpoint
        self.tokenizer = tokenizer
        self.dtype, self.device = network.dtype, network.device
        self.batch_size = batch_size if network.batches else 1
        self._network = network
        self.encode = tokenizer.encode
        self.decode = tokenizer.decode
        self.token_strings = tokenizer.token_strings
        self.count_tokens = tokenizer.count_tokens

    @classmethod
    def load(
        cls, checkpoint: Checkpoint, *, dtype: str = "auto", device: str = "auto", batch_size: int = 16
    ) -> "LocalModel":
        """Read the weights into memory.

        `dtype` auto: as stored on a GPU, float32 on a CPU. `device` auto: the first GPU, else the CPU.
        `batch_size`: the most rows that run together (1 for models whose state cannot be batched: Mamba and
        hybrids). Raises UsageError on an unknown dtype or device, SuiteError when the checkpoint does not
        load; nothing is fetched from anywhere, and no code that comes with the checkpoint is run.
        """
        tokenizer = CheckpointTokenizer.load(checkpoint)
        return cls(checkpoint, Network.load(checkpoint, dtype, device), tokenizer, batch_size)

    def generate(self, requests: Sequence[GenerationRequest]) -> list[Generation]:
        """Answers in the order of the requests, which may differ in every parameter.

        Raises the SuiteError of the first request that has none (a prompt longer than the context, no chat
        template) after all the others are answered; `serve` reports them one by one.
        """
        # Longest first: prompts of like lengths are read in together, with little padding.
        waiting = sorted(range(len(requests)), key=lambda index: _size(requests[index]))
        outcomes: dict[Hashable, Generation | SuiteError] = {}

        def take(room: int, _idle: bool) -> list[tuple[Hashable, GenerationRequest]]:
            return [(index, requests[index]) for index in (waiting.pop() for _ in range(min(room, len(waiting))))]

        self.serve(take, outcomes.__setitem__)
        answers = []
        for index in range(len(requests)):
            outcome = outcomes[index]
            if isinstance(outcome, SuiteError):
                raise outcome
            answers.append(outcome)
        return answers

    def serve(self, take: Take, give: Give) -> None:
        """Answer what `take` brings until it brings nothing while nothing is running.

        A request that cannot be answered is given its SuiteError; the others go on. Raises SuiteError when
        memory does not suffice for the batch, and whatever the network raises: no request in it is answered.
        """
        batch = _Batch(self._network, self.batch_size, give)
        while True:
            new = take(self.batch_size - len(batch.rows), not batch.rows)
            if not new and not batch.rows:
                return
            try:
                batch.add([row for row in (self._row(*item, give) for item in new) if row is not None])
                batch.step()
            except torch.OutOfMemoryError as error:
                raise SuiteError(
                    f"{self.batch_size} requests at a time do not fit into the memory of {self.device}",
                    where=self.checkpoint.name,
                    next_step="Load the model with a smaller batch_size.",
                ) from error

    def _row(self, key: Hashable, request: GenerationRequest, give: Give) -> tuple[Hashable, Row] | None:
        try:
            return key, Row(request, self.tokenizer)
        except SuiteError as error:
            give(key, error)
            return None


class _Batch:
    """The rows that run, in the order of the cache's slots."""

    def __init__(self, network: Network, slots: int, give: Give) -> None:
        self._network = network
        self._give = give
        self._cache = network.new_cache(slots)
        self.rows: list[tuple[Hashable, Row]] = []

    def add(self, new: list[tuple[Hashable, Row]]) -> None:
        """Read in the prompts of `new`, and choose the first token of each."""
        scored = [item for item in new if item[1].request.echo_prompt]
        plain = [item for item in new if not item[1].request.echo_prompt]
        for item in scored:
            pieces, state = self._network.score(item[1].prompt.ids)
            try:
                last = item[1].echo(pieces)
            except SuiteError as error:
                self._give(item[0], error)
                continue
            self._join([item], last[None], state)
        for group in _groups(plain):
            logits, state = self._network.prefill([row.prompt.ids for _, row in group])
            self._join(group, logits, state)

    def step(self) -> None:
        """One token more for every row."""
        if self.rows:
            logits = self._network.step([row.next_token for _, row in self.rows], self._cache)
            self._advance(0, logits)

    def _join(self, items: list[tuple[Hashable, Row]], logits: torch.Tensor, state: object) -> None:
        self._cache.join(state, [len(row.prompt.ids) for _, row in items])
        self.rows += items
        self._advance(len(self.rows) - len(items), logits)

    def _advance(self, first: int, logits: torch.Tensor) -> None:
        """Choose a token for each row from index `first` on; those that end leave."""
        rows = [row for _, row in self.rows[first:]]
        chosen = choose(logits, rows)
        # Backwards: the row that takes a leaving one's place has had its turn already.
        for offset in reversed(range(len(rows))):
            key, row = self.rows[first + offset]
            outcome: Generation | SuiteError | None = None
            try:
                if not row.finished:
                    row.push(*chosen[offset], logits[offset])
                if row.finished:
                    outcome = row.generation()
            except SuiteError as error:
                outcome = error
                self._cache.wipe(first + offset)
            if outcome is not None:
                self._leave(first + offset)
                self._give(key, outcome)

    def _leave(self, index: int) -> None:
        self._cache.leave(index)
        last = self.rows.pop()
        if index < len(self.rows):
            self.rows[index] = last


def _groups(items: list[tuple[Hashable, Row]]) -> list[list[tuple[Hashable, Row]]]:
    """Sorted by length and split where padding would cost more than a pass of its own saves."""
    groups: list[list[tuple[Hashable, Row]]] = []
    total = 0
    for item in sorted(items, key=lambda item: len(item[1].prompt.ids)):
        length = len(item[1].prompt.ids)
        total += length
        if groups and length * (len(groups[-1]) + 1) <= min(_PADDED * total, _TOGETHER):
            groups[-1].append(item)
        else:
            groups.append([item])
            total = length
    return groups


def _size(request: GenerationRequest) -> int:
    prompt = request.prompt
    return len(prompt) if isinstance(prompt, str) else sum(len(message.content) for message in prompt)
