"""An audited file as a collection: documents, queries, positives and the candidates it gives."""

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import duckdb

from negmine.schemas.errors import DataError, StorageError
from negmine.transforms import storage
from negmine.transforms.data.sql import connect, file_sql, sql_string
from negmine.transforms.foreign.formats import Named, named_of
from negmine.transforms.foreign.raw import Writer, write_rows
from negmine.transforms.foreign.references import judgements, reference_file, texts
from negmine.transforms.storage.atomic import write_json
from negmine.transforms.storage.digests import Digest, blamed

COUNTS = "counts.json"
TABLES = ("documents", "queries", "qrels", "given", "negatives")

_QUERIES = """
CREATE TABLE query_refs AS
    SELECT ref, any_value(native) AS native, any_value(text) AS text, any_value(text_key) AS key,
        min({{'file': file, 'row': row}}) AS first
    FROM passages WHERE query GROUP BY ref;
CREATE TABLE query_ids AS SELECT ref, {id} AS id, {text} AS text, {key} AS key, first
FROM query_refs q {join};
"""
_DOCUMENTS = """
CREATE TABLE document_refs AS
    SELECT ref, any_value(native) AS native, any_value(text) AS text, any_value(text_key) AS key,
        min({{'file': file, 'row': row}}) AS first
    FROM passages WHERE NOT query GROUP BY ref;
CREATE TABLE document_ids AS SELECT ref, {id} AS id, {text} AS text, first
FROM document_refs d {join};
"""
_OWN_ID = """CASE WHEN row_number() OVER (PARTITION BY native ORDER BY first, ref) = 1 THEN native
    ELSE native || '~' || split_part(ref, chr(9), 2) END"""
_RESULT = """
CREATE TABLE placed AS
    SELECT n.file, n.row, n.list, n.place, q.id AS query_id, q.key, d.id AS doc_id,
        n.positives_key, d.text IS NULL AS unknown,
        CASE WHEN unknown THEN 'unknown_document' ELSE nullif(n.fault, '') END AS fault
    FROM negatives n JOIN query_ids q ON q.ref = n.query JOIN document_ids d ON d.ref = n.document;
CREATE TABLE own AS
    SELECT DISTINCT p.file, p.row, q.id AS query_id, q.key, d.id AS doc_id
    FROM positives p JOIN query_ids q ON q.ref = p.query JOIN document_ids d ON d.ref = p.document;
CREATE TABLE known AS
    SELECT key, doc_id FROM own
    UNION SELECT q.key, j.doc_id FROM judged j JOIN query_ids q ON q.id = j.query_id;
CREATE TABLE result_documents AS
    SELECT id AS doc_id, arg_min(text, first) AS text FROM document_ids
        WHERE text IS NOT NULL GROUP BY id
    UNION ALL SELECT id, any_value(text) FROM corpus c
        WHERE id IN (SELECT doc_id FROM judged) AND id NOT IN (SELECT id FROM document_ids)
        GROUP BY id;
CREATE TABLE result_queries AS
    SELECT id AS query_id, arg_min(text, first) AS text FROM query_ids GROUP BY id;
CREATE TABLE result_qrels AS
    SELECT DISTINCT q.id AS query_id, k.doc_id FROM known k JOIN query_ids q USING (key)
    WHERE k.doc_id IN (SELECT doc_id FROM result_documents);
CREATE TABLE result_given AS
    SELECT min(query_id) AS query_id, doc_id, count(*)::INTEGER AS occurrences,
        row_number() OVER (PARTITION BY key ORDER BY min(spot), doc_id)::INTEGER AS rank
    FROM (SELECT *, {'file': file, 'row': row, 'list': list, 'place': place} AS spot FROM placed
        WHERE NOT unknown)
    GROUP BY key, doc_id;
CREATE TABLE result_negatives AS
    SELECT p.file, p.row, p.list, p.place, p.query_id, p.doc_id,
        p.key AS query_key, p.positives_key,
        p.fault,
        o.doc_id IS NOT NULL AS positive_of_row,
        (p.key, p.doc_id) IN (SELECT (key, doc_id) FROM own) AS positive_of_file
    FROM placed p
    LEFT JOIN own o ON o.file = p.file AND o.row = p.row AND o.doc_id = p.doc_id;
"""
_ORDER = {
    "documents": "doc_id",
    "queries": "query_id",
    "qrels": "query_id, doc_id",
    "given": "query_id, rank",
    "negatives": "file, row, list, place",
}


