"""Near-duplicates: shingles of a text's tokens, their Jaccard similarity, and MinHash of them."""

from collections.abc import Sequence

import numpy as np

from negmine.transforms.kernels.hashing import mix, text_keys
from negmine.transforms.kernels.text import identity, tokens

MINHASH_VALUES = 128
_FACTOR = np.uint64(0xFF51AFD7ED558CCD)
_CHUNK = 16_384
_SEEDS = mix(np.arange(MINHASH_VALUES, dtype=np.uint64), 0x6E65676D696E65)


def shingles(text: str, width: int = 3) -> np.ndarray:
    """Sorted, unique 64-bit hashes of the n-shingles of a text's tokens (all if it is shorter).

    Returns (n,) uint64, never empty; see `transforms.kernels.text.tokens`.
    """
    vocabulary: dict[str, int] = {}
    ids = np.fromiter(
        (vocabulary.setdefault(token, len(vocabulary)) for token in tokens(text)), dtype=np.int64
    )
    keys = text_keys(vocabulary)[ids]
    width = min(width, len(keys))
    windows = [keys[i : len(keys) - width + 1 + i] for i in range(width)]
    return np.unique(mix(*windows))


def jaccard(left: np.ndarray, right: np.ndarray) -> float:
    """Jaccard similarity of two shingle sets; 0 where either is empty."""
    if not len(left) or not len(right):
        return 0.0
    both = len(np.intersect1d(left, right, assume_unique=True))
    return both / (len(left) + len(right) - both)


def minhash(shingle_set: np.ndarray) -> bytes:
    """128 MinHash values of a shingle set, the lowest 8 bits of each.

    Source: Li and Koenig, b-bit minwise hashing (arXiv 0910.3349), b = 8.
    """
    if not len(shingle_set):
        return bytes(MINHASH_VALUES)
    low = np.full(MINHASH_VALUES, np.iinfo(np.uint64).max, dtype=np.uint64)
    for start in range(0, len(shingle_set), 4096):
        chunk = shingle_set[start : start + 4096]
        with np.errstate(over="ignore"):
            hashed = (chunk[None, :] ^ _SEEDS[:, None]) * _FACTOR
        hashed ^= hashed >> np.uint64(33)
        low = np.minimum(low, hashed.min(axis=1))
    return (low & np.uint64(0xFF)).astype(np.uint8).tobytes()


def sketches(texts: Sequence[str], *, minhash: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Keys and MinHash values of a block of texts, many times faster than one by one.

    Returns (n,) uint64 keys of the texts' identity, and (n, 128) uint8, row by row the bytes of
    `minhash(shingles(text))` (zeros if not wanted).
    """
    vocabulary: dict[str, int] = {}
    lengths = np.zeros(len(texts), dtype=np.int64)
    ids: list[int] = []
    if minhash:
        for i, text in enumerate(texts):
            found = tokens(text)
            lengths[i] = len(found)
            ids.extend([vocabulary.setdefault(token, len(vocabulary)) for token in found])
    keys = text_keys(vocabulary)[np.asarray(ids, dtype=np.int64)]
    return text_keys(map(identity, texts)), _minhash_block(*_shingle_block(keys, lengths))


def _shingle_block(keys: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shingles of every text, one text after another, and how many each has."""
    # "the cat sat down" has two shingles, (the cat sat) and (cat sat down); texts of one or two
    # words have one, all of it. Keys of a block lie one text after another, so a shingle is three
    # neighbours, and none reaches into the next text.
    counts = np.where(lengths > 2, lengths - 2, np.minimum(lengths, 1))
    text = np.repeat(np.arange(len(lengths)), counts)
    first = np.cumsum(lengths) - lengths
    start = first[text] + np.arange(len(text)) - np.repeat(np.cumsum(counts) - counts, counts)
    width = np.minimum(lengths, 3)[text]
    found = np.empty(len(text), dtype=np.uint64)
    for size in (1, 2, 3):
        chosen = np.flatnonzero(width == size)
        found[chosen] = mix(*(keys[start[chosen] + i] for i in range(size)))
    return found, counts


def _minhash_block(found: np.ndarray, counts: np.ndarray) -> np.ndarray:
    values = np.zeros((len(counts), MINHASH_VALUES), dtype=np.uint8)
    rows = np.flatnonzero(counts)
    ends = np.cumsum(counts[rows])
    low = 0
    while low < len(rows):
        base = ends[low - 1] if low else 0
        high = max(low + 1, int(np.searchsorted(ends, base + _CHUNK, side="right")))
        chunk = found[base : ends[high - 1]]
        starts = np.concatenate([[0], ends[low : high - 1] - base])
        hashed, shifted = np.empty_like(chunk), np.empty_like(chunk)
        for column, seed in enumerate(_SEEDS):
            np.bitwise_xor(chunk, seed, out=hashed)
            np.multiply(hashed, _FACTOR, out=hashed)
            np.right_shift(hashed, np.uint64(33), out=shifted)
            np.bitwise_xor(hashed, shifted, out=hashed)
            lowest = np.minimum.reduceat(hashed, starts)
            values[rows[low:high], column] = (lowest & np.uint64(0xFF)).astype(np.uint8)
        low = high
    return values


def minhash_jaccard(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Estimate Jaccard similarity row by row from (n, 128) uint8 MinHash values; (n,) float32.

    Corrected for the 1/256 chance that two 8-bit values agree; its standard deviation is at most
    0.045.
    """
    equal = (left == right).mean(axis=1, dtype=np.float64)
    return np.clip((equal - 1 / 256) / (1 - 1 / 256), 0.0, 1.0).astype(np.float32)
