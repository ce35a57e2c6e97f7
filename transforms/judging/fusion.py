"""Fusion: BM25, the student's similarity and late interaction, on one scale."""

from dataclasses import dataclass

import numpy as np

from negmine.transforms.judging.late_interaction import LateInteraction
from negmine.transforms.judging.protocol import BlockPairs, FixedScores, Scorer
from negmine.transforms.kernels.groups import z_scores


@dataclass(frozen=True)
class Fusion:
    """Sum of per-query z-scores of BM25, dense similarity and late interaction, all pairs.

    Mean and deviation are taken over the query's retrieved candidates (BM25 or dense), so that
    the number of random documents does not move the scale. A zero vector counts as similarity 0.
    """

    late_interaction: LateInteraction
    lazy: bool = False

    def bind(self, rows: BlockPairs) -> Scorer:
        late = self.late_interaction.scores(rows)
        pairs = rows.pairs
        parts = [
            z_scores(values, pairs.query, pairs.retrieved)
            for values in (pairs.bm25, np.nan_to_num(pairs.dense), late)
        ]
        return FixedScores(np.sum(parts, axis=0).astype(np.float32), {"late_interaction": late})
