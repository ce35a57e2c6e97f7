"""Random documents without replacement, by counter hashing; cost follows the count."""

import numpy as np

from negmine.transforms.kernels.hashing import mix

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_DRAWS = 4_000_000


def random_documents(seed: int, query_keys: np.ndarray, documents: int, count: int) -> np.ndarray:
    """Distinct positions in 0 .. documents-1 for each query, in order of draw.

    Draw j is `mix(seed, query_key, j)`, scaled to the corpus by its high bits (Lemire,
    arXiv 1805.10941; bias below documents / 2**64); a repeated position is skipped. So a row
    depends on nothing but seed, key and `documents`, and a smaller count gives its beginning.

    `query_keys` is (q,) uint64. Returns (q, min(count, documents)) int64. Raises ValueError for
    2**32 documents or more.
    """
    if documents >= 2**32:
        raise ValueError(f"{documents} documents; at most {2**32 - 1}")
    width = min(count, documents)
    out = np.empty((len(query_keys), width), dtype=np.int64)
    if width == 0:
        return out
    open_rows = np.arange(len(query_keys))
    draws = width + 8
    while len(open_rows):
        unfinished = []
        step = max(1, _DRAWS // draws)
        for start in range(0, len(open_rows), step):
            part = open_rows[start : start + step]
            drawn = _draw(seed, query_keys[part], documents, draws)
            first = _first_occurrences(drawn)
            order = np.cumsum(first, axis=1)
            complete = order[:, -1] >= width
            chosen = first & (order <= width) & complete[:, None]
            out[part[complete]] = drawn[chosen].reshape(-1, width)
            unfinished.append(part[~complete])
        open_rows = np.concatenate(unfinished)
        draws *= 2
    return out


def weighted_documents(
    seed: int, query_keys: np.ndarray, weights: np.ndarray, count: int
) -> np.ndarray:
    """Distinct positions for each query, in order of draw, each draw in proportion to the weights.

    What has been drawn is skipped, which leaves the rest in proportion, so the law is that of the
    largest u^(1/w) (Efraimidis and Spirakis, IPL 97:181, 2006), at a cost that follows the count.
    A query for which many draws give too few, where a few documents have nearly all of the
    weight, takes the rest by those keys.

    Args:
        seed, query_keys: as of `random_documents`.
        weights: (documents,) float64, above 0.

    Returns:
        (q, min(count, documents)) int64.
    """
    documents = len(weights)
    width = min(count, documents)
    out = np.empty((len(query_keys), width), dtype=np.int64)
    if width == 0:
        return out
    below, draws = np.cumsum(weights), 4 * width + 16
    step = max(1, _DRAWS // draws)
    for start in range(0, len(query_keys), step):
        keys = query_keys[start : start + step]
        uniform = _uniform(mix(seed, keys[:, None], np.arange(draws, dtype=np.uint64)[None, :]))
        drawn = np.searchsorted(below, uniform * below[-1], side="right")
        drawn = np.minimum(drawn, documents - 1)
        first = _first_occurrences(drawn)
        place = np.cumsum(first, axis=1)
        complete = place[:, -1] >= width
        chosen = first & (place <= width) & complete[:, None]
        out[start : start + step][complete] = drawn[chosen].reshape(-1, width)
        for row in np.flatnonzero(~complete):
            known = drawn[row][first[row]]
            others = np.setdiff1d(np.arange(documents), known)
            hashed = mix(seed, keys[row], draws, others.astype(np.uint64))
            order = np.argsort(-reservoir_keys(hashed, weights[others]), kind="stable")
            out[start + row] = np.concatenate([known, others[order]])[:width]
    return out


def reservoir_keys(hashed: np.ndarray, weights: np.ndarray | float) -> np.ndarray:
    """log u / w of each row, (n,) float64: the largest are a sample without replacement.

    The logarithm of the keys u^(1/w) of Efraimidis and Spirakis (IPL 97:181, 2006), with u from
    `hashed`, (n,) uint64.
    """
    return np.asarray(np.log(_uniform(hashed)) / weights)


def _uniform(hashed: np.ndarray) -> np.ndarray:
    """Numbers in (0, 1), (n,) float64, of the high 53 bits."""
    return ((hashed >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53


def _draw(seed: int, keys: np.ndarray, documents: int, draws: int) -> np.ndarray:
    hashed = mix(seed, keys[:, None], np.arange(draws, dtype=np.uint64)[None, :])
    n = np.uint64(documents)
    high = ((hashed >> _HALF) * n + (((hashed & _LOW) * n) >> _HALF)) >> _HALF
    return high.astype(np.int64)


def _first_occurrences(rows: np.ndarray) -> np.ndarray:
    order = np.argsort(rows, axis=1, kind="stable")
    ordered = np.take_along_axis(rows, order, axis=1)
    first = np.ones(rows.shape, dtype=bool)
    first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    out = np.empty_like(first)
    np.put_along_axis(out, order, first, axis=1)
    return out
