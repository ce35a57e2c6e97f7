"""Counts, calibration and ECI of a run, from its own Parquet."""

from pathlib import Path

import duckdb

from negmine.jobs.mining.context import ingested_counts
from negmine.jobs.mining.run import MiningRun
from negmine.schemas import JsonObject
from negmine.schemas.selection import Selection
from negmine.transforms.data.sql import (
    COSINE,
    POSITIVE_COSINE,
    connect,
    dataset_sql,
    partitioned_sql,
)
from negmine.transforms.judging.calibrate import read_calibration
from negmine.transforms.kernels.eci import set_terms
from negmine.transforms.kernels.eci import summarise as summarise_terms

_INPUT = (
    "judgements",
    "dangling_judgements",
    "unmined_judgements",
    "repeated_judgements",
    "merged_queries",
    "queries_without_positives",
    "queries_over_limit",
    "ignored_judgements",
    "labelled_positives",
    "dead_letter_reasons",
)
"""Of `counts.json`, what says where judgements of the input went before there were positives."""

_OWN_POSITIVES = """
SELECT count(*) FROM ledger
WHERE is_positive AND (same_id_as_query OR query_jaccard >= ?::FLOAT)
"""


_ESTIMATES = ("expected_gain", "unlabelled_positives")
_ESTIMATE = "SELECT value, low, high FROM read_parquet(?) WHERE metric = ? AND tier IS NULL"


def _limit(mining: MiningRun) -> float:
    """Jaccard from which a document is the query itself."""
    return float(Selection.of(mining.config).policy("query_itself").jaccard)


def summarise(mining: MiningRun, run: Path) -> JsonObject:
    """Counts and ECI of a run's Parquet, in the shape that `show` prints."""
    with connect() as database:
        views = {
            "negatives": partitioned_sql(run / "negatives", "tier"),
            "ledger": partitioned_sql(run / "ledger", "verdict"),
            "sets": dataset_sql(run / "sets"),
            "positives": dataset_sql(run / "positives"),
        }
        for name, sql in views.items():
            database.execute(f"CREATE VIEW {name} AS {sql}")
        tiers = {tier: _tier(database, tier) for tier in mining.config.tiers}
        for tier, spec in mining.config.tiers.items():
            count = f"coalesce(element_at(tier_counts, '{tier}')[1], 0)"
            (short,) = _row(database, f"SELECT count(*) FROM sets WHERE {count} < {spec.quota}")
            tiers[tier]["queries_short"] = short
        verdicts = database.execute("SELECT verdict, count(*) FROM ledger GROUP BY ALL").fetchall()
        scored, total = _row(database, "SELECT count(judge_score), count(*) FROM ledger")
        (short,) = _row(database, "SELECT count(*) FROM sets WHERE shortfall > 0")
        (own,) = _row(database, _OWN_POSITIVES, _limit(mining))
        by_tier = {tier: _eci(database, f"WHERE tier = '{tier}'") for tier in tiers}
        overall = _eci(database, "")
        calibration = _calibration(database, mining)
        (positives,) = _row(database, "SELECT count(*) FROM positives")
        estimates = {name: _estimate(database, run, name) for name in _ESTIMATES}
    counts = ingested_counts(mining.ingested["documents"].directory.parent)
    listed = mining.list_facts
    lists = {"lists": listed.as_json()} if listed else {}
    held = {"lists": listed.rows} if listed else {}
    return {
        **lists,
        "tiers": tiers,
        "verdicts": dict(sorted(verdicts, key=lambda entry: (-entry[1], entry[0]))),
        "judge": {"pairs_scored": scored, "pairs_total": total},
        "calibration": calibration,
        "eci": {"overall": overall, "tiers": by_tier},
        **estimates,
        "queries": mining.rows("queries"),
        "queries_short": short,
        "documents": mining.rows("documents"),
        "positives": positives,
        "rows": {"sets": mining.rows("queries"), "positives": positives, **held},
        "input": {name: counts[name] for name in _INPUT if name in counts},
        "positives_that_are_the_query": own,
        "dead_letters": counts["dead_letters"] - counts["evaluation_queries"],
        "evaluation_queries": counts["evaluation_queries"],
        "merged_queries": counts["merged_queries"],
        "queries_without_positives": counts.get("queries_without_positives", 0),
        "repeated_rows": counts.get("repeated_rows", 0),
        "zero_vectors": mining.collection.zero_vectors(),
    }


def _calibration(database: duckdb.DuckDBPyConnection, mining: MiningRun) -> list[JsonObject]:
    """What a calibrated threshold would drop, for several shares of the positives above it."""
    if mining.config.judge.kind == "none":
        return []
    thresholds = read_calibration(mining.judged, judged=True).thresholds()
    table = []
    for share, threshold in thresholds.items():
        dropped, scored = _row(
            database,
            "SELECT count(*) FILTER (judge_score >= ?), count(*) FROM ledger "
            "WHERE NOT is_positive AND judge_score IS NOT NULL",
            threshold,
        )
        table.append(
            {
                "positives_above": share,
                "threshold": threshold,
                "candidates_dropped": dropped,
                "candidates_scored": scored,
            }
        )
    return table


def _estimate(database: duckdb.DuckDBPyConnection, run: Path, name: str) -> JsonObject | None:
    """A metric of the whole run, from its `metrics.parquet`."""
    found = _row(database, _ESTIMATE, str(run / "metrics.parquet"), name)
    return dict(zip(("value", "low", "high"), found, strict=True)) if found else None


def _row(database: duckdb.DuckDBPyConnection, sql: str, *values: object) -> tuple[object, ...]:
    row = database.execute(sql, list(values)).fetchone()
    return tuple(row) if row else ()


def _tier(database: duckdb.DuckDBPyConnection, tier: str) -> JsonObject:
    count, backfilled = _row(
        database,
        "SELECT count(*), count(*) FILTER (backfilled) FROM negatives WHERE tier = ?",
        tier,
    )
    sources = database.execute(
        "SELECT source, count(*) FROM (SELECT unnest(sources) AS source FROM negatives "
        "WHERE tier = ?) GROUP BY source ORDER BY source",
        [tier],
    ).fetchall()
    return {"negatives": count, "backfilled": backfilled, "sources": dict(sources)}


def _eci(database: duckdb.DuckDBPyConnection, where: str) -> dict[str, float]:
    """ECI of a part of the negatives: S and D averaged per query, then over queries; median N."""
    terms = database.execute(
        f"""
        SELECT count(*) AS size, avg({COSINE}) AS signal,
               avg(greatest(0, {POSITIVE_COSINE} - {COSINE})) AS safety
        FROM negatives {where} GROUP BY query_id ORDER BY query_id
        """
    ).fetchnumpy()
    return summarise_terms(set_terms(terms["size"], terms["signal"], terms["safety"]))
