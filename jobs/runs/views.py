"""A published run as DuckDB views that an older run has too."""

from pathlib import Path

import duckdb

from negmine.schemas.tables import LEDGER, LISTS, NEGATIVES, RUN_POSITIVES, SETS, with_language
from negmine.transforms.data.sql import dataset_sql, has_parts, partitioned_sql


def create_run_views(connection: duckdb.DuckDBPyConnection, run: Path, prefix: str = "") -> None:
    """Views `negatives`, `positives`, `ledger`, `sets`, `lists` of a run, named after `prefix`.

    Columns that an older run lacks are null, and data sets that it lacks are empty. Raises
    duckdb.Error where a part cannot be read.
    """
    whole = {
        name: dataset_sql(run / name) if has_parts(run / name) else None
        for name in ("sets", "positives", "lists")
    }
    found = {
        "negatives": (with_language(NEGATIVES), partitioned_sql(run / "negatives", "tier"), "tier"),
        "ledger": (with_language(LEDGER), partitioned_sql(run / "ledger", "verdict"), "verdict"),
        "sets": (SETS, whole["sets"], None),
        "positives": (RUN_POSITIVES, whole["positives"], None),
        "lists": (LISTS, whole["lists"], None),
    }
    for name, (schema, sql, partition) in found.items():
        connection.register(f"no_{name}", schema.empty_table())
        empty = f"SELECT *{f', NULL::VARCHAR AS {partition}' if partition else ''}"
        parts = [f"{empty} FROM no_{name}", *([sql] if sql else [])]
        connection.execute(f"CREATE VIEW {prefix}{name} AS {' UNION ALL BY NAME '.join(parts)}")
