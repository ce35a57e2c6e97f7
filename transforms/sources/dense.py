"""The index of document vectors: trained once on a keyed sample, one file a document shard."""

import hashlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import faiss
import numpy as np
import pyarrow as pa

from negmine.schemas.errors import ConfigError, DataError, StorageError
from negmine.schemas.retrieval import Dense, FirstPass
from negmine.transforms import storage
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.columns import array_column
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.data.parts import BlockTransform
from negmine.transforms.kernels.search import ann
from negmine.transforms.kernels.search.dense import largest_norm
from negmine.transforms.kernels.search.reduction import Reduced, Reduction
from negmine.transforms.kernels.search.topk import TopK
from negmine.transforms.storage.atomic import write_atomically

FILES = pa.schema(
    [
        pa.field("start", pa.int64(), nullable=False),
        pa.field("stop", pa.int64(), nullable=False),
        pa.field("file", pa.string(), nullable=False),
        pa.field("bytes", pa.int64(), nullable=False),
        pa.field("digest", pa.string(), nullable=False),
    ]
)
"""Files of an artifact: the shard, the file's name beside the part, "" where the shard is small
enough to be searched exactly, and its size and BLAKE2b digest."""

_SAMPLE = 65_536
_opening = threading.Lock()

Shard = faiss.Index | Reduced


@dataclass(frozen=True)
class DenseIndex:
    """Two artifacts with rows of FILES: `trained` has one, `shards` one a document shard."""

    config: Dense
    trained: Dataset
    shards: Dataset

    @property
    def exact(self) -> bool:
        """Whether every shard is small enough to be searched exactly."""
        return not any(row["file"] for row in _files(self.shards))

    def reduction(self) -> Reduction:
        """The first pass's map. Raises StorageError where its file is damaged."""
        return _reduction(self.trained, self.config.first_pass)

    def search(
        self, shard: Block, queries: np.ndarray, documents: np.ndarray, k: int
    ) -> TopK | None:
        """Top k of (q, d) queries in a shard, whose vectors are `documents`; ids are its rows.

        None where the shard is small enough to be searched exactly. The shard's file is mapped
        once a process. Raises StorageError where it is damaged, ValueError for a query that holds
        infinity or NaN.
        """
        with _opening:
            opened = _open_shard(self.shards, shard)
        if opened is None:
            return None
        largest_norm(queries)
        if isinstance(opened, Reduced):
            over_fetch = self.config.over_fetch
            return opened.find(self.reduction(), queries, documents, k, over_fetch)
        return ann.find(self.config, opened, queries, documents, k)


@dataclass(frozen=True)
class IndexSource:
    """What an index is made of; `seed` and `doc_key` of `documents` choose the sample."""

    config: Dense
    documents: Dataset
    vectors: Dataset
    seed: int

    def sample(self, count: int) -> np.ndarray:
        """(count, d) vectors drawn by keyed hash, in row order."""
        keys = self.documents.read(["doc_key"])["doc_key"].to_numpy()
        rows = ann.sample_rows(keys, self.seed, count)
        return np.asarray(array_column(self.vectors, "vector")[rows])


@dataclass
class TrainIndex(BlockTransform):
    """Train on a sample; of one block, as `FILES`."""

    source: IndexSource
    shards: Sequence[Block]
    directory: str

    def table(self, block: Block) -> pa.Table:
        source, config = self.source, self.source.config
        documents = max(shard.stop - shard.start for shard in self.shards)
        if documents < ann.SMALLEST_SHARD:
            return _row(self.directory, block, "")
        dimension = array_column(source.vectors, "vector").shape[1]
        try:
            if config.first_pass is not None:
                sample = source.sample(_SAMPLE)
                largest_norm(sample)
                reduction = Reduction.fit(
                    config.first_pass.kind, config.first_pass.dimension, sample
                )
                rows = np.concatenate([reduction.mean[None], reduction.matrix])
                name, write = "reduction.npy", _array_writer(rows)
            else:
                factory = ann.factory(config, documents, dimension)
                sample = source.sample(max(1, ann.sample_size(factory, dimension)))
                largest_norm(sample)
                trained = ann.train(factory, sample, config.ef_construction)
                name, write = "trained.faiss", _index_writer(trained)
        except ValueError as error:
            raise _refused(config, source.vectors, error) from error
        write_atomically(storage.rooted(self.directory) / name, write)
        return _row(self.directory, block, name)


