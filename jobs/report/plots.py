"""The plots of the report, each with a sentence on how to read it and its numbers as a table."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from negmine.jobs.html import svg
from negmine.jobs.html.markup import Markup, element, table
from negmine.jobs.report import numbers
from negmine.jobs.report.metrics import Metric, Metrics
from negmine.jobs.report.read import Density, RunData
from negmine.jobs.report.settings import own_key, share
from negmine.schemas.verdicts import MEANINGS, NOT_NEEDED, Verdict

_BIN = 0.05
_LEFT, _RIGHT = 8, svg.WIDTH - 8
_BAR = 32
_BELOW = " Below, what each policy refused, on a scale of its own."


def plots(run: RunData, tiers: Sequence[str]) -> list[Markup]:
    """Every plot that the run has the numbers for."""
    density = run.density()
    drawn = [
        waterfall(run.metrics.by_key("verdict")),
        hardness(run.metrics, tiers),
        margin(density) if density else None,
        leak(run.metrics, own_key(run.manifest, run.metrics.by_key("leak"))),
        eci_by_source(run.metrics),
    ]
    return [plot for plot in drawn if plot is not None]


def _figure(title: str, reading: str, drawn: Markup, figures: Markup) -> Markup:
    return element(
        "figure",
        element("h3", title),
        element("figcaption", reading),
        drawn,
        element("details", element("summary", "The numbers"), figures),
    )


def waterfall(verdicts: dict[str, Metric]) -> Markup | None:
    """From all candidates down to the negatives, one step a verdict."""
    if not verdicts:
        return None
    total = sum(metric.value for metric in verdicts.values())
    order = [str(verdict) for verdict in Verdict if verdict in verdicts]
    order += sorted(set(verdicts) - set(order))
    order = [name for name in order if name != Verdict.KEPT]
    refused = {name: verdicts[name].value for name in order if name not in NOT_NEEDED}
    taken = {name: verdicts[name].value for name in order if name in NOT_NEEDED}
    dropped = {"refused by a policy": sum(refused.values())} if refused else {}
    kept = verdicts[Verdict.KEPT].value if Verdict.KEPT in verdicts else 0.0
    steps = [_Step("candidates", total, 0.0, "mark")]
    left = total
    for name, value in {**dropped, **taken}.items():
        left -= value
        steps.append(_Step(f"− {name}", value, left, "drop"))
    steps.append(_Step("negatives", kept, 0.0, "mark"))
    parts = _bars(steps, total, total, 0)
    if len(refused) > 1:
        # These are a small part as a rule: on the scale of the whole they could not be told apart.
        most, top = max(refused.values()), _BAR * len(steps) + 26
        head = f"refused by a policy, of {numbers.count(dropped['refused by a policy'])}:"
        parts += [svg.text(_LEFT, top - 2, head, "soft")]
        small = [_Step(name, value, 0.0, "drop") for name, value in refused.items()]
        parts += _bars(small, most, total, top + 6)
    height = _BAR * len(steps) + (_BAR * len(refused) + 32 if len(refused) > 1 else 0)
    rows = [
        [name, numbers.count(value), _share(value, total), MEANINGS.get(name, "")]
        for name, value in [("candidates", total), *((n, verdicts[n].value) for n in order)]
    ]
    rows.append(["negatives", numbers.count(kept), _share(kept, total), MEANINGS[Verdict.KEPT]])
    return _figure(
        "From candidates to negatives",
        "Every candidate ends with one verdict. Each bar takes away what was dropped; what is left "
        f"are the negatives.{_BELOW if len(refused) > 1 else ''}",
        svg.drawing(height, "Candidates by verdict", parts),
        table("Candidates by verdict", ["verdict", "candidates", "share", "meaning"], rows),
    )


class _Step(NamedTuple):
    """A bar of `value` candidates, drawn from `low` on."""

    name: str
    value: float
    low: float
    kind: str


def _bars(steps: Sequence[_Step], scale: float, total: float, start: float) -> list[Markup]:
    """A named bar each, `scale` candidates wide in all; shares are of `total`."""
    x = svg.scale(0, scale, _LEFT, _RIGHT)
    parts = []
    for row, (name, value, low, kind) in enumerate(steps):
        top = start + _BAR * row
        shown = f"{numbers.count(value)} ({_share(value, total)})"
        room = svg.WIDTH - 24 - svg.LETTER * len(shown)
        parts.append(svg.text(_LEFT, top + 13, svg.shortened(name, room)))
        parts.append(svg.text(_RIGHT, top + 13, shown, "soft", "end"))
        parts.append(svg.box("track", _LEFT, top + 18, _RIGHT - _LEFT, 7))
        wide = max(x(low + value) - x(low), 2)
        parts.append(svg.box(kind, min(x(low), _RIGHT - 2), top + 18, wide, 7))
    return parts


def _share(value: float, total: float) -> str:
    return numbers.percent(value / total if total else 0)


def hardness(metrics: Metrics, tiers: Sequence[str]) -> Markup | None:
    """Histogram of s-/s+, one row of bars a tier."""
    found = {tier: metrics.by_bin("ratio_histogram", tier) for tier in tiers}
    found = {tier: bins for tier, bins in found.items() if bins}
    if not found:
        return None
    edges = sorted({edge for bins in found.values() for edge in bins})
    low, high = min(0.0, edges[0]), max(1.1, edges[-1] + _BIN)
    x = svg.scale(low, high, _LEFT, _RIGHT)
    step, tall = 96, 66
    base = step * len(found)
    parts = svg.across(
        x, svg.ticks(low, high, 8), 24, base, "s-/s+: similarity, relative to the positive's"
    )
    for row, (tier, bins) in enumerate(found.items()):
        floor = step * (row + 1)
        most = max(metric.value for metric in bins.values()) or 1
        total = sum(metric.value for metric in bins.values())
        for edge, metric in bins.items():
            height = metric.value / most * tall
            kind = "drop" if edge >= 1 - 1e-9 else "mark"
            width = x(edge + _BIN) - x(edge) - 1
            parts.append(svg.box(kind, x(edge) + 0.5, floor - height, width, height))
        parts.append(svg.line("axis", _LEFT, floor, _RIGHT, floor))
        name = f"{tier}: {numbers.count(total)}"
        parts.append(svg.text(_LEFT, floor - tall - 8, svg.shortened(name, 250)))
    parts.append(svg.line("limit", x(1), 14, x(1), base))
    parts.append(svg.text(x(1), 10, "the positive", "soft", "middle"))
    rows = [
        [
            f"{edge:.2f}",
            *(numbers.count(bins[edge].value) if edge in bins else "0" for bins in found.values()),
        ]
        for edge in edges
    ]
    return _figure(
        "How hard: similarity by tier",
        "Right is harder. Bars past the line are nearer to the query than its positive is: "
        "the hardest negatives, and where unlabelled positives hide.",
        svg.drawing(base + 40, "Histogram of similarity relative to the positive, by tier", parts),
        table("Negatives by s-/s+ (lower edge of the bin)", ["s-/s+", *found], rows),
    )


def margin(density: Density) -> Markup:
    """Judge margin against student similarity: how many negatives in each cell."""
    left, top, base = 40, 10, 290
    x = svg.scale(density.left, density.right, left, _RIGHT)
    y = svg.scale(density.bottom, density.top, base, top)
    wide, tall = (_RIGHT - left) / density.columns, (base - top) / density.rows
    most = max((count for *_, count in density.cells), default=1)
    at = svg.ticks(density.left, density.right)
    parts = svg.across(x, at, top, base, "student: similarity to the query (harder →)")
    for tick in svg.ticks(density.bottom, density.top):
        parts.append(svg.line("grid", left, y(tick), _RIGHT, y(tick)))
        parts.append(svg.text(left - 5, y(tick) + 4, svg.label(tick), "soft", "end"))
    for column, row, count in density.cells:
        cell = (left + column * wide, base - (row + 1) * tall, wide, tall)
        opacity = f"{0.18 + 0.82 * (count / most) ** 0.5:.2f}"
        parts.append(svg.box("mark", *cell, fill_opacity=opacity))
    parts.append(svg.line("limit", left, y(0), _RIGHT, y(0)))
    labels = svg.Labels(left, svg.WIDTH, 0, base + 6)
    places = [(tier, x(similarity), y(value)) for tier, similarity, value in density.means]
    for _, right, up in places:
        parts.append(svg.dot("point", right, up, 5))
        labels.keep_off(right, up)
    named = (labels.beside(right, up, svg.shortened(tier, 110)) for tier, right, up in places)
    parts += [label for label in named if label is not None]
    rows = [[tier, numbers.score(s), numbers.score(m)] for tier, s, m in density.means]
    return _figure(
        "How hard against how safe",
        "Upwards is safer: the judge's score of the positive minus that of the negative. Below "
        "the line the judge prefers the negative. Darker cells hold more negatives; dots are the "
        "tiers' medians.",
        svg.drawing(base + 40, "Judge margin against student similarity of the negatives", parts),
        table("Medians by tier", ["tier", "student similarity", "judge margin"], rows),
    )


def leak(metrics: Metrics, own: str | None) -> Markup | None:
    """Leak against hard negatives, a point for each setting of the judge's threshold."""
    leaks, hard = metrics.by_key("leak"), metrics.by_key("leak_hard")
    keys = sorted(
        (k for k in leaks if k in hard), key=lambda k: (share(k) is None, share(k) or 0, k)
    )
    if not keys:
        return None
    left, top, base = 52, 10, 250
    most = max([leaks[k].high or leaks[k].value for k in keys] + [1e-3])
    widest = max([hard[k].value for k in keys] + [1.0])
    x = svg.scale(0, widest * 1.06, left, _RIGHT)
    y = svg.scale(0, most, base, top)
    parts = svg.across(
        x, svg.ticks(0, widest, 5), top, base, "hard negatives left (s-/s+ of 0.8 or more)"
    )
    for tick in svg.ticks(0, most, 5):
        parts.append(svg.line("grid", left, y(tick), _RIGHT, y(tick)))
        parts.append(svg.text(left - 5, y(tick) + 4, f"{100 * tick:g} %", "soft", "end"))
    marks = [(x(hard[k].value), y(leaks[k].value)) for k in keys]
    steps = pairwise(marks)
    parts += [svg.line("link", *first, *second) for first, second in steps]
    labels = svg.Labels(left, svg.WIDTH, 0, base + 6)
    for key, (across, up) in zip(keys, marks, strict=True):
        metric = leaks[key]
        if metric.low is not None and metric.high is not None:
            parts.append(svg.line("range", across, y(metric.low), across, y(metric.high)))
        parts.append(svg.dot("own" if key == own else "point", across, up, 6 if key == own else 4))
        labels.keep_off(across, up)
    # The run's own first: where there is no room for all, its label stays.
    for key, place in sorted(zip(keys, marks, strict=True), key=lambda entry: entry[0] != own):
        shown = f"{key} (this run)" if key == own else key
        label = labels.beside(*place, svg.shortened(shown, 150))
        parts += [label] if label is not None else []
    rows = [
        [k, numbers.with_interval(leaks[k], numbers.percent), numbers.count(hard[k].value)]
        for k in keys
    ]
    return _figure(
        "What safety costs",
        "Known positives were hidden and the choice made again. Lower: fewer of them taken for "
        "negatives (the leak). Further right: more hard negatives left. Labels are positives_above "
        "of the judge's threshold; lines are 95 % intervals.",
        svg.drawing(base + 40, "Leak against hard negatives, by positives_above", parts),
        table("Leak and hard negatives", ["positives_above", "leak", "hard negatives"], rows),
    )


