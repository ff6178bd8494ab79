"""Keys and values of a running batch: rows join and leave without the others being computed or copied again.

transformers' DynamicCache concatenates at every step, which copies the whole cache for each token: half of
the time of a step at batch 16 on a CPU. Here a token is written in place.
"""

from functools import partial
from typing import Any

import torch
from transformers import Cache, DynamicCache
from transformers.cache_utils import CacheLayerMixin, DynamicLayer, DynamicSlidingWindowLayer

_SPARE = 128  # columns allocated beyond what is needed, so that most batches never move


class SlotCache(Cache):  # type: ignore[misc]  # transformers has no types
    """One row a slot; all rows end at the same column (left padding), the columns in use are [start, end).

    The rows in use are the first `rows` slots: when one leaves, the last takes its place.
    """

    def __init__(self, slots: int) -> None:
        super().__init__(layer_class_to_replicate=partial(_SlotLayer, self))
        self.slots = slots
        self.lengths: list[int] = []
        self.end = 0
        self.capacity = 0

    @property
    def past(self) -> Cache:
        """What the network is given."""
        return self

    @property
    def rows(self) -> int:
        return len(self.lengths)

    @property
    def start(self) -> int:
        return self.end - max(self.lengths, default=0)

    def join(self, prefilled: Cache, lengths: list[int]) -> None:
        """Add rows whose prompts, left-padded, lie in `prefilled`; `lengths` are those without padding."""
        longest = max(lengths)
        if self.end < longest or self.end >= self.capacity:
            self._rebuild(prefilled, end=max(longest, self.end - self.start))
        for row, length in enumerate(lengths, self.rows):
            for layer, new in zip(self.layers, prefilled.layers, strict=True):
                for mine, theirs in ((layer.keys, new.keys), (layer.values, new.values)):
                    mine[row, :, self.end - length : self.end] = theirs[row - self.rows, :, -length:]
        self.lengths += lengths

    def leave(self, row: int) -> None:
        """Drop a row; the last one moves to its index."""
        last = self.rows - 1
        if row != last:
            window = slice(self.start, self.end)
            for layer in self.layers:
                layer.keys[row, :, window] = layer.keys[last, :, window]
                layer.values[row, :, window] = layer.values[last, :, window]
        self.lengths[row] = self.lengths[last]
        del self.lengths[last]

    def wipe(self, row: int) -> None:
        """Zero a row that holds NaN: even masked it would spoil the attention of the slot's next user."""
        for layer in self.layers:
            layer.keys[row].zero_()
            layer.values[row].zero_()

    def prepare(self) -> None:
        """Make room for one more column."""
        if self.end == self.capacity:
            self._rebuild(self, end=self.end - self.start)

    def advance(self) -> None:
        """Every row has got one token more."""
        self.end += 1
        self.lengths = [length + 1 for length in self.lengths]

    def _rebuild(self, like: Cache, end: int) -> None:
        """New buffers in which the columns in use end at `end`; shapes and types as in `like`."""
        width = self.end - self.start
        self.capacity = end + width // 2 + _SPARE
        for index, layer in enumerate(like.layers):
            if index == len(self.layers):
                self.layers.append(_SlotLayer(self))
            mine = self.layers[index]
            mine.keys = self._moved(mine.keys, layer.keys, width, end)
            mine.values = self._moved(mine.values, layer.values, width, end)
            mine.is_initialized = True
        self.end = end

    def _moved(self, old: Any, like: torch.Tensor, width: int, end: int) -> torch.Tensor:
        # Zeros, not empty: what a mask hides is still multiplied by zero, and must not be NaN.
        new = like.new_zeros((self.slots, like.shape[1], self.capacity, like.shape[3]))
        if width:
            new[: self.rows, :, end - width : end] = old[: self.rows, :, self.end - width : self.end]
        return new


class _SlotLayer(CacheLayerMixin):  # type: ignore[misc]
    """One layer's buffers [slot, head, column, dimension], seen through its cache's window."""

    def __init__(self, cache: SlotCache) -> None:
        super().__init__()
        self._cache = cache

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        raise NotImplementedError("rows come in through SlotCache.join")

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        rows, start, end = self._cache.rows, self._cache.start, self._cache.end
        self.keys[:rows, :, end : end + 1] = key_states
        self.values[:rows, :, end : end + 1] = value_states
        return self.keys[:rows, :, start : end + 1], self.values[:rows, :, start : end + 1]

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self._cache.end - self._cache.start + query_length, 0

    def get_seq_length(self) -> int:
        return self._cache.end - self._cache.start

    def get_max_length(self) -> int:
        return -1


class SoloCache:
    """The same interface for one row of a model whose state is more than keys and values (Mamba and hybrids):
    such a state can be neither padded nor joined, so these models run one request at a time."""

    slots = 1

    def __init__(self) -> None:
        self.past: Cache | None = None
        self.lengths: list[int] = []

    def join(self, prefilled: Cache, lengths: list[int]) -> None:
        """Take the state as it is."""
        self.past, self.lengths = prefilled, lengths

    def leave(self, row: int) -> None:
        """Drop the state."""
        self.past, self.lengths = None, []

    def wipe(self, row: int) -> None:
        """Nothing outlives the row."""

    def prepare(self) -> None:
        """The state grows by itself."""

    def advance(self) -> None:
        """The row has got one token more."""
        self.lengths = [self.lengths[0] + 1]


def can_batch(config: Any) -> bool:
    """Whether every layer's state is plain keys and values, so that rows can be padded and moved."""
    plain = {DynamicLayer, DynamicSlidingWindowLayer}
    # Chunked attention counts chunks from the first column, which padding shifts.
    chunked = "chunked_attention" in (getattr(config.get_text_config(decoder=True), "layer_types", None) or ())
    return not chunked and {type(layer) for layer in DynamicCache(config=config).layers} <= plain
