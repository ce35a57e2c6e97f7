"""A published run's views: what of it is exported, with which texts and which scores."""

import tempfile
from typing import Any, Self

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from negmine.schemas import JsonObject
from negmine.schemas.errors import ConfigError, DataError, StorageError
from negmine.transforms.data.sql import connect, dataset_sql, has_parts, partitioned_sql, sql_string
from negmine.transforms.exporters.reading.options import Options, Source
from negmine.transforms.exporters.reading.scale import ScoreScale, as_stored, scale_of
from negmine.transforms.exporters.reading.tally import NOT_BEST, NOT_PUBLISHED, Tally

_SAMPLED = 2_048
_MEMORY = "192MB"
"""What DuckDB may hold; blocks come on top of it."""

_SERVED = """
SELECT query_id, any_value(positive_id) AS positive_id, NULL::FLOAT AS grade, true AS served,
    any_value(positive_dense_score) AS dense_score,
    any_value(positive_judge_score) AS judge_score{texts}
FROM chosen GROUP BY query_id
"""
"""The one positive that rows of negatives name, for runs without a data set of all."""

_IDENTITY = "nfc_normalize(lower(trim(regexp_replace({text}, '\\s+', ' ', 'g'))))"
"""What two texts that are the same have in common, see `kernels.text.identity`."""


