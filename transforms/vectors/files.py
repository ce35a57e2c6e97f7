"""Vectors that somebody else computed: read from Parquet and put on positions, block by block."""

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from negmine.schemas.errors import DataError, StorageError
from negmine.transforms import storage
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.data.query_tables import documents_sql, queries_sql
from negmine.transforms.kernels.hashing import text_keys
from negmine.transforms.kernels.measures.geometry import length_fault, unit_length
from negmine.transforms.readers.tables.arrow import damage
from negmine.transforms.storage.digests import Digest
from negmine.transforms.storage.suffixes import kind_of_file, require_kind
from negmine.transforms.vectors.embed import vectors_table
from negmine.transforms.vectors.spool import SPOOL, plain, spool

ROWS_AT_ONCE = 8192
"""Vectors in a block: as many as documents in a part, so that each part is read once."""

_IDENTIFIERS = {"documents": (documents_sql, "doc_ix"), "queries": (queries_sql, "query_ix")}


@dataclass(frozen=True)
class VectorFiles:
    """Parquet files of identifiers and vectors; `key` is the setting that names them.

    `digests` are what the files have while they are copied; without them any content is taken.
    """

    files: tuple[str, ...]
    id: str
    vector: str
    key: str
    digests: tuple[Digest, ...] = ()

    @classmethod
    def of(cls, path: str, identifier: str, vector: str, key: str) -> "VectorFiles":
        """Those that a path names: a file, a folder's, or a pattern's; DataError for none."""
        place = storage.local_path(path)
        if storage.is_dir(place):
            found = [place / name for name in storage.sizes(place)]
        elif storage.is_file(place):
            found = [place]
        elif storage.is_mirrored(place):
            found = storage.matching(place.parent, place.name)
        else:
            found = [Path(name) for name in glob.glob(str(place))]
        if storage.is_file(place):
            require_kind(place, key, ["parquet"])
        files = sorted(str(file) for file in found if kind_of_file(file) == "parquet")
        if not files:
            raise DataError(
                f"{key}: {path} names no vectors; give a .parquet file, a folder or a pattern of "
                "them"
            )
        return cls(tuple(files), identifier, vector, key)

    def width(self) -> int:
        """Numbers in the first vector. Raises DataError where columns are missing or do not fit."""
        widths = [width for width in map(self._width_of, self.files) if width]
        if not widths:
            raise DataError(f"{self.key}: {self.files[0]} holds no vector")
        return widths[0]

    def _width_of(self, file: str) -> int:
        with self.open(file) as table:
            schema = table.schema_arrow
            for column in (self.id, self.vector):
                if schema.get_field_index(column) < 0:
                    raise DataError(
                        f"{self.key}: {file} has no column {column!r}; its columns are "
                        f"{', '.join(schema.names)}. Name them as student.vectors.id and "
                        "student.vectors.vector"
                    )
            kind = schema.field(self.vector).type
            if not (_is_list(kind) and pa.types.is_floating(kind.value_type)):
                raise DataError(
                    f"{self.key}: column {self.vector!r} of {file} is {kind}; it needs lists of "
                    "float16, float32 or float64"
                )
            if pa.types.is_fixed_size_list(kind):
                return int(kind.list_size)
            for batch in self.batches(table, file):
                lengths = batch.column(1).value_lengths().drop_null()
                if len(lengths):
                    return int(lengths[0].as_py())
        return 0

    def head(self, rows: int, width: int) -> np.ndarray:
        """The first vectors that can be used, of the first file that holds any, (n, width)."""
        for file in self.files:
            with self.open(file) as table:
                for batch in self.batches(table, file):
                    vectors, state = plain(batch.column(1), width)
                    if (state == 0).any():
                        return vectors[state == 0][:rows]
        return np.ones((1, width), dtype=np.float32)

    def open(self, file: str, place: Path | None = None) -> pq.ParquetFile:
        """A file, at `place` or its own, page by page. Raises DataError where it is no Parquet."""
        with damage(f"{self.key}: {file}", "is not Parquet that can be read"):
            # Without a buffer a whole row group's column would be held: often all of the file.
            source = place or storage.fetch(file)
            return pq.ParquetFile(source, buffer_size=1 << 20, pre_buffer=False)

    def batches(self, table: pq.ParquetFile, file: str) -> Iterator[pa.RecordBatch]:
        """Identifiers and vectors of an open file. Raises DataError where it is damaged."""
        with damage(f"{self.key}: {file}"):
            for batch in table.iter_batches(ROWS_AT_ONCE, columns=[self.id, self.vector]):
                batch.validate(full=True)
                yield batch.select([self.id, self.vector])


def _is_list(kind: pa.DataType) -> bool:
    checks = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return any(check(kind) for check in checks)


@dataclass
class PlaceVectors(beam.PTransform):
    """Vectors by identifier to vectors by position: `Pipeline -> (Block, table)`.

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
            | "Once" >> beam.Create([0], reshuffle=False)
            | "Copy" >> beam.FlatMap(self._copy)
            | "Spread" >> beam.Reshuffle()
            | "ToBlock" >> beam.MapTuple(Block)
            | "Place" >> beam.Map(self._place)
        )

    def _copy(self, _: int) -> Iterator[tuple[int, int]]:
        place = storage.rooted(self.directory)
        sql, ix = _IDENTIFIERS[self.kind]
        identifiers = f"SELECT {ix} AS ix, id FROM ({sql(self.texts)})"
        spool(self.given, identifiers, self.width, place)
        storage.put(place / SPOOL / "values")
        storage.put(place / SPOOL / "rows")
        yield from ((block.start, block.stop) for block in self.blocks)

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
    if dataset.finished:
        storage.remove_tree(dataset.directory / SPOOL)
