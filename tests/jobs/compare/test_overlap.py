"""Counts, overlap and moves of two runs, against sets in Python."""

import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from negmine.jobs.compare import compare
from negmine.jobs.compare.result import Comparison, Count, Move, Overlap, Queries, TierChange
from tests.jobs.compare.a_pair import TIERS, Pair, dropped, write_run

QUERIES, DOCUMENTS = ("q1", "q2", "q'3"), ("d1", "d2", "d3", "d%4")
fates = st.one_of(
    st.sampled_from(TIERS).map(lambda tier: (tier, "kept")),
    st.sampled_from(["over_quota", "suspected_positive"]).map(lambda verdict: (None, verdict)),
)
a_run = st.dictionaries(
    st.tuples(st.sampled_from(QUERIES), st.sampled_from(DOCUMENTS)), fates, max_size=12
)


def pairs(run: dict) -> list[Pair]:
    return [Pair(*names, tier, verdict) for names, (tier, verdict) in run.items()]


def by_count(found: list[Count], group: str) -> dict[str, tuple[int | None, int | None]]:
    return {row.name: (row.a, row.b) for row in found if row.group == group}


def negatives(run: dict, common: set[str], tier: str | None = None) -> set[tuple[str, str]]:
    return {
        names
        for names, (of, verdict) in run.items()
        if verdict == "kept" and names[0] in common and tier in (None, of)
    }


def slow_overlap(tier: str | None, a: dict, b: dict, common: set[str]) -> Overlap:
    in_a, in_b = (negatives(run, common, tier) for run in (a, b))
    used = {query for query, _ in in_a | in_b}
    same = sum(
        {names for names in in_a if names[0] == query}
        == {names for names in in_b if names[0] == query}
        for query in used
    )
    return Overlap(tier, len(in_a), len(in_b), len(in_a & in_b), len(used), same)


def slow_moves(here: dict, there: dict, common: set[str]) -> set[Move]:
    lost = negatives(here, common) - negatives(there, common)
    counted = Counter((here[names][0], there.get(names, (0, None))[1]) for names in lost)
    return {Move(tier, verdict, count) for (tier, verdict), count in counted.items()}


def check(found: Comparison, a: dict, b: dict) -> None:
    in_a, in_b = ({query for query, _ in run} for run in (a, b))
    common = in_a & in_b
    assert found.queries == Queries(len(common), len(in_a - in_b), len(in_b - in_a))
    everything = slow_overlap(None, a, b, common)
    expected = [everything, *(slow_overlap(tier, a, b, common) for tier in TIERS)]
    assert found.overlap == (expected if everything.queries else [])
    shared = negatives(a, common) & negatives(b, common)
    changed = Counter((a[n][0], b[n][0]) for n in shared if a[n][0] != b[n][0])
    assert set(found.tier_changes) == {TierChange(*k, n) for k, n in changed.items()}
    assert set(found.left) == (slow_moves(a, b, common) if b else set())
    assert set(found.entered) == (slow_moves(b, a, common) if a else set())
    for group, at in (("negatives by tier", 0), ("candidates by verdict", 1)):
        sides = [Counter(f[at] for f in run.values() if f[0] or at) for run in (a, b)]
        names = set(sides[0]) | set(sides[1])
        assert by_count(found.counts, group) == {n: (sides[0][n], sides[1][n]) for n in names}
    totals = by_count(found.counts, "in all")
    assert totals["candidates"] == totals["pairs judged"] == (len(a), len(b))
    assert totals["queries"] == (len(in_a), len(in_b))


@settings(max_examples=25, deadline=None)
@given(a_run, a_run)
def test_counts_overlap_and_moves_are_those_of_sets_in_python(a: dict, b: dict) -> None:
    with tempfile.TemporaryDirectory() as folder:
        runs = [write_run(Path(folder), name, pairs(run)) for name, run in (("a", a), ("b", b))]
        check(compare(*runs), a, b)


def test_shortfall_and_backfilled_negatives_are_counted(tmp_path: Path) -> None:
    a = write_run(tmp_path, "a", [Pair("q1", "d1")], queries=["q2"])
    b = write_run(tmp_path, "b", [replace(Pair("q1", d), backfilled=True) for d in "xyz"])
    found = compare(a, b).counts
    totals = by_count(found, "in all")
    assert totals["shortfall"] == (2 + 3, 0)
    assert totals["queries short"] == (2, 0)
    assert totals["backfilled"] == (0, 3)
    assert by_count(found, "backfilled by tier") == {"hard": (0, 3)}
    assert [c.difference for c in found if c.name == "shortfall"] == [-5]


def test_a_pair_that_is_twice_in_a_run_counts_once(tmp_path: Path) -> None:
    a = write_run(tmp_path, "a", [Pair("q", "d"), Pair("q", "d")])
    b = write_run(tmp_path, "b", [Pair("q", "d")])
    assert compare(a, b).overlap[0] == Overlap(None, 1, 1, 1, 1, 1)


def test_without_a_ledger_nothing_is_said_of_verdicts(tmp_path: Path) -> None:
    a = write_run(tmp_path, "a", [Pair("q", "d"), dropped("q", "e")])
    b = write_run(tmp_path, "b", [Pair("q", "e")])
    (b.path / "ledger" / "verdict=kept" / "part-000.parquet").unlink()
    found = compare(a, b)
    assert found.left == []
    assert found.entered == [Move("hard", "over_quota", 1)]


@pytest.mark.parametrize("name", ["runs of [a]*", "it's 100 %"])
def test_folders_with_odd_names_are_read(tmp_path: Path, name: str) -> None:
    a, b = (write_run(tmp_path / name, run, [Pair("q", "d")]) for run in "ab")
    assert compare(a, b).overlap[0].jaccard == 1.0
