"""Negatives of earlier runs as candidates: what is still in the corpus, drawn by keyed hash."""

from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow.parquet as pq

from negmine.schemas.errors import StorageError
from negmine.transforms.data.columns import array_column
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.data.query_tables import parquet_sql, queries_sql
from negmine.transforms.data.sql import sql_string
from negmine.transforms.kernels.hashing import mix
from negmine.transforms.kernels.search.random_documents import reservoir_keys
from negmine.transforms.sources.drawn import first_of_each


@dataclass(frozen=True)
class FillMemory:
    """Negatives that earlier runs chose for the same queries, a weighted reservoir of each query.

    A document counts as still there where the corpus has its identifier and, unless the run was
    published without texts, its text. A merged query has the negatives of every identifier that it
    stands for. What several runs chose counts as the newest run's. Verdicts are not taken over.

    Attributes:
        runs: files of the negatives of each run, the newest first.
        queries, documents: ingested.
        count: of a query.
        decay: weight of a run's negatives, relative to those of the run before.
        seed: keys the draw.
    """

    runs: tuple[tuple[str, ...], ...]
    queries: Dataset
    documents: Dataset
    count: int
    decay: float
    seed: int

    def __call__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Create `result` with the columns of `tables.CANDIDATES`.

        Raises StorageError where a run's negatives cannot be read.
        """
        files = [(age, file) for age, run in enumerate(self.runs) for file in run]
        chosen = " UNION ALL ".join(_negatives(age, file) for age, file in files)
        columns = "doc_ix, doc_id AS id, text"
        documents = parquet_sql(self.documents.path, self.documents.part_names(), columns)
        found = connection.execute(
            f"""
            SELECT query_ix, doc_ix, min(age) AS age
            FROM ({chosen or _NOTHING}) n
            JOIN ({queries_sql(self.queries)}) q ON q.id = n.query
            JOIN ({documents}) d ON d.id = n.document AND coalesce(d.text = n.text, true)
            GROUP BY query_ix, doc_ix
            """
        ).fetchnumpy()
        query_ix, doc_ix = (np.asarray(found[name], np.int64) for name in ("query_ix", "doc_ix"))
        keys = array_column(self.queries, "query_key")[query_ix]
        drawn = mix(self.seed, keys, array_column(self.documents, "doc_key")[doc_ix])
        weights = self.decay ** np.asarray(found["age"], np.float64)
        table = first_of_each(query_ix, doc_ix, (-reservoir_keys(drawn, weights),), self.count)
        connection.register("drawn", table)
        connection.execute("CREATE TEMP TABLE result AS SELECT * FROM drawn")


_NOTHING = "SELECT '' AS query, '' AS document, '' AS text, 0 AS age LIMIT 0"


def _negatives(age: int, file: str) -> str:
    """SELECT of the pairs that a file of a run's negatives holds."""
    try:
        texts = "negative" in pq.read_schema(file).names
    except (OSError, ValueError) as error:
        raise StorageError(
            f"{file} cannot be read ({str(error).splitlines()[0]}); name another run in "
            "sources.memory.runs, or mine that one again"
        ) from error
    return (
        f"SELECT query_id AS query, negative_id AS document, {'negative' if texts else 'NULL'}::"
        f"VARCHAR AS text, {age} AS age FROM read_parquet({sql_string(file)}, "
        "hive_partitioning = false)"
    )
