"""Text normalisation and near-duplicate detection by shingles and MinHash."""

import re
import unicodedata

import numpy as np

from transforms.kernels.hashing import mix, text_keys

MINHASH_VALUES = 128
_WORD = re.compile(r"\w+", re.UNICODE)
_SEEDS = mix(np.arange(MINHASH_VALUES, dtype=np.uint64), 0x6E65676D696E65)


def normalise(text: str) -> str:
    """Text without case, accents' encoding, punctuation or spacing: NFKC, casefold, words only."""
    return " ".join(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))


def shingles(text: str, words: int = 3) -> np.ndarray:
    """Sorted, unique 64-bit hashes of the word n-shingles of a text (all words if it is shorter).

    Returns (n,) uint64; empty for a text without words.
    """
    tokens = _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    if not tokens:
        return np.empty(0, dtype=np.uint64)
    vocabulary: dict[str, int] = {}
    ids = np.fromiter((vocabulary.setdefault(t, len(vocabulary)) for t in tokens), dtype=np.int64)
    keys = text_keys(vocabulary)[ids]
    width = min(words, len(keys))
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
            hashed = (chunk[None, :] ^ _SEEDS[:, None]) * np.uint64(0xFF51AFD7ED558CCD)
        hashed ^= hashed >> np.uint64(33)
        low = np.minimum(low, hashed.min(axis=1))
    return (low & np.uint64(0xFF)).astype(np.uint8).tobytes()


def minhash_jaccard(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Estimate Jaccard similarity row by row from (n, 128) uint8 MinHash values; (n,) float32.

    Corrected for the 1/256 chance that two 8-bit values agree; its standard deviation is at most
    0.045.
    """
    equal = (left == right).mean(axis=1, dtype=np.float64)
    return np.clip((equal - 1 / 256) / (1 - 1 / 256), 0.0, 1.0).astype(np.float32)
