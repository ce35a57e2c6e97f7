"""What must not be taken for a negative: each query's positives and suspected ones, by text."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

_AT_ONCE = 65_536


@dataclass(frozen=True)
class Suspects:
    """Texts that may answer each query, known positives among them.

    Attributes:
        offsets: (queries + 1,) int64, where each query's texts begin.
        texts: (s,) int32 numbers of texts, ascending within a query, each once.
    """

    offsets: np.ndarray
    texts: np.ndarray

    @classmethod
    def of(cls, query: np.ndarray, text: np.ndarray, queries: int, texts: int) -> "Suspects":
        """From pairs of query and text (n,), in any order and as often as they come."""
        keys = np.unique(query.astype(np.int64) * max(texts, 1) + text)
        counts = np.bincount(keys // max(texts, 1), minlength=queries)
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return cls(offsets, (keys % max(texts, 1)).astype(np.int32))


def together(
    suspects: Suspects, query: np.ndarray, text: np.ndarray, group: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of one group of which one's positive may answer the other's query.

    Args:
        suspects: what may answer each query.
        query, text: (n,) numbers of each pair's query and of its positive's text.
        group: (n,) int64 from 0, the batch or cell of each pair.

    Returns:
        (rows, others): positions of pairs, sorted, `others` being what no negative of `rows` is.
        No pair stands beside itself.
    """
    width = int(text.max(initial=0)) + 1
    places = group.astype(np.int64) * width + text
    order = np.argsort(places, kind="stable")
    found = list(_matches(suspects, query, group, places[order], order, width))
    if not found:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    rows, others = (np.concatenate(part) for part in zip(*found, strict=True))
    sort = np.lexsort((others, rows))
    return rows[sort], others[sort]


def _matches(
    suspects: Suspects,
    query: np.ndarray,
    group: np.ndarray,
    places: np.ndarray,
    order: np.ndarray,
    width: int,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for start in range(0, len(query), _AT_ONCE):
        rows = np.arange(start, min(start + _AT_ONCE, len(query)))
        counts = np.diff(suspects.offsets)[query[rows]]
        row, at = _runs(rows, suspects.offsets[query[rows]], counts)
        texts = suspects.texts[at].astype(np.int64)
        known = texts < width
        row, wanted = row[known], group[row[known]] * width + texts[known]
        low = np.searchsorted(places, wanted, side="left")
        high = np.searchsorted(places, wanted, side="right")
        row, at = _runs(row, low, high - low)
        others = order[at]
        apart = row != others
        yield row[apart], others[apart]


def _runs(
    rows: np.ndarray, starts: np.ndarray, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Each row as often as it counts, beside the numbers from its start on."""
    repeated = np.repeat(rows, counts)
    before = np.repeat(np.cumsum(counts) - counts, counts)
    return repeated, np.repeat(starts, counts) + np.arange(len(repeated)) - before
