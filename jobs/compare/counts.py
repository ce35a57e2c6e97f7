"""What two runs hold, counted."""

from negmine.jobs.compare.read import SIDES, TwoRuns
from negmine.jobs.compare.result import Count, Queries

_BY_NAME = {
    "negatives by tier": "SELECT tier, count(*) FROM {}_negatives GROUP BY tier",
    "backfilled by tier": "SELECT tier, count(*) FILTER (backfilled) FROM {}_negatives "
    "GROUP BY tier",
    "candidates by verdict": "SELECT verdict, count(*) FROM {}_ledger GROUP BY verdict",
}
_TOTALS = {
    "negatives": "SELECT count(*) FROM {}_negatives",
    "backfilled": "SELECT count(*) FILTER (backfilled) FROM {}_negatives",
    "candidates": "SELECT count(*) FROM {}_ledger",
    "pairs judged": "SELECT count(judge_score) FROM {}_ledger",
    "queries": "SELECT count(*) FROM {}_sets",
    "queries short": "SELECT count(*) FILTER (shortfall > 0) FROM {}_sets",
    "shortfall": "SELECT coalesce(sum(shortfall), 0)::BIGINT FROM {}_sets",
}
_SUMMARY = ("documents", "positives", "dead_letters", "evaluation_queries")


def counts(runs: TwoRuns) -> list[Count]:
    """Negatives and candidates by tier and verdict, and totals; each run's own, whole."""
    order = {tier: at for at, tier in enumerate(runs.tiers())}
    found = []
    for group, sql in _BY_NAME.items():
        sides: list[dict[str, int]] = [dict(runs.all(sql.format(side))) for side in SIDES]
        names = sorted(set(sides[0]) | set(sides[1]), key=lambda n: (order.get(n, len(order)), n))
        if group == "candidates by verdict":
            names.sort(key=lambda n: -max(side.get(n, 0) for side in sides))
        found += [Count(group, name, *(side.get(name, 0) for side in sides)) for name in names]
    for name, sql in _TOTALS.items():
        found.append(Count("in all", name, *(runs.all(sql.format(side))[0][0] for side in SIDES)))
    for name in _SUMMARY:
        values = [(run.manifest.get("summary") or {}).get(name) for run in runs.runs.values()]
        if any(value is not None for value in values):
            found.append(Count("input", name.replace("_", " "), *values))
    return found


def queries(runs: TwoRuns) -> Queries:
    """How many queries both runs have; `match` comes first."""
    ((both, only_a, only_b),) = runs.all(
        "SELECT count(*) FILTER (a AND b), count(*) FILTER (NOT b), count(*) FILTER (NOT a) "
        "FROM known"
    )
    return Queries(both, only_a, only_b)
