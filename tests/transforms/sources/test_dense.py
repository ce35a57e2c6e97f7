"""The index artifact: one file a shard, the same bits every time, damage that is named."""

from pathlib import Path

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.test_pipeline import TestPipeline

from negmine.schemas.errors import ConfigError, DataError, StorageError
from negmine.schemas.sources import Dense
from negmine.transforms.data.blocks import Block, plan_blocks
from negmine.transforms.data.datasets import Dataset, write_part
from negmine.transforms.data.parts import CreateBlocks, WriteParts
from negmine.transforms.kernels.hashing import text_keys
from negmine.transforms.kernels.search.ann import SMALLEST_SHARD
from negmine.transforms.kernels.search.dense import exact_top_k
from negmine.transforms.sources import dense as dense_index
from negmine.transforms.sources.dense import FILES, DenseIndex, FillShards, IndexSource, TrainIndex
from negmine.transforms.sources.search import plan_shards
from negmine.transforms.sources.searchers import DenseSearcher

DOCUMENTS, DIMENSION = 2600, 8
PQ = Dense(index="IVF8,PQ4x4")
FIRST_PASS = Dense(first_pass={"kind": "whitening", "dimension": 4})


def vectors(path: Path, rows: np.ndarray) -> Dataset:
    schema = pa.schema([("vector", pa.list_(pa.float32(), rows.shape[1]))])
    values = pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), rows.shape[1])
    write_part(str(path), Block(0, len(rows)).part, pa.table([values], schema=schema), schema)
    dataset = Dataset(str(path))
    dataset.finish(fingerprint=path.name)
    return dataset


def source(root: Path, config: Dense, rows: np.ndarray) -> IndexSource:
    schema = pa.schema([("doc_key", pa.uint64())])
    keys = pa.table([text_keys(map(str, range(len(rows))))], schema=schema)
    write_part(str(root / "documents"), Block(0, len(rows)).part, keys, schema)
    return IndexSource(config, Dataset(str(root / "documents")), vectors(root / "v", rows), 3)


def gaussian(seed: int, rows: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, DIMENSION)).astype(np.float32)


def build(root: Path, config: Dense, rows: np.ndarray, shards: int, size: int = 1) -> DenseIndex:
    given = source(root, config, rows)
    planned = plan_shards(len(rows), shards)
    made = [Dataset(str(root / name)) for name in ("trained", "shards")]
    train = TrainIndex(given, planned, made[0].path)
    fill = FillShards(given, made[0], planned, made[1].path)
    steps = ((train, [Block(0, 1)]), (fill, plan_blocks(len(planned), size)))
    for (step, blocks), dataset in zip(steps, made, strict=True):
        with TestPipeline(runner=FnApiRunner()) as pipeline:
            written = WriteParts(dataset.path, FILES)
            _ = pipeline | CreateBlocks(blocks) | step | written | beam.Map(str)
        dataset.finish(fingerprint="")
    return DenseIndex(config, *made)


def searcher(root: Path, index: DenseIndex, queries: np.ndarray) -> DenseSearcher:
    return DenseSearcher(Dataset(str(root / "v")), vectors(root / "q", queries), index)


@pytest.mark.parametrize("config", [PQ, FIRST_PASS, Dense(index="hnsw", m=4)])
def test_every_shard_has_a_file_and_a_second_build_the_same_bytes(tmp_path, config):
    rows = gaussian(0, DOCUMENTS)
    made = [build(tmp_path / name, config, rows, 2, size) for name, size in (("a", 1), ("b", 2))]
    files = [
        {file.name: file.read_bytes() for file in sorted(index.shards.directory.glob("shard-*"))}
        for index in made
    ]
    assert files[0] == files[1]
    rows_of = made[0].shards.read().to_pylist()
    assert [(row["start"], row["stop"]) for row in rows_of] == [(0, 1300), (1300, 2600)]
    assert [row["file"] for row in rows_of] == list(files[0])
    assert [row["bytes"] for row in rows_of] == [len(data) for data in files[0].values()]
    assert not list(tmp_path.rglob("*.tmp"))


