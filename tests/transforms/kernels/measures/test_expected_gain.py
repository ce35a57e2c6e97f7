"""The estimate of a set's gain: hard counts, doubtful costs, repeated teaches less."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from negmine.transforms.kernels.measures.expected_gain import expected_gain, repeated

unit = st.floats(0, 1, width=32)


def test_a_negative_as_near_as_the_positive_and_surely_safe_is_worth_one_half() -> None:
    assert expected_gain(np.array([0.6]), np.array([0.6]), np.array([0.0])).tolist() == [0.5]


def test_it_is_what_the_formula_says() -> None:
    dense, positive, share = np.array([0.5, 0.9]), np.array([0.7, 0.7]), np.array([0.2, 0.9])
    by_hand = 1 / (1 + np.exp(-(dense - positive) / 0.2)) * (1 - 1.25 * share**2)
    np.testing.assert_allclose(expected_gain(dense, positive, share), by_hand)


@given(unit, unit, unit, unit)
def test_harder_is_worth_more_where_it_is_safe_and_doubt_always_costs(
    near: float, far: float, doubt: float, more: float
) -> None:
    far, near = sorted((near, far))
    doubt, more = sorted((doubt, more))
    positive = np.full(2, 0.5)
    hard = expected_gain(np.array([far, near]), positive, np.zeros(2))
    safe = expected_gain(np.full(2, near), positive, np.array([doubt, more]))
    assert hard[0] <= hard[1]
    assert safe[0] >= safe[1]


def test_above_nearly_all_positives_a_negative_takes_away() -> None:
    worth = expected_gain(np.array([0.8, 0.8]), np.array([0.8, 0.8]), np.array([0.8, 1.0]))
    assert worth[0] > 0 > worth[1]


def test_a_document_of_four_queries_teaches_each_half() -> None:
    np.testing.assert_allclose(repeated(np.array([1.0, 1.0]), np.array([1, 4])), [1.0, 0.5])


def test_no_negatives_are_worth_nothing() -> None:
    assert len(expected_gain(np.empty(0), np.empty(0), np.empty(0))) == 0
