"""The BM25 index and what is read from it.

It depends on the corpus and the language only; weights are computed when it is read.
"""

from negmine.transforms.sources.bm25.index import Bm25Index, IndexDocuments, SumTerms
from negmine.transforms.sources.bm25.scores import Bm25Scorer, OpenIndex, open_index

__all__ = ["Bm25Index", "Bm25Scorer", "IndexDocuments", "OpenIndex", "SumTerms", "open_index"]
