"""ECI: the paper's table, its bounds, and the per-query terms against a direct calculation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.kernels.eci import eci, harmonic_mean, query_terms, summarise

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
