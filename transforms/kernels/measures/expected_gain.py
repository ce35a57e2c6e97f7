"""What negatives promise to teach, from scores alone: the estimate that is printed for a set."""

import numpy as np

TEMPERATURE = 0.2
"""Of hardness, on the student's similarities."""
COST = 1.25
"""What a certain false negative takes away, in certain hard negatives."""
CERTAINTY = 2.0
"""Power of the share of positives that a negative's judge score beats, as its doubt."""
REPETITION = 0.5
"""Power of the number of queries that share a document: each time it teaches less."""


def expected_gain(
    dense: np.ndarray, positive_dense: np.ndarray, share_below: np.ndarray
) -> np.ndarray:
    """What each negative adds, were its document in the set once, (n,) float64.

    sigmoid((s- - s+) / 0.2) (1 - 1.25 u^2): how hard it is, less what it costs should it be a
    positive. u is the share of the known positives that the judge scores below it, so it means the
    same for every judge. Divided by the root of the queries that share the document (`repeated`),
    summed over a query's negatives and averaged over queries, it ranks sets of one collection by
    the gain of training with them; it has no unit, and says nothing across collections. The
    constants were fitted on trainings and tested on collections left out: docs/gain.md.

    Args:
        dense: (n,) student's similarity of query and negative.
        positive_dense: (n,) of query and served positive.
        share_below: (n,) in [0, 1], see `Calibration.share_below`.
    """
    gap = (dense.astype(np.float64) - positive_dense) / TEMPERATURE
    hardness = 1 / (1 + np.exp(-np.clip(gap, -60, 60)))
    doubt = np.clip(share_below.astype(np.float64), 0, 1) ** CERTAINTY
    return np.asarray(hardness * (1 - COST * doubt))


def repeated(worth: np.ndarray, uses: np.ndarray) -> np.ndarray:
    """`worth` (n,) of documents that `uses` (n,) queries of the set share, each teaching less."""
    return np.asarray(worth / np.maximum(uses, 1) ** REPETITION)
