"""Token vectors in two or four bits a number: rotated, rounded, and multiplied as they are."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from negmine.transforms.kernels.hashing import mix

DOCUMENT_BITS = 2
"""Of a document's tokens, which are nearly all that is stored."""
QUERY_BITS = 4
"""Of a query's tokens, which are few."""

_STEP = {2: 0.9957, 4: 0.3352}
_SCALE = np.dtype("<f2")
_SEED = 42
_ROUNDS = 3
_ROWS_AT_ONCE = 1024


def from_bfloat16(bits: np.ndarray) -> np.ndarray:
    """float32 values of bfloat16 bit patterns, uint16 of any shape: exact."""
    wide = bits.astype(np.uint32)
    np.left_shift(wide, 16, out=wide)
    return wide.view(np.float32)


def row_bytes(dimension: int, bits: int) -> int:
    """Bytes of a token: its scale, and `bits` for each number."""
    return _SCALE.itemsize + _width(dimension, bits)


def pack(vectors: np.ndarray, bits: int) -> np.ndarray:
    """Token vectors in `bits` for each number.

    A row is rotated, so that its numbers are about normal whatever the model, and each is rounded
    to one of the evenly spaced levels that round normal numbers with the least squared error (Max,
    Quantizing for minimum distortion, IRE Transactions on Information Theory 6, 1960, table II).
    The scale makes a row's product with the vector that it stands for that vector's own square,
    so that its products with others are right on average (RaBitQ of Gao and Long, arXiv
    2405.12497, theorem 3.2, there for one bit).

    The last digit before rounding may depend on the rows that are packed together: the tokens of
    one text are, alone and with BLAS on one thread, so that a text has the same bytes anywhere.

    Args:
        vectors: (tokens, dimension) float32, rows of length 1; a row of zeros stays one.
        bits: 2 or 4.

    Returns:
        (tokens, `row_bytes`) uint8: a float16 scale, little-endian, then the numbers, the first in
        the lowest bits of the first byte. A number n stands for 2n + 1 - 2**bits, times the scale.
    """
    tokens, dimension = vectors.shape
    width, length = _width(dimension, bits), np.float32(np.sqrt(dimension))
    turned = (vectors @ _rotation(dimension)) * length
    numbers = np.zeros((tokens, width * 8 // bits), dtype=np.uint8)
    own = numbers[:, :dimension]
    for cut in np.arange(1 - 2 ** (bits - 1), 2 ** (bits - 1)) * np.float32(_STEP[bits]):
        own += turned > cut
    square = (turned * turned).sum(axis=1)
    product = (turned * np.take(_levels(bits), own, mode="clip")).sum(axis=1)
    scale = np.divide(square, product, out=np.zeros_like(square), where=square != 0) / length
    packed = np.zeros((tokens, row_bytes(dimension, bits)), dtype=np.uint8)
    in_bytes = scale.astype(_SCALE).view(np.uint8)
    packed[:, : _SCALE.itemsize] = in_bytes.reshape(tokens, _SCALE.itemsize)
    for place in range(8 // bits):
        packed[:, _SCALE.itemsize :] |= numbers[:, place :: 8 // bits] << np.uint8(place * bits)
    return packed


def unpack(packed: np.ndarray, dimension: int, bits: int) -> np.ndarray:
    """The vectors that stand for those that were packed, rotated still: (tokens, dimension).

    float32. A rotation keeps products, and both sides of one are rotated alike.
    """
    numbers = np.empty((len(packed), _width(dimension, bits) * 8 // bits), dtype=np.uint8)
    for place in range(8 // bits):
        shifted = packed[:, _SCALE.itemsize :] >> np.uint8(place * bits)
        numbers[:, place :: 8 // bits] = shifted & np.uint8(2**bits - 1)
    own = numbers[:, :dimension]
    return np.take(_levels(bits), own, mode="clip") * _scales(packed)[:, None]


@dataclass(frozen=True)
class Products:
    """Inner products with packed rows, which are not widened to their levels first.

    A number stays at its place in its byte, so that it is too large by a power of two, which the
    columns take back; `offsets` is what products of all numbers exceed those of levels by.

    Attributes:
        columns: (numbers of a row, vectors) float32, zero beyond the dimension.
        offsets: (vectors,) float32.
        bits: of the packed rows.
    """

    columns: np.ndarray
    offsets: np.ndarray
    bits: int

    @classmethod
    def of(cls, vectors: np.ndarray, bits: int) -> "Products":
        """With vectors (n, dimension) float32, rotated as `unpack` gives them."""
        number, dimension = vectors.shape
        width, each = _width(dimension, bits), 8 // bits
        columns = np.zeros((each * width, number), dtype=np.float32)
        columns[:dimension] = 2 * vectors.T
        powers = np.float32(2) ** -np.arange(0, 8, bits, dtype=np.float32)
        offsets = (2**bits - 1) * vectors.sum(axis=1, dtype=np.float64)
        return cls(np.tile(powers, width)[:, None] * columns, offsets.astype(np.float32), bits)

    def __call__(self, packed: np.ndarray) -> np.ndarray:
        """Products with rows that `pack` made, (tokens, bytes): (tokens, vectors) float32."""
        out = np.empty((len(packed), len(self.offsets)), dtype=np.float32)
        repeat, mask, lane = _lanes(self.bits)
        most = min(_ROWS_AT_ONCE, len(packed))
        lanes = np.empty((most, packed.shape[1] - _SCALE.itemsize), dtype=lane)
        numbers = np.empty((most, len(self.columns)), dtype=np.float32)
        for start in range(0, len(packed), _ROWS_AT_ONCE):
            rows = packed[start : start + _ROWS_AT_ONCE]
            own, wide = lanes[: len(rows)], numbers[: len(rows)]
            own[...] = rows[:, _SCALE.itemsize :]
            own *= repeat
            own &= mask
            wide[...] = own.view(np.uint8)
            found = np.matmul(wide, self.columns, out=out[start : start + _ROWS_AT_ONCE])
            found -= self.offsets
            found *= _scales(rows)[:, None]
        return out


def _lanes(bits: int) -> tuple[np.unsignedinteger, np.unsignedinteger, np.dtype]:
    """What spreads a byte over one byte for each of its numbers: a factor, a mask, their type."""
    lane = np.dtype(f"<u{8 // bits}")
    places = range(8 // bits)
    repeat = sum(1 << 8 * place for place in places)
    mask = sum((2**bits - 1 << bits * place) << 8 * place for place in places)
    return lane.type(repeat), lane.type(mask), lane


def _width(dimension: int, bits: int) -> int:
    return -(-dimension * bits // 8)


def _scales(packed: np.ndarray) -> np.ndarray:
    """The scale of each row, (tokens,) float32."""
    return np.ascontiguousarray(packed[:, : _SCALE.itemsize]).view(_SCALE)[:, 0].astype(np.float32)


@lru_cache
def _levels(bits: int) -> np.ndarray:
    """What each number stands for: odd and evenly spaced, (2**bits,) float32."""
    return np.arange(1 - 2**bits, 2**bits, 2, dtype=np.float32)


@lru_cache(maxsize=8)
def _rotation(dimension: int) -> np.ndarray:
    """An orthogonal matrix that spreads each number over all, (dimension, dimension) float32.

    Signs by keyed hash and a Hadamard transform, thrice: of the first numbers, the last, and the
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
    """Hadamard transform of each row, in place, its length kept; a power of two numbers."""
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
