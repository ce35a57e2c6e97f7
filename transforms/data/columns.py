"""Random access by position: a data set's columns, copied once to local files and memory-mapped."""

import fcntl
import mmap
import os
import shutil
import threading
import weakref
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa

from negmine.schemas.errors import StorageError
from negmine.transforms import storage
from negmine.transforms.data.datasets import Dataset

LOCAL = "_local"
"""Folder of the mapped copies, inside the data set's own, so that it goes when that goes."""


class BinaryColumn:
    """A column of strings or bytes: `ends` (n,) int64 and `data` (bytes,) uint8, mapped."""

    def __init__(self, ends: np.ndarray, data: np.ndarray) -> None:
        self.ends = ends
        self.data = data

    def __len__(self) -> int:
        return len(self.ends)

    def bytes_at(self, position: int) -> memoryview:
        """The bytes at one position, without a copy."""
        if position < 0 or position >= len(self.ends):
            raise IndexError(f"position {position} of {len(self.ends)}")
        start = self.ends[position - 1] if position else 0
        return self.data[start : self.ends[position]].data

    def texts(self, positions: Sequence[int] | np.ndarray) -> list[str]:
        """The strings at these positions, in their order."""
        return [str(self.bytes_at(int(position)), "utf-8") for position in positions]

    def take(self, positions: np.ndarray) -> pa.Array:
        """The strings at these positions, in their order, as a large_string array.

        What repeats is copied from the file once. Raises IndexError for a position that is not
        there.
        """
        distinct, inverse = np.unique(np.asarray(positions, dtype=np.int64), return_inverse=True)
        if len(distinct) and (distinct[0] < 0 or distinct[-1] >= len(self.ends)):
            raise IndexError(f"positions {distinct[0]} to {distinct[-1]} of {len(self.ends)}")
        starts = np.where(distinct > 0, self.ends[distinct - 1], 0) if len(distinct) else distinct
        lengths = self.ends[distinct] - starts
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        data = self.data[np.repeat(starts - offsets[:-1], lengths) + np.arange(offsets[-1])]
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data)]
        values = pa.Array.from_buffers(pa.large_string(), len(distinct), buffers)
        return values.take(pa.array(inverse.reshape(-1)))


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
                values.write(block.data)
                shape, kind = block.shape[1:], block.dtype.str
    (building / "layout").write_text(" ".join([kind, *map(str, shape)]))
    shutil.rmtree(target, ignore_errors=True)
    os.replace(building, target)


def copy_fault(copy: Path, rows: int) -> str | None:
    """Why a column's copy does not fit the rows of its data set; None where it does."""
    kind, *shape = (copy / "layout").read_text().split()
    size = (copy / "values").stat().st_size
    if kind == "binary":
        ends = (copy / "offsets").stat().st_size
        if ends != 8 * rows:
            return f"has {ends:,} bytes of offsets, {8 * rows:,} fit its {rows:,} rows"
        fitting = int(np.memmap(copy / "offsets", dtype="<i8", mode="r")[-1]) if rows else 0
    else:
        fitting = rows * np.dtype(kind).itemsize * int(np.prod(list(map(int, shape)), dtype=int))
    return None if size == fitting else f"has {size:,} bytes, {fitting:,} fit its {rows:,} rows"


def _is_whole(dataset: Dataset, copy: Path) -> bool:
    try:
        rows = dataset.rows if dataset.finished else None
        return (copy / "layout").is_file() and (rows is None or copy_fault(copy, rows) is None)
    except (OSError, ValueError, TypeError, IndexError):
        return False


def _open(dataset: Dataset, column: str) -> Path:
    """The copy of a column, made where there is none or one of another length."""
    dataset.refresh()
    target = dataset.directory / LOCAL / column
    if not _is_whole(dataset, target):
        try:
            # Inside a data set that is there: asking for one that is not leaves no folder behind.
            stored = storage.is_mirrored(dataset.directory)
            target.parent.mkdir(parents=stored, exist_ok=True)
            with open(target.with_name(column + ".lock"), "w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if not _is_whole(dataset, target):
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


_mapped: "weakref.WeakSet[mmap.mmap]" = weakref.WeakSet()
_mapping = threading.Lock()
MOST_MAPPED = 256 << 20
"""Resident bytes of files, libraries too, beyond which mapped pages are given back."""


def release_pages(most: int = MOST_MAPPED) -> None:
    """Give the pages of mapped files back to the kernel where more than `most` bytes are resident.

    They stay in its page cache as long as it has room and are mapped again when they are read.
    Does nothing where the kernel does not say how much is resident, as off Linux.
    """
    try:
        with open("/proc/self/statm", "rb", buffering=0) as file:
            resident = int(file.read().split()[2]) * mmap.PAGESIZE
    except OSError:
        return
    if resident > most:
        with _mapping:
            known = list(_mapped)
        for mapped in known:
            mapped.madvise(mmap.MADV_DONTNEED)


def map_file(path: Path, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    """A file of numbers as a memory-mapped array (rows, *shape), its pages released in time."""
    item = np.dtype(dtype).itemsize * int(np.prod(shape, dtype=np.int64))
    rows = path.stat().st_size // item
    if rows == 0:
        return np.empty((0, *shape), dtype=dtype)
    array = np.memmap(path, dtype=dtype, mode="r", shape=(rows, *shape))
    with _mapping:
        _mapped.add(array._mmap)  # type: ignore[attr-defined]
    return array.view(np.ndarray)


def array_column(dataset: Dataset, column: str) -> np.ndarray:
    """A fixed-width column as a memory-mapped array: (rows,) or (rows, width), in row order."""
    release_pages()
    return _array_column(dataset, column)


@lru_cache(maxsize=32)
def _array_column(dataset: Dataset, column: str) -> np.ndarray:
    target = _open(dataset, column)
    dtype, *shape = (target / "layout").read_text().split()
    return map_file(target / "values", dtype, tuple(map(int, shape)))


def binary_column(dataset: Dataset, column: str) -> BinaryColumn:
    """A string, large_string or large_binary column, memory-mapped, in row order."""
    release_pages()
    return _binary_column(dataset, column)


@lru_cache(maxsize=32)
def _binary_column(dataset: Dataset, column: str) -> BinaryColumn:
    target = _open(dataset, column)
    ends = map_file(target / "offsets", "<i8", ())
    return BinaryColumn(ends, map_file(target / "values", "|u1", ()))
