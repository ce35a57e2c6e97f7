"""A run's negatives for exporters: whole queries, hardest first, a bounded block at a time."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.errors import ConfigError, DataError, StorageError
from transforms.views import dataset_sql, has_parts, partitioned_sql, sql_string

_ROWS_PER_BLOCK = 32_768
_ROWS_PER_JOINED_BLOCK = 262_144


@dataclass(frozen=True)
class Source:
    """A published run, as an exporter needs it.

    `quotas` are negatives per query by tier, hardest tier first. `documents` and `queries` are
    the ingested data sets, needed only where the run holds no texts; `no_texts` says why they
    are missing.
    """

    run: Path
    run_id: str
    quotas: dict[str, int]
    documents: Path | None = None
    queries: Path | None = None
    no_texts: str = ""


@dataclass(frozen=True)
class Options:
    """What to export; formats ignore what does not concern them.

    `tiers`: which, all when empty; the run's order is kept. `scores`: teacher scores too.
    `backfilled`: negatives that fill a tier from another tier's band. `n`: width of an n-tuple,
    null = sum of the quotas. `short`: what to do with queries that have fewer. `prompt`, `type`:
    FlagEmbedding's fields of that name, left out when null.
    """

    tiers: tuple[str, ...] = ()
    scores: bool = False
    backfilled: bool = True
    n: int | None = None
    short: Literal["skip", "repeat", "error"] = "skip"
    prompt: str | None = None
    type: str | None = None


def group_bounds(table: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """Where each query's rows start, and how many it has; rows of a query lie together."""
    if table.num_rows == 0:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    ids = table.column("query_id").combine_chunks()
    changed = pc.not_equal(ids.slice(1), ids.slice(0, len(ids) - 1)).to_numpy(zero_copy_only=False)
    starts = np.concatenate([[0], np.flatnonzero(changed) + 1])
    return starts, np.diff(np.append(starts, table.num_rows))


class Rows:
    """Negatives of a run as Arrow tables, each with whole queries, in a fixed order.

    Columns: query_id, query, positive, negative (large_string), score, positive_score (float32).
    Sorted by query, tier and rank, whatever the files' layout. Use it in a `with` block.
    Raises ConfigError for an unknown tier, DataError where texts or scores are missing,
    StorageError where files cannot be read.
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

    def __enter__(self) -> "Rows":
        self._spill = tempfile.TemporaryDirectory(prefix="negmine-export-")
        self._connection = duckdb.connect(":memory:")
        self._connection.execute("SET temp_directory = ?", [self._spill.name])
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
        row = self._connection.execute(sql).fetchone()
        assert row is not None
        return tuple(row)

    def _open(self) -> None:
        run, sets = self.source.run, self.source.run / "sets"
        sql = partitioned_sql(run / "negatives", "tier")
        if not has_parts(sets) or sql is None:
            raise DataError(f"run {self.source.run_id} holds no negatives; nothing to export")
        order = " ".join(
            f"WHEN tier = {sql_string(tier)} THEN {at}" for at, tier in enumerate(self.tiers)
        )
        kept = "" if self.options.backfilled else " WHERE NOT backfilled"
        try:
            self._connection.execute(f"CREATE VIEW sets AS {dataset_sql(sets)}")
            self._connection.execute(
                f"CREATE VIEW every AS SELECT *, CASE {order} END AS tier_at FROM ({sql}){kept}"
            )
            self._connection.execute(
                "CREATE VIEW chosen AS SELECT * FROM every WHERE tier_at IS NOT NULL"
            )
            self.total_queries = int(self._one("SELECT count(*) FROM sets")[0])
            self._choose_texts()
            self._choose_scores()
        except duckdb.Error as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: Exception) -> StorageError:
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
            "SELECT count(*), count(*) FILTER (judge_score IS NOT NULL"
            " AND positive_judge_score IS NOT NULL) FROM chosen"
        )
        self.rows = int(rows)
        self.scores = "judge" if rows == judged else "dense"
        if self.options.scores and self.scores == "dense":
            reason = (
                f"{rows - judged:,} of {rows:,} rows have no judge score"
                if judged
                else "the run has no judge"
            )
            self.notes.append(f"scores are the student's similarities (dense_score): {reason}")

    def _ranges(self) -> Iterator[tuple[str | None, str | None]]:
        size = _ROWS_PER_JOINED_BLOCK if self.joined else _ROWS_PER_BLOCK
        per_query = max(1, -(-self.rows // max(1, self.total_queries)))
        step = max(1, size // per_query)
        limits = self._connection.execute(
            "SELECT query_id FROM (SELECT query_id, row_number() OVER (ORDER BY query_id) - 1 AS i"
            f" FROM sets) WHERE i > 0 AND i % {step} = 0 ORDER BY query_id"
        ).fetchall()
        bounds = [None, *(limit[0] for limit in limits), None]
        yield from pairwise(bounds)

    def blocks(self) -> Iterator[pa.Table]:
        """The rows, a bounded number of queries at a time; empty blocks are left out."""
        score = ("judge_score", "positive_judge_score")
        if self.scores == "dense":
            score = ("dense_score", "positive_dense_score")
        texts = "c.query, c.positive, c.negative"
        joins = ""
        if self.joined:
            texts = "q.text AS query, p.text AS positive, d.text AS negative"
            joins = (
                " LEFT JOIN queries q ON q.query_id = c.query_id"
                " LEFT JOIN documents p ON p.doc_id = c.positive_id"
                " LEFT JOIN documents d ON d.doc_id = c.negative_id"
            )
        for low, high in self._ranges():
            where = ["true"]
            if low is not None:
                where.append("query_id >= $low")
            if high is not None:
                where.append("query_id < $high")
            sql = (
                f"SELECT c.query_id, {texts}, {score[0]} AS score, {score[1]} AS positive_score"
                f" FROM (SELECT * FROM chosen WHERE {' AND '.join(where)}) c{joins}"
                " ORDER BY c.query_id, c.tier_at, c.rank, c.negative_id"
            )
            params = {k: v for k, v in (("low", low), ("high", high)) if v is not None}
            try:
                table = self._connection.sql(sql, params=params or None).to_arrow_table()
            except duckdb.Error as error:
                raise self._unreadable(error) from error
            if table.num_rows:
                yield self._checked(table.combine_chunks())

    def _checked(self, table: pa.Table) -> pa.Table:
        for name in ("query", "positive", "negative"):
            missing = table.column(name).null_count
            if missing:
                at = pc.index(pc.is_null(table.column(name)), True).as_py()
                raise DataError(
                    f"{missing} rows have no {name} text, the first of query "
                    f"{table.column('query_id')[at].as_py()!r}; the texts in the work directory "
                    "are not those the run was mined from: mine again"
                )
        if self.options.scores:
            finite = pc.all(
                pc.and_(pc.is_finite(table["score"]), pc.is_finite(table["positive_score"])),
                min_count=0,
            ).as_py()
            if not finite:
                raise DataError(
                    f"run {self.source.run_id} holds {self.scores} scores that are not numbers; "
                    "export without scores, or mine again with another judge"
                )
        return table
