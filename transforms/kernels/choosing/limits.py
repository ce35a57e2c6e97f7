"""What scores are held against: limits of the positives, both ends of a range, places in order."""

from collections.abc import Iterable, Iterator

import numpy as np

from negmine.transforms.kernels.groups import position_in_group
from negmine.transforms.kernels.languages import numbered


def of_positives(query: np.ndarray, score: np.ndarray, queries: int, against: str) -> np.ndarray:
    """Min, mean or max of the scores of each query's positives, (queries,) float64.

    `each` is `min`. A query without a positive has inf for min, -inf for max, 0 for mean.

    Args:
        query: (positives,) int64, from 0.
        score: (positives,) of those positives.
        queries: how many queries there are.
        against: `min`, `mean`, `max` or `each`.
    """
    score = score.astype(np.float64)
    if against == "mean":
        total = np.bincount(query, weights=score, minlength=queries)
        return total / np.maximum(np.bincount(query, minlength=queries), 1)
    out = np.full(queries, -np.inf if against == "max" else np.inf)
    (np.maximum if against == "max" else np.minimum).at(out, query, score)
    return out


def by_language(
    limit: float, limits: Iterable[tuple[str, float]], language: np.ndarray
) -> np.ndarray:
    """The limit of each row, (n,) float64: that of its language where there is one, or `limit`.

    `language` (n,) int32 as `kernels.languages` numbers it.
    """
    out = np.full(len(language), limit)
    for code, own in limits:
        out[language == numbered([code])[0]] = own
    return out


def outside(
    values: np.ndarray, low: float | None, high: float | None
) -> Iterator[tuple[np.ndarray, float]]:
    """For each end that there is, what is beyond it, (n,) bool, and the end. NaN is beyond none."""
    if low is not None:
        yield values < low, low
    if high is not None:
        yield values > high, high


def places(
    query: np.ndarray,
    score: np.ndarray,
    doc_ix: np.ndarray,
    text_key: np.ndarray,
    counted: np.ndarray,
) -> np.ndarray:
    """Place of each counted row in its query by falling score, from 1; 0 where not counted.

    Rows of equal text share the first one's place. Ties go by position, and a score that is not
    known comes last.

    Args:
        query: (n,) int64, ascending.
        score: (n,) float32.
        doc_ix: (n,) int64.
        text_key: (n,) uint64.
        counted: (n,) bool.
    """
    rows = np.flatnonzero(counted)
    rows = rows[np.lexsort((doc_ix[rows], -score[rows], query[rows]))]
    # Texts a b a c of one query: the firsts are a, b and c, at places 1, 2 and 3.
    _, text = np.unique(text_key[rows], return_inverse=True)
    key = query[rows] * (int(text.max(initial=0)) + 1) + text
    _, first, same = np.unique(key, return_index=True, return_inverse=True)
    firsts = np.sort(first)
    place = np.zeros(len(rows), dtype=np.int64)
    place[firsts] = position_in_group(query[rows[firsts]]) + 1
    found = np.zeros(len(query), dtype=np.int64)
    found[rows] = place[first[same]]
    return found
