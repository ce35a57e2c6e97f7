"""Numbers as the report writes them."""

from collections.abc import Callable

from negmine.jobs.report.metrics import Metric

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
