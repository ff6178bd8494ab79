"""A checkpoint's tokenizer without its weights: prompts to ids, ids to text, where an answer ends."""

import json
import threading
from collections.abc import Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alpaca_eval_suite.errors import MissingExtraError, SuiteError
from alpaca_eval_suite.files import read_text
from alpaca_eval_suite.models.checkpoint import Checkpoint
from alpaca_eval_suite.models.request import Message
from alpaca_eval_suite.models.thinking import CLOSE, OPEN
from alpaca_eval_suite.models.threads import let_threads_sleep

# Ends of a document by name: what follows one is another text, even where no configuration says so.
_DOCUMENT_ENDS = ("<|endoftext|>", "<|end_of_text|>", "</s>")
_MARK = "a3f1c7"
# How many tokens before an answer decide whether its first token starts with a space; 5 is what SentencePiece
# and byte-level vocabularies need for the longest character (4 bytes) and the piece before it.
_CONTEXT = 5


@dataclass(frozen=True)
class EncodedPrompt:
    """The prompt's token ids and the text of each: the texts joined are the prompt, special tokens added by
    the tokenizer have the text ""."""

    ids: tuple[int, ...]
    texts: tuple[str, ...]


class CheckpointTokenizer:
    """Thread-safe. `end_ids` are the tokens that end an answer; `special_ids` carry no text, but for those that
    are `thought_marks` (with their texts: what they mark must show); `context_length` is the most tokens the
    model takes, None where its configuration names no limit."""

    def __init__(
        self, folder: Path, tokenizer: Any, context_length: int | None, configured_ends: Set[int] = frozenset()
    ) -> None:
        self._folder = folder
        self._tokenizer = tokenizer
        # Hugging Face's fast tokenizers raise "Already borrowed" when two threads use one.
        self._lock = threading.RLock()
        self.context_length = context_length
        added = tokenizer.added_tokens_decoder.items()
        self.special_ids = frozenset({*tokenizer.all_special_ids, *(n for n, token in added if token.special)})
        self.thought_marks = {
            token: str(text) for token in self.special_ids if (text := self.name_of(token)) in (OPEN, CLOSE)
        }
        self._prefix = self._find_prefix()
        self.end_ids = frozenset({*configured_ends, *self._ends_by_name(), *self._ends_of_turn(), *self._own_end()})

    @classmethod
    def load(cls, checkpoint: Checkpoint) -> "CheckpointTokenizer":
        """Raises SuiteError when the tokenizer's files cannot be loaded without running code of their own."""
        let_threads_sleep()
        try:
            import transformers
        except ImportError as error:
            raise MissingExtraError("helm", "Loading a local checkpoint") from error
        options = {"local_files_only": True, "trust_remote_code": False}
        try:
            config = transformers.AutoConfig.from_pretrained(checkpoint.model_folder, **options)
            tokenizer = transformers.AutoTokenizer.from_pretrained(checkpoint.tokenizer_folder, **options)
        except Exception as error:  # each tokenizer class fails in its own way on a damaged file
            raise SuiteError(
                f"the configuration or tokenizer cannot be loaded ({_first_line(error)})",
                where=str(checkpoint.tokenizer_folder),
                next_step="Copy its files again from the source of the model; a model type that is not known "
                "needs newer transformers.",
            ) from error
        # The tokenizer's own limit is only a fallback: training scripts store their training length there.
        limit = getattr(config.get_text_config(), "max_position_embeddings", None) or tokenizer.model_max_length
        return cls(
            checkpoint.tokenizer_folder,
            tokenizer,
            limit if limit < 10**9 else None,
            _configured_ends(checkpoint.model_folder),
        )

    @property
    def has_chat_template(self) -> bool:
        return bool(self._tokenizer.chat_template)

    def render(self, messages: Sequence[Message]) -> str:
        """The text that the chat template makes of the messages, ready for the assistant's answer.

        Raises SuiteError when there is no template, or it refuses these messages (some take no system turn).
        """
        if not self.has_chat_template:
            raise SuiteError(
                "the tokenizer holds no chat template",
                where=str(self._folder),
                next_step="Use the Alpaca prompt, or add the chat_template.jinja the model was trained with.",
            )
        turns = [{"role": message.role, "content": message.content} for message in messages]
        try:
            return self._apply_template(turns, add_generation_prompt=True)
        except Exception as error:  # whatever the template's own Jinja code raises
            roles = ", ".join(message.role for message in messages)
            raise SuiteError(
                f"the chat template refuses these messages ({roles}): {_first_line(error)}",
                where=str(self._folder),
                next_step="Give only the roles that this model was trained with, or use the Alpaca prompt.",
            ) from error

    def encode(self, text: str, add_special: bool = True) -> list[int]:
        """Token ids. `add_special` puts in front what the tokenizer puts there, once: a BOS that the text
        already has is not doubled. No end mark is ever added, an answer is to follow."""
        return list(self._encoding(text, add_special).ids)

    def encode_prompt(self, prompt: str | Sequence[Message]) -> EncodedPrompt:
        """Plain text as it is, messages through the chat template; both with exactly one BOS where the
        tokenizer uses one. Raises SuiteError as `render` does, and on a prompt without any token."""
        encoded = self._encoding(prompt if isinstance(prompt, str) else self.render(prompt), add_special=True)
        if not encoded.ids:
            raise SuiteError(
                "the prompt is empty or unknown to this tokenizer, which puts no BOS in front",
                where=str(self._folder),
            )
        return encoded

    def decode(self, ids: Sequence[int], skip_special: bool = False) -> str:
        """The text of the ids, spaces as they are; bytes that are no character yet become U+FFFD."""
        with self._lock:
            text: str = self._tokenizer.decode(
                list(ids), skip_special_tokens=skip_special, clean_up_tokenization_spaces=False
            )
        return text

    def token_strings(self, ids: Sequence[int]) -> list[str]:
        """The text that each token adds; joined they are `decode(ids, skip_special=True)`."""
        stream = TextStream(self)
        texts = [stream.push(token) for token in ids]
        if texts:
            texts[-1] += stream.flush()
        return texts

    def count_tokens(self, text: str) -> int:
        """How many tokens the text has, special ones not counted."""
        return len(self.encode(text, add_special=False))

    def single_special(self, text: str) -> int | None:
        """The id of the special token that `text` is, None where it is anything else."""
        ids = self.encode(text, add_special=False)
        return ids[0] if len(ids) == 1 and ids[0] in self.special_ids else None

    def name_of(self, token: int) -> str:
        """A token as the vocabulary writes it."""
        return str(self._tokenizer.convert_ids_to_tokens(token))

    def _encoding(self, text: str, add_special: bool) -> EncodedPrompt:
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise SuiteError(
                f"the text holds half a character ({text[error.start]!a} at {error.start})",
                next_step="Save the file that it comes from as UTF-8.",
            ) from error
        with self._lock:
            fast = self._tokenizer.is_fast
            encoding = self._tokenizer(text, add_special_tokens=False, return_offsets_mapping=fast, verbose=False)
        ids: list[int] = encoding["input_ids"]
        texts = _cut(text, [end for _, end in encoding["offset_mapping"]]) if fast else self.token_strings(ids)
        prefix = self._prefix if add_special and tuple(ids[: len(self._prefix)]) != self._prefix else ()
        return EncodedPrompt((*prefix, *ids), ("",) * len(prefix) + tuple(texts))

    def _find_prefix(self) -> tuple[int, ...]:
        ids: list[int] = self._tokenizer("", add_special_tokens=True)["input_ids"]
        bos, eos = self._tokenizer.bos_token_id, self._tokenizer.eos_token_id
        while ids and ids[-1] == eos and not (len(ids) == 1 and eos == bos):
            ids = ids[:-1]
        return tuple(ids)

    def _own_end(self) -> set[int]:
        eos = self._tokenizer.eos_token_id
        return set() if eos is None else {eos}

    def _ends_by_name(self) -> set[int]:
        ids = {self._tokenizer.convert_tokens_to_ids(name) for name in _DOCUMENT_ENDS}
        return {token for token in ids if token in self.special_ids}

    def _ends_of_turn(self) -> set[int]:
        """The special token that the chat template writes after an assistant's answer (`<|im_end|>`)."""
        if not self.has_chat_template:
            return set()
        turns = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": _MARK}]
        try:
            text = self._apply_template(turns, add_generation_prompt=False)
        except Exception:  # a template with rules of its own: the configured ends are then all there is
            return set()
        after = text.rpartition(_MARK)[2].lstrip()
        return set(self.encode(after, add_special=False)[:1]) & self.special_ids

    def _apply_template(self, turns: list[dict[str, str]], add_generation_prompt: bool) -> str:
        with self._lock:
            text: str = self._tokenizer.apply_chat_template(
                turns, tokenize=False, add_generation_prompt=add_generation_prompt
            )
        return text


