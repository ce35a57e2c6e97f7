"""How the corpus is used: documents, hubs, and documents that belong to an evaluation split."""

from collections.abc import Iterator

import numpy as np

from negmine.transforms.data.columns import array_column, binary_column
from negmine.transforms.kernels.measures.descriptive import gini
from negmine.transforms.metrics.inputs import Negatives
from negmine.transforms.metrics.rows import Row
from negmine.transforms.pairs.features import Collection

HUBS = 20


def corpus_rows(negatives: Negatives, collection: Collection) -> Iterator[Row]:
    """corpus_used, gini, hub and evaluation_documents."""
    in_evaluation = array_column(collection.documents, "in_evaluation")
    used, times = np.unique(negatives.doc_ix, return_counts=True)
    documents = len(in_evaluation)
    yield Row("corpus_used", len(used) / max(documents, 1), documents)
    yield Row("gini", gini(times), len(used))
    most = np.lexsort((used, -times))[:HUBS]
    names = binary_column(collection.documents, "doc_id").texts(used[most])
    for name, count in zip(names, times[most].tolist(), strict=True):
        yield Row("hub", float(count), len(negatives), key=name)
    inside = int(in_evaluation[negatives.doc_ix].sum())
    yield Row("evaluation_documents", float(inside), len(negatives))
