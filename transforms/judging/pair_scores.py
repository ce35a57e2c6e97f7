"""Scores of text pairs by one judge, kept across runs: immutable parts, searched in place."""

import fcntl
import hashlib
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from negmine.schemas.errors import StorageError
from negmine.transforms import storage
from negmine.transforms.data.columns import LOCAL
from negmine.transforms.data.datasets import write_part
from negmine.transforms.storage.atomic import replacing


def _field(name: str, kind: pa.DataType, meaning: str) -> pa.Field:
    return pa.field(name, kind, nullable=False, metadata={"description": meaning})


PAIR_SCORES = pa.schema(
    [
        _field("query_hash", pa.uint64(), "hash of the exact text of the query"),
        _field("document_hash", pa.uint64(), "hash of the exact text of the document"),
        _field("score", pa.float32(), "the judge's score of the pair"),
    ]
)

SMALL_PART = 65_536
"""Parts of fewer rows are merged by `consolidate`."""

MERGED_PART = 16 * SMALL_PART
"""`consolidate` merges no more parts once it has so many rows."""

ABANDONED = 3600.0
"""Seconds after which a temporary file is taken to be a killed process's."""

ATTEMPTS = 100
ROW_BYTES = 20

_writing = threading.Lock()


class _Part:
    """One part, mapped: its distinct queries, where each begins, documents and scores.

    Attributes:
        queries: (queries,) uint64, ascending.
        starts: (queries + 1,) int64; documents of query i are rows `starts[i] .. starts[i+1]-1`.
        documents: (rows,) uint64, ascending within a query.
        scores: (rows,) float32.
    """

    def __init__(self, data: np.ndarray) -> None:
        rows = len(data) // ROW_BYTES
        queries = data[: 8 * rows].view(np.uint64)
        starts = np.flatnonzero(queries[1:] != queries[:-1]) + 1
        self.starts = np.concatenate([[0], starts, [rows]])
        self.queries = queries[self.starts[:-1]]
        self.documents = data[8 * rows : 16 * rows].view(np.uint64)
        self.scores = data[16 * rows :].view(np.float32)

    def fill(
        self, queries: np.ndarray, of: np.ndarray, documents: np.ndarray, scores: np.ndarray
    ) -> None:
        """Set the scores that are NaN, of the pairs (queries[of], documents) that are here."""
        at = np.minimum(self.queries.searchsorted(queries), len(self.queries) - 1)
        here = self.queries[at] == queries
        if not here.any():
            return
        pairs = np.flatnonzero(here[of] & np.isnan(scores))
        low, high = self.starts[at[of[pairs]]], self.starts[at[of[pairs]] + 1]
        rows = _lower_bound(self.documents, documents[pairs], low, high)
        pairs, rows = pairs[rows < high], rows[rows < high]
        same = self.documents[rows] == documents[pairs]
        scores[pairs[same]] = self.scores[rows[same]]


def _lower_bound(
    values: np.ndarray, wanted: np.ndarray, low: np.ndarray, high: np.ndarray
) -> np.ndarray:
    """First row of low .. high-1 whose value is not below `wanted`, else `high`; (n,) int64."""
    while (low < high).any():
        middle = (low + high) // 2
        below = (low < high) & (values[np.minimum(middle, len(values) - 1)] < wanted)
        low, high = np.where(below, middle + 1, low), np.where(below, high, middle)
    return low