@dataclass(frozen=True)
class Foreign:
    """What is audited: files of one format, and what was named beside them.

    `digests` are those of `input_paths`, by path; a file without one is taken as it is.
    `label_above` as in `foreign.rows`.
    """

    files: tuple[str, ...]
    format: str
    corpus: str | None = None
    queries: str | None = None
    qrels: str | None = None
    digests: Mapping[str, Digest] = field(default_factory=dict)
    label_above: float | None = None


def collect(foreign: Foreign, directory: Path) -> dict[str, int]:
    """Write documents, queries, qrels, given and negatives as Parquet, and counts.json last.

    Documents are those that the files or the judgements of their queries name. Passages without an
    identifier have that of the corpus' document of the same normalised text, else a hash of the
    text; an identifier that stands for a second text gets the text's hash behind a ~. `rank` is
    the order in which a query's negatives come in the files. `negatives` have keys of the query's
    text and of the row's positives, by which repeats are told.

    Raises DataError naming file and row, or a file that has not its digest, and StorageError.
    """
    with suppress(OSError, ValueError, TypeError):  # What is not there, or damaged, is made anew.
        return {k: int(v) for k, v in storage.read_json(storage.fetch(directory / COUNTS)).items()}
    raw = directory / "raw"
    shutil.rmtree(directory, ignore_errors=True)
    raw.mkdir(parents=True)
    rows = write_rows(foreign.files, foreign.format, raw, foreign.digests, foreign.label_above)
    _write_references(foreign, raw)
    try:
        with connect(memory=None, file=raw / "collect.duckdb") as connection:
            counts = _resolve(connection, foreign, raw, directory)
    except duckdb.Error as error:
        raise StorageError(
            f"cannot write {directory}: {str(error).splitlines()[0]}; free space and run again"
        ) from error
    counts["rows"] = rows
    for file in directory.glob("*.parquet"):
        storage.put(file)
    write_json(directory / COUNTS, counts)
    shutil.rmtree(raw)
    return counts


def _write_references(foreign: Foreign, raw: Path) -> None:
    for what in ("corpus", "queries"):
        with Writer(raw, what, "texts") as writer:
            for found in _beside(foreign, what, partial(texts, what=what)):
                writer.add(*found)
    with Writer(raw, "judgements") as writer:
        for pair in _beside(foreign, "qrels", judgements):
            writer.add(*pair)


def _beside(
    foreign: Foreign, what: str, read: Callable[..., Iterable[tuple[str, str]]]
) -> Iterator[tuple[str, str]]:
    """What `read` finds in the file named beside; nothing where none was."""
    path = getattr(foreign, what)
    if path:
        file = reference_file(path, what)
        digest = foreign.digests.get(str(file))
        with blamed(file, digest):
            yield from read(file, digest=digest)


