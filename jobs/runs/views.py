"""A published run as DuckDB views that an older run has too."""

from pathlib import Path
from typing import Any, TypeAlias

import duckdb
import pyarrow as pa

from negmine.schemas import tables
from negmine.schemas.tables import LEDGER, LISTS, NEGATIVES, RUN_POSITIVES, SETS, with_language
from negmine.transforms.data.sql import dataset_sql, has_parts, partitioned_sql

Row: TypeAlias = tuple[Any, ...]
"""Of an answer of DuckDB, whose columns may be of any type."""


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


def no_rows(name: str) -> pa.Table:
    """An empty data set of a run, with the column that its folders are named by."""
    partition = {"negatives": "tier", "ledger": "verdict"}.get(name)
    schema: pa.Schema = getattr(tables, name.upper())
    if partition:
        schema = schema.append(pa.field(partition, pa.string()))
    return schema.empty_table()
