"""Identifiers to positions: duplicates, merged queries and dangling judgements, in DuckDB."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import duckdb
import pyarrow as pa

_FIRST = """
CREATE TABLE duplicated_{kind} AS
    SELECT id, min({{'file': file, 'line': line}}) AS first
    FROM raw_{kind} GROUP BY id HAVING count(*) > 1;
CREATE VIEW first_{kind} AS
    SELECT r.* FROM raw_{kind} r LEFT JOIN duplicated_{kind} d USING (id)
    WHERE d.id IS NULL OR {{'file': r.file, 'line': r.line}} = d.first;
"""

_POSITIONS = """
CREATE TABLE document_ids AS
    SELECT id, row_number() OVER (ORDER BY id) - 1 AS doc_ix FROM first_documents;
CREATE TABLE query_ids AS SELECT id, text_key, lot FROM first_queries;
CREATE TABLE judged AS
    SELECT r.*, d.doc_ix, q.text_key, q.lot, q.id IS NULL AS no_query
    FROM raw_qrels r
    LEFT JOIN document_ids d ON r.doc_id = d.id
    LEFT JOIN query_ids q ON r.query_id = q.id;
CREATE TABLE alive AS
    SELECT query_id AS id, any_value(text_key) AS text_key, any_value(lot) AS lot
    FROM judged WHERE doc_ix IS NOT NULL AND NOT no_query GROUP BY query_id;
CREATE TABLE merged AS
    SELECT text_key, min(id) AS id, arg_min(lot, id) AS lot, list(id ORDER BY id)[2:] AS merged_ids
    FROM alive GROUP BY text_key;
CREATE TABLE chosen AS
    SELECT *, row_number() OVER (ORDER BY id) - 1 AS query_ix
    FROM (FROM merged ORDER BY lot, id {limit});
"""

_DEAD = """
CREATE TABLE lost AS
    SELECT kind, id, min({'file': file, 'line': line}) AS first
    FROM raw_bad WHERE id IS NOT NULL GROUP BY kind, id;
CREATE TABLE dead AS
    SELECT file, line, kind, code, reason, excerpt FROM raw_bad
    UNION ALL
    SELECT r.file, r.line, r.kind, 'duplicate_id',
        format('duplicate id ''{}'', first seen in {} line {}', r.id, f.name, r.first.line),
        r.id || chr(9) || r.head
    FROM (
        SELECT r.file, line, 'documents' AS kind, id, first, left(text, 200) AS head
        FROM raw_documents r JOIN duplicated_documents d USING (id)
        WHERE {'file': r.file, 'line': line} <> first AND $own_ids
        UNION ALL
        SELECT r.file, line, 'queries', id, first, left(text, 200)
        FROM raw_queries r JOIN duplicated_queries d USING (id)
        WHERE {'file': r.file, 'line': line} <> first AND $own_ids
    ) r JOIN files f ON f.file = r.first.file
    UNION ALL
    SELECT j.file, j.line, 'qrels',
        CASE WHEN f.name IS NOT NULL THEN 'dead_' ELSE 'unknown_' END || j.what,
        CASE WHEN f.name IS NULL THEN format('unknown {} ''{}''', j.what, j.id)
        ELSE format('{} ''{}'' is a dead letter itself ({} line {})',
            j.what, j.id, f.name, l.first.line) END,
        query_id || chr(9) || doc_id
    FROM (
        SELECT *, CASE WHEN no_query THEN 'query' ELSE 'document' END AS what,
            CASE WHEN no_query THEN 'queries' ELSE 'documents' END AS whose,
            CASE WHEN no_query THEN query_id ELSE doc_id END AS id
        FROM judged WHERE no_query OR doc_ix IS NULL
    ) j
    LEFT JOIN lost l ON l.kind = j.whose AND l.id = j.id
    LEFT JOIN files f ON f.file = l.first.file;
