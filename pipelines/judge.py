"""Judge stage: candidates of all sources in, judged pairs out."""

from dataclasses import dataclass

import apache_beam as beam

from pipelines.hints import with_hints
from schemas import tables
from schemas.selection import Selection
from transforms.blocks import Block
from transforms.bm25_index import Bm25Scorer
from transforms.datasets import Dataset
from transforms.features import Collection
from transforms.judge import JudgePairs
from transforms.judging.protocol import BlockJudge
from transforms.parts import CreateBlocks, WriteParts


@dataclass(frozen=True)
class JudgeTask:
    """What to judge, who judges, and where the parts go."""

    collection: Collection
    candidates: tuple[tuple[str, Dataset], ...]
    judge: BlockJudge
    selection: Selection
    bm25: Bm25Scorer
    places: Dataset | None
    directory: str
    blocks: tuple[Block, ...]


def build(root: beam.Pipeline, task: JudgeTask) -> beam.PCollection:
    """Add the stage to a pipeline; returns the names of the parts written."""
    candidates = dict(task.candidates)
    judge = JudgePairs(
        task.collection, candidates, task.judge, task.selection, task.bm25, task.places
    )
    return (
        root
        | "QueryBlocks" >> CreateBlocks(task.blocks)
        | "JudgePairs" >> with_hints(root, judge)
        | "WriteJudged" >> WriteParts(task.directory, tables.JUDGED)
    )
