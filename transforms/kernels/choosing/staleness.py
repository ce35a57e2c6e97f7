"""Which negatives a new student finds easy that were not so for the one before."""

import numpy as np

EASIER = 1.15
"""How far the similarity must fall: the rule of Conan-Embedding (arXiv 2408.15710) compares
1.15 times the score with that at which the negative was chosen. Here both are relative to the
positive's, as the scales of two students differ, and its limit of 0.8 on the score is left out."""


def now_easy(
    before: np.ndarray, positive_before: np.ndarray, now: np.ndarray, positive_now: np.ndarray
) -> np.ndarray:
    """Whether EASIER times s-/s+ is now below s-/s+ before, (n,) bool; all arrays (n,) float.

    False where a similarity is NaN, where that of a positive is not above 0, and where the
    negative was no nearer than at a right angle before.
    """
    scores = (np.asarray(s, dtype=np.float64) for s in (before, positive_before, now, positive_now))
    old, old_positive, new, new_positive = scores
    known = (old > 0) & (old_positive > 0) & (new_positive > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(known & (EASIER * (new / new_positive) < old / old_positive))
