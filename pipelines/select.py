"""Select stage: judged pairs in, a verdict for every candidate out."""

from dataclasses import dataclass

import apache_beam as beam

from schemas import tables
from schemas.selection import Selection
from transforms.blocks import Block
from transforms.datasets import Dataset
from transforms.features import Collection
from transforms.parts import CreateBlocks, WriteParts
from transforms.select import SelectNegatives


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
