"""Approximate search: chosen factory strings, deterministic bits, independence of the block."""

import faiss
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from negmine.schemas.sources import Dense
from negmine.transforms.kernels.hashing import text_keys
from negmine.transforms.kernels.search.ann import (
    Search,
    factory,
    fill,
    find,
    recall,
    sample_rows,
    sample_size,
    train,
)
from negmine.transforms.kernels.search.dense import exact_top_k, pair_scores

DIMENSION = 16
INDEXES = ["IVF16,Flat", "HNSW8,Flat", "IVF16,PQ4x8", "PCAR8,IVF8_HNSW4,PQ4x4", "SQ8"]


def clustered(seed: int, rows: int, dimension: int = DIMENSION) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(0).normal(size=(40, dimension))
    values = centres[rng.integers(0, 40, rows)] + 0.6 * rng.normal(size=(rows, dimension))
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


DOCUMENTS, QUERIES = clustered(1, 3000), clustered(2, 70)


@pytest.mark.parametrize(
    ("index", "documents", "expected"),
    [
        ("ivf", 100_000, "IVF1024,Flat"),
        ("ivf", 262_144, "IVF2048,Flat"),
        ("ivf", 2000, "IVF51,Flat"),
        ("ivf", 10, "IVF1,Flat"),
        ("hnsw", 100_000, "HNSW32,Flat"),
        ("ivfpq", 262_144, "IVF2048,PQ96x8"),
        ("OPQ64,IVF9,PQ64x8", 100, "OPQ64,IVF9,PQ64x8"),
    ],
)
def test_parameters_are_chosen_from_the_size(index, documents, expected):
    assert factory(Dense(index=index), documents, 384) == expected


def test_parameters_that_are_given_are_used():
    assert factory(Dense(index="ivfpq", nlist=7, m=48), 10**6, 384) == "IVF7,PQ48x8"
    assert factory(Dense(index="hnsw", m=8), 10**6, 384) == "HNSW8,Flat"
    assert factory(Dense(index="ivfpq"), 10**6, 386).endswith("PQ2x8")
    with pytest.raises(ValueError, match="m is 7"):
        factory(Dense(index="ivfpq", m=7), 10**6, 384)


@given(st.integers(0, 99), st.integers(0, 60), st.permutations(range(50)))
def test_the_sample_follows_the_keys_and_not_their_order(seed, count, order):
    keys = text_keys(str(at) for at in range(50))
    rows = sample_rows(keys, seed, count)
    assert len(rows) == min(count, 50) == len(set(rows.tolist()))
    assert (np.diff(rows) > 0).all()
    shuffled = keys[list(order)]
    assert set(shuffled[sample_rows(shuffled, seed, count)]) == set(keys[rows])


def test_only_indexes_that_learn_want_a_sample():
    assert sample_size("HNSW32,Flat", 16) == 0
    assert sample_size("IVF16,Flat", 16) == 65_536
    assert sample_size("IVF4096,Flat", 16) == 64 * 4096


@pytest.mark.parametrize("name", INDEXES)
def test_the_index_has_the_same_bits_for_any_number_of_threads(name):
    before, found = faiss.omp_get_max_threads(), []
    try:
        for threads in (1, 2, 4):
            faiss.omp_set_num_threads(threads)
            made = fill(train(name, DOCUMENTS[:2000]), DOCUMENTS)
            assert faiss.omp_get_max_threads() == threads
            found.append(faiss.serialize_index(made).tobytes())
    finally:
        faiss.omp_set_num_threads(before)
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("name", INDEXES)
def test_a_querys_result_does_not_depend_on_its_block_or_on_threads(name):
    index = fill(train(name, DOCUMENTS), DOCUMENTS)
    config = Dense(index=name)
    whole = find(config, index, QUERIES, DOCUMENTS, 12)
    before = faiss.omp_get_max_threads()
    try:
        for size, threads in ((1, 1), (19, 2), (64, 3)):
            faiss.omp_set_num_threads(threads)
            cuts = [QUERIES[at : at + size] for at in range(0, len(QUERIES), size)]
            parts = [find(config, index, cut, DOCUMENTS, 12) for cut in cuts]
            assert np.concatenate([p.scores for p in parts]).tobytes() == whole.scores.tobytes()
            assert np.concatenate([p.ids for p in parts]).tobytes() == whole.ids.tobytes()
    finally:
        faiss.omp_set_num_threads(before)


