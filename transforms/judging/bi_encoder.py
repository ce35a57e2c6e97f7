"""The bi-encoder: cosine of vectors, each query under the model that was trained without it."""

from dataclasses import dataclass

import numpy as np

from negmine.transforms.data.columns import array_column
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.judging.protocol import BlockPairs, FixedScores, Scorer
from negmine.transforms.kernels.folds import folds
from negmine.transforms.kernels.measures.geometry import cosines
from negmine.transforms.models.failures import refuse_nan
from negmine.transforms.pairs.features import PAIRS_AT_ONCE, HeldRows


@dataclass(frozen=True)
class BiEncoder:
    """Cosine of query and document, all pairs; a zero vector counts as cosine 0.

    Attributes:
        document_vectors, query_vectors: one data set a fold, of the model that judges its queries;
            one in all where there are no folds.
    """

    document_vectors: tuple[Dataset, ...]
    query_vectors: tuple[Dataset, ...]
    lazy: bool = False

    def bind(self, rows: BlockPairs) -> Scorer:
        query_ix, doc_ix = rows.candidates.query_ix, rows.candidates.doc_ix
        scores = np.zeros(len(rows), dtype=np.float32)
        keys = array_column(rows.collection.queries, "text_key")[query_ix]
        fold = folds(keys, len(self.document_vectors))
        sets = zip(self.document_vectors, self.query_vectors, strict=True)
        for number, (documents, queries) in enumerate(sets):
            mine = np.flatnonzero(fold == number)
            held = HeldRows.of(documents, "vector", doc_ix[mine])
            asked = array_column(queries, "vector")
            for start in range(0, len(mine), PAIRS_AT_ONCE):
                some = mine[start : start + PAIRS_AT_ONCE]
                scores[some] = cosines(asked[query_ix[some]], held[doc_ix[some]])
        refuse_nan(scores, "the bi-encoder")
        return FixedScores(scores)