def _resolve(
    connection: duckdb.DuckDBPyConnection, foreign: Foreign, raw: Path, directory: Path
) -> dict[str, int]:
    run = connection.execute
    run(f"SET temp_directory = {sql_string(str(raw / 'spill'))}")
    run("SET enable_progress_bar = false")
    for name in ("passages", "positives", "negatives", "corpus", "queries", "judgements"):
        run(f"CREATE VIEW {name} AS {file_sql(raw / f'{name}.parquet')}")
    named = named_of(foreign.format)
    _identify(connection, named)
    if "id" in named:
        _check_known(connection, foreign, named)
    run(
        """
        CREATE TABLE judged AS
            SELECT i.id AS query_id, j.doc_id FROM judgements j
            JOIN queries s ON s.id = j.query_id JOIN query_ids i ON i.key = s.text_key
            UNION
            SELECT i.id, j.doc_id FROM judgements j JOIN query_ids i ON i.id = j.query_id
        """
    )
    run(_RESULT)
    for name in TABLES:
        file = sql_string(str(directory / f"{name}.parquet"))
        run(
            f"COPY (FROM result_{name} ORDER BY {_ORDER[name]}) TO {file} "
            "(FORMAT parquet, COMPRESSION zstd)"
        )
    return {
        "negatives": _count(connection, "SELECT count(*) FROM result_negatives"),
        "queries": _count(connection, "SELECT count(DISTINCT key) FROM query_ids"),
        "widest": _count(connection, "SELECT max(rank) FROM result_given"),
        "repeated_query_ids": 0
        if foreign.format != "automodel"
        else _count(
            connection,
            "SELECT count(*) FROM (SELECT q.native FROM positives p JOIN query_refs q "
            "ON q.ref = p.query GROUP BY q.native HAVING count(DISTINCT (p.file, p.row)) > 1)",
        ),
        "outside_corpus": 0
        if foreign.corpus is None
        else _count(
            connection,
            "SELECT count(*) FROM result_documents WHERE doc_id NOT IN (SELECT id FROM corpus)",
        ),
        "judgements_without_document": _count(
            connection,
            "SELECT count(*) FROM judged WHERE doc_id NOT IN (SELECT doc_id FROM result_documents)",
        ),
    }


def _identify(connection: duckdb.DuckDBPyConnection, named: tuple[Named, Named]) -> None:
    by_id = "LEFT JOIN {table} r ON r.id = {alias}.native"
    by_text = (
        "LEFT JOIN (SELECT text_key, min(id) AS id, arg_min(text, id) AS text FROM {table} "
        "GROUP BY text_key) r ON r.text_key = {alias}.key"
    )
    tables = ((_QUERIES, "queries", "q"), (_DOCUMENTS, "corpus", "d"))
    for (template, table, alias), by in zip(tables, named, strict=True):
        own = f"{alias}.text"
        if by == "id":
            parts = {"id": "native", "text": "r.text", "key": "r.text_key", "join": by_id}
        elif by == "named":
            parts = {"id": _OWN_ID, "text": own, "key": f"{alias}.key", "join": ""}
        else:
            parts = {
                "id": "coalesce(r.id, native)",
                "text": f"coalesce(r.text, {own})",
                "key": f"{alias}.key",
                "join": by_text,
            }
        parts["join"] = parts["join"].format(table=table, alias=alias)
        connection.execute(template.format(**parts))


_UNKNOWN = {
    "--queries": "SELECT id, first.file, first.row, count(*) OVER () FROM query_ids "
    "WHERE text IS NULL ORDER BY first LIMIT 1",
    # A negative without a text is a finding; without its positive a row says nothing.
    "--corpus": "SELECT d.id, p.file, p.row, count(*) OVER () FROM document_ids d JOIN positives p "
    "ON p.document = d.ref WHERE d.text IS NULL ORDER BY p.file, p.row LIMIT 1",
}


def _check_known(
    connection: duckdb.DuckDBPyConnection, foreign: Foreign, named: tuple[Named, Named]
) -> None:
    """Raise DataError for a query or a positive without a text."""
    paths = (foreign.queries, foreign.corpus)
    for (option, sql), path, by in zip(_UNKNOWN.items(), paths, named, strict=True):
        missing = connection.execute(sql).fetchone() if by == "id" else None
        if missing:
            identity, file, row, count = missing
            raise DataError(
                f"{foreign.files[file]} line {row}: {identity!r} is not in {option} {path}, and "
                f"{count - 1:,} more are not; name the collection that the file was mined from"
            )


def _count(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = connection.execute(sql).fetchone()
    return int(row[0] or 0) if row else 0


def input_paths(foreign: Foreign) -> Sequence[Path]:
    """Every file that is read. Raises DataError where one is missing."""
    named = [("corpus", foreign.corpus), ("queries", foreign.queries), ("qrels", foreign.qrels)]
    beside = [reference_file(path, what) for what, path in named if path]
    return [*(Path(file) for file in foreign.files), *beside]
