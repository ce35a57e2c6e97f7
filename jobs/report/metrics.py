"""The rows of `metrics.parquet`, found by name; what a run lacks is simply not there."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TypeAlias, TypeGuard

import pyarrow as pa
import pyarrow.parquet as pq

from negmine.schemas import JsonObject
from negmine.schemas.errors import StorageError
from negmine.transforms import storage

Place: TypeAlias = tuple[str, str | None, str | None, str | None, float | None]
"""Metric, tier, source, key and bin of a value."""

_PARTS = {
    "eci": "eci",
    "signal": "signal",
    "safety": "safety",
    "harmonic_mean": "harmonic_mean",
    "size": "negatives",
}


class Metric(NamedTuple):
    """A value with its 95 % interval (None where it has none) and what count it is over."""

    value: float
    low: float | None = None
    high: float | None = None
    over: int | None = None


class Metrics:
    """Metrics by name, tier, source and key; None stands for all tiers, all sources, no key."""

    def __init__(self, rows: list[JsonObject]) -> None:
        self.rows = [row for row in rows if _finite(row.get("value"))]
        self._found: dict[Place, Metric] = {}
        for row in self.rows:
            self._found.setdefault(place_of(row), _metric(row))

    def get(
        self,
        metric: str,
        tier: str | None = None,
        source: str | None = None,
        key: str | None = None,
    ) -> Metric | None:
        """The one value of that name, or None."""
        return self._found.get((metric, tier, source, key, None))

    def by_tier(self, metric: str) -> dict[str, Metric]:
        """Values of single tiers, all sources, in the order of the rows."""
        return {t: m for (n, t, s, k, _), m in self._of(metric) if t is not None and s is None}

    def by_source(self, metric: str) -> dict[str, Metric]:
        """Values of single sources over all tiers."""
        return {s: m for (n, t, s, k, _), m in self._of(metric) if s is not None and t is None}

    def by_key(self, metric: str, tier: str | None = None) -> dict[str, Metric]:
        """Values by key."""
        return {k: m for (n, t, s, k, _), m in self._of(metric) if k is not None and t == tier}

    def by_bin(self, metric: str, tier: str | None = None) -> dict[float, Metric]:
        """Values by the lower edge of their bin, or by whatever number `bin` holds."""
        return {b: m for (n, t, s, k, b), m in self._of(metric) if b is not None and t == tier}

    def _of(self, metric: str) -> Iterator[tuple[Place, Metric]]:
        return (entry for entry in self._found.items() if entry[0][0] == metric)


def place_of(row: JsonObject) -> Place:
    """What a row of metrics is found by."""
    name, tier, source = row.get("metric", ""), row.get("tier"), row.get("source")
    return name, tier, source, row.get("key"), row.get("bin")


def _finite(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and math.isfinite(value)


def _metric(row: JsonObject) -> Metric:
    low, high = row.get("low"), row.get("high")
    if not (_finite(low) and _finite(high)):
        low = high = None
    return Metric(float(row["value"]), low, high, row.get("count"))


def read_metrics(run: Path, manifest: JsonObject) -> Metrics:
    """The run's metrics; a metric that its file lacks is taken from the manifest's summary.

    Raises StorageError where the file is there and cannot be read.
    """
    file = run / "metrics.parquet"
    rows: list[JsonObject] = []
    if storage.is_file(file):
        try:
            rows = pq.ParquetFile(storage.fetch(file)).read().to_pylist()
        except (OSError, pa.ArrowException) as error:
            raise StorageError(f"{file} cannot be read ({error}); mine the run again") from error
    named = {row.get("metric") for row in rows}
    return Metrics(rows + [row for row in _summary(manifest) if row["metric"] not in named])


def _summary(manifest: JsonObject) -> Iterator[JsonObject]:
    summary = manifest.get("summary") or {}
    queries = summary.get("queries")
    tiers = summary.get("tiers") or {}
    for tier, values in tiers.items():
        for metric in ("negatives", "backfilled", "queries_short"):
            yield _row(metric, values.get(metric), queries, tier=tier)
        for source, count in (values.get("sources") or {}).items():
            yield _row("tier_source", count, queries, tier=tier, source=source)
    for metric in ("negatives", "backfilled"):
        if tiers:
            total = sum(values.get(metric) or 0 for values in tiers.values())
            yield _row(metric, total, queries)
    yield _row("queries_short", summary.get("queries_short"), queries)
    for verdict, count in (summary.get("verdicts") or {}).items():
        yield _row("verdict", count, count, key=verdict)
    eci = summary.get("eci") or {}
    parts = [(None, eci.get("overall") or {}), *(eci.get("tiers") or {}).items()]
    for tier, values in parts:
        for metric, name in _PARTS.items():
            yield _row(metric, values.get(name), queries, tier=tier)


def _row(metric: str, value: object, count: object, **place: str | None) -> JsonObject:
    return {"metric": metric, "value": value, "count": count, **place}
