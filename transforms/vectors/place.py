"""Vectors that were given by identifier, put on positions."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import apache_beam as beam
import numpy as np
import pyarrow as pa

from negmine.schemas import tables
from negmine.schemas.errors import DataError, StorageError
from negmine.transforms import storage
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.data.parts import CreateBlocks, WriteParts
from negmine.transforms.data.query_tables import documents_sql, queries_sql
from negmine.transforms.kernels.hashing import text_keys
from negmine.transforms.kernels.measures.geometry import length_fault, unit_length
from negmine.transforms.steps import map_step
from negmine.transforms.vectors.embed import vectors_table
from negmine.transforms.vectors.files import VectorFiles
from negmine.transforms.vectors.spool import SPOOL, copy_as_float32

_IDENTIFIERS = {"documents": (documents_sql, "doc_ix"), "queries": (queries_sql, "query_ix")}


@dataclass
class PlaceVectors(beam.PTransform):
    """Vectors by identifier to vectors by position: `Pipeline -> PCollection[part name]`.

    One worker copies the files into one of plain float32 with the row of each position; blocks
    then read their rows of it. Memory holds one block, disk a copy of the vectors.

    Attributes:
        texts: documents or queries, ingested.
        kind: "documents" or "queries"; of several identifiers of a position that have a vector
            the smallest one's is taken.
        given: the files.
        width: numbers in a vector.
        normalize: whether vectors are scaled to length 1.
        directory: where the copy goes, until `forget_copy`.
        blocks: of positions still to do.
    """

    texts: Dataset
    kind: str
    given: VectorFiles
    width: int
    normalize: bool
    directory: str
    blocks: Sequence[Block]

    def expand(self, root: beam.Pipeline) -> beam.PCollection:
        return (
            root
            | "Once" >> beam.Impulse()
            | "Copy" >> map_step(self._copy)
            | "Blocks" >> CreateBlocks(self.blocks)
            | "Place" >> map_step(self._place)
            | "Write" >> WriteParts(self.directory, tables.vectors(self.width), compression="none")
        )

    def _copy(self, _: bytes) -> None:
        place = storage.rooted(self.directory)
        sql, ix = _IDENTIFIERS[self.kind]
        identifiers = f"SELECT {ix} AS ix, id FROM ({sql(self.texts)})"
        copy_as_float32(self.given, identifiers, self.width, place)
        storage.put(place / SPOOL / "values")
        storage.put(place / SPOOL / "rows")

    def _place(self, block: Block) -> tuple[Block, pa.Table]:
        place = storage.rooted(self.directory) / SPOOL
        texts = self.texts.read_rows(block, ["text"]).column("text").to_pylist()
        try:
            storage.fetch(place / "values")
            rows = np.fromfile(
                storage.fetch(place / "rows"),
                dtype="<i8",
                count=block.stop - block.start,
                offset=8 * block.start,
            )
            vectors = _read_rows(place / "values", rows, self.width)
        except OSError as error:
            raise StorageError(
                f"cannot read {place}: {error.strerror}; remove {self.directory} and run again"
            ) from error
        fault = None if self.normalize else length_fault(vectors)
        if fault:
            raise DataError(f"{self.given.key}: {fault}")
        if self.normalize:
            vectors = unit_length(vectors)
        return block, vectors_table(block.start, text_keys(texts), vectors, [None] * len(texts))


def _read_rows(file: Path, rows: np.ndarray, width: int) -> np.ndarray:
    """Rows of a file of (n, width) float32, in their order; read, so that no page stays mapped."""
    vectors = np.empty((len(rows), width), dtype=np.float32)
    with open(file, "rb", buffering=0) as opened:
        for at, row in enumerate(rows.tolist()):
            os.preadv(opened.fileno(), [vectors[at]], row * 4 * width)
    return vectors


def forget_copy(dataset: Dataset) -> None:
    """Remove the plain copy of the vectors, once they are placed."""
    storage.remove_tree(dataset.directory / SPOOL)
