"""A small SVG scatter plot: hard negatives against false negatives per negative."""

import math
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

_WIDTH, _HEIGHT = 860, 560
_LEFT, _RIGHT, _TOP, _BOTTOM = 76, 24, 76, 60
_STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #333 }
  .title { font-size: 15px; font-weight: 600 }
  .axis { stroke: #888 } .grid { stroke: #ddd }
  .s0 { fill: #0b6e4f; stroke: #0b6e4f } .s1 { fill: #c2410c; stroke: #c2410c }
  .s2 { fill: #6b7280; stroke: #6b7280 } .line { fill: none; stroke-width: 2 }
  .paper { fill: #fff }
  @media (prefers-color-scheme: dark) {
    text { fill: #ddd } .axis { stroke: #888 } .grid { stroke: #3a3a3a } .paper { fill: #161616 }
    .s0 { fill: #4ade80; stroke: #4ade80 } .s1 { fill: #fb923c; stroke: #fb923c }
    .s2 { fill: #9ca3af; stroke: #9ca3af }
  }
"""


class Point(NamedTuple):
    """A labelled point."""

    x: float
    y: float
    label: str


class Series(NamedTuple):
    """Points under one name, joined in the order given where `joined`."""

    name: str
    points: Sequence[Point]
    joined: bool = False


def ticks(top: float, count: int = 6) -> list[float]:
    """Round numbers from 0 to at least `top`."""
    if top <= 0:
        return [0.0, 1.0]
    step = _round_step(top / count)
    return [at * step for at in range(math.ceil(top / step - 1e-9) + 1)]


def _round_step(rough: float) -> float:
    magnitude = 1.0
    while magnitude > rough:
        magnitude /= 10
    while magnitude * 10 <= rough:
        magnitude *= 10
    return next(magnitude * m for m in (1, 2, 5, 10) if magnitude * m >= rough)


def _text(x: float, y: float, label: str, extra: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {extra}>{escape(label)}</text>'


class _Labels:
    """Places labels beside their points, at the first place that overlaps no earlier one.

    A label that fits nowhere near is left out; it still shows under the pointer.
    """

    def __init__(self, marks: Sequence[tuple[float, float]]) -> None:
        self.taken = [(x - 5, y - 5, x + 5, y + 5) for x, y in marks]

    def place(self, x: float, y: float, label: str) -> str:
        width = 6.4 * len(label)
        for distance in (9, 22, 36):
            for left, top in (
                (x + distance, y - 6),
                (x - distance - width, y - 6),
                (x - width / 2, y - distance - 12),
                (x - width / 2, y + distance),
                (x + distance * 0.8, y - distance - 8),
                (x + distance * 0.8, y + distance - 4),
            ):
                box = (left, top, left + width, top + 12)
                if self._free(box):
                    self.taken.append(box)
                    return _text(left, top + 10, label)
        return ""

    def _free(self, box: tuple[float, float, float, float]) -> bool:
        left, top, right, bottom = box
        if left < _LEFT or right > _WIDTH - 2 or top < _TOP or bottom > _HEIGHT - _BOTTOM:
            return False
        return not any(
            left < other[2] and other[0] < right and top < other[3] and other[1] < bottom
            for other in self.taken
        )


def scatter(title: str, x_name: str, y_name: str, series: Sequence[Series]) -> str:
    """The plot as an SVG document, legible on light and dark pages; both axes start at 0."""
    points = [point for one in series for point in one.points]
    xs = ticks(max((p.x for p in points), default=1.0))
    ys = ticks(max((p.y for p in points), default=1.0))
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM

    def at(point: Point) -> tuple[float, float]:
        across = _LEFT + (right - _LEFT) * point.x / xs[-1]
        return across, bottom - (bottom - _TOP) * point.y / ys[-1]

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style>",
        f'<rect class="paper" width="{_WIDTH}" height="{_HEIGHT}"/>',
        _text(_LEFT, 26, title, 'class="title"'),
    ]
    for value in xs:
        x, _ = at(Point(value, 0, ""))
        out.append(f'<path class="grid" d="M{x:.1f} {_TOP}V{bottom}"/>')
        out.append(_text(x, bottom + 18, f"{value:,.10g}", 'text-anchor="middle"'))
    for value in ys:
        _, y = at(Point(0, value, ""))
        out.append(f'<path class="grid" d="M{_LEFT} {y:.1f}H{right}"/>')
        out.append(_text(_LEFT - 8, y + 4, f"{value:.10g}", 'text-anchor="end"'))
    out.append(f'<path class="axis" fill="none" d="M{_LEFT} {_TOP}V{bottom}H{right}"/>')
    out.append(_text((_LEFT + right) / 2, _HEIGHT - 16, x_name, 'text-anchor="middle"'))
    turned = f'text-anchor="middle" transform="rotate(-90 18 {(_TOP + bottom) / 2})"'
    out.append(_text(18, (_TOP + bottom) / 2, y_name, turned))
    labels = _Labels([at(point) for point in points])
    legend = float(_LEFT)
    for number, one in enumerate(series):
        style = f"s{number % 3}"
        out.append(f'<circle class="{style}" cx="{legend + 5:.1f}" cy="48" r="4"/>')
        out.append(_text(legend + 15, 52, one.name))
        legend += 40 + 6.6 * len(one.name)
        if one.joined and len(one.points) > 1:
            path = "L".join(f"{x:.1f} {y:.1f}" for x, y in map(at, one.points))
            out.append(f'<path class="{style} line" style="fill:none" d="M{path}"/>')
        for point in one.points:
            x, y = at(point)
            mark = f'<circle class="{style}" cx="{x:.1f}" cy="{y:.1f}" r="4">'
            out.append(f"{mark}<title>{escape(point.label)}</title></circle>")
            out.append(labels.place(x, y, point.label))
    return "\n".join([*out, "</svg>"]) + "\n"
