"""The leak that speaks for the run is the one at its own setting, or none."""

from typing import Any

import pytest

from negmine.jobs.report.metrics import Metric, Metrics
from negmine.jobs.report.settings import own_leak, positives_above, share
from tests.jobs.report.a_run import row

SUSPECTED, CALIBRATED = "suspected_positive", "judge_calibrated_threshold"


def policies(suspected: float, calibrated: float, threshold: float | None = None) -> Any:
    first = {"positives_above": suspected, "threshold": None}
    second = {"positives_above": calibrated, "threshold": threshold}
    return [{"known_positive": {}}, {SUSPECTED: first}, {CALIBRATED: second}]


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        ({"config": {"policies": policies(0.5, 0.5)}}, 0.5),
        ({"config": {"policies": policies(0.5, 0.8)}}, 0.8),
        ({"config": {"policies": policies(0.8, 0.5)}}, None),
        ({"config": {"policies": policies(0.5, 0.5, threshold=3.0)}}, None),
        ({"policies": policies(0.5, 0.5, threshold=3.0)}, 0.5),
        ({"policies": [{"known_positive": {}}]}, None),
        ({}, None),
    ],
)
def test_a_runs_setting_is_the_share_that_drops_whatever_the_others_would(
    manifest: dict[str, Any], expected: float | None
) -> None:
    assert positives_above(manifest) == expected


@pytest.mark.parametrize(("key", "value"), [("0.5", 0.5), ("50%", 0.5), ("x", None), ("", None)])
def test_a_share_is_read_from_its_text(key: str, value: float | None) -> None:
    assert share(key) == value


def test_the_leak_is_found_by_setting_or_without_a_key() -> None:
    manifest = {"config": {"policies": policies(0.9, 0.9)}}
    rows = [row("leak", 0.1, key="0.5"), row("leak", 0.2, key="0.9")]
    assert own_leak(manifest, Metrics(rows)) == Metric(0.2, over=807)
    assert own_leak(manifest, Metrics(rows[:1])) is None
    assert own_leak({}, Metrics(rows)) is None
    assert own_leak({}, Metrics([row("leak", 0.3)])) == Metric(0.3, over=807)
