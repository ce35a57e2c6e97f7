"""ECI v1 of the run, its tiers and its sources, always with its parts and at equal N."""

from collections.abc import Iterator

import numpy as np

from negmine.transforms.kernels.eci import SetTerms, eci, query_terms, summarise
from negmine.transforms.kernels.measures.bootstrap import (
    Bootstrap,
    interval,
    quotient,
    weighted_medians,
)
from negmine.transforms.metrics.inputs import Negatives
from negmine.transforms.metrics.rows import Row


def eci_rows(negatives: Negatives, bootstrap: Bootstrap) -> Iterator[Row]:
    """eci, signal, safety, harmonic_mean, size, equal_n and eci_equal_n.

    S and D are means over the queries with negatives of each one's mean, N is their median count.
    """
    found = []
    for scope in negatives.by_tier_and_source():
        rows = scope.rows
        pair = negatives.cosine[rows], negatives.served_cosine[rows]
        terms = query_terms(negatives.query_ix[rows], *pair, negatives.queries)
        found.append((scope, terms, summarise(terms)))
    if not found:
        return
    equal = min(summary["negatives"] for _, _, summary in found)
    yield Row("equal_n", equal, len(found))
    for scope, terms, summary in found:
        values = {**summary, "eci_equal_n": eci(equal, summary["signal"], summary["safety"])}
        values["size"] = values.pop("negatives")
        count = int(values.pop("queries"))
        limits = _intervals(terms, equal, bootstrap)
        for name, value in values.items():
            low, high = limits.get(name, (np.nan, np.nan))
            yield Row(name, value, count, scope.tier, scope.source, low=low, high=high)


def _intervals(
    terms: SetTerms, equal: float, bootstrap: Bootstrap
) -> dict[str, tuple[float, float]]:
    used = terms.size > 0
    sizes = np.unique(terms.size[used])
    columns = [used, np.where(used, terms.signal, 0.0), np.where(used, terms.safety, 0.0)]
    sums = bootstrap.sums(np.stack([*columns, *(terms.size == n for n in sizes)], axis=1))
    signal, safety = (np.maximum(quotient(sums[:, i], sums[:, 0]), 0.0) for i in (1, 2))
    total = signal + safety
    mean = quotient(2 * signal * safety, total)
    mean[total == 0] = 0.0
    median = weighted_medians(sizes.astype(np.float64), sums[:, 3:])
    drawn = {
        "eci": np.log1p(median) * mean,
        "signal": quotient(sums[:, 1], sums[:, 0]),
        "safety": safety,
        "harmonic_mean": mean,
        "eci_equal_n": np.log1p(equal) * mean,
    }
    return {name: interval(values) for name, values in drawn.items()}
