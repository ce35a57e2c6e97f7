"""Scores that somebody else computed: read from Parquet or JSONL and put on positions."""

from dataclasses import dataclass
from pathlib import Path

import duckdb

from schemas.errors import DataError
from transforms.datasets import Dataset
from transforms.query_parts import parquet_sql
from transforms.views import sql_string


@dataclass(frozen=True)
class FillScores:
    """Scores by identifier, joined with the collection's queries and documents.

    A merged query has the scores of every identifier that it stands for; where several rows score
    a pair the highest counts.

    Attributes:
        files: Parquet or JSONL (.jsonl, .json, .gz or .zst of them).
        query_column, document_column, score_column: names in the files.
        queries, documents: ingested.
    """

    files: tuple[str, ...]
    query_column: str
    document_column: str
    score_column: str
    queries: Dataset
    documents: Dataset

    def __call__(self, connection: duckdb.DuckDBPyConnection) -> None:
        queries = parquet_sql(
            self.queries.path,
            self.queries.part_names(),
            "query_ix, unnest(list_append(merged_ids, query_id)) AS id",
        )
        documents = parquet_sql(
            self.documents.path, self.documents.part_names(), "doc_ix, doc_id AS id"
        )
        try:
            connection.execute(
                f"""
                CREATE TEMP TABLE result AS
                SELECT query_ix, doc_ix, max(s.score)::FLOAT AS judge_score
                FROM ({self._scores()}) s
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
        ((rows,),) = connection.execute("SELECT count(*) FROM result").fetchall()
        if not rows:
            raise DataError(
                f"judge.path: no score in {self.files[0]} is of a query and a document of this "
                f"collection; check judge.query_column ({self.query_column}) and "
                f"judge.document_column ({self.document_column})"
            )

    def _scores(self) -> str:
        reader = "read_parquet" if Path(self.files[0]).suffix == ".parquet" else "read_json_auto"
        files = ", ".join(sql_string(file) for file in self.files)
        query, document, score = (
            '"' + name.replace('"', '""') + '"'
            for name in (self.query_column, self.document_column, self.score_column)
        )
        return (
            f"SELECT {query}::VARCHAR AS query, {document}::VARCHAR AS document, "
            f"{score}::DOUBLE AS score FROM {reader}([{files}])"
        )
