"""Geometry of the student's embeddings, and how many negatives of a query a softmax sees."""

from collections.abc import Iterator

import numpy as np

from negmine.transforms.data.columns import array_column
from negmine.transforms.kernels.hashing import mix
from negmine.transforms.kernels.measures.descriptive import effective_count
from negmine.transforms.kernels.measures.geometry import alignment, uniformity
from negmine.transforms.kernels.search.random_documents import random_documents
from negmine.transforms.metrics.inputs import Negatives
from negmine.transforms.metrics.rows import Row
from negmine.transforms.metrics.vectors.geometry import (
    PAIRS,
    crowded_rows,
    paired_cosines,
    tolerance_rows,
)
from negmine.transforms.pairs.features import Collection

TEMPERATURES = (0.01, 0.05, 0.1)
_KEY = 0x416E69736F74726F


def embedding_rows(negatives: Negatives, collection: Collection, seed: int) -> Iterator[Row]:
    """alignment, uniformity, anisotropy, tolerance, and first_pass_recall of crowded vectors.

    Uniformity and anisotropy are of 10,000 keyed pairs of documents.
    """
    documents = array_column(collection.document_vectors, "vector")
    queries = array_column(collection.query_vectors, "vector")
    served = negatives.served(np.arange(len(negatives)))
    if len(served):
        ends = negatives.query_ix[served], negatives.positive_ix[served]
        cosine = paired_cosines(queries, documents, *ends)
        yield Row("alignment", alignment(cosine), len(served))
    documents = collection.corpus_vectors
    if len(documents) > 1:
        keys = mix(_KEY, np.arange(PAIRS, dtype=np.uint64))
        pairs = random_documents(seed, keys, len(documents), 2)
        cosine = paired_cosines(documents, documents, pairs[:, 0], pairs[:, 1])
        yield Row("uniformity", uniformity(cosine), len(pairs))
        anisotropy = float(cosine.mean())
        yield Row("anisotropy", anisotropy, len(pairs))
        yield from crowded_rows(collection, anisotropy, seed)
    yield from tolerance_rows(collection, seed)


def softmax_rows(negatives: Negatives) -> Iterator[Row]:
    """effective_negatives at three temperatures."""
    distinct, query = np.unique(negatives.query_ix, return_inverse=True)
    for temperature in TEMPERATURES if len(distinct) else ():
        effective = effective_count(negatives.dense, query, temperature)
        yield Row("effective_negatives", float(effective.mean()), len(distinct), bin=temperature)
