"""How far a run has drifted from its parent, counted from what both publish."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from negmine.jobs.refresh.refreshed import FOLDER
from negmine.jobs.runs.published import Run
from negmine.jobs.runs.views import create_run_views
from negmine.schemas import JsonObject
from negmine.transforms import storage
from negmine.transforms.data.sql import connect, dataset_sql

TOPS = (10, 100)
"""Lengths of the lists of dense candidates that are compared."""

GONE, DROPPED, NO_CANDIDATE = "gone", "dropped", "no_candidate"
"""Where a negative is that is in no tier: its query or document left the collection, another
verdict, or no source returns it."""

_COUNTS = """
SELECT count(*), count(*) FILTER (candidate), count(*) FILTER (verdict = 'kept'),
    count(*) FILTER (dense_score IS NOT NULL AND positive_dense_score IS NOT NULL),
    count(*) FILTER (easy), count(*) FILTER (stale)
FROM refreshed
"""
_QUERIES = "SELECT count(*) FROM parent_sets SEMI JOIN now_sets USING (query_id)"
_TOP = """
SELECT count(*) FILTER (parent_dense_rank <= $top), count(*) FILTER (dense_rank <= $top)
FROM refreshed
"""
_JACCARD = """
WITH before AS (SELECT query_id, doc_id FROM parent_ledger WHERE dense_rank <= $top),
now AS (SELECT query_id, doc_id FROM now_ledger WHERE dense_rank <= $top),
lists AS (
    SELECT query_id, count(*) AS either, count(*) FILTER (b.doc_id = n.doc_id) AS common,
        count(b.doc_id) AS old, count(n.doc_id) AS new
    FROM before AS b FULL JOIN now AS n USING (query_id, doc_id) GROUP BY query_id
)
SELECT avg(common / either) FROM lists WHERE old > 0 AND new > 0
"""
_TIERS = f"""
SELECT parent_tier, CASE
    WHEN verdict = 'kept' THEN tier WHEN candidate THEN '{DROPPED}'
    WHEN dense_score IS NULL THEN '{GONE}' ELSE '{NO_CANDIDATE}' END AS now, count(*)
FROM refreshed GROUP BY ALL ORDER BY ALL
"""
_EASY = """
SELECT parent_tier, count(*) FILTER (easy) FROM refreshed GROUP BY parent_tier ORDER BY parent_tier
"""
_KEPT = """
SELECT count(*), count(*) FILTER (r.query_id IS NULL) FROM now_negatives AS n
LEFT JOIN refreshed AS r ON r.query_id = n.query_id AND r.negative_id = n.negative_id
"""


GEOMETRY = (
    "alignment", "uniformity", "anisotropy", "tolerance", "length_bias_auc", "effective_negatives",
)  # fmt: skip
"""Metrics of a student's vectors that are told of both runs."""


def drift(parent: Run, directory: Path, measured: pa.Table) -> JsonObject:
    """`schemas.manifest.Drift` of a run whose parts, `refreshed` among them, are in a folder.

    `measured` are its metrics.

    Raises duckdb.Error where a part cannot be read.
    """
    with connect() as database:
        create_run_views(database, parent.path, "parent_")
        create_run_views(database, directory, "now_")
        database.execute(f"CREATE VIEW refreshed AS {dataset_sql(directory / FOLDER)}")
        names = ("negatives", "candidates", "chosen", "compared", "easy", "stale")
        counts = dict(zip(names, _row(database, _COUNTS), strict=True))
        tiers: dict[str, dict[str, int]] = {}
        for before, now, number in database.execute(_TIERS).fetchall():
            tiers.setdefault(before, {})[now] = number
        kept, new = _row(database, _KEPT)
        return {
            "queries": _row(database, _QUERIES)[0],
            **counts,
            "top": {str(top): _top(database, top) for top in TOPS},
            "tiers": tiers,
            "easy_tiers": dict(database.execute(_EASY).fetchall()),
            "kept": kept,
            "kept_new": new,
            "geometry": _geometry(parent, measured),
        }


def _geometry(parent: Run, measured: pa.Table) -> dict[str, list[float | None]]:
    """Each metric of GEOMETRY, before and now; None where a run lacks it."""
    file = parent.path / "metrics.parquet"
    before = (
        storage.read(file, lambda place: pq.read_table(place)) if storage.is_file(file) else None
    )
    then, now = (_values(table) for table in (before, measured))
    return {name: [then.get(name), now.get(name)] for name in {**then, **now}}


def _values(metrics: pa.Table | None) -> dict[str, float]:
    rows = [] if metrics is None else metrics.to_pylist()
    return {
        row["metric"] if row["bin"] is None else f"{row['metric']} {row['bin']:g}": round(
            row["value"], 6
        )
        for row in rows
        if row["metric"] in GEOMETRY and row["tier"] is None and row["source"] is None
    }


def _row(
    database: duckdb.DuckDBPyConnection, sql: str, **values: object
) -> tuple[float | None, ...]:
    (row,) = database.execute(sql, values or None).fetchall()
    return tuple(row)


def _top(database: duckdb.DuckDBPyConnection, top: int) -> JsonObject:
    before, now = _row(database, _TOP, top=top)
    (jaccard,) = _row(database, _JACCARD, top=top)
    return {
        "parent": before,
        "now": now,
        "jaccard": None if jaccard is None else round(jaccard, 6),
    }
