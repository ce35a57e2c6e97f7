"""Retrieval transforms: shards, the checked merge, the index artifact, the scorer of pairs."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.test_pipeline import TestPipeline
from hypothesis import given
from hypothesis import strategies as st

from negmine.schemas import tables
from negmine.schemas.errors import StorageError
from negmine.schemas.sources import Bm25
from negmine.transforms.data.blocks import Block, plan_blocks
from negmine.transforms.data.datasets import Dataset, write_part
from negmine.transforms.data.parts import WriteParts
from negmine.transforms.kernels.search.topk import TopK, top_k
from negmine.transforms.sources.bm25 import Bm25Index, Bm25Scorer, IndexDocuments, SumTerms
from negmine.transforms.sources.search import (
    MergeShards,
    SearchShards,
    ToCandidates,
    candidates,
    plan_shards,
)
from negmine.transforms.sources.searchers import Bm25Searcher

SENTENCE = "cells divide stars burn hydrogen rivers carry sand to the sea and mountains erode"
WORDS = SENTENCE.split()


def text_dataset(path: Path, texts: list[str], position: str = "doc_ix") -> Dataset:
    """A finished data set of positions and texts."""
    schema = pa.schema([(position, pa.int64()), ("text", pa.large_string())])
    for block in plan_blocks(len(texts), 7):
        rows = pa.Table.from_arrays(
            [np.arange(block.start, block.stop), pa.array(texts[block.start : block.stop])],
            names=[position, "text"],
        )
        write_part(str(path), block.part, rows.cast(schema), schema)
    dataset = Dataset(str(path))
    dataset.finish()
    return dataset


def texts_of(seed: int, count: int) -> list[str]:
    rng = np.random.default_rng(seed)
    share = 1 / np.arange(1, len(WORDS) + 1)
    return [
        " ".join(rng.choice(WORDS, rng.integers(0, 12), p=share / share.sum()))
        for _ in range(count)
    ]


def index(path: Path, documents: Dataset, block_size: int, language: str | None) -> Bm25Index:
    made = Bm25Index(str(path))
    with TestPipeline(runner=FnApiRunner()) as pipeline:
        blocks = plan_blocks(documents.rows, block_size)
        _ = pipeline | IndexDocuments(documents, language, blocks, made)
    return made


@dataclass(frozen=True)
class Noted:
    """Notes each search in a folder; the power goes at number `fails_at`."""

    folder: str
    fails_at: int | None = None

    def search(self, shard: Block, queries: Block, k: int) -> TopK:
        done = len(list(Path(self.folder).iterdir()))
        if done == self.fails_at:
            raise StorageError("the power went")
        (Path(self.folder) / f"{done}-{shard.start}-{queries.start}").touch()
        ids = np.arange(shard.start, shard.stop)[None, :].repeat(queries.stop - queries.start, 0)
        scores = (ids * 7 % 10 + np.arange(queries.start, queries.stop)[:, None]) / np.float32(3)
        return top_k(scores.astype(np.float32), ids, k)


def search_all(noted: Noted, written: Path, kept: str) -> pa.Table:
    blocks = plan_blocks(6, 2)
    with TestPipeline(runner=FnApiRunner()) as pipeline:
        search = SearchShards(noted, plan_shards(12, 3), blocks, 3, kept)
        found = pipeline | search | ToCandidates(blocks)
        _ = found | WriteParts(str(written), tables.CANDIDATES)
    return Dataset(str(written)).read()


def test_what_shards_gave_before_an_interruption_is_not_searched_again(tmp_path):
    for name in ("undisturbed", "disturbed"):
        (tmp_path / name).mkdir()
    once = search_all(Noted(str(tmp_path / "undisturbed")), tmp_path / "once", "")
    assert once.num_rows == 6 * 3
    disturbed, kept = str(tmp_path / "disturbed"), str(tmp_path / "kept")
    with pytest.raises(Exception, match="the power went"):
        search_all(Noted(disturbed, fails_at=5), tmp_path / "twice", kept)
    assert search_all(Noted(disturbed), tmp_path / "twice", kept) == once
    assert len(list((tmp_path / "disturbed").iterdir())) == 9, "three shards by three blocks, once"


@given(st.integers(0, 500), st.integers(1, 40))
def test_shards_are_contiguous_and_cover_the_corpus(documents, shards):
    planned = plan_shards(documents, shards)
    assert planned[0].start == 0
    assert planned[-1].stop == documents
    assert all(left.stop == right.start for left, right in pairwise(planned))
    assert len(planned) <= shards


def test_auto_shards_hold_262144_documents_at_most():
    assert plan_shards(262_144, "auto") == [Block(0, 262_144)]
    assert plan_shards(262_145, "auto") == [Block(0, 131_073), Block(131_073, 262_145)]
    assert plan_shards(0, "auto") == [Block(0, 0)]


def partial_results(shards: int) -> list[tuple[int, TopK, None]]:
    scores = np.random.default_rng(0).integers(0, 5, (3, shards * 10)).astype(np.float32)
    ids = np.arange(shards * 10)[None, :]
    parts = [slice(at * 10, at * 10 + 10) for at in range(shards)]
    return [(at, top_k(scores[:, part], ids[:, part], 6), None) for at, part in enumerate(parts)]


@given(st.permutations(range(5)), st.integers(0, 5))
def test_merge_does_not_depend_on_order_or_grouping(order, cut):
    combine = MergeShards(5, 6)
    parts = partial_results(5)

    def gather(shards: list[int]) -> object:
        accumulator = combine.create_accumulator()
        for shard in shards:
            accumulator = combine.add_input(accumulator, parts[shard])
        return accumulator

    merged = combine.merge_accumulators([gather(order[:cut]), gather(order[cut:])])
    found, expected = combine.extract_output(merged), combine.extract_output(gather(range(5)))
    assert found.scores.tobytes() == expected.scores.tobytes()
    assert found.ids.tobytes() == expected.ids.tobytes()


@pytest.mark.parametrize("shards", [[], [0, 1], [0, 2], [0, 1, 2, 3]])
def test_a_missing_or_foreign_shard_is_an_error(shards):
    combine = MergeShards(3, 6)
    accumulator = combine.create_accumulator()
    for part in partial_results(4):
        if part[0] in shards:
            accumulator = combine.add_input(accumulator, part)
    with pytest.raises(StorageError, match=r"expected all of 0\.\.2"):
        combine.extract_output(accumulator)


def test_a_shard_that_comes_twice_is_an_error():
    combine = MergeShards(3, 6)
    part = partial_results(3)[1]
    accumulator = combine.add_input(combine.create_accumulator(), part)
    with pytest.raises(StorageError, match="twice"):
        combine.add_input(accumulator, part)


def test_candidates_leave_out_padding_and_rank_from_1():
    table = candidates(10, np.float32([[3, 2], [-np.inf, -np.inf], [1, 1]]), np.array(
        [[5, 4], [-1, -1], [0, 9]]
    ))  # fmt: skip
    assert table.to_pydict() == {
        "query_ix": [10, 10, 12, 12],
        "doc_ix": [5, 4, 0, 9],
        "rank": [1, 2, 1, 2],
        "score": [3.0, 2.0, 1.0, 1.0],
    }


def test_index_statistics_are_the_corpus_and_not_the_blocks(tmp_path):
    documents = text_dataset(tmp_path / "documents", ["bb aa bb", "", "aa ccc", "the", "ccc"])
    for size in (1, 2, 5):
        made = index(tmp_path / f"index{size}", documents, size, None)
        assert made.statistics.read().to_pydict() == {
            "term": ["aa", "bb", "ccc", "the"],
            "documents": [2, 1, 2, 1],
            "occurrences": [2, 2, 2, 1],
        }
        assert made.lengths.read()["length"].to_pylist() == [3, 0, 2, 1, 1]
        assert made.postings.read().to_pydict() == {
            "doc_ix": [0, 0, 2, 2, 3, 4],
            "term": ["aa", "bb", "aa", "ccc", "the", "ccc"],
            "frequency": [1, 2, 1, 1, 1, 1],
        }


def test_index_keeps_finished_blocks(tmp_path):
    documents = text_dataset(tmp_path / "documents", texts_of(1, 20))
    made = index(tmp_path / "index", documents, 6, "english")
    before = made.statistics.read()
    (made.statistics.directory / made.statistics.part_names()[0]).unlink()
    (made.lengths.directory / made.lengths.part_names()[1]).unlink()
    kept = made.lengths.directory / made.lengths.part_names()[0]
    age = kept.stat().st_mtime_ns
    index(tmp_path / "index", documents, 6, "english")
    assert made.statistics.read().equals(before)
    assert kept.stat().st_mtime_ns == age


def test_a_lost_block_of_statistics_is_an_error():
    combine = SumTerms([Block(0, 2), Block(2, 4)])
    table = tables.TERM_STATISTICS.empty_table()
    accumulator = combine.add_input(combine.create_accumulator(), (2, table))
    with pytest.raises(StorageError, match=r"expected \[0, 2\]"):
        combine.extract_output(accumulator)


def test_an_index_with_a_missing_part_is_refused(tmp_path):
    documents = text_dataset(tmp_path / "documents", texts_of(2, 20))
    made = index(tmp_path / "index", documents, 6, None)
    (made.postings.directory / made.postings.part_names()[1]).unlink()
    with pytest.raises(StorageError, match="does not fit together"):
        Bm25Scorer(made, Bm25(language=None)).pair_scores(["sea"], np.array([0]), np.array([0]))


@pytest.mark.parametrize("method", ["lucene", "robertson", "atire", "okapi", "bm25l", "bm25+"])
def test_scorer_gives_the_bits_of_retrieval(tmp_path, method):
    documents = text_dataset(tmp_path / "documents", texts_of(3, 50))
    queries = [*texts_of(4, 6), "unknown words", "sea sea sea stars"]
    query_set = text_dataset(tmp_path / "queries", queries, "query_ix")
    made = index(tmp_path / "index", documents, 8, "english")
    config = Bm25(method=method)
    searcher = Bm25Searcher(made, query_set, config)
    found = searcher.search(Block(0, 50), Block(0, len(queries)), 50)
    row, column = np.nonzero(found.ids >= 0)
    assert len(row) > 50
    scorer = Bm25Scorer(made, config)
    scores = scorer.pair_scores(queries, row, found.ids[row, column])
    assert scores.tobytes() == found.scores[row, column].tobytes()

    everything = scorer.pair_scores(queries, np.repeat(np.arange(8), 50), np.tile(np.arange(50), 8))
    if method != "bm25+":
        assert np.count_nonzero(everything > 0) == len(row)
    assert scorer.pair_scores([], np.empty(0, int), np.empty(0, int)).shape == (0,)


@pytest.mark.parametrize("texts", [[], ["the", ""]])
def test_a_corpus_without_terms_finds_nothing(tmp_path, texts):
    documents = text_dataset(tmp_path / "documents", texts)
    made = index(tmp_path / "index", documents, 8, "english")
    query_set = text_dataset(tmp_path / "queries", ["the sea", "sand"], "query_ix")
    searcher = Bm25Searcher(made, query_set, Bm25())
    found = searcher.search(Block(0, len(texts)), Block(0, 2), 3)
    assert found.ids.tolist() == [[-1] * 3] * 2
