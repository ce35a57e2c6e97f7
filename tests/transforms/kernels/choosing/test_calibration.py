"""Calibration: thresholds are read off the positives' own scores, every query counting once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from negmine.transforms.kernels.choosing.calibration import QUERIES, Calibration
from negmine.transforms.kernels.languages import numbered

scores = st.lists(st.floats(-3, 3, width=32), min_size=1, max_size=30)


def test_half_of_the_positives_reach_the_median() -> None:
    found = Calibration.of(np.arange(4), np.array([0.1, 0.4, 0.6, 0.9]))
    assert found.threshold(0.5) == 0.6
    assert found.threshold(1.0) == 0.1
    assert found.threshold(0.01) == 0.9


def test_a_query_with_500_positives_counts_as_much_as_one_with_one() -> None:
    """Queries with 500 positives drown the others."""
    query = np.r_[np.zeros(500, dtype=np.int64), [1]]
    found = Calibration.of(query, np.r_[np.full(500, 0.9), [0.1]])
    assert found.threshold(0.5) == 0.9
    assert found.threshold(0.51) == 0.1


def test_without_positives_nothing_passes_for_safe() -> None:
    found = Calibration.of(np.empty(0, dtype=np.int64), np.empty(0))
    assert found.threshold(0.5) == float("-inf")


@given(scores, st.floats(0.01, 1.0))
def test_the_threshold_is_the_highest_that_enough_positives_reach(
    values: list[float], share: float
) -> None:
    array = np.array(values)
    found = Calibration.of(np.arange(len(values)), array).threshold(share)
    assert found in values
    assert (array >= found).mean() >= share - 1e-9
    higher = array[array > found]
    assert not len(higher) or (array >= higher.min()).mean() < share


@given(scores, scores)
def test_the_common_scale_is_the_share_of_positives_below(
    positives: list[float], others: list[float]
) -> None:
    array = np.array(positives)
    found = Calibration.of(np.arange(len(array)), array).share_below(np.array(others))
    expected = [(array < other).mean() for other in others]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_score_that_is_missing_stays_missing() -> None:
    found = Calibration.of(np.arange(2), np.array([0.0, 1.0])).share_below(np.array([np.nan, 0.5]))
    assert np.isnan(found[0])
    assert found[1] == pytest.approx(0.5)


def test_a_language_with_queries_enough_has_a_threshold_of_its_own() -> None:
    languages = numbered(["de"] * QUERIES + ["en"] * (QUERIES - 1) + [None])
    values = np.linspace(0, 1, len(languages))
    found = Calibration.of(np.arange(len(values)), values, languages)
    german = Calibration.of(np.arange(QUERIES), values[:QUERIES])
    assert found.by_language(0.5) == {"de": german.threshold(0.5)}
    assert found.threshold(0.5) == Calibration.of(np.arange(len(values)), values).threshold(0.5)
