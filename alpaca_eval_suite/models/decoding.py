"""One request while it is answered: choosing tokens, watching for its ends, and what it comes to."""

from collections.abc import Iterable, Sequence

import torch

from alpaca_eval_suite.errors import SuiteError
from alpaca_eval_suite.models.request import FinishReason, Generation, GenerationRequest, Token, TooLongError
from alpaca_eval_suite.models.thinking import CLOSE, OPEN, Stage, opens_thought, stage_of
from alpaca_eval_suite.models.tokenizer import CheckpointTokenizer, TextStream

_MARK_TOKENS = 16  # the last tokens of a prompt that are looked through for an opening mark and spaces after it


class Row:
    """State of one request: `next_token` is what the network is given next; `finished` says it is done.

    Raises SuiteError when the prompt leaves no room for an answer in the model's context.
    """

    def __init__(self, request: GenerationRequest, tokenizer: CheckpointTokenizer) -> None:
        self.request = request
        self.prompt = tokenizer.encode_prompt(request.prompt)
        self._limit = _room(request, len(self.prompt.ids), tokenizer.context_length)
        self._tokenizer = tokenizer
        self._stream = TextStream(tokenizer, self.prompt.ids)
        # A stop string that is one special token never shows in the text, so it is stopped at by its id.
        self._stop_ids = {tokenizer.single_special(stop): stop for stop in request.stop} if request.stop else {}
        self._echoed: list[Token] = []
        self._tokens: list[Token] = []
        self._text = ""
        self._thought_opened = opens_thought("".join(self.prompt.texts[-_MARK_TOKENS:]))
        self._stage: Stage = "thinking" if self._thought_opened else "undecided"
        self._thought_tokens = 0
        self._thought_end = 0  # in characters of the text; 0 where there is no thought, or none that ended
        self._stop_string: str | None = None
        self._finish: FinishReason | None = "length" if self._limit == 0 else None
        self._generator: torch.Generator | None = None
        self.next_token = -1

    @property
    def finished(self) -> bool:
        return self._finish is not None

    def echo(self, pieces: Iterable[torch.Tensor]) -> torch.Tensor:
        """Record the prompt's own tokens; `pieces` are the logits after each of them, [token, word].
        Returns those after the last one."""
        self._echoed = [Token(self.prompt.texts[0], 0.0, {})]
        place = 1
        for logits in pieces:
            ids = self.prompt.ids[place : place + len(logits)]
            found = _logprobs(logits[: len(ids)], ids)
            for row, logprob in enumerate(found):
                stream = TextStream(self._tokenizer, self.prompt.ids[:place])
                top = self._likeliest(logits[row], stream)
                self._echoed.append(Token(self.prompt.texts[place], self._checked(logprob), top))
                place += 1
        return logits[-1]

    def pick(self, logits: torch.Tensor) -> int:
        """The next token by this request's rule, from raw logits [word]."""
        if self._generator is None:
            self._generator = torch.Generator()
            if self.request.seed is None:
                self._generator.seed()
            else:
                self._generator.manual_seed(self.request.seed)
        return _sample(logits, self.request, self._generator)

    def push(self, token: int, logprob: float, logits: torch.Tensor) -> None:
        """Take the chosen token: its text, then whether anything ends here."""
        top = self._likeliest(logits, self._stream)
        if token in self._stop_ids and self._stage != "thinking":
            self._finish, self._stop_string = "stop", self._stop_ids[token]
            return
        added = self._stream.push(token)
        self._tokens.append(Token(added, self._checked(logprob), top))
        self._text += added
        self.next_token = token
        self._think()
        if token in self._tokenizer.end_ids:
            self._finish = "eos"
        elif self._find_stop(len(added)):
            self._finish = "stop"
        elif self._left() <= 0:
            self._finish = "thinking" if self._stage == "thinking" else "length"
        if self._finish in ("eos", "length", "thinking"):
            self._flush()

    def generation(self) -> Generation:
        """What it came to."""
        echoed = self._echoed if self.request.echo_prompt else []
        tokens = (*echoed, *self._tokens)
        return Generation(
            text="".join(token.text for token in tokens),
            tokens=tokens,
            logprob=sum(token.logprob for token in tokens),
            finish_reason=self._finish or "length",
            stop_string=self._stop_string,
            prompt_tokens=len(self.prompt.ids),
            thought_opened=self._thought_opened and not self.request.echo_prompt,
        )

    def _think(self) -> None:
        """Note where the thought ends: what counts tokens and looks for stops begins there."""
        if self._stage == "answering":
            return
        before = self._stage
        self._stage = stage_of(OPEN + self._text if self._thought_opened else self._text)
        if before == "thinking" and self._stage == "answering":
            self._thought_tokens = len(self._tokens)
            self._thought_end = self._text.index(CLOSE) + len(CLOSE)

    def _left(self) -> int:
        """How many tokens may still come."""
        request, made = self.request, len(self._tokens)
        if request.thinking_tokens == 0:
            budget = request.max_tokens
        elif self._stage == "thinking":
            budget = request.thinking_tokens
        elif self._stage == "undecided" and self._text.strip():  # within the opening mark
            budget = max(request.max_tokens, request.thinking_tokens)
        else:
            budget = self._thought_tokens + request.max_tokens
        return min(budget, self._limit) - made

    def _flush(self) -> None:
        """Bytes held back belong to the last token that has a text of its own."""
        rest = self._stream.flush()
        if not rest:
            return
        last = len(self._tokens) - 1 - (self._finish == "eos")
        token = self._tokens[last]
        self._tokens[last] = Token(token.text + rest, token.logprob, token.top)
        self._text += rest
        if self._find_stop(len(rest)):
            self._finish = "stop"

    def _find_stop(self, added: int) -> bool:
        """Look for a stop string that ends in the last `added` characters; cut text and tokens before it."""
        if self._stage == "thinking":
            return False
        # The space between a thought and its answer is neither's: a stop of line breaks does not end it there.
        start = len(self._text) - len(self._text[self._thought_end :].lstrip()) if self._thought_end else 0
        places = []
        for stop in self.request.stop:
            place = self._text.find(stop, max(start, len(self._text) - added - len(stop) + 1))
            if place >= 0:
                places.append((place, -len(stop), stop))
        if not places:
            return False
        place, _, self._stop_string = min(places)
        self._text = self._text[:place]
        self._tokens = _cut(self._tokens, place)
        return True

    def _likeliest(self, logits: torch.Tensor, stream: TextStream) -> dict[str, float]:
        count = min(self.request.top_logprobs, logits.shape[-1])
        if count == 0:
            return {}
        values, ids = logits.log_softmax(-1).topk(count)
        top: dict[str, float] = {}
        for token, value in zip(ids.tolist(), values.tolist(), strict=True):
            top.setdefault(stream.peek(token), value)  # two tokens of one text: the likelier one stands
        return top

    def _checked(self, logprob: float) -> float:
        if logprob != logprob or logprob == float("inf"):
            raise SuiteError(
                "the model's logits are not numbers (NaN), so there is no answer",
                next_step="Load it with dtype float32 or bfloat16: float16 overflows in many models. If it "
                "is so there too, the weights are damaged.",
            )
        return logprob


