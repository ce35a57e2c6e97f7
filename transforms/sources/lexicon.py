"""Terms of documents and queries, from the BM25 index."""

import numpy as np
from scipy import sparse

from negmine.transforms.data.columns import binary_column
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.data.languages import codes_at
from negmine.transforms.kernels.measures.shortcut import idf_share
from negmine.transforms.kernels.search.bm25 import Queries
from negmine.transforms.kernels.tokenise import AUTO
from negmine.transforms.sources.bm25 import Bm25Scorer, open_index

_AT_ONCE = 8192


class Lexicon:
    """What the lexical metrics look up: terms, their `idf` (terms,) and documents' `lengths`."""

    def __init__(self, bm25: Bm25Scorer, queries: Dataset) -> None:
        self._index = open_index(bm25.index, bm25.config)
        self._language = bm25.config.language
        self._queries = queries
        self.idf = np.maximum(self._index.idf, 0.0)
        self.lengths = self._index.lengths

    def documents(self, doc_ix: np.ndarray) -> sparse.csr_array:
        """Terms of documents, CSR of (n, terms); values are BM25 weights."""
        return self._index.document_terms(doc_ix)

    def queries(self, query_ix: np.ndarray) -> sparse.csr_array:
        """Different terms of queries, CSR of (n, terms) of ones."""
        distinct, row = np.unique(query_ix, return_inverse=True)
        numbers, offsets = self._numbers(distinct)
        shape = (len(distinct), len(self.idf))
        matrix = sparse.csr_array((np.ones(len(numbers)), numbers, offsets), shape=shape)
        matrix.sum_duplicates()
        return matrix[row]

    def overlap(self, query_ix: np.ndarray, doc_ix: np.ndarray) -> np.ndarray:
        """IDF-weighted share of each query's terms that its document holds, (n,) float32."""
        distinct, row = np.unique(query_ix, return_inverse=True)
        queries = self._numbers(distinct)
        out = np.empty(len(doc_ix), dtype=np.float32)
        for start in range(0, len(out), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            out[part] = idf_share(self.documents(doc_ix[part]), queries, row[part], self.idf)
        return out

    def _numbers(self, query_ix: np.ndarray) -> Queries:
        texts = binary_column(self._queries, "text").texts(query_ix)
        own = codes_at(self._queries, query_ix) if self._language == AUTO else None
        return self._index.queries(texts, self._language, own)
