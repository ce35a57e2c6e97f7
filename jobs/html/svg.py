"""Parts of a drawing: scales, ticks, lines and labels, 400 units wide so that a phone reads it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from negmine.jobs.html.markup import Markup, element

WIDTH = 400
LETTER = 7.3
_SLACK = Fraction(1, 10**9)
"""Of a step: 0.1 as a float is above a tenth, and a tick of it all the same."""
Scale = Callable[[float], float]


def scale(low: float, high: float, start: float, end: float) -> Scale:
    """Maps [low, high] onto [start, end]; an empty range maps onto `start`."""
    width = (high - low) or 1.0
    return lambda value: start + (value - low) / width * (end - start)


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten inside [low, high], at most `most` of them."""
    span = high - low
    if not span > 0 or not math.isfinite(span):
        return [low]
    power = Fraction(10) ** math.floor(math.log10(span / most))
    for factor in (1, 2, 5, 10, 20):
        step = power * factor
        first = math.ceil(Fraction(low) / step - _SLACK)
        last = math.floor(Fraction(high) / step + _SLACK)
        if last - first + 1 <= most:
            break
    return [min(max(float(number * step), low), high) for number in range(first, last + 1)]


def label(tick: float) -> str:
    """A tick as text: `0.25`, `1,000`."""
    return f"{tick:,.6g}" if abs(tick) > 1e-12 else "0"


def line(kind: str, x1: float, y1: float, x2: float, y2: float) -> Markup:
    """A straight line of class `kind`."""
    return element("line", class_=kind, x1=_at(x1), y1=_at(y1), x2=_at(x2), y2=_at(y2))


def box(kind: str, x: float, y: float, width: float, height: float, **more: object) -> Markup:
    """A rectangle of class `kind`; a negative size is none."""
    size = {"width": _at(max(width, 0)), "height": _at(max(height, 0))}
    return element("rect", class_=kind, x=_at(x), y=_at(y), **size, **more)


def dot(kind: str, x: float, y: float, radius: float = 4) -> Markup:
    """A filled circle."""
    return element("circle", class_=kind, cx=_at(x), cy=_at(y), r=radius)


def text(x: float, y: float, shown: str, kind: str = "ink", anchor: str | None = None) -> Markup:
    """A label; `anchor` is middle or end, None for start."""
    return element("text", shown, class_=kind, x=_at(x), y=_at(y), text_anchor=anchor)


@dataclass
class Labels:
    """Labels of points, none of which lies over another; those without any room are left out.

    Attributes:
        left, right, top, base: where they may lie.
    """

    left: float
    right: float
    top: float
    base: float
    _taken: list[tuple[float, float, float, float]] = field(default_factory=list)

    def keep_off(self, x: float, y: float, radius: float = 6) -> None:
        """Keep labels off a point."""
        self._taken.append((x - radius, y - radius, x + radius, y + radius))

    def beside(self, x: float, y: float, shown: str, away: float = 9) -> Markup | None:
        """A label right or left of a point, as near to its height as there is room."""
        wide = LETTER * len(shown)
        for shift in (0, -14, 14, -28, 28, -42, 42, -56, 56):
            for start, anchor in ((x + away, None), (x - away, "end")):
                low = start if anchor is None else start - wide
                box_ = (low, y + shift - 8, low + wide, y + shift + 6)
                if self._free(box_):
                    self._taken.append(box_)
                    return text(start, y + shift + 4, shown, "halo", anchor)
        return None

    def _free(self, box_: tuple[float, float, float, float]) -> bool:
        left, top, right, base = box_
        if left < self.left or right > self.right or top < self.top or base > self.base:
            return False
        return not any(
            left < x2 and x1 < right and top < y2 and y1 < base for x1, y1, x2, y2 in self._taken
        )


def across(x: Scale, at: Sequence[float], top: float, base: float, title: str) -> list[Markup]:
    """Grid lines, tick labels and title of a horizontal axis whose ticks are `at`."""
    parts = [line("grid", x(tick), top, x(tick), base) for tick in at]
    parts += [text(x(tick), base + 15, label(tick), "soft", "middle") for tick in at]
    return [*parts, text(WIDTH / 2, base + 33, title, "soft", "middle")]


def drawing(height: float, name: str, parts: Sequence[object]) -> Markup:
    """The parts as one image with a name for those who cannot see it."""
    return element(
        "svg",
        list(parts),
        viewBox=f"0 0 {WIDTH} {_at(height)}",
        role="img",
        aria_label=name,
    )


def file(width: int, height: int, name: str, style: str, parts: Sequence[object]) -> str:
    """A drawing that is a file of its own, with its style sheet and a sheet of class `sheet`."""
    sheet = box("sheet", 0, 0, width, height)
    image = element(
        "svg",
        element("style", Markup(style)),
        sheet,
        list(parts),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        role="img",
        aria_label=name,
    )
    return f"{image}\n"


def shortened(shown: str, room: float) -> str:
    """A name cut to what fits `room` units."""
    letters = int(room / LETTER)
    return shown if len(shown) <= letters else shown[: max(letters - 1, 1)] + "…"


def _at(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
