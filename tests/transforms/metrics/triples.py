"""Builds negatives from a seed, and reads rows of metrics, for tests."""

from collections.abc import Iterable

import numpy as np

from negmine.transforms.metrics.inputs import Negatives
from negmine.transforms.metrics.rows import Row


def triples(seed: int = 0, queries: int = 9, judged: bool = True) -> Negatives:
    """Up to six negatives a query in two tiers from two sources; the last query has none."""
    random = np.random.default_rng(seed)
    size = random.integers(1, 7, size=queries)
    size[-1] = 0
    query = np.repeat(np.arange(queries), size)
    count = len(query)
    doc = np.concatenate([np.sort(random.choice(30, size=n, replace=False)) for n in size])
    positive, served = 100 + np.arange(queries), random.uniform(0.4, 0.9, size=queries)
    judge, known = random.normal(size=count), random.normal(1, 1, size=queries)
    missing = np.nan if not judged else 0.0
    dense = random.uniform(-0.1, 0.9, size=count).astype(np.float32)
    positive_dense = served[query].astype(np.float32)
    return Negatives(
        query_ix=query,
        doc_ix=doc.astype(np.int64),
        positive_ix=positive[query],
        dense=dense,
        positive_dense=positive_dense,
        cosine=dense,
        served_cosine=positive_dense,
        judge=(judge + missing).astype(np.float32),
        positive_judge=(known[query] + missing).astype(np.float32),
        tier=random.integers(0, 2, size=count),
        returned=random.random((count, 2)) < 0.6,
        backfilled=random.random(count) < 0.2,
        known=np.zeros(count, dtype=bool),
        tiers=("hard", "rest"),
        sources=("bm25", "dense"),
        queries=queries,
        quotas={"hard": 2, "rest": 3},
    )


def values(rows: Iterable[Row], metric: str, **about: str | float | None) -> list[float]:
    """Values of the rows of a metric; of a tier, source, key or bin where one is given."""
    found = [row for row in rows if row.metric == metric]
    return [r.value for r in found if all(getattr(r, name) == v for name, v in about.items())]
