"""Which negatives two runs share, and what became of the others."""

from negmine.jobs.compare.read import TwoRuns
from negmine.jobs.compare.result import Move, Overlap, TierChange

_KNOWN = """
CREATE TEMP TABLE known AS
SELECT query_id, bool_or(side = 'a') AS a, bool_or(side = 'b') AS b
FROM (
    SELECT query_id, 'a' AS side FROM a_sets UNION ALL SELECT query_id, 'a' FROM a_negatives
    UNION ALL SELECT query_id, 'b' FROM b_sets UNION ALL SELECT query_id, 'b' FROM b_negatives
)
GROUP BY query_id
"""
_COMMON = """
CREATE TEMP TABLE common AS
SELECT query_id, row_number() OVER (ORDER BY query_id) - 1 AS place FROM known WHERE a AND b
"""
_CHOSEN = """
(SELECT query_id, negative_id, min(tier) AS tier FROM {}_negatives
 WHERE query_id IN (SELECT query_id FROM common) GROUP BY ALL)
"""
_PAIRS = f"""
CREATE TEMP TABLE pairs AS
SELECT query_id, negative_id, a.tier AS a, b.tier AS b
FROM {_CHOSEN.format("a")} AS a FULL JOIN {_CHOSEN.format("b")} AS b USING (query_id, negative_id)
"""
_IDENTICAL = """
SELECT tier, count(*), count(*) FILTER (same)
FROM (
    SELECT tier, query_id, bool_and(same) AS same
    FROM (
        SELECT query_id, a AS tier, coalesce(a = b, false) AS same FROM pairs WHERE a IS NOT NULL
        UNION ALL SELECT query_id, b, false FROM pairs WHERE b IS NOT NULL AND a IS DISTINCT FROM b
        UNION ALL SELECT query_id, NULL, a IS NOT NULL AND b IS NOT NULL FROM pairs
    )
    GROUP BY tier, query_id
)
GROUP BY tier
"""
_VERDICTS = """
SELECT tier, verdict, count(*)
FROM (SELECT query_id, negative_id AS doc_id, {here} AS tier FROM pairs WHERE {there} IS NULL)
LEFT JOIN (SELECT query_id, doc_id, verdict FROM {there}_ledger) USING (query_id, doc_id)
GROUP BY ALL
"""


def match(runs: TwoRuns) -> None:
    """Make tables `known` (all queries), `common` (those of both, numbered by identifier) and
    `pairs` (their negatives of either run, with the tier in each)."""
    for sql in (_KNOWN, _COMMON, _PAIRS):
        runs.connection.execute(sql)


def overlaps(runs: TwoRuns) -> list[Overlap]:
    """Overlap of all negatives, then by tier; a pair in another tier is not in both there."""
    cells = {(a, b): n for a, b, n in runs.all("SELECT a, b, count(*) FROM pairs GROUP BY ALL")}
    queries = {tier: found for tier, *found in runs.all(_IDENTICAL)}
    if not cells:
        return []
    in_a, in_b = (sum(n for k, n in cells.items() if k[at] is not None) for at in (0, 1))
    found = [Overlap(None, in_a, in_b, in_a + in_b - sum(cells.values()), *queries[None])]
    for tier in runs.tiers():
        in_a, in_b = (sum(n for k, n in cells.items() if k[at] == tier) for at in (0, 1))
        both, counted = cells.get((tier, tier), 0), queries.get(tier, (0, 0))
        found.append(Overlap(tier, in_a, in_b, both, *counted))
    return found


def tier_changes(runs: TwoRuns) -> list[TierChange]:
    """Pairs of both runs in different tiers, most first."""
    rows = runs.all("SELECT a, b, count(*) AS n FROM pairs WHERE a <> b GROUP BY ALL")
    return [TierChange(*row) for row in sorted(rows, key=lambda r: (-r[2], r[0], r[1]))]


def moves(runs: TwoRuns, here: str, there: str) -> list[Move]:
    """Verdict in run `there` of the negatives that only run `here` chose, most first by tier.

    Empty where run `there` has no ledger.
    """
    if not runs.all(f"SELECT 1 FROM {there}_ledger LIMIT 1"):
        return []
    order = {tier: at for at, tier in enumerate(runs.tiers())}
    rows = runs.all(_VERDICTS.format(here=here, there=there))
    rows.sort(key=lambda row: (order[row[0]], -row[2], row[1] or ""))
    return [Move(*row) for row in rows]
