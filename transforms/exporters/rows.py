"""A run's negatives and positives for exporters: whole queries, a bounded block at a time."""

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from negmine.schemas import JsonObject
from negmine.schemas.errors import ConfigError, DataError, StorageError
from negmine.transforms.data.sql import connect, dataset_sql, has_parts, partitioned_sql, sql_string
from negmine.transforms.exporters.block import QueryBlock
from negmine.transforms.exporters.tally import (
    NO_NEGATIVES,
    NOT_BEST,
    NOT_PUBLISHED,
    OF_FOLD,
    Tally,
)
from negmine.transforms.kernels.folds import folds_of_texts

_ROWS_PER_BLOCK = 32_768
_ROWS_PER_JOINED_BLOCK = 262_144


@dataclass(frozen=True)
class Source:
    """A published run, as an exporter needs it.

    `quotas` are negatives per query by tier, hardest tier first. `documents` and `queries` are
    the ingested data sets, needed only where the run holds no texts; `no_texts` says why they
    are missing. `outputs` are folders in which nothing but exports/ is written; `input` is what
    the manifest counts of the input, for the report.
    """

    run: Path
    run_id: str
    quotas: dict[str, int]
    documents: Path | None = None
    queries: Path | None = None
    no_texts: str = ""
    outputs: tuple[Path, ...] = ()
    input: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Options:
    """What to export. Formats say by `OPTIONS` which of `scores` and those after it they take.

    `tiers`: which, all when empty; the run's order is kept. `backfilled`: negatives that fill a
    tier from another tier's band. `positives`: all of a query, or its best alone. `without_fold`:
    leave out the queries of a fold (from 0) of so many. `lists`: teacher lists instead of
    negatives; `raw`: with the judge's own scores, not those on the student's scale. `scores`:
    teacher scores too. `n`: width of an n-tuple, null = the usual one. `short`: what to do with
    queries that have fewer, null = skip. `prompt`, `type`: FlagEmbedding's fields, left out when
    null.
    """

    tiers: tuple[str, ...] = ()
    backfilled: bool = True
    positives: Literal["all", "best"] = "all"
    without_fold: tuple[int, int] | None = None
    lists: bool = False
    raw: bool = False
    scores: bool = False
    n: int | None = None
    short: Literal["skip", "repeat", "error"] | None = None
    prompt: str | None = None
    type: str | None = None


_SERVED = """
SELECT query_id, any_value(positive_id) AS positive_id, NULL::FLOAT AS grade, true AS served,
    any_value(positive_dense_score) AS dense_score,
    any_value(positive_judge_score) AS judge_score{texts}
FROM chosen GROUP BY query_id
"""
"""The one positive that rows of negatives name, for runs without a data set of all."""


