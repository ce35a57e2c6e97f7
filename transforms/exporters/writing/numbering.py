"""Numbers of identifiers in the order of their first appearance, sixteen bytes each."""

import numpy as np
import pyarrow as pa

from negmine.transforms.kernels.hashing import text_keys


class Numbering:
    """Which identifiers were seen, whatever the block that they stood in.

    Held as a sorted array of 64-bit hashes, as texts are told apart everywhere here.
    """

    def __init__(self) -> None:
        self._keys = np.empty(0, dtype=np.uint64)
        self._numbers = np.empty(0, dtype=np.int64)

    def __len__(self) -> int:
        return len(self._keys)

    def has(self, ids: pa.ChunkedArray) -> np.ndarray:
        """Which identifiers were seen, (n,) bool."""
        keys = text_keys(ids.to_pylist())
        at = np.minimum(np.searchsorted(self._keys, keys), max(0, len(self._keys) - 1))
        return self._keys[at] == keys if len(self._keys) else np.zeros(len(keys), dtype=bool)

    def add(self, ids: pa.Array | pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of identifiers (n,) int64, and the rows (m,) where a new one stands first."""
        if isinstance(ids, pa.ChunkedArray):
            ids = ids.combine_chunks()
        encoded = ids.dictionary_encode()
        code = encoded.indices.to_numpy()
        keys = text_keys(encoded.dictionary.to_pylist())
        at = np.searchsorted(self._keys, keys)
        known = np.zeros(len(keys), dtype=bool)
        inside = at < len(self._keys)
        known[inside] = self._keys[at[inside]] == keys[inside]
        numbers = np.empty(len(keys), dtype=np.int64)
        numbers[known] = self._numbers[at[known]]
        # A dictionary is in the order of first appearance, so new numbers are too.
        fresh = np.flatnonzero(~known)
        numbers[fresh] = len(self._keys) + np.arange(len(fresh))
        order = fresh[np.argsort(keys[fresh])]
        self._keys = np.insert(self._keys, at[order], keys[order])
        self._numbers = np.insert(self._numbers, at[order], numbers[order])
        _, first = np.unique(code, return_index=True)
        return numbers[code], first[fresh]
