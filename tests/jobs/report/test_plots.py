"""The plots: places by their axes, every number in the table, text of strangers escaped."""

from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from negmine.jobs.html import svg
from negmine.jobs.html.markup import Markup
from negmine.jobs.report import plots
from negmine.jobs.report.metrics import Metric, Metrics
from negmine.jobs.report.read import Density
from tests.jobs.report.a_run import TIERS, good_metrics, row

finite = st.floats(-1e6, 1e6, allow_nan=False)


def parsed(figure: Markup | None) -> ElementTree.Element:
    assert figure is not None
    return ElementTree.fromstring(figure)


def of_class(figure: ElementTree.Element, tag: str, kind: str) -> list[ElementTree.Element]:
    return [part for part in figure.iter(tag) if part.get("class") == kind]


def numbers_of(parts: list[ElementTree.Element], name: str) -> list[float]:
    return [float(part.attrib[name]) for part in parts]


@given(finite, st.floats(1e-6, 1e6), st.integers(2, 9))
def test_ticks_lie_inside_evenly_and_are_not_too_many(low: float, width: float, most: int) -> None:
    found = svg.ticks(low, low + width, most)
    assert len(found) <= most
    assert all(low - 1e-6 * width <= tick <= low + width * (1 + 1e-6) for tick in found)
    gaps = [b - a for a, b in pairwise(found)]
    assert all(gap == pytest.approx(gaps[0], rel=1e-3) for gap in gaps)


def test_the_waterfall_ends_at_the_negatives() -> None:
    verdicts = {"kept": Metric(10), "over_quota": Metric(60), "known_positive": Metric(30)}
    figure = parsed(plots.waterfall(verdicts))
    drops = of_class(figure, "rect", "drop")
    assert len(drops) == 2
    whole, kept = numbers_of(of_class(figure, "rect", "mark"), "width")
    left, width = numbers_of(drops, "x"), numbers_of(drops, "width")
    assert width == pytest.approx([0.3 * whole, 0.6 * whole], abs=0.2)
    assert left[0] + width[0] == pytest.approx(8 + whole, abs=0.2)
    assert left[1] + width[1] == pytest.approx(left[0], abs=0.2)
    assert left[1] == pytest.approx(8 + kept, abs=0.2)
    cells = ["".join(cell.itertext()) for cell in figure.iter("td")]
    assert cells[:2] == ["100", "100\u00a0%"]
    assert "Labelled a positive of the query." in cells


def test_what_policies_refused_is_drawn_on_a_scale_of_its_own() -> None:
    verdicts = {"kept": Metric(4_000), "over_quota": Metric(90_000), "hub": Metric(3)}
    verdicts |= {"known_positive": Metric(100), "suspected_positive": Metric(50)}
    figure = parsed(plots.waterfall(verdicts))
    widths = numbers_of(of_class(figure, "rect", "drop"), "width")
    assert len(widths) == 2 + 3
    assert widths[2:] == pytest.approx([384, 384 * 3 / 100, 192], abs=0.2)
    assert "refused by a policy, of 153:" in "".join(figure.itertext())


label = st.tuples(st.floats(0, 400), st.floats(0, 250), st.integers(1, 18))


@given(st.lists(label, max_size=12))
def test_no_label_lies_over_another_or_over_a_point(
    points: list[tuple[float, float, int]],
) -> None:
    labels = svg.Labels(0, 400, 0, 260)
    for x, y, _ in points:
        labels.keep_off(x, y)
    boxes = [(x - 6, y - 6, x + 6, y + 6) for x, y, _ in points]
    for x, y, letters in points:
        shown = labels.beside(x, y, "m" * letters)
        if shown is None:
            continue
        part = ElementTree.fromstring(shown)
        start, base = float(part.attrib["x"]), float(part.attrib["y"])
        wide = svg.LETTER * letters
        start -= wide if part.get("text-anchor") == "end" else 0
        box = (start, base - 12, start + wide, base + 2)
        assert start >= -0.1 and start + wide <= 400.1
        for left, top, right, bottom in boxes:
            over = min(box[2], right) - max(box[0], left), min(box[3], bottom) - max(box[1], top)
            assert min(over) <= 0.11
        boxes.append(box)


