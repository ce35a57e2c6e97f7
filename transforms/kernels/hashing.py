"""Keyed hashes: the only source of randomness, so that no result depends on order or sharding."""

import hashlib
import json
from collections.abc import Iterable

import numpy as np

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def text_keys(texts: Iterable[str]) -> np.ndarray:
    """64-bit BLAKE2b hash of each string's UTF-8 bytes; returns (n,) uint64."""
    digests = [
        hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        for text in texts
    ]
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


def mix(*keys: np.ndarray | int) -> np.ndarray:
    """Combine uint64 keys into one by SplitMix64 (Steele et al., OOPSLA 2014), broadcasting.

    The order of the keys matters. Returns uint64 of the broadcast shape, uniform over 2**64.
    """
    state = np.zeros((), dtype=np.uint64)
    with np.errstate(over="ignore"):
        for key in keys:
            state = state ^ np.asarray(key, dtype=np.uint64)
            state = state + _GOLDEN
            state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            state = state ^ (state >> np.uint64(31))
    return np.asarray(state)


def fingerprint(value: object) -> str:
    """First 16 hex digits of the SHA-256 of a JSON value's canonical form."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()[:16]
