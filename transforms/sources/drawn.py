"""The first of each query's documents by an order of the source's own, as candidates."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from negmine.schemas import tables
from negmine.transforms.kernels.groups import position_in_group


def first_of_each(
    query_ix: np.ndarray, doc_ix: np.ndarray, order: Sequence[np.ndarray], count: int
) -> pa.Table:
    """The first `count` documents of each query, as `tables.CANDIDATES`, ranked from 1.

    Args:
        query_ix, doc_ix: (n,) int64, each pair once.
        order: what comes first: lowest by the first array, then the second; then by doc_ix.
    """
    rows = np.lexsort((doc_ix, *reversed(order), query_ix))
    place = position_in_group(query_ix[rows])
    rows, place = rows[place < count], place[place < count]
    columns = [query_ix[rows], doc_ix[rows], (place + 1).astype(np.int32)]
    scores = np.zeros(len(rows), dtype=np.float32)
    return pa.Table.from_arrays(
        [*map(pa.array, columns), pa.array(scores)], tables.CANDIDATES.names
    )
