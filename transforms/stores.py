"""Random access by position: a data set's columns, copied once to local files and memory-mapped."""

import fcntl
import os
import shutil
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa

from schemas.errors import StorageError
from transforms.datasets import Dataset

LOCAL = "_local"
"""Folder of the mapped copies, inside the data set's own, so that it goes when that goes."""


class BinaryColumn:
    """A column of strings or bytes: `offsets` (n+1,) int64 and `data` (bytes,) uint8, mapped."""

    def __init__(self, offsets: np.ndarray, data: np.ndarray) -> None:
        self.offsets = offsets
        self.data = data

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def bytes_at(self, position: int) -> memoryview:
        """The bytes at one position, without a copy."""
        return self.data[self.offsets[position] : self.offsets[position + 1]].data

    def texts(self, positions: Sequence[int] | np.ndarray) -> list[str]:
        """The strings at these positions, in their order."""
        return [str(self.bytes_at(int(position)), "utf-8") for position in positions]


def _numpy_of(column: pa.ChunkedArray) -> np.ndarray:
    kind = column.type
    array = column.combine_chunks()
    if pa.types.is_fixed_size_list(kind):
        width = kind.list_size
        return array.flatten().to_numpy(zero_copy_only=False).reshape(-1, width)
    if pa.types.is_fixed_size_binary(kind):
        buffer = np.frombuffer(array.buffers()[1], dtype=np.uint8)
        start = array.offset * kind.byte_width
        stop = start + len(array) * kind.byte_width
        return buffer[start:stop].reshape(-1, kind.byte_width)
    return array.to_numpy(zero_copy_only=False)


def _localise(dataset: Dataset, column: str, target: Path, building: Path) -> None:
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    total = 0
    shape: tuple[int, ...] = ()
    kind = ""
    with open(building / "values", "wb") as values, open(building / "offsets", "wb") as offsets:
        for table in dataset.tables([column]):
            data = table.column(column)
            if pa.types.is_string(data.type):
                data = data.cast(pa.large_string())
            if pa.types.is_large_binary(data.type) or pa.types.is_large_string(data.type):
                array = data.combine_chunks()
                if isinstance(array, pa.ChunkedArray):
                    array = pa.concat_arrays(array.chunks)
                ends = np.frombuffer(array.buffers()[1], dtype=np.int64)
                ends = ends[array.offset : array.offset + len(array) + 1]
                raw = array.buffers()[2]
                if raw is not None:
                    values.write(memoryview(raw)[int(ends[0]) : int(ends[-1])])
                offsets.write((ends[1:] - ends[0] + total).tobytes())
                total += int(ends[-1] - ends[0])
                kind = "binary"
            else:
                block = np.ascontiguousarray(_numpy_of(data))
                values.write(block.tobytes())
                shape, kind = block.shape[1:], block.dtype.str
    (building / "layout").write_text(" ".join([kind, *map(str, shape)]))
    os.replace(building, target)


def _open(dataset: Dataset, column: str) -> Path:
    target = dataset.directory / LOCAL / column
    if not (target / "layout").is_file():
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with open(target.with_name(column + ".lock"), "w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if not (target / "layout").is_file():
                    building = target.with_name(target.name + ".building")
                    try:
                        _localise(dataset, column, target, building)
                    finally:
                        shutil.rmtree(building, ignore_errors=True)
        except OSError as error:
            raise StorageError(
                f"cannot copy {column} of {dataset.path} to {target}: {error.strerror}; free "
                "space there and run again"
            ) from error
    return target


def _map(path: Path, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    item = np.dtype(dtype).itemsize * int(np.prod(shape, dtype=np.int64))
    rows = path.stat().st_size // item
    if rows == 0:
        return np.empty((0, *shape), dtype=dtype)
    return np.memmap(path, dtype=dtype, mode="r", shape=(rows, *shape))


@lru_cache(maxsize=32)
def array_column(dataset: Dataset, column: str) -> np.ndarray:
    """A fixed-width column as a memory-mapped array: (rows,) or (rows, width), in row order."""
    target = _open(dataset, column)
    dtype, *shape = (target / "layout").read_text().split()
    return _map(target / "values", dtype, tuple(map(int, shape)))


@lru_cache(maxsize=32)
def binary_column(dataset: Dataset, column: str) -> BinaryColumn:
    """A string, large_string or large_binary column, memory-mapped, in row order."""
    target = _open(dataset, column)
    ends = _map(target / "offsets", "<i8", ())
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), ends])
    return BinaryColumn(offsets, _map(target / "values", "|u1", ()))
