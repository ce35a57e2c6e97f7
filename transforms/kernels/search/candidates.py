"""Union of the sources' candidates and the known positives, one row for each pair."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from negmine.schemas.verdicts import Source


@dataclass(frozen=True)
class Ranked:
    """Candidates of one source: (n,) arrays; `rank` from 1, `score` float32."""

    query_ix: np.ndarray
    doc_ix: np.ndarray
    rank: np.ndarray
    score: np.ndarray


@dataclass(frozen=True)
class Candidates:
    """Distinct (query, document) pairs, sorted by query_ix and doc_ix; all arrays (n,).

    `rank[source]` is int32, 0 where that source did not return the pair; `score[source]` float32.
    """

    query_ix: np.ndarray
    doc_ix: np.ndarray
    is_positive: np.ndarray
    rank: Mapping[str, np.ndarray]
    score: Mapping[str, np.ndarray]


def pair_keys(query_ix: np.ndarray, doc_ix: np.ndarray, documents: int) -> np.ndarray:
    """One int64 for each pair, ordered by query and then document."""
    return query_ix.astype(np.int64) * documents + doc_ix


def union(
    positive_query_ix: np.ndarray,
    positive_doc_ix: np.ndarray,
    sources: Mapping[str, Ranked],
    documents: int,
) -> Candidates:
    """Join the sources and the known positives; every pair appears once.

    Positives are rows too, retrieved or not: the judge scores them and the ledger shows them.
    """
    positive_keys = pair_keys(positive_query_ix, positive_doc_ix, documents)
    keys = {name: pair_keys(s.query_ix, s.doc_ix, documents) for name, s in sources.items()}
    everything = np.unique(np.concatenate([positive_keys, *keys.values()]))
    rank: dict[str, np.ndarray] = {}
    score: dict[str, np.ndarray] = {}
    for name in Source:
        rank[name] = np.zeros(len(everything), dtype=np.int32)
        score[name] = np.zeros(len(everything), dtype=np.float32)
        if name in sources:
            rows = np.searchsorted(everything, keys[name])
            rank[name][rows] = sources[name].rank
            score[name][rows] = sources[name].score
    return Candidates(
        query_ix=everything // documents,
        doc_ix=everything % documents,
        is_positive=np.isin(everything, positive_keys),
        rank=rank,
        score=score,
    )


def against_positives(
    query_ix: np.ndarray, positive_query_ix: np.ndarray, positive_doc_ix: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Every pair against each of its query's positives.

    Args:
        query_ix: (n,) queries of the pairs.
        positive_query_ix: (p,) ascending; positive_doc_ix: (p,).

    Returns:
        (rows, documents), each (m,): row of the pair, and the positive's doc_ix; rows ascend.
    """
    low = np.searchsorted(positive_query_ix, query_ix, side="left")
    high = np.searchsorted(positive_query_ix, query_ix, side="right")
    counts = high - low
    rows = np.repeat(np.arange(len(query_ix)), counts)
    within = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    return rows, positive_doc_ix[low[rows] + within]
