"""Metrics of two runs that cannot be paired by query: both values and their intervals."""

from math import isfinite

from negmine.jobs.compare.paired import PAIRED
from negmine.jobs.compare.read import TwoRuns
from negmine.jobs.compare.result import Measured
from negmine.jobs.report.metrics import Metric, Place, place_of, read_metrics
from negmine.jobs.report.settings import own_leak
from negmine.schemas import JsonObject
from negmine.transforms import storage

OWN = "own"
"""Key of the leak at each run's own `positives_above`."""

_COUNTED = ("negatives", "backfilled", "queries_short", "shortfall", "verdict", "tier_source")
_SPREAD = ("hub", "ratio_histogram")


def measured(runs: TwoRuns) -> list[Measured]:
    """Rows of both runs' metrics.parquet, matched; empty where either run has none.

    Counts and paired metrics are left out, as other parts have them; so are hubs and histograms.
    """
    if not all(storage.is_file(run.path / "metrics.parquet") for run in runs.runs.values()):
        return []
    sides: list[dict[Place, Metric]] = []
    for run in runs.runs.values():
        metrics = read_metrics(run.path, run.manifest)
        found: dict[Place, Metric] = {}
        leak = own_leak(run.manifest, metrics)
        if leak is not None:
            found["leak", None, None, OWN, None] = leak
        for row in metrics.rows:
            if _is_shown(row):
                found[place_of(row)] = _metric(row)
        sides.append(found)
    places = dict.fromkeys([*sides[0], *sides[1]])
    return [Measured(*place, *_values(sides, place)) for place in places]


def _metric(row: JsonObject) -> Metric:
    low, high = row.get("low"), row.get("high")
    known = low is not None and high is not None and isfinite(low) and isfinite(high)
    return Metric(row["value"], low, high) if known else Metric(row["value"])


def _is_shown(row: JsonObject) -> bool:
    if row["metric"] in PAIRED:
        return row.get("source") is not None
    return row["metric"] not in (*_COUNTED, *_SPREAD)


def _values(sides: list[dict[Place, Metric]], place: Place) -> list[float | None]:
    found: list[float | None] = []
    for side in sides:
        metric = side.get(place)
        found += [None] * 3 if metric is None else [metric.value, metric.low, metric.high]
    return found
