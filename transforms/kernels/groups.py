"""Numbers within groups: positions and standard scores."""

import numpy as np


def position_in_group(groups: np.ndarray) -> np.ndarray:
    """0, 1, 2, ... within each run of equal values of an array whose equal values adjoin."""
    if not len(groups):
        return np.empty(0, dtype=np.int64)
    starts = np.flatnonzero(np.r_[True, groups[1:] != groups[:-1]])
    lengths = np.diff(np.r_[starts, len(groups)])
    return np.arange(len(groups)) - np.repeat(starts, lengths)


def z_scores(values: np.ndarray, group: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """Standardise values within groups, with mean and deviation over the counted rows only.

    Args:
        values: (n,) float; group: (n,) int64 from 0; counted: (n,) bool.

    Returns:
        (n,) float64; 0 throughout a group whose counted values do not vary.
    """
    values = values.astype(np.float64)
    groups = int(group.max()) + 1 if len(group) else 0
    count = np.maximum(np.bincount(group[counted], minlength=groups), 1)
    mean = np.bincount(group[counted], values[counted], minlength=groups) / count
    centred = values - mean[group]
    variance = np.bincount(group[counted], centred[counted] ** 2, minlength=groups) / count
    deviation = np.sqrt(variance)[group]
    return np.divide(centred, deviation, out=np.zeros_like(centred), where=deviation > 1e-9)
