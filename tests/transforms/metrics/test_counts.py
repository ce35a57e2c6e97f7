"""Counts: quotas, sources and the overlap of sources, by hand."""

import numpy as np
import pytest

from negmine.transforms.metrics.counts import count_rows, overlap_rows, source_rows, verdict_rows
from negmine.transforms.metrics.inputs import CandidateCounts
from tests.transforms.metrics.triples import triples, values


def test_a_query_without_negatives_is_short_of_all_of_them() -> None:
    sets = triples()
    rows = list(count_rows(sets))
    short = [
        max(0, quota - int(((sets.query_ix == query) & (sets.tier == tier)).sum()))
        for tier, quota in enumerate((2, 3))
        for query in range(9)
    ]
    assert values(rows, "shortfall", tier="hard") == [sum(short[:9])]
    assert values(rows, "shortfall", tier="rest") == [sum(short[9:])]
    hard = [missing > 0 for missing in short[:9]]
    assert hard[-1] and values(rows, "queries_short", tier="hard") == [sum(hard)]
    assert values(rows, "coverage", tier="hard") == [pytest.approx(1 - sum(hard) / 9)]
    assert values(rows, "negatives", tier=None) == [len(sets)]
    assert values(rows, "backfilled", tier=None) == [sets.backfilled.sum()]


def test_without_quotas_nothing_is_short() -> None:
    sets = triples()
    sets.quotas.clear()  # type: ignore[attr-defined]
    assert {row.metric for row in count_rows(sets)} == {"negatives", "backfilled"}


def test_a_negative_of_two_sources_counts_for_both() -> None:
    sets = triples()
    rows = list(source_rows(sets))
    for tier, name in enumerate(sets.tiers):
        for source, label in enumerate(sets.sources):
            found = values(rows, "tier_source", tier=name, source=label)
            assert found == [sets.returned[sets.tier == tier, source].sum()]


def test_overlap_is_jaccard_of_all_and_dice_of_the_first_ten() -> None:
    whole = np.array([[40, 10], [10, 20]])
    top = np.array([[10, 4], [4, 6]])
    rows = list(overlap_rows(CandidateCounts({}, ("bm25", "dense"), whole, top)))
    assert values(rows, "source_jaccard", key="bm25|dense") == [10 / 50]
    assert values(rows, "source_overlap_10", key="bm25|dense") == [8 / 16]


def test_verdicts_come_with_their_sum() -> None:
    candidates = CandidateCounts({"kept": 3, "over_quota": 7}, (), np.empty(0), np.empty(0))
    assert [(r.key, r.value, r.count) for r in verdict_rows(candidates)] == [
        ("kept", 3, 10),
        ("over_quota", 7, 10),
    ]