"""

_DOCUMENTS = """
SELECT id AS doc_id, text, id_key AS doc_key, text_key, minhash FROM first_documents ORDER BY id
"""
_QUERIES = """
SELECT c.query_ix, c.id AS query_id, r.text, r.id_key AS query_key, r.text_key, c.merged_ids
FROM chosen c JOIN first_queries r ON r.id = c.id ORDER BY c.query_ix
"""
_POSITIVES = """
SELECT DISTINCT c.query_ix, j.doc_ix
FROM judged j JOIN chosen c USING (text_key)
WHERE j.doc_ix IS NOT NULL AND NOT j.no_query ORDER BY ALL
"""
_DEAD_LETTERS = """
SELECT f.name AS file, d.line, d.kind, d.reason, left(d.excerpt, 200) AS excerpt
FROM dead d JOIN files f USING (file) ORDER BY d.kind, d.file, d.line, d.reason
"""
_COUNTS = """
SELECT (SELECT count(*) FROM document_ids) AS documents,
    (SELECT count(*) FROM chosen) AS queries,
    (SELECT count(*) FROM dead) AS dead_letters,
    (SELECT count(*) FROM query_ids) - (SELECT count(*) FROM alive) AS queries_without_positives,
    (SELECT count(*) FROM alive) - (SELECT count(*) FROM merged) AS merged_queries,
    (SELECT count(*) FROM merged) - (SELECT count(*) FROM chosen) AS queries_over_limit
"""
_REASONS = """
SELECT code, count(*) AS rows,
    arg_min({'name': f.name, 'line': line, 'reason': reason}, (kind, d.file, line, reason)) AS first
FROM dead d JOIN files f USING (file) GROUP BY code ORDER BY rows DESC, code
"""


class Reason(NamedTuple):
    """How many rows are bad for one countable reason, and the first of them."""

    code: str
    rows: int
    file: str
    line: int
    reason: str


class Resolved:
    """Raw parts with positions: rank of the identifier in ascending byte order.

    Of rows with the same identifier the first by (file, line) stays. Queries without a positive
    are left out; those left with the same normalised text become one, under the smallest id.
    `limit` keeps that many of them, those with the smallest lot. Spills to `directory`, which the
    caller removes.
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
        memory: str = "2GB",
    ) -> None:
        """`parts` holds the raw files by kind, `schemas` their columns, `names` the input files'.

        `own_ids` says that identifiers come from the input, so that a repeated one is an error
        and not the same text again. `memory` is DuckDB's limit, such as 2GB.
        """
        directory.mkdir(parents=True, exist_ok=True)
        self._connection = duckdb.connect(str(directory / "resolve.duckdb"))
        run = self._connection.execute
        run(f"SET memory_limit = '{memory}'")
        run(f"SET temp_directory = '{str(directory / 'spill').replace(chr(39), chr(39) * 2)}'")
        run("SET arrow_large_buffer_size = true")
        run("SET enable_progress_bar = false")
        self._connection.register(
            "files", pa.table({"file": pa.array(range(len(names)), pa.int32()), "name": names})
        )
        for kind, schema in schemas.items():
            if parts.get(kind):
                self._connection.read_parquet(list(parts[kind])).create_view(f"raw_{kind}")
            else:
                self._connection.register(f"raw_{kind}", schema.empty_table())
        for kind in ("documents", "queries"):
            run(_FIRST.format(kind=kind))
        run(_POSITIONS.format(limit="" if limit is None else f"LIMIT {int(limit)}"))
        run(_DEAD.replace("$own_ids", "true" if own_ids else "false"))

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
        return self._tables(_DOCUMENTS, rows)

    def queries(self, rows: int) -> Iterator[pa.Table]:
        """Queries in order of query_ix, in tables of about `rows`."""
        return self._tables(_QUERIES, rows)

    def positives(self, rows: int) -> Iterator[pa.Table]:
        """Pairs (query_ix, doc_ix), sorted and each once, in tables of about `rows`."""
        return self._tables(_POSITIVES, rows)

    def dead_letters(self, rows: int) -> Iterator[pa.Table]:
        """Dead letters by kind, file and line, in tables of about `rows`."""
        return self._tables(_DEAD_LETTERS, rows)

    def counts(self) -> dict[str, int]:
        """Documents, queries, dead letters, and the queries left out, merged or over the limit."""
        cursor = self._connection.execute(_COUNTS)
        values: tuple[Any, ...] = cursor.fetchone() or ()
        names = [column[0] for column in cursor.description or ()]
        return {name: int(value) for name, value in zip(names, values, strict=True)}

    def reasons(self) -> list[Reason]:
        """Dead letters by countable reason, most frequent first."""
        rows = self._connection.execute(_REASONS).fetchall()
        return [Reason(code, n, at["name"], at["line"], at["reason"]) for code, n, at in rows]
