"""How far to trust given pairs: each positive's ratio margin under the student's vectors."""

from dataclasses import dataclass

import numpy as np

from negmine.transforms.data.columns import array_column
from negmine.transforms.kernels.measures.margins import Confidence, Margins
from negmine.transforms.pairs.features import Collection


@dataclass(frozen=True)
class PairConfidence:
    """The known positives and what is known of them, all arrays (p,), by query and document.

    `grade` is float32, NaN where none is stated.
    """

    query_ix: np.ndarray
    doc_ix: np.ndarray
    own: np.ndarray
    found: Confidence
    grade: np.ndarray

    @classmethod
    def of(cls, collection: Collection) -> "PairConfidence":
        """Of all positives of a collection, among its queries and the documents of its corpus.

        Memory holds the student's vectors, and each side is searched for the other's neighbours.
        """
        table = collection.positives.read(["query_ix", "doc_ix", "own", "grade"])
        query_ix, doc_ix, own = (table.column(n).to_numpy() for n in ("query_ix", "doc_ix", "own"))
        grade = table.column("grade").fill_null(float("nan")).to_numpy()
        queries = np.asarray(array_column(collection.query_vectors, "vector")[:])
        documents = np.asarray(collection.corpus_vectors)
        margins = Margins.of(queries, documents)
        return cls(query_ix, doc_ix, own, Confidence.of(margins, query_ix, doc_ix), grade)

    def weights(self, query_ix: np.ndarray, doc_ix: np.ndarray) -> np.ndarray:
        """`pair_weight` of some of these pairs, (n,) float32."""
        most = max(int(self.doc_ix.max(initial=0)), int(doc_ix.max(initial=0))) + 1
        keys = self.query_ix * most + self.doc_ix
        at = np.searchsorted(keys, query_ix * most + doc_ix)
        return np.asarray(self.found.weight[at])
