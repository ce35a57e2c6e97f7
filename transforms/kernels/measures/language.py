"""Whether the languages of query and document alone tell positives from negatives."""

import numpy as np

from negmine.transforms.kernels.measures.shortcut import roc_auc


def language_auc(pair: np.ndarray, positive: np.ndarray, fold: np.ndarray) -> float:
    """AUC of the share of positives among the pairs of the same two languages; 0.5 is a guess.

    Each half of the queries is scored by the shares of the other, so that chance in small groups
    tells nothing.

    Args:
        pair: (n,) int64, one number for each pair of languages.
        positive: (n,) bool.
        fold: (n,) 0 or 1, the half that the row's query is in.

    Returns:
        The AUC, NaN without a positive or without a negative.
    """
    _, kind = np.unique(pair, return_inverse=True)
    kinds = int(kind.max(initial=-1)) + 1
    prior = float(positive.mean()) if len(positive) else 0.0
    score = np.full(len(pair), prior)
    for half in (0, 1):
        other = fold != half
        known = np.bincount(kind[other], minlength=kinds)
        hits = np.bincount(kind[other], weights=positive[other], minlength=kinds)
        score[~other] = ((hits + prior) / (known + 1))[kind[~other]]
    return roc_auc(np.round(score, 9), positive)
