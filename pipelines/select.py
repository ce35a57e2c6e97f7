"""Select stage: judged pairs in, a verdict for every candidate out."""

from dataclasses import dataclass

import apache_beam as beam

from negmine.schemas import tables
from negmine.schemas.selection import Selection
from negmine.transforms.choosing.select import SelectNegatives
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.data.parts import CreateBlocks, WriteParts
from negmine.transforms.pairs.features import Collection


@dataclass(frozen=True)
class SelectTask:
    """Which pairs, by what they are chosen, and where the parts go."""

    judged: Dataset
    selection: Selection
    collection: Collection
    directory: str
    blocks: tuple[Block, ...]


def build(root: beam.Pipeline, task: SelectTask) -> beam.PCollection:
    """Add the stage to a pipeline; returns the names of the parts written."""
    return (
        root
        | "QueryBlocks" >> CreateBlocks(task.blocks)
        | "SelectNegatives" >> SelectNegatives(task.judged, task.selection, task.collection)
        | "WriteVerdicts" >> WriteParts(task.directory, tables.VERDICTS)
    )
