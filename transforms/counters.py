"""What pipelines count, for their runner's own page, the summary of a run and its manifest."""

import apache_beam as beam

NAMESPACE = "negmine"


def count(name: str, by: int = 1) -> None:
    """Add to a counter of the step that runs now, such as `rows_written` or `verdict_kept`."""
    beam.metrics.Metrics.counter(NAMESPACE, name).inc(by)
