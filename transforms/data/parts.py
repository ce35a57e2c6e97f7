"""The two ends of every stage's pipeline: blocks in, Parquet parts out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import apache_beam as beam
import pyarrow as pa

from negmine.transforms.counters import count
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.datasets import write_part


@dataclass
class CreateBlocks(beam.PTransform):
    """Block descriptors, spread over the workers: `Pipeline -> PCollection[Block]`.

    Only descriptors are created; workers read their own rows.
    """

    blocks: Sequence[Block]

    def expand(self, root: beam.Pipeline) -> beam.PCollection:
        pairs = [tuple(block) for block in self.blocks]
        return (
            root
            | "Create" >> beam.Create(pairs, reshuffle=False)
            | "Spread" >> beam.Reshuffle()
            | "ToBlock" >> beam.MapTuple(Block)
        )


@dataclass
class WriteParts(beam.PTransform):
    """Write `(block, table)` elements as one Parquet part each; returns the parts' names."""

    directory: str
    schema: pa.Schema
    compression: str = "zstd"

    def expand(self, tables: beam.PCollection) -> beam.PCollection:
        return tables | "Write" >> beam.ParDo(_Write(self.directory, self.schema, self.compression))


class _Write(beam.DoFn):
    def __init__(self, directory: str, schema: pa.Schema, compression: str) -> None:
        self.directory = directory
        self.schema = schema
        self.compression = compression

    def process(self, element: tuple[Block, pa.Table]) -> Iterator[str]:
        block, table = element
        write_part(self.directory, block.part, table, self.schema, compression=self.compression)
        count("rows_written", table.num_rows)
        yield block.part
