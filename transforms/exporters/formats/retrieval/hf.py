"""A data set of Hugging Face: triplets and whole sets as Parquet, and a card from the run."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import pyarrow as pa

from negmine.transforms.exporters.formats.folder import FolderFormat, Piece
from negmine.transforms.exporters.formats.sentence_transformers import triplet
from negmine.transforms.exporters.reading.block import QueryBlock
from negmine.transforms.exporters.reading.rows import RunNegatives
from negmine.transforms.exporters.writing.columns import grouped, list_field, nested, text_field


class HuggingFace(FolderFormat):
    """Two configurations, `triplet` and `sets`, each with the parts of the export as splits."""

    OPTIONS: ClassVar[frozenset[str]] = frozenset({"scores"})
    TAKES_GRADES: ClassVar[bool] = True
    FLAT: ClassVar[bool] = True
    ROWS: ClassVar[str] = "triplet"
    WEIGHTS_IN: ClassVar[str] = "weights of sets, label of triplet where there are no scores"

    def __init__(self, rows: RunNegatives, part: str) -> None:
        super().__init__(rows, part)
        self.triplet = triplet.schema(rows)
        fields = [text_field("query_id"), text_field("query")]
        fields += [
            list_field(name)
            for name in ("positive_ids", "positives", "negative_ids", "negatives", "tiers")
        ]
        # Grades are null where none is stated.
        fields.append(list_field("grades", pa.float32()))
        if rows.options.scores:
            fields += [
                list_field(f"{name}_scores", pa.float32()) for name in ("positive", "negative")
            ]
        if rows.weighted:
            fields.append(list_field("weights", pa.float32()))
        self.sets = pa.schema(fields)

    def files(self) -> dict[str, pa.Schema]:
        return {
            f"triplet/{self.part}.parquet": self.triplet,
            f"sets/{self.part}.parquet": self.sets,
        }

    def pieces(self, block: QueryBlock) -> Iterator[Piece]:
        triplets, sets = self.files()
        for table in triplet.tables(self.rows, block, self.triplet):
            yield Piece(triplets, table)
        names = self.rows.tiers or ["ranking" if self.rows.ranked else "list"]
        tiers = pa.array(names, pa.large_string()).take(
            pa.array(block.negatives["tier_at"].to_numpy().astype(np.int64))
        )
        columns = [
            block.query_ids,
            block.texts,
            grouped(block.positives, block.positive_bounds, "positive_id"),
            grouped(block.positives, block.positive_bounds, "positive"),
            grouped(block.negatives, block.negative_bounds, "negative_id"),
            grouped(block.negatives, block.negative_bounds, "negative"),
            nested(tiers, block.negative_bounds),
            nested(
                block.positives["grade"].combine_chunks().cast(pa.float32()), block.positive_bounds
            ),
        ]
        if self.rows.options.scores:
            columns += [
                grouped(block.positives, block.positive_bounds, "score"),
                grouped(block.negatives, block.negative_bounds, "score"),
            ]
        if self.rows.weighted:
            columns.append(grouped(block.negatives, block.negative_bounds, "weight"))
        yield Piece(sets, pa.Table.from_arrays(columns, schema=self.sets))