@pytest.mark.parametrize("name", INDEXES)
def test_scores_are_those_of_the_full_vectors_and_in_order(name):
    index = fill(train(name, DOCUMENTS), DOCUMENTS)
    found = find(Dense(index=name), index, QUERIES, DOCUMENTS, 12)
    assert (found.ids >= 0).all()
    expected = pair_scores(QUERIES[:, None, :], DOCUMENTS[found.ids])
    assert found.scores.tobytes() == expected.tobytes()
    assert (np.diff(found.scores, axis=1) <= 0).all()


def test_looking_everywhere_is_exact():
    exact = exact_top_k(QUERIES, DOCUMENTS, 12)
    index = fill(train("IVF16,Flat", DOCUMENTS), DOCUMENTS)
    found = find(Dense(index="ivf", nprobe=16), index, QUERIES, DOCUMENTS, 12)
    assert found.ids.tolist() == exact.ids.tolist()
    assert found.scores.tobytes() == exact.scores.tobytes()


def test_more_probes_and_more_over_fetch_find_more():
    exact = exact_top_k(QUERIES, DOCUMENTS, 12).ids
    index = fill(train("IVF16,PQ2x8", DOCUMENTS), DOCUMENTS)

    def reached(**settings: float) -> float:
        config = Dense(index="ivfpq", **settings)
        return float(recall(find(config, index, QUERIES, DOCUMENTS, 12).ids, exact).mean())

    assert reached(nprobe=1) < reached(nprobe=16)
    assert reached(nprobe=16, over_fetch=1) < reached(nprobe=16, over_fetch=20)
    assert reached(nprobe=16, over_fetch=250) == 1.0


def test_search_settings_follow_the_depth():
    index = fill(train("IVF16,PQ4x8", DOCUMENTS), DOCUMENTS)
    assert Search.of(Dense(index="ivfpq"), index, 100) == Search(32, 400, 400)
    assert Search.of(Dense(index="ivfpq", over_fetch=1.5, nprobe=3), index, 9).fetch == 14
    assert Search.of(Dense(index="ivf"), index, 5000).fetch == len(DOCUMENTS)


def test_lists_that_hold_too_few_leave_padding():
    index = fill(train("IVF64,Flat", DOCUMENTS), DOCUMENTS)
    found = find(Dense(index="ivf", nprobe=1), index, QUERIES, DOCUMENTS, 1000)
    assert ((found.ids >= 0) == np.isfinite(found.scores)).all()
    assert (found.ids < 0).any(axis=1).all()


def test_nothing_to_search():
    index = fill(train("HNSW8,Flat", DOCUMENTS), DOCUMENTS)
    assert find(Dense(index="hnsw"), index, QUERIES[:0], DOCUMENTS, 3).ids.shape == (0, 3)
    empty = train("HNSW8,Flat", DOCUMENTS)
    assert (
        find(Dense(index="hnsw"), empty, QUERIES[:2], DOCUMENTS[:0], 3).ids.tolist()
        == [[-1] * 3] * 2
    )


def test_what_faiss_refuses_is_a_value_error():
    with pytest.raises(ValueError, match="as large as number of clusters"):
        train("IVF64,Flat", DOCUMENTS[:10])
    with pytest.raises(ValueError, match="multiple"):
        train("PQ5x8", DOCUMENTS)


def test_recall_counts_the_exact_neighbours_found():
    found = np.array([[1, 2, 3], [7, 8, -1], [-1, -1, -1]])
    exact = np.array([[3, 2], [8, 9], [-1, -1]])
    assert recall(found, exact).tolist() == [1.0, 0.5, 1.0]
