"""Rows of `schemas.metrics.METRICS`."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

from negmine.schemas.metrics import METRICS


@dataclass(frozen=True)
class Row:
    """One metric; see METRICS. A value that is NaN is not defined, and the row is left out."""

    metric: str
    value: float
    count: int
    tier: str | None = None
    source: str | None = None
    key: str | None = None
    bin: float | None = None
    low: float = math.nan
    high: float = math.nan


def to_table(rows: Iterable[Row]) -> pa.Table:
    """Rows as `METRICS`, in their order; interval ends that are NaN become null."""
    known = [row for row in rows if not math.isnan(row.value)]
    arrays = [
        pa.array([getattr(row, field.name) for row in known], field.type, from_pandas=True)
        for field in METRICS
    ]
    return pa.Table.from_arrays(arrays, schema=METRICS)