class RunNegatives:
    """A run as blocks of whole queries in a fixed order, whatever the files' layout.

    Negatives are sorted by tier and rank, positives by served, judge and student. What is left out
    is counted in `queries` and `positives`. Use it in a `with` block. Raises ConfigError for an
    unknown tier, DataError where negatives, texts or scores are missing, StorageError where files
    cannot be read.
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
        self.fewer = NOT_BEST if options.positives == "best" else NOT_PUBLISHED

    @property
    def usual_width(self) -> int:
        """Negatives of an n-tuple, where nobody says how many."""
        return sum(self.source.quotas[tier] for tier in self.tiers)

    def __enter__(self) -> "RunNegatives":
        self._spill = tempfile.TemporaryDirectory(prefix="negmine-export-")
        self._connection = connect(memory=None, spill=self._spill.name)
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
        sets = self.source.run / "sets"
        chosen = self._chosen()
        if not has_parts(sets) or chosen is None:
            raise DataError(f"run {self.source.run_id} holds no negatives; nothing to export")
        try:
            self._connection.execute(f"CREATE VIEW sets AS {dataset_sql(sets)}")
            self._connection.execute(f"CREATE VIEW chosen AS {chosen}")
            self._choose_texts()
            self._count()
            self._choose_scores()
        except duckdb.Error as error:
            raise self._unreadable(error) from error

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
        graded, distinct = self._one("SELECT count(grade), count(DISTINCT grade) FROM positives")
        self.grades, self.grades_differ = int(graded), distinct > 1
        if not rows:
            backfilled = "" if self.options.backfilled else ", backfilled ones left out"
            raise DataError(
                f"run {self.source.run_id} holds no negatives of the tiers "
                f"{', '.join(self.tiers)}{backfilled}; nothing to export"
            )

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

    def _ranges(self) -> Iterator[tuple[str | None, str | None]]:
        size = _ROWS_PER_JOINED_BLOCK if self.joined else _ROWS_PER_BLOCK
        rows = self.rows + self.positives.given
        per_query = max(1, -(-rows // max(1, self.queries.given)))
        step = max(1, size // per_query)
        limits = self._connection.execute(
            "SELECT query_id FROM (SELECT query_id, row_number() OVER (ORDER BY query_id) - 1 AS i"
            f" FROM sets) WHERE i > 0 AND i % {step} = 0 ORDER BY query_id"
        ).fetchall()
        bounds = [None, *(limit[0] for limit in limits), None]
        yield from pairwise(bounds)

    def blocks(self) -> Iterator[QueryBlock]:
        """The queries that have negatives, a bounded number at a time."""
        score = f"c.{self.scores}_score::FLOAT AS score"
        query_id = "c.query_id::VARCHAR AS query_id"
        joined = {"query": "", "positive": "", "negative": ""}
        texts = {name: f"c.{name}::VARCHAR AS {name}" for name in joined}
        if self.joined:
            texts = {"query": "q.text AS query"}
            texts |= {name: f"d.text AS {name}" for name in ("positive", "negative")}
            joined = {"query": " LEFT JOIN queries q ON q.query_id = c.query_id"}
            for name in ("positive", "negative"):
                joined[name] = f" LEFT JOIN documents d ON d.doc_id = c.{name}_id"
        known = (
            f"SELECT {query_id}, coalesce(c.positives, 0)::BIGINT AS positives FROM {{sets}} c "
            "ORDER BY c.query_id"
        )
        negatives = (
            f"SELECT {query_id}, {texts['query']}, c.negative_id, {texts['negative']}, {score} "
            f"FROM {{chosen}} c{joined['query']}{joined['negative']} "
            "ORDER BY c.query_id, c.tier_at, c.rank, c.negative_id"
        )
        positives = (
            f"SELECT {query_id}, c.positive_id, {texts['positive']}, {score}, c.grade FROM "
            f"{{positives}} c{joined['positive']} ORDER BY c.query_id, c.served DESC, "
            "c.judge_score DESC NULLS LAST, c.dense_score DESC, c.positive_id"
        )
        for bounds in self._ranges():
            found = (self._between(sql, *bounds) for sql in (known, negatives, positives))
            block = self._block(*found)
            if block is not None:
                yield block

    def _between(self, sql: str, low: str | None, high: str | None) -> pa.Table:
        """Rows of the queries from `low` up to `high`; `{name}` in the SQL is a view."""
        limits = [("query_id >= $low", "low", low), ("query_id < $high", "high", high)]
        limits = [limit for limit in limits if limit[2] is not None]
        where = " AND ".join(text for text, _, _ in limits) or "true"
        views = {
            name: f"(SELECT * FROM {name} WHERE {where})"
            for name in ("sets", "chosen", "positives")
        }
        params = {name: value for _, name, value in limits}
        try:
            query = self._connection.sql(sql.format(**views), params=params or None)
            return query.to_arrow_table().combine_chunks()
        except duckdb.Error as error:
            raise self._unreadable(error) from error

    def _block(
        self, known: pa.Table, negatives: pa.Table, positives: pa.Table
    ) -> QueryBlock | None:
        """The queries with negatives and all that belongs to them; the others are counted."""
        given = known["positives"].to_numpy()
        has = pc.is_in(known["query_id"], negatives["query_id"]).to_numpy()
        self._miss(NO_NEGATIVES, known.filter(pa.array(~has))["query_id"], given[~has])
        positives = positives.filter(pc.is_in(positives["query_id"], negatives["query_id"]))
        if not negatives.num_rows:
            return None
        block = QueryBlock(
            self._checked(negatives, ("query", "negative")), self._checked(positives, ("positive",))
        )
        found = np.zeros(len(given), dtype=np.int64)
        ids = positives["query_id"].combine_chunks().take(pa.array(block.positive_starts))
        found[pc.index_in(ids, known["query_id"]).to_numpy()] = block.positive_counts
        if (found[has] == 0).any() or len(block.counts) != len(block.positive_counts):
            raise StorageError(
                f"run {self.source.run_id} holds negatives of queries that have no positive in it; "
                "check it with negmine doctor, and mine it again"
            )
        lost = np.where(has, given - found, 0)
        self.positives.miss(self.fewer, int(lost.sum()), _names(known["query_id"], lost > 0))
        return self._outside_fold(block)

    def _outside_fold(self, block: QueryBlock) -> QueryBlock | None:
        """The queries that are not of the fold to be left out; None where there are none."""
        if self.options.without_fold is None:
            return block
        fold, count = self.options.without_fold
        inside = folds_of_texts(block.texts.to_pylist(), count) == fold
        self.leave_out(OF_FOLD, block, inside)
        return None if inside.all() else block.where(~inside)

    def leave_out(self, reason: str, block: QueryBlock, queries: np.ndarray) -> None:
        """Count queries of a block, (q,) bool, and their positives as left out for a reason."""
        mask = pa.array(queries)
        self._miss(reason, block.query_ids.filter(mask), block.positive_counts[queries])

    def _miss(self, reason: str, ids: pa.ChunkedArray | pa.Array, positives: np.ndarray) -> None:
        named = ids.slice(0, 5).to_pylist()
        self.queries.miss(reason, len(ids), named)
        self.positives.miss(reason, int(positives.sum()), named)

    def _checked(self, table: pa.Table, texts: tuple[str, ...]) -> pa.Table:
        for name in texts:
            missing = table.column(name).null_count
            if missing:
                at = pc.index(pc.is_null(table.column(name)), True).as_py()
                raise DataError(
                    f"{missing} rows have no {name} text, the first of query "
                    f"{table.column('query_id')[at].as_py()!r}; the texts in the work directory "
                    "are not those the run was mined from: mine again"
                )
        if self.options.scores and not pc.all(pc.is_finite(table["score"]), min_count=0).as_py():
            raise DataError(
                f"run {self.source.run_id} holds {self.scores} scores that are not numbers; "
                "export without scores, or mine again with another judge"
            )
        return table


def _names(ids: pa.ChunkedArray, chosen: np.ndarray) -> list[str]:
    return list(ids.filter(pa.array(chosen)).slice(0, 5).to_pylist())
