"""Judge stage: candidates of all sources in, judged pairs out."""

from dataclasses import dataclass

import apache_beam as beam

from schemas import tables
from transforms.blocks import Block
from transforms.datasets import Dataset
from transforms.features import Collection
from transforms.judge import JudgePairs
from transforms.judging import BlockJudge
from transforms.parts import CreateBlocks, WriteParts


@dataclass(frozen=True)
class JudgeTask:
    """What to judge, who judges, and where the parts go."""

    collection: Collection
    candidates: tuple[tuple[str, Dataset], ...]
    judge: BlockJudge
    directory: str
    blocks: tuple[Block, ...]


def build(root: beam.Pipeline, task: JudgeTask) -> beam.PCollection:
    """Add the stage to a pipeline; returns the names of the parts written."""
    return (
        root
        | "QueryBlocks" >> CreateBlocks(task.blocks)
        | "JudgePairs" >> JudgePairs(task.collection, dict(task.candidates), task.judge)
        | "WriteJudged" >> WriteParts(task.directory, tables.JUDGED)
    )
