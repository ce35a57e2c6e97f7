"""ECI: the paper's table, the bounds of both forms, and both against a direct calculation."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from negmine.transforms.kernels.eci import (
    SemanticCapacity,
    SetTerms,
    eci,
    eci_sem_recon,
    harmonic_mean,
    query_terms,
    semantic_weights,
    summarise,
)

PAPER = [
    ("BM25", 50, 0.577, 0.199, 1.16),
    ("Cross-Encoder", 25, 0.606, 0.175, 0.88),
    ("LLM", 3, 0.656, 0.110, 0.26),
    ("BM25+CE", 75, 0.587, 0.192, 1.25),
    ("LLM+BM25", 53, 0.620, 0.152, 0.97),
    ("LLM+BM25+CE", 78, 0.621, 0.152, 1.06),
    ("CE+LLM", 28, 0.631, 0.143, 0.79),
]
unit = st.floats(0, 1)


@pytest.mark.parametrize(("source", "size", "signal", "safety", "expected"), PAPER)
def test_reproduces_table_1_of_the_paper(
    source: str, size: int, signal: float, safety: float, expected: float
) -> None:
    assert eci(size, signal, safety) == pytest.approx(expected, abs=0.01)


@given(st.integers(0, 10_000), unit, unit)
def test_lies_between_zero_and_capacity(size: int, signal: float, safety: float) -> None:
    assert 0 <= eci(size, signal, safety) <= math.log1p(size) * max(signal, safety) + 1e-12


@given(unit, unit)
def test_harmonic_mean_is_symmetric_and_at_most_twice_the_smaller(a: float, b: float) -> None:
    assert harmonic_mean(a, b) == pytest.approx(harmonic_mean(b, a))
    assert harmonic_mean(a, b) <= 2 * min(a, b) + 1e-12


@pytest.mark.parametrize(("signal", "safety"), [(-0.2, 0.5), (0.5, -0.2), (0.0, 0.0)])
def test_a_term_at_or_below_zero_gives_zero(signal: float, safety: float) -> None:
    assert eci(10, signal, safety) == 0


def test_refuses_a_negative_size() -> None:
    with pytest.raises(ValueError, match="size is -1"):
        eci(-1, 0.5, 0.5)


def test_query_terms_match_a_calculation_by_hand() -> None:
    terms = query_terms(
        query=np.array([0, 0, 2]),
        negative=np.array([0.4, 0.6, 0.9]),
        positive=np.array([0.8, 0.8, 0.7]),
        queries=3,
    )
    assert terms.size.tolist() == [2, 0, 1]
    np.testing.assert_allclose(terms.signal, [0.5, 0.0, 0.9])
    np.testing.assert_allclose(terms.safety, [0.3, 0.0, 0.0])
    np.testing.assert_allclose(terms.harmonic_mean, [0.375, 0.0, 0.0])
    np.testing.assert_allclose(terms.eci, [math.log(3) * 0.375, 0.0, 0.0])


def test_a_summary_leaves_out_queries_without_negatives() -> None:
    terms = query_terms(np.array([0, 0, 2, 2]), np.full(4, 0.4), np.full(4, 0.7), queries=3)
    summary = summarise(terms)
    assert summary["queries"] == 2
    assert summary["negatives"] == 2
    assert summary["eci"] == pytest.approx(eci(2, 0.4, 0.3))


def test_a_summary_of_nothing_is_zero() -> None:
    assert summarise(query_terms(np.array([], int), np.array([]), np.array([]), 2))["eci"] == 0


def terms_of(rows: list[tuple[int, float, float]], queries: int) -> SetTerms:
    query, negative, positive = np.array(rows).reshape(-1, 3).T
    return query_terms(query.astype(np.int64), negative, positive, queries)


@given(st.lists(st.tuples(st.integers(0, 4), unit, unit), min_size=1), st.randoms())
def test_the_order_of_the_rows_does_not_matter(
    rows: list[tuple[int, float, float]], r: Any
) -> None:
    shuffled = r.sample(rows, len(rows))
    first, second = terms_of(rows, 5), terms_of(shuffled, 5)
    np.testing.assert_allclose(first.eci, second.eci, atol=1e-12)


@given(st.lists(st.tuples(st.integers(0, 5), unit, unit), min_size=1), st.integers(0, 6))
def test_queries_have_the_terms_of_their_own_rows(
    rows: list[tuple[int, float, float]], cut: int
) -> None:
    whole = terms_of(rows, 6)
    below, above = ([row for row in rows if (row[0] < cut) == side] for side in (True, False))
    assert terms_of(below, 6).eci[:cut].tolist() == whole.eci[:cut].tolist()
    assert terms_of(above, 6).eci[cut:].tolist() == whole.eci[cut:].tolist()


@given(st.integers(0, 1000), st.integers(1, 1000), unit, unit)
def test_more_negatives_of_the_same_terms_never_score_lower(
    size: int, more: int, signal: float, safety: float
) -> None:
    assert eci(size + more, signal, safety) >= eci(size, signal, safety)


def test_at_equal_n_easier_negatives_than_the_papers_best_score_higher() -> None:
    """Why it is never optimised."""
    assert eci(50, 0.388, 0.388) > eci(50, 0.577, 0.199)


def random_triples(seed: int, count: int, width: int = 16) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    residual = random.normal(size=(count, width))
    return random.uniform(size=count), residual / np.linalg.norm(residual, axis=1)[:, None]


@given(st.integers(0, 2**32 - 1), st.integers(1, 60))
def test_the_log_determinant_is_that_of_the_definition(seed: int, count: int) -> None:
    weight, residual = random_triples(seed, count)
    matrix = sum(w * np.outer(u, u) for w, u in zip(weight, residual, strict=True)) / count
    found = eci_sem_recon(weight, residual)
    values = np.linalg.eigvalsh(matrix)
    assert found.score == pytest.approx(np.log1p(values).sum())
    assert found.trace == pytest.approx(weight.mean())
    assert found.participation_ratio == pytest.approx(values.sum() ** 2 / (values**2).sum())


@given(st.integers(0, 2**32 - 1), st.integers(1, 60))
def test_the_score_lies_between_zero_and_the_trace(seed: int, count: int) -> None:
    found = eci_sem_recon(*random_triples(seed, count))
    assert 0 <= found.score <= found.trace + 1e-12
    assert 1 - 1e-9 <= found.participation_ratio <= 16 + 1e-9


@given(st.integers(0, 2**32 - 1), st.integers(1, 60))
def test_the_order_of_the_triples_does_not_matter(seed: int, count: int) -> None:
    weight, residual = random_triples(seed, count)
    order = np.random.default_rng(seed).permutation(count)
    found = eci_sem_recon(weight[order], residual[order])
    assert found.score == pytest.approx(eci_sem_recon(weight, residual).score, abs=1e-12)


@given(st.integers(0, 2**32 - 1), st.integers(2, 60), st.integers(2, 5))
def test_copies_add_nothing_and_score_below_a_diverse_set(
    seed: int, count: int, times: int
) -> None:
    weight, residual = random_triples(seed, count)
    once = eci_sem_recon(weight, residual)
    again = eci_sem_recon(np.tile(weight, times), np.tile(residual, (times, 1)))
    assert again.score == pytest.approx(once.score, abs=1e-12)
    assert again.participation_ratio == pytest.approx(once.participation_ratio)
    alike = eci_sem_recon(weight, np.repeat(residual[:1], count, axis=0))
    assert alike.trace == pytest.approx(once.trace)
    assert alike.score < once.score
    assert alike.participation_ratio == pytest.approx(1)
    assert once.participation_ratio > 1


@given(st.integers(0, 2**31), st.integers(1, 40))
def test_a_hybrid_scores_about_the_mean_of_its_parts(seed: int, count: int) -> None:
    """The paper's Table 1: each hybrid is the average of its two sources, or just above."""
    parts = [random_triples(seed + i, count) for i in range(2)]
    scores = [eci_sem_recon(*part) for part in parts]
    joined = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    hybrid = eci_sem_recon(*joined)
    assert np.mean([s.score for s in scores]) - 1e-12 <= hybrid.score
    assert hybrid.score <= np.mean([s.trace for s in scores]) + 1e-12


def test_nothing_scores_nothing() -> None:
    assert eci_sem_recon(np.empty(0), np.empty((0, 4))) == SemanticCapacity(0.0, 0.0, 0.0)


@given(st.floats(-1, 1), st.floats(-1, 1), unit)
def test_weights_are_the_product_of_three_shares(s: float, n: float, new: float) -> None:
    found = semantic_weights(np.array([s]), np.array([n]), np.array([new]))
    consistency = 1 / (1 + math.exp(-(s - n) / 0.05))
    assert found.weight[0] == pytest.approx(consistency * max(0.0, n) * new, abs=1e-12)


def test_a_likely_false_negative_weighs_next_to_nothing() -> None:
    near, false = semantic_weights(np.full(2, 0.6), np.array([0.5, 0.9]), np.ones(2)).weight
    assert false < near / 100
