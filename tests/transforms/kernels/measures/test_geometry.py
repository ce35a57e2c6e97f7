"""Geometry of embeddings: residuals, alignment and uniformity, against their definitions."""

import numpy as np
import pytest

from negmine.transforms.kernels.measures.geometry import (
    alignment,
    cosines,
    length_bias,
    uniformity,
    unit_length,
    unit_residuals,
)

LEFT, RIGHT = np.random.default_rng(5).normal(size=(2, 40, 6)).astype(np.float32)


def unit64(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors.astype(np.float64), axis=1)[:, None]


def test_cosines_do_not_depend_on_length() -> None:
    expected = (unit64(LEFT) * unit64(RIGHT)).sum(axis=1)
    np.testing.assert_allclose(cosines(LEFT * 7, RIGHT), expected, atol=1e-6)


def test_residuals_point_from_the_positive_to_the_negative() -> None:
    difference = unit64(LEFT) - unit64(RIGHT)
    np.testing.assert_allclose(unit_residuals(LEFT, RIGHT), unit64(difference), atol=1e-5)


def test_the_residual_of_the_positive_itself_is_zero() -> None:
    assert not unit_residuals(LEFT, LEFT).any()


def test_alignment_and_uniformity_are_those_of_squared_distances() -> None:
    squared = ((unit64(LEFT) - unit64(RIGHT)) ** 2).sum(axis=1)
    cosine = cosines(LEFT, RIGHT)
    assert alignment(cosine) == pytest.approx(squared.mean(), abs=1e-6)
    assert uniformity(cosine) == pytest.approx(np.log(np.exp(-2 * squared).mean()), abs=1e-6)


def test_equal_vectors_are_aligned_and_not_uniform() -> None:
    ones = np.ones(3)
    assert alignment(ones) == 0 and uniformity(ones) == 0


def test_unit_length_scales_every_row_by_itself_and_leaves_what_has_it() -> None:
    scaled = unit_length(LEFT)
    np.testing.assert_allclose(np.linalg.norm(scaled, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(scaled, unit64(LEFT), atol=1e-6)
    assert unit_length(scaled).tobytes() == scaled.tobytes()
    mixed = np.concatenate([scaled[:3], LEFT[3:]])
    assert unit_length(mixed).tobytes() == scaled.tobytes()
    assert b"".join(unit_length(row[None]).tobytes() for row in LEFT) == scaled.tobytes()


def test_length_bias_is_that_of_scores_that_grow_with_length() -> None:
    random = np.random.default_rng(0)
    length = random.normal(size=4_000)
    none = length_bias(random.normal(size=4_000), length)
    assert none is not None
    assert none.correlation == pytest.approx(0, abs=0.05)
    assert none.auc == pytest.approx(0.5, abs=0.03)
    all_of_it = length_bias(3 * length, length)
    assert all_of_it == (pytest.approx(1.0), 1.0, 4_000)
    shorter = length_bias(-length, length)
    assert shorter is not None and shorter.correlation == pytest.approx(-1.0)
    assert shorter.auc == 0


def test_length_bias_leaves_equal_lengths_out_and_needs_some_that_differ() -> None:
    score, length = np.array([1.0, -1.0, 0.0, 5.0]), np.array([1.0, 1.0, 1.0, 0.0])
    found = length_bias(score, length)
    assert found is not None and (found.auc, found.pairs) == (0.5, 3)
    assert length_bias(score, np.zeros(4)) is None
    assert length_bias(np.zeros(4), length) is None
