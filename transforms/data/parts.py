"""The two ends of every stage's pipeline: blocks in, Parquet parts out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import apache_beam as beam
import pyarrow as pa
from apache_beam.pvalue import AsList, PBegin
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from negmine.transforms.counters import count
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.datasets import write_part
from negmine.transforms.steps import Element, flat_map_step, map_step, shared_step


@dataclass
class Spread(beam.PTransform):
    """Some elements, spread over the workers: `Pipeline or PCollection -> PCollection[made]`.

    Applied to a PCollection, they come when all of that is there.

    Attributes:
        elements: descriptors of work, few and small.
        make: what is given on of each.
    """

    elements: Sequence[Element]
    make: Callable[[Element], object]

    def expand(self, start: beam.PCollection) -> beam.PCollection:
        waits = [] if isinstance(start, PBegin) else [AsList(start)]
        make, numbered = self.make, list(enumerate(self.elements))
        number = flat_map_step(lambda _, *_all: numbered, *waits)
        found = (
            PBegin(start.pipeline)
            | "Once" >> beam.Impulse()
            | "Number" >> number.with_output_types(tuple[int, Element])
        )
        if isinstance(start.pipeline.runner, FnApiRunner):
            # It knows no Reshuffle, and would run the five steps that Beam spells it with.
            grouped = found | "Spread" >> beam.GroupByKey()
            return grouped | "Each" >> flat_map_step(lambda element: map(make, element[1]))
        each = map_step(lambda element: make(element[1]))
        return found | "Spread" >> beam.Reshuffle() | "Each" >> each


class CreateBlocks(Spread):
    """Block descriptors, spread over the workers: `Pipeline -> PCollection[Block]`.

    Only descriptors are created; workers read their own rows.
    """

    def __init__(self, blocks: Sequence[Block]) -> None:
        super().__init__([tuple(block) for block in blocks], Block._make)


class BlockTransform(beam.PTransform):
    """Rows made block by block: `PCollection[Block] -> PCollection[(Block, table)]`."""

    @property
    def shared(self) -> bool:
        """Whether worker processes of a local run share its blocks out: not where a model runs."""
        return False

    def table(self, block: Block) -> pa.Table:
        """The rows that are made of a block."""
        raise NotImplementedError

    def expand(self, blocks: beam.PCollection) -> beam.PCollection:
        return blocks | "Table" >> map_step(self.made)

    def made(self, block: Block) -> tuple[Block, pa.Table]:
        """The block and its rows."""
        return block, self.table(block)


@dataclass
class WriteParts(beam.PTransform):
    """Write `(block, table)` elements as one Parquet part each; returns the parts' names."""

    directory: str
    schema: pa.Schema
    compression: str = "zstd"

    def expand(self, tables: beam.PCollection) -> beam.PCollection:
        return tables | "Write" >> map_step(self.write)

    def write(self, element: tuple[Block, pa.Table]) -> str:
        """Write one, and count its rows; returns its name."""
        count("rows_written", element[1].num_rows)
        return self.written(element)

    def written(self, element: tuple[Block, pa.Table]) -> str:
        """Write one; returns its name."""
        block, table = element
        write_part(self.directory, block.part, table, self.schema, compression=self.compression)
        return block.part


@dataclass
class MakeParts(beam.PTransform):
    """Parts of blocks that are shared out: `PCollection[Block] -> PCollection[part name]`."""

    transform: BlockTransform
    write: WriteParts

    def expand(self, blocks: beam.PCollection) -> beam.PCollection:
        return blocks | "Part" >> shared_step(self._part)

    def _part(self, block: Block) -> str:
        return self.write.write(self.transform.made(block))
