"""Calibrate stage: known positives in, the judge's scores of them out."""

from dataclasses import dataclass

import apache_beam as beam

from negmine.pipelines.hints import with_hints
from negmine.schemas import tables
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.parts import CreateBlocks, WriteParts
from negmine.transforms.judging.calibrate import ScorePositives
from negmine.transforms.judging.protocol import BlockJudge
from negmine.transforms.pairs.features import Collection
from negmine.transforms.sources.bm25 import Bm25Scorer


@dataclass(frozen=True)
class CalibrateTask:
    """Whose positives, who judges, and where the parts go."""

    collection: Collection
    judge: BlockJudge
    bm25: Bm25Scorer
    directory: str
    blocks: tuple[Block, ...]


def build(root: beam.Pipeline, task: CalibrateTask) -> beam.PCollection:
    """Add the stage to a pipeline; returns the names of the parts written."""
    score = ScorePositives(task.collection, task.judge, task.bm25)
    return (
        root
        | "QueryBlocks" >> CreateBlocks(task.blocks)
        | "ScorePositives" >> with_hints(root, score)
        | "WriteScores" >> WriteParts(task.directory, tables.POSITIVE_SCORES)
    )
