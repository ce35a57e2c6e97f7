"""Metrics found by name, from the file and from the manifest of an older run."""

from pathlib import Path

import pytest

from negmine.jobs.report import numbers
from negmine.jobs.report.metrics import Metric, Metrics, read_metrics
from negmine.schemas.errors import StorageError
from tests.jobs.report.a_run import row, write_metrics

SUMMARY = {
    "queries": 10,
    "queries_short": 2,
    "verdicts": {"kept": 30, "over_quota": 70},
    "tiers": {
        "hard": {"negatives": 20, "backfilled": 4, "queries_short": 2},
        "easy": {"negatives": 10},
    },
    "eci": {"overall": {"eci": 0.5, "signal": 0.4}, "tiers": {"hard": {"eci": 0.3}}},
}


def test_a_metric_is_found_by_tier_source_key_and_bin() -> None:
    metrics = Metrics(
        [
            row("eci", 0.5, 0.1),
            row("eci", 0.4, tier="hard"),
            row("eci", 0.3, source="bm25"),
            row("eci", 0.2, tier="hard", source="bm25"),
            row("verdict", 7, key="kept"),
            row("ratio_histogram", 5, tier="hard", bin=0.8),
        ]
    )
    assert metrics.get("eci") == Metric(0.5, 0.4, 0.6, 807)
    assert metrics.get("eci", "hard", "bm25") == Metric(0.2, None, None, 807)
    assert metrics.get("eci", "soft") is None
    assert {t: m.value for t, m in metrics.by_tier("eci").items()} == {"hard": 0.4}
    assert {s: m.value for s, m in metrics.by_source("eci").items()} == {"bm25": 0.3}
    assert {k: m.value for k, m in metrics.by_key("verdict").items()} == {"kept": 7}
    assert {b: m.value for b, m in metrics.by_bin("ratio_histogram", "hard").items()} == {0.8: 5}


def test_what_is_not_a_number_is_not_there() -> None:
    bad = {**row("gini", float("nan"))}
    half = {**row("leak", 0.1), "low": 0.0, "high": float("inf")}
    metrics = Metrics([bad, half])
    assert metrics.get("gini") is None
    assert metrics.get("leak") == Metric(0.1, None, None, 807)


def test_an_older_run_gives_what_its_summary_holds(tmp_path: Path) -> None:
    metrics = read_metrics(tmp_path, {"summary": SUMMARY})
    assert metrics.get("negatives") == Metric(30.0, over=10)
    assert metrics.get("backfilled", "hard") == Metric(4.0, over=10)
    assert metrics.get("queries_short") == Metric(2.0, over=10)
    assert metrics.by_key("verdict")["over_quota"].value == 70
    assert metrics.get("eci") == Metric(0.5, over=10)
    assert metrics.get("eci", "hard") == Metric(0.3, over=10)
    assert metrics.get("safety") is None
    assert read_metrics(tmp_path, {}).rows == []


def test_the_file_goes_before_the_summary_metric_by_metric(tmp_path: Path) -> None:
    write_metrics(tmp_path, [row("negatives", 99)])
    metrics = read_metrics(tmp_path, {"summary": SUMMARY})
    assert metrics.get("negatives") == Metric(99.0, over=807)
    assert metrics.get("negatives", "hard") is None
    assert metrics.get("eci") == Metric(0.5, over=10)


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "metrics.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(StorageError, match=r"metrics\.parquet cannot be read.*mine the run again"):
        read_metrics(tmp_path, {})


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (0, "0"),
        (1, "100"),
        (0.265, "26.5"),
        (0.9999, "100.0"),
        (0.0004, "0.04"),
        (1e-7, "under 0.001"),
    ],
)
def test_shares_are_written_with_the_digits_that_matter(share: float, shown: str) -> None:
    assert numbers.percent(share) == f"{shown}\u00a0%"


def test_an_interval_is_written_beside_its_value() -> None:
    assert numbers.with_interval(Metric(0.5, 0.4, 0.6), numbers.score) == "0.500 [0.400, 0.600]"
    assert numbers.with_interval(Metric(0.5), numbers.score) == "0.500"
    assert numbers.with_interval(None, numbers.score) == "-"
