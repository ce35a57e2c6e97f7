"""Recall of an approximate search against an exact one, for blocks of queries."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import apache_beam as beam
import numpy as np
import pyarrow as pa

from negmine.schemas import tables
from negmine.transforms.data.blocks import Block
from negmine.transforms.kernels.search.ann import recall
from negmine.transforms.kernels.search.topk import TopK
from negmine.transforms.sources.search import SearchShards
from negmine.transforms.sources.searchers import DenseSearcher
from negmine.transforms.steps import map_step

RECALL = pa.schema(
    [tables.CANDIDATES.field("query_ix"), pa.field("recall", pa.float32(), nullable=False)]
)
"""Share of a query's exact top k that the approximate search returned."""


@dataclass
class MeasureRecall(beam.PTransform):
    """Search twice and compare: `Pipeline -> (Block, table of RECALL)`.

    Both searchers look for the same `rows`; blocks are ranges of these.
    """

    approximate: DenseSearcher
    exact: DenseSearcher
    shards: Sequence[Block]
    blocks: Sequence[Block]
    depth: int

    def expand(self, root: beam.Pipeline) -> beam.PCollection:
        found = {
            name: root | name >> SearchShards(searcher, self.shards, self.blocks, self.depth)
            for name, searcher in (("Approximate", self.approximate), ("Exact", self.exact))
        }
        return found | "Pair" >> beam.CoGroupByKey() | "Compare" >> map_step(self._compare)

    def _compare(self, element: tuple[int, Mapping[str, Iterable[TopK]]]) -> tuple[Block, pa.Table]:
        start, pair = element
        (found,), (exact,) = pair["Approximate"], pair["Exact"]
        block = Block(start, start + len(exact.ids))
        rows = self.exact.rows or ()
        columns = [
            np.array(rows[block.start : block.stop], dtype=np.int64),
            recall(found.ids, exact.ids).astype(np.float32),
        ]
        return block, pa.Table.from_arrays(list(map(pa.array, columns)), schema=RECALL)
