"""Teacher lists as they are published: identifiers, texts, and scores on the student's scale."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from negmine.schemas import tables
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.columns import binary_column
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.kernels.choosing.teacher_scale import TeacherScale, logits
from negmine.transforms.pairs.features import Collection

_ROWS_AT_ONCE = 32_768


@dataclass(frozen=True)
class PublishedLists:
    """A run's lists: `tables.LISTED` and what they are published with."""

    listed: Dataset
    scale: TeacherScale
    collection: Collection
    texts: bool

    @property
    def schema(self) -> pa.Schema:
        """`tables.LISTS`, without texts where they are not wanted."""
        unwanted = set() if self.texts else {"query", "document"}
        return pa.schema([field for field in tables.LISTS if field.name not in unwanted])

    def tables(self, block: Block) -> Iterator[pa.Table]:
        """Rows of a block of queries, by query and place, a bounded number at a time."""
        for part in self.listed.blocks():
            inside = Block(max(part.start, block.start), min(part.stop, block.stop))
            if inside.start >= inside.stop:
                continue
            rows = self.listed.read_queries(inside)
            for start in range(0, rows.num_rows, _ROWS_AT_ONCE):
                yield self._table(rows.slice(start, _ROWS_AT_ONCE))

    def _logits(self, judge: np.ndarray) -> pa.Array:
        if self.scale.of == "judge_score":
            return pa.nulls(len(judge), pa.float32())
        return pa.array(logits(judge), pa.float32())

    def _table(self, rows: pa.Table) -> pa.Table:
        queries, documents = self.collection.queries, self.collection.documents
        query_ix = rows.column("query_ix").to_numpy()
        doc_ix = rows.column("doc_ix").to_numpy()
        judge = rows.column("judge_score").to_numpy()
        columns = {name: rows.column(name) for name in rows.column_names} | {
            "query_id": _of(queries, "query_id", query_ix).cast(pa.string()),
            "doc_id": _of(documents, "doc_id", doc_ix).cast(pa.string()),
            "teacher_score": self.scale.apply(judge),
            "judge_logit": self._logits(judge),
        }
        if self.texts:
            columns["query"] = _of(queries, "text", query_ix)
            columns["document"] = _of(documents, "text", doc_ix)
        return pa.table([columns[name] for name in self.schema.names], schema=self.schema)


def _of(dataset: Dataset, column: str, positions: np.ndarray) -> pa.Array:
    return binary_column(dataset, column).take(positions)
