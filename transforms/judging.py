"""How each kind of judge scores the pairs of a block."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow.compute as pc
from threadpoolctl import threadpool_limits

from schemas.config import Tier
from schemas.policies import Policy
from schemas.verdicts import Source
from transforms.blocks import Block
from transforms.bm25_index import Bm25Scorer
from transforms.datasets import Dataset
from transforms.features import Collection
from transforms.kernels.candidates import Candidates, pair_keys
from transforms.kernels.late_interaction import mean_max_sim, z_scores
from transforms.kernels.policies import Pairs
from transforms.kernels.waves import judge_needed
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

    def score(self, collection: Collection, candidates: Candidates, pairs: Pairs) -> Scores:
        """Score at least the positives and every pair that the policies and tiers need.

        Args:
            collection: where texts and vectors are.
            candidates: the block's pairs.
            pairs: the same pairs with their features; `judge` is NaN throughout.
        """
        ...


@dataclass(frozen=True)
class NoJudge:
    """Judges nothing; only for configs whose policies compare no judge scores."""

    def score(self, collection: Collection, candidates: Candidates, pairs: Pairs) -> Scores:
        return Scores(pairs.judge)


@dataclass(frozen=True)
class CrossEncoder:
    """Scores pairs of texts lazily: only those that the choice of negatives comes to depend on.

    Attributes:
        spec: the model.
        policies, tiers: what decides which pairs are needed.
        earlier: finished judged pairs of the same model and collection; their scores are reused.
    """

    spec: CrossEncoderSpec
    policies: tuple[Policy, ...]
    tiers: tuple[tuple[str, Tier], ...]
    earlier: tuple[Dataset, ...] = ()

    def score(self, collection: Collection, candidates: Candidates, pairs: Pairs) -> Scores:
        known = self._known(candidates, len(array_column(collection.documents, "text_key")))

        def score_rows(rows: np.ndarray) -> np.ndarray:
            scores = known[rows]
            missing = np.flatnonzero(np.isnan(scores))
            if len(missing):
                scores[missing] = self._score_texts(collection, candidates, rows[missing])
            return scores

        return Scores(judge_needed(pairs, self.policies, dict(self.tiers), score_rows))

    def _known(self, candidates: Candidates, documents: int) -> np.ndarray:
        """Scores that earlier artifacts hold, NaN for the rest."""
        known = np.full(len(candidates.query_ix), np.nan, dtype=np.float32)
        if not len(known):
            return known
        keys = pair_keys(candidates.query_ix, candidates.doc_ix, documents)
        block = Block(int(candidates.query_ix[0]), int(candidates.query_ix[-1]) + 1)
        for dataset in self.earlier:
            table = dataset.read_queries(block, ["doc_ix", "judge_score"])
            table = table.filter(pc.is_valid(table.column("judge_score")))
            query_ix, doc_ix, scores = (column.to_numpy() for column in table.columns)
            _, mine, theirs = np.intersect1d(
                keys, pair_keys(query_ix, doc_ix, documents), True, return_indices=True
            )
            known[mine] = scores[theirs]
        return known

    def _score_texts(
        self, collection: Collection, candidates: Candidates, rows: np.ndarray
    ) -> np.ndarray:
        queries = binary_column(collection.queries, "text").texts(candidates.query_ix[rows])
        documents = binary_column(collection.documents, "text").texts(candidates.doc_ix[rows])
        pairs = list(zip(queries, documents, strict=True))
        distinct = {pair: number for number, pair in enumerate(dict.fromkeys(pairs))}
        found = load_cross_encoder(self.spec).score(list(distinct))
        return found[[distinct[pair] for pair in pairs]]


@dataclass(frozen=True)
class LateInteraction:
    """Mean MaxSim over token vectors made by the embed stage, all pairs.

    Queries go to threads and each product stays on one, which is faster than one product on many
    and gives the same bits for any number of cores.
    """

    document_tokens: Dataset
    query_tokens: Dataset

    def score(self, collection: Collection, candidates: Candidates, pairs: Pairs) -> Scores:
        width = array_column(self.document_tokens, "vector").shape[1]
        documents = binary_column(self.document_tokens, "token_vectors")
        queries = binary_column(self.query_tokens, "token_vectors")

        def tokens(raw: memoryview) -> np.ndarray:
            return np.frombuffer(raw, dtype=np.uint16).reshape(-1, width)

        scores = np.empty(len(pairs.query), dtype=np.float32)

        def score_query(rows: np.ndarray) -> None:
            query = tokens(queries.bytes_at(int(candidates.query_ix[rows[0]])))
            texts = [tokens(documents.bytes_at(int(d))) for d in candidates.doc_ix[rows]]
            scores[rows] = mean_max_sim(query, texts)

        bounds = np.flatnonzero(np.diff(candidates.query_ix)) + 1
        by_query = [rows for rows in np.split(np.arange(len(scores)), bounds) if len(rows)]
        with threadpool_limits(1, "blas"), ThreadPoolExecutor(os.cpu_count()) as threads:
            for _ in threads.map(score_query, by_query):
                pass
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

    def score(self, collection: Collection, candidates: Candidates, pairs: Pairs) -> Scores:
        late = self.late_interaction.score(collection, candidates, pairs).judge
        distinct, rows = np.unique(candidates.query_ix, return_inverse=True)
        texts = binary_column(collection.queries, "text").texts(distinct)
        lexical = self.bm25.pair_scores(texts, rows, candidates.doc_ix)
        retrieved = (candidates.rank[Source.BM25] > 0) | (candidates.rank[Source.DENSE] > 0)
        parts = [z_scores(values, rows, retrieved) for values in (lexical, pairs.dense, late)]
        return Scores(np.sum(parts, axis=0).astype(np.float32), lexical, late)
