"""An epoch's batches: cells of like pairs, communities grown in each, packed together by lot."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from negmine.transforms.kernels.batching.cells import cells
from negmine.transforms.kernels.batching.cosines import whole
from negmine.transforms.kernels.batching.growing import grow
from negmine.transforms.kernels.batching.packing import pack
from negmine.transforms.kernels.batching.suspects import Suspects, together
from negmine.transforms.kernels.hashing import mix

MOST_IN_CELL = 4096
"""Pairs of a cell, whose similarities are held at once: 64 MiB."""


class Vectors(Protocol):
    """Vectors (., d) looked up by positions: an array, or what reads one in pieces."""

    def __getitem__(self, positions: np.ndarray) -> np.ndarray:
        """Those at positions (m,): (m, d)."""


@dataclass(frozen=True)
class TrainingPairs:
    """Pairs of a query and one of its positives, of which batches are made; all arrays (n,).

    Attributes:
        query, document: int64 positions of their vectors.
        text: int32 number of the positive's text; equal texts share it.
        key: uint64 that keys all draws.
    """

    query: np.ndarray
    document: np.ndarray
    text: np.ndarray
    key: np.ndarray

    def __len__(self) -> int:
        return len(self.query)

    def in_one_batch(
        self, suspects: Suspects, order: np.ndarray, size: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Places in an order, `size` a batch, that should not share one; see `together`."""
        batch = np.arange(len(order)) // size
        return together(suspects, self.query[order], self.text[order], batch)


def compose(
    pairs: TrainingPairs,
    queries: Vectors,
    documents: Vectors,
    apart: Suspects,
    size: int,
    hardness: float,
    seed: int,
    epoch: int,
) -> np.ndarray:
    """An order of the pairs, each `size` of which are a batch; only the last may be short.

    Batches are packed of communities, pairs whose positives are hard for each other's queries.
    The same arguments give the same order; another epoch or seed gives another. Memory holds a cell
    of MOST_IN_CELL pairs, or one community where that is larger.

    Args:
        pairs: what is put together.
        queries, documents: the student's vectors.
        apart: what may answer each query; such pairs share a batch where nothing else is left.
        size: pairs in a batch.
        hardness: pairs of a community over `size`, in [0, 1]: 1 = a batch is one, 0 = chance.
        seed, epoch: key the draws.

    Returns:
        (n,) int64 rows of the pairs.
    """
    lots = mix(seed, epoch, pairs.key)
    community = max(1, round(hardness * size))

    def take(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return whole(queries[pairs.query[rows]]), whole(documents[pairs.document[rows]])

    found = [np.argsort(lots, kind="stable")]
    if community > 1:
        found = []
        for rows in cells(take, pairs.key, MOST_IN_CELL, community, int(mix(seed, epoch))):
            if len(rows) > community:
                group = np.zeros(len(rows), dtype=np.int64)
                near = together(apart, pairs.query[rows], pairs.text[rows], group)
                rows = rows[grow(*take(rows), near, community, lots[rows])]
            found.append(rows)
    order = np.concatenate(found)

    def clashes(order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return pairs.in_one_batch(apart, order, size)

    return pack(order, lots, community, size, clashes)
