"""Places: for each document, which queries got it, the best first; what a hub cap compares."""

from dataclasses import dataclass

import duckdb

from negmine.schemas.sources import SOURCES
from negmine.schemas.verdicts import Source
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.data.query_tables import parquet_sql


@dataclass(frozen=True)
class FillPlaces:
    """Numbers the queries that got a document from any source, from 1.

    First those that retrieved it, by their best rank, then those that only drew it; equal ones by
    position. A cap on the place bounds how many queries can use a document before any of them has
    chosen, so that no block needs to know what another chose.

    Attributes:
        candidates: data sets of the sources, by name.
    """

    candidates: tuple[tuple[str, Dataset], ...]

    def __call__(self, connection: duckdb.DuckDBPyConnection) -> None:
        rows = " UNION ALL ".join(
            parquet_sql(
                dataset.path,
                dataset.part_names(),
                f"query_ix, doc_ix, rank, {SOURCES[Source(name)].retrieving} AS retrieved",
            )
            for name, dataset in self.candidates
        )
        connection.execute(
            f"""
            CREATE TEMP TABLE result AS
            SELECT query_ix, doc_ix,
                   row_number() OVER (
                       PARTITION BY doc_ix
                       ORDER BY min(rank) FILTER (retrieved) NULLS LAST, min(rank), query_ix
                   ) AS place
            FROM ({rows}) GROUP BY query_ix, doc_ix
            """
        )
