"""Folds of the queries: which model is trained without a query, and so may judge it."""

import re
from collections.abc import Iterable

import numpy as np

from negmine.schemas.errors import ConfigError
from negmine.schemas.limits import MOST_JUDGES
from negmine.transforms.kernels.hashing import mix, text_keys
from negmine.transforms.kernels.text import identity

_FOLD = re.compile(r"(\d{1,3})/(\d{1,3})")
_KEY = 0x666F6C64


def folds(keys: np.ndarray, count: int) -> np.ndarray:
    """The fold of each query, 0 .. count-1: (n,) int64, by a keyed hash of its text.

    `keys` (n,) uint64 are hashes of the texts' identity (`text_key` of `tables.QUERIES`), so
    queries of the same text share a fold, whatever their identifiers.
    """
    return (mix(keys, _KEY) % np.uint64(count)).astype(np.int64)


def folds_of_texts(texts: Iterable[str], count: int) -> np.ndarray:
    """`folds` of queries by their texts, (n,) int64."""
    return folds(text_keys(map(identity, texts)), count)


def parse_fold(text: str) -> tuple[int, int]:
    """Fold (0 .. count-1) and count of `I/N`, I from 1. Raises ConfigError for anything else."""
    found = _FOLD.fullmatch(text)
    fold, count = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= fold <= count or not 2 <= count <= MOST_JUDGES:
        raise ConfigError(
            f"--without-fold {text!r:.40}: write I/N, the fold from 1 to N and their number "
            f"(2 to {MOST_JUDGES}), as in 1/2"
        )
    return fold - 1, count
