"""ECI rows: every combination against one query at a time, equal N, and the intervals."""

import math

import numpy as np
import pytest

from negmine.transforms.kernels.measures.bootstrap import Bootstrap
from negmine.transforms.metrics.inputs import Negatives
from negmine.transforms.metrics.vectors.eci import eci_rows
from tests.transforms.metrics.triples import triples, values


def expected(sets: Negatives, rows: np.ndarray) -> dict[str, float]:
    signal, safety, size = [], [], []
    for query in np.unique(sets.query_ix[rows]):
        mine = rows[sets.query_ix[rows] == query]
        negative = sets.dense[mine].astype(float)
        size.append(len(mine))
        signal.append(negative.mean())
        safety.append(np.maximum(0, sets.positive_dense[mine].astype(float) - negative).mean())
    s, d, n = max(0.0, np.mean(signal)), np.mean(safety), np.median(size)
    mean = 2 * s * d / (s + d) if s > 0 and d > 0 else 0.0
    return {
        "signal": float(np.mean(signal)),
        "safety": float(d),
        "size": float(n),
        "harmonic_mean": mean,
        "eci": math.log1p(n) * mean,
    }


@pytest.mark.parametrize("seed", range(5))
def test_every_tier_and_source_has_its_own_terms(seed: int) -> None:
    sets = triples(seed)
    rows = list(eci_rows(sets, Bootstrap(sets.queries, 1)))
    sizes = []
    for scope in sets.by_tier_and_source():
        about = {"tier": scope.tier, "source": scope.source}
        wanted = expected(sets, scope.rows)
        for metric, value in wanted.items():
            assert values(rows, metric, **about) == [pytest.approx(value)]
        sizes.append(wanted["size"])
    assert values(rows, "equal_n") == [min(sizes)]


def test_at_equal_n_only_signal_and_safety_differ() -> None:
    sets = triples()
    rows = list(eci_rows(sets, Bootstrap(sets.queries, 1)))
    (equal,) = values(rows, "equal_n")
    assert [math.log1p(equal) * mean for mean in values(rows, "harmonic_mean")] == values(
        rows, "eci_equal_n"
    )


@pytest.mark.parametrize("queries", [9, 300, 5000])
def test_intervals_hold_the_value_and_narrow_with_more_queries(queries: int) -> None:
    sets = triples(3, queries)
    rows = [row for row in eci_rows(sets, Bootstrap(queries, 1)) if row.metric not in _BARE]
    assert all(row.low <= row.value <= row.high for row in rows)
    widest = max(row.high - row.low for row in rows if row.metric == "signal")
    assert widest < 2.5 / math.sqrt(queries)


_BARE = {"size", "equal_n"}


def test_size_has_no_interval() -> None:
    rows = [row for row in eci_rows(triples(), Bootstrap(9, 1)) if row.metric in _BARE]
    assert rows and all(math.isnan(row.low) and math.isnan(row.high) for row in rows)


def test_no_negatives_have_no_eci() -> None:
    assert not list(eci_rows(triples().take(np.empty(0, dtype=np.int64)), Bootstrap(9, 1)))
