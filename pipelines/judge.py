"""Judge stage: candidates of all sources in, judged pairs out."""

from dataclasses import dataclass

import apache_beam as beam

from negmine.pipelines.hints import with_hints
from negmine.schemas import tables
from negmine.schemas.selection import Selection
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.data.parts import CreateBlocks, WriteParts
from negmine.transforms.judging.judge import JudgePairs
from negmine.transforms.judging.protocol import BlockJudge
from negmine.transforms.pairs.features import Collection
from negmine.transforms.sources.bm25 import Bm25Scorer


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
