"""Publish stage: verdicts and sets in, a run's partitioned Parquet out."""

from dataclasses import dataclass

import apache_beam as beam

from negmine.schemas.policies import Policy
from negmine.transforms.choosing.publish import PublishParts
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.data.parts import CreateBlocks
from negmine.transforms.pairs.features import Collection


@dataclass(frozen=True)
class PublishTask:
    """What to publish and the directory to fill."""

    verdicts: Dataset
    sets: Dataset
    collection: Collection
    tiers: tuple[str, ...]
    texts: bool
    promises: tuple[Policy, ...]
    directory: str
    blocks: tuple[Block, ...]


def build(root: beam.Pipeline, task: PublishTask) -> beam.PCollection:
    """Add the stage to a pipeline; returns the rows of negatives written for each block."""
    return (
        root
        | "QueryBlocks" >> CreateBlocks(task.blocks)
        | "PublishParts"
        >> PublishParts(
            task.verdicts,
            task.sets,
            task.collection,
            task.tiers,
            task.texts,
            task.promises,
            task.directory,
        )
    )
