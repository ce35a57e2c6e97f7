"""The stage that makes one part of each block: read, transform, write."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import apache_beam as beam
import pyarrow as pa

from negmine.pipelines.hints import with_hints
from negmine.transforms.data.blocks import Block, parse_part
from negmine.transforms.data.parts import BlockTransform, CreateBlocks, MakeParts, WriteParts
from negmine.transforms.steps import map_step
from negmine.transforms.vectors.embed import EmbedTexts


@dataclass
class BlockStage(beam.PTransform):
    """Make the parts of a data set: `Pipeline -> PCollection[part name]`.

    Applied to the names of another data set's parts, it makes its own parts of the same blocks, as
    they come, and of `blocks` besides; or, where it `waits`, of `blocks` once all are there.

    Attributes:
        step: name of the transform in the pipeline.
        transform: `PCollection[Block] -> PCollection[(Block, table)]`; reads the block's rows.
        directory: where the parts go.
        blocks: to be made.
        schema: of the parts.
        compression: of the parts.
        hinted: whether it runs a model, so that its workers need what `runner` asks for those.
        waits: whether its blocks are made when all that it is applied to is there.
    """

    step: str
    transform: beam.PTransform
    directory: str
    blocks: Sequence[Block]
    schema: pa.Schema
    compression: str = "zstd"
    hinted: bool = False
    waits: bool = False

    def expand(self, start: beam.PCollection) -> beam.PCollection:
        transform = copy.copy(self.transform)  # one of its own for each pipeline
        write = WriteParts(self.directory, self.schema, self.compression)
        writes = True
        if isinstance(transform, EmbedTexts):
            transform = transform.writing(write)
        elif isinstance(transform, BlockTransform) and transform.shared:
            transform = MakeParts(transform, write)
        else:
            writes = False
        if self.hinted:
            transform = with_hints(start.pipeline, transform)
        made = self._blocks(start) | self.step >> transform
        return made if writes else made | "Write" >> write

    def _blocks(self, start: beam.PCollection) -> beam.PCollection:
        if self.waits or isinstance(start, beam.pvalue.PBegin):
            return start | "Blocks" >> CreateBlocks(self.blocks)
        made = start | "Made" >> map_step(parse_part)
        if not self.blocks:
            return made
        others = beam.pvalue.PBegin(start.pipeline) | "Blocks" >> CreateBlocks(self.blocks)
        return (made, others) | "All" >> beam.Flatten()
