"""Retrieve stage: candidates equal brute force, byte for byte the same for any cut of the work."""

from pathlib import Path

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.test_pipeline import TestPipeline
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from negmine.pipelines.retrieve import Retrieve
from negmine.pipelines.stage import BlockStage
from negmine.schemas import tables
from negmine.schemas.sources import Bm25, Dense
from negmine.transforms.data.blocks import plan_blocks
from negmine.transforms.data.datasets import Dataset, write_part
from negmine.transforms.kernels.hashing import text_keys
from negmine.transforms.kernels.search.dense import pair_scores
from negmine.transforms.kernels.search.random_documents import random_documents
from negmine.transforms.sources.bm25 import Bm25Index, Bm25Scorer, IndexDocuments
from negmine.transforms.sources.random_documents import DrawRandom
from negmine.transforms.sources.searchers import Bm25Searcher, DenseSearcher

DOCUMENTS, QUERIES, DIMENSION = 120, 23, 16
SENTENCE = "cells divide stars burn hydrogen rivers carry sand to the sea and mountains erode"
WORDS = SENTENCE.split()
CUT = {"shards": st.integers(1, 7), "size": st.integers(1, 30)}


def run(stage: beam.PTransform) -> None:
    with TestPipeline(runner=FnApiRunner()) as pipeline:
        _ = pipeline | stage | "Names" >> beam.Map(str)


def text(rng: np.random.Generator) -> str:
    return " ".join(rng.choice(WORDS, rng.integers(1, 9)))


def write(path: Path, schema: pa.Schema, columns: dict[str, object]) -> Dataset:
    table = pa.table({name: columns[name] for name in schema.names}, schema=schema)
    for block in plan_blocks(table.num_rows, 50):
        piece = table.slice(block.start, block.stop - block.start)
        write_part(str(path), block.part, piece, schema)
    dataset = Dataset(str(path))
    dataset.finish(fingerprint=path.name)
    return dataset


def vectors(path: Path, rows: np.ndarray) -> Dataset:
    schema = pa.schema([("ix", pa.int64()), ("vector", pa.list_(pa.float32(), DIMENSION))])
    values = pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), DIMENSION)
    return write(path, schema, {"ix": np.arange(len(rows)), "vector": values})


class Inputs:
    """A small collection with duplicates among texts and vectors, and its BM25 index."""

    def __init__(self, root: Path) -> None:
        rng = np.random.default_rng(0)
        texts = [text(rng) for _ in range(DOCUMENTS - 20)]
        texts += texts[:20]
        self.query_texts = [text(rng) for _ in range(QUERIES - 1)] + ["nothing known"]
        schema = pa.schema([tables.DOCUMENTS.field(name) for name in ("doc_ix", "text")])
        self.documents = write(
            root / "documents", schema, {"doc_ix": np.arange(DOCUMENTS), "text": texts}
        )
        names = ("query_ix", "text", "query_key")
        self.keys = text_keys(str(at) for at in range(QUERIES))
        self.queries = write(
            root / "queries",
            pa.schema([tables.QUERIES.field(name) for name in names]),
            {"query_ix": np.arange(QUERIES), "text": self.query_texts, "query_key": self.keys},
        )
        rows = rng.integers(-2, 3, (DOCUMENTS, DIMENSION)).astype(np.float32)
        self.document_rows = np.concatenate([rows[:-20], rows[:20]])
        self.query_rows = rng.normal(size=(QUERIES, DIMENSION)).astype(np.float32)
        self.document_vectors = vectors(root / "document_vectors", self.document_rows)
        self.query_vectors = vectors(root / "query_vectors", self.query_rows)
        self.index = str(root / "index")
        blocks = tuple(plan_blocks(DOCUMENTS, 32))
        run(IndexDocuments(self.documents, "english", blocks, Bm25Index(self.index)))

    def bm25(self, directory: Path, shards: int, size: int, **values: object) -> Dataset:
        config = Bm25(depth=15, shards=shards, **values)
        blocks = tuple(plan_blocks(QUERIES, size))
        where = str(directory)
        searcher = Bm25Searcher(Bm25Index(self.index), self.queries, config)
        run(Retrieve(searcher, DOCUMENTS, config, where, blocks))
        return Dataset(where)

    def dense(self, directory: Path, shards: int, size: int, depth: int = 15) -> Dataset:
        blocks = tuple(plan_blocks(QUERIES, size))
        config = Dense(depth=depth, shards=shards)
        searcher = DenseSearcher(self.document_vectors, self.query_vectors)
        run(Retrieve(searcher, DOCUMENTS, config, str(directory), blocks))
        return Dataset(str(directory))


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    return Inputs(tmp_path_factory.mktemp("inputs"))


def brute_force(scores: np.ndarray, depth: int) -> dict[str, list]:
    """CANDIDATES of a (queries, documents) matrix; scores of 0 and less count as not found."""
    out: dict[str, list] = {"query_ix": [], "doc_ix": [], "rank": [], "score": []}
    for query, row in enumerate(scores):
        order = [at for at in np.lexsort((np.arange(len(row)), -row)) if row[at] > -np.inf]
        for rank, document in enumerate(order[:depth], 1):
            for name, value in zip(out, (query, document, rank, row[document]), strict=True):
                out[name].append(value.item() if isinstance(value, np.generic) else value)
    return out