def eci_by_source(metrics: Metrics) -> Markup | None:
    """ECI of each source at the same N, with its interval."""
    found = metrics.by_source("eci_equal_n")
    overall = metrics.get("eci_equal_n")
    entries = [*found.items(), *([("all sources", overall)] if overall else [])]
    if not found:
        return None
    values = [v for _, m in entries for v in (m.value, m.low, m.high) if v is not None]
    low, high = 0.0, max([*values, 1e-3]) * 1.05
    x = svg.scale(low, high, _LEFT + 4, _RIGHT)
    base = 40 * len(entries) + 6
    parts = svg.across(x, svg.ticks(low, high), 0, base, "ECI")
    for row, (name, metric) in enumerate(entries):
        top = 40 * row
        shown = numbers.with_interval(metric, numbers.score)
        parts.append(svg.text(_LEFT + 4, top + 15, svg.shortened(name, 190), "halo"))
        parts.append(svg.text(_RIGHT, top + 15, shown, "halo", "end"))
        if metric.low is not None and metric.high is not None:
            parts.append(svg.line("range", x(metric.low), top + 28, x(metric.high), top + 28))
        parts.append(svg.dot("point", x(metric.value), top + 28, 5))
    size = metrics.get("equal_n")
    at = f" (N = {numbers.count(size.value)})" if size else ""
    forms = {"signal": numbers.score, "safety": numbers.score, "size": numbers.count}
    rows = []
    for name, metric in entries:
        parts_of = [metrics.get(m, source=name if name in found else None) for m in forms]
        cells = [numbers.with_interval(m, f) for m, f in zip(parts_of, forms.values(), strict=True)]
        rows.append([name, numbers.with_interval(metric, numbers.score), *cells])
    return _figure(
        "ECI by source",
        f"ECI joins hardness and safety under the student. It grows with the number of negatives, "
        f"so all are compared at the same number{at}. It cannot see false negatives that the "
        "student cannot see: never read it alone.",
        svg.drawing(base + 40, "ECI by source at equal N", parts),
        table("ECI by source", ["source", "ECI at equal N", "S", "Δ", "N"], rows),
    )
