"""The cross-encoder: texts read pair by pair, scores kept for every later run."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from negmine.transforms.data.columns import array_column, binary_column
from negmine.transforms.judging.pair_scores import PairScoreStore
from negmine.transforms.judging.protocol import BlockPairs, Scorer
from negmine.transforms.models.judges import load_cross_encoder
from negmine.transforms.models.specs import CrossEncoderSpec


@dataclass(frozen=True)
class CrossEncoder:
    """Scores pairs of texts, and only those that the store of earlier scores does not hold.

    Attributes:
        spec: the model.
        store: directory of the pair scores of this model and maximal length.
    """

    spec: CrossEncoderSpec
    store: str
    lazy: bool = True

    def bind(self, rows: BlockPairs) -> Scorer:
        return _Scorer(self, rows)


class _Scorer:
    parts: Mapping[str, np.ndarray] = MappingProxyType({})

    def __init__(self, judge: CrossEncoder, rows: BlockPairs) -> None:
        self.spec = judge.spec
        self.rows = rows
        self.store = PairScoreStore(judge.store)
        candidates, collection = rows.candidates, rows.collection
        self.query = array_column(collection.query_vectors, "text_hash")[candidates.query_ix]
        self.document = array_column(collection.document_vectors, "text_hash")[candidates.doc_ix]
        self.known = self.store.read(self.query, self.document)

    def score(self, rows: np.ndarray) -> np.ndarray:
        missing = rows[np.isnan(self.known[rows])]
        if len(missing):
            found = self._score_texts(missing)
            self.known[missing] = found
            self.store.write(self.query[missing], self.document[missing], found)
        return self.known[rows]

    def _score_texts(self, rows: np.ndarray) -> np.ndarray:
        """Scores of the rows (m,), every distinct pair of texts read once."""
        keys = np.stack([self.query[rows], self.document[rows]], axis=1)
        _, first, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
        candidates, collection = self.rows.candidates, self.rows.collection
        distinct = rows[first]
        queries = binary_column(collection.queries, "text").texts(candidates.query_ix[distinct])
        documents = binary_column(collection.documents, "text").texts(candidates.doc_ix[distinct])
        pairs = list(zip(queries, documents, strict=True))
        return load_cross_encoder(self.spec).score(pairs)[inverse.ravel()]

    def close(self) -> None:
        self.store.consolidate()
