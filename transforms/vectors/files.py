"""Vectors that somebody else computed: the files, what they hold, and their rows as float32."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from negmine.schemas.errors import DataError
from negmine.transforms import storage
from negmine.transforms.readers.tables.arrow import damage
from negmine.transforms.storage.digests import Digest
from negmine.transforms.storage.paths import table_files

ROWS_AT_ONCE = 8192
"""Vectors in a block: as many as documents in a part, so that each part is read once."""


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
        files = table_files(path, key, "vectors", ["parquet"])
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
                    vectors, state = to_float32(batch.column(1), width)
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


def to_float32(column: pa.Array, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Lists of floats as (n, width) float32, and (n,) int8: 0, or what is wrong, as in _FAULTS.

    Vectors of no or of another width become zeros.
    """
    lengths = pc.fill_null(pc.list_value_length(column), -1).to_numpy(zero_copy_only=False)
    fits = lengths == width
    kept = column if fits.all() else column.filter(pa.array(fits))
    with np.errstate(over="ignore"):
        flat = kept.flatten().to_numpy(zero_copy_only=False).astype(np.float32)
    vectors = flat.reshape(-1, width)
    state = np.zeros(len(lengths), dtype=np.int8)
    state[fits] = np.where(np.isfinite(vectors).all(axis=1), np.where(vectors.any(axis=1), 0, 4), 3)
    state[~fits] = np.where(lengths[~fits] < 0, 1, 2)
    if not fits.all():
        whole = np.zeros((len(lengths), width), dtype=np.float32)
        whole[fits] = vectors
        vectors = whole
    return np.ascontiguousarray(vectors), state
