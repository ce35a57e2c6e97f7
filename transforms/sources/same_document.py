"""Other passages of the documents that a query's positives are passages of."""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from negmine.transforms.data.blocks import Block
from negmine.transforms.data.columns import array_column, binary_column
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.data.parts import BlockTransform
from negmine.transforms.kernels.hashing import mix
from negmine.transforms.sources.drawn import first_of_each


class Passages(NamedTuple):
    """Of each document its group (0 for none), place (-1 for unknown) and bytes, (n,) each."""

    group: np.ndarray
    place: np.ndarray
    length: np.ndarray


def others(
    passages: Passages, positives: np.ndarray, members: np.ndarray, window: int
) -> tuple[np.ndarray, np.ndarray]:
    """The passages around some positives that are far enough from each of them.

    What follows a passage within a window of 2 carries its meaning on (contextual sentence
    prediction trains on such pairs as positives, arXiv 2206.03281), so it is no negative. Where a
    place is not known neither is the distance, and a window leaves the passage out.

    Args:
        passages: of the whole corpus.
        positives: (p,) doc_ix of a query's positives.
        members: (m,) doc_ix of all passages of their documents.
        window: passages on each side of a positive that are left out.

    Returns:
        (n,) doc_ix and (n,) int64, by how many powers of two the length differs from that of the
        positive of the document that is nearest in length.
    """
    found = np.setdiff1d(members, positives)
    same = passages.group[found][:, None] == passages.group[positives][None, :]
    here, there = passages.place[found][:, None], passages.place[positives][None, :]
    if window:
        near = (np.abs(here - there) <= window) | (here < 0) | (there < 0)
        far = ~(same & near).any(axis=1)
        found, same = found[far], same[far]
    lengths = [np.log2(np.maximum(passages.length[rows], 1)) for rows in (found, positives)]
    apart = np.where(same, np.abs(lengths[0][:, None] - lengths[1][None, :]), np.inf)
    return found, np.floor(apart.min(axis=1, initial=np.inf)).astype(np.int64)


@dataclass
class FromSameDocument(BlockTransform):
    """Passages of the positives' documents, as `tables.CANDIDATES`.

    Those within a factor of two of the positive's length come first, then within four and so on
    (RankGen, arXiv 2205.09726, matches lengths), among these by keyed hash.
    """

    queries: Dataset
    documents: Dataset
    positives: Dataset
    count: int
    window: int
    seed: int

    def table(self, block: Block) -> pa.Table:
        passages, (groups, members) = _passages(self.documents), _members(self.documents)
        table = self.positives.read_queries(block, ["query_ix", "doc_ix"])
        query_ix, doc_ix = (column.to_numpy() for column in table.columns)
        found = [(np.empty(0, np.int64),) * 3]
        bounds = np.flatnonzero(np.diff(query_ix)) + 1
        for rows in np.split(np.arange(len(query_ix)), bounds) if len(query_ix) else []:
            grouped = doc_ix[rows][passages.group[doc_ix[rows]] != 0]
            own = np.unique(passages.group[grouped])
            low, high = (np.searchsorted(groups, own, side) for side in ("left", "right"))
            around = [members[a:b] for a, b in zip(low, high, strict=True)]
            if around:
                kept, apart = others(passages, grouped, np.concatenate(around), self.window)
                found.append((np.full(len(kept), query_ix[rows[0]]), kept, apart))
        query, document, apart = map(np.concatenate, zip(*found, strict=True))
        keys = array_column(self.queries, "query_key")[query]
        drawn = mix(self.seed, keys, array_column(self.documents, "doc_key")[document])
        return first_of_each(query, document, (apart, drawn), self.count)


def _passages(documents: Dataset) -> Passages:
    ends = binary_column(documents, "text").ends
    group, place = (array_column(documents, name) for name in ("group_key", "place"))
    return Passages(group, place, np.diff(ends, prepend=0))


@lru_cache(maxsize=2)
def _members(documents: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Groups, ascending, and the documents that have them."""
    group = array_column(documents, "group_key")
    rows = np.flatnonzero(group != 0)
    rows = rows[np.argsort(group[rows], kind="stable")]
    return group[rows], rows
