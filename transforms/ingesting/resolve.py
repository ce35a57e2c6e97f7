"""Identifiers to positions: duplicates, merged queries, judgements, labels, evaluation splits."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Self

import pyarrow as pa

from negmine.schemas.inputs.passages import Passages
from negmine.transforms.data.sql import connect
from negmine.transforms.ingesting import resolve_sql as sql


class Reason(NamedTuple):
    """How many rows are bad for one countable reason, and the first of them."""

    code: str
    rows: int
    file: str
    line: int
    reason: str


class Resolved:
    """Raw parts with positions: rank of the identifier in ascending byte order.

    Of rows with the same identifier the first by (file, line) stays; the others are counted where
    they have its text, and dead letters where they have another. A text has the smallest of the
    languages that its rows say, in whatever order they come. Queries without a positive are
    left out, and those with the text of an evaluation query; those left with the same text become
    one, under the smallest id. `limit` keeps that many of them, those with the smallest lot.
    Documents with the text of an evaluation query's positive
    are flagged. Labels add to the positives of the queries that are left, whatever the id they
    name one by; they make no query one with a positive, so that those of another split are unused.
    Spills to `directory`, which the caller removes.
    """

    def __init__(
        self,
        directory: Path,
        parts: Mapping[str, Sequence[str]],
        schemas: Mapping[str, pa.Schema],
        names: Sequence[str],
        *,
        limit: int | None = None,
        own_ids: bool = True,
        merge_equal: bool = True,
        cut: Passages | None = None,
        memory: str = "2GB",
    ) -> None:
        """`parts` holds the raw files by kind, `schemas` their columns, `names` the input files'.

        Without `merge_equal` queries of the same text stay apart, each under its own id; what is
        a positive of one of them is known to the others all the same, and never their negative.
        `own_ids` says that identifiers come from the input, so that a repeated one is an error
        and not the same text again. `cut` says that documents are passages, whose judgements may
        name the whole: where that has several, they are all known, and the query's own only by
        `cut.labels: all`. `memory` is DuckDB's limit, such as 2GB.
        """
        directory.mkdir(parents=True, exist_ok=True)
        self._connection = connect(memory, directory / "spill", directory / "resolve.duckdb")
        run = self._connection.execute
        run("SET arrow_large_buffer_size = true")
        self._connection.register(
            "files", pa.table({"file": pa.array(range(len(names)), pa.int32()), "name": names})
        )
        for kind, schema in schemas.items():
            if parts.get(kind):
                self._connection.read_parquet(
                    list(parts[kind]), hive_partitioning=False
                ).create_view(f"raw_{kind}")
            else:
                self._connection.register(f"raw_{kind}", schema.empty_table())
        for kind in ("documents", "queries"):
            run(sql.FIRST.format(kind=kind).replace("$own_ids", "true" if own_ids else "false"))
        if cut:
            run(sql.CUT)
        run(sql.IDENTIFIERS.format(whole="whole" if cut else "NULL"))
        run(sql.CUT_NAMES if cut else sql.AS_THEY_ARE)
        kind = "evaluation_queries" if parts.get("evaluation_queries") else "queries"
        asked = "raw_evaluation_queries" if kind == "evaluation_queries" else "query_ids"
        run(sql.EVALUATION.format(kind=kind, asked=asked))
        run(
            sql.POSITIONS.format(
                limit="" if limit is None else f"LIMIT {int(limit)}",
                apart="" if merge_equal else ", id",
                certain="true" if cut is None or cut.labels == "all" else "d.passages = 1",
            )
        )
        run(sql.DEAD.replace("$evaluation_query", sql.EVALUATION_QUERY))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def _tables(self, query: str, rows: int) -> Iterator[pa.Table]:
        relation = self._connection.sql(query)
        newer = getattr(relation, "to_arrow_reader", None)
        reader = newer(rows) if newer else relation.fetch_record_batch(rows)
        for batch in reader:
            yield pa.Table.from_batches([batch])

    def documents(self, rows: int) -> Iterator[pa.Table]:
        """Documents in order of doc_ix, in tables of about `rows`; columns without doc_ix."""
        return self._tables(sql.DOCUMENTS, rows)

    def queries(self, rows: int) -> Iterator[pa.Table]:
        """Queries in order of query_ix, in tables of about `rows`."""
        return self._tables(sql.QUERIES, rows)

    def positives(self, rows: int) -> Iterator[pa.Table]:
        """Pairs of `schemas.tables.POSITIVES`, sorted and each once, in tables of about `rows`."""
        return self._tables(sql.POSITIVES, rows)

    def confirmed_negatives(self, rows: int) -> Iterator[pa.Table]:
        """Labelled pairs (query_ix, doc_ix) that are no positives, as `positives`."""
        return self._tables(sql.CONFIRMED_NEGATIVES, rows)

    def evaluation_keys(self) -> pa.Table:
        """Text keys of the positives of the evaluation splits, ascending."""
        found = self._connection.sql("FROM evaluation_document_keys ORDER BY text_key")
        return pa.table({"text_key": found.fetchnumpy()["text_key"]})

    def dead_letters(self, rows: int) -> Iterator[pa.Table]:
        """Dead letters by kind, file and line, in tables of about `rows`."""
        return self._tables(sql.DEAD_LETTERS, rows)

    def counts(self) -> dict[str, int]:
        """Rows of every kind that is written, and the queries left out, by why."""
        cursor = self._connection.execute(sql.COUNTS)
        names = [column[0] for column in cursor.description or ()]
        (values,) = cursor.fetchall()
        return {name: int(value) for name, value in zip(names, values, strict=True)}

    def lost(self) -> dict[int, int]:
        """Rows of each file that say nothing any more; without those that are heeded in part."""
        return dict(self._connection.execute(sql.LOST).fetchall())

    def unresolved(self) -> list[int]:
        """Files of labels, or of judgements of the evaluation, of which no row names what is there.

        Those without a row, or without one above 0, are not among them.
        """
        judged, used = (self._connection.execute(q).fetchall() for q in (sql.JUDGED, sql.USED))
        return sorted({file for file, _ in judged} - {file for file, _ in used})

    def reasons(self, files: Sequence[int] | None = None) -> list[Reason]:
        """Dead letters of some files, or all, by countable reason, most frequent first."""
        some = "true" if files is None else f"d.file IN ({', '.join(map(str, files))})"
        rows = self._connection.execute(sql.REASONS.format(some=some)).fetchall()
        return [Reason(code, n, at["name"], at["line"], at["reason"]) for code, n, at in rows]