def choose(logits: torch.Tensor, rows: Sequence[Row]) -> list[tuple[int, float]]:
    """The next token of each row and its log-probability, from raw logits [row, word]."""
    tokens = logits.argmax(-1).tolist()
    for index, row in enumerate(rows):
        if row.request.temperature > 0 and bool(torch.isfinite(logits[index]).any()):
            tokens[index] = row.pick(logits[index])
    return list(zip(tokens, _logprobs(logits, tokens), strict=True))


def _logprobs(logits: torch.Tensor, tokens: Sequence[int]) -> list[float]:
    chosen = torch.tensor(tokens, device=logits.device, dtype=torch.long)[:, None]
    values: list[float] = logits.log_softmax(-1).gather(-1, chosen)[:, 0].tolist()
    return values


def _sample(logits: torch.Tensor, request: GenerationRequest, generator: torch.Generator) -> int:
    """Temperature, then top-k, then top-p (Holtzman et al. 2020), then the inverse of the distribution.

    In float64 on the CPU: the sample then is the same on every device and beside every other row.
    """
    scores, order = (logits.cpu().double() / request.temperature).sort(descending=True, stable=True)
    probabilities = scores[: request.top_k].softmax(-1)
    if request.top_p < 1:
        below = probabilities.cumsum(-1) - probabilities
        probabilities = probabilities[below < request.top_p]
    reached = probabilities.cumsum(-1)
    draw = torch.rand(1, generator=generator, dtype=torch.float64) * reached[-1]
    place = int(torch.searchsorted(reached, draw, right=True))
    return int(order[min(place, len(reached) - 1)])


def _room(request: GenerationRequest, prompt: int, context: int | None) -> int:
    """Tokens that thought and answer may have together: what was asked for, or what the context leaves of it."""
    wanted = request.max_tokens and request.max_tokens + request.thinking_tokens
    if context is None:
        return wanted
    # A text that is only scored may fill the context; an answer needs at least one place.
    needed = 1 if request.max_tokens else 0
    if prompt + needed > context:
        raise TooLongError(
            f"the prompt has {prompt:,} tokens, and the model takes {context:,}"
            + (" with its answer" if needed else ""),
            next_step="Shorten this instruction or its input, or leave the item out.",
        )
    return min(wanted, context - prompt)


def _cut(tokens: list[Token], length: int) -> list[Token]:
    """The tokens of the first `length` characters, the last one cut where it goes on beyond."""
    kept: list[Token] = []
    start = 0
    for token in tokens:
        if start >= length:
            break
        kept.append(Token(token.text[: length - start], token.logprob, token.top))
        start += len(token.text)
    return kept
