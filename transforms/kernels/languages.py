"""Languages of documents and queries as arrays of numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np


def numbered(codes: Sequence[str | None]) -> np.ndarray:
    """Language codes as numbers, (n,) int32, 0 for none; the same for any order of codes."""
    out = np.zeros(len(codes), dtype=np.int32)
    for at, code in enumerate(codes):
        out[at] = int.from_bytes(code.encode(), "big") if code else 0
    return out


def code_of(number: int) -> str | None:
    """The language code that `numbered` made a number of."""
    return int(number).to_bytes(3, "big").lstrip(b"\0").decode() if number else None


def read_codes(ends: np.ndarray, data: np.ndarray) -> np.ndarray:
    """Numbers of the codes of a column of strings, as `numbered`.

    `ends` (n,) int64 are where each string ends in `data` (bytes,) uint8; strings are of 0, 2 or 3
    letters. Returns (n,) int32.
    """
    starts = np.concatenate([[0], ends[:-1]]).astype(np.int64)
    lengths = ends - starts
    out = np.zeros(len(ends), dtype=np.int32)
    for place in range(3):
        rows = np.flatnonzero(lengths > place)
        out[rows] = (out[rows] << 8) | data[starts[rows] + place]
    return out


@dataclass(frozen=True)
class Languages:
    """Languages of a collection as numbers (see `numbered`), 0 where none is known.

    `documents` (documents,) int32, `queries` (queries,) int32.
    """

    documents: np.ndarray
    queries: np.ndarray

    @cached_property
    def of_documents(self) -> tuple[np.ndarray, np.ndarray]:
        """The languages of documents, ascending, and how many each has."""
        return np.unique(self.documents, return_counts=True)