def test_a_lone_label_is_never_left_out() -> None:
    for x in range(0, 401, 20):
        assert svg.Labels(0, 400, 0, 260).beside(x, 130, "semi_hard") is not None


def test_the_histogram_has_a_bar_a_bin_and_marks_those_above_the_positive() -> None:
    rows = [
        row("ratio_histogram", n, tier="hard", bin=b) for n, b in ((4, 0.9), (2, 0.95), (1, 1.0))
    ]
    figure = parsed(plots.hardness(Metrics(rows), ["hard", "absent"]))
    below, above = of_class(figure, "rect", "mark"), of_class(figure, "rect", "drop")
    heights = numbers_of(below + above, "height")
    assert heights == pytest.approx([66, 33, 16.5])
    limit = numbers_of(of_class(figure, "line", "limit"), "x1")[0]
    assert numbers_of(above, "x")[0] == pytest.approx(limit + 0.5, abs=0.2)
    assert "hard: 7" in "".join(figure.itertext())


def test_the_leak_marks_this_run_and_draws_intervals() -> None:
    metrics = Metrics(good_metrics(100))
    figure = parsed(plots.leak(metrics, "0.5"))
    assert len(of_class(figure, "circle", "own")) == 1
    assert len(of_class(figure, "circle", "point")) == 2
    assert len(of_class(figure, "line", "range")) == 3
    assert "0.5 (this run)" in "".join(figure.itertext())
    across = numbers_of(of_class(figure, "circle", "own"), "cx")[0]
    others = numbers_of(of_class(figure, "circle", "point"), "cx")
    assert (others[0] - 52) / (across - 52) == pytest.approx(248 / 496, abs=1e-3)


def test_eci_is_drawn_by_source_with_its_interval() -> None:
    figure = parsed(plots.eci_by_source(Metrics(good_metrics(100))))
    points = numbers_of(of_class(figure, "circle", "point"), "cx")
    left = numbers_of(of_class(figure, "line", "range"), "x1")
    assert len(points) == len(left) == 4
    assert points[1] > points[0] > points[2]
    assert all(low < point for low, point in zip(left, points, strict=True))
    assert "(N = 3)" in "".join(figure.itertext())


def test_the_margin_has_a_line_at_zero_and_darker_cells_where_there_are_more() -> None:
    density = Density(0, 1, -1, 3, ((0, 0, 1), (39, 25, 16)), (("hard", 0.5, 1.0),))
    figure = parsed(plots.margin(density))
    faint, dark = numbers_of(of_class(figure, "rect", "mark"), "fill-opacity")
    assert faint < dark == 1
    low, high = numbers_of(of_class(figure, "rect", "mark"), "y")
    zero = numbers_of(of_class(figure, "line", "limit"), "y1")[0]
    middle = numbers_of(of_class(figure, "circle", "point"), "cy")[0]
    assert high < middle < zero < low


def test_plots_without_numbers_are_left_out() -> None:
    nothing = Metrics([])
    assert plots.waterfall({}) is None
    assert plots.hardness(nothing, TIERS) is None
    assert plots.leak(nothing, None) is None
    assert plots.eci_by_source(nothing) is None


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "</svg><b>", "\u202e" * 90, ""])
def test_names_of_strangers_are_text(name: str) -> None:
    rows = [
        row("ratio_histogram", 3, tier=name, bin=0.5),
        row("eci_equal_n", 0.5, 0.1, source=name),
        row("leak", 0.1, key=name),
        row("leak_hard", 5, key=name),
    ]
    metrics = Metrics(rows)
    figures = [
        plots.waterfall({name: Metric(3)}),
        plots.hardness(metrics, [name]),
        plots.leak(metrics, name),
        plots.eci_by_source(metrics),
        plots.margin(Density(0, 1, 0, 1, (), ((name, 0.5, 0.5),))),
    ]
    for figure in figures:
        tags = {part.tag for part in parsed(figure).iter()}
        assert not tags & {"script", "b"}
