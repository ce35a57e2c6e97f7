"""Exact, deterministic top-k: score descending, then id ascending, also at the boundary."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

_LARGEST_ID = 2**32 - 2
_SIGN = np.uint32(0x80000000)


class TopK(NamedTuple):
    """Results of a block of queries, best first; short rows are padded with id -1, score -inf."""

    scores: np.ndarray
    ids: np.ndarray

    @classmethod
    def empty(cls, queries: int, k: int) -> "TopK":
        """Nothing found: (queries, k) of padding."""
        return cls(
            np.full((queries, k), -np.inf, dtype=np.float32),
            np.full((queries, k), -1, dtype=np.int64),
        )


def sort_keys(scores: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Unique uint64 keys that order (score, id) pairs: a greater key is a better result.

    The upper half is the float32's bits in order of value, the lower half the id, reversed. Ids
    below 0 are padding and get key 0. `scores` float32 and `ids` integer broadcast together.

    Raises ValueError for a score that is NaN or an id above 2**32 - 2.
    """
    scores = np.asarray(scores, dtype=np.float32) + np.float32(0)  # -0.0 becomes 0.0
    ids = np.asarray(ids, dtype=np.int64)
    if np.isnan(scores).any():
        raise ValueError("a score is not a number, so there is no order")
    if ids.size and ids.max() > _LARGEST_ID:
        raise ValueError(f"id {ids.max()} is above {_LARGEST_ID}")
    # A float's bits sort as its value once the sign is turned: 0.5 is 3F000000 and 0.25 3E800000.
    # Documents 3 and 7 of score 0.5 share the upper half; 2**32 - 1 - 3 is the greater lower half,
    # so 3 comes first. One partition of integers then cuts at k by score and by id at once.
    bits = scores.view(np.uint32)
    ordered = np.where(bits & _SIGN, ~bits, bits | _SIGN).astype(np.uint64)
    low = (_LARGEST_ID + 1 - ids).astype(np.uint64)
    return np.where(ids < 0, np.uint64(0), (ordered << np.uint64(32)) | low)


def from_sort_keys(keys: np.ndarray) -> TopK:
    """The (scores, ids) that `sort_keys` was given; inverse of it."""
    ordered = (keys >> np.uint64(32)).astype(np.uint32)
    bits = np.where(ordered & _SIGN, ordered & ~_SIGN, ~ordered)
    ids = _LARGEST_ID + 1 - (keys & np.uint64(0xFFFFFFFF)).astype(np.int64)
    padding = keys == 0
    scores = np.where(padding, np.float32(-np.inf), bits.view(np.float32))
    return TopK(scores.astype(np.float32), np.where(padding, -1, ids))


def best_keys(keys: np.ndarray, k: int) -> np.ndarray:
    """The k greatest keys of each row, greatest first, padded with 0: (rows, n) to (rows, k)."""
    rows, columns = keys.shape
    if columns > k:
        keys = np.partition(keys, columns - k, axis=1)[:, columns - k :]
    elif columns < k:
        keys = np.concatenate([keys, np.zeros((rows, k - columns), dtype=np.uint64)], axis=1)
    return np.sort(keys, axis=1)[:, ::-1]


def top_k(scores: np.ndarray, ids: np.ndarray, k: int) -> TopK:
    """The k best of each row: (rows, n) float32 scores and ids that broadcast to them.

    Equal scores are ordered by id, exactly, at the boundary too. Ids must differ within a row;
    negative ids are padding. Returns (rows, k) arrays.
    """
    return from_sort_keys(best_keys(sort_keys(scores, ids), k))


def top_k_ragged(scores: np.ndarray, ids: np.ndarray, offsets: np.ndarray, k: int) -> TopK:
    """As `top_k` for rows of unequal length, concatenated: row i is `offsets[i]:offsets[i+1]`."""
    keys = sort_keys(scores, ids)
    rows = len(offsets) - 1
    best = np.zeros((rows, k), dtype=np.uint64)
    for row, (start, stop) in enumerate(pairwise(offsets.tolist())):
        part = keys[start:stop]
        if stop - start > k:
            part.partition(stop - start - k)
            part = part[stop - start - k :]
        best[row, : len(part)] = part
    best.sort(axis=1)
    return from_sort_keys(best[:, ::-1])


def merge(blocks: Sequence[TopK], k: int) -> TopK:
    """Merge partial results of the same queries over disjoint ids; associative, order-free."""
    scores = np.concatenate([block.scores for block in blocks], axis=1)
    ids = np.concatenate([block.ids for block in blocks], axis=1)
    return top_k(scores, ids, k)
