"""Negatives as arrays: their order, their tiers and sources, and their positives."""

from dataclasses import fields

import numpy as np

from tests.transforms.metrics.triples import triples


def test_putting_in_order_undoes_any_shuffle() -> None:
    sets = triples()
    shuffled = sets.take(np.random.default_rng(1).permutation(len(sets)))
    assert shuffled.query_ix.tolist() != sets.query_ix.tolist()
    for field in fields(sets):
        assert np.array_equal(
            getattr(shuffled.in_order(), field.name), getattr(sets, field.name)
        ), field.name


def test_scopes_are_every_combination_that_holds_negatives() -> None:
    sets = triples()
    names = {(scope.tier, scope.source) for scope in sets.by_tier_and_source()}
    assert names == {(t, s) for t in (None, "hard", "rest") for s in (None, "bm25", "dense")}
    none_dense = sets.take(np.flatnonzero(~sets.returned[:, 1]))
    assert "dense" not in {scope.source for scope in none_dense.by_tier_and_source()}
    for tier, source, rows in sets.by_tier_and_source():
        wanted = np.ones(len(sets), dtype=bool)
        if tier:
            wanted &= sets.tier == sets.tiers.index(tier)
        if source:
            wanted &= sets.returned[:, sets.sources.index(source)]
        assert rows.tolist() == np.flatnonzero(wanted).tolist()


def test_a_positive_is_served_once_a_query_even_where_two_queries_share_it() -> None:
    sets = triples()
    shared = sets.take(np.arange(len(sets)))
    shared.positive_ix[:] = 100
    for each in (sets, shared):
        served = each.served(np.arange(len(each)))
        assert each.query_ix[served].tolist() == list(range(8))
