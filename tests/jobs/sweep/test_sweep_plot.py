"""The plot of `negmine sweep`: axes, labels, and text of strangers."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from negmine.jobs.sweep.plot import svg, write_plot
from negmine.schemas.errors import StorageError

SVG = "{http://www.w3.org/2000/svg}"


def a_row(value: Any, hard: int, leak: float) -> dict[str, Any]:
    interval = {"leak": leak, "leak_low": leak * 0.5, "leak_high": leak * 2}
    return {"settings": {"a.b": value}, "hidden": 100, "hard_negatives": hard, **interval}


def test_the_plot_places_points_by_their_axes() -> None:
    drawn = ElementTree.fromstring(svg([a_row(1, 0, 0.0), a_row(2, 500, 0.1), a_row(3, 1000, 0.2)]))
    points = [
        [float(mark.attrib[at]) for at in ("cx", "cy")] for mark in drawn.iter(SVG + "circle")
    ]
    ticks = [text for text in drawn.iter(SVG + "text") if text.attrib["class"] == "soft"]
    across = {t.text: float(t.attrib["x"]) for t in ticks if t.attrib["text-anchor"] == "middle"}
    up = {t.text: float(t.attrib["y"]) - 4 for t in ticks if t.attrib["text-anchor"] == "end"}
    assert [x for x, _ in points] == pytest.approx([across["0"], *_mean(across, points)], abs=0.2)
    assert points[1][1] == pytest.approx(up["0.1"], abs=0.2)
    assert points[2] == pytest.approx([across["1,000"], up["0.2"]], abs=0.2)


def _mean(across: dict[str | None, float], points: list[list[float]]) -> list[float]:
    return [(across["0"] + across["1,000"]) / 2, points[2][0]]


def test_the_plot_labels_every_point_and_no_label_hides_another() -> None:
    drawn = ElementTree.fromstring(svg([a_row(value, 100, 0.1) for value in (0.5, 0.6, 0.7, 0.8)]))
    labels = [t for t in drawn.iter(SVG + "text") if t.text in {"0.5", "0.6", "0.7", "0.8"}]
    labels = [label for label in labels if label.attrib["class"] == "ink"]
    assert len({(t.attrib["x"], t.attrib["y"]) for t in labels}) == len(labels) == 4


def test_the_plot_escapes_text_and_has_a_dark_scheme() -> None:
    row = a_row("<b>&\x1b", 3, 0.1)
    row["settings"] = {'<script>"&.x': "<b>&\x1b"}
    text = svg([row])
    shown = [t.text for t in ElementTree.fromstring(text).iter(SVG + "text")]
    assert '<script>"&.x' in shown
    assert "<b>&\\x1b" in shown
    assert "<script" not in text
    assert "prefers-color-scheme: dark" in text


@pytest.mark.parametrize("leak", [0.0, 1e-5, 1.0])
def test_the_plot_has_two_to_eight_ticks_an_axis(leak: float) -> None:
    rows = [{**a_row(1, 7, leak), "leak_high": max(leak, 0.0)}]
    ticks = list(ElementTree.fromstring(svg(rows)).iter(SVG + "text"))
    for anchor in ("middle", "end"):
        found = [t for t in ticks if t.attrib["class"] == "soft"]
        assert 2 <= sum(t.attrib["text-anchor"] == anchor for t in found) <= 8


def test_a_plot_that_cannot_be_written_is_told() -> None:
    with pytest.raises(StorageError, match="cannot write the plot"):
        write_plot(Path(__file__) / "leak.svg", [a_row(1, 3, 0.1)])
