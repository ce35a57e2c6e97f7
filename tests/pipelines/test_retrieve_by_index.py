"""Dense retrieval by an index: the same bytes for any block size and run, checked for recall."""

from pathlib import Path

import numpy as np
import pytest

from negmine.pipelines.retrieve import MeasureIndexRecall, Retrieve
from negmine.pipelines.stage import BlockStage
from negmine.schemas.sources import Dense
from negmine.transforms.data.blocks import Block, plan_blocks
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.kernels.search.ann import recall
from negmine.transforms.kernels.search.dense import exact_top_k, pair_scores
from negmine.transforms.sources.dense import FILES, DenseIndex, FillShards, TrainIndex
from negmine.transforms.sources.search import plan_shards
from negmine.transforms.sources.searchers import DenseSearcher
from tests.pipelines.test_retrieve import run
from tests.transforms.sources.test_dense import source, vectors

DOCUMENTS, QUERIES, DEPTH = 3000, 41, 10
CONFIGS = [
    {"index": "ivf", "nprobe": 5},
    {"index": "ivfpq", "nlist": 16, "m": 2},
    {"index": "hnsw", "m": 6, "ef_construction": 20, "ef_search": 20},
    {"index": "PCAR6,IVF8,SQ8"},
    {"first_pass": {"kind": "pca", "dimension": 3}},
]


class Inputs:
    """Random vectors of documents and queries."""

    def __init__(self, root: Path) -> None:
        rng = np.random.default_rng(0)
        self.root = root
        self.documents = rng.normal(size=(DOCUMENTS, 8)).astype(np.float32)
        self.queries = rng.normal(size=(QUERIES, 8)).astype(np.float32)
        self.query_vectors = vectors(root / "queries", self.queries)

    def index(self, directory: Path, shards: int, **settings: object) -> DenseIndex:
        config = Dense(depth=DEPTH, shards=shards, **settings)
        given = source(self.root, config, self.documents)
        self.document_vectors = given.vectors
        trained, filled = Dataset(str(directory / "t")), Dataset(str(directory / "s"))
        planned = plan_shards(DOCUMENTS, shards)
        train = TrainIndex(given, planned, trained.path)
        run(BlockStage("Train", train, trained.path, (Block(0, 1),), FILES))
        fill = FillShards(given, trained, planned, filled.path)
        run(BlockStage("Fill", fill, filled.path, plan_blocks(len(planned), 1), FILES))
        return DenseIndex(config, trained, filled)

    def retrieve(self, directory: Path, index: DenseIndex, size: int) -> Dataset:
        blocks = tuple(plan_blocks(QUERIES, size))
        searcher = DenseSearcher(self.document_vectors, self.query_vectors, index)
        run(Retrieve(searcher, DOCUMENTS, index.config, str(directory), blocks))
        return Dataset(str(directory))


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    return Inputs(tmp_path_factory.mktemp("inputs"))


@pytest.mark.parametrize("settings", CONFIGS, ids=str)
def test_candidates_are_the_same_bytes_for_any_blocks_and_run(inputs, tmp_path, settings):
    tables = []
    for name, size in (("a", 100), ("b", 7), ("c", 1)):
        index = inputs.index(tmp_path / f"index-{name}", 2, **settings)
        tables.append(inputs.retrieve(tmp_path / name, index, size).read().combine_chunks())
    assert tables[0].equals(tables[1])
    assert tables[0].equals(tables[2])
    again = inputs.retrieve(tmp_path / "again", index, 7)
    for part in again.part_names():
        assert (again.directory / part).read_bytes() == (tmp_path / "b" / part).read_bytes()


@pytest.mark.parametrize("settings", CONFIGS, ids=str)
def test_candidates_have_full_scores_in_order_and_approach_the_exact_ones(
    inputs, tmp_path, settings
):
    index = inputs.index(tmp_path / "index", 3, **settings)
    table = inputs.retrieve(tmp_path / "found", index, 20).read()
    query, document, score = (table[name].to_numpy() for name in ("query_ix", "doc_ix", "score"))
    pairs = pair_scores(inputs.queries[query], inputs.documents[document])
    assert score.tobytes() == pairs.tobytes()
    assert table["rank"].to_pylist() == [*range(1, DEPTH + 1)] * QUERIES
    assert (np.lexsort((document, -score, query)) == np.arange(len(query))).all()
    exact = exact_top_k(inputs.queries, inputs.documents, DEPTH)
    assert recall(document.reshape(QUERIES, DEPTH), exact.ids).mean() > 0.4


def test_looking_everywhere_is_exact_for_any_shards(inputs, tmp_path):
    exact = exact_top_k(inputs.queries, inputs.documents, DEPTH)
    for shards in (1, 2):
        index = inputs.index(tmp_path / f"index-{shards}", shards, index="ivf", nprobe=1000)
        found = inputs.retrieve(tmp_path / str(shards), index, 9).read()
        assert found["doc_ix"].to_pylist() == exact.ids.ravel().tolist()
        assert found["score"].to_numpy().tobytes() == exact.scores.tobytes()


def test_recall_is_that_of_brute_force_for_the_sampled_queries(inputs, tmp_path):
    index = inputs.index(tmp_path / "index", 2, index="ivf", nprobe=2)
    found = inputs.retrieve(tmp_path / "found", index, 50).read()["doc_ix"].to_numpy()
    exact = exact_top_k(inputs.queries, inputs.documents, DEPTH).ids
    rows = (3, 5, 30, 40)
    expected = recall(found.reshape(QUERIES, DEPTH), exact)[list(rows)]
    directory = str(tmp_path / "recall")
    sets = (inputs.document_vectors, inputs.query_vectors)
    blocks = tuple(plan_blocks(len(rows), 3))
    run(MeasureIndexRecall(index, *sets, sets[0].rows, rows, directory, blocks))
    table = Dataset(directory).read()
    assert table["query_ix"].to_pylist() == list(rows)
    assert table["recall"].to_pylist() == expected.astype(np.float32).tolist()
    assert 0 < expected.mean() < 1
