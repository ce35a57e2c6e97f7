"""Geometry of the student's embeddings: tolerance, length bias, and what whitening finds."""

from collections.abc import Iterator

import numpy as np

from negmine.transforms.data.columns import array_column, release_pages
from negmine.transforms.kernels.groups import position_in_group
from negmine.transforms.kernels.hashing import mix
from negmine.transforms.kernels.measures.descriptive import auc_interval
from negmine.transforms.kernels.measures.geometry import cosines, length_bias
from negmine.transforms.kernels.search.ann import recall
from negmine.transforms.kernels.search.dense import exact_top_k
from negmine.transforms.kernels.search.random_documents import random_documents
from negmine.transforms.kernels.search.reduction import Kind, Reduced, Reduction
from negmine.transforms.metrics.rows import Row
from negmine.transforms.pairs.features import Collection
from negmine.transforms.sources.lexicon import Lexicon

PAIRS = 10_000
CROWDED = 0.5
"""Anisotropy from which on it is measured what fewer dimensions would find."""
SAMPLED, ASKED, FOUND = 8_192, 200, 10
_TOLERANCE_KEY, _LENGTH_KEY, _SAMPLE_KEY = 0x546F6C, 0x4C656E, 0x536D70
_AT_ONCE = 16_384
_KINDS: tuple[Kind, ...] = ("prefix", "pca", "whitening")


def tolerance_rows(collection: Collection, seed: int) -> Iterator[Row]:
    """tolerance: mean cosine of two positives of one query, from a keyed pair of each."""
    table = collection.positives.read(["query_ix", "doc_ix"])
    query, document = (column.to_numpy() for column in table.columns)
    order = np.lexsort((document, mix(_TOLERANCE_KEY, seed, query, document), query))
    query, document = query[order], document[order]
    place = position_in_group(query)
    second = np.flatnonzero(place == 1)
    lot = mix(_TOLERANCE_KEY, seed, query[second])
    second = second[np.lexsort((query[second], lot))[:PAIRS]]
    if len(second):
        vectors = array_column(collection.document_vectors, "vector")
        cosine = paired_cosines(vectors, vectors, document[second - 1], document[second])
        yield Row("tolerance", float(np.sort(cosine).mean()), len(second))


def length_bias_rows(collection: Collection, lexicon: Lexicon, seed: int) -> Iterator[Row]:
    """length_bias and length_bias_auc: two keyed random documents for each of 10,000 draws of a
    query."""
    documents = collection.corpus_vectors
    queries = array_column(collection.query_vectors, "vector")
    if len(documents) < 2 or not len(queries):
        return
    keys = mix(_LENGTH_KEY, np.arange(PAIRS, dtype=np.uint64))
    pairs = random_documents(seed, keys, len(documents), 2)
    asked = random_documents(seed, mix(keys, 1), len(queries), 1)[:, 0]
    score = [paired_cosines(queries, documents, asked, pairs[:, at]) for at in (0, 1)]
    length = [np.log1p(lexicon.lengths[pairs[:, at]].astype(np.float64)) for at in (0, 1)]
    found = length_bias(score[0] - score[1], length[0] - length[1])
    if found is None:
        return
    low, high = auc_interval(found.auc, found.pairs, found.pairs)
    yield Row("length_bias", found.correlation, found.pairs)
    yield Row("length_bias_auc", found.auc, found.pairs, low=low, high=high)


def crowded_rows(collection: Collection, anisotropy: float, seed: int) -> Iterator[Row]:
    """first_pass_recall by kind, where random documents have a cosine above CROWDED.

    Of 8,192 documents and 200 queries, drawn by key, the share of the ten nearest that a first pass
    in half the dimensions finds, 40 of it scored in full.
    """
    if anisotropy <= CROWDED:
        return
    vectors = collection.corpus_vectors
    asked = array_column(collection.query_vectors, "vector")
    keys = mix(_SAMPLE_KEY, np.arange(2, dtype=np.uint64))
    rows = np.sort(random_documents(seed, keys[:1], len(vectors), SAMPLED)[0])
    some = np.sort(random_documents(seed, keys[1:], len(asked), ASKED)[0])
    documents, queries = np.asarray(vectors[rows]), np.asarray(asked[some])
    release_pages()
    count, width = min(FOUND, len(documents)), documents.shape[1]
    if width < 4 or len(documents) <= 4 * FOUND:
        return
    exact = exact_top_k(queries, documents, count)
    for kind in _KINDS:
        try:
            reduction = Reduction.fit(kind, width // 2, documents)
        except ValueError:  # the vectors vary in fewer dimensions
            continue
        reduced = Reduced.of(reduction.documents(documents))
        found = reduced.find(reduction, queries, documents, count, 4.0)
        share = float(recall(found.ids, exact.ids).mean())
        yield Row("first_pass_recall", share, len(queries), key=kind)


def paired_cosines(
    left: np.ndarray, right: np.ndarray, left_ix: np.ndarray, right_ix: np.ndarray
) -> np.ndarray:
    """Cosines of rows of two columns of vectors, paired by position, (n,) float64."""
    out = np.empty(len(left_ix))
    for start in range(0, len(out), _AT_ONCE):
        release_pages()
        part = slice(start, start + _AT_ONCE)
        out[part] = cosines(left[left_ix[part]], right[right_ix[part]])
    return out
