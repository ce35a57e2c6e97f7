"""Score stage: verdicts in, one row a query with counts and ECI out."""

from dataclasses import dataclass

import apache_beam as beam

from negmine.schemas import tables
from negmine.schemas.config import Tier
from negmine.transforms.choosing.score import ScoreSets
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.data.parts import CreateBlocks, WriteParts
from negmine.transforms.pairs.features import Collection


@dataclass(frozen=True)
class ScoreTask:
    """Which verdicts to score and where the parts go."""

    verdicts: Dataset
    collection: Collection
    tiers: tuple[tuple[str, Tier], ...]
    directory: str
    blocks: tuple[Block, ...]


def build(root: beam.Pipeline, task: ScoreTask) -> beam.PCollection:
    """Add the stage to a pipeline; returns the names of the parts written."""
    return (
        root
        | "QueryBlocks" >> CreateBlocks(task.blocks)
        | "ScoreSets" >> ScoreSets(task.verdicts, task.collection, dict(task.tiers))
        | "WriteSets" >> WriteParts(task.directory, tables.SETS)
    )
