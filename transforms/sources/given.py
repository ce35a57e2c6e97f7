"""Candidates that somebody else retrieved: read from Parquet or JSONL and put on positions."""

from collections.abc import Callable
from dataclasses import dataclass, field

import duckdb

from negmine.schemas.errors import DataError
from negmine.schemas.sources import Given
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.data.query_tables import documents_sql, files_sql, queries_sql
from negmine.transforms.data.sql import connect
from negmine.transforms.storage.digests import Digest
from negmine.transforms.storage.paths import table_files


@dataclass(frozen=True)
class GivenFiles:
    """Files of ranked pairs by identifier: Parquet or JSONL (.jsonl, .json, .gz or .zst of them).

    `query_column`, `document_column`, `rank_column` are names in the files, `digests` what the
    files have while they are read; without them any content is taken.
    """

    files: tuple[str, ...]
    query_column: str
    document_column: str
    rank_column: str
    digests: tuple[Digest, ...] = field(default=(), kw_only=True)

    @staticmethod
    def of(config: Given) -> "GivenFiles":
        """The files of `sources.given`. Raises DataError where there are none."""
        files = table_files(config.path, "sources.given.path", "candidates")
        return GivenFiles(
            tuple(files), config.query_column, config.document_column, config.rank_column
        )

    def counts(self) -> tuple[int, int]:
        """Rows in the files, and the most rows of one query. Raises DataError."""
        with connect() as connection:
            grouped = "SELECT count(*) AS size FROM ({}) GROUP BY query"
            found = self._read(
                connection,
                lambda rows: f"SELECT sum(size)::BIGINT, max(size) FROM ({grouped.format(rows)})",
            )
        rows, most = (int(value or 0) for value in found)
        return rows, most

    def _read(
        self, connection: duckdb.DuckDBPyConnection, sql: Callable[[str], str]
    ) -> tuple[int, ...]:
        """The first row of what `sql` asks of the rows of the files, which it is given as SQL."""
        columns = {
            "query": (self.query_column, "VARCHAR"),
            "document": (self.document_column, "VARCHAR"),
            "rank": (self.rank_column, "DOUBLE"),
        }
        try:
            with files_sql(self.files, columns, self.digests) as rows:
                return tuple(connection.execute(sql(rows)).fetchone() or ())
        except duckdb.Error as error:
            raise DataError(
                f"sources.given.path: {self.files[0]} cannot be read as candidates "
                f"({str(error).splitlines()[0]}); {self._needs}"
            ) from error

    @property
    def _needs(self) -> str:
        return (
            f"it needs the columns {self.query_column}, {self.document_column} and "
            f"{self.rank_column}, as sources.given.query_column, document_column and rank_column "
            "name them"
        )


@dataclass(frozen=True)
class FillGiven(GivenFiles):
    """Ranked pairs by identifier, joined with the collection's queries and documents.

    A merged query has the candidates of every identifier that it stands for; where several rows
    name a pair the lowest rank counts. Rows of queries that are not mined are left out.

    Attributes:
        queries, documents: ingested.
    """

    queries: Dataset
    documents: Dataset

    def mined(self) -> int:
        """Rows of the collection's queries. Raises DataError."""
        with connect() as connection:
            queries = f"({queries_sql(self.queries)}) q ON q.id = g.query"
            (count,) = self._read(
                connection, lambda rows: f"SELECT count(*) FROM ({rows}) g JOIN {queries}"
            )
        return int(count)

    def __call__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Create `result` with the columns of `tables.CANDIDATES`.

        Raises DataError where a file cannot be read, a document is not in the corpus, or no row is
        of a query of the collection.
        """
        queries, documents = queries_sql(self.queries), documents_sql(self.documents)
        self._read(
            connection,
            lambda rows: (
                f"""
            CREATE TEMP TABLE placed AS
            SELECT query_ix, doc_ix, g.rank, g.document
            FROM ({rows}) g
            JOIN ({queries}) q ON q.id = g.query LEFT JOIN ({documents}) d ON d.id = g.document
            """
            ),
        )
        self._check(connection)
        connection.execute(
            """
            CREATE TEMP TABLE result AS
            SELECT query_ix, doc_ix, min(rank)::INTEGER AS rank, 0::FLOAT AS score
            FROM placed GROUP BY query_ix, doc_ix
            """
        )

    def _check(self, connection: duckdb.DuckDBPyConnection) -> None:
        ((rows, unknown, first, unranked, wrong),) = connection.execute(
            """
            SELECT count(*),
                count(*) FILTER (doc_ix IS NULL), min(document) FILTER (doc_ix IS NULL),
                count(*) FILTER (NOT ranked), min(rank) FILTER (NOT ranked)
            FROM (SELECT *, coalesce(rank = floor(rank) AND rank BETWEEN 1 AND 2147483647, false)
                AS ranked FROM placed)
            """
        ).fetchall()
        if not rows:
            raise DataError(
                f"sources.given.path: no row of {self.files[0]} is of a query of this collection; "
                f"check sources.given.query_column ({self.query_column})"
            )
        if unknown:
            raise DataError(
                f"sources.given.path: {unknown:,} rows name documents that the corpus lacks, the "
                f"first {first!r}; check sources.given.document_column ({self.document_column})"
            )
        if unranked and wrong is None:
            raise DataError(
                f"sources.given.path: {unranked:,} rows of {self.files[0]} have no rank; "
                f"{self._needs}"
            )
        if unranked:
            raise DataError(
                f"sources.given.path: rank {wrong:g} in {self.rank_column}; ranks count from 1, "
                "are whole, and every row needs one"
            )
