"""How many candidates and pairs a run has: bounds, and what the disk already tells."""

from collections.abc import Sequence

import numpy as np

from negmine.schemas.config import Config
from negmine.schemas.judges import Cascade, CrossEncoder, Judge, Precomputed
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.kernels.search.candidates import pair_keys


def most_candidates(config: Config, documents: int, given: int = 0) -> int:
    """Candidates of a query when no two sources agree.

    That is the sum of depths, random count and the candidates `given` for a query.
    """
    return min(documents, config.sources.most_candidates(given))


def pairs_read(
    judge: Judge, positives: int, queries: int, quota: int, pairs: int
) -> tuple[int, int]:
    """Fewest and most pairs that the cross-encoders of a judge read.

    A judge that is read lazily scores every positive and, at best, a quota for each query; behind
    a cascade or as a fallback it may be asked for less.

    Args:
        judge: the judge.
        positives, queries: of the collection.
        quota: negatives asked for per query.
        pairs: candidates and positives of all queries.
    """
    if isinstance(judge, CrossEncoder):
        return min(pairs, positives + queries * quota), pairs
    found = [pairs_read(part, positives, queries, quota, pairs) for part in judge.parts]
    least = [low for low, _ in found]
    if isinstance(judge, Cascade):
        least[1] = min(least[1], positives)
    if isinstance(judge, Precomputed):
        least = [0]
    return sum(least), sum(high for _, high in found)


def union_size(datasets: Sequence[Dataset], documents: int, queries: int) -> int | None:
    """Distinct pairs of data sets sorted by query, estimated from their first part.

    None where a data set is not there yet.
    """
    if not datasets or not all(dataset.finished for dataset in datasets):
        return None
    block = min((dataset.blocks()[0] for dataset in datasets), key=lambda b: b.stop)
    keys = []
    for dataset in datasets:
        table = dataset.read_queries(block, ["query_ix", "doc_ix"])
        query_ix, doc_ix = (column.to_numpy() for column in table.columns)
        keys.append(pair_keys(query_ix, doc_ix, documents))
    found = len(np.unique(np.concatenate(keys)))
    return round(found * queries / max(block.stop - block.start, 1))
