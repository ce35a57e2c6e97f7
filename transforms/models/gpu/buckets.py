"""Buckets by length: batches that have one shape for each width, so that rows have the same bits.

A GPU's library chooses its kernel, and so the order of its sums, by the shape of a product. Where
each width has one number of rows, the last batch filled up with copies, a text's vector does not
depend on how many other texts there were.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from negmine.transforms.models.gpu.tokens import Tokens

LEAST_WIDTH = 16
BUDGET = 32_768
"""Padded tokens in a batch."""
_MOST_ROWS = 512


@dataclass(frozen=True)
class Padding:
    """Token that fills rows up, the side, and the most tokens that a model takes."""

    token: int
    left: bool
    limit: int | None


@dataclass(frozen=True)
class Batch:
    """Rows of one width.

    Attributes:
        numbers: (rows,) int64, their places among the inputs.
        packed: as of `Tokens.packed`.
        width: padded length.
        size: rows of the shape, at least as many as there are, and one more where it is masked.
        masked: whether attention has a mask. Only rows of all tokens that the model takes go
            without, which is another kernel; the others have a mask even where none is padded.
    """

    numbers: np.ndarray
    packed: np.ndarray
    width: int
    size: int
    masked: bool

    @property
    def paired(self) -> bool:
        """Whether segments are packed too."""
        return self.packed.shape[1] > self.width + 1

    def part(self, start: int, size: int) -> "Batch":
        """Rows of it that fit a shape of `size` rows."""
        rows = slice(start, start + room(size, self.masked))
        return Batch(self.numbers[rows], self.packed[rows], self.width, size, self.masked)


def widths(lengths: np.ndarray, limit: int | None) -> np.ndarray:
    """Padded length of rows of (rows,) tokens: eight steps an octave, of 16 at least.

    129 to 144 tokens become 144, 257 to 288 become 288: at most an eighth is padding, and a model
    of 8,192 tokens has 56 widths. `limit` is the most that the model takes.
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


def room(size: int, masked: bool) -> int:
    """Rows that a shape takes: with a mask one less, for a padded row that keeps the mask needed.

    Models leave a mask out that they see to hold only ones.
    """
    return size - 1 if masked and size > 1 else size


class Buckets:
    """Rows that wait until their shape is full."""

    def __init__(self, padding: Padding, budget: int = BUDGET) -> None:
        self.padding, self.budget = padding, budget
        self._waiting: dict[tuple[int, bool], list[tuple[np.ndarray, np.ndarray]]] = {}

    def add(self, numbers: np.ndarray, tokens: Tokens) -> Iterator[Batch]:
        """Take rows in, and give those batches that are full."""
        lengths = np.diff(tokens.offsets)
        padded = widths(lengths, self.padding.limit)
        keys = 2 * padded + (lengths != (self.padding.limit or -1))
        order = np.argsort(keys, kind="stable")
        bounds = np.flatnonzero(np.diff(keys[order])) + 1
        for rows in np.split(order, bounds):
            key = int(keys[rows[0]]) // 2, bool(keys[rows[0]] % 2)
            packed = tokens.packed(rows, key[0], self.padding.token, self.padding.left)
            waiting = self._waiting.setdefault(key, [])
            waiting.append((numbers[rows], packed))
            size = self._size(key)
            full = room(size, key[1])
            if sum(len(one) for one, _ in waiting) >= full:
                whole, together = self._together(key)
                cut = len(whole) // full * full
                for start in range(0, cut, full):
                    rows_in = slice(start, start + full)
                    yield Batch(whole[rows_in], together[rows_in], key[0], size, key[1])
                if cut < len(whole):
                    self._waiting[key] = [(whole[cut:], together[cut:])]

    def rest(self) -> Iterator[Batch]:
        """What waits still, widest first."""
        for key in sorted(self._waiting, reverse=True):
            whole, together = self._together(key)
            yield Batch(whole, together, key[0], self._size(key), key[1])

    def _size(self, key: tuple[int, bool]) -> int:
        """Rows of a shape: twice as many of the one that has no mask, where most rows often are."""
        width, masked = key
        return rows_of(width, self.budget if masked else 2 * self.budget)

    def _together(self, key: tuple[int, bool]) -> tuple[np.ndarray, np.ndarray]:
        waiting = self._waiting.pop(key)
        whole = np.concatenate([numbers for numbers, _ in waiting])
        return whole, np.concatenate([packed for _, packed in waiting])
