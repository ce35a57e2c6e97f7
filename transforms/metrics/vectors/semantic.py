"""`eci_sem_recon` of the run and its tiers, with its parts, on a keyed sample of triples."""

from collections.abc import Iterator

import numpy as np

from negmine.transforms.data.columns import array_column, release_pages
from negmine.transforms.kernels.eci import SemanticWeights, eci_sem_recon, semantic_weights
from negmine.transforms.kernels.hashing import mix
from negmine.transforms.kernels.measures.geometry import cosines, unit_residuals
from negmine.transforms.kernels.measures.residuality import residuality
from negmine.transforms.metrics.inputs import Negatives
from negmine.transforms.metrics.rows import Row
from negmine.transforms.pairs.features import Collection
from negmine.transforms.sources.lexicon import Lexicon

TRIPLES = 10_000
_KEY = 0x547269706C65
_AT_ONCE = 8192


def semantic_rows(
    negatives: Negatives, collection: Collection, lexicon: Lexicon, seed: int
) -> Iterator[Row]:
    """eci_sem_recon, its trace, participation_ratio, consistency, locality and residuality."""
    key = mix(_KEY, seed, negatives.query_ix, negatives.doc_ix)
    for scope in negatives.by_tier():
        if not len(scope.rows):
            continue
        drawn = np.lexsort((scope.rows, key[scope.rows]))[:TRIPLES]
        rows = np.sort(scope.rows[drawn])
        weights, residual = _triples(negatives.take(rows), collection, lexicon)
        found = eci_sem_recon(weights.weight, residual)
        values = {
            "eci_sem_recon": found.score,
            "eci_sem_recon_trace": found.trace,
            "participation_ratio": found.participation_ratio,
            "consistency": float(weights.consistency.mean()),
            "locality": float(weights.locality.mean()),
            "residuality": float(weights.residuality.mean()),
        }
        for name, value in values.items():
            yield Row(name, value, len(rows), scope.tier)


def _triples(
    sample: Negatives, collection: Collection, lexicon: Lexicon
) -> tuple[SemanticWeights, np.ndarray]:
    """Weights and unit residuals (n, d) of triples."""
    documents = array_column(collection.document_vectors, "vector")
    queries = array_column(collection.query_vectors, "vector")
    positive, negative = np.empty(len(sample)), np.empty(len(sample))
    residual = np.empty((len(sample), documents.shape[1]), dtype=np.float32)
    for start in range(0, len(sample), _AT_ONCE):
        release_pages()
        part = slice(start, start + _AT_ONCE)
        q = queries[sample.query_ix[part]]
        p, n = documents[sample.positive_ix[part]], documents[sample.doc_ix[part]]
        positive[part], negative[part] = cosines(q, p), cosines(q, n)
        residual[part] = unit_residuals(n, p)
    new = residuality(
        lexicon.documents(sample.doc_ix),
        lexicon.documents(sample.positive_ix),
        lexicon.queries(sample.query_ix),
        lexicon.idf,
    )
    return semantic_weights(positive, negative, new), residual
