"""Embed stage: documents or queries in, vectors (and token vectors) out."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import apache_beam as beam

from negmine.pipelines.hints import with_hints
from negmine.schemas import tables
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.data.parts import CreateBlocks, WriteParts
from negmine.transforms.vectors.embed import EmbedTexts
from negmine.transforms.vectors.files import PlaceVectors, VectorFiles

if TYPE_CHECKING:
    from negmine.transforms.models.encoder import EncoderSpec, Kind


@dataclass(frozen=True)
class EmbedTask:
    """What to embed, with which encoder, and where the parts go."""

    texts: Dataset
    kind: "Kind"
    encoder: "EncoderSpec"
    dimension: int
    directory: str
    blocks: tuple[Block, ...]
    tokens: bool = False
    earlier: tuple[Dataset, ...] = field(default=())


@dataclass(frozen=True)
class PlaceTask:
    """Which vectors to put on the positions of `texts`, and where the parts go.

    `kind` is "documents" or "queries".
    """

    texts: Dataset
    kind: str
    given: VectorFiles
    width: int
    normalize: bool
    directory: str
    blocks: tuple[Block, ...]


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


def build_given(root: beam.Pipeline, task: PlaceTask) -> beam.PCollection:
    """Add the placing of given vectors to a pipeline; returns the names of the parts written."""
    place = PlaceVectors(
        task.texts,
        task.kind,
        task.given,
        task.width,
        task.normalize,
        task.directory,
        task.blocks,
    )
    return (
        root
        | "PlaceVectors" >> place
        | "WriteVectors"
        >> WriteParts(task.directory, tables.vectors(task.width), compression="none")
    )
