"""How each kind of judge scores the pairs of a block."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from schemas.verdicts import Source
from transforms.bm25_index import Bm25Scorer
from transforms.datasets import Dataset
from transforms.features import Collection
from transforms.kernels.candidates import Candidates
from transforms.kernels.late_interaction import mean_max_sim, z_scores
from transforms.models.judges import CrossEncoderSpec, load_cross_encoder, refuse_nan
from transforms.stores import array_column, binary_column


@dataclass(frozen=True)
class Scores:
    """Judge scores of a block's pairs, (n,) float32, NaN where none was needed, and their parts."""

    judge: np.ndarray
    bm25_pair: np.ndarray | None = None
    late_interaction: np.ndarray | None = None


class BlockJudge(Protocol):
    """Scores the pairs of a block of queries."""

    def score(
        self, collection: Collection, candidates: Candidates, dense: np.ndarray, wanted: np.ndarray
    ) -> Scores:
        """Score the wanted pairs.

        Args:
            collection: where texts and vectors are.
            candidates: the block's pairs.
            dense: (n,) float32 student similarity of each pair.
            wanted: (n,) bool; the rest may stay NaN.
        """
        ...


@dataclass(frozen=True)
class NoJudge:
    """Judges nothing; only for configs whose policies compare no judge scores."""

    def score(
        self, collection: Collection, candidates: Candidates, dense: np.ndarray, wanted: np.ndarray
    ) -> Scores:
        return Scores(np.full(len(dense), np.nan, dtype=np.float32))


@dataclass(frozen=True)
class CrossEncoder:
    """Scores each distinct wanted pair of texts once."""

    spec: CrossEncoderSpec

    def score(
        self, collection: Collection, candidates: Candidates, dense: np.ndarray, wanted: np.ndarray
    ) -> Scores:
        rows = np.flatnonzero(wanted)
        queries = binary_column(collection.queries, "text").texts(candidates.query_ix[rows])
        documents = binary_column(collection.documents, "text").texts(candidates.doc_ix[rows])
        pairs = list(zip(queries, documents, strict=True))
        distinct = {pair: number for number, pair in enumerate(dict.fromkeys(pairs))}
        found = load_cross_encoder(self.spec).score(list(distinct))
        scores = np.full(len(dense), np.nan, dtype=np.float32)
        scores[rows] = found[[distinct[pair] for pair in pairs]]
        return Scores(scores)


@dataclass(frozen=True)
class LateInteraction:
    """Mean MaxSim over token vectors made by the embed stage, all pairs."""

    document_tokens: Dataset
    query_tokens: Dataset

    def score(
        self, collection: Collection, candidates: Candidates, dense: np.ndarray, wanted: np.ndarray
    ) -> Scores:
        width = array_column(self.document_tokens, "vector").shape[1]
        documents = binary_column(self.document_tokens, "token_vectors")
        queries = binary_column(self.query_tokens, "token_vectors")

        def tokens(raw: memoryview) -> np.ndarray:
            return np.frombuffer(raw, dtype=np.uint16).reshape(-1, width)

        scores = np.empty(len(dense), dtype=np.float32)
        bounds = np.flatnonzero(np.diff(candidates.query_ix)) + 1
        for rows in np.split(np.arange(len(dense)), bounds):
            if len(rows):
                query = tokens(queries.bytes_at(int(candidates.query_ix[rows[0]])))
                texts = [tokens(documents.bytes_at(int(d))) for d in candidates.doc_ix[rows]]
                scores[rows] = mean_max_sim(query, texts)
        refuse_nan(scores, "late interaction")
        return Scores(scores, late_interaction=scores)


@dataclass(frozen=True)
class Fusion:
    """Sum of per-query z-scores of BM25, dense similarity and late interaction, all pairs.

    Mean and deviation are taken over the query's retrieved candidates (BM25 or dense), so that
    the number of random documents does not move the scale.
    """

    late_interaction: LateInteraction
    bm25: Bm25Scorer

    def score(
        self, collection: Collection, candidates: Candidates, dense: np.ndarray, wanted: np.ndarray
    ) -> Scores:
        late = self.late_interaction.score(collection, candidates, dense, wanted).judge
        distinct, rows = np.unique(candidates.query_ix, return_inverse=True)
        texts = binary_column(collection.queries, "text").texts(distinct)
        lexical = self.bm25.pair_scores(texts, rows, candidates.doc_ix)
        retrieved = (candidates.rank[Source.BM25] > 0) | (candidates.rank[Source.DENSE] > 0)
        parts = [z_scores(values, rows, retrieved) for values in (lexical, dense, late)]
        return Scores(np.sum(parts, axis=0).astype(np.float32), lexical, late)
