"""Picking: near-duplicates of chosen negatives are skipped; diverse methods against an oracle."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from negmine.schemas.config import Tier
from negmine.transforms.kernels.choosing.picking import DocumentArrays
from negmine.transforms.kernels.choosing.tiers import Choice, choose
from tests.transforms.kernels.pairs import distinct_documents, pairs_of, selection_of

NEAR = [{"near_duplicate_of_negative": {"jaccard": 0.8, "cosine": 0.97}}]
POSITIVE = {"is_positive": True, "dense": 1.0}


def pick(similarities: list[float], documents: DocumentArrays, quota: int, **more: Any) -> Choice:
    pairs = pairs_of([POSITIVE, *({"dense": s} for s in similarities)])
    selection = selection_of({"any": Tier(quota=quota)}, **more)
    return choose(pairs, ~pairs.is_positive, selection, documents)


def test_a_near_duplicate_of_a_chosen_negative_gives_its_place_to_the_next() -> None:
    documents = distinct_documents(5)
    documents.vectors[2] = documents.vectors[1] * 3
    choice = pick([0.9, 0.8, 0.7, 0.6], documents, 2, policies=NEAR)
    assert choice.tier.tolist() == [-1, 0, -1, 0, -1]
    assert choice.near.tolist() == [False, False, True, False, False]
    assert choice.near_value[2] == pytest.approx(1.0)
    assert choice.near_threshold[2] == np.float32(0.97)


def test_the_same_shingles_are_a_near_duplicate_whatever_the_vectors() -> None:
    documents = distinct_documents(4)
    documents.minhash[2] = documents.minhash[1]
    assert pick([0.9, 0.8, 0.7], documents, 2, policies=NEAR).tier.tolist() == [-1, 0, -1, 0]


def test_near_duplicates_are_looked_for_across_tiers_and_backfill() -> None:
    documents = distinct_documents(4)
    documents.vectors[2] = documents.vectors[1]
    tiers = {"hard": Tier(quota=2, min_ratio=0.8), "easy": Tier(quota=1)}
    pairs = pairs_of([POSITIVE, {"dense": 0.9}, {"dense": 0.5}, {"dense": 0.4}])
    choice = choose(pairs, ~pairs.is_positive, selection_of(tiers, NEAR), documents)
    assert choice.tier.tolist() == [-1, 0, -1, 1]
    assert choice.near.tolist() == [False, False, True, False]


def test_without_the_policy_near_duplicates_are_kept() -> None:
    documents = distinct_documents(3)
    documents.vectors[2] = documents.vectors[1]
    assert pick([0.9, 0.8], documents, 2).tier.tolist() == [-1, 0, 0]


def slow_mmr(vectors: np.ndarray, relevance: np.ndarray, quota: int, weight: float) -> list[int]:
    chosen: list[int] = []
    while len(chosen) < min(quota, len(relevance)):

        def value(i: int) -> float:
            nearest = max((float(vectors[i] @ vectors[j]) for j in chosen), default=0.0)
            return (1 - weight) * float(relevance[i]) - weight * nearest

        rest = [i for i in range(len(relevance)) if i not in chosen]
        chosen.append(max(rest, key=lambda i: (round(value(i), 9), -i)))
    return chosen


def slow_log_det(
    vectors: np.ndarray, relevance: np.ndarray, quota: int, weight: float
) -> list[int]:
    chosen: list[int] = []

    def log_det(rows: list[int]) -> float:
        gram = vectors[rows] @ vectors[rows].T
        return float(np.linalg.slogdet(gram)[1]) if rows else 0.0

    while len(chosen) < min(quota, len(relevance)):

        def value(i: int) -> float:
            return (1 - weight) * float(relevance[i]) + weight * log_det([*chosen, i])

        rest = [i for i in range(len(relevance)) if i not in chosen]
        chosen.append(max(rest, key=value))
    return chosen


@given(st.integers(0, 10_000), st.integers(1, 4), st.sampled_from([0.2, 0.5, 0.9]))
def test_diverse_methods_equal_their_definitions(seed: int, quota: int, weight: float) -> None:
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(9, 6)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    similarities = random.uniform(0, 1, 8).astype(np.float32)
    documents = DocumentArrays(vectors, distinct_documents(9).minhash)
    for method, slowly in (("mmr", slow_mmr), ("log_det", slow_log_det)):
        found = pick(list(similarities), documents, quota, method=method, diversity=weight)
        exact = vectors[1:].astype(np.float64)
        expected = slowly(exact, similarities.astype(np.float64), quota, weight)
        assert set(np.flatnonzero(found.tier >= 0) - 1) == set(expected)


def test_without_diversity_the_most_similar_are_taken() -> None:
    for method in ("mmr", "log_det"):
        found = pick([0.2, 0.9, 0.5], distinct_documents(4), 2, method=method, diversity=0.0)
        assert found.tier.tolist() == [-1, -1, 0, 0]


def test_diversity_counts_what_earlier_tiers_chose() -> None:
    vectors = np.eye(4, dtype=np.float32)
    vectors[2] = vectors[1] + np.float32(0.1) * vectors[3]
    documents = DocumentArrays(vectors, distinct_documents(4).minhash)
    pairs = pairs_of([POSITIVE, {"dense": 0.9}, {"dense": 0.5}, {"dense": 0.5}])
    tiers = {"hard": Tier(quota=1, min_ratio=0.8), "easy": Tier(quota=1)}
    for method in ("mmr", "log_det"):
        selection = selection_of(tiers, method=method)
        found = choose(pairs, ~pairs.is_positive, selection, documents)
        assert found.tier.tolist() == [-1, 0, -1, 1]
