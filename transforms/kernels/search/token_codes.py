"""Token vectors in two or four bits a number: rotated, rounded to levels, widened by a table."""

from functools import lru_cache

import numpy as np

from negmine.transforms.kernels.hashing import mix

DOCUMENT_BITS = 2
"""Of a document's tokens, which are nearly all that is stored."""
QUERY_BITS = 4
"""Of a query's tokens, which are few."""

_LEVELS = {
    2: (0.4528, 1.510),
    4: (0.1284, 0.3881, 0.6568, 0.9424, 1.256, 1.618, 2.069, 2.733),
}
_SCALE = np.dtype("<f2")
_SEED = 42
_ROUNDS = 3


def row_bytes(dimension: int, bits: int) -> int:
    """Bytes of a token: its scale, and `bits` for each number."""
    return _SCALE.itemsize + -(-dimension * bits // 8)


def pack(vectors: np.ndarray, bits: int) -> np.ndarray:
    """Token vectors in `bits` for each number.

    A row is rotated, so that its numbers are about normal whatever the model, and each is rounded
    to the nearest of the levels that round normal numbers with the least squared error (Max,
    Quantizing for minimum distortion, IRE Transactions on Information Theory 6, 1960, table I).
    The scale makes a row's product with the vector that it stands for that vector's own square,
    so that its products with others are right on average (RaBitQ of Gao and Long, arXiv
    2405.12497, theorem 3.2, there for one bit).

    The last digit before rounding may depend on the rows that are packed together: the tokens of
    one text are, alone and with BLAS on one thread, so that a text has the same bytes anywhere.

    Args:
        vectors: (tokens, dimension) float32, rows of length 1; a row of zeros stays one.
        bits: 2 or 4.

    Returns:
        (tokens, `row_bytes`) uint8: a float16 scale, little-endian, then the levels' numbers, the
        first in the lowest bits.
    """
    tokens, dimension = vectors.shape
    levels, each, length = _levels(bits), 8 // bits, np.float32(np.sqrt(dimension))
    turned = (vectors @ _rotation(dimension)) * length
    numbers = np.zeros((tokens, row_bytes(dimension, bits) - _SCALE.itemsize, each), dtype=np.uint8)
    own = numbers.reshape(tokens, numbers.shape[1] * each)[:, :dimension]
    for cut in (levels[1:] + levels[:-1]) / 2:
        own += turned > cut
    square = (turned * turned).sum(axis=1)
    product = (turned * np.take(levels, own, mode="clip")).sum(axis=1)
    scale = np.divide(square, product, out=np.zeros_like(square), where=square != 0) / length
    packed = np.zeros((tokens, row_bytes(dimension, bits)), dtype=np.uint8)
    packed[:, : _SCALE.itemsize] = scale.astype(_SCALE).view(np.uint8).reshape(tokens, _SCALE.itemsize)
    for place, shift in enumerate(_shifts(bits)):
        packed[:, _SCALE.itemsize :] |= numbers[:, :, place] << shift
    return packed


def scales(packed: np.ndarray) -> np.ndarray:
    """The scale of each row that `pack` made, (tokens,) float32."""
    return np.ascontiguousarray(packed[:, : _SCALE.itemsize]).view(_SCALE)[:, 0].astype(np.float32)


def widen(packed: np.ndarray, bits: int) -> np.ndarray:
    """Levels of the rows that `pack` made, without their scales, (tokens, numbers) float32.

    `numbers` is the dimension rounded up to whole bytes. What lies beyond the dimension means
    nothing, and must meet zeros in a product.
    """
    table = _table(bits)
    return np.take(table, packed[:, _SCALE.itemsize :], mode="clip").view(np.float32)


def unpack(packed: np.ndarray, dimension: int, bits: int) -> np.ndarray:
    """The vectors that stand for those that were packed, rotated still: (tokens, dimension).

    float32. A rotation keeps products, and both sides of one are rotated alike.
    """
    return widen(packed, bits)[:, :dimension] * scales(packed)[:, None]


@lru_cache
def _levels(bits: int) -> np.ndarray:
    above = np.array(_LEVELS[bits], dtype=np.float32)
    return np.concatenate([-above[::-1], above])


def _shifts(bits: int) -> np.ndarray:
    return np.arange(0, 8, bits, dtype=np.uint8)


@lru_cache
def _table(bits: int) -> np.ndarray:
    """Levels of every byte, (256,) of complex numbers that are the 8 / `bits` floats of one."""
    numbers = (np.arange(256)[:, None] >> _shifts(bits)) & (2**bits - 1)
    floats = np.ascontiguousarray(_levels(bits)[numbers])
    return floats.view({2: np.complex128, 4: np.complex64}[bits])[:, 0]


@lru_cache(maxsize=8)
def _rotation(dimension: int) -> np.ndarray:
    """An orthogonal matrix that spreads each number over all, (dimension, dimension) float32.

    Signs by keyed hash and a Hadamard transform, thrice, of the first numbers, the last, and the
    first again, as many as the largest power of two that fits.
    """
    width = 1 << (dimension.bit_length() - 1)
    rows = np.eye(dimension)
    for number in range(_ROUNDS):
        bit = mix(_SEED, number, np.arange(dimension)) & np.uint64(1)
        rows *= 1.0 - 2.0 * bit.astype(np.float64)
        start = number % 2 * (dimension - width)
        _hadamard(rows[:, start : start + width])
    return rows.astype(np.float32)


def _hadamard(rows: np.ndarray) -> None:
    """Hadamard transform of each row, in place, of length kept; a power of two numbers."""
    width = rows.shape[1]
    step = 1
    while step < width:
        for start in range(0, width, 2 * step):
            left = rows[:, start : start + step].copy()
            right = rows[:, start + step : start + 2 * step].copy()
            rows[:, start : start + step] = left + right
            rows[:, start + step : start + 2 * step] = left - right
        step *= 2
    rows /= np.sqrt(width)
