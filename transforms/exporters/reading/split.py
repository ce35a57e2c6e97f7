"""Which queries are held back: whole groups that share positives or are near-duplicates."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from negmine.schemas import JsonObject
from negmine.schemas.errors import ConfigError, DataError
from negmine.transforms.exporters.reading.block import QueryBlock
from negmine.transforms.exporters.reading.rows import RunNegatives
from negmine.transforms.kernels.hashing import mix, text_keys
from negmine.transforms.kernels.near_duplicates import (
    jaccard,
    minhash_jaccard,
    shingles,
    sketches,
)

NEAR = 0.7
"""Jaccard similarity of two queries' shingles, from which on they go to one side."""

_KEY = 0x73706C6974
_TEXTS_AT_ONCE = 16_384
_NEXT = 8
_NOISE = 0.12
"""The estimate of a Jaccard of .7 from 128 values is further off than that once in 300 times."""


@dataclass(frozen=True)
class HeldBack:
    """The queries of the smaller side, by identifier, and how they were found.

    `groups` of queries that belong together, `largest` the queries of the largest one.
    """

    name: str
    ids: pa.Array
    queries: int
    groups: int
    largest: int

    def inside(self, block: QueryBlock) -> np.ndarray:
        """Which queries of a block are held back, (q,) bool."""
        return np.asarray(pc.is_in(block.query_ids, self.ids).to_numpy(zero_copy_only=False))

    def as_json(self) -> JsonObject:
        """The facts as they stand in the report."""
        counted = {"queries": len(self.ids), "of": self.queries}
        return {"name": self.name, **counted, "groups": self.groups, "largest": self.largest}


def parse_split(text: str) -> tuple[str, float]:
    """Name and share of `val=0.05`. Raises ConfigError for anything else."""
    name, _, share = text.partition("=")
    try:
        value = float(share)
    except ValueError:
        value = 0.0
    if not name.isidentifier() or name == "train" or not 0 < value < 1:
        raise ConfigError(
            f"--split {text!r:.40}: write NAME=SHARE, a name other than train and a share of the "
            "queries between 0 and 1, as in val=0.05"
        )
    return name, value


def hold_back(rows: RunNegatives, name: str, share: float) -> HeldBack:
    """Queries to hold back, at most so great a share, by a keyed hash of seed and query.

    Queries that share a positive, and those whose texts are near-duplicates by their shingles
    (not by meaning), form groups, and a group is never cut. Raises DataError where every group is
    too large.
    """
    table = rows.query_texts()
    ids = table["query_id"].combine_chunks()
    count = len(ids)
    group = _groups(rows, ids, table["query"])
    keys = text_keys(ids.to_pylist())
    sizes = np.bincount(group)
    lots = np.full(len(sizes), np.iinfo(np.uint64).max, dtype=np.uint64)
    np.minimum.at(lots, group, mix(_KEY, rows.source.seed, keys))
    room = max(1, round(share * count))
    taken = np.zeros(len(sizes), dtype=bool)
    for at in np.argsort(lots, kind="stable"):
        if sizes[at] <= room:
            taken[at] = True
            room -= int(sizes[at])
        if not room:
            break
    if not taken.any() or taken.all():
        raise DataError(
            f"the {count:,} queries cannot be split at {share:g}: they form {len(sizes):,} groups "
            f"that share positives or are near-duplicates, the largest of {int(sizes.max()):,}; "
            "give another share"
        )
    held = ids.filter(pa.array(taken[group]))
    return HeldBack(name, held, count, len(sizes), int(sizes.max()))


def _groups(rows: RunNegatives, ids: pa.Array, texts: pa.ChunkedArray) -> np.ndarray:
    """Number of each query's group, (q,) int."""
    count = len(ids)
    pairs = rows.positive_keys()
    query = pc.index_in(pairs["query_id"].combine_chunks(), ids)
    known = query.is_valid()
    left, right, nodes = [], [], count
    for name in ("positive_id", "key"):
        positive = pairs[name].combine_chunks().filter(known).dictionary_encode()
        left.append(query.filter(known).to_numpy().astype(np.int64))
        right.append(nodes + positive.indices.to_numpy().astype(np.int64))
        nodes += len(positive.dictionary)
    for one, other in _near(texts):
        left.append(one)
        right.append(other)
    start, end = np.concatenate(left), np.concatenate(right)
    graph = sparse.coo_array((np.ones(len(start), dtype=bool), (start, end)), (nodes, nodes))
    _, labels = connected_components(graph, directed=False)
    _, group = np.unique(labels[:count], return_inverse=True)
    return np.asarray(group)


def _near(texts: pa.ChunkedArray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Pairs of queries, by row, whose texts are near-duplicates."""
    found = [
        sketches(texts.slice(start, _TEXTS_AT_ONCE).to_pylist())[1]
        for start in range(0, len(texts), _TEXTS_AT_ONCE)
    ]
    values = np.concatenate(found)
    edges = []
    # 32 bands of four values, one uint32 each: texts of a Jaccard of .7 agree in one of them with a
    # chance of 99.9 %. Of a band's texts each is compared with the next few, not with all.
    for band in np.ascontiguousarray(values).view(np.uint32).T:
        order = np.argsort(band, kind="stable")
        for step in range(1, min(_NEXT, len(order) - 1) + 1):
            same = np.flatnonzero(band[order[step:]] == band[order[:-step]])
            if not len(same):
                break
            one, other = order[same], order[same + step]
            near = _alike(texts, values, one, other)
            edges.append((one[near], other[near]))
    return edges


def _alike(
    texts: pa.ChunkedArray, values: np.ndarray, one: np.ndarray, other: np.ndarray
) -> np.ndarray:
    """Which pairs of rows have a Jaccard of NEAR and more; exact where the estimate may err."""
    estimate = minhash_jaccard(values[one], values[other])
    near = estimate >= NEAR
    for at in np.flatnonzero(np.abs(estimate - NEAR) < _NOISE):
        both = (shingles(texts[int(rows[at])].as_py()) for rows in (one, other))
        near[at] = jaccard(*both) >= NEAR
    return near