class TextStream:
    """Token ids in, text out, one token at a time: characters of several tokens come with their last one,
    and the first token keeps the space that `context`, the tokens before it, asks for."""

    def __init__(self, tokenizer: CheckpointTokenizer, context: Sequence[int] = ()) -> None:
        self._tokenizer = tokenizer
        self._shown = list(context[-_CONTEXT:])
        self._pending: list[int] = []

    def push(self, token: int) -> str:
        """The text that is certain with this token; "" for a special one that is no mark of a thought."""
        if token in self._tokenizer.special_ids:
            return self._tokenizer.thought_marks.get(token, "")
        text = self._added_by([*self._pending, token])
        self._pending.append(token)
        if not text or text.endswith("\ufffd"):
            return ""
        self._shown, self._pending = self._pending, []
        return text

    def peek(self, token: int) -> str:
        """The text that `token` would add here; a special token's name, so that the two kinds differ."""
        if token in self._tokenizer.special_ids:
            return self._tokenizer.name_of(token)
        return self._added_by([*self._pending, token])

    def flush(self) -> str:
        """What was held back: bytes that never became a character, as U+FFFD."""
        text = self._added_by(self._pending) if self._pending else ""
        self._shown, self._pending = self._pending or self._shown, []
        return text

    def _added_by(self, ids: list[int]) -> str:
        before = self._tokenizer.decode(self._shown, skip_special=True)
        return self._tokenizer.decode([*self._shown, *ids], skip_special=True)[len(before) :]


