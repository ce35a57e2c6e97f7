"""Vectors of several models in one space, in which each query meets the model of its fold."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import apache_beam as beam
import numpy as np
import pyarrow as pa

from negmine.transforms.data.blocks import Block
from negmine.transforms.data.columns import array_column
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.kernels.folds import folds
from negmine.transforms.vectors.embed import vectors_table


def side_by_side(vectors: list[np.ndarray]) -> np.ndarray:
    """Documents' vectors of N models, (n, d_i) of length 1 each, as (n, sum of d_i) of length 1."""
    joined = np.concatenate(vectors, axis=1) / np.sqrt(len(vectors))
    return np.asarray(joined, dtype=np.float32)


def own_side(vectors: list[np.ndarray], fold: np.ndarray) -> np.ndarray:
    """Queries' vectors of N models, (n, d_i): that of model `fold` (n,) in its place, else zeros.

    Their length is the root of N, so that the inner product with a document of `side_by_side` is
    the cosine under the model of the fold.
    """
    joined = np.zeros((len(fold), sum(v.shape[1] for v in vectors)), dtype=np.float32)
    start = 0
    for number, own in enumerate(vectors):
        mine = np.flatnonzero(fold == number)
        joined[mine, start : start + own.shape[1]] = own[mine] * np.sqrt(len(vectors))
        start += own.shape[1]
    return joined


@dataclass
class JoinFolds(beam.PTransform):
    """`PCollection[Block] -> PCollection[(Block, table)]`, tables as in `schemas.tables.vectors`.

    Attributes:
        kind: whose vectors: `documents` stand side by side, `queries` in the place of their fold.
        models: vectors of the texts under the model of each fold.
        queries: the ingested queries, whose texts say which fold each is of.
    """

    kind: Literal["documents", "queries"]
    models: tuple[Dataset, ...]
    queries: Dataset

    def expand(self, blocks: beam.PCollection) -> beam.PCollection:
        return blocks | "Join" >> beam.ParDo(_Join(self))


class _Join(beam.DoFn):
    def __init__(self, transform: JoinFolds) -> None:
        self.transform = transform

    def process(self, block: Block) -> Iterator[tuple[Block, pa.Table]]:
        transform, rows = self.transform, slice(*block)
        vectors = [array_column(model, "vector")[rows] for model in transform.models]
        if transform.kind == "documents":
            joined = side_by_side(vectors)
        else:
            keys = array_column(transform.queries, "text_key")[rows]
            joined = own_side(vectors, folds(keys, len(vectors)))
        hashes = np.asarray(array_column(transform.models[0], "text_hash")[rows])
        yield block, vectors_table(block.start, hashes, joined, [None] * len(hashes))
