"""Counts: verdicts, negatives, what is missing, and what came from which source."""

from collections.abc import Iterator

import numpy as np

from negmine.transforms.metrics.inputs import CandidateCounts, Negatives
from negmine.transforms.metrics.rows import Row


def verdict_rows(candidates: CandidateCounts) -> Iterator[Row]:
    """verdict: candidates by verdict."""
    total = sum(candidates.verdicts.values())
    for verdict, count in candidates.verdicts.items():
        yield Row("verdict", float(count), total, key=verdict)


def count_rows(negatives: Negatives) -> Iterator[Row]:
    """negatives, backfilled and, where quotas are known, queries_short, shortfall and coverage."""
    queries = negatives.queries
    quotas: dict[str | None, int] = {None: sum(negatives.quotas.values())}
    quotas.update(negatives.quotas)
    for tier, _, rows in negatives.by_tier():
        size = np.bincount(negatives.query_ix[rows], minlength=queries)
        backfilled = int(negatives.backfilled[rows].sum())
        yield Row("negatives", float(len(rows)), int((size > 0).sum()), tier)
        yield Row("backfilled", float(backfilled), len(rows), tier)
        if tier in quotas and negatives.quotas:
            missing = np.maximum(quotas[tier] - size, 0)
            short = int((missing > 0).sum())
            yield Row("queries_short", float(short), queries, tier)
            yield Row("shortfall", float(missing.sum()), quotas[tier] * queries, tier)
            yield Row("coverage", 1 - short / max(queries, 1), queries, tier)


def source_rows(negatives: Negatives) -> Iterator[Row]:
    """tier_source: negatives of each tier that each source returned."""
    for tier, _, rows in negatives.by_tier()[1:]:
        returned = negatives.returned[rows].sum(axis=0)
        for source, count in zip(negatives.sources, returned.tolist(), strict=True):
            if count:
                yield Row("tier_source", float(count), len(rows), tier, source)


def found_rows(candidates: CandidateCounts, queries: int) -> Iterator[Row]:
    """queries_without: queries for which each source returned nothing."""
    for source, found in candidates.queries_found.items():
        yield Row("queries_without", float(queries - found), queries, source=source)


def overlap_rows(candidates: CandidateCounts) -> Iterator[Row]:
    """source_jaccard and source_overlap_10 of every two sources, over all pairs that they name."""
    whole, top = candidates.overlap, candidates.overlap_10
    for i, first in enumerate(candidates.sources):
        for j, second in enumerate(candidates.sources[:i]):
            key = f"{second}|{first}"
            either = int(whole[i, i] + whole[j, j] - whole[i, j])
            both = int(top[i, i] + top[j, j])
            if either:
                yield Row("source_jaccard", whole[i, j] / either, either, key=key)
            if both:
                yield Row("source_overlap_10", 2 * top[i, j] / both, both, key=key)