def dense_scores(inputs: Inputs) -> np.ndarray:
    return pair_scores(inputs.query_rows[:, None, :], inputs.document_rows[None, :, :])


def bm25_scores(inputs: Inputs, config: Bm25) -> np.ndarray:
    scorer = Bm25Scorer(Bm25Index(inputs.index), config)
    pairs = np.repeat(np.arange(QUERIES), DOCUMENTS), np.tile(np.arange(DOCUMENTS), QUERIES)
    scores = scorer.pair_scores(inputs.query_texts, *pairs).reshape(QUERIES, DOCUMENTS)
    return np.where(scores > 0, scores, -np.inf)


def test_dense_equals_brute_force(inputs, tmp_path):
    found = inputs.dense(tmp_path, 3, 7)
    assert found.read().to_pydict() == brute_force(dense_scores(inputs), 15)
    assert found.read().schema.equals(tables.CANDIDATES)


def test_dense_with_a_depth_beyond_the_corpus_returns_every_document(inputs, tmp_path):
    assert inputs.dense(tmp_path, 4, 9, depth=500).read().num_rows == QUERIES * DOCUMENTS


def test_bm25_equals_brute_force(inputs, tmp_path):
    found = inputs.bm25(tmp_path, 3, 7).read()
    assert found.to_pydict() == brute_force(bm25_scores(inputs, Bm25()), 15)
    assert QUERIES - 1 not in found["query_ix"].to_pylist()


@pytest.fixture(scope="module")
def uncut(inputs, tmp_path_factory):
    """Candidates of either source from one shard and one block."""
    root = tmp_path_factory.mktemp("uncut")
    return {name: getattr(inputs, name)(root / name, 1, 100) for name in ("dense", "bm25")}


@settings(deadline=None, max_examples=8, suppress_health_check=list(HealthCheck))
@given(**CUT)
def test_candidates_are_the_same_bytes_for_any_shards_and_blocks(
    inputs, uncut, tmp_path_factory, shards, size
):
    root = tmp_path_factory.mktemp("cut")
    for name, whole in uncut.items():
        cut = getattr(inputs, name)(root / name, shards, size)
        assert cut.blocks() == plan_blocks(QUERIES, size)
        left, right = cut.read().combine_chunks(), whole.read().combine_chunks()
        assert left.equals(right)
        assert left["score"].to_numpy().tobytes() == right["score"].to_numpy().tobytes()


def test_the_same_cut_gives_the_same_files(inputs, tmp_path):
    left, right = inputs.bm25(tmp_path / "a", 5, 10), inputs.bm25(tmp_path / "b", 2, 10)
    for name in left.part_names():
        assert (left.directory / name).read_bytes() == (right.directory / name).read_bytes()


def test_random_documents_are_those_of_the_kernel(inputs, tmp_path):
    for size in (4, 23):
        directory = str(tmp_path / str(size))
        blocks = tuple(plan_blocks(QUERIES, size))
        draw = DrawRandom(inputs.queries, DOCUMENTS, 9, 5)
        run(BlockStage("Draw", draw, directory, blocks, tables.CANDIDATES))
        found = Dataset(directory).read()
        expected = random_documents(5, inputs.keys, DOCUMENTS, 9)
        assert found["doc_ix"].to_pylist() == expected.ravel().tolist()
        assert found["rank"].to_pylist() == [*range(1, 10)] * QUERIES
        assert set(found["score"].to_pylist()) == {0.0}


def test_only_the_blocks_asked_for_are_written(inputs, tmp_path):
    blocks = plan_blocks(QUERIES, 6)
    whole = inputs.dense(tmp_path / "whole", 2, 6)
    searcher = DenseSearcher(inputs.document_vectors, inputs.query_vectors)
    asked = (blocks[1], blocks[3])
    run(Retrieve(searcher, DOCUMENTS, Dense(depth=15), str(tmp_path / "some"), asked))
    some = Dataset(str(tmp_path / "some"))
    assert some.blocks() == [blocks[1], blocks[3]]
    for name in some.part_names():
        assert some.read_part(name).equals(whole.read_part(name))


def test_no_queries_and_no_documents(tmp_path, inputs):
    nothing = vectors(tmp_path / "nothing", np.empty((0, DIMENSION), np.float32))
    for name, documents, queries in (
        ("no_documents", nothing, inputs.query_vectors),
        ("no_queries", inputs.document_vectors, nothing),
    ):
        blocks = tuple(plan_blocks(queries.rows, 8))
        searcher = DenseSearcher(documents, queries)
        run(Retrieve(searcher, documents.rows, Dense(), str(tmp_path / name), blocks))
        found = Dataset(str(tmp_path / name))
        assert found.read().num_rows == 0
        assert found.blocks() == list(blocks)
