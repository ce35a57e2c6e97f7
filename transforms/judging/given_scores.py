"""Scores that somebody else computed: read from Parquet or JSONL and put on positions."""

from dataclasses import dataclass

import duckdb

from negmine.schemas.errors import DataError
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.data.query_tables import documents_sql, files_sql, queries_sql
from negmine.transforms.storage.digests import Digest


@dataclass(frozen=True)
class FillScores:
    """Scores by identifier, joined with the collection's queries and documents.

    A merged query has the scores of every identifier that it stands for; where several rows score
    a pair the highest counts.

    Attributes:
        files: Parquet or JSONL (.jsonl, .json, .gz or .zst of them).
        query_column, document_column, score_column: names in the files.
        queries, documents: ingested.
        digests: of the files, which have them while they are read; none: any content is taken.
    """

    files: tuple[str, ...]
    query_column: str
    document_column: str
    score_column: str
    queries: Dataset
    documents: Dataset
    digests: tuple[Digest, ...] = ()

    def __call__(self, connection: duckdb.DuckDBPyConnection) -> None:
        queries, documents = queries_sql(self.queries), documents_sql(self.documents)
        columns = {
            "query": (self.query_column, "VARCHAR"),
            "document": (self.document_column, "VARCHAR"),
            "score": (self.score_column, "DOUBLE"),
        }
        try:
            with files_sql(self.files, columns, self.digests) as rows:
                connection.execute(
                    f"""
                    CREATE TEMP TABLE result AS
                    SELECT query_ix, doc_ix, max(s.score)::FLOAT AS judge_score
                    FROM ({rows}) s
                    JOIN ({queries}) q ON q.id = s.query JOIN ({documents}) d ON d.id = s.document
                    WHERE isfinite(s.score) GROUP BY query_ix, doc_ix
                    """
                )
        except duckdb.Error as error:
            raise DataError(
                f"judge.path: {self.files[0]} cannot be read as scores "
                f"({str(error).splitlines()[0]}); it needs the columns {self.query_column}, "
                f"{self.document_column} and {self.score_column}, as judge.query_column, "
                "judge.document_column and judge.score_column name them"
            ) from error
        ((found,),) = connection.execute("SELECT count(*) FROM result").fetchall()
        if not found:
            raise DataError(
                f"judge.path: no score in {self.files[0]} is of a query and a document of this "
                f"collection; check judge.query_column ({self.query_column}), "
                f"judge.document_column ({self.document_column}) and judge.score_column "
                f"({self.score_column})"
            )
