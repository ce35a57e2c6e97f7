"""Sampling: every method's order, by its definition, drawn by keyed hash."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from negmine.schemas.config import Sampling, Tier
from negmine.transforms.kernels.choosing.pairs import Pairs
from negmine.transforms.kernels.choosing.sampling import (
    contrast,
    fused,
    gumbel,
    preference,
    simans,
    trisampler,
)
from negmine.transforms.kernels.choosing.tiers import choose, served_positive
from negmine.transforms.kernels.hashing import mix
from tests.transforms.kernels.pairs import distinct_documents, pairs_of, selection_of

DRAWN = ["uniform", "softmax", "simans", "trisampler"]


def block(queries: int, each: int) -> Pairs:
    """Queries with a positive and candidates whose similarity falls evenly from 0.9 to 0.1."""
    rows = []
    for query in range(queries):
        rows.append({"query": query, "is_positive": True, "dense": 1.0, "bm25_rank": 1})
        for i in range(each):
            similarity = 0.9 - 0.8 * i / max(each - 1, 1)
            rows.append({"query": query, "dense": similarity, "bm25_rank": i + 2})
    for i, row in enumerate(rows):
        row["pair_key"] = int(mix(5, np.uint64(i)))
    return pairs_of(rows)


def taken(pairs: Pairs, quota: int, **sampling: object) -> np.ndarray:
    tiers = {"any": Tier(quota=quota)}
    documents = distinct_documents(len(pairs.query))
    choice = choose(pairs, ~pairs.is_positive, selection_of(tiers, **sampling), documents)  # type: ignore[arg-type]
    return choice.tier >= 0


def test_uniform_draws_every_candidate_equally_often() -> None:
    pairs = block(4000, 4)
    counts = taken(pairs, 1, method="uniform").reshape(4000, 5)[:, 1:].sum(axis=0)
    np.testing.assert_allclose(counts / 4000, 0.25, atol=0.03)


def test_softmax_draws_in_proportion_to_the_exponential_of_the_similarity() -> None:
    pairs = block(4000, 3)
    counts = taken(pairs, 1, method="softmax", temperature=0.4).reshape(4000, 4)[:, 1:].sum(axis=0)
    weights = np.exp(np.array([0.9, 0.5, 0.1]) / 0.4)
    np.testing.assert_allclose(counts / 4000, weights / weights.sum(), atol=0.03)


def test_draws_are_without_replacement() -> None:
    pairs = block(50, 6)
    assert (taken(pairs, 6, method="uniform").reshape(50, 7)[:, 1:]).all()


@pytest.mark.parametrize("method", DRAWN)
def test_a_draw_depends_on_seed_query_and_document_alone(method: str) -> None:
    pairs = block(6, 8)
    served = served_positive(pairs)
    whole = preference(pairs, served, Sampling.model_validate({"method": method}), seed=3)
    half = Pairs(
        **{
            name: {k: v[:27] for k, v in value.items()} if name == "ranks" else value[:27]
            for name, value in vars(pairs).items()
        }
    )
    part = preference(half, served[:3], Sampling.model_validate({"method": method}), seed=3)
    assert part.tolist() == whole[:27].tolist()
    other = preference(pairs, served, Sampling.model_validate({"method": method}), seed=4)
    assert other.tolist() != whole.tolist()


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=50))
def test_noise_is_finite_for_every_key(keys: list[int]) -> None:
    assert np.isfinite(gumbel(np.array(keys, dtype=np.uint64), 1)).all()


def test_noise_follows_the_gumbel_distribution() -> None:
    noise = gumbel(mix(1, np.arange(100_000, dtype=np.uint64)), 2)
    assert noise.mean() == pytest.approx(0.5772, abs=0.02)
    assert noise.var() == pytest.approx(np.pi**2 / 6, abs=0.05)


def test_simans_peaks_b_below_the_positive() -> None:
    dense = np.array([2.0, 1.0, 0.0])
    assert simans(dense, np.full(3, 2.0), 0.5, 0.0).argmax() == 0
    assert simans(dense, np.full(3, 2.0), 0.5, 1.0).tolist() == [-0.5, 0.0, -0.5]


def test_trisampler_wants_negatives_nearer_to_the_positive_than_to_the_query() -> None:
    dense, positive = np.array([0.5, 0.5, -0.9]), np.full(3, 0.6)
    weight = trisampler(dense, positive, np.array([0.7, 0.4, 0.9], dtype=np.float32))
    assert weight[0] == pytest.approx(-0.01 / 4 + np.log(0.2), abs=1e-6)
    assert weight[0] > weight[1] > weight[2]


def test_contrast_prefers_what_is_far_from_the_positive_for_its_neighbourhood() -> None:
    rows = [
        {"is_positive": True, "dense": 1.0, "bm25_rank": 1, "positive_cosine": 1.0},
        {"bm25_rank": 2, "positive_cosine": 0.8, "neighbour_cosine": 0.5},
        {"bm25_rank": 3, "positive_cosine": 0.8, "neighbour_cosine": 0.9},
        {"bm25_rank": 4, "positive_cosine": 0.3, "neighbour_cosine": 0.5},
    ]
    found = contrast(pairs_of(rows), lexical_weight=0.0)
    assert np.argsort(-found).tolist() == [3, 2, 1, 0]


def test_the_lexical_weight_moves_contrast_towards_shared_words() -> None:
    rows = [
        {"is_positive": True, "bm25_rank": 1, "positive_cosine": 1.0, "bm25": 5.0},
        {"bm25_rank": 2, "positive_cosine": 0.5, "bm25": 0.0},
        {"bm25_rank": 3, "positive_cosine": 0.5, "bm25": 9.0},
    ]
    without, with_words = (contrast(pairs_of(rows), weight) for weight in (0.0, 0.5))
    assert without[1] == without[2]
    assert with_words[2] > with_words[1]


def test_no_method_reads_the_judge() -> None:
    pairs = block(3, 5)
    changed = Pairs(**{**vars(pairs), "judge": np.arange(len(pairs.query), dtype=np.float32)})
    served = served_positive(pairs)
    for method in ("fused", "top", "contrast", *DRAWN):
        sampling = Sampling.model_validate({"method": method})
        before, after = (preference(p, served, sampling, 1) for p in (pairs, changed))
        assert before.tolist() == after.tolist()


def test_fused_takes_first_what_both_sources_place_high() -> None:
    ranks = [(1, 30), (3, 3), (0, 1), (2, 0)]
    rows: list[dict[str, object]] = [{"query": 0, "is_positive": True, "dense": 1.0}]
    rows += [
        {"query": 0, "dense": 0.5, "dense_rank": dense, "bm25_rank": bm25} for dense, bm25 in ranks
    ]
    expected = [sum(1 / (10 + rank) for rank in pair if rank) for pair in ranks]
    np.testing.assert_allclose(fused(pairs_of(rows))[1:], expected)
    assert np.argmax(expected) == 1


def test_fused_asks_only_sources_that_retrieve() -> None:
    rows: list[dict[str, object]] = [{"query": 0, "is_positive": True, "dense": 1.0}]
    rows += [{"query": 0, "dense": 0.5, "random_rank": 1}]
    assert fused(pairs_of(rows))[1] == 0
