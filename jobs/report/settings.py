"""The run's own setting of the judge's calibrated thresholds, and the leak measured at it."""

from negmine.jobs.report.metrics import Metric, Metrics
from negmine.schemas import JsonObject


def positives_above(manifest: JsonObject) -> float | None:
    """`positives_above` of the policy that decides; None for none, or for a given threshold.

    The highest share has the lowest threshold, and drops whatever the others would.
    """
    configured = (manifest.get("config") or {}).get("policies")
    entries = configured or manifest.get("policies") or []
    found = [v for entry in entries for v in entry.values() if v and "positives_above" in v]
    if configured and any(values.get("threshold") is not None for values in found):
        return None
    drops = [e["judge_calibrated_threshold"] for e in entries if "judge_calibrated_threshold" in e]
    highest = max((float(values["positives_above"]) for values in drops if values), default=None)
    others = [float(values["positives_above"]) for values in found]
    return highest if highest is not None and highest >= max(others) else None


def share(key: str) -> float | None:
    """A share as a number: `0.5` or `50%`; None where it is neither."""
    try:
        return float(key.removesuffix("%")) / (100 if key.endswith("%") else 1)
    except ValueError:
        return None


def own_key(manifest: JsonObject, leaks: dict[str, Metric]) -> str | None:
    """The key of the run's own setting among those of metric `leak`."""
    own = positives_above(manifest)
    shares = ((key, share(key)) for key in leaks)
    equal = (k for k, s in shares if own is not None and s is not None and abs(s - own) < 1e-9)
    return next(equal, None)


def own_leak(manifest: JsonObject, metrics: Metrics) -> Metric | None:
    """The leak at the run's own setting; it has no key where no policy is calibrated."""
    key = own_key(manifest, metrics.by_key("leak"))
    return metrics.get("leak", key=key)
