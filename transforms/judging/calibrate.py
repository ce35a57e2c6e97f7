"""Calibrate block by block: the judge's scores of the known positives alone."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from negmine.schemas import tables
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.data.parts import BlockTransform
from negmine.transforms.judging.judge import block_rows
from negmine.transforms.judging.protocol import BlockJudge
from negmine.transforms.kernels.choosing.calibration import Calibration, calibration_of
from negmine.transforms.kernels.languages import Languages
from negmine.transforms.pairs.features import Collection
from negmine.transforms.sources.bm25 import Bm25Scorer


@dataclass
class ScorePositives(BlockTransform):
    """The positives of a block of queries with their scores, as `tables.POSITIVE_SCORES`."""

    collection: Collection
    judge: BlockJudge
    bm25: Bm25Scorer

    def table(self, block: Block) -> pa.Table:
        rows = block_rows(self.collection, {}, self.bm25, None, block)
        scorer = self.judge.bind(rows)
        scores = scorer.score(np.arange(len(rows)))
        scorer.close()
        columns = [rows.candidates.query_ix, rows.candidates.doc_ix, scores]
        return pa.table(columns, schema=tables.POSITIVE_SCORES)


def read_calibration(
    scored: Dataset, judged: bool, languages: Languages | None = None
) -> Calibration:
    """Calibration from the positives of `tables.JUDGED` where `judged`, else POSITIVE_SCORES.

    With the languages of the collection it has one of each, too.
    """
    scores, queries = [np.empty(0, dtype=np.float32)], [np.empty(0, dtype=np.int64)]
    names = ["query_ix", "judge_score"]
    for table in scored.tables([*names, "is_positive"] if judged else names):
        if judged:
            table = table.filter(table.column("is_positive"))
        table = table.filter(pc.is_valid(table.column("judge_score")))
        queries.append(table.column("query_ix").to_numpy())
        scores.append(table.column("judge_score").to_numpy())
    return calibration_of(np.concatenate(queries), np.concatenate(scores), languages)
