"""Packed token vectors: levels, scales and bytes against plain definitions; what they keep."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from negmine.transforms.kernels.search import token_codes
from negmine.transforms.kernels.search.token_codes import Products, pack, row_bytes, unpack

BITS = pytest.mark.parametrize("bits", [2, 4])
DIMENSIONS = st.integers(1, 40)


def unit_rows(count: int, dimension: int, seed: int) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(count, dimension))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def read_slowly(packed: np.ndarray, dimension: int, bits: int) -> list[list[float]]:
    """Every row as the format says: two bytes of scale, then numbers from the lowest bits on."""
    out = []
    for row in packed:
        scale = float(np.frombuffer(row[:2].tobytes(), "<f2")[0])
        whole = int.from_bytes(row[2:].tobytes(), "little")
        numbers = [(whole >> (bits * place)) % 2**bits for place in range(dimension)]
        out.append([scale * (2 * number + 1 - 2**bits) for number in numbers])
    return out


@BITS
@settings(max_examples=60, deadline=None)
@given(count=st.integers(0, 5), dimension=DIMENSIONS, seed=st.integers(0, 99))
def test_rows_hold_what_the_format_says(bits: int, count: int, dimension: int, seed: int) -> None:
    packed = pack(unit_rows(count, dimension, seed), bits)
    assert packed.dtype == np.uint8
    assert packed.shape == (count, row_bytes(dimension, bits))
    found = unpack(packed, dimension, bits)
    expected = np.array(read_slowly(packed, dimension, bits)).reshape(count, dimension)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@BITS
@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(0, 5),
    others=st.integers(0, 3),
    dimension=DIMENSIONS,
    seed=st.integers(0, 99),
)
def test_products_are_those_of_the_rows_unpacked(
    bits: int, count: int, others: int, dimension: int, seed: int
) -> None:
    packed, vectors = pack(unit_rows(count, dimension, seed), bits), unit_rows(others, dimension, 7)
    found = Products.of(vectors, bits)(packed)
    assert found.shape == (count, others)
    assert found.dtype == np.float32
    expected = np.array(read_slowly(packed, dimension, bits)).reshape(count, dimension) @ vectors.T
    np.testing.assert_allclose(found, expected, atol=2e-6)


@BITS
@settings(max_examples=60, deadline=None)
@given(dimension=DIMENSIONS, seed=st.integers(0, 99))
def test_each_number_is_rounded_to_its_nearest_level(bits: int, dimension: int, seed: int) -> None:
    rows = unit_rows(3, dimension, seed)
    levels = np.arange(1 - 2**bits, 2**bits, 2) * token_codes._STEP[bits] / 2
    turned = rows.astype(np.float64) @ token_codes._rotation(dimension) * np.sqrt(dimension)
    nearest = levels[np.abs(turned[:, :, None] - levels).argmin(axis=2)]
    packed = pack(rows, bits)
    scale = packed[:, :2].copy().view("<f2").astype(np.float64)
    found = unpack(packed, dimension, bits) / scale * token_codes._STEP[bits] / 2
    distance = np.abs(turned - found) - np.abs(turned - nearest)
    np.testing.assert_allclose(distance, 0, atol=1e-5)


@BITS
@pytest.mark.parametrize("dimension", [1, 2, 3, 8, 100, 384, 768])
def test_a_vectors_product_with_itself_stays(bits: int, dimension: int) -> None:
    rows = unit_rows(20, dimension, dimension)
    found = unpack(pack(rows, bits), dimension, bits) @ token_codes._rotation(dimension).T
    np.testing.assert_allclose((rows * found).sum(axis=1), 1.0, atol=1e-3)


@pytest.mark.parametrize(("bits", "most"), [(2, 0.02), (4, 0.006)])
def test_products_with_others_are_right_on_average(bits: int, most: float) -> None:
    rows = unit_rows(300, 384, 1)
    rows[:150] = rows[:150] + 2 * rows[0]
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    found = unpack(pack(rows, bits), 384, bits) @ token_codes._rotation(384).T
    error = rows @ found.T - rows @ rows.T
    assert abs(error.mean()) < 2e-4
    assert error.std() < most


@pytest.mark.parametrize("dimension", [1, 2, 3, 7, 64, 384])
def test_a_rotation_keeps_every_product(dimension: int) -> None:
    rotation = token_codes._rotation(dimension).astype(np.float64)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(dimension), atol=1e-6)


@BITS
def test_a_model_with_a_few_large_numbers_loses_no_more_than_another(bits: int) -> None:
    """Some encoders put most of a vector's length into a handful of its numbers."""

    def loss(rows: np.ndarray) -> float:
        found = unpack(pack(rows, bits), 384, bits) @ token_codes._rotation(384).T
        return float(np.linalg.norm(rows - found, axis=1).mean())

    even = unit_rows(100, 384, 1)
    uneven = even.copy()
    uneven[:, [3, 77, 300]] *= 40
    uneven /= np.linalg.norm(uneven, axis=1, keepdims=True)
    assert loss(uneven) < 1.1 * loss(even)


@BITS
def test_a_row_of_zeros_stays_one(bits: int) -> None:
    rows = np.zeros((2, 6), dtype=np.float32)
    rows[1, 0] = 1
    found = unpack(pack(rows, bits), 6, bits)
    assert not found[0].any()
    assert found[1].any()


@BITS
def test_a_number_that_is_none_is_not_hidden(bits: int) -> None:
    rows = unit_rows(2, 8, 0)
    rows[0, 3] = np.nan
    found = unpack(pack(rows, bits), 8, bits)
    assert np.isnan(found[0]).all()
    assert np.isfinite(found[1]).all()


def test_a_document_takes_an_eighth_of_bfloat16_and_a_scale() -> None:
    assert row_bytes(384, token_codes.DOCUMENT_BITS) == 384 * 2 // 8 + 2
    assert row_bytes(384, token_codes.QUERY_BITS) == 384 * 2 // 4 + 2