class PairScoreStore:
    """Scores of (query text, document text) pairs by one judge, in a directory of their own.

    Any number of processes may read, write and consolidate at once. A part appears whole, never
    changes, and goes only after a part that holds its rows is there.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._parts: dict[str, _Part] = {}

    def __reduce__(self) -> tuple[type["PairScoreStore"], tuple[str]]:
        return PairScoreStore, (self.path,)

    @property
    def directory(self) -> Path:
        return storage.rooted(self.path)

    def read(self, query_hashes: np.ndarray, document_hashes: np.ndarray) -> np.ndarray:
        """Scores of pairs, (n,) float32, NaN where unknown.

        Args:
            query_hashes, document_hashes: (n,) uint64.

        Raises StorageError, naming the file, where a part is damaged.
        """
        documents = np.asarray(document_hashes, dtype=np.uint64)
        queries, of = np.unique(np.asarray(query_hashes, dtype=np.uint64), return_inverse=True)
        scores = np.full(len(documents), np.nan, dtype=np.float32)
        if not len(documents):
            return scores
        for part in self._open_parts():
            part.fill(queries, of, documents, scores)
        return scores

    def write(
        self, query_hashes: np.ndarray, document_hashes: np.ndarray, scores: np.ndarray
    ) -> None:
        """Add a part, named by its keys, so that writing it again changes nothing.

        Args:
            query_hashes, document_hashes: (n,) uint64; of equal pairs the first is kept.
            scores: (n,) float32; NaN is left out.

        Raises StorageError where the disk refuses.
        """
        known = ~np.isnan(scores)
        if known.any():
            self._write(query_hashes[known], document_hashes[known], scores[known])

    def consolidate(self) -> None:
        """Merge small parts into one, where there are several, whichever process wrote them.

        Leaves it to the process that is at it, where one is. Raises StorageError as `read` does.
        """
        if not storage.is_dir(self.directory):
            return
        (self.directory / LOCAL).mkdir(parents=True, exist_ok=True)
        with open(self.directory / LOCAL / "lock", "w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            try:
                self._merge_small()
                self._tidy()
            except FileNotFoundError:
                return

    def _write(self, queries: np.ndarray, documents: np.ndarray, scores: np.ndarray) -> str:
        order = np.lexsort((documents, queries))
        queries, documents, scores = queries[order], documents[order], scores[order]
        first = np.ones(len(order), dtype=bool)
        first[1:] = (queries[1:] != queries[:-1]) | (documents[1:] != documents[:-1])
        columns = [
            values[first].astype(kind)
            for values, kind in ((queries, "<u8"), (documents, "<u8"), (scores, "<f4"))
        ]
        keys = hashlib.blake2b(digest_size=16)
        for column in columns[:2]:
            keys.update(column.tobytes())
        name = f"part-{keys.hexdigest()}.parquet"
        with _writing:
            write_part(self.path, name, pa.table(columns, PAIR_SCORES.names), PAIR_SCORES)
        return name

    def _merge_small(self) -> None:
        small: list[str] = []
        total = 0
        for name in _part_names(self.directory):
            rows = _footer(self.directory / name).num_rows
            if rows < SMALL_PART and total < MERGED_PART:
                small.append(name)
                total += rows
        if len(small) < 2:
            return
        table = pa.concat_tables(_read(self.directory / name) for name in small)
        merged = self._write(*(column.to_numpy() for column in table.columns))
        for name in small:
            if name != merged:
                storage.remove(self.directory / name)

    def _tidy(self) -> None:
        """Remove mapped copies of parts that are gone, and what killed processes left."""
        names = set(_part_names(self.directory))
        copies = list((self.directory / LOCAL).glob("part-*.parquet"))
        for copy in copies:
            if copy.name not in names:
                copy.unlink(missing_ok=True)
                storage.forget(self.directory / copy.name)
        for folder in (self.directory, self.directory / LOCAL):
            for temporary in folder.glob(".part-*.tmp"):
                try:
                    if time.time() - temporary.stat().st_mtime > ABANDONED:
                        temporary.unlink()
                except FileNotFoundError:
                    continue

    def _open_parts(self) -> Sequence[_Part]:
        """All parts there are now; begins again where one is consolidated away meanwhile."""
        for _ in range(ATTEMPTS):
            before = self._parts
            try:
                self._parts = {
                    name: before.get(name) or _Part(_mapped(self.directory, name))
                    for name in _part_names(self.directory)
                }
            except FileNotFoundError:
                continue
            return list(self._parts.values())
        raise StorageError(
            f"the parts of {self.path} change faster than they can be read; run again when no "
            "other process writes there"
        )


def _part_names(directory: Path) -> list[str]:
    """Names of the parts, sorted.

    Listed until twice the same: one listing can miss both a part that is being removed and the
    one that takes its place.
    """
    names: list[str] | None = None
    while True:
        before = names
        try:
            entries = storage.names(directory)
        except FileNotFoundError:
            return []
        names = sorted(n for n in entries if n.startswith("part-") and n.endswith(".parquet"))
        if names == before:
            return names


def _damaged(file: Path, error: Exception) -> StorageError:
    return StorageError(
        f"{file} cannot be read ({str(error).splitlines()[0]}); delete that file and run again: "
        "its pairs are scored anew"
    )


def _footer(file: Path) -> pq.FileMetaData:
    try:
        return storage.read(file, pq.read_metadata)
    except FileNotFoundError:
        raise
    except (OSError, pa.ArrowException) as error:
        raise _damaged(file, error) from error


def _read(file: Path) -> pa.Table:
    try:
        return storage.read(
            file,
            lambda place: pq.read_table(
                place, schema=PAIR_SCORES, page_checksum_verification=True, partitioning=None
            ),
        )
    except FileNotFoundError:
        raise
    except (OSError, pa.ArrowException) as error:
        raise _damaged(file, error) from error


def _mapped(directory: Path, name: str) -> np.ndarray:
    """A part's columns, one after another, as mapped bytes; copied to a local file once."""
    copy = directory / LOCAL / name
    size = _footer(directory / name).num_rows * ROW_BYTES
    if not copy.is_file() or copy.stat().st_size != size:
        columns = _read(directory / name).columns
        _write_copy(copy, [np.ascontiguousarray(column.to_numpy()) for column in columns])
    return np.asarray(np.memmap(copy, dtype=np.uint8, mode="r"))


def _write_copy(copy: Path, columns: Sequence[np.ndarray]) -> None:
    with (
        replacing(copy, advice="Free space there and run again", upload=False) as temporary,
        open(temporary, "wb") as file,
    ):
        for column in columns:
            file.write(column.data)
