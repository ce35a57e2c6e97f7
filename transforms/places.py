"""Places: for each document, which queries retrieved it best; what a hub cap compares."""

from dataclasses import dataclass

import duckdb

from transforms.datasets import Dataset
from transforms.query_parts import parquet_sql


@dataclass(frozen=True)
class FillPlaces:
    """Numbers the queries that retrieved a document, from 1, by their best rank and then position.

    A cap on the place bounds how many queries can use a document before any of them has chosen,
    so that no block needs to know what another chose.

    Attributes:
        candidates: data sets of the retrieving sources.
    """

    candidates: tuple[Dataset, ...]

    def __call__(self, connection: duckdb.DuckDBPyConnection) -> None:
        rows = " UNION ALL ".join(
            parquet_sql(dataset.path, dataset.part_names(), "query_ix, doc_ix, rank")
            for dataset in self.candidates
        )
        connection.execute(
            f"""
            CREATE TEMP TABLE result AS
            SELECT query_ix, doc_ix,
                   row_number() OVER (PARTITION BY doc_ix ORDER BY min(rank), query_ix) AS place
            FROM ({rows}) GROUP BY query_ix, doc_ix
            """
        )
