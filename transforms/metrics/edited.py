"""How the student takes edits: what has become false above its positive, and probes below it."""

from collections.abc import Iterator

import numpy as np

from negmine.transforms.data.datasets import Dataset
from negmine.transforms.metrics.inputs import Negatives
from negmine.transforms.metrics.rows import Row
from negmine.transforms.pairs.features import Collection
from negmine.transforms.pairs.hold_out import wilson


def edited_rows(edits: Dataset, negatives: Negatives, collection: Collection) -> Iterator[Row]:
    """edit_fooled, edit_drop, probe_drop and probe_below_negative, by operation.

    A probe is compared with the query's most similar negative that is no edit, where its positive
    is above that. Texts and positives with a zero vector do not count.
    """
    table = edits.read(["query_ix", "doc_ix", "positive_ix", "probe", "operation"])
    query_ix, doc_ix, positive_ix = (table.column(at).to_numpy() for at in range(3))
    probe = table.column("probe").to_numpy()
    operation = np.array(table.column("operation").to_pylist(), dtype=object)
    score = collection.similarity(query_ix, doc_ix)
    positive = collection.similarity(query_ix, positive_ix)
    drop = positive.astype(np.float64) - score
    known = ~np.isnan(drop)
    nearest = _nearest(negatives, doc_ix, query_ix)
    for name in sorted(set(operation[known & ~probe])):
        mine = known & ~probe & (operation == name)
        yield _share("edit_fooled", name, drop[mine] < 0)
        yield Row("edit_drop", float(drop[mine].mean()), int(mine.sum()), key=name)
    for name in sorted(set(operation[known & probe])):
        mine = known & probe & (operation == name)
        yield Row("probe_drop", float(drop[mine].mean()), int(mine.sum()), key=name)
        against = mine & (positive > nearest)
        if against.any():
            yield _share("probe_below_negative", name, (score < nearest)[against])


def _share(metric: str, operation: str, hit: np.ndarray) -> Row:
    low, high = wilson(int(hit.sum()), len(hit))
    return Row(metric, float(hit.mean()), len(hit), key=operation, low=low, high=high)


def _nearest(negatives: Negatives, made: np.ndarray, query_ix: np.ndarray) -> np.ndarray:
    """Highest similarity of a negative of each query that is none of those made; NaN for none."""
    highest = np.full(negatives.queries, -np.inf)
    rows = ~np.isin(negatives.doc_ix, made) & ~np.isnan(negatives.dense)
    np.maximum.at(highest, negatives.query_ix[rows], negatives.dense[rows])
    found = highest[query_ix]
    return np.where(np.isinf(found), np.nan, found)