class RunViews:
    """An open run: views `sets`, `chosen` (negatives) and `positives`, and counts of them.

    `rows` are negatives, `queries_with_negatives` queries that have one; `weighted` says that some
    count more than others; `joined` says that texts
    come from the work directory, `scores` whose scores there are for every pair. Raises ConfigError
    for an unknown tier, DataError where negatives, texts or scores are missing, StorageError where
    files cannot be read.
    """

    def __init__(self, source: Source, options: Options) -> None:
        unknown = sorted(set(options.tiers) - set(source.quotas))
        if unknown:
            raise ConfigError(
                f"run {source.run_id} has no tier {', '.join(unknown)}; "
                f"it has {', '.join(source.quotas)}"
            )
        self.source = source
        self.options = options
        self.tiers = [tier for tier in source.quotas if not options.tiers or tier in options.tiers]
        self.notes: list[str] = []
        self.details: JsonObject = {}
        self.graded = 0
        self.ranked = False
        self.ids_only = False
        self.asked_for_scores = options.scores
        self.instruction = (
            source.query_prompt if options.instruction is None else options.instruction
        )
        self.scale = ScoreScale("", as_stored)
        self.fewer = NOT_BEST if options.positives == "best" else NOT_PUBLISHED

    @property
    def usual_width(self) -> int:
        """Negatives of an n-tuple, where nobody says how many."""
        return sum(self.source.quotas[tier] for tier in self.tiers)

    def __enter__(self) -> Self:
        self._spill = tempfile.TemporaryDirectory(prefix="negmine-export-")
        self._connection = connect(memory=_MEMORY, spill=self._spill.name)
        self._connection.execute("SET threads = 2")
        self._connection.execute("SET arrow_large_buffer_size = true")
        try:
            self._open()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        self._spill.cleanup()

    def _one(self, sql: str) -> tuple[Any, ...]:
        (row,) = self._connection.execute(sql).fetchall()
        return tuple(row)

    def _open(self) -> None:
        sets = self.source.run / "sets"
        try:
            if has_parts(sets):
                self._connection.execute(f"CREATE VIEW sets AS {dataset_sql(sets)}")
            chosen = self._chosen()
            if not has_parts(sets) or chosen is None:
                raise DataError(f"run {self.source.run_id} holds no negatives; nothing to export")
            self._connection.execute(f"CREATE VIEW chosen AS {chosen}")
            self._choose_texts()
            self._count()
            self._choose_scores()
            self.scale = scale_of(self._connection, self.source, self.options, self.scores)
        except duckdb.Error as error:
            raise self.unreadable(error) from error

    def _chosen(self) -> str | None:
        """SELECT of the negatives with `tier_at`, the place of their tier; None for none."""
        sql = partitioned_sql(self.source.run / "negatives", "tier")
        if sql is None:
            return None
        order = " ".join(
            f"WHEN tier = {sql_string(tier)} THEN {at}" for at, tier in enumerate(self.tiers)
        )
        kept = "" if self.options.backfilled else " WHERE NOT backfilled"
        return (
            f"SELECT * FROM (SELECT *, CASE {order} END AS tier_at FROM ({sql}){kept}) "
            "WHERE tier_at IS NOT NULL"
        )

    def _every_positive(self) -> str:
        """SELECT of the positives, or of those that the negatives name."""
        folder = self.source.run / "positives"
        self.complete = has_parts(folder)
        texts = "" if self.joined else ", any_value(positive) AS positive"
        return dataset_sql(folder) if self.complete else _SERVED.format(texts=texts)

    def _count(self) -> None:
        """Make the view `positives`, and count what the run has."""
        sql = self._every_positive()
        if self.options.positives == "best":
            sql = f"SELECT * FROM ({sql}) WHERE served"
        self._connection.execute(f"CREATE VIEW positives AS {sql}")
        queries, positives = self._one("SELECT count(*), coalesce(sum(positives), 0) FROM sets")
        self.queries, self.positives = Tally(int(queries)), Tally(int(positives))
        rows, with_negatives = self._one("SELECT count(*), count(DISTINCT query_id) FROM chosen")
        self.rows, self.queries_with_negatives = int(rows), int(with_negatives)
        graded, distinct, highest = self._one(
            "SELECT count(grade), count(DISTINCT grade), coalesce(max(grade), 1) FROM positives"
        )
        self.grades, self.grades_differ = int(graded), distinct > 1
        self.highest_grade = float(highest)
        names = {row[0] for row in self._connection.execute("DESCRIBE chosen").fetchall()}
        self.weight = "c.weight::FLOAT" if "weight" in names else "1::FLOAT"
        (weighted,) = self._one(
            f"SELECT coalesce(bool_or({self.weight} <> 1), false) FROM chosen c"
        )
        self.weighted = bool(weighted)
        if not rows:
            backfilled = "" if self.options.backfilled else ", backfilled ones left out"
            raise DataError(
                f"run {self.source.run_id} holds no negatives of the tiers "
                f"{', '.join(self.tiers)}{backfilled}; nothing to export"
            )

    def unreadable(self, error: Exception) -> StorageError:
        line = str(error).strip().partition("\n")[0]
        return StorageError(f"{self.source.run} cannot be read: {line}. Mine the run again")

    def _choose_texts(self) -> None:
        names = {row[0] for row in self._connection.execute("DESCRIBE chosen").fetchall()}
        texts = {"query", "positive", "negative"}
        self.joined = not texts <= names
        if not self.joined:
            self.joined = bool(
                self._one("SELECT count(*) > 0 AND count(negative) = 0 FROM chosen")[0]
            )
        documents, queries = self.source.documents, self.source.queries
        if self.joined:
            if not (documents and queries and has_parts(documents) and has_parts(queries)):
                raise DataError(
                    f"run {self.source.run_id} holds ids and no texts, and "
                    f"{self.source.no_texts or 'the ingested texts are not there'}. "
                    "Run its configuration again so that the ingest stage writes them, or mine "
                    "with --set output.texts=inline"
                )
            self._connection.execute(f"CREATE VIEW documents AS {dataset_sql(documents)}")
            self._connection.execute(f"CREATE VIEW queries AS {dataset_sql(queries)}")
            self.notes.append("texts joined from the work directory")

    def _choose_scores(self) -> None:
        rows, judged = self._one(
            "SELECT count(*), count(judge_score) FROM ("
            "SELECT judge_score FROM chosen UNION ALL SELECT judge_score FROM positives)"
        )
        self.scores = "judge" if rows == judged else "dense"
        if self.options.scores and self.scores == "dense":
            reason = (
                f"{rows - judged:,} of {rows:,} negatives and positives have no judge score"
                if judged
                else "the run has no judge"
            )
            self.notes.append(f"scores are the student's similarities (dense_score): {reason}")

    def texts_of(self, view: str, key: str, ids: list[pa.ChunkedArray]) -> pa.Table:
        """`id` and `text` of the documents or queries that are named, each once.

        The smaller side is held and the corpus goes by, so memory is that of the answer.
        """
        chunks = [chunk.cast(pa.large_string()) for column in ids for chunk in column.chunks]
        wanted = pc.unique(pa.chunked_array(chunks, pa.large_string()))
        self._connection.register("wanted", pa.table({"id": wanted}))
        sql = (
            f"SELECT d.{key}::VARCHAR AS id, d.text::VARCHAR AS text FROM {view} d "
            f"SEMI JOIN wanted w ON d.{key} = w.id"
        )
        try:
            return self._connection.sql(sql).to_arrow_table().combine_chunks()
        except duckdb.Error as error:
            raise self.unreadable(error) from error
        finally:
            self._connection.unregister("wanted")

    def mean_text(self) -> float:
        """Bytes of a document's text, about, by some thousand of them."""
        text, view = ("text", "documents") if self.joined else ("negative", "chosen")
        (mean,) = self._one(
            f"SELECT avg(strlen({text})) FROM (SELECT {text} FROM {view} LIMIT {_SAMPLED})"
        )
        return float(mean or 0.0)

    def query_texts(self) -> pa.Table:
        """query_id and query of all that have a negative, by identifier."""
        text = "any_value(query)" if not self.joined else "any_value(q.text)"
        joined = "" if not self.joined else " JOIN queries q ON q.query_id = c.query_id"
        return self._connection.sql(
            f"SELECT c.query_id::VARCHAR AS query_id, {text}::VARCHAR AS query "
            f"FROM chosen c{joined} GROUP BY c.query_id ORDER BY c.query_id"
        ).to_arrow_table()

    def positive_keys(self) -> pa.Table:
        """query_id, positive_id and text key of every positive; equal texts have equal keys."""
        key, joined = f"hash({_IDENTITY.format(text='p.positive')})", ""
        if self.joined:
            key, joined = "d.text_key", " JOIN documents d ON d.doc_id = p.positive_id"
        return self._connection.sql(
            "SELECT p.query_id::VARCHAR AS query_id, p.positive_id::VARCHAR AS positive_id, "
            f"{key}::UBIGINT AS key "
            f"FROM positives p{joined} ORDER BY ALL"
        ).to_arrow_table()
