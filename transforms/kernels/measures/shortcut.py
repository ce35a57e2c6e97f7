"""How far length and lexical overlap alone tell positives from negatives: a training shortcut."""

import numpy as np
from scipy import sparse

from negmine.transforms.kernels.search.bm25 import Queries, sum_pairs

_STEPS = 25
_RIDGE = 1e-6


def roc_auc(score: np.ndarray, is_positive: np.ndarray) -> float:
    """P(positive above negative) + P(tie) / 2, the Mann-Whitney statistic; nan for one class.

    Args:
        score: (n,) higher is more positive.
        is_positive: (n,) bool.
    """
    positives = int(is_positive.sum())
    negatives = len(is_positive) - positives
    if not positives or not negatives:
        return float("nan")
    _, value, count = np.unique(score, return_inverse=True, return_counts=True)
    middle_rank = np.cumsum(count) - (count - 1) / 2
    rank_sum = middle_rank[value][is_positive].sum()
    return float((rank_sum - positives * (positives + 1) / 2) / (positives * negatives))


def _centred(features: np.ndarray, group: np.ndarray) -> np.ndarray:
    _, member = np.unique(group, return_inverse=True)
    size = np.bincount(member)
    sums = [np.bincount(member, weights=column) for column in features.T]
    return features - np.stack([(total / size)[member] for total in sums], axis=1)


def _standardised(features: np.ndarray) -> np.ndarray:
    centred = features - features.mean(axis=0)
    deviation = centred.std(axis=0)
    scale = np.abs(features).max(axis=0, initial=0.0)
    constant = deviation <= 1e-12 * np.maximum(scale, 1e-300)
    return np.where(constant, 0.0, centred / np.where(constant, 1.0, deviation))


def _loss(design: np.ndarray, sign: np.ndarray, share: np.ndarray, beta: np.ndarray) -> float:
    penalty = _RIDGE / 2 * float(beta[1:] @ beta[1:])
    return float(share @ np.logaddexp(0.0, -sign * (design @ beta))) + penalty


def fit_logistic(features: np.ndarray, is_positive: np.ndarray) -> np.ndarray:
    """Coefficients of class-balanced logistic regression, intercept first: (1 + columns,) float64.

    Minimises the mean log loss, each class weighing one half, plus 1e-6 / 2 times the squared
    slopes, by Newton steps that are halved until the loss falls.
    """
    design = np.column_stack([np.ones(len(features)), features])
    sign = np.where(is_positive, 1.0, -1.0)
    count = np.where(is_positive, is_positive.sum(), (~is_positive).sum())
    share = 0.5 / count
    ridge = np.full(design.shape[1], _RIDGE)
    ridge[0] = 0.0
    beta = np.zeros(design.shape[1])
    loss = _loss(design, sign, share, beta)
    for _ in range(_STEPS):
        wrong = np.exp(-np.logaddexp(0.0, sign * (design @ beta)))
        gradient = -design.T @ (share * sign * wrong) + ridge * beta
        curvature = (design * (share * wrong * (1 - wrong))[:, None]).T @ design
        step = np.linalg.lstsq(curvature + np.diag(ridge), gradient, rcond=None)[0]
        for _ in range(_STEPS):
            moved = _loss(design, sign, share, beta - step)
            if moved <= loss:
                break
            step = step / 2
        else:
            break
        beta = beta - step
        if loss - moved <= 1e-12:
            break
        loss = moved
    return beta


def shortcut_auc(
    overlap: np.ndarray,
    log_length: np.ndarray,
    is_positive: np.ndarray,
    group: np.ndarray | None = None,
) -> float:
    """AUC of a classifier that sees only a pair's lexical overlap and its document's log length.

    Near 0.5 such a model learns nothing; well above (0.7, say) positives and negatives can be told
    apart without reading. The scores are those of a logistic regression fitted to the same pairs,
    so a small set reads slightly high.

    Args:
        overlap: (n,) BM25 score of the pair, or `idf_share`.
        log_length: (n,) log of the document's length.
        is_positive: (n,) bool.
        group: (n,) the query of each pair; then only differences within a query count, and
            queries that lack either class are left out. None compares all pairs with all.

    Returns:
        The AUC in [0, 1]; nan where a class is empty.
    """
    features = np.column_stack([overlap, log_length]).astype(np.float64)
    is_positive = np.asarray(is_positive, dtype=bool)
    if group is not None:
        both = np.isin(group, np.intersect1d(group[is_positive], group[~is_positive]))
        features, is_positive = _centred(features[both], group[both]), is_positive[both]
    if is_positive.all() or not is_positive.any():
        return float("nan")
    features = _standardised(features)
    beta = fit_logistic(features, is_positive)
    return roc_auc(np.round(features @ beta[1:], 9), is_positive)


def idf_share(
    terms: sparse.csr_array, queries: Queries, query_rows: np.ndarray, idf: np.ndarray
) -> np.ndarray:
    """IDF-weighted share of each query's terms that its document holds, (pairs,) float32.

    Args:
        terms: CSR of pairs x terms with sorted columns, the terms of pair i's document; values
            are not read.
        queries: term numbers; repeated terms count repeatedly.
        query_rows: (pairs,) int64, the query of each pair.
        idf: (terms,) weights, not negative.

    0 for a query without a known term.
    """
    weighted = sparse.csr_array(
        (idf[terms.indices].astype(np.float32), terms.indices, terms.indptr), shape=terms.shape
    )
    row = np.repeat(np.arange(len(queries.offsets) - 1), np.diff(queries.offsets))
    total = np.bincount(row, idf[queries.numbers], minlength=len(queries.offsets) - 1)[query_rows]
    found = sum_pairs(weighted, queries, query_rows)
    share = np.divide(found, total, out=np.zeros(len(found)), where=total > 0)
    return np.minimum(share, 1.0).astype(np.float32)