@dataclass
class FillShards(BlockTransform):
    """Index each shard; a block is a range of their numbers, as `FILES`."""

    source: IndexSource
    trained: Dataset
    shards: Sequence[Block]
    directory: str

    def table(self, block: Block) -> pa.Table:
        return pa.concat_tables([self._one(self.shards[at]) for at in range(*block)])

    def _one(self, shard: Block) -> pa.Table:
        vectors = array_column(self.source.vectors, "vector")[shard.start : shard.stop]
        index = DenseIndex(self.source.config, self.trained, self.trained)
        name = f"shard-{shard.start:012d}-{shard.stop:012d}"
        try:
            largest_norm(vectors)
            if not _files(self.trained)[0]["file"]:
                return _row(self.directory, shard, "")
            if self.source.config.first_pass is not None:
                name, write = f"{name}.npy", _array_writer(index.reduction().documents(vectors))
            else:
                trained = _read_index(self.trained, _files(self.trained)[0])
                name, write = f"{name}.faiss", _index_writer(ann.fill(trained, vectors))
        except ValueError as error:
            raise _refused(self.source.config, self.source.vectors, error) from error
        write_atomically(storage.rooted(self.directory) / name, write)
        return _row(self.directory, shard, name)


def _refused(config: Dense, vectors: Dataset, error: ValueError) -> ConfigError | DataError:
    if "infinity or NaN" in str(error):
        return DataError(
            f"embeddings in {vectors.path} cannot be indexed: {error}; check the student model "
            "and embed again"
        )
    if config.first_pass is not None:
        given = f"first_pass {config.first_pass.kind}"
        return ConfigError(f"sources.dense: {given} cannot be fitted: {error}; lower its dimension")
    return ConfigError(
        f"sources.dense.index {config.index}: FAISS refuses it for these vectors: {error}; change "
        "index, nlist or m"
    )


def _index_writer(index: faiss.Index) -> Callable[[str], None]:
    return lambda path: faiss.write_index(index, path)


def _array_writer(rows: np.ndarray) -> Callable[[str], None]:
    def write(path: str) -> None:
        with open(path, "wb") as file:
            np.save(file, rows)

    return write


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def _row(directory: str, shard: Block, name: str) -> pa.Table:
    path = storage.rooted(directory) / name
    size, digest = (path.stat().st_size, _digest(path)) if name else (0, "")
    values = [[shard.start], [shard.stop], [name], [size], [digest]]
    return pa.Table.from_arrays([pa.array(column) for column in values], schema=FILES)


@lru_cache(maxsize=8)
def _files(artifact: Dataset) -> list[dict[str, object]]:
    return list(artifact.read().to_pylist())


def _checked(artifact: Dataset, row: dict[str, object]) -> Path:
    path = artifact.directory / str(row["file"])
    try:
        storage.fetch(path)
        if storage.is_mirrored(path) and _digest(path) != row["digest"]:
            storage.forget(path)
            storage.fetch(path)
        if _digest(path) == row["digest"]:
            return path
        reason = "is not what was written there"
    except OSError as error:
        reason = f"cannot be read ({error.strerror})"
    raise StorageError(
        f"{path} {reason}; remove {artifact.directory} and run again to make it anew"
    )


def _read_index(artifact: Dataset, row: dict[str, object], flags: int = 0) -> faiss.Index:
    path = _checked(artifact, row)
    try:
        return faiss.read_index(str(path), flags)
    except RuntimeError as error:
        raise StorageError(
            f"{path} cannot be read by faiss {faiss.__version__}; remove {artifact.directory} and "
            "run again to make it anew"
        ) from error


@lru_cache(maxsize=4)
def _reduction(trained: Dataset, first_pass: FirstPass) -> Reduction:
    rows = np.load(_checked(trained, _files(trained)[0]))
    return Reduction(rows[1:], rows[0], first_pass.kind != "pca")


@lru_cache(maxsize=2)
def _open_shard(shards: Dataset, shard: Block) -> Shard | None:
    rows = [row for row in _files(shards) if (row["start"], row["stop"]) == tuple(shard)]
    if len(rows) != 1:
        raise StorageError(
            f"{shards.path} has no index of documents {shard.start}..{shard.stop - 1}; remove the "
            "directory and run again to make it anew"
        )
    row = rows[0]
    if not row["file"]:
        return None
    if str(row["file"]).endswith(".npy"):
        return Reduced.of(np.load(_checked(shards, row), mmap_mode="r"))
    return _read_index(shards, row, faiss.IO_FLAG_MMAP_IFC)
