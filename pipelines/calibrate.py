"""Calibrate stage: known positives in, the judge's scores of them out."""

from dataclasses import dataclass

import apache_beam as beam

from pipelines.hints import with_hints
from schemas import tables
from transforms.blocks import Block
from transforms.bm25_index import Bm25Scorer
from transforms.calibrate import ScorePositives
from transforms.features import Collection
from transforms.judging.protocol import BlockJudge
from transforms.parts import CreateBlocks, WriteParts


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
