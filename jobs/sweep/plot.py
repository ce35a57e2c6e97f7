"""What `negmine sweep` shows: its table, and hard negatives against the leak as SVG."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml
from rich.table import Table
from rich.text import Text

from negmine.jobs.html import svg as drawing
from negmine.jobs.html.markup import element
from negmine.jobs.terminal import printable
from negmine.schemas import JsonObject
from negmine.schemas.errors import DataError
from negmine.transforms import storage
from negmine.transforms.storage.atomic import write_text

_HEADINGS = {
    "dropped": "dropped",
    "tiers": "",
    "backfilled": "backfill",
    "shortfall": "short",
    "unjudged": "unjudged",
    "hard_negatives": "s-/s+≥.8",
    "mean_ratio": "s-/s+",
    "signal": "S",
    "safety": "Δ",
    "harmonic_mean": "mean",
    "negatives": "N",
    "expected_gain": "gain",
    "eci": "ECI",
    "leak": "leak",
}
_WIDTH, _HEIGHT = 720, 440
_LEFT, _RIGHT, _TOP, _BOTTOM = 72, 32, 48, 56
_LETTER, _LINE = 6.6, 13.0
_STYLE = """
  .sheet { fill: #ffffff } .ink { fill: #1f2328 } .soft { fill: #59636e }
  .grid { stroke: #d1d9e0 } .mark { fill: #0969da } .range { stroke: #0969da }
  .range { stroke-opacity: .45; stroke-width: 2 }
  text { font: 12px system-ui, sans-serif } .title { font-size: 14px; font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    .sheet { fill: #0d1117 } .ink { fill: #f0f6fc } .soft { fill: #9198a1 }
    .grid { stroke: #3d444d } .mark { fill: #4493f8 } .range { stroke: #4493f8 }
  }
"""


def _names(rows: Sequence[JsonObject]) -> dict[str, str]:
    """What each setting is called: its last word, its whole name where two end alike."""
    keys = list(rows[0]["settings"])
    last = [key.rpartition(".")[2] for key in keys]
    return {k: n if last.count(n) == 1 else k for k, n in zip(keys, last, strict=True)}


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    text = value if isinstance(value, str) else yaml.safe_dump(value, default_flow_style=True)
    return printable(text.removesuffix("\n").removesuffix("\n..."))


def title(rows: Sequence[JsonObject]) -> str:
    """The settings that vary, in words."""
    return printable(" x ".join(rows[0]["settings"]))


def sweep_table(rows: Sequence[JsonObject]) -> Table:
    """The rows of `jobs.sweep.run.sweep` as a table for a terminal."""
    table = Table(title=Text(title(rows)), title_justify="left", box=None, padding=(0, 1, 0, 0))
    cells = [list(_cells(row, rows)) for row in rows]
    for heading, _ in cells[0]:
        table.add_column(Text(heading), justify="right", no_wrap=True)
    for row in cells:
        table.add_row(*(Text(cell) for _, cell in row))
    return table


def _cells(row: JsonObject, rows: Sequence[JsonObject]) -> Iterator[tuple[str, str]]:
    """Headings and cells of a row; figures that no row has are left out."""
    names = _names(rows)
    yield from ((names[key], _value(value)) for key, value in row["settings"].items())
    for name, heading in _HEADINGS.items():
        if name == "tiers":
            yield from ((tier, f"{count:,}") for tier, count in row["tiers"].items())
        elif name == "dropped" and row[name] is None:
            continue
        elif name != "unjudged" or any(other[name] for other in rows):
            yield heading, _figure(name, row[name])
    interval = [row["leak_low"], row["leak_high"]]
    yield "95 %", "-" if None in interval else "{:.4f}-{:.4f}".format(*interval)


def _figure(name: str, value: object) -> str:
    if value is None:
        return "-"
    if not isinstance(value, float):
        return f"{value:,}"
    return f"{value:g}" if name == "negatives" else f"{value:.{4 if name == 'leak' else 3}f}"


def notes(rows: Sequence[JsonObject]) -> list[str]:
    """What must be known to read the rows."""
    hidden, queries = rows[0]["hidden"], rows[0]["hidden_queries"]
    if hidden:
        told = [
            f"leak: share of {hidden:,} hidden positives that were taken for negatives, in "
            f"{queries:,} queries that have two known positives or more"
        ]
    else:
        told = ["leak: no query has two known positives, so none could be hidden"]
    unjudged = max(row["unjudged"] for row in rows)
    if unjudged:
        told.append(
            f"up to {unjudged:,} chosen negatives have no judge score: they passed the judge's "
            "policies untested, and mining with that setting would judge them"
        )
    return told


def write_plot(path: Path, rows: Sequence[JsonObject]) -> None:
    """Write `svg(rows)` to a file. Raises DataError without a leak, StorageError on the disk."""
    if not rows[0]["hidden"]:
        raise DataError(
            "--plot: the leak cannot be measured, because no query has two known positives; "
            "leave --plot out"
        )
    write_text(storage.local_path(path), svg(rows), "the plot ", "Name another file")


def svg(rows: Sequence[JsonObject]) -> str:
    """Hard negatives across, leak with its 95 % interval upwards, each point with its values."""
    across = _ticks([row["hard_negatives"] for row in rows], least=1.0)
    up = _ticks([row["leak_high"] for row in rows], least=1e-3)
    right, base = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    x = drawing.scale(0, across[-1], _LEFT, right)
    y = drawing.scale(0, up[-1], base, _TOP)
    middle, height = (_LEFT + right) / 2, (base + _TOP) / 2
    parts = [drawing.text(_LEFT, 26, title(rows), "ink title")]
    for tick in across:
        parts.append(drawing.line("grid", x(tick), base, x(tick), _TOP))
        parts.append(drawing.text(x(tick), base + 18, drawing.label(tick), "soft", "middle"))
    for tick in up:
        parts.append(drawing.line("grid", _LEFT, y(tick), right, y(tick)))
        parts.append(drawing.text(_LEFT - 8, y(tick) + 4, drawing.label(tick), "soft", "end"))
    below = "hard negatives (s-/s+ at least 0.8)"
    parts.append(drawing.text(middle, _HEIGHT - 14, below, "ink", "middle"))
    beside = drawing.text(
        18, height, "leak: hidden positives taken, 95 % interval", "ink", "middle"
    )
    parts.append(element("g", beside, transform=f"rotate(-90 18 {height:g})"))
    marks = [(x(row["hard_negatives"]), y(row["leak"])) for row in rows]
    for row, (at, point) in zip(rows, marks, strict=True):
        parts.append(drawing.line("range", at, y(row["leak_low"]), at, y(row["leak_high"])))
        parts.append(drawing.dot("mark", at, point))
    texts = [", ".join(map(_value, row["settings"].values())) for row in rows]
    for text, (at, place, anchor) in zip(texts, _places(texts, marks), strict=True):
        parts.append(drawing.text(at, place, text, "ink", anchor))
    return drawing.file(_WIDTH, _HEIGHT, title(rows), _STYLE, parts)


def _ticks(values: Sequence[float], least: float) -> list[float]:
    """Ticks from 0 to the first at or beyond all values, which are drawn up to `least`."""
    high = max(*values, least)
    found = drawing.ticks(0.0, high)
    step = found[1] - found[0]
    return found if found[-1] >= high - step * 1e-9 else [*found, found[-1] + step]


def _places(
    texts: Sequence[str], marks: Sequence[tuple[float, float]]
) -> list[tuple[float, float, str]]:
    """Where each label goes: beside its point, clear of points and labels where there is room."""
    taken = [(x - 5, y - 5, x + 5, y + 5) for x, y in marks]
    places = []
    for text, (x, y) in zip(texts, marks, strict=True):
        width = _LETTER * len(text)
        options = [
            (at, y + 4 + _LINE * row, anchor)
            for row in (0, -1, 1, -2, 2, -3, 3)
            for at, anchor in ((x + 8, "start"), (x - 8, "end"))
        ]
        boxes = [_box(option, width) for option in options]
        free = (n for n, box in enumerate(boxes) if _inside(box) and not _hits(box, taken))
        chosen = next(free, 0)
        taken.append(boxes[chosen])
        places.append(options[chosen])
    return places


_Box = tuple[float, float, float, float]


def _box(place: tuple[float, float, str], width: float) -> _Box:
    x, y, anchor = place
    left = x if anchor == "start" else x - width
    return left, y - _LINE + 3, left + width, y + 3


def _inside(box: _Box) -> bool:
    return box[0] >= _LEFT and box[2] <= _WIDTH and box[1] >= _TOP - 16 and box[3] <= _HEIGHT - 40


def _hits(box: _Box, others: Sequence[_Box]) -> bool:
    return any(
        box[0] < right and left < box[2] and box[1] < bottom and top < box[3]
        for left, top, right, bottom in others
    )
