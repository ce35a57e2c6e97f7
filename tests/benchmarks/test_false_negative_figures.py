"""Intervals, claims and the plot of the false-negative benchmark, on numbers made by hand."""

import math
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks._measures import (
    Counts,
    Figure,
    Measured,
    best_at,
    claims,
    crossfit_ratio,
    rate_ratio,
    wilson,
)
from benchmarks._plot import Point, Series, scatter, ticks
from benchmarks._selections import Selection


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (1, 10, 0.0179, 0.4042),
        (50, 100, 0.4038, 0.5962),
    ],
)
def test_wilson_gives_the_published_intervals(
    hits: int, trials: int, low: float, high: float
) -> None:
    found = wilson(hits, trials)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-4)


def method(name: str, family: str, false: list[int], hard: list[int]) -> Measured:
    """A method of five negatives a query."""
    counts = Counts(np.full(len(false), 5), np.array(false), np.array(hard))
    figures = {
        "false_negative_rate": Figure(sum(false) / (5 * len(false))),
        "hard_below_positive": Figure(min(sum(hard), 12)),
    }
    none = np.empty(0, dtype=np.int64)
    parameters = {"relative_margin": 0.05} if family == "sentence-transformers" else {}
    return Measured(Selection(name, family, none, none, parameters), figures, counts)


def test_the_claims_compare_at_no_fewer_hard_negatives() -> None:
    rival = method("ST rel 0.05 r100", "sentence-transformers", [2, 2, 2, 2], [3, 3, 3, 3])
    good = method("good", "ours", [0, 1, 1, 0], [3, 3, 3, 4])
    easy = method("easy", "ours", [0, 0, 0, 0], [1, 1, 1, 1])
    assert best_at([good, easy], rival.hard) is good
    ratio, curve = claims([rival, good, easy], seed=1)
    assert ratio["holds"] and ratio["ratio"]["value"] == pytest.approx(0.25)
    assert ratio["ours"] == "good" and curve["holds"]
    assert ratio["ratio_below_positive"]["value"] == pytest.approx(0.25)
    ratio, curve = claims([rival, easy], seed=1)
    assert not ratio["holds"] and curve["below"] == ["ST rel 0.05 r100"]
    better = method("ST rel 0.05 r100", "sentence-transformers", [0, 0, 0, 0], [1, 1, 2, 1])
    assert claims([better, good, easy], seed=1)[1]["below"] == ["ST rel 0.05 r100"]


def test_the_ratio_of_rates_is_resampled_by_query() -> None:
    rival = method("ST", "sentence-transformers", [2, 1] * 50, [3, 3] * 50)
    same = rate_ratio(rival.counts, rival.counts, seed=3)
    assert (same.value, same.low, same.high) == (1.0, 1.0, 1.0)
    half = method("ours", "ours", [1, 0] * 50, [3, 3] * 50)
    found = rate_ratio(half.counts, rival.counts, seed=3)
    assert found.value == pytest.approx(1 / 3) and found.low < 1 / 3 < found.high
    assert crossfit_ratio([half], rival.counts, seed=3) == pytest.approx(1 / 3)


@given(st.floats(1e-4, 1e6))
def test_ticks_are_round_and_reach_the_top(top: float) -> None:
    found = ticks(top)
    assert found[0] == 0 and found[-1] >= top * (1 - 1e-9) and 2 <= len(found) <= 8
    mantissa = found[1] / 10 ** math.floor(math.log10(found[1]) + 1e-9)
    assert min(abs(mantissa - m) for m in (1, 2, 5)) < 1e-6


def test_the_plot_is_xml_with_every_point_inside_and_dark_colours() -> None:
    series = [
        Series("ours <&>", [Point(10, 0.1, "0.5"), Point(400, 0.3, "0.1")], joined=True),
        Series("theirs", [Point(0, 0.0, 'rel "0.4"')]),
    ]
    text = scatter("title", "x", "y", series)
    root = ET.fromstring(text)
    width, height = (float(value) for value in root.attrib["viewBox"].split()[2:])
    circles = root.findall("{http://www.w3.org/2000/svg}circle")
    assert len(circles) == 2 + 3
    assert all(0 < float(c.attrib["cx"]) < width for c in circles)
    assert all(0 < float(c.attrib["cy"]) < height for c in circles)
    assert "prefers-color-scheme: dark" in text
