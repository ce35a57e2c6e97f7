"""Check a judge: sampled queries in, its scores of known positives and random documents out."""

from dataclasses import dataclass, replace

import apache_beam as beam

from negmine.pipelines.hints import with_hints
from negmine.schemas import tables
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.parts import CreateBlocks, WriteParts
from negmine.transforms.judging.sample import ScoreSample


@dataclass(frozen=True)
class CheckTask:
    """What to score, and where the parts go; blocks are ranges of the sampled queries."""

    sample: ScoreSample
    directory: str
    blocks: tuple[Block, ...]


def build(root: beam.Pipeline, task: CheckTask) -> beam.PCollection:
    """Add the stage to a pipeline; returns the names of the parts written."""
    sample = replace(task.sample)  # the hints of one pipeline stay with its own transform
    return (
        root
        | "SampleBlocks" >> CreateBlocks(task.blocks)
        | "ScoreSample" >> with_hints(root, sample)
        | "WriteScores" >> WriteParts(task.directory, tables.SAMPLE_SCORES)
    )
