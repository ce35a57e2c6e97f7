"""Numbers as the report writes them."""

from collections.abc import Callable

from negmine.jobs.report.metrics import Metric
from negmine.transforms.pairs.hold_out import wilson

_FEW = 100

Format = Callable[[float], str]


def count(value: float) -> str:
    """A count: `6,456`; halves stay, as in a median of `7.5`."""
    return f"{value:,.12g}"


def score(value: float) -> str:
    """A similarity or another small number: `0.308`, `12.4`."""
    return f"{value:.3f}" if abs(value) < 10 else f"{value:,.1f}"


def percent(share: float) -> str:
    """A share: `26 %`, `3.1 %`, `0.04 %`, with a space that no line breaks at."""
    value = 100 * share
    if value in (0, 100):
        return f"{value:.0f}\u00a0%"
    if abs(value) < 0.1:
        return f"{value:.1g}\u00a0%" if abs(value) >= 1e-3 else "under 0.001\u00a0%"
    return f"{value:.1f}\u00a0%"


def interval(metric: Metric, form: Format) -> str:
    """`[0.303, 0.313]`, or nothing where the metric has no interval."""
    if metric.low is None or metric.high is None:
        return ""
    return f"[{form(metric.low)}, {form(metric.high)}]"


def with_interval(metric: Metric | None, form: Format) -> str:
    """Value and interval; `-` where it was not measured."""
    if metric is None:
        return "-"
    return f"{form(metric.value)} {interval(metric, form)}".strip()


def proportion(metric: Metric) -> Metric:
    """A share of `over` things, with Wilson's interval where its own is missing or a point.

    A bootstrap says [0, 0] where nothing was found, be it among 3 or 3,000.
    """
    if not metric.over or (metric.low is not None and metric.low != metric.high):
        return metric
    low, high = wilson(hits(metric), metric.over)
    return metric._replace(low=low, high=high)


def hits(metric: Metric) -> int:
    """How many of `over` things a share is."""
    return round(metric.value * (metric.over or 0))


def of_all(metric: Metric, things: str) -> tuple[str, str]:
    """A share and its words: `1.2 %` and `of negatives`; where few, `0 of 3` and `negatives`."""
    if metric.over and metric.over < _FEW:
        return f"{hits(metric)} of {metric.over}", things
    return percent(metric.value), f"of {things}"


def share_of(metric: Metric, things: str) -> str:
    """`0.4 % [0.2 %, 0.6 %] of 807 negatives`."""
    many = f"{count(metric.over)} " if metric.over else ""
    return f"{with_interval(proportion(metric), percent)} of {many}{things}"
