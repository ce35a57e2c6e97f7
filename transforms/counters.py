"""What pipelines count, for their runner's own page, the summary of a run and its manifest."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import apache_beam as beam

NAMESPACE = "negmine"

_collected: Counter[str] | None = None


def count(name: str, by: int = 1) -> None:
    """Add to a counter of the step that runs now, such as `rows_written` or `verdict_kept`."""
    if _collected is not None:
        _collected[name] += by
    else:
        beam.metrics.Metrics.counter(NAMESPACE, name).inc(by)


@contextmanager
def collecting() -> Iterator[Counter[str]]:
    """What is counted in the body, for another process to add; of a process of one thread."""
    global _collected
    _collected = found = Counter[str]()
    try:
        yield found
    finally:
        _collected = None
