"""Tables over all queries, made by one worker: hub places, and scores computed elsewhere."""

import apache_beam as beam

from negmine.transforms.data.query_tables import QueryTable, WriteQueryTable


def build(root: beam.Pipeline, task: QueryTable) -> beam.PCollection:
    """Add the stage to a pipeline; returns the names of the parts written."""
    return root | "QueryTable" >> WriteQueryTable(task)
