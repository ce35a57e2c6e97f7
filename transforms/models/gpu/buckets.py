"""Buckets by length: batches that have one shape for each width, so that rows have the same bits.

A GPU's library chooses its kernel, and so the order of its sums, by the shape of a product. Where
each width has one number of rows, the last batch filled up with copies, a text's vector does not
depend on how many other texts there were.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from negmine.transforms.models.gpu.tokens import Tokens

LEAST_WIDTH = 16
BUDGET = 16_384
"""Padded tokens in a batch."""
_MOST_ROWS = 512


@dataclass(frozen=True)
class Batch:
    """Rows of one width. `numbers` (rows,) int64 are their places among the inputs.

    `size` is how many rows the shape has, at least as many as there are.
    """

    numbers: np.ndarray
    ids: Sequence[np.ndarray]
    types: Sequence[np.ndarray] | None
    width: int
    size: int

    @property
    def full(self) -> bool:
        """Whether its rows are as long as they are wide, all of them."""
        return len(self.ids[0]) == self.width

    def part(self, start: int, stop: int, size: int) -> "Batch":
        """Some of its rows, in a shape of `size` rows."""
        types = self.types[start:stop] if self.types is not None else None
        return Batch(self.numbers[start:stop], self.ids[start:stop], types, self.width, size)


def widths(lengths: np.ndarray, limit: int | None) -> np.ndarray:
    """Padded length of rows of (rows,) tokens: eight steps an octave, of 16 at least.

    129 to 144 tokens become 144, 257 to 288 become 288: at most an eighth is padding, and a model
    of 8,192 tokens has 56 shapes. `limit` is the most that the model takes.
    """
    lengths = np.maximum(lengths, 1)
    octave = np.floor(np.log2(np.maximum(lengths - 1, 1))).astype(np.int64)
    step = np.maximum(LEAST_WIDTH, 2 ** np.maximum(octave - 3, 0))
    padded = -(-lengths // step) * step
    return padded if limit is None else np.maximum(np.minimum(padded, limit), lengths)


def rows_of(width: int, budget: int = BUDGET) -> int:
    """Rows in the shape of a width: as many as the budget holds, whole eights where it can be."""
    rows = max(1, min(budget // width, _MOST_ROWS))
    return rows if rows < 8 else rows // 8 * 8


class Buckets:
    """Rows that wait until their shape is full."""

    def __init__(self, limit: int | None, budget: int = BUDGET) -> None:
        """`limit` is the most tokens that the model takes, None for no limit."""
        self.limit, self.budget = limit, budget
        self._waiting: dict[tuple[int, bool], list[tuple[int, np.ndarray, np.ndarray | None]]] = {}

    def add(self, numbers: Sequence[int], tokens: Tokens) -> Iterator[Batch]:
        """Take rows in, and give those batches that are full.

        Rows that fill their width are kept apart: attention without a mask is another kernel.
        """
        lengths = np.fromiter((len(row) for row in tokens.ids), np.int64, len(tokens.ids))
        padded = widths(lengths, self.limit)
        for place, number in enumerate(numbers):
            width = int(padded[place])
            types = tokens.types[place] if tokens.types is not None else None
            key = (width, bool(lengths[place] == width))
            waiting = self._waiting.setdefault(key, [])
            waiting.append((number, tokens.ids[place], types))
            if len(waiting) == rows_of(width, self.budget):
                yield self._batch(key)

    def rest(self) -> Iterator[Batch]:
        """What waits still, widest first."""
        for key in sorted(self._waiting, reverse=True):
            if self._waiting[key]:
                yield self._batch(key)

    def _batch(self, key: tuple[int, bool]) -> Batch:
        rows, self._waiting[key] = self._waiting[key], []
        numbers = np.array([row[0] for row in rows], dtype=np.int64)
        types = [row[2] for row in rows if row[2] is not None]
        size = rows_of(key[0], self.budget)
        return Batch(numbers, [row[1] for row in rows], types or None, key[0], size)
