"""Embed stage: documents or queries in, vectors (and token vectors) out."""

from dataclasses import dataclass, field

import apache_beam as beam

from pipelines.hints import with_hints
from schemas import tables
from transforms.blocks import Block
from transforms.datasets import Dataset
from transforms.embed import EmbedTexts
from transforms.models.encoder import EncoderSpec, Kind
from transforms.parts import CreateBlocks, WriteParts


@dataclass(frozen=True)
class EmbedTask:
    """What to embed, with which encoder, and where the parts go."""

    texts: Dataset
    kind: Kind
    encoder: EncoderSpec
    dimension: int
    directory: str
    blocks: tuple[Block, ...]
    tokens: bool = False
    earlier: tuple[Dataset, ...] = field(default=())


def build(root: beam.Pipeline, task: EmbedTask) -> beam.PCollection:
    """Add the stage to a pipeline; returns the names of the parts written."""
    embed = EmbedTexts(task.texts, task.kind, task.encoder, task.tokens, task.earlier)
    return (
        root
        | "TextBlocks" >> CreateBlocks(task.blocks)
        | "EmbedTexts" >> with_hints(root, embed)
        | "WriteVectors"
        >> WriteParts(task.directory, tables.vectors(task.dimension), compression="none")
    )