_shared: dict[str, CheckpointTokenizer] = {}
_shared_lock = threading.Lock()


def get_tokenizer(folder: Path | str) -> CheckpointTokenizer:
    """The one shared tokenizer of this process for the folder's content; no weights are loaded.

    Raises SuiteError as `Checkpoint.open` and `CheckpointTokenizer.load` do.
    """
    checkpoint = Checkpoint.open(folder)
    with _shared_lock:
        if checkpoint.fingerprint not in _shared:
            _shared[checkpoint.fingerprint] = CheckpointTokenizer.load(checkpoint)
        return _shared[checkpoint.fingerprint]


def _configured_ends(folder: Path) -> set[int]:
    ends: set[int] = set()
    for name in ("generation_config.json", "config.json"):
        if (folder / name).is_file():
            value = json.loads(read_text(folder / name)).get("eos_token_id")
            ends.update([value] if isinstance(value, int) else value or [])
    return ends


def _cut(text: str, ends: list[int]) -> list[str]:
    """The text in pieces that end at `ends`; what none covers goes to the next one, the rest to the last."""
    pieces = []
    start = 0
    for end in ends:
        pieces.append(text[start : max(start, end)])
        start = max(start, end)
    if pieces:
        pieces[-1] += text[start:]
    return pieces


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
