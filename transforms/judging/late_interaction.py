"""Late interaction: mean MaxSim over the token vectors that the embed stage kept."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from negmine.transforms.data.columns import array_column, binary_column
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.judging.protocol import BlockPairs, FixedScores, Scorer
from negmine.transforms.kernels.search.late_interaction import mean_max_sim
from negmine.transforms.kernels.search.token_codes import DOCUMENT_BITS, QUERY_BITS, row_bytes
from negmine.transforms.kernels.threads import one_thread, own_threads
from negmine.transforms.models.failures import refuse_nan


@dataclass(frozen=True)
class LateInteraction:
    """Mean MaxSim over token vectors made by the embed stage, all pairs.

    Queries go to threads and each product stays on one, which is faster than one product on many
    and gives the same bits for any number of cores.
    """

    document_tokens: Dataset
    query_tokens: Dataset
    lazy: bool = False

    def bind(self, rows: BlockPairs) -> Scorer:
        return FixedScores(self.scores(rows))

    def scores(self, rows: BlockPairs) -> np.ndarray:
        """Score of every row, (n,) float32."""
        width = array_column(self.document_tokens, "vector").shape[1]
        documents = binary_column(self.document_tokens, "token_vectors")
        queries = binary_column(self.query_tokens, "token_vectors")
        query_ix, doc_ix = rows.candidates.query_ix, rows.candidates.doc_ix

        def tokens(raw: memoryview, bits: int) -> np.ndarray:
            return np.frombuffer(raw, dtype=np.uint8).reshape(-1, row_bytes(width, bits))

        scores = np.empty(len(rows), dtype=np.float32)

        def score_query(which: np.ndarray) -> None:
            query = tokens(queries.bytes_at(int(query_ix[which[0]])), QUERY_BITS)
            texts = [tokens(documents.bytes_at(int(d)), DOCUMENT_BITS) for d in doc_ix[which]]
            scores[which] = mean_max_sim(query, texts, width)

        bounds = np.flatnonzero(np.diff(query_ix)) + 1
        by_query = [part for part in np.split(np.arange(len(scores)), bounds) if len(part)]
        with one_thread(), ThreadPoolExecutor(own_threads()) as threads:
            for _ in threads.map(score_query, by_query):
                pass
        refuse_nan(scores, "late interaction")
        return scores
