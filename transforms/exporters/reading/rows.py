"""A run's negatives and positives for exporters: whole queries, a bounded block at a time."""

from collections.abc import Iterator
from itertools import pairwise

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from negmine.schemas.errors import DataError, StorageError
from negmine.transforms.exporters.reading.block import QueryBlock
from negmine.transforms.exporters.reading.scale import as_stored
from negmine.transforms.exporters.reading.tally import NO_NEGATIVES, OF_FOLD
from negmine.transforms.exporters.reading.views import RunViews
from negmine.transforms.kernels.folds import folds_of_texts

_ROWS_PER_BLOCK = 32_768
_ROWS_PER_JOINED_BLOCK = 65_536
_TEXT_PER_BLOCK = 1 << 24
"""Bytes of documents' texts that a block has, about."""


class RunNegatives(RunViews):
    """A run as blocks of whole queries in a fixed order, whatever the files' layout.

    Negatives are sorted by tier and rank, positives by served, judge and student. What is left out
    is counted in `queries` and `positives`. Use it in a `with` block. Raises as RunViews does.
    """

    def _ranges(self) -> Iterator[tuple[str | None, str | None]]:
        # One whose texts are joined costs a pass over the corpus, so it may have more rows.
        size = _ROWS_PER_JOINED_BLOCK if self.joined else _ROWS_PER_BLOCK
        if not self.ids_only:
            size = max(1, min(size, int(_TEXT_PER_BLOCK / max(1.0, self.mean_text()))))
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
        # Texts that are not in the run are put in afterwards, by `_with_texts`.
        names = ("query", "positive", "negative")
        texts = {name: f"{'NULL' if self.joined else f'c.{name}'}::VARCHAR" for name in names}
        if self.ids_only:
            texts |= dict.fromkeys(("positive", "negative"), "''")
        texts = {name: f"{text} AS {name}" for name, text in texts.items()}
        verdict = ", c.verdict::VARCHAR AS verdict" if self.ids_only else ""
        known = (
            f"SELECT {query_id}, coalesce(c.positives, 0)::BIGINT AS positives FROM {{sets}} c "
            "ORDER BY c.query_id"
        )
        similarity = "c.dense_score::FLOAT AS similarity"
        negatives = (
            f"SELECT {query_id}, {texts['query']}, c.negative_id, {texts['negative']}, {score}, "
            f"{similarity}, c.tier_at::INT AS tier_at, {self.weight} AS weight{verdict} "
            "FROM {chosen} c "
            "ORDER BY c.query_id, c.tier_at, c.rank, c.negative_id"
        )
        positives = (
            f"SELECT {query_id}, c.positive_id, {texts['positive']}, {score}, {similarity}, "
            f"c.grade FROM {{positives}} c ORDER BY c.query_id, c.served DESC, "
            "c.judge_score DESC NULLS LAST, c.dense_score DESC, c.positive_id"
        )
        for bounds in self._ranges():
            known_rows, below, above = (
                self._between(sql, *bounds) for sql in (known, negatives, positives)
            )
            if self.joined:
                below, above = self._with_texts(below, above)
            block = self._block(known_rows, below, above)
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
            raise self.unreadable(error) from error

    def _with_texts(self, negatives: pa.Table, positives: pa.Table) -> tuple[pa.Table, pa.Table]:
        """Both with the texts of the work directory; null where it has none."""
        found = self.texts_of("queries", "query_id", [negatives["query_id"]])
        negatives = _filled(negatives, "query", negatives["query_id"], found)
        if self.ids_only:
            return negatives, positives
        ids = [negatives["negative_id"], positives["positive_id"]]
        found = self.texts_of("documents", "doc_id", ids)
        return (
            _filled(negatives, "negative", negatives["negative_id"], found),
            _filled(positives, "positive", positives["positive_id"], found),
        )

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
        if self.scale.apply is as_stored:
            return table
        at = table.schema.get_field_index("score")
        scores = self.scale.apply(table["score"].to_numpy().astype(np.float64))
        return table.set_column(at, "score", pa.array(scores, pa.float32()))


def _filled(table: pa.Table, name: str, ids: pa.ChunkedArray, texts: pa.Table) -> pa.Table:
    """A table with the texts of identifiers in a column; `texts` has `id` and `text`, each once."""
    at = pc.index_in(ids.combine_chunks(), texts["id"].combine_chunks())
    column = texts["text"].combine_chunks().take(at)
    return table.set_column(table.schema.get_field_index(name), name, column)


def _names(ids: pa.ChunkedArray, chosen: np.ndarray) -> list[str]:
    return list(ids.filter(pa.array(chosen)).slice(0, 5).to_pylist())
