"""Judged pairs of a block of queries as arrays: what policies test and tiers take from."""

from dataclasses import dataclass

import numpy as np

from negmine.schemas.sources import MADE, RETRIEVING


@dataclass(frozen=True)
class Pairs:
    """Judged pairs of a block, sorted by query; all arrays (n,), see `schemas.tables.JUDGED`.

    `query` numbers the block's queries from 0, `query_ix` is their position in the collection.
    `dense` and `cosine`, the student's similarity and the cosine of query and document, are NaN
    where a vector is zero. `judge` is NaN where a pair was not judged; ranks are 0 where the source
    did not return the pair, and so is `hub_place` where it was not counted. `translation_place` is
    that of a candidate by cosine with a positive among those of its language, 0 where a positive is
    in that language, or none is known.
    `query_language` is that of the query as `kernels.languages` numbers it, 0 where none is known.
    """

    query: np.ndarray
    doc_ix: np.ndarray
    is_positive: np.ndarray
    own_positive: np.ndarray
    dense: np.ndarray
    cosine: np.ndarray
    judge: np.ndarray
    ranks: dict[str, np.ndarray]
    positive_cosine: np.ndarray
    positive_jaccard: np.ndarray
    same_text_as_positive: np.ndarray
    same_text_as_query: np.ndarray
    same_id_as_query: np.ndarray
    query_jaccard: np.ndarray
    text_key: np.ndarray
    pair_key: np.ndarray
    bm25: np.ndarray
    neighbour_cosine: np.ndarray
    in_evaluation: np.ndarray
    hub_place: np.ndarray
    confirmed_negative: np.ndarray
    query_ix: np.ndarray
    translation_place: np.ndarray
    query_language: np.ndarray

    @property
    def retrieved(self) -> np.ndarray:
        """(n,) bool: a source that retrieves returned the pair."""
        return np.any([self.ranks[source] > 0 for source in RETRIEVING], axis=0)

    @property
    def made(self) -> np.ndarray:
        """(n,) bool: the document was made from a positive, by an edit."""
        return np.any([self.ranks[source] > 0 for source in MADE], axis=0)

    @property
    def queries(self) -> int:
        """Number of queries in the block."""
        return int(self.query[-1]) + 1 if len(self.query) else 0