@pytest.mark.parametrize("config", [PQ, FIRST_PASS])
@pytest.mark.parametrize("how", ["cut", "flipped", "gone"])
@pytest.mark.parametrize("part", ["trained", "shards"])
def test_a_damaged_file_is_named(tmp_path, config, how, part):
    index = build(tmp_path, config, gaussian(0, DOCUMENTS), 1)
    artifact = getattr(index, part)
    file = artifact.directory / artifact.read()["file"][0].as_py()
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    if how == "gone":
        file.unlink()
    else:
        file.write_bytes(data if how == "flipped" else data[:-9])
    dense_index._reduction.cache_clear()  # as in another process
    with pytest.raises(StorageError, match=str(file)):
        if part == "shards":
            look = searcher(tmp_path, index, gaussian(1, 3))
            look.search(Block(0, DOCUMENTS), Block(0, 3), 5)
        else:
            given = source(tmp_path, config, gaussian(0, DOCUMENTS))
            planned = plan_shards(DOCUMENTS, 1)
            FillShards(given, artifact, planned, str(tmp_path / "again")).table(Block(0, 1))


def test_a_shard_that_was_not_indexed_is_an_error(tmp_path):
    index = build(tmp_path, PQ, gaussian(0, DOCUMENTS), 2)
    with pytest.raises(StorageError, match=r"no index of documents 0\.\.2599"):
        searcher(tmp_path, index, gaussian(1, 3)).search(Block(0, DOCUMENTS), Block(0, 3), 5)


def test_a_shards_file_is_opened_once_and_not_for_every_block(tmp_path):
    index = build(tmp_path, PQ, gaussian(0, DOCUMENTS), 2)
    look = searcher(tmp_path, index, gaussian(1, 60))
    before = dense_index._open_shard.cache_info().misses
    for shard in plan_shards(DOCUMENTS, 2):
        for block in plan_blocks(60, 7):
            look.search(shard, block, 5)
    assert dense_index._open_shard.cache_info().misses == before + 2


def test_small_shards_are_searched_exactly_and_have_no_file(tmp_path):
    rows, queries = gaussian(0, SMALLEST_SHARD - 1), gaussian(1, 9)
    index = build(tmp_path, PQ, rows, 1)
    assert index.shards.read()["file"].to_pylist() == [""]
    found = searcher(tmp_path, index, queries).search(Block(0, len(rows)), Block(0, 9), 7)
    exact = exact_top_k(queries, rows, 7)
    assert found.ids.tolist() == exact.ids.tolist()
    assert found.scores.tobytes() == exact.scores.tobytes()


def test_only_the_given_queries_are_searched_for(tmp_path):
    rows, queries = gaussian(0, DOCUMENTS), gaussian(1, 9)
    index = build(tmp_path, FIRST_PASS, rows, 1)
    whole = searcher(tmp_path, index, queries)
    some = DenseSearcher(whole.document_vectors, whole.query_vectors, index, rows=(7, 2))
    found = some.search(Block(0, DOCUMENTS), Block(0, 2), 5)
    every = whole.search(Block(0, DOCUMENTS), Block(0, 9), 5)
    assert found.ids.tolist() == every.ids[[7, 2]].tolist()


def test_vectors_that_are_not_numbers_are_refused(tmp_path):
    rows, queries = gaussian(0, DOCUMENTS), gaussian(1, 3)
    index = build(tmp_path / "good", PQ, rows, 1)
    queries[1, 1] = np.inf
    with pytest.raises(DataError, match="infinity"):
        searcher(tmp_path / "good", index, queries).search(Block(0, DOCUMENTS), Block(0, 3), 5)
    rows[5, 5] = np.nan
    with pytest.raises(DataError, match="cannot be indexed"):
        build(tmp_path / "bad", PQ, rows, 1)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (Dense(index="IVF8,PQ3x4"), "FAISS refuses it"),
        (Dense(index="ivfpq", m=5), "m is 5"),
        (Dense(first_pass={"kind": "prefix", "dimension": 8}), "lower its dimension"),
    ],
)
def test_settings_that_do_not_fit_the_vectors_are_refused(tmp_path, config, message):
    with pytest.raises(ConfigError, match=message):
        build(tmp_path, config, gaussian(0, DOCUMENTS), 1)
